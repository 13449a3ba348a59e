// sin, cos and tan of f64 in machine ops. In: f64 expressions. Out: f64 expressions; what only large arguments need is marked `unlikely`.
// Holds: accurate for every finite f64; ±∞ gives NaN, and no sine or cosine is beyond ±1. The polynomials interpolate at Chebyshev's points
// (computed in 60 digits, for this project).

import type { Expr } from '../../../kernel/index.js';
import * as m from '../machine.js';
import { fastTwoSum, negated, type Pair, choose, quotient, rounded, twoProduct } from './pair.js';
import { isLarge, type Reduced, reduceFar, reduceQuickly } from './reduction.js';

/** (sin r − r) / r³ in r² for |r| ≤ π / 4: leaves 2⁻⁵⁷ of r. */
const sineTail = [
  -7.586682497157786e-13, 1.6058531370931902e-10, -2.505210623088241e-8, 2.755731921933466e-6, -1.984126984126506e-4, 0.008333333333333331,
  -0.16666666666666666,
];
/** (cos r − 1 + r² / 2) / r⁴ in r² for |r| ≤ π / 4: leaves 2⁻⁶⁰. */
const cosineTail = [
  4.7458637732829623e-14, -1.1470460749696862e-11, 2.0876755790210228e-9, -2.755731922140032e-7, 2.4801587301584642e-5,
  -0.0013888888888888887, 0.041666666666666664,
];

/** sin r = r + (r³ · S + low part · cos r). */
function sineOf({ high, low }: Pair, square: Pair): Pair {
  const beside = m.fma(m.fma(square.high, m.f64(-0.5), m.f64(1)), low, m.mul(m.mul(high, square.high), m.horner(square.high, sineTail)));
  return fastTwoSum(high, beside);
}

/** cos r = 1 − r² / 2 + (r⁴ · C − low part · r). */
function cosineOf({ high, low }: Pair, square: Pair): Pair {
  const start = fastTwoSum(m.f64(1), m.mul(square.high, m.f64(-0.5)));
  const curve = m.mul(m.mul(square.high, square.high), m.horner(square.high, cosineTail));
  const beside = m.fma(m.neg(high), low, m.fma(square.low, m.f64(-0.5), curve));
  return fastTwoSum(start.high, m.add(start.low, beside));
}

function both({ rest }: Reduced): { readonly sine: Pair; readonly cosine: Pair } {
  const square = twoProduct(rest.high, rest.high);
  return { sine: sineOf(rest, square), cosine: cosineOf(rest, square) };
}

const isOdd = ({ quarter }: Reduced): Expr => m.eq(m.abs(quarter), m.f64(1));
const negatedWhere = (c: Expr, value: Expr): Expr => m.select(c, m.neg(value), value);
const isBelow = (a: Expr, b: number): Expr => m.lt(a, m.f64(b));
const isAbove = (a: Expr, b: number): Expr => m.gt(a, m.f64(b));

function sineAfter(reduced: Reduced): Expr {
  const { sine, cosine } = both(reduced);
  const value = m.select(isOdd(reduced), rounded(cosine), rounded(sine));
  return negatedWhere(m.or(isBelow(reduced.quarter, 0), isAbove(reduced.quarter, 1)), value);
}

function cosineAfter(reduced: Reduced): Expr {
  const { sine, cosine } = both(reduced);
  const value = m.select(isOdd(reduced), rounded(sine), rounded(cosine));
  return negatedWhere(m.or(isAbove(reduced.quarter, 0), isBelow(reduced.quarter, -1)), value);
}

/** sin / cos, or −cos / sin after an odd number of quarters. */
function tangentAfter(reduced: Reduced): Expr {
  const { sine, cosine } = both(reduced);
  const odd = isOdd(reduced);
  return rounded(quotient(choose(odd, negated(cosine), sine), choose(odd, sine, cosine)));
}

const ofSize = (x: Expr, after: (reduced: Reduced) => Expr): Expr => {
  const size = m.abs(x);
  return m.unlikely(isLarge(size), after(reduceFar(size)), after(reduceQuickly(size)));
};

/** An odd function: that of |x| with the sign of x. */
const odd = (x: Expr, value: Expr): Expr => m.mul(value, m.copysign(m.f64(1), x));

export const sin = (x: Expr): Expr => odd(x, ofSize(x, sineAfter));
export const cos = (x: Expr): Expr => ofSize(x, cosineAfter);
/** Of the least numbers the quotient would lose what lies below them. */
export const tan = (x: Expr): Expr => m.select(isBelow(m.abs(x), 2 ** -30), x, odd(x, ofSize(x, tangentAfter)));
