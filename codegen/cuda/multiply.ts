// Products of warps by tensor cores: `mma.sync` over fragments that `ldmatrix` brings from shared memory. In: a statement. Out:
// instructions. Holds: fragments lie as PTX says (ISA, "Matrix fragments for mma.m16n8k16" and "… m16n8k8"), which is how kernel IR numbers
// the sums of a thread.

import { bytesOf, type DType, InternalError } from '../../src/base/index.js';
import type { Buffer, Fragment, MultiplyStmt } from '../../src/kernel/index.js';
import type { LlvmValue } from '../llvm/builder/index.js';
import type { Expressions, Memo } from '../llvm/emit/expressions.js';
import type { Memory } from '../llvm/emit/memory.js';
import { registersOf } from '../llvm/emit/registers.js';
import { type Scope, withIndex } from '../llvm/emit/scope.js';
import type { Warp } from './block.js';

/** Rows of a matrix that `ldmatrix` loads, their bytes, and how many matrices it loads at once. */
const [side, rowBytes, matrices] = [8, 16, 4];

/** Of what kind of operands the instruction is. */
const instructions: Partial<Readonly<Record<DType, string>>> = {
  bf16: 'llvm.nvvm.mma.m16n8k16.row.col.bf16',
  f16: 'llvm.nvvm.mma.m16n8k16.row.col.f32.f32',
  f32: 'llvm.nvvm.mma.m16n8k8.row.col.tf32',
};

export class WarpProducts {
  readonly #expressions: Expressions;
  readonly #memory: Memory;
  readonly #warp: Warp;

  constructor(expressions: Expressions, memory: Memory, warp: Warp) {
    this.#expressions = expressions;
    this.#memory = memory;
    this.#warp = warp;
  }

  emit(stmt: MultiplyStmt, scope: Scope, memo: Memo): void {
    const { ops } = this.#expressions;
    const { builder: build, module } = ops;
    const here = withIndex(scope, stmt.warp, this.#warp.number);
    const [rows = 0, columns = 0] = stmt.sums.shape;
    const { cells } = registersOf(stmt.sums, scope);
    const left = Array.from({ length: rows / 2 }, (_, i) => this.#fragment(stmt.left, 'left', i, here, memo));
    const right = Array.from({ length: columns / 4 }, (_, j) => this.#fragment(stmt.right, 'right', j, here, memo)).flatMap(
      ([a, b, c, d]) => [
        [a, b],
        [c, d],
      ],
    ) as LlvmValue[][];
    const { dtype } = stmt.left.buffer;
    const name = instructions[dtype];
    if (name === undefined) throw new InternalError('codegen', `tensor cores multiply no ${dtype}`);
    // Halves come in pairs; of others LLVM takes the bits.
    const operand = (value: LlvmValue): LlvmValue =>
      dtype === 'f16' ? build.bitcast(value, module.types.vector(module.types.f16, 2)) : value;
    const result = module.types.struct(Array.from({ length: matrices }, () => module.types.f32));
    for (const [i, a] of left.entries())
      for (const [j, b] of right.entries()) {
        const at = [0, 1, 2, 3].map((which) => (2 * i + (which >> 1)) * columns + 2 * j + (which & 1));
        const sums = at.map((position) => cells.get(position));
        const made = build.intrinsic(name, result, [...a.map(operand), ...b.map(operand), ...sums]);
        at.forEach((position, which) => cells.set(position, build.extractValue(made, [which])));
      }
  }

  /** Two by two matrices, of 16 lines and 32 bytes of steps: those of the left side lines first, those of the right side steps first. */
  #fragment({ buffer, index, along }: Fragment, which: 'left' | 'right', number: number, scope: Scope, memo: Memo): LlvmValue[] {
    const { ops } = this.#expressions;
    const { builder: build, module } = ops;
    const pitch = buffer.strides.at(-2)?.constant ?? 1;
    const start = this.#memory.address(index, buffer, index, scope, memo);
    const lines = 2 * side * number;
    const element = ops.memoryType(buffer.dtype);
    const place = build.gep(element, start, [module.i64(along === 'depth' ? lines * pitch : lines)]);
    if (buffer.dtype !== 'f32') return this.#matrices(place, buffer, along, which);
    const bits = along === 'depth' ? this.#matrices(place, buffer, along, which) : this.#elements(place, pitch, which);
    return bits.map((value) => build.intrinsic('llvm.nvvm.f2tf32.rna', module.types.i32, [build.bitcast(value, module.types.f32)]));
  }

  /** Matrices of rows of 16 bytes; of elements of two bytes they may be transposed on the way. */
  #matrices(place: LlvmValue, { dtype, strides }: Buffer, along: Fragment['along'], which: 'left' | 'right'): LlvmValue[] {
    const { ops } = this.#expressions;
    const { builder: build, module } = ops;
    const pitch = strides.at(-2)?.constant ?? 1;
    const lane = this.#warp.thread;
    const bit = (at: number): LlvmValue => build.and(build.lshr(lane, module.i64(at)), module.i64(1));
    // Eight lanes have the rows of a matrix; the next bits of their number say which of the four.
    const [first, second] = [bit(3), bit(4)];
    const [down, across] = (which === 'left') === (along === 'depth') ? [first, second] : [second, first];
    const row = build.add(build.and(lane, module.i64(side - 1)), build.mul(down, module.i64(side)));
    const offset = build.add(build.mul(row, module.i64(pitch)), build.mul(across, module.i64(rowBytes / bytesOf(dtype))));
    const result = module.types.struct(Array.from({ length: matrices }, () => module.types.i32));
    const name = `llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4${along === 'depth' ? '' : '.trans'}.b16`;
    const loaded = build.intrinsic(name, result, [build.gep(ops.memoryType(dtype), place, [offset])]);
    return Array.from({ length: matrices }, (_, at) => build.extractValue(loaded, [at]));
  }

  /** The same of f32 whose lines lie side by side, element by element: lane 4·g + t has line g and step t of each matrix. */
  #elements(place: LlvmValue, pitch: number, which: 'left' | 'right'): LlvmValue[] {
    const { builder: build, module } = this.#expressions.ops;
    const lane = this.#warp.thread;
    const own = build.add(build.mul(build.and(lane, module.i64(3)), module.i64(pitch)), build.lshr(lane, module.i64(2)));
    const first = build.gep(module.types.f32, place, [own]);
    return Array.from({ length: matrices }, (_, at) => {
      const [line, step] = which === 'left' ? [at & 1, at >> 1] : [at >> 1, at & 1];
      return build.load(module.types.i32, build.gep(module.types.f32, first, [module.i64(step * (side / 2) * pitch + line * side)]));
    });
  }
}
