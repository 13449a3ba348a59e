// Arguments of sin, cos and tan in quarter turns. In: |x| as an f64 expression. Out: the quarter, and what is left in radians, as a pair
// within ±π/4.
// Holds: the rest is accurate to about 2⁻⁹⁰ of itself for every finite f64; ∞ gives NaN. No integers: what only large arguments need stays
// behind its branch.

import type { Expr } from '../../../kernel/index.js';
import * as m from '../machine.js';
import { fastTwoSum, increased, type Pair, pairOf, product, twoProduct, twoSum } from './pair.js';

export interface Reduced {
  /** Quarter turns that were taken away, as one of −2, −1, 0, 1, 2. */
  readonly quarter: Expr;
  readonly rest: Pair;
}

/** Arguments below this take the short way; it counts fewer than 2²⁰ quarters. */
const quick = 2 ** 20;
/** False for what is large, infinite or NaN. */
export const isLarge = (size: Expr): Expr => m.not(m.lt(size, m.f64(quick)));

/** π / 2 in parts of 53 bits. */
const quarterParts = [1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33] as const;
const quartersPerRadian = 0.6366197723675814;
const fullTurn = pairOf([6.283185307179586, 2.4492935982947064e-16]);

/** Of a whole number. */
const ofFour = (count: Expr): Expr => m.fma(m.f64(-4), m.rint(m.mul(count, m.f64(0.25))), count);

/**
 * Cody and Waite's reduction: the first product is taken away without error, because the rest has no more than 53 bits; of the second one
 * the rounding error is kept.
 */
export function reduceQuickly(size: Expr): Reduced {
  const count = m.rint(m.mul(size, m.f64(quartersPerRadian)));
  const minus = m.neg(count);
  const near = m.fma(minus, m.f64(quarterParts[0]), size);
  const second = twoProduct(minus, m.f64(quarterParts[1]));
  const { high, low } = twoSum(near, second.high);
  const lower = m.fma(minus, m.f64(quarterParts[2]), m.add(low, second.low));
  return { quarter: ofFour(count), rest: fastTwoSum(high, lower) };
}

/** 1 / 2π in parts of 53 bits, each times 2⁵³ more than the one before: all are multiples of 2⁻⁵⁵ below ¼. */
const turnParts = [
  0.15915494309189532, 0.16137511905850366, 0.20650868755418228, 0.15442574216266597, 0.057365115518702436, 0.07115346965193736,
  0.001534636744157658, 0.1415097852788896, 0.04067705434913721, 0.16195453055052014, 0.18809058505417375, 0.19620938236257943,
  0.07205304461146472, 0.07857608708945893, 0.1263657209810315, 0.08868532493839049, 0.12383711029763525, 0.22732515375809936,
  0.17756889638978596, 0.24291083982756922, 0.16128991024736725, 0.09594384918834109, 0.19928644777130963,
];
const width = 53;
/** Parts that are used: what comes behind them is below 2⁻¹⁵⁰ turns. */
const window = 5;
/** What lies before the window gives whole turns, as long as |x| keeps so many bits in front of it. */
const margin = 54;

/** |x| · 2^−53k below 2¹⁰⁷, and the parts of 1 / 2π from number k on: k in binary digits, the greatest first. */
function align(size: Expr): { readonly scaled: Expr; readonly parts: readonly Expr[] } {
  let scaled = size;
  let parts: readonly (Expr | undefined)[] = turnParts.map((part) => m.f64(part));
  for (let step = 16; step >= 1; step /= 2) {
    const far = m.ge(scaled, m.f64(2 ** (width * step + margin)));
    scaled = m.mul(scaled, m.select(far, m.f64(2 ** (-width * step)), m.f64(1)));
    parts = Array.from({ length: window + step - 1 }, (_, at) => {
      const [there, here] = [parts[at + step], parts[at]];
      return there === undefined || here === undefined ? (here ?? there) : m.select(far, there, here);
    });
  }
  return { scaled, parts: parts.map((part) => part ?? m.f64(0)) };
}

/**
 * Payne and Hanek's reduction in floats: of 1 / 2π only the digits that matter are multiplied, products are exact, whole turns are taken
 * away from each, and so is the nearest quarter from the first; every sum that still cancels is exact then.
 */
export function reduceFar(size: Expr): Reduced {
  const { scaled, parts } = align(size);
  const fractions: Expr[] = [];
  let factor = scaled;
  for (const [at, part] of parts.entries()) {
    const { high, low } = twoProduct(factor, part);
    // Beyond the third part there is not half a turn.
    const fraction = (turns: Expr): Expr => (at < 3 ? m.sub(turns, m.rint(turns)) : turns);
    fractions.push(fraction(high));
    if (at < window - 1) fractions.push(fraction(low));
    factor = m.mul(factor, m.f64(2 ** -width));
  }
  const rough = fractions.reduce((total, fraction) => m.add(total, fraction));
  const count = m.rint(m.mul(rough, m.f64(4)));
  const [first, ...others] = fractions as [Expr, ...Expr[]];
  const start: Pair = { high: m.fma(count, m.f64(-0.25), first), low: m.f64(0) };
  const turns = others.reduce<Pair>(increased, start);
  return { quarter: ofFour(count), rest: product(turns, fullTurn) };
}
