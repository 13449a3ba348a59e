// The graph interpreter: entries with sizes from feeds, updates, loops, random bits; and every mistake that a caller can make.

import { describe, expect, it } from 'vitest';
import { Dim, DiagnosticsError } from '../../src/base/index.js';
import type { SizeFact } from '../../src/graph/index.js';
import { bindSizes, evaluateEntry, evaluateNodes, initialValues } from '../../src/eval/index.js';
import { type TensorValue, tensorValue } from '../../src/ops/index.js';
import { dimsOf, f32, Make, noise, noisy } from './make.js';

const feeds = (values: Readonly<Record<string, TensorValue>>): Map<string, TensorValue> => new Map(Object.entries(values));

/** loss = mean((x·w − y)²); w ← w − grad / 10. */
function regression(): { readonly make: Make; readonly entry: ReturnType<Make['entry']> } {
  const make = new Make();
  const x = make.feed('x', ['B', 3]);
  const y = make.feed('y', ['B']);
  const w = make.variable('net/w', [3], 'f32', make.broadcast(make.constant(0.5), [3]));
  const prediction = make.op('reshape', [make.op('matmul', [x, make.op('reshape', [w], { shape: dimsOf([3, 1]) })])], {
    shape: dimsOf(['B']),
  });
  const error = make.op('named', [make.op('sub', [prediction, y])], { path: 'loss/error' });
  const count = make.op('cast', [make.op('dimension', [], { dim: Dim.of('B') })], { dtype: 'f32' });
  const loss = make.op('div', [make.sum(make.op('square', [error]), 0), count]);
  const slope = make.sum(make.op('mul', [x, make.broadcast(error, ['B', 3], [0])]), 0);
  const step = make.op('sub', [w, make.op('mul', [slope, make.broadcast(make.constant(0.1), [3])])]);
  return { make, entry: make.entry([loss], { 'net/w': step }, { names: new Map([['loss/error', error]]) }) };
}

describe('entries', () => {
  it('gives outputs, updates and named nodes, and leaves variables alone', () => {
    const { make, entry } = regression();
    const variables = initialValues({ path: 'm.tdsl', variables: make.variables, entries: [entry] });
    expect([...(variables.get('net/w')?.data ?? [])]).toEqual([0.5, 0.5, 0.5]);
    const result = evaluateEntry(entry, {
      feeds: feeds({ x: f32([2, 3], [1, 2, 3, 4, 5, 6]), y: f32([2], [1, 2]) }),
      variables,
      fetch: 'all',
    });
    expect(result.dims).toEqual(new Map([['B', 2]]));
    // Errors: 3 − 1 = 2 and 7.5 − 2 = 5.5.
    expect(result.outputs[0]?.data[0]).toBe((4 + 30.25) / 2);
    expect([...(result.names.get('loss/error')?.data ?? [])]).toEqual([2, 5.5]);
    [2 + 22, 4 + 27.5, 6 + 33].forEach((slope, at) => expect(result.updates.get('net/w')?.data[at]).toBeCloseTo(0.5 - slope * 0.1, 12));
    expect(variables.get('net/w')?.data[0]).toBe(0.5);
  });

  it('runs loops with carries, captures and stacks, also for no iteration', () => {
    const make = new Make();
    const x = make.feed('x', ['N']);
    const rate = make.feed('rate', []);
    const [last, trail] = make.loop('N', [make.constant(1)], (index, carry) => {
      const item = make.op('gather', [x, index]);
      return [make.op('add', [make.op('mul', [carry, rate]), item]), carry];
    });
    const entry = make.entry([last, trail].map((node) => node ?? x));
    const [value, stack] = evaluateEntry(entry, { feeds: feeds({ x: f32([3], [1, 2, 3]), rate: f32([], [2]) }) }).outputs;
    expect(value?.data).toEqual(Float64Array.of(((1 * 2 + 1) * 2 + 2) * 2 + 3));
    expect(stack?.data).toEqual(Float64Array.of(1, 3, 8));
    const [start, empty] = evaluateEntry(entry, { feeds: feeds({ x: f32([0], []), rate: f32([], [2]) }) }).outputs;
    expect([start?.data[0], empty?.shape]).toEqual([1, [0]]);
  });

  it('evaluates nodes with parameters and seeds', () => {
    const make = new Make();
    const key = make.feed('seed', [], 'i64');
    const bits = make.op('randomBits', [key, make.op('constant', [], { value: 1, dtype: 'i32' })], { shape: dimsOf([64]) });
    const draw = (seed: bigint): TensorValue | undefined =>
      evaluateNodes([bits], { feeds: feeds({ seed: tensorValue('i64', [], [seed]) }) })[0];
    expect(draw(1n)).toEqual(draw(1n));
    expect(draw(1n)).not.toEqual(draw(2n));
    expect(new Set([...(draw(1n)?.data ?? [])].map(Number)).size).toBeGreaterThan(60);
    const parameter = make.op('argument', [], { index: 1, dtype: 'f32', shape: [] });
    expect(evaluateNodes([make.op('neg', [parameter])], { args: [f32([], [1]), f32([], [2])] })[0]?.data[0]).toBe(-2);
  });

  it('keeps doubles: f32 is not rounded', () => {
    const make = new Make();
    const third = make.op('div', [make.constant(1), make.constant(3)]);
    expect(evaluateNodes([third])[0]?.data[0]).toBe(1 / 3);
  });

  it('makes noise that is spread and repeats', () => {
    expect(noise(5)).toEqual(noise(5));
    expect(new Set(noise(1000)).size).toBeGreaterThan(990);
  });
});

describe('mistakes', () => {
  const x = noisy([2, 3]);
  const w = new Map([['net/w', noisy([3])]]);
  const fact = (relation: SizeFact['relation'], right: number): SizeFact => ({
    left: Dim.of('B'),
    relation,
    right: Dim.of(right),
    span: undefined,
  });
  const codeOf = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      if (error instanceof DiagnosticsError) return error.message;
      throw error;
    }
    return 'none';
  };
  it.each([
    ['missing-feed: the argument y of main is not fed', { feeds: feeds({ x }), variables: w }],
    ['unknown-feed: main has no argument z', { feeds: feeds({ x, y: noisy([2]), z: x }), variables: w }],
    [
      'dtype-mismatch: the argument y of main is f32 and is fed i32',
      { feeds: feeds({ x, y: tensorValue('i32', [2], [1, 2]) }), variables: w },
    ],
    ['shape-mismatch: axis 0 of y is 3 and must be B = 2', { feeds: feeds({ x, y: noisy([3]) }), variables: w }],
    ['shape-mismatch: axis 1 of x is 4 and must be 3', { feeds: feeds({ x: noisy([2, 4]), y: noisy([2]) }), variables: w }],
    ['shape-mismatch: y has 1 axes, [B], and is given [2, 1]', { feeds: feeds({ x, y: noisy([2, 1]) }), variables: w }],
    ['uninitialized-variable: the variable net/w has no value', { feeds: feeds({ x, y: noisy([2]) }) }],
    ['unknown-fetch: main has no node named loss', { feeds: feeds({ x, y: noisy([2]) }), variables: w, fetch: ['loss'] }],
  ])('%s', (message, inputs) => {
    expect(codeOf(() => evaluateEntry(regression().entry, inputs))).toBe(message);
  });

  it.each([
    ['==', 2, 3],
    ['!=', 3, 2],
    ['<', 3, 2],
    ['<=', 2, 1],
    ['>', 1, 2],
    ['>=', 2, 3],
    ['divides', 6, 5],
  ] as const)('facts: B %s %i holds, %i does not', (relation, good, bad) => {
    const { entry } = regression();
    const inputs = { feeds: feeds({ x, y: noisy([2]) }), variables: w };
    expect(codeOf(() => evaluateEntry({ ...entry, facts: [fact(relation, good)] }, inputs))).toBe('none');
    expect(codeOf(() => evaluateEntry({ ...entry, facts: [fact(relation, bad)] }, inputs))).toContain('unsatisfied-fact: B');
  });

  it('solves sizes and says what it cannot', () => {
    const bound = (shapes: readonly (readonly [Dim, number])[], known?: Map<string, number>): unknown =>
      bindSizes(
        shapes.map(([dim, size], at) => ({ what: `f${at}`, shape: [dim], sizes: [size] })),
        known,
      );
    const [b, n] = [Dim.of('B'), Dim.of('N')];
    expect(
      bound([
        [b.mul(n).add(1), 13],
        [b.mul(2), 6],
      ]),
    ).toEqual(
      new Map([
        ['B', 3],
        ['N', 4],
      ]),
    );
    expect(
      bound(
        [
          [b.mul(n), 0],
          [b, 0],
        ],
        new Map([['N', 5]]),
      ),
    ).toEqual(
      new Map([
        ['N', 5],
        ['B', 0],
      ]),
    );
    expect(codeOf(() => bound([[b.mul(2), 5]]))).toBe('shape-mismatch: axis 0 of f0 is 5, and no size B makes 2*B that');
    expect(codeOf(() => bound([[b.sub(3), -4]]))).toContain('no size B makes');
    expect(codeOf(() => bound([[b.mul(n), 6]]))).toBe('ambiguous-size: axis 0 of f0 is B*N = 6, which does not say what B and N is');
    expect(
      codeOf(() =>
        bound([
          [b.mul(n), 0],
          [b, 0],
        ]),
      ),
    ).toContain('ambiguous-size');
    const { entry } = regression();
    expect(codeOf(() => evaluateEntry({ ...entry, dims: ['B', 'M'] }, { feeds: feeds({ x, y: noisy([2]) }), variables: w }))).toBe(
      'ambiguous-size: no feed says what M is',
    );
  });
});
