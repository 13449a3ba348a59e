// Feeds: what is accepted, how sizes are found, and what errors say.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EntrySpec, Size } from '../../runtime/abi/manifest.js';
import { bf16ToNumber, f16ToNumber, numberToBf16, numberToF16 } from '../../runtime/half.js';
import { type Session, TfcError, openModule, toJson } from '../../runtime/index.js';
import { evaluate, sizeToString, solveFor } from '../../runtime/size.js';
import { solveSizes } from '../../runtime/solve.js';
import { compileFixture, scratch, thrown } from './fixture.js';

const path = compileFixture(scratch(), 'feeds');
const open = (): Session => openModule(path).session({ threads: 1 });
const failure = (body: () => unknown): TfcError => {
  const error = thrown(body);
  expect(error).toBeInstanceOf(TfcError);
  return error as TfcError;
};

describe('errors', () => {
  const cases: readonly (readonly [what: string, entry: string, feeds: object, expected: Partial<TfcError>])[] = [
    ['missing', 'scale', { x: [[1, 2, 3]] }, { code: 'missing-feed', feed: 'factor', message: 'scale needs a feed factor.' }],
    ['unknown', 'scale', { x: [[1, 2, 3]], factor: 1, facter: 2 }, { code: 'unknown-feed', feed: 'facter', hint: 'Did you mean factor?' }],
    ['rank', 'scale', { x: [1, 2, 3], factor: 1 }, { code: 'shape-mismatch', feed: 'x', expected: 'f32[B, 3]', actual: 'f32[3]' }],
    ['fixed size', 'scale', { x: [[1, 2]], factor: 1 }, { code: 'shape-mismatch', expected: 'f32[B, 3]', actual: 'f32[1, 2]' }],
    ['length', 'scale', { x: new Float32Array(4), factor: 1 }, { code: 'shape-mismatch', actual: '4 elements' }],
    ['scalar', 'scale', { x: [[1, 2, 3]], factor: [1, 2] }, { code: 'shape-mismatch', feed: 'factor', expected: 'f32', actual: 'f32[2]' }],
    ['array kind', 'scale', { x: new Float64Array(3), factor: 1 }, { code: 'dtype-mismatch', feed: 'x', actual: 'Float64Array' }],
    [
      'article before a vowel',
      'scale',
      { x: new Int32Array(3), factor: 1 },
      { message: 'Feed x is f32[B, 3], which takes a Float32Array, not an Int32Array.', hint: 'Convert it: Float32Array.from(…).' },
    ],
    [
      'article before U',
      'scale',
      { x: new Uint8Array(3), factor: 1 },
      { message: 'Feed x is f32[B, 3], which takes a Float32Array, not a Uint8Array.' },
    ],
    [
      'numbers for bit patterns',
      'echo',
      { a: 1, b: [true], c: [1], d: new Float32Array(1), e: 1, f: [1], g: [1] },
      {
        message: 'Feed d is f16[N], which takes a Uint16Array, not a Float32Array.',
        hint: 'Give it as numbers, which are rounded: Array.from(…). Uint16Array holds the bits of f16.',
      },
    ],
    [
      'tensor dtype',
      'scale',
      { x: { data: [1, 2, 3], shape: [1, 3], dtype: 'f64' }, factor: 1 },
      { code: 'dtype-mismatch', expected: 'f32[B, 3]', actual: 'f64[1, 3]' },
    ],
    [
      'ragged',
      'scale',
      {
        x: [
          [1, 2, 3],
          [1, 2],
        ],
        factor: 1,
      },
      { code: 'bad-data', message: 'Feed x: an array of 2 at [1], where others have 3: the rows are ragged.' },
    ],
    ['deep', 'scale', { x: [[1, 2, [3]]], factor: 1 }, { code: 'bad-data' }],
    ['shallow', 'scale', { x: [[1, 2, 3], 4], factor: 1 }, { code: 'bad-data' }],
    ['text', 'scale', { x: [[1, 2, 'three']], factor: 1 }, { code: 'bad-data', message: 'Feed x is f32[B, 3], and "three" is no f32.' }],
    ['null', 'scale', { x: null, factor: 1 }, { code: 'bad-data' }],
    ['function', 'scale', { x: () => 1, factor: 1 }, { code: 'bad-data' }],
    ['boolean as number', 'scale', { x: [[true, 2, 3]], factor: 1 }, { code: 'dtype-mismatch' }],
    ['fraction as integer', 'natural', { n: 1.5 }, { code: 'dtype-mismatch', message: 'Feed n is i32, and 1.5 is no i32.' }],
    ['integer out of range', 'natural', { n: 2 ** 31 }, { code: 'bad-data' }],
    ['unsafe integer', 'natural', { n: 2 ** 60 }, { code: 'bad-data', hint: 'Give it as a bigint or as a string of digits.' }],
    ['shape and data', 'scale', { x: { data: new Float32Array(5), shape: [2, 3] }, factor: 1 }, { code: 'shape-mismatch' }],
    ['no shape', 'scale', { x: { data: new Float32Array(5), shape: [-1, 3] }, factor: 1 }, { code: 'bad-data' }],
    ['fact', 'facts', { x: [1, 2], y: [1] }, { code: 'unsatisfied-fact', message: 'facts needs D > 1, and here D = 1.' }],
    [
      'divisibility',
      'facts',
      { x: [1, 2, 3, 4, 5, 6], y: [1, 2] },
      { code: 'unsatisfied-fact', message: 'facts needs D % H == 0, and here D = 3, H = 2.' },
    ],
    ['no solution', 'facts', { x: [1, 2, 3], y: [1] }, { code: 'shape-mismatch', feed: 'x' }],
    ['status', 'natural', { n: -1 }, { code: 'entry-failed', message: 'natural stopped with status 3.' }],
    ['memory', 'huge', {}, { code: 'out-of-memory' }],
    ['entry', 'scael', {}, { code: 'unknown-entry', hint: 'Did you mean scale?' }],
    ['initial entry', 'init_w', { seed: 1 }, { code: 'unknown-entry' }],
    ['inherited name', 'scale', { __proto__: { x: [[1, 2, 3]] }, factor: 1 }, { code: 'missing-feed', feed: 'x' }],
  ];

  test.each(cases)('%s', (_, entry, feeds, expected) => {
    using session = open();
    expect(failure(() => session.run(entry, feeds as Record<string, number>))).toMatchObject(expected);
  });

  test('a size that another feed fixed is said to come from there', () => {
    using session = open();
    const error = failure(() =>
      session.run('train', {
        x: [
          [1, 2],
          [3, 4],
        ],
        y: [1, 2, 3],
      }),
    );
    expect(error.message).toBe('Feed y must be f32[B], and f32[3] was fed. B = 2 comes from feed x.');
  });

  test('a bool is checked at every run', () => {
    using session = open();
    const b = Uint8Array.of(1);
    const feeds = { a: 1, b, c: [1], d: [1], e: 1, f: [1], g: [1] };
    session.run('echo', feeds);
    b[0] = 2;
    expect(failure(() => session.run('echo', feeds)).code).toBe('bad-data');
  });

  test('after an error the same session goes on', () => {
    using session = open();
    const x = Float32Array.of(1, 2, 3);
    session.run('scale', { x, factor: 1 });
    failure(() => session.run('scale', { x: new Float32Array(4), factor: 1 }));
    failure(() => session.run('huge'));
    expect(toJson(session.run('scale', { x, factor: 2 }))).toEqual([[2, 4, 6]]);
    expect(toJson(session.run('sum', { x: new Float64Array(1000).fill(1) }))).toBe(1000);
  });
});

describe('sizes', () => {
  const B: Size = [[1, ['B']]];
  const entry = (feeds: Record<string, readonly Size[]>, dims: readonly string[]): EntrySpec => ({
    name: 'entry',
    kind: 'fn',
    dims,
    ranks: {},
    facts: [],
    feeds: Object.entries(feeds).map(([name, shape]) => ({ name, dtype: 'f32', shape })),
    outputs: [],
    result: { kind: 'tuple', items: [] },
    reads: [],
    writes: [],
  });
  const flat = (length: number): { shape: undefined; length: number } => ({ shape: undefined, length });

  test('a product waits for the feed that fixes one of its factors', () => {
    const sizes = solveSizes(entry({ x: [[[1, ['H', 'W']]]], y: [[[1, ['W']]]] }, ['H', 'W']), [
      { shape: [12], length: 12 },
      { shape: [4], length: 4 },
    ]);
    expect(Object.fromEntries(sizes)).toEqual({ H: 3, W: 4 });
  });

  test('a flat array with two unknowns asks for a shape', () => {
    const error = failure(() => solveSizes(entry({ x: [B, [[1, ['D']]]] }, ['B', 'D']), [flat(12)]));
    expect(error.message).toBe('Feed x is f32[B, D], and what was fed does not determine B and D.');
  });

  test('squares and shifted sizes', () => {
    expect(Object.fromEntries(solveSizes(entry({ x: [B, B] }, ['B']), [flat(49)]))).toEqual({ B: 7 });
    expect(failure(() => solveSizes(entry({ x: [B, B] }, ['B']), [flat(48)])).code).toBe('shape-mismatch');
    expect(
      Object.fromEntries(
        solveSizes(
          entry(
            {
              x: [
                [
                  [1, ['N']],
                  [-1, []],
                ],
              ],
            },
            ['N'],
          ),
          [flat(4)],
        ),
      ),
    ).toEqual({ N: 5 });
  });

  test('a polynomial is solved for the value that made it', () => {
    const coefficient = fc.integer({ min: 0, max: 9 });
    fc.assert(
      fc.property(
        coefficient,
        coefficient,
        coefficient,
        fc.integer({ min: 0, max: 5000 }),
        fc.integer({ min: 0, max: 7 }),
        (a, b, c, n, m) => {
          fc.pre(a + b > 0);
          const size: Size = [
            [a, ['N', 'N']],
            [b, ['N']],
            [c, ['M']],
          ];
          const sizes = new Map([['M', m]]);
          const value = evaluate(size, new Map([...sizes, ['N', n]])) ?? -1;
          return solveFor('N', size, value, sizes) === n;
        },
      ),
    );
  });

  test('text', () => {
    expect(
      sizeToString([
        [2, ['B']],
        [-1, []],
      ]),
    ).toBe('2*B - 1');
    expect(sizeToString([[-1, ['H', 'W']]])).toBe('-H*W');
    expect(sizeToString([])).toBe('0');
  });
});

describe('16-bit floats', () => {
  test('every f16 survives the way to a number and back', () => {
    for (let bits = 0; bits < 0x10000; bits += 1) {
      const value = f16ToNumber(bits);
      if (Number.isNaN(value)) expect(numberToF16(value)).toBe(0x7e00);
      else if (numberToF16(value) !== bits) expect([bits, value]).toEqual([numberToF16(value), value]);
    }
  });

  test('rounding is to the nearest, ties to even', () => {
    fc.assert(
      fc.property(fc.double({ min: -65519, max: 65519, noNaN: true }), (value) => {
        const bits = numberToF16(value);
        const error = Math.abs(f16ToNumber(bits) - value);
        const neighbours = [bits - 1, bits + 1].filter(
          (other) => (other & 0x7fff) < 0x7c00 && other >= 0 && (other & 0x8000) === (bits & 0x8000),
        );
        return neighbours.every((other) => Math.abs(f16ToNumber(other) - value) >= error);
      }),
    );
    expect(f16ToNumber(numberToF16(2049))).toBe(2048);
    expect(f16ToNumber(numberToF16(2051))).toBe(2052);
    expect(f16ToNumber(numberToF16(65520))).toBe(Infinity);
    expect(bf16ToNumber(numberToBf16(1 + 2 ** -8))).toBe(1);
    expect(bf16ToNumber(numberToBf16(1 + 3 * 2 ** -8))).toBe(1 + 2 ** -6);
    expect(bf16ToNumber(numberToBf16(-Infinity))).toBe(-Infinity);
  });
});
