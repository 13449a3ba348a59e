// Products of warps by tensor cores: `mma.sync` over fragments that `ldmatrix` brings from shared memory. In: a statement. Out:
// instructions. Holds: fragments lie as PTX says (ISA, "Matrix fragments for mma.m16n8k16" and "… m16n8k8"), which is how kernel IR numbers
// the sums of a thread.

import { bytesOf, type DType, InternalError } from '../../src/base/index.js';
import type { Buffer, Fragment, MultiplyStmt, SumsFragment } from '../../src/kernel/index.js';
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
    const { left: from } = stmt;
    const { dtype } = stmt.right.buffer;
    const isInTurn = 'sums' in from && dtype === 'f32';
    const left = Array.from({ length: rows / 2 }, (_, i) =>
      'sums' in from ? this.#sums(from, dtype, i, here) : this.#fragment(from, 'left', i, here, memo),
    );
    const right = Array.from({ length: columns / 4 }, (_, j) => this.#fragment(stmt.right, 'right', j, here, memo, isInTurn)).flatMap(
      ([a, b, c, d]) => [
        [a, b],
        [c, d],
      ],
    ) as LlvmValue[][];
    const name = instructions[dtype];
    if (name === undefined) throw new InternalError('codegen', `tensor cores multiply no ${dtype}`);
    // Halves come in pairs; of others LLVM takes the bits.
    const wanted = dtype === 'f16' ? module.types.vector(module.types.f16, 2) : module.types.i32;
    const operand = (value: LlvmValue): LlvmValue => (value.type === wanted ? value : build.bitcast(value, wanted));
    const result = module.types.struct(Array.from({ length: matrices }, () => module.types.f32));
    for (const [i, a] of left.entries())
      for (const [j, b] of right.entries()) {
        const at = [0, 1, 2, 3].map((which) => (2 * i + (which >> 1)) * columns + 2 * j + (which & 1));
        const sums = at.map((position) => cells.get(position));
        const made = build.intrinsic(name, result, [...a.map(operand), ...b.map(operand), ...sums]);
        at.forEach((position, which) => cells.set(position, build.extractValue(made, [which])));
      }
  }

  /**
   * The same of sums. Of 16 bits a thread has just the elements that it multiplies. Of f32 it has two columns side by side, which it takes
   * for the steps t and t + 4; on the right side it does the same.
   */
  #sums({ sums, index }: SumsFragment, dtype: DType, number: number, scope: Scope): LlvmValue[] {
    const { builder: build, module } = this.#expressions.ops;
    const [, columns = 0] = sums.shape;
    const first = this.#expressions.scalar(index[0], scope);
    if (typeof first !== 'number') throw new InternalError('codegen', `${sums.name} is multiplied from a column on that is not known`);
    const { cells } = registersOf(sums, scope);
    /** Of a thread's elements in a matrix of 8 columns: the upper or the lower row, and which of two columns. */
    const at = (matrix: number, row: number, column: number): LlvmValue =>
      cells.get((2 * number + row) * columns + 2 * (first / side + matrix) + column);
    if (dtype === 'f32') return [at(0, 0, 0), at(0, 1, 0), at(0, 0, 1), at(0, 1, 1)].map((value) => this.#rounded(value));
    const [name, type] =
      dtype === 'f16'
        ? ['llvm.nvvm.ff2f16x2.rn', module.types.vector(module.types.f16, 2)]
        : ['llvm.nvvm.ff2bf16x2.rn', module.types.vector(module.types.bf16, 2)];
    // The first operand is the upper half.
    const pair = (matrix: number, row: number): LlvmValue => build.intrinsic(name, type, [at(matrix, row, 1), at(matrix, row, 0)]);
    return [pair(0, 0), pair(0, 1), pair(1, 0), pair(1, 1)];
  }

  /** Bits of an f32 as TF32. */
  readonly #rounded = (value: LlvmValue): LlvmValue =>
    this.#expressions.ops.builder.intrinsic('llvm.nvvm.f2tf32.rna', this.#expressions.ops.module.types.i32, [value]);

  /**
   * Two by two matrices, of 16 lines and 32 bytes of steps: those of the left side lines first, those of the right side steps first.
   * `isInTurn`: of f32, steps side by side go to one matrix and the other in turn.
   */
  #fragment(
    { buffer, index, along }: Fragment,
    which: 'left' | 'right',
    number: number,
    scope: Scope,
    memo: Memo,
    isInTurn = false,
  ): LlvmValue[] {
    const { ops } = this.#expressions;
    const { builder: build, module } = ops;
    const pitch = buffer.strides.at(-2)?.constant ?? 1;
    const start = this.#memory.address(index, buffer, index, scope, memo);
    const lines = 2 * side * number;
    const element = ops.memoryType(buffer.dtype);
    const place = build.gep(element, start, [module.i64(along === 'depth' ? lines * pitch : lines)]);
    if (buffer.dtype !== 'f32') return this.#matrices(place, buffer, along, which);
    const apart = along === 'depth' ? { line: pitch, step: 1 } : { line: 1, step: pitch };
    const bits =
      along === 'depth' && !isInTurn ? this.#matrices(place, buffer, along, which) : this.#elements(place, apart, which, isInTurn);
    return bits.map((value) => this.#rounded(build.bitcast(value, module.types.f32)));
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

  /**
   * The same of f32, element by element: lane 4·g + t has line g and step t of each matrix, or, in turn, the steps 2·t and 2·t + 1 of both.
   * `apart`: elements from a line, and a step, to the next.
   */
  #elements(
    place: LlvmValue,
    apart: { readonly line: number; readonly step: number },
    which: 'left' | 'right',
    isInTurn: boolean,
  ): LlvmValue[] {
    const { builder: build, module } = this.#expressions.ops;
    const lane = this.#warp.thread;
    const [own, next] = isInTurn ? [2, 1] : [1, side / 2];
    const step = build.mul(build.and(lane, module.i64(3)), module.i64(own * apart.step));
    const line = build.mul(build.lshr(lane, module.i64(2)), module.i64(apart.line));
    const first = build.gep(module.types.f32, place, [build.add(step, line)]);
    return Array.from({ length: matrices }, (_, at) => {
      const [lines, steps] = which === 'left' ? [at & 1, at >> 1] : [at >> 1, at & 1];
      const offset = steps * next * apart.step + lines * side * apart.line;
      return build.load(module.types.i32, build.gep(module.types.f32, first, [module.i64(offset)]));
    });
  }
}
