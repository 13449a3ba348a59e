// asin, acos, atan and atan2 of f64 in machine ops. In: f64 expressions. Out: f64 expressions without a branch.
// Holds: NaN stays NaN and comes outside of the domain; signs of zeros count as in C. All are angles of points in the first quarter, whose
// coordinates are pairs: with c one of 0, ½ and 1, atan(n / d) = atan c + atan((n − c·d) / (d + c·n)), which leaves a quotient within
// ±0.237 for a polynomial that interpolates at Chebyshev's points (computed in 60 digits, for this project).

import type { Expr } from '../../../kernel/index.js';
import * as m from '../machine.js';
import { choose, fastTwoSum, negated, type Pair, pairOf, quotient, root, rounded, sum, twoProduct, twoSum } from './pair.js';

/** (atan t − t) / t³ in t² for |t| ≤ 0.236: leaves 2⁻⁵⁹ of t. */
const tail = [
  -0.03296587443896258, 0.04629868690783897, -0.05253528984354421, 0.058819120971567045, -0.06666653629307884, 0.07692307443906674,
  -0.09090909087952603, 0.11111111111090555, -0.14285714285714213, 0.2, -0.3333333333333333,
];
const none = pairOf([0, 0]);
const ofHalf = pairOf([0.4636476090008061, 2.2698777452961687e-17]);
const eighthTurn = pairOf([0.7853981633974483, 3.061616997868383e-17]);
const quarterTurn = pairOf([1.5707963267948966, 6.123233995736766e-17]);
const halfTurn = pairOf([3.141592653589793, 1.2246467991473532e-16]);
/** Between the ranges of 0, ½ and 1: where both leave the same. */
const [lowest, highest] = [0.2360679774997897, 0.7207592200561265];

/** Angle of (x, y), neither below 0, nor both 0, nor ∞, and the greater one between 2⁻⁹⁰⁰ and 2¹⁰²⁰. */
function angleOf(y: Pair, x: Pair): Pair {
  const steep = m.gt(y.high, x.high);
  const [n, d] = [choose(steep, x, y), choose(steep, y, x)];
  const flat = m.lt(n.high, m.mul(d.high, m.f64(lowest)));
  const middle = m.lt(n.high, m.mul(d.high, m.f64(highest)));
  const c = m.select(flat, m.f64(0), m.select(middle, m.f64(0.5), m.f64(1)));
  const start = choose(flat, none, choose(middle, ofHalf, eighthTurn));
  const times = (of: Pair): Pair => ({ high: m.mul(c, of.high), low: m.mul(c, of.low) });
  const t = quotient(sum(n, negated(times(d))), sum(d, times(n)));
  const z = m.mul(t.high, t.high);
  const curve = m.mul(m.mul(t.high, z), m.horner(z, tail));
  const near = twoSum(start.high, t.high);
  const angle = fastTwoSum(near.high, m.add(near.low, m.add(m.fma(m.neg(t.low), z, t.low), m.add(start.low, curve))));
  return choose(steep, sum(quarterTurn, negated(angle)), angle);
}

const plain = (high: Expr): Pair => ({ high, low: m.f64(0) });
const one = plain(m.f64(1));

/** Beyond this the angle is a quarter turn. */
const farthest = 1e300;

export const atan = (x: Expr): Expr => m.copysign(rounded(angleOf(plain(m.least(m.f64(farthest), m.abs(x))), one)), x);

/** First y, then x. */
export function atan2(y: Expr, x: Expr): Expr {
  const [height, width] = [m.abs(y), m.abs(x)];
  const infinite = (size: Expr): Expr => m.eq(size, m.f64(Infinity));
  const anyInfinite = m.or(infinite(height), infinite(width));
  // Of what is infinite the angle is that of ones and zeros.
  const side = (size: Expr): Expr => m.select(anyInfinite, m.select(infinite(size), m.f64(1), m.f64(0)), size);
  const greater = m.select(m.gt(height, width), height, width);
  const scale = m.select(
    m.gt(greater, m.f64(2 ** 1000)),
    m.f64(2 ** -30),
    m.select(m.lt(greater, m.f64(2 ** -800)), m.f64(2 ** 200), m.f64(1)),
  );
  const nothing = m.eq(greater, m.f64(0));
  const abscissa = m.select(nothing, m.f64(1), m.mul(side(width), scale));
  const angle = angleOf(plain(m.mul(side(height), scale)), plain(abscissa));
  const left = m.lt(m.bitcast('i64', x), m.literal('i64', 0));
  const value = m.copysign(rounded(choose(left, sum(halfTurn, negated(angle)), angle)), y);
  const sane = m.and(m.eq(x, x), m.eq(y, y));
  return m.select(sane, value, m.add(x, y));
}

/** √(1 − x²), NaN outside of [−1, 1]. */
function otherLeg(x: Expr): Pair {
  const square = twoProduct(x, x);
  const { high, low } = twoSum(m.f64(1), m.neg(square.high));
  return root(fastTwoSum(high, m.sub(low, square.low)));
}

const within = (x: Expr, value: Expr): Expr => m.select(m.le(m.abs(x), m.f64(1)), value, m.f64(NaN));

export const asin = (x: Expr): Expr => within(x, m.copysign(rounded(angleOf(plain(m.abs(x)), otherLeg(x))), x));

/** Between 0 and π: the angle of (x, √(1 − x²)). */
export function acos(x: Expr): Expr {
  const angle = angleOf(otherLeg(x), plain(m.abs(x)));
  return within(x, rounded(choose(m.lt(x, m.f64(0)), sum(halfTurn, negated(angle)), angle)));
}
