// Shared memory of a block, and copies to it that run beside other instructions. In: statements of blocks, and where memory lies. Out:
// instructions. Holds: all of a kernel's shared memory is one array, whose size is known where the kernel is compiled; one that is larger
// than what a block has without asking is asked for at the launch.

import { bytesOf, InternalError } from '../../src/base/index.js';
import { type Buffer, type CopyStmt, isSwizzled } from '../../src/kernel/index.js';
import type { LlvmValue } from '../llvm/builder/index.js';
import type { Expressions, Memo } from '../llvm/emit/expressions.js';
import type { Memory } from '../llvm/emit/memory.js';
import type { Scope } from '../llvm/emit/scope.js';
import type { SharedLayout } from './shared-layout.js';

/** The address space, and bytes that a block has without asking for more. */
const [space, unasked] = [3, 48 * 1024];
/** The array of kernels that ask for theirs; LLVM renames what PTX does not read only where it is no external name. */
const askedName = (alignment: number): string => `asked_shared_${alignment}`;

export class SharedMemory {
  readonly #expressions: Expressions;
  readonly #layout: SharedLayout;
  readonly #start: LlvmValue | undefined;
  /** Bytes that a block is launched with. */
  readonly asked: number;

  /** `kernel`: its name, which the memory is named after. */
  constructor(expressions: Expressions, kernel: string, layout: SharedLayout, most: number) {
    this.#expressions = expressions;
    this.#layout = layout;
    const { module } = expressions.ops;
    const { bytes, alignment } = layout;
    if (bytes > most) throw new InternalError('codegen', `${kernel} has ${bytes} bytes of shared memory`);
    this.asked = bytes > unasked ? bytes : 0;
    if (bytes === 0) return;
    if (this.asked > 0) {
      const type = module.types.array(module.types.i8, 0);
      const name = askedName(alignment);
      this.#start = module.find(name) ?? module.global({ name, type, addressSpace: space, align: alignment });
      return;
    }
    const type = module.types.array(module.types.i8, bytes);
    const initializer = module.poison(type);
    this.#start = module.global({
      name: `${kernel}.shared`,
      type,
      initializer,
      linkage: 'internal',
      addressSpace: space,
      align: alignment,
    });
  }

  pointerOf({ name }: Buffer): LlvmValue {
    const offset = this.#layout.offsets.get(name);
    if (offset === undefined || this.#start === undefined) throw new InternalError('codegen', `the shared memory ${name} is not declared`);
    const { builder: build, module } = this.#expressions.ops;
    return offset === 0 ? this.#start : build.gep(module.types.i8, this.#start, [module.i64(offset)]);
  }

  /** Parts of lines are mixed by bits 7 to 9 of their address, which are the line's number. */
  lies(buffer: Buffer, pointer: LlvmValue): LlvmValue {
    if (!isSwizzled(buffer)) return pointer;
    const { builder: build, module } = this.#expressions.ops;
    const plain = build.ptrtoint(pointer, module.types.i32);
    const mixed = build.and(build.lshr(plain, module.i32(3)), module.i32(0x70));
    return build.inttoptr(build.xor(plain, mixed), pointer.type);
  }

  /** What this thread wrote here so far, products of four warps see. */
  fence(): void {
    const { builder: build, module } = this.#expressions.ops;
    build.assembly('fence.proxy.async.shared::cta;', '~{memory}', module.types.void, []);
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
