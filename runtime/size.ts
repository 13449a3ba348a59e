// Sizes at run time: polynomials over an entry's free sizes. In: sizes of the manifest, values. Out: values, text, the one unknown that
// makes an equation true.
// Holds: coefficients and values are integers below 2⁵³; a solution is only returned when it is the only one that is not negative.
import type { Size } from './abi/manifest.js';

export type Sizes = ReadonlyMap<string, number>;

type Term = readonly [coefficient: number, names: readonly string[]];

const termsOf = (size: Size): readonly Term[] => (typeof size === 'number' ? [[size, []]] : size);

/** The value, or undefined when a name has none yet. */
export function evaluate(size: Size, sizes: Sizes): number | undefined {
  if (typeof size === 'number') return size;
  let sum = 0;
  for (const [coefficient, names] of size) {
    let product = coefficient;
    for (const name of names) {
      const value = sizes.get(name);
      if (value === undefined) return undefined;
      product *= value;
    }
    sum += product;
  }
  return sum;
}

/** As a programmer writes it: `B`, `2*B + 1`, `H*W`. */
export function sizeToString(size: Size): string {
  const terms = termsOf(size).filter(([coefficient]) => coefficient !== 0);
  if (terms.length === 0) return '0';
  return terms
    .map(([coefficient, names], at) => {
      const magnitude = Math.abs(coefficient);
      const factors = [...(magnitude === 1 && names.length > 0 ? [] : [`${magnitude}`]), ...names].join('*');
      const sign = coefficient < 0 ? (at === 0 ? '-' : ' - ') : at === 0 ? '' : ' + ';
      return sign + factors;
    })
    .join('');
}

export const specToString = (dtype: string, shape: readonly Size[]): string =>
  shape.length === 0 ? dtype : `${dtype}[${shape.map(sizeToString).join(', ')}]`;

export function product(shape: readonly Size[]): Size {
  let result: readonly Term[] = [[1, []]];
  for (const size of shape) result = result.flatMap(([a, names]) => termsOf(size).map(([b, more]): Term => [a * b, [...names, ...more]]));
  return result;
}

/** The name of the only free size of `size` without a value; 'none' and 'several' otherwise. */
export function unknownOf(
  size: Size,
  sizes: Sizes,
): { readonly kind: 'none' } | { readonly kind: 'several' } | { readonly kind: 'one'; readonly name: string } {
  let found: string | undefined;
  for (const [, names] of termsOf(size)) {
    for (const name of names) {
      if (sizes.has(name) || name === found) continue;
      if (found !== undefined) return { kind: 'several' };
      found = name;
    }
  }
  return found === undefined ? { kind: 'none' } : { kind: 'one', name: found };
}

/**
 * The value of `name` with which `size` equals `value`, where every other name has a value. Undefined when no such integer exists that is
 * not negative, or several do, or when it cannot be found: polynomials of degree 2 and more are solved where they do not fall (no negative
 * coefficient but the constant), or by the quadratic formula.
 */
export function solveFor(name: string, size: Size, value: number, sizes: Sizes): number | undefined {
  const coefficients: number[] = [];
  for (const [coefficient, names] of termsOf(size)) {
    let factor = coefficient;
    let degree = 0;
    for (const other of names) {
      if (other === name) degree += 1;
      else factor *= sizes.get(other) ?? 0;
    }
    while (coefficients.length <= degree) coefficients.push(0);
    coefficients[degree] = (coefficients[degree] ?? 0) + factor;
  }
  coefficients[0] = (coefficients[0] ?? 0) - value;
  while (coefficients.length > 0 && coefficients.at(-1) === 0) coefficients.pop();
  const at = (x: number): number => coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
  // Nothing left: every value would do.
  if (coefficients.length <= 1) return undefined;
  const [constant = 0, linear = 0, quadratic = 0] = coefficients;
  if (coefficients.length === 2) return wholeRoots([-constant / linear], at);
  if (coefficients.slice(1).every((coefficient) => coefficient >= 0)) return wholeRoots([risingRoot(at)], at);
  if (coefficients.length > 3) return undefined;
  const root = Math.sqrt(linear * linear - 4 * quadratic * constant);
  return wholeRoots([(-linear + root) / (2 * quadratic), (-linear - root) / (2 * quadratic)], at);
}

/** The only whole number beside these estimates at which the polynomial vanishes. */
function wholeRoots(estimates: readonly number[], at: (x: number) => number): number | undefined {
  const roots = new Set<number>();
  for (const estimate of estimates) {
    if (!Number.isFinite(estimate)) continue;
    for (const candidate of [Math.floor(estimate), Math.ceil(estimate)]) {
      if (candidate >= 0 && Number.isSafeInteger(candidate) && at(candidate) === 0) roots.add(candidate);
    }
  }
  const [only] = roots;
  // -0 is a root like 0.
  return roots.size === 1 && only !== undefined ? only + 0 : undefined;
}

/** Bisection for a polynomial that does not fall for x ≥ 0. */
function risingRoot(at: (x: number) => number): number {
  let low = 0;
  let high = 1;
  while (at(high) < 0 && high < 2 ** 52) high *= 2;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (at(middle) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
