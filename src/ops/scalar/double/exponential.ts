// exp, expm1, sinh, cosh and tanh of f64 in machine ops. In: f64 expressions. Out: f64 expressions without a branch.
// Holds: NaN stays NaN, the ends of the range give what the functions tend to, and results below the normal range are rounded twice.
// Method: x = n · ln 2 + r with |r| ≤ ln 2 / 2 and ln 2 in two parts (Cody and Waite), eʳ − 1 as a pair from r + r² / 2 and a polynomial
// beyond, and 2ⁿ as a product of two powers, because n reaches beyond the exponents of f64 on both sides. The polynomial interpolates at
// Chebyshev's points (computed in 50 digits, for this project).

import type { Expr } from '../../../kernel/index.js';
import * as m from '../machine.js';
import { fastTwoSum, increased, type Pair, product, quotient, rounded, sum, twoProduct, twoSum } from './pair.js';

/** (eʳ − 1 − r − r² / 2) / r³ on |r| ≤ 0.3468: leaves 2⁻⁶¹ of 1. */
const tail = [
  1.6084355888885255e-10, 2.0914728984148772e-9, 2.5052077935004422e-8, 2.7557273542102106e-7, 2.7557319240010206e-6, 2.4801587325627418e-5,
  1.98412698412664e-4, 0.0013888888888883726, 0.008333333333333333, 0.04166666666666667, 0.16666666666666666,
];

const log2e = 1.4426950408889634;
/** ln 2: 42 bits, so that n times them is exact, and 53 more. */
export const ln2High = 0.6931471805598903;
export const ln2Low = 5.497923018708371e-14;
/** 1.5 · 2⁵²: what is added to it is rounded to an integer, which then stands in the low bits. */
const rounding = 6755399441055744;

interface Reduced {
  /** The nearest whole number to x / ln 2: as f64, and in the low bits of an i64. */
  readonly n: Expr;
  readonly bits: Expr;
  /** e^(x − n · ln 2) − 1. */
  readonly rest: Pair;
}

/** Of high + low, |high| below 2¹¹. */
function reduce(high: Expr, low?: Expr): Reduced {
  const shifted = m.fma(high, m.f64(log2e), m.f64(rounding));
  const n = m.sub(shifted, m.f64(rounding));
  // Exact: whole multiples of 2⁻⁵⁴ below 1.
  const near = m.fma(n, m.f64(-ln2High), high);
  const beside = m.mul(n, m.f64(-ln2Low));
  const r = twoSum(near, low === undefined ? beside : m.add(beside, low));
  const square = twoProduct(r.high, r.high);
  const cube = m.mul(m.mul(square.high, r.high), m.horner(r.high, tail));
  const lower = m.fma(m.f64(0.5), square.low, m.fma(r.high, r.low, cube));
  return { n, bits: m.bitcast('i64', shifted), rest: sum(r, fastTwoSum(m.mul(square.high, m.f64(0.5)), lower)) };
}

const bias = 1023;
const exponentBits = m.literal('i64', 52);

/** 2ⁿ⁺ᵏ, a normal number, from the bits that hold n: the shift leaves nothing else of them. */
const powerOfTwo = (bits: Expr, k = 0): Expr => m.bitcast('f64', m.shl(m.add(bits, m.literal('i64', bias + k)), exponentBits));

/** value · 2ⁿ⁺ᵏ for a value near 1 and any n that exponents of results reach: half of the exponent first. */
function scaled(value: Expr, bits: Expr, k = 0): Expr {
  // The sign of n is that of the bits' upper part less what `rounding` has there.
  const n = m.sub(bits, m.bitcast('i64', m.f64(rounding)));
  const whole = k === 0 ? n : m.add(n, m.literal('i64', k));
  const half = m.sar(whole, m.literal('i64', 1));
  return m.mul(m.mul(value, powerOfTwo(half)), powerOfTwo(m.sub(whole, half)));
}

const atMost = (x: Expr, high: number): Expr => m.least(m.f64(high), x);
/** NaN goes through: it is the second operand of both choices. */
const clamp = (x: Expr, low: number, high: number): Expr => atMost(m.most(m.f64(low), x), high);

/** Beyond these, eˣ is ∞ or less than half of the smallest number. */
const [least, most] = [-746, 710];

/** e^(high + low), rounded, from parts that are clamped here; `k` as a factor 2ᵏ. */
export function power(high: Expr, low?: Expr, k = 0): Expr {
  const within = clamp(high, least, most + Math.max(0, -k));
  const { bits, rest } = reduce(within, low === undefined ? undefined : m.select(m.eq(within, high), low, m.f64(0)));
  const one = fastTwoSum(m.f64(1), rest.high);
  return scaled(m.add(one.high, m.add(one.low, rest.low)), bits, k);
}

export const exp = (x: Expr): Expr => power(x);

/** e^x as a pair, for |x| ≤ 700. */
function powerPair(x: Expr): Pair {
  const { bits, rest } = reduce(x);
  const scale = powerOfTwo(bits);
  const one = increased(rest, m.f64(1));
  return { high: m.mul(one.high, scale), low: m.mul(one.low, scale) };
}

/** (eˣ − 1) / 2 as a pair, for −40 ≤ x ≤ 710; accurate near 0. */
function halfOfExpm1(x: Expr): Pair {
  const { bits, rest } = reduce(x);
  const half = powerOfTwo(bits, -1);
  const start = twoSum(half, m.f64(-0.5));
  return sum(start, { high: m.mul(rest.high, half), low: m.mul(rest.low, half) });
}

export function expm1(x: Expr): Expr {
  // Below −40 the result rounds to −1.
  const { high, low } = halfOfExpm1(clamp(x, -40, most));
  const half = m.add(high, low);
  // What is tiny is its own result; halves of the smallest numbers would not be exact.
  return m.select(m.lt(m.abs(x), m.f64(2 ** -60)), x, m.add(half, half));
}

/** Where e^−|x| is nothing beside e^|x|. */
const alone = 40;
const tiny = 2 ** -30;

/** With t = (e^|x| − 1) / 2: t + t / (2t + 1), which does not cancel near 0. */
export function sinh(x: Expr): Expr {
  const size = m.abs(x);
  const t = halfOfExpm1(atMost(size, alone));
  const beside = quotient(t, increased({ high: m.add(t.high, t.high), low: m.add(t.low, t.low) }, m.f64(1)));
  const near = m.select(m.lt(size, m.f64(tiny)), size, rounded(sum(t, beside)));
  return m.copysign(m.select(m.gt(size, m.f64(alone)), power(size, undefined, -1), near), x);
}

export function cosh(x: Expr): Expr {
  const size = m.abs(x);
  const rising = powerPair(atMost(size, alone));
  const near = m.mul(m.f64(0.5), m.add(rising.high, m.add(rising.low, m.div(m.f64(1), rising.high))));
  return m.select(m.gt(size, m.f64(alone)), power(size, undefined, -1), near);
}

/** With t = (e^2|x| − 1) / 2: t / (t + 1). */
export function tanh(x: Expr): Expr {
  const size = m.abs(x);
  // At 20 the quotient rounds to 1.
  const t = halfOfExpm1(m.mul(m.f64(2), atMost(size, 20)));
  const value = rounded(quotient(t, increased(t, m.f64(1))));
  return m.copysign(m.select(m.lt(size, m.f64(tiny)), size, value), x);
}

/** e^(−x²) for 0 ≤ x ≤ 27, as a number. */
export function gaussian(x: Expr): Expr {
  const square = twoProduct(x, x);
  return power(m.neg(square.high), m.neg(square.low));
}

/** e^(a · b), a pair times a number. */
export function powerOfProduct(a: Pair, b: Expr): Expr {
  const whole = product(a, { high: b, low: m.f64(0) });
  return power(whole.high, whole.low);
}
