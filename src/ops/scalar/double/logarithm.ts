// log, log1p, asinh, acosh, atanh and pow of f64 in machine ops. In: f64 expressions. Out: f64 expressions without a branch.
// Holds: −∞ at 0, NaN below, ∞ at ∞, NaN at NaN; subnormal arguments keep their accuracy.
// Method: u = 2ᵉ · (1 + f) with 1 + f in [√½, √2), and log(1 + f) = 2 atanh s with s = f / (2 + f) as a pair, by the series of atanh: its
// first terms as pairs, the rest by a polynomial (after Tang, and Muller et al., Handbook of Floating-Point Arithmetic; no table).
// That leaves about 2⁻⁷⁰ of the logarithm, so that its product with an exponent of `pow` still has eight bits more than a result shows. The
// polynomial interpolates at Chebyshev's points (computed in 50 digits, for this project).

import type { Expr } from '../../../kernel/index.js';
import * as m from '../machine.js';
import { ln2High, ln2Low, powerOfProduct } from './exponential.js';
import { choose, fastTwoSum, increased, type Pair, pairOf, product, quotient, root, rounded, sum, twoProduct, twoSum } from './pair.js';

/** (2 atanh s − 2s − 2s³ / 3 − 2s⁵ / 5) / s⁷ in s² ≤ 0.02945: leaves 2⁻⁷² of 2s. */
const tail = [
  0.10617532765504996, 0.10472858263128923, 0.11766051672505168, 0.13333314647056682, 0.15384615525187234, 0.18181818181299614,
  0.2222222222222295, 0.2857142857142857,
];
const twoThirds = pairOf([0.6666666666666666, 3.700743415417188e-17]);
const twoFifths = pairOf([0.4, -2.2204460492503132e-17]);

const exponentBits = m.literal('i64', 52);
/** The upper half of the bits of √½: below them the cut may lie anywhere. */
const rootOfHalf = m.literal('i64', 0x3fe6a09e_00000000);

/** log(u · 2ᵏ) of a positive finite normal u; `k` an f64 expression. */
function logarithmOf(u: Pair, k?: Expr): Pair {
  const bits = m.bitcast('i64', u.high);
  const e = m.sar(m.sub(bits, rootOfHalf), exponentBits);
  const high = m.bitcast('f64', m.sub(bits, m.shl(e, exponentBits)));
  // The low part is nothing beside 2¹⁰²³.
  const scale = m.bitcast('f64', m.shl(m.sub(m.literal('i64', 1023), m.least(e, m.literal('i64', 1023))), exponentBits));
  const f = increased({ high: m.sub(high, m.f64(1)), low: m.f64(0) }, m.mul(u.low, scale));
  const n = m.convert('f64', e);
  return shifted(k === undefined ? n : m.add(n, k), twiceAtanh(quotient(f, increased(f, m.f64(2)))));
}

/** n · ln 2 + value. */
function shifted(n: Expr, value: Pair): Pair {
  const start = fastTwoSum(m.mul(n, m.f64(ln2High)), m.mul(n, m.f64(ln2Low)));
  return sum(start, value);
}

/** 2 atanh s for |s| ≤ 0.1716. */
function twiceAtanh(s: Pair): Pair {
  const unit = fastTwoSum(s.high, s.low);
  const z = product(unit, unit);
  const rest = increased(twoFifths, m.mul(z.high, m.horner(z.high, tail)));
  const curve = sum(twoThirds, product(z, rest));
  const twice = { high: m.add(unit.high, unit.high), low: m.add(unit.low, unit.low) };
  return sum(twice, product(product(unit, z), curve));
}

const smallestNormal = 2.2250738585072014e-308;

/** log x of a positive finite x. */
function logarithmOfNumber(x: Expr): Pair {
  const subnormal = m.lt(x, m.f64(smallestNormal));
  const normal = m.select(subnormal, m.mul(x, m.f64(2 ** 54)), x);
  return logarithmOf({ high: normal, low: m.f64(0) }, m.select(subnormal, m.f64(-54), m.f64(0)));
}

/** `value` for finite positive u; else the logarithm's edges. */
function withEdges(u: Expr, value: Expr): Expr {
  const edge = m.select(m.eq(u, m.f64(0)), m.f64(-Infinity), m.select(m.lt(u, m.f64(0)), m.f64(NaN), u));
  return m.select(m.and(m.gt(u, m.f64(0)), m.lt(u, m.f64(Infinity))), value, edge);
}

export const log = (x: Expr): Expr => withEdges(x, rounded(logarithmOfNumber(x)));

/** log(1 + v) for finite v > −1. */
const logarithmBeyondOne = (v: Pair): Pair => logarithmOf(increased(v, m.f64(1)));

/** What is smaller is its own log1p, asinh and atanh. */
const isTiny = (x: Expr): Expr => m.lt(m.abs(x), m.f64(2 ** -56));

export function log1p(x: Expr): Expr {
  const value = rounded(logarithmBeyondOne({ high: x, low: m.f64(0) }));
  return m.select(isTiny(x), x, withEdges(m.add(x, m.f64(1)), value));
}

/** Where a² + 1 is a² and √ of it is a. */
const large = 2 ** 60;
const isLarge = (a: Expr): Expr => m.gt(a, m.f64(large));

/** log(2a) = log a + ln 2 for a large a, log(1 + v) else. */
function logarithmWhereLarge(a: Expr, v: Pair): Expr {
  const isBig = isLarge(a);
  const u = choose(isBig, { high: a, low: m.f64(0) }, increased(v, m.f64(1)));
  return rounded(logarithmOf(u, m.select(isBig, m.f64(1), m.f64(0))));
}

/** log(1 + a + a² / (1 + √(a² + 1))). */
export function asinh(x: Expr): Expr {
  const a = m.abs(x);
  const within = m.least(m.f64(large), a);
  const square = twoProduct(within, within);
  const beyond = quotient(square, increased(root(increased(square, m.f64(1))), m.f64(1)));
  const value = logarithmWhereLarge(a, increased(beyond, within));
  return m.copysign(m.select(m.or(isTiny(a), m.not(m.lt(a, m.f64(Infinity)))), a, value), x);
}

/** log(1 + v + √(v · (v + 2))) with v = x − 1. */
export function acosh(x: Expr): Expr {
  const within = m.least(m.f64(large), x);
  const v = twoSum(within, m.f64(-1));
  const value = logarithmWhereLarge(x, sum(v, root(product(v, increased(v, m.f64(2))))));
  return m.select(m.ge(x, m.f64(1)), m.select(m.lt(x, m.f64(Infinity)), value, x), m.f64(NaN));
}

/** log(1 + 2|x| / (1 − |x|)) / 2. */
export function atanh(x: Expr): Expr {
  const a = m.abs(x);
  const within = m.least(m.f64(1 - 2 ** -53), a);
  const ratio = quotient({ high: m.add(within, within), low: m.f64(0) }, twoSum(m.f64(1), m.neg(within)));
  const value = m.mul(rounded(logarithmBeyondOne(ratio)), m.f64(0.5));
  const edge = m.select(m.eq(a, m.f64(1)), m.f64(Infinity), m.f64(NaN));
  return m.copysign(m.select(isTiny(a), a, m.select(m.lt(a, m.f64(1)), value, edge)), x);
}

/** |y| · log |x| is 0, or beyond all exponents of f64, with any greater exponent as with this one: log |x| is 0 or at least 2⁻⁵³. */
const largestExponent = 2 ** 65;

/** x to the power y as C's `pow`: e^(y · log |x|), then sign and special values. */
export function pow(x: Expr, y: Expr): Expr {
  const [zero, one, infinity] = [m.f64(0), m.f64(1), m.f64(Infinity)];
  const size = m.abs(x);
  const finite = m.and(m.gt(size, zero), m.lt(size, infinity));
  const logarithm = logarithmOfNumber(m.select(finite, size, one));
  const within = m.most(m.f64(-largestExponent), m.least(m.f64(largestExponent), y));
  const common = powerOfProduct(logarithm, within);
  // Of 0 and ∞: 0 to a negative power is as ∞ to a positive one. NaN stays.
  const falls = m.ne(m.eq(size, zero), m.lt(y, zero));
  const end = m.select(m.eq(size, size), m.select(falls, zero, infinity), size);
  const value = m.select(finite, common, m.select(m.eq(y, y), end, y));
  const half = m.mul(y, m.f64(0.5));
  const whole = m.eq(m.rint(y), y);
  const odd = m.and(whole, m.ne(m.rint(half), half));
  const negative = m.lt(m.bitcast('i64', x), m.literal('i64', 0));
  const signed = m.select(m.and(negative, odd), m.neg(value), value);
  // A finite negative base has real powers for whole exponents only.
  const undefinedThere = m.and(m.and(m.lt(x, zero), finite), m.not(whole));
  const unit = m.or(m.or(m.eq(y, zero), m.eq(x, one)), m.and(m.eq(size, one), m.eq(m.abs(y), infinity)));
  return m.select(unit, one, m.select(undefinedThere, m.f64(NaN), signed));
}
