// exp, expm1, tanh, sigmoid, softplusRest, sinh, cosh and erf in machine ops. In: f32 expressions (f64 where it says so). Out: expressions
// without a branch or a table.
// Holds: NaN stays NaN, the ends of the range give what the functions tend to, and results below the normal range are rounded once. Method:
// x = n · ln 2 + r with |r| ≤ ln 2 / 2 (Cody and Waite), a polynomial in r, and 2ⁿ by `scale` or made of exponent bits. All polynomials are
// minimax fits (Remez exchange in 40 digits, relative error) of this project; the error that they leave stands beside them.

import type { Expr } from '../../kernel/index.js';
import * as m from './machine.js';

/** (eʳ − 1 − r) / r² on |r| ≤ 0.35: leaves 3.3e-9 of eʳ. */
const tailOfExp = [0.001381317968480289, 0.008369418792426586, 0.04166845604777336, 0.16666515171527863, 0.4999999403953552];
/** The same relative to eʳ − 1: leaves 1.4e-8. */
const tailOfExpm1 = [0.0013947576517239213, 0.008367243222892284, 0.041666265577077866, 0.16666537523269653, 0.5];
/** In f64: leaves 8.7e-14 of eʳ − 1. */
const tailInDouble = [
  2.7641326192240387e-6, 2.4877598732564198e-5, 1.984117055426131e-4, 0.0013888819118000753, 0.008333333381198387, 0.04166666690336812,
  0.16666666666590566, 0.49999999999784656,
];
/** (log(1 + t) − t) / t² on [0, 1]: leaves 5.1e-9 of log(1 + t). */
const tailOfLog1p = [
  -0.003318377305450348, 0.020204138465220234, -0.05766356769866403, 0.10680462170363361, -0.15355337999422894, 0.19695379018762765,
  -0.24958582948830885, 0.33330510861154944, -0.49999932747260734,
];
/** erf x / x − 1 in x² for |x| ≤ 0.925: leaves 4.3e-10. */
const smallErf = [
  8.349597192136571e-5, -8.137858239933848e-4, 0.0052006058394908905, -0.026859227567911148, 0.11283692717552185, -0.37612634897232056,
  0.12837916612625122,
];
/** −log(erfc x) / x on [0.92, 4]: leaves 7.4e-10 of erf. */
const tailOfErf = [
  1.1231469215999823e-5, -3.2280446612276137e-4, 0.003642457537353039, -0.02376205287873745, 0.10623686015605927, 0.6351513266563416,
  1.1286485195159912,
];

const log2e = 1.4426950408889634;
// 1.5 · 2²³: what is added to it is rounded to an integer, which then stands in the low bits.
const roundingSingle = 12582912;
const roundingDouble = 6755399441055744;
// 16 bits, so that n times it is exact; the rest of ln 2 follows.
const ln2High = 0.693145751953125;
const ln2Low = 1.428606765330187e-6;

/**
 * The nearest integer to `factor` · x / ln 2, as a number and in the low bits of an i32, and the remainder of x: what is left of it above n
 * · ln 2 / factor.
 */
function reduceSingle(x: Expr, factor = 1): { readonly n: Expr; readonly bits: Expr; readonly r: Expr } {
  const shifted = m.muladd(x, m.f32(factor * log2e), m.f32(roundingSingle));
  const n = m.sub(shifted, m.f32(roundingSingle));
  return { n, bits: m.bitcast('i32', shifted), r: m.muladd(n, m.f32(-ln2Low / factor), m.muladd(n, m.f32(-ln2High / factor), x)) };
}

/** 2ⁿ⁺ᵏ, a normal number, from the bits that hold n: the shift leaves nothing else of them. */
const powerOfTwo = (bits: Expr, k: number): Expr => m.bitcast('f32', m.add(m.shl(bits, m.i32(23)), m.i32((127 + k) << 23)));

const atMost = (x: Expr, high: number): Expr => m.least(m.f32(high), x);
const atLeast = (x: Expr, low: number): Expr => m.most(m.f32(low), x);
/** NaN goes through: it is the second operand of both choices. */
const clamp = (x: Expr, low: number, high: number): Expr => atMost(atLeast(x, low), high);

/** Of x between −104 and 89. */
function expWithin(x: Expr): Expr {
  const { n, r } = reduceSingle(x);
  return m.scale(m.horner(r, [...tailOfExp, 1, 1]), n);
}

/** e^−|x|. */
const expOfMinusSize = (x: Expr): Expr => expWithin(atLeast(m.neg(m.abs(x)), -104));

/** Beyond the bounds e^x is ∞ or less than half of the smallest subnormal. */
export const exp = (x: Expr): Expr => expWithin(clamp(x, -104, 89));

export function expm1(x: Expr): Expr {
  const { n, bits, r } = reduceSingle(clamp(x, -18, 89));
  const q = m.muladd(m.mul(r, r), m.horner(r, tailOfExpm1), r);
  // 2ⁿ · q + (2ⁿ − 1), with half of 2ⁿ because n reaches 128. Where n = 0 it is q itself, also −0.
  const half = powerOfTwo(bits, -1);
  const sum = m.muladd(q, half, m.sub(half, m.f32(0.5)));
  return m.copysign(m.select(m.eq(n, m.f32(0)), q, m.add(sum, sum)), x);
}

/**
 * With a = (e^2|x| − 1) / 2, which keeps its accuracy near 0: a / (1 + a), as a − a · a / (1 + a) or 1 − 1 / (1 + a), whichever takes away
 * less.
 */
export function tanh(x: Expr): Expr {
  // At 10 the quotient rounds to 1. The remainder is half of that of 2|x|.
  const size = atMost(m.abs(x), 10);
  const { bits, r } = reduceSingle(size, 2);
  const q = m.muladd(
    m.mul(r, r),
    m.horner(
      r,
      tailOfExpm1.map((coefficient, at) => coefficient * 2 ** (tailOfExpm1.length - at)),
    ),
    r,
  );
  const power = powerOfTwo(bits, 0);
  const a = m.muladd(q, power, m.muladd(power, m.f32(0.5), m.f32(-0.5)));
  const lead = m.select(m.lt(size, m.f32(0.5)), a, m.f32(1));
  return m.copysign(m.muladd(m.neg(lead), m.div(lead, m.add(a, m.f32(1))), lead), x);
}

/**
 * With e = e^−|x|, which never overflows: 1 − e / (1 + e) above 0, and e times that below. The rounding of the quotient hardly matters so.
 */
export function sigmoid(x: Expr): Expr {
  const power = expOfMinusSize(x);
  const lead = m.select(m.lt(x, m.f32(0)), power, m.f32(1));
  return m.muladd(m.neg(lead), m.div(power, m.add(power, m.f32(1))), lead);
}

/** log(1 + e) with e = e^−|x| in [0, 1], where one polynomial is enough. */
export function softplusRest(x: Expr): Expr {
  const power = expOfMinusSize(x);
  return m.muladd(m.mul(power, power), m.horner(power, tailOfLog1p), power);
}

/** Near 0 a polynomial; elsewhere 1 − erfc x with erfc x = e^−xP(x). */
export function erf(x: Expr): Expr {
  const size = m.abs(x);
  const square = m.mul(x, x);
  const near = m.muladd(x, m.horner(square, smallErf), x);
  const t = atMost(size, 4);
  const far = m.sub(
    m.f32(1),
    expWithin(
      m.mul(
        t,
        m.horner(
          t,
          tailOfErf.map((coefficient) => -coefficient),
        ),
      ),
    ),
  );
  return m.copysign(m.select(m.lt(size, m.f32(0.925)), near, far), x);
}

/** 2ⁿ and eʳ − 1 of an f64 expression with |x| ≤ 700, to about 1e-13. */
function splitInDouble(x: Expr): { readonly scale: Expr; readonly q: Expr } {
  const shifted = m.muladd(x, m.f64(log2e), m.f64(roundingDouble));
  const n = m.sub(shifted, m.f64(roundingDouble));
  const r = m.muladd(n, m.f64(-2.3190468138462996e-17), m.muladd(n, m.f64(-0.6931471805599453), x));
  const q = m.muladd(m.mul(r, r), m.horner(r, tailInDouble), r);
  // The low bits of the sum are n; above bit 11 they are shifted out.
  const scale = m.bitcast('f64', m.shl(m.add(m.bitcast('i64', shifted), m.literal('i64', 1023)), m.literal('i64', 52)));
  return { scale, q };
}

const clampDouble = (x: Expr): Expr => m.least(m.f64(200), m.most(m.f64(-200), x));

/** eˣ of an f64 expression, as if |x| were at most 200: beyond that f32 is 0 or ∞. */
export function expInDouble(x: Expr): Expr {
  const { scale, q } = splitInDouble(clampDouble(x));
  return m.muladd(scale, q, scale);
}

/** (t + t / (t + 1)) / 2 with t = e^|x| − 1, which does not cancel near 0. */
export function sinhInDouble(x: Expr): Expr {
  const { scale, q } = splitInDouble(clampDouble(m.abs(x)));
  const t = m.muladd(scale, q, m.sub(scale, m.f64(1)));
  return m.copysign(m.mul(m.add(t, m.div(t, m.add(t, m.f64(1)))), m.f64(0.5)), x);
}

export function coshInDouble(x: Expr): Expr {
  const power = expInDouble(m.abs(x));
  return m.mul(m.add(power, m.div(m.f64(1), power)), m.f64(0.5));
}
