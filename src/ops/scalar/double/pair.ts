// Numbers of twice the precision: unevaluated sums of two f64. In: f64 expressions. Out: pairs whose low part is at most about half a unit
// in the last place of the high one.
// Holds: sums and products of two f64 are exact (Knuth's TwoSum, Dekker's FastTwoSum, a product by fma), as long as nothing overflows or
// falls below the normal range; see Muller et al., Handbook of Floating-Point Arithmetic, on double-word arithmetic.

import type { Expr } from '../../../kernel/index.js';
import * as m from '../machine.js';

export interface Pair {
  readonly high: Expr;
  readonly low: Expr;
}

/** A number in two parts, which were rounded one after the other. */
export type Parts = readonly [high: number, low: number];

export const pairOf = ([high, low]: Parts): Pair => ({ high: m.f64(high), low: m.f64(low) });

/** a + b. */
export function twoSum(a: Expr, b: Expr): Pair {
  const high = m.add(a, b);
  const part = m.sub(high, a);
  return { high, low: m.add(m.sub(a, m.sub(high, part)), m.sub(b, part)) };
}

/** a + b where |a| ≥ |b|, or a is 0. */
export function fastTwoSum(a: Expr, b: Expr): Pair {
  const high = m.add(a, b);
  return { high, low: m.sub(b, m.sub(high, a)) };
}

/** a · b. */
export function twoProduct(a: Expr, b: Expr): Pair {
  const high = m.mul(a, b);
  return { high, low: m.fma(a, b, m.neg(high)) };
}

export const negated = ({ high, low }: Pair): Pair => ({ high: m.neg(high), low: m.neg(low) });

/** a + b for any two; relative to the greater one, 2⁻¹⁰⁵ is lost. */
export function sum(a: Pair, b: Pair): Pair {
  const { high, low } = twoSum(a.high, b.high);
  return fastTwoSum(high, m.add(low, m.add(a.low, b.low)));
}

/** a + b, b a plain number. */
export function increased(a: Pair, b: Expr): Pair {
  const { high, low } = twoSum(a.high, b);
  return fastTwoSum(high, m.add(low, a.low));
}

export function product(a: Pair, b: Pair): Pair {
  const { high, low } = twoProduct(a.high, b.high);
  return fastTwoSum(high, m.fma(a.high, b.low, m.fma(a.low, b.high, low)));
}

/** a / b: what the rounded quotient leaves of a, divided again. */
export function quotient(a: Pair, b: Pair): Pair {
  const high = m.div(a.high, b.high);
  const rest = m.sub(m.add(m.fma(m.neg(high), b.high, a.high), a.low), m.mul(high, b.low));
  return { high, low: m.div(rest, b.high) };
}

/** √a; 0 of 0. */
export function root({ high, low }: Pair): Pair {
  const near = m.sqrt(high);
  const rest = m.add(m.fma(m.neg(near), near, high), low);
  return { high: near, low: m.select(m.eq(near, m.f64(0)), m.f64(0), m.div(m.mul(rest, m.f64(0.5)), near)) };
}

export const rounded = ({ high, low }: Pair): Expr => m.add(high, low);

/** Chooses both parts. */
export const choose = (c: Expr, a: Pair, b: Pair): Pair => ({ high: m.select(c, a.high, b.high), low: m.select(c, a.low, b.low) });
