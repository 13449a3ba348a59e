// The f64 functions for machines without libm keep their stated error: at random over all exponents, near the places where a method could
// fail, and at special values.

import { describe, expect, it } from 'vitest';
import { build, machineOps } from '../../src/kernel/index.js';
import { libmExpansions, type LibmName, scalarTable } from '../../src/ops/index.js';
import { compile } from './machine.js';
import { digitsInCommon, references, ulpsFrom, wideOf, wideOfText } from './reference.js';

type Name = keyof typeof references;
const names = Object.keys(references) as Name[];
const compiled = (name: Name | 'fmod') => {
  const libm: LibmName = `libm_${name}`;
  const params = ['x', 'y'].slice(0, machineOps[libm].arity);
  return compile(libmExpansions[libm](...params.map((param) => build.name(param, 'f64'))), params) as (x: number, y?: number) => number;
};

/** What is claimed, in units in the last place. */
const bounds: Readonly<Record<Name, number>> = {
  exp: 1,
  expm1: 1,
  log: 1,
  log1p: 1,
  sin: 1,
  cos: 1,
  tan: 1,
  asin: 1,
  acos: 1,
  atan: 1,
  atan2: 1,
  sinh: 1,
  cosh: 1,
  tanh: 1,
  asinh: 1,
  acosh: 1,
  atanh: 1,
  erf: 1.2,
  pow: 1,
};

const double = new Float64Array(1);
const pattern = new BigInt64Array(double.buffer);
/** The double so many steps away from 0. */
function beside(x: number, steps: number): number {
  double[0] = x;
  pattern[0] = (pattern[0] as bigint) + BigInt(steps);
  return double[0];
}

let state = 2463534242;
/** A fixed walk: 32 bits. */
function next(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
}
const uniform = (low: number, high: number): number => low + ((next() + next() / 2 ** 32) / 2 ** 32) * (high - low);
/** Any finite double, all exponents alike. */
function anything(): number {
  for (;;) {
    pattern[0] = (BigInt(next()) << 32n) | BigInt(next());
    if (Number.isFinite(double[0])) return double[0] as number;
  }
}

/** Results never leave it, however they are rounded. */
const range: Partial<Record<Name, readonly [number, number]>> = {
  sin: [-1, 1],
  cos: [-1, 1],
  tanh: [-1, 1],
  erf: [-1, 1],
  asin: [-Math.PI / 2, Math.PI / 2],
  acos: [0, Math.PI],
  atan: [-Math.PI / 2, Math.PI / 2],
  atan2: [-Math.PI, Math.PI],
  expm1: [-1, Infinity],
  cosh: [1, Infinity],
};

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

/** Whether the reference is defined, and the result no special value. */
const domain: Partial<Record<Name, (x: number, y: number) => boolean>> = {
  log: (x) => x > 0,
  log1p: (x) => x > -1,
  asin: (x) => Math.abs(x) <= 1,
  acos: (x) => Math.abs(x) <= 1,
  acosh: (x) => x >= 1,
  atanh: (x) => Math.abs(x) < 1,
  pow: (x) => x > 0,
};

function* pointsOf(name: Name, count: number): Generator<readonly [number, number]> {
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

// Denser on demand: TFC_LONG=1.
const count = process.env['TFC_LONG'] === '1' ? 20_000 : 1500;

describe('f64 functions without libm', () => {
  it.each(names)('%s keeps its bound', (name) => {
    const run = compiled(name);
    let worst = { ulps: 0, at: [0, 0] as readonly number[] };
    for (const point of pointsOf(name, count)) {
      if (domain[name]?.(...point) === false || !point.every(Number.isFinite)) continue;
      const got = run(...point);
      const [low, high] = range[name] ?? [-Infinity, Infinity];
      if (!(got >= low && got <= high)) expect.fail(`${name}(${point.join(', ')}) is ${got}`);
      const exact = references[name](...(point.map(wideOf) as [ReturnType<typeof wideOf>, ReturnType<typeof wideOf>]));
      const ulps = ulpsFrom(got, exact);
      if (ulps > worst.ulps) worst = { ulps, at: point };
    }
    if (process.env['TFC_ULP']) console.log(name, worst.ulps.toFixed(3), worst.at.join());
    expect(worst.ulps, `${name}(${worst.at.join(', ')})`).toBeLessThanOrEqual(bounds[name]);
  });
});

const specials = [
  0,
  0.5,
  1,
  1.5,
  2,
  3,
  10,
  709,
  1024,
  2 ** 53,
  2 ** 53 - 1,
  1e300,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  2 ** -1022,
  1e-20,
  Infinity,
].flatMap((x) => [x, -x]);
const edges = [...specials, NaN];
/** −0, −1, infinities and NaN are what they are; everything else was compared above. */
const isSpecial = (x: number): boolean => !Number.isFinite(x) || x === 0;

describe('special values', () => {
  it.each(names.filter((name) => references[name].length === 1))('of %s', (name) => {
    const run = compiled(name);
    const meaning = (x: number): number => scalarTable[name].evaluate(x);
    for (const x of edges) {
      const expected = meaning(x);
      if (isSpecial(expected) || isSpecial(x)) expect(run(x), `${name}(${x})`).toBe(expected);
    }
  });

  it.each(['pow', 'atan2'] as const)('of %s', (name) => {
    const run = compiled(name);
    for (const x of edges) {
      for (const y of edges) {
        const expected = scalarTable[name].evaluate(x, y);
        if (isSpecial(expected) || isSpecial(x) || isSpecial(y)) expect(run(x, y), `${name}(${x}, ${y})`).toBe(expected);
      }
    }
  });
});

describe('exact results', () => {
  it('powers are exact where they can be', () => {
    const pow = compiled('pow');
    for (let n = -1074; n < 1024; n++) expect(pow(2, n)).toBe(2 ** n);
    for (let base = -20; base <= 20; base++) {
      for (let n = 1; Math.abs(base) ** n < 2 ** 53; n++) {
        expect(pow(base, n), `${base} ** ${n}`).toBe(Number(BigInt(base) ** BigInt(n)));
        if (n > 60) break;
      }
    }
    for (let at = 0; at < 500; at++) {
      const root = next() % 2 ** 26;
      expect(pow(root * root, 0.5)).toBe(root);
    }
  });

  const exact = (run: (x: number, y: number) => number, x: number, y: number): void => {
    const [got, expected] = [run(x, y), x % y];
    if (!Object.is(got, expected)) expect(got, `fmod(${x}, ${y})`).toBe(expected);
  };

  it('fmod is exact', () => {
    const fmod = compiled('fmod');
    for (const x of edges) for (const y of edges) exact(fmod, x, y);
    for (let at = 0; at < 5000; at++) {
      exact(fmod, anything(), anything());
      exact(fmod, uniform(-1e6, 1e6), uniform(-10, 10));
      // Near whole multiples.
      const y = anything();
      const x = beside(y * (next() % 2 ** 20), (next() % 5) - 2);
      if (Number.isFinite(x)) exact(fmod, x, y);
    }
  });

  it('fmod of what was f32 takes fewer steps', () => {
    const wide = (name: string): ReturnType<typeof build.name> => build.apply('convert', 'f64', build.name(name, 'f32'));
    const fmod = compile(libmExpansions.libm_fmod(wide('x'), wide('y')), ['x', 'y']) as (x: number, y: number) => number;
    const single = (): number => Math.fround(uniform(-2, 2) * 2 ** uniform(-149, 127));
    for (const x of edges.map(Math.fround)) for (const y of edges.map(Math.fround)) exact(fmod, x, y);
    for (let at = 0; at < 5000; at++) exact(fmod, single(), single());
    exact(fmod, 2 ** 127, Math.fround(3e-45));
  });
});

describe('the reference', () => {
  // In 45 digits, by an arbitrary-precision library.
  it.each([
    ['exp', -700.3, 0, '7.30422803364571536502872698612118490128878091e-305'],
    ['expm1', 1e-9, 0, '0.00000000100000000050000006244825818676978124115938946'],
    ['log', 0.7, 0, '-0.356674943938732442353954404107274514571809071'],
    ['log1p', -1e-7, 0, '-0.000000100000005000000328808169063405032209031291678'],
    ['sin', 5.319372648326541e255, 0, '0.999999999999999999999999999999999999890152378'],
    ['cos', 1e22, 0, '0.523214785395138945497594473384709492140919972'],
    ['tan', 11.0, 0, '-225.950846454195142025795483203453153951657510'],
    ['asin', 0.999, 0, '1.52607123962616316811638530200677983823004614'],
    ['acos', -0.3, 0, '1.87548898081029411556502503192631563718501244'],
    ['atan', 3.7, 0, '1.30683260316919206875491140914384498421489783'],
    ['sinh', 0.01, 0, '0.0100001666675000021923069654062209131097916117'],
    ['cosh', 20.5, 0, '399951088.737752703977375851835366356195976977'],
    ['tanh', 0.3, 0, '0.291312612451590895658160015769398948261722039'],
    ['asinh', -100000.0, 0, '-12.2060726455551737295062518948800496894143375'],
    ['acosh', 1.00001, 0, '0.00447213222824265102403769765393807405226763099'],
    ['atanh', 0.6, 0, '0.693147180559945274722762601922035402060739652'],
    ['erf', 2.3, 0, '0.998856823402643347524080071796642394142830052'],
    ['atan2', -0.3, -0.8, '-2.78282198331922104848379248716554899969477997'],
    ['pow', 1.1, 700.5, '98986496524636235591160641613.7778538918052081'],
  ] as const)('knows %s(%d, %d)', (name, x, y, text) => {
    expect(digitsInCommon(references[name](wideOf(x), wideOf(y)), wideOfText(text))).toBeGreaterThan(130);
  });
});
