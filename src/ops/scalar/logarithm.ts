// log, log1p, their relatives and pow in machine ops. In: f32 expressions (f64 where it says so). Out: expressions without a branch or a
// table.
// Holds: −∞ at 0, NaN below, ∞ at ∞, NaN at NaN; subnormal arguments keep their accuracy.
// Method: x = 2ᵉ · (1 + f), a polynomial in f with 1 + f in [¾, 1½) (f32), or in f / (2 + f) with 1 + f in [√½, √2) (f64). The polynomials
// are minimax fits of this project.

import type { Expr } from '../../kernel/index.js';
import { expInDouble } from './exponential.js';
import * as m from './machine.js';

/** (log(1 + f) − f + f² / 2) / f³ for 1 + f in [¾, 1½]: leaves 4.1e-8 of log(1 + f). The first one is positive, so that ∞ stays ∞. */
const tailOfLog = [
  0.055597254648399715, -0.12114137259300986, 0.14904441381824715, -0.1678881753624903, 0.1998231969034442, -0.24996360638406734,
  0.33333470699448636,
];
/** (2 atanh s / s − 2) / s² in s² ≤ 0.0295: leaves 6e-14. */
const tailOfAtanh = [0.19587096603293871, 0.2217600132539785, 0.2857211318826936, 0.3999999558850159, 0.666666666758848];

const ln2High = 0.693145751953125;
const ln2Low = 1.428606765330187e-6;
/** Bits of ¾: what lies below belongs to the next smaller power of two. */
const threeQuarters = 0x3f400000;

/** n · ln 2 + log(1 + f); `n` as f32, a multiple of `unit`. */
function combine(n: Expr, unit: number, f: Expr): Expr {
  const curve = m.muladd(m.mul(f, f), m.horner(f, [...tailOfLog, -0.5]), m.mul(n, m.f32(ln2Low / unit)));
  // The big terms last: f and n · ln 2 (16 bits, exact).
  return m.muladd(n, m.f32(ln2High / unit), m.add(f, curve));
}

/** At 0 the exponent is −∞, at ∞ it is ∞, below 0 the mantissa is NaN: that decides the result. */
export function log(x: Expr): Expr {
  const fraction = m.mantissa(x);
  const whole = m.exponent(x);
  const one = m.f32(1);
  const n = m.select(m.lt(fraction, one), m.add(whole, one), whole);
  return combine(n, 1, m.sub(fraction, one));
}

export function log1p(x: Expr): Expr {
  const u = m.add(x, m.f32(1));
  // n in the place of the exponent, so that 2²³ is its unit.
  const bits = m.and(m.sub(m.bitcast('i32', u), m.i32(threeQuarters)), m.i32(0xff800000));
  // 2⁻ⁿ · (1 + x) − 1 with one rounding: what 1 + x lost is not lost here. At n = 128 the power is no normal number, so four times it is
  // used.
  const power = m.bitcast('f32', m.sub(m.i32(0x40800000), bits));
  const f = m.muladd(m.mul(x, m.f32(0.25)), power, m.muladd(power, m.f32(0.25), m.f32(-1)));
  // Where 1 + x is 1, x is its own logarithm, also if it is −0 or subnormal.
  const value = m.select(m.eq(u, m.f32(1)), x, combine(m.convert('f32', bits), 2 ** 23, f));
  // False for NaN, which the value is already.
  const edge = m.select(m.lt(u, m.f32(0)), m.f32(NaN), m.f32(-Infinity));
  return m.select(m.le(u, m.f32(0)), edge, value);
}

/** The logarithm of u = 2ᵉ · (1 + f), a positive finite f64 expression, to about 1e-13 of itself; `rest` gives f from 2⁻ᵉ. */
function logOf(u: Expr, rest: (scale: Expr) => Expr): Expr {
  // Bits of √½ in the upper half: below them the cut may lie anywhere.
  const e = m.sar(m.sub(m.bitcast('i64', u), m.literal('i64', 0x3fe6a09e_00000000)), m.literal('i64', 52));
  const f = rest(m.bitcast('f64', m.shl(m.sub(m.literal('i64', 1023), e), m.literal('i64', 52))));
  const s = m.div(f, m.add(f, m.f64(2)));
  const z = m.mul(s, s);
  const value = m.muladd(m.mul(s, z), m.horner(z, tailOfAtanh), m.add(s, s));
  const n = m.convert('f64', e);
  return m.muladd(n, m.f64(0.6931471805599453), m.muladd(n, m.f64(2.3190468138462996e-17), value));
}

const logInDouble = (x: Expr): Expr => logOf(x, (scale) => m.muladd(x, scale, m.f64(-1)));

/** log(1 + v) for v > −1. */
const log1pInDouble = (v: Expr): Expr => logOf(m.add(v, m.f64(1)), (scale) => m.muladd(v, scale, m.sub(scale, m.f64(1))));

/** Of an f64 expression that holds an f32 value: log(|x| + √(x² + 1)), without cancelling. */
export function asinhInDouble(x: Expr): Expr {
  const a = m.abs(x);
  const square = m.mul(a, a);
  const value = log1pInDouble(m.add(a, m.div(square, m.add(m.f64(1), m.sqrt(m.add(square, m.f64(1)))))));
  return m.copysign(m.select(m.lt(a, m.f64(1e39)), value, a), x);
}

/** log(x + √(x² − 1)). */
export function acoshInDouble(x: Expr): Expr {
  const v = m.sub(x, m.f64(1));
  const value = log1pInDouble(m.add(v, m.sqrt(m.mul(v, m.add(x, m.f64(1))))));
  const finite = m.select(m.lt(x, m.f64(1e39)), value, x);
  return m.select(m.ge(x, m.f64(1)), finite, m.f64(NaN));
}

/** log((1 + |x|) / (1 − |x|)) / 2. */
export function atanhInDouble(x: Expr): Expr {
  const a = m.abs(x);
  const value = m.mul(log1pInDouble(m.div(m.add(a, a), m.sub(m.f64(1), a))), m.f64(0.5));
  const edge = m.select(m.eq(a, m.f64(1)), m.f64(Infinity), m.f64(NaN));
  return m.copysign(m.select(m.lt(a, m.f64(1)), value, edge), x);
}

/** x to the power y as C's `powf`: e^(y · log |x|) in f64, then sign and special values. */
export function pow(x: Expr, y: Expr): Expr {
  const [one, infinity] = [m.f32(1), m.f32(Infinity)];
  const size = m.abs(x);
  const wide = m.convert('f64', size);
  const finite = m.and(m.gt(size, m.f32(0)), m.lt(size, infinity));
  const end = m.select(m.eq(size, m.f32(0)), m.f64(-Infinity), wide);
  const logarithm = m.select(finite, logInDouble(wide), end);
  const exponent = m.mul(m.convert('f64', y), logarithm);
  const power = m.convert('f32', expInDouble(exponent));
  const whole = m.eq(m.rint(y), y);
  const half = m.mul(y, m.f32(0.5));
  const odd = m.and(whole, m.ne(m.rint(half), half));
  const negative = m.lt(m.bitcast('i32', x), m.i32(0));
  const signed = m.select(m.and(negative, odd), m.neg(power), power);
  // A finite negative base has real powers for whole exponents only.
  const undefinedThere = m.and(m.and(m.lt(x, m.f32(0)), m.lt(size, infinity)), m.not(whole));
  const unit = m.or(m.or(m.eq(y, m.f32(0)), m.eq(x, one)), m.and(m.eq(size, one), m.eq(m.abs(y), infinity)));
  return m.select(unit, one, m.select(undefinedThere, m.f32(NaN), signed));
}
