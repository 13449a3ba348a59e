// sin, cos, tan and their inverses in machine ops. In: f32 expressions (f64 where it says so). Out: expressions without a table; what only
// large arguments need is marked `rarely`.
// Holds: accurate for every finite f32, however large; ±∞ gives NaN.
// Reduction of moderate arguments: x − n · π / 2 with π / 2 in parts (Cody and Waite). Of large ones: the turns |x| / 2π modulo 1 are
// wanted to 2⁻⁵⁷, for no f32 comes closer than about 2⁻³² turns to a multiple of a quarter. 1 / 2π is cut into parts of at most 29 bits, so
// that a 24-bit |x| times a part is exact in f64, and so is taking its nearest integer away; the last part has 53 bits and lies below
// 2⁻¹⁴⁵, which reaches far enough for 2¹²⁸. The same few multiplications serve all sizes of x: no table, no branch (Payne and Hanek's idea,
// in lanes).

import type { Expr } from '../../kernel/index.js';
import * as m from './machine.js';

const turnParts = [
  0.15915494225919247, 8.327028684640414e-10, 5.69002511952534e-19, 6.317065083361892e-27, 5.595982707708916e-36, 6.551007954373285e-45,
];

/** π / 2. */
const quarterTurn = 1.5707963267948966;

/** (sin r / r − 1) / r² and (cos r − 1 + r² / 2) / r⁴ in r² for |r| ≤ π / 4; they leave 3.6e-9 and 9.6e-11. */
const sineTail = [-0.0001951665580832209, 0.008332173543161526, -0.1666665487347715];
const cosineTail = [2.4437730095694025e-5, -0.0013887361450182142, 0.041666646747776266];
/** The same in f64. */
const sineTailDouble = [2.7182361640000004e-6, -1.983932710259896e-4, 0.008333329362721235, -0.16666666641441377];
const cosineTailDouble = [-2.7209552238189763e-7, 2.479951182042824e-5, -0.0013888883722841057, 0.041666666622479503];
/** (atan t / t − 1) / t² in t² for |t| ≤ tan(π / 8): leaves 2.7e-14. */
const arcTail = [
  0.030881163539933785, -0.05890194928203303, 0.07568318007183383, -0.09079108185035821, 0.11110447854698324, -0.14285693514363604,
  0.19999999684152542, -0.3333333333168836,
];

interface Reduced {
  /** Nearest number of quarter turns in |x|, as i32 (its two low bits matter). */
  readonly quarters: Expr;
  /** The rest of |x| in radians, within ±π/4, as f64. */
  readonly rest: Expr;
}

function reduce(x: Expr): Reduced {
  const size = m.convert('f64', m.abs(x));
  const fractions = turnParts.map((part, at) => {
    const turns = m.mul(size, m.f64(part));
    // The last part never reaches half a turn.
    return at === turnParts.length - 1 ? turns : m.sub(turns, m.rint(turns));
  });
  const rough = fractions.slice(1).reduce((sum, fraction) => m.add(sum, fraction), fractions[0] as Expr);
  const count = m.rint(m.mul(rough, m.f64(4)));
  // Again from the largest part down, with the quarters gone first: every sum that still cancels is exact.
  const first = m.fma(count, m.f64(-0.25), fractions[0] as Expr);
  const turns = fractions.slice(1).reduce((sum, fraction) => m.add(sum, fraction), first);
  return { quarters: m.convert('i32', count), rest: m.mul(turns, m.f64(6.283185307179586)) };
}

/** Below this the quick reduction serves. */
const quickSingle = 65536;
const quickDouble = 2 ** 20;
/** π / 2 in parts of 24 bits. As fma rounds once, taking a whole multiple of the first one away from x is exact. */
const quarterParts = [1.5707963705062866, -4.371138828673793e-8, -1.7151245100058819e-15];
/** π / 2 in parts of 53 bits. */
const quarterPartsDouble = [1.5707963267948966, 6.123233995736766e-17];
const roundingSingle = 12582912;
const roundingDouble = 6755399441055744;

/** Cody and Waite's reduction of a moderate |x|. */
function reduceQuickly(x: Expr): { readonly quarters: Expr; readonly r: Expr } {
  const size = m.abs(x);
  const shifted = m.fma(size, m.f32(1 / quarterTurn), m.f32(roundingSingle));
  const count = m.sub(shifted, m.f32(roundingSingle));
  return { quarters: m.bitcast('i32', shifted), r: quarterParts.reduce<Expr>((rest, part) => m.fma(count, m.f32(-part), rest), size) };
}

/** False for what is large, infinite or NaN. */
const isLarge = (x: Expr): Expr => m.not(m.lt(m.abs(x), m.f32(quickSingle)));

/** Sine and cosine of |r| ≤ π/4 as f32. */
const sineOf = (r: Expr, square: Expr): Expr => m.muladd(m.mul(r, square), m.horner(square, sineTail), r);
const cosineOf = (square: Expr): Expr => m.horner(square, [...cosineTail, -0.5, 1]);

const isOdd = (quarters: Expr): Expr => m.ne(m.and(quarters, m.i32(1)), m.i32(0));

/** Flips the sign of `value` by bit 1 of `quarters`, and by the sign bit of `other`. */
function flip(value: Expr, quarters: Expr, other?: Expr): Expr {
  const turn = m.and(m.shl(quarters, m.i32(30)), m.i32(-2147483648));
  const bits = m.xor(m.bitcast('i32', value), turn);
  return m.bitcast('f32', other === undefined ? bits : m.xor(bits, m.and(m.bitcast('i32', other), m.i32(-2147483648))));
}

function sineAfter(quarters: Expr, r: Expr, sign: Expr): Expr {
  const square = m.mul(r, r);
  return flip(m.select(isOdd(quarters), cosineOf(square), sineOf(r, square)), quarters, sign);
}

function cosineAfter(quarters: Expr, r: Expr): Expr {
  const square = m.mul(r, r);
  return flip(m.select(isOdd(quarters), sineOf(r, square), cosineOf(square)), m.add(quarters, m.i32(1)));
}

export function sin(x: Expr): Expr {
  const [quick, large] = [reduceQuickly(x), reduce(x)];
  return m.unlikely(isLarge(x), sineAfter(large.quarters, m.convert('f32', large.rest), x), sineAfter(quick.quarters, quick.r, x));
}

export function cos(x: Expr): Expr {
  const [quick, large] = [reduceQuickly(x), reduce(x)];
  return m.unlikely(isLarge(x), cosineAfter(large.quarters, m.convert('f32', large.rest)), cosineAfter(quick.quarters, quick.r));
}

/** sin / cos of f64 |rest| ≤ π/4, or −cos / sin after an odd number of quarters. */
function tangentAfter(odd: Expr, rest: Expr): Expr {
  const square = m.mul(rest, rest);
  const sine = m.muladd(m.mul(rest, square), m.horner(square, sineTailDouble), rest);
  const cosine = m.muladd(m.mul(square, square), m.horner(square, cosineTailDouble), m.muladd(square, m.f64(-0.5), m.f64(1)));
  return m.div(m.select(odd, m.neg(cosine), sine), m.select(odd, sine, cosine));
}

/** In f64, of |x|; the sign comes back at the end. */
export function tan(x: Expr): Expr {
  const size = m.convert('f64', m.abs(x));
  const shifted = m.fma(size, m.f64(1 / quarterTurn), m.f64(roundingDouble));
  const count = m.sub(shifted, m.f64(roundingDouble));
  const rest = quarterPartsDouble.reduce<Expr>((left, part) => m.fma(count, m.f64(-part), left), size);
  const odd = m.ne(m.and(m.bitcast('i64', shifted), m.literal('i64', 1)), m.literal('i64', 0));
  const large = reduce(x);
  const value = m.unlikely(m.not(m.lt(size, m.f64(quickDouble))), tangentAfter(isOdd(large.quarters), large.rest), tangentAfter(odd, rest));
  return m.bitcast('f32', m.xor(m.bitcast('i32', m.convert('f32', value)), m.and(m.bitcast('i32', x), m.i32(-2147483648))));
}

/** Angle of (x ≥ 0, y ≥ 0) in the first quarter, from f64 expressions; neither is both 0 nor ∞ in both. */
function firstQuarter(y: Expr, x: Expr): Expr {
  const low = m.le(y, m.mul(x, m.f64(0.41421356237309503)));
  const high = m.gt(y, m.mul(x, m.f64(2.414213562373095)));
  // atan t, π/4 + atan((t − 1) / (t + 1)) or π/2 − atan(1 / t), with t = y / x: one division serves all.
  const above = m.select(low, y, m.select(high, m.neg(x), m.sub(y, x)));
  const below = m.select(low, x, m.select(high, y, m.add(y, x)));
  const t = m.div(above, below);
  const z = m.mul(t, t);
  const angle = m.muladd(m.mul(t, z), m.horner(z, arcTail), t);
  const start = m.select(low, m.f64(0), m.select(high, m.f64(quarterTurn), m.f64(quarterTurn / 2)));
  return m.add(start, angle);
}

/** Magnitude, with ∞ so large and 0 so small that quotients of f32 values still come out right. */
const bounded = (x: Expr): Expr => m.least(m.f64(1e300), m.abs(x));

export const atanInDouble = (x: Expr): Expr => m.copysign(firstQuarter(bounded(x), m.f64(1)), x);

/** Of two f64 expressions that hold f32 values: first y, then x, both with their signs (also of zeros). */
export function atan2InDouble(y: Expr, x: Expr): Expr {
  const angle = firstQuarter(bounded(y), m.most(m.f64(1e-300), bounded(x)));
  const left = m.lt(m.bitcast('i64', x), m.literal('i64', 0));
  return m.copysign(m.select(left, m.sub(m.f64(2 * quarterTurn), angle), angle), y);
}

/** √((1 − x)(1 + x)), NaN outside of [−1, 1]. */
const otherLeg = (x: Expr): Expr => m.sqrt(m.mul(m.sub(m.f64(1), x), m.add(m.f64(1), x)));

export const asinInDouble = (x: Expr): Expr => m.copysign(firstQuarter(m.abs(x), otherLeg(x)), x);

/** Between 0 and π: the angle of (x, √(1 − x²)). */
export function acosInDouble(x: Expr): Expr {
  const angle = firstQuarter(otherLeg(x), m.abs(x));
  return m.select(m.lt(x, m.f64(0)), m.sub(m.f64(2 * quarterTurn), angle), angle);
}
