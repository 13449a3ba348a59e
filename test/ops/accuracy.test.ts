// The f32 expansions of the scalar table keep their stated error, over a stride of all f32 bit patterns and at the edges.

import { describe, expect, it } from 'vitest';
import { build } from '../../src/kernel/index.js';
import { expansions, type ScalarName, scalarNames, scalarTable } from '../../src/ops/index.js';
import { compile, type Roundings } from './machine.js';

const word = new Int32Array(1);
const single = new Float32Array(word.buffer);
const bitsOf = (value: number): number => ((single[0] = value), word[0] as number);
const fromBits = (bits: number): number => ((word[0] = bits), single[0] as number);

/** f32 neighbours count 1 apart, also across 0 and up to infinity. */
const rank = (value: number): number => {
  const bits = bitsOf(value);
  return bits < 0 ? -(bits & 0x7fffffff) : bits;
};

/** Units in the last place between an f32 and the exact value (a double). */
function ulps(got: number, exact: number): number {
  if (Number.isNaN(exact)) return Number.isNaN(got) ? 0 : Infinity;
  const nearest = Math.fround(exact);
  if (Object.is(got, nearest) || (got === nearest && got !== 0))
    return Number.isFinite(exact) && Number.isFinite(nearest) ? Math.abs(got - exact) / unit(exact) : 0;
  // Infinity counts as the number that follows the largest one.
  if (!Number.isFinite(got) || !Number.isFinite(nearest)) return Math.abs(rank(got) - rank(nearest));
  if (got === 0 && nearest === 0) return Infinity; // the wrong sign of zero
  return Math.abs(got - exact) / unit(exact);
}

/** Spacing of f32 at a value. */
function unit(exact: number): number {
  const size = Math.min(Math.abs(exact), 3.4028234663852886e38);
  return 2 ** (Math.max(Math.floor(Math.log2(size === 0 ? 1e-45 : size)), -126) - 23);
}

const edges = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  2,
  -2,
  3,
  -3,
  Infinity,
  -Infinity,
  NaN,
  1e-45,
  -1e-45,
  1.1754943508222875e-38,
  3.4028234663852886e38,
  -3.4028234663852886e38,
  0.9999999403953552,
  1.0000001192092896,
  -0.9999999403953552,
  88.72283,
  88.72284,
  -87.33655,
  -103.97208,
  -103.97209,
  16777216,
  16777215,
  1e10,
  1.5,
  -2.5,
].map(Math.fround);

// Denser on demand: TFC_LONG=1.
const [stride, count] = process.env['TFC_LONG'] === '1' ? [1021, 1_000_000] : [16411, 60_000];

const single1 = scalarNames.filter(
  (name) => scalarTable[name].arity === 1 && scalarTable[name].takes !== 'bool' && scalarTable[name].result === 'same',
);
const single2 = scalarNames.filter(
  (name) => scalarTable[name].arity === 2 && scalarTable[name].result === 'same' && scalarTable[name].takes !== 'bool',
);

const names = ['x', 'y'];
const compiled = (name: ScalarName, roundings: Roundings = 'once') => {
  const { arity } = scalarTable[name];
  const params = names.slice(0, arity);
  return compile(expansions[name]('f32', ...params.map((param) => build.name(param, 'f32'))), params, roundings) as (
    ...values: number[]
  ) => number;
};

interface Worst {
  ulp: number;
  readonly at: number[];
}

/** What the table states, and the quarter of a unit that it leaves to a second rounding. */
const boundOf = (name: ScalarName, roundings: Roundings): number => scalarTable[name].ulp + (roundings === 'twice' ? 0.25 : 0);

function measure(name: ScalarName, points: Iterable<readonly number[]>, roundings: Roundings = 'once'): Worst {
  const { evaluate } = scalarTable[name];
  const run = compiled(name, roundings);
  let worst: Worst = { ulp: 0, at: [] };
  for (const point of points) {
    const [got, exact] = [run(...point), evaluate(...point)];
    // Which of 0 and −0 is the larger one is left open, as in NumPy.
    const error = (name === 'min' || name === 'max') && got === 0 && exact === 0 ? 0 : ulps(got, exact);
    if (error > worst.ulp) worst = { ulp: error, at: [...point] };
  }
  return worst;
}

function* patterns(stride: number): Generator<readonly [number]> {
  for (let bits = -2147483648; bits <= 2147483647; bits += stride) yield [fromBits(bits)];
}

/** Every pattern of a stride of the range, which visits the hard places of a function more closely. */
function* between(low: number, high: number, count: number): Generator<readonly [number]> {
  for (let at = 0; at <= count; at++) yield [Math.fround(low + ((high - low) * at) / count)];
}

describe.each(['once', 'twice'] as const)('f32 expansions of one argument where muladd rounds %s', (roundings) => {
  it.each(single1)('%s keeps its bound over a stride of all bit patterns', (name) => {
    const ulp = boundOf(name, roundings);
    const worst = [patterns(stride), between(-4, 4, count), between(-110, 100, count), edges.map((x) => [x] as const)].map((points) =>
      measure(name, points, roundings),
    );
    if (process.env['TFC_ULP']) console.log(name, roundings, worst.map(({ ulp, at }) => `${ulp.toFixed(3)} @${at.join()}`).join('  '));
    for (const { ulp: found, at } of worst) expect(found, `${name}(${at.join(', ')})`).toBeLessThanOrEqual(ulp);
  });
});

function* pairs(): Generator<readonly [number, number]> {
  for (const x of edges) for (const y of edges) yield [x, y];
  // A fixed walk through pairs of bit patterns, then one through moderate values.
  let state = 12345;
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) | 0);
  for (let at = 0; at < 100_000; at++) yield [fromBits(next()), fromBits(next())];
  for (let at = 0; at < 100_000; at++) yield [fromBits((next() & 0x03ffffff) + 0x3e000000), Math.fround((next() / 2147483648) * 30)];
}

describe.each(['once', 'twice'] as const)('f32 expansions of two arguments where muladd rounds %s', (roundings) => {
  it.each(single2)('%s keeps its bound on pairs', (name) => {
    const worst = measure(name, pairs(), roundings);
    if (process.env['TFC_ULP']) console.log(name, roundings, worst.ulp.toFixed(3), worst.at);
    expect(worst.ulp, `${name}(${worst.at.join(', ')})`).toBeLessThanOrEqual(boundOf(name, roundings));
  });
});

describe('sine and cosine of large arguments', () => {
  // Values in 80 digits, by an arbitrary-precision library; JavaScript's own reduction is checked on the way.
  it.each([
    ['sin', 3.4028234663852886e38, -0.52187652333365854],
    ['cos', 3.4028234663852886e38, 0.85302103983030416],
    ['tan', 3.4028234663852886e38, -0.61179794983424806],
    ['sin', 4.974949742070813e21, -0.4116589650379844],
    ['cos', 1.100467763087514e19, 0.99641010165214537],
    ['sin', 1.7269983397793917e20, -0.24683333362061009],
    ['tan', 22675456, -0.64113615627999372],
  ] as const)('%s(%d)', (name, x, value) => {
    expect(ulps(compiled(name)(x), value)).toBeLessThanOrEqual(scalarTable[name].ulp);
    expect(scalarTable[name].evaluate(x)).toBeCloseTo(value, 14);
  });

  it.each(['sin', 'cos', 'tan'] as const)('%s keeps its bound next to multiples of a quarter turn', (name) => {
    const points: [number][] = [];
    for (let count = 1; count < 2 ** 24; count = Math.ceil(count * 1.01)) {
      const near = rank(Math.fround((count * Math.PI) / 2));
      for (let step = -1; step <= 1; step++) points.push([fromBits(near + step)]);
    }
    const worst = measure(name, points);
    expect(worst.ulp, `${name}(${worst.at.join()})`).toBeLessThanOrEqual(scalarTable[name].ulp);
  });
});
