// Long sums: blocks of terms are summed by themselves, and their sums are added without losing what the additions round off (see the note
// at the end). In: how far loops over terms run, totals in registers or in memory. Out: where the loops are cut, statements that add.
// Holds: where sums are cut depends on sizes alone, so neither tiles nor threads change a bit; infinities and NaN come out as plain
// addition gives them.

import { type DType, isFloat } from '../../../base/index.js';
import { type Accumulator, build, type Expr } from '../../../kernel/index.js';
import { partialUnit, sumBlockTerms } from '../../../target/index.js';
import { identity, indices } from '../../form/forms.js';
import type { Scope } from '../../form/scope.js';
import type { Reduction } from '../../fuse/stages.js';

/** Terms that one register adds up before they go to a total. */
export const serialBlockTerms = sumBlockTerms / partialUnit;

/** A loop that goes over blocks of so many indices. */
export interface Cut {
  /** Which of the loops, from the outermost. */
  readonly loop: number;
  readonly each: number;
}

/**
 * The loop that must be cut so that no register adds up more than `serialBlockTerms` terms; undefined where there are never so many.
 * `sizes`: how far loops run at most, from the outermost, undefined where nobody knows; the last one may run along vector lanes.
 */
export function cutOf(sizes: readonly (number | undefined)[], inLanes: boolean): Cut | undefined {
  let terms = 1;
  for (let loop = sizes.length - 1; loop >= 0; loop--) {
    const size = sizes[loop];
    const lanes = inLanes && loop === sizes.length - 1 ? partialUnit : 1;
    const each = Math.max(1, Math.floor((serialBlockTerms * lanes) / terms));
    if (size === undefined || size > each) return { loop, each };
    terms *= Math.ceil(size / lanes);
  }
  return undefined;
}

/** Whether additions of this round: only then blocks are worth it. */
export const isRounded = ({ node, form }: Reduction): boolean => form.combine === 'sum' && isFloat(node.type.dtype);

export interface ExactSum {
  readonly sum: Expr;
  /** What rounding left off: sum + error is exactly what was added. */
  readonly error: Expr;
}

/** D. E. Knuth, The Art of Computer Programming 2, 4.2.2, theorem B. */
export function twoSum(scope: Scope, a: Expr, b: Expr): ExactSum {
  const dtype = build.dtypeOf(a);
  const minus = (x: Expr, y: Expr): Expr => build.apply('sub', dtype, x, y);
  const [x, y] = [scope.let('x', a), scope.let('y', b)];
  const sum = scope.let('sum', build.apply('add', dtype, x, y));
  const fromB = scope.let('part', minus(sum, x));
  const error = build.apply('add', dtype, minus(x, minus(sum, fromB)), minus(y, fromB));
  return { sum, error: scope.let('error', error) };
}

/** The total with all that was lost; where a sum was infinite or no number, what was lost is NaN and counts nothing. */
export function withLost(dtype: DType, total: Expr, lost: Expr): Expr {
  const known = build.apply('select', dtype, build.apply('eq', 'bool', lost, lost), lost, build.constant(dtype, 0));
  return build.apply('add', dtype, total, known);
}

/** Totals in registers, to which sums of blocks are added; reductions that do not round are combined as they are. */
export class RunningSums {
  readonly #reductions: readonly Reduction[];
  readonly #totals: readonly Accumulator[];
  readonly #lost: readonly (Accumulator | undefined)[];

  /** `totals` have their first values already. */
  constructor(scope: Scope, reductions: readonly Reduction[], totals: readonly Accumulator[]) {
    this.#reductions = reductions;
    this.#totals = totals;
    this.#lost = reductions.map((reduction, which) => {
      if (!isRounded(reduction)) return undefined;
      const { dtype, shape } = totals[which] as Accumulator;
      const lost: Accumulator = { name: scope.names.fresh('lost'), dtype, shape };
      scope.emit({ kind: 'declare', accumulator: lost, initial: build.constant(dtype, 0) });
      return lost;
    });
  }

  /** Adds what a block has summed up, at one element of registers that all have it. */
  add(scope: Scope, parts: readonly Accumulator[], slot: readonly Expr[]): void {
    for (const [which, part] of parts.entries()) this.#add(scope, which, build.read(part, slot), slot);
  }

  /** The same at every element of registers that no loop goes along, and may have different shapes. */
  addAll(scope: Scope, valueOf: (which: number, slot: readonly Expr[]) => Expr): void {
    for (const [which, total] of this.#totals.entries())
      for (const slot of slotsOf(total)) this.#add(scope, which, valueOf(which, slot), slot);
  }

  #add(scope: Scope, which: number, value: Expr, slot: readonly Expr[]): void {
    const [total, lost] = [this.#totals[which] as Accumulator, this.#lost[which]];
    if (lost === undefined) {
      const { combine } = (this.#reductions[which] as Reduction).form;
      scope.emit({ kind: 'accumulate', accumulator: total, index: slot, combine, value });
      return;
    }
    const { sum, error } = twoSum(scope, build.read(total, slot), value);
    scope.emit(
      { kind: 'assign', accumulator: lost, index: slot, value: build.apply('add', lost.dtype, build.read(lost, slot), error) },
      { kind: 'assign', accumulator: total, index: slot, value: sum },
    );
  }

  /** Behind the last block: the totals are complete. */
  finish(scope: Scope, slot: readonly Expr[]): void {
    for (const which of this.#totals.keys()) this.#finish(scope, which, slot);
  }

  finishAll(scope: Scope): void {
    for (const [which, total] of this.#totals.entries()) for (const slot of slotsOf(total)) this.#finish(scope, which, slot);
  }

  #finish(scope: Scope, which: number, slot: readonly Expr[]): void {
    const [total, lost] = [this.#totals[which] as Accumulator, this.#lost[which]];
    if (lost === undefined) return;
    const value = withLost(total.dtype, build.read(total, slot), build.read(lost, slot));
    scope.emit({ kind: 'assign', accumulator: total, index: slot, value });
  }
}

const slotsOf = ({ shape }: Accumulator): Expr[][] => [...indices(shape)].map((slot) => slot.map(build.int));

/** Registers for the sum of one block. */
export function partsLike(scope: Scope, reductions: readonly Reduction[], totals: readonly Accumulator[]): Accumulator[] {
  return totals.map(({ dtype, shape }, which) => {
    const accumulator: Accumulator = { name: scope.names.fresh('acc'), dtype, shape };
    scope.emit({ kind: 'declare', accumulator, initial: identity((reductions[which] as Reduction).form.combine, dtype) });
    return accumulator;
  });
}

/* Note: sums that keep their digits.
   sum(x, axis: 0) of x: f32[N, 16] (shortened):

     acc acc1: f32[16] = f32(0)
     acc lost2: f32[16] = f32(0)
     for n3 in 0..#(N + 255) / 256 blocks N {
       acc acc4: f32[16] = f32(0)
       for r5 in 0..min(256, N - start6) part n3 { vector for j7 in 0..16 limit 16 { acc4[j7] += in_x[start6 + r5, j7] } }
       vector for j8 in 0..16 limit 16 { sum = acc1[j8] + acc4[j8]  lost2[j8] = lost2[j8] + error  acc1[j8] = sum }
     }
     vector for j9 in 0..16 limit 16 { acc1[j9] = acc1[j9] + lost2[j9] }

   One term after the other, the error grows with the number of terms: of 2²³ equal f32, a sum is several percent off. A block of 256 terms
   has an error of 256 units at most and of a few in general, and what the additions of blocks round off is kept beside the total and added
   last, so that it grows no further, whatever the length (T. Ogita, S. M. Rump and S. Oishi, "Accurate Sum and Dot Product", SIAM Journal
   on Scientific Computing 26(6), 2005; the same idea as A. Neumaier, ZAMM 54, 1974). Seven additions per block are nothing beside its
   terms. Integers do not round, and neither do extrema. Shown by test/lower/sums.test.ts. */
