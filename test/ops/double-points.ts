// Where functions of f64 are tried. In: names of functions. Out: compiled expansions; points over all exponents, where functions are busy,
// and near the places where a method could fail.
// Holds: the same points in every run.

import { build, machineOps } from '../../src/kernel/index.js';
import { libmExpansions, type LibmName } from '../../src/ops/index.js';
import { compile } from './machine.js';
import { references } from './reference.js';

export type Name = keyof typeof references;
export const names = Object.keys(references) as Name[];
export const compiled = (name: Name | 'fmod') => {
  const libm: LibmName = `libm_${name}`;
  const params = ['x', 'y'].slice(0, machineOps[libm].arity);
  return compile(libmExpansions[libm](...params.map((param) => build.name(param, 'f64'))), params) as (x: number, y?: number) => number;
};

const double = new Float64Array(1);
const pattern = new BigInt64Array(double.buffer);
/** The double so many steps away from 0. */
export function beside(x: number, steps: number): number {
  double[0] = x;
  pattern[0] = (pattern[0] as bigint) + BigInt(steps);
  return double[0];
}

let state = 2463534242;
/** A fixed walk: 32 bits. */
export function next(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
}
export const uniform = (low: number, high: number): number => low + ((next() + next() / 2 ** 32) / 2 ** 32) * (high - low);
/** Any finite double, all exponents alike. */
export function anything(): number {
  for (;;) {
    pattern[0] = (BigInt(next()) << 32n) | BigInt(next());
    if (Number.isFinite(double[0])) return double[0] as number;
  }
}

/** Intervals where a function is busy, and places with neighbours that count. */
interface Hard {
  readonly intervals: readonly (readonly [number, number])[];
  readonly places: readonly number[];
}

const quarterTurns = (): number[] => {
  const found = [6381956970095103 * 2 ** 797, 2 ** 20, 2 ** 1023, Number.MAX_VALUE];
  for (let count = 1; count < 2 ** 40; count = Math.ceil(count * 1.2)) found.push((count * Math.PI) / 2);
  return found;
};
const halves = [-3, -2, -1, 1, 2, 3, 100, 1000].map((n) => (n + 0.5) * Math.LN2);
const circular: Hard = {
  intervals: [
    [-4, 4],
    [-1e5, 1e5],
    [-1e7, 1e7],
    [-1e15, 1e15],
  ],
  places: quarterTurns(),
};
const borders = [0.2360679774997897, 0.7207592200561265, 1, 1 / 0.2360679774997897, 1 / 0.7207592200561265];
const hard: Readonly<Record<Name, Hard>> = {
  exp: {
    intervals: [
      [-1, 1],
      [-746, 710],
      [-745.2, -708],
    ],
    places: [709.782712893384, -745.1332191019411, -708.3964185322641, ...halves],
  },
  expm1: {
    intervals: [
      [-1, 1],
      [-40, 5],
      [0, 710],
    ],
    places: [709.782712893384, -37.42994775023705, 2 ** -60, ...halves],
  },
  log: {
    intervals: [
      [0.5, 2],
      [0.999, 1.001],
      [0, 1e5],
    ],
    places: [1, Math.SQRT2, Math.SQRT1_2, 2 ** -1022, Number.MIN_VALUE, 2 ** 1023],
  },
  log1p: {
    intervals: [
      [-0.5, 1],
      [-1, 0],
      [-0.001, 0.001],
      [0, 1e17],
    ],
    places: [-1, -0.2928932188134524, 0.4142135623730951, 2 ** -56, 2 ** 53],
  },
  sin: circular,
  cos: circular,
  tan: circular,
  asin: {
    intervals: [
      [-1, 1],
      [0.99, 1],
    ],
    places: [1, 0.5, -1, Math.SQRT1_2, 0.23, 0.97],
  },
  acos: {
    intervals: [
      [-1, 1],
      [0.99, 1],
      [-1, -0.99],
    ],
    places: [1, 0.5, -1, Math.SQRT1_2, 0.23, 0.97],
  },
  atan: {
    intervals: [
      [-1, 1],
      [-5, 5],
      [0, 1e5],
    ],
    places: [...borders, 1e300],
  },
  atan2: {
    intervals: [
      [-1, 1],
      [-5, 5],
      [0, 1e5],
    ],
    places: [...borders, 2 ** 1000, 2 ** -800, -1],
  },
  sinh: {
    intervals: [
      [-1, 1],
      [-42, 42],
      [-711, 711],
    ],
    places: [40, 2 ** -30, 710.4758600739439, ...halves],
  },
  cosh: {
    intervals: [
      [-1, 1],
      [-42, 42],
      [-711, 711],
    ],
    places: [40, 710.4758600739439, ...halves],
  },
  tanh: {
    intervals: [
      [-1, 1],
      [-20, 20],
    ],
    places: [20, 19.06, 2 ** -30, Math.LN2 / 4, (3 * Math.LN2) / 4],
  },
  asinh: {
    intervals: [
      [-1, 1],
      [-10, 10],
      [0, 1e10],
    ],
    places: [2 ** 60, 2 ** -56, 0.3535533905932738, 0.75],
  },
  acosh: {
    intervals: [
      [1, 1.1],
      [1, 10],
      [1, 1e10],
    ],
    places: [1, 2, 2 ** 60, 1.0606601717798212],
  },
  atanh: {
    intervals: [
      [-1, 1],
      [-0.2, 0.2],
      [0.999, 1],
    ],
    places: [1 - 2 ** -53, 2 ** -56, 0.17157287525380996, 0.3333333333333333],
  },
  erf: {
    intervals: [
      [-1, 1],
      [0.8, 1.2],
      [-6.5, 6.5],
    ],
    places: [0.89, 6, 2.5, 5.9],
  },
  pow: {
    intervals: [
      [0, 2],
      [0.99, 1.01],
      [-30, 30],
      [0, 1000],
    ],
    places: [1, 2, 10, 0.5, Math.SQRT2],
  },
};

export function* pointsOf(name: Name, count: number): Generator<readonly [number, number]> {
  const { intervals, places } = hard[name];
  const isBinary = references[name].length > 1;
  for (let at = 0; at < count; at++) yield [anything(), anything()];
  for (const [low, high] of intervals) for (let at = 0; at < count / intervals.length; at++) yield [uniform(low, high), uniform(low, high)];
  const around = places.flatMap((place) => [-3, -2, -1, 0, 1, 2, 3].map((steps) => beside(place, steps)));
  for (const x of around) for (const y of isBinary ? around : [0]) yield [x, y];
  if (name !== 'pow') return;
  // Powers that just stay within the range, and bases next to 1 with large exponents.
  for (let at = 0; at < count; at++) {
    const base = at % 2 === 0 ? Math.abs(anything()) : 1 + uniform(-1, 1) * 2 ** -(at % 50);
    if (base > 0 && base !== 1) yield [base, uniform(-746, 710) / Math.log(base)];
  }
}
