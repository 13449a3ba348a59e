// log, log1p, their relatives and pow in machine ops. In: f32 expressions (f64 where it says so). Out: expressions without a branch or a table.
// Holds: −∞ at 0, NaN below, ∞ at ∞, NaN at NaN; subnormal arguments keep their accuracy.
// Method: x = 2ᵉ · (1 + f) with 1 + f in [√½, √2], a polynomial in f (f32) or in f / (2 + f) (f64). The polynomials are minimax fits of this project.

import type { Expr } from '../../loop/index.js';
import { expInDouble } from './exponential.js';
import * as m from './machine.js';

/** (log(1 + f) − f + f² / 2) / f³ for 1 + f in [√½, √2]: leaves 9e-10 of log(1 + f). */
const tailOfLog = [0.06875854730606079, -0.1178526058793068, 0.1188870221376419, -0.12386087328195572, 0.14216651022434235, -0.1666908711194992, 0.20002326369285583, -0.24999991059303284, 0.3333330750465393];
/** (2 atanh s / s − 2) / s² in s² ≤ 0.0295: leaves 6e-14. */
const tailOfAtanh = [0.19587096603293871, 0.2217600132539785, 0.2857211318826936, 0.3999999558850159, 0.666666666758848];

const ln2High = 0.693145751953125;
const ln2Low = 1.428606765330187e-6;
// Bits of √½: what lies below belongs to the next smaller power of two.
const rootHalfSingle = 0x3f3504f3;

/** The exponent e of a positive normal f32 such that x / 2ᵉ is in [√½, √2), as i32. */
const exponentOf = (bits: Expr): Expr => m.sar(m.sub(bits, m.i32(rootHalfSingle)), m.i32(23));

/** e · ln 2 + log(1 + f); `e` as f32. */
function combine(e: Expr, f: Expr): Expr {
  const square = m.mul(f, f);
  const cubic = m.mul(m.mul(square, f), m.horner(f, tailOfLog));
  const small = m.fma(e, m.f32(ln2Low), cubic);
  // The big terms last: f − f² / 2 and e · ln 2 (16 bits, exact).
  return m.fma(e, m.f32(ln2High), m.add(f, m.fma(square, m.f32(-0.5), small)));
}

export function log(x: Expr): Expr {
  const tiny = m.lt(x, m.f32(1.1754943508222875e-38));
  const bits = m.bitcast('i32', m.select(tiny, m.mul(x, m.f32(8388608)), x));
  const e = exponentOf(bits);
  const f = m.sub(m.bitcast('f32', m.sub(bits, m.shl(e, m.i32(23)))), m.f32(1));
  const value = combine(m.sub(m.convert('f32', e), m.select(tiny, m.f32(23), m.f32(0))), f);
  return logEdges(x, value);
}

/** What the logarithm is outside of the positive numbers, and at ∞. */
function logEdges(x: Expr, value: Expr): Expr {
  const finite = m.select(m.lt(x, m.f32(Infinity)), value, x);
  // x is NaN here when the comparison is unordered: ∞ and NaN are their own logarithms.
  return m.select(m.gt(x, m.f32(0)), finite, m.select(m.eq(x, m.f32(0)), m.f32(-Infinity), m.f32(NaN)));
}

export function log1p(x: Expr): Expr {
  const u = m.add(x, m.f32(1));
  const e = exponentOf(m.bitcast('i32', u));
  // 2⁻ᵉ · (1 + x) − 1 with one rounding: what 1 + x lost is not lost here. At e = 128 the power is no normal number, so four times it is used.
  const scale = m.bitcast('f32', m.shl(m.sub(m.i32(129), e), m.i32(23)));
  const f = m.fma(m.mul(x, m.f32(0.25)), scale, m.fma(scale, m.f32(0.25), m.f32(-1)));
  const value = combine(m.convert('f32', e), f);
  // Where 1 + x is 1 the polynomial gives x back, but for −0.
  return m.select(m.eq(u, m.f32(1)), x, logEdges(u, value));
}

/** The logarithm of u = 2ᵉ · (1 + f), a positive finite f64 expression, to about 1e-13 of itself; `rest` gives f from 2⁻ᵉ. */
function logOf(u: Expr, rest: (scale: Expr) => Expr): Expr {
  // Bits of √½ in the upper half: below them the cut may lie anywhere.
  const e = m.sar(m.sub(m.bitcast('i64', u), m.literal('i64', 0x3fe6a09e_00000000)), m.literal('i64', 52));
  const f = rest(m.bitcast('f64', m.shl(m.sub(m.literal('i64', 1023), e), m.literal('i64', 52))));
  const s = m.div(f, m.add(f, m.f64(2)));
  const z = m.mul(s, s);
  const value = m.fma(m.mul(s, z), m.horner(z, tailOfAtanh), m.add(s, s));
  const n = m.convert('f64', e);
  return m.fma(n, m.f64(0.6931471805599453), m.fma(n, m.f64(2.3190468138462996e-17), value));
}

const logInDouble = (x: Expr): Expr => logOf(x, (scale) => m.fma(x, scale, m.f64(-1)));

/** log(1 + v) for v > −1. */
const log1pInDouble = (v: Expr): Expr => logOf(m.add(v, m.f64(1)), (scale) => m.fma(v, scale, m.sub(scale, m.f64(1))));

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
