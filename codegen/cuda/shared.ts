// Shared memory of a block, and copies to it that run beside other instructions. In: statements of blocks. Out: instructions. Holds: every
// declaration has memory of its own, so its size is known where the kernel is launched.

import { bytesOf, InternalError } from '../../src/base/index.js';
import type { Buffer, CopyStmt } from '../../src/kernel/index.js';
import type { LlvmValue } from '../llvm/builder/index.js';
import type { Expressions, Memo } from '../llvm/emit/expressions.js';
import type { Memory } from '../llvm/emit/memory.js';
import type { Scope } from '../llvm/emit/scope.js';

/** Of the address space, and what places in it are a multiple of: the longest access. */
const [space, alignment] = [3, 16];

export class SharedMemory {
  readonly #pointers = new Map<string, LlvmValue>();
  readonly #expressions: Expressions;
  readonly #kernel: string;

  /** `kernel`: its name, which memory is named after. */
  constructor(expressions: Expressions, kernel: string) {
    this.#expressions = expressions;
    this.#kernel = kernel;
  }

  declare({ name, dtype, shape }: Buffer): void {
    const { ops } = this.#expressions;
    const { module } = ops;
    const count = shape.reduce((product, size) => product * (size.constant ?? 0), 1);
    const type = module.types.array(ops.memoryType(dtype), count);
    this.#pointers.set(
      name,
      module.global({
        name: `${this.#kernel}.${name}`,
        type,
        initializer: module.poison(type),
        linkage: 'internal',
        addressSpace: space,
        align: alignment,
      }),
    );
  }

  pointerOf({ name }: Buffer): LlvmValue {
    const pointer = this.#pointers.get(name);
    if (pointer === undefined) throw new InternalError('codegen', `the shared memory ${name} is not declared`);
    return pointer;
  }

  copy({ to, at, from, index, count, when }: CopyStmt, memory: Memory, scope: Scope, memo: Memo): void {
    const { ops } = this.#expressions;
    const { builder: build, module } = ops;
    const bytes = count * bytesOf(to.dtype);
    const [target, source] = [memory.address(at, to, at, scope, memo), memory.address(index, from, index, scope, memo)];
    const taken = build.select(this.#expressions.emit(when, scope, memo).value, module.i32(bytes), module.i32(0));
    // Only the longest may pass the nearest cache by.
    const name = `llvm.nvvm.cp.async.${bytes === 16 ? 'cg' : 'ca'}.shared.global.${bytes}.s`;
    build.intrinsic(name, module.types.void, [target, source, taken]);
  }

  commit(): void {
    const { builder: build, module } = this.#expressions.ops;
    build.intrinsic('llvm.nvvm.cp.async.commit.group', module.types.void, []);
  }

  wait(open: number): void {
    const { builder: build, module } = this.#expressions.ops;
    build.intrinsic('llvm.nvvm.cp.async.wait.group', module.types.void, [module.i32(open)]);
  }
}
