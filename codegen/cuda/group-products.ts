// Products of four warps: `wgmma`, whose sides lie in shared memory and whose sums are in registers while it runs. In: statements. Out:
// instructions. Holds: sums lie as PTX says (ISA, "Register Fragments" of wgmma), which is how kernel IR numbers those of a thread; nothing
// that LLVM makes comes between them and the end of their product.

import { InternalError } from '../../src/base/index.js';
import { type Accumulator, type Fragment, type MultiplyStmt, multiplyDepth, swizzledBytes, swizzledLines } from '../../src/kernel/index.js';
import type { LlvmValue } from '../llvm/builder/index.js';
import type { Expressions, Memo } from '../llvm/emit/expressions.js';
import type { Memory } from '../llvm/emit/memory.js';
import { registersOf } from '../llvm/emit/registers.js';
import { type Scope, withIndex } from '../llvm/emit/scope.js';
import type { Warp } from './block.js';

/** Warps, and rows of theirs that one instruction multiplies. */
const [warps, rows] = [4, 64];
/** Bytes of eight lines, all of whose mixtures of parts there are. */
const eightLines = swizzledBytes * swizzledLines;
/** Of a matrix in lines of 128 bytes (ISA, "Matrix Descriptor"): addresses and offsets are in units of 16 bytes. */
const [unit, leadingAt, strideAt, mixedAt] = [16, 16n, 32n, 62n];
const [addressBits, mixed] = [0x3ffff, 1n];

export class GroupProducts {
  readonly #expressions: Expressions;
  readonly #memory: Memory;
  readonly #warp: Warp;
  /** Whether registers may have been touched since the last product. */
  #isFenced = false;
  /** Sums of products that may be under way. */
  readonly #underWay = new Map<string, Accumulator>();

  constructor(expressions: Expressions, memory: Memory, warp: Warp) {
    this.#expressions = expressions;
    this.#memory = memory;
    this.#warp = warp;
  }

  emit({ warp, sums, left, right }: MultiplyStmt, scope: Scope, memo: Memo): void {
    const { builder: build, module } = this.#expressions.ops;
    if ('sums' in left) throw new InternalError('codegen', `four warps multiply ${left.sums.name}, which is in registers`);
    const number = build.lshr(this.#warp.number, module.i64(Math.log2(warps)));
    const here = withIndex(scope, warp, number);
    const [down = 0, columns = 0] = sums.shape;
    const { cells } = registersOf(sums, scope);
    const { dtype } = right.buffer;
    const width = 4 * columns;
    const kind = `m${rows}n${width}k${multiplyDepth(dtype)}.f32.${dtype}.${dtype}`;
    const sides = [left, right].map((side) => (side.along === 'depth' ? 0 : 1)).join(', ');
    this.#fence();
    this.#underWay.set(sums.name, sums);
    const second = this.#matrix(right, 0, here, memo);
    for (let part = 0; part < down / 2; part++) {
      const at = Array.from({ length: width / 2 }, (_, one) => (2 * part + ((one >> 1) & 1)) * columns + 2 * (one >> 2) + (one & 1));
      const own = at.map((_, one) => `$${one}`).join(', ');
      const [a, b] = [width, width + 1];
      const text = `{ .reg .pred p; setp.ne.b32 p, 1, 0; wgmma.mma_async.sync.aligned.${kind} {${own}}, $${a}, $${b}, p, 1, 1, ${sides}; }`;
      const first = this.#matrix(left, part * rows, here, memo);
      const before = at.map((position) => cells.get(position));
      const made = this.#tied(text, before, [first, second]);
      at.forEach((position, one) => cells.set(position, made[one] as LlvmValue));
    }
  }

  /** Products since the last time become a group, and all groups but the `open` last ones end. */
  settle(open: number, scope: Scope): void {
    // Behind a loop nothing may be left to commit; without a fence `ptxas` would make one.
    this.#fence();
    this.#order('wgmma.commit_group.sync.aligned;');
    this.#isFenced = false;
    const text = `wgmma.wait_group.sync.aligned ${open};`;
    if (open > 0) {
      this.#order(text);
      return;
    }
    // What reads the sums depends on their end.
    const ended = [...this.#underWay.values()].map((sums) => registersOf(sums, scope));
    const at = ended.flatMap(({ cells, count }) => Array.from({ length: count }, (_, position) => ({ cells, position })));
    const made = this.#tied(
      text,
      at.map(({ cells, position }) => cells.get(position)),
      [],
    );
    at.forEach(({ cells, position }, one) => cells.set(position, made[one] as LlvmValue));
    this.#underWay.clear();
  }

  #fence(): void {
    if (!this.#isFenced) this.#order('wgmma.fence.sync.aligned;');
    this.#isFenced = true;
  }

  #order(text: string): void {
    this.#expressions.ops.builder.assembly(text, '~{memory}', this.#expressions.ops.module.types.void, []);
  }

  /** Assembly that changes f32 where they are. */
  #tied(text: string, values: readonly LlvmValue[], others: readonly LlvmValue[]): readonly LlvmValue[] {
    const { builder: build, module } = this.#expressions.ops;
    const constraints = [...values.map(() => '=f'), ...values.map((_, at) => `${at}`), ...others.map(() => 'l'), '~{memory}'].join();
    const result = module.types.struct(values.map(({ type }) => type));
    const made = build.assembly(text, constraints, result, [...values, ...others]);
    return values.map((_, at) => build.extractValue(made, [at]));
  }

  /** What says where a matrix lies, from line `from` of the side on. */
  #matrix({ buffer, index, along }: Fragment, from: number, scope: Scope, memo: Memo): LlvmValue {
    const { ops } = this.#expressions;
    const { builder: build, module } = ops;
    const start = this.#memory.address(index, buffer, index, scope, memo);
    // Lines lie one behind the other, or in parts as long as one step, each behind all steps of the one before.
    const part = (buffer.shape.at(-2)?.constant ?? 0) * swizzledBytes;
    const perPart = buffer.shape.at(-1)?.constant ?? 0;
    const beyond = along === 'depth' ? from * swizzledBytes : (from / perPart) * part;
    const place = build.add(build.ptrtoint(start, module.types.i32), module.i32(beyond));
    const address = build.lshr(build.and(place, module.i32(addressBits)), module.i32(Math.log2(unit)));
    const leading = along === 'depth' ? 1n : BigInt(part / unit);
    const how = (leading << leadingAt) | (BigInt(eightLines / unit) << strideAt) | (mixed << mixedAt);
    return build.or(build.zext(address, module.types.i64), module.int(module.types.i64, how));
  }
}
