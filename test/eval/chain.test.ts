// From graph to kernels: what the two interpreters say of one entry must agree, with the arena simulated and every access checked.

import { describe, expect, it } from 'vitest';
import { Dim } from '../../src/base/index.js';
import type { Entry } from '../../src/graph/index.js';
import { evaluateEntry, runProgram } from '../../src/eval/index.js';
import { type TensorValue, tensorValue } from '../../src/ops/index.js';
import { lowerEntry } from '../lower/lower-entry.js';
import { avx2, avx512, sse } from '../targets.js';
import { dimsOf, Make, noisy } from './make.js';

const targets = [avx512, avx2, sse];

interface Case {
  readonly build: (make: Make) => { readonly entry: Entry };
  /** Feeds by name and variables by path, for given sizes. */
  readonly values: (sizes: ReadonlyMap<string, number>) => Readonly<Record<string, TensorValue>>;
  readonly sizes: readonly Readonly<Record<string, number>>[];
}

const at = (sizes: ReadonlyMap<string, number>, name: string): number => sizes.get(name) ?? 0;

const cases: Readonly<Record<string, Case>> = {
  'elementwise chain': {
    build: (make) => {
      const x = make.feed('x', ['B', 7]);
      const y = make.feed('y', [7]);
      return { entry: make.entry([make.op('tanh', [make.op('add', [make.op('exp', [x]), make.broadcast(y, ['B', 7], [1])])])]) };
    },
    values: (sizes) => ({ x: noisy([at(sizes, 'B'), 7]), y: noisy([7], 2) }),
    sizes: [{ B: 0 }, { B: 1 }, { B: 19 }],
  },
  'softmax of rows': {
    build: (make) => {
      const x = make.feed('x', ['B', 10]);
      const rows = (node: ReturnType<Make['op']>): ReturnType<Make['op']> => make.broadcast(node, ['B', 10], [0]);
      const exps = make.op('exp', [make.op('sub', [x, rows(make.op('reduceMax', [x], { axes: [1] }))])]);
      return { entry: make.entry([make.op('div', [exps, rows(make.sum(exps, 1))])]) };
    },
    values: (sizes) => ({ x: noisy([at(sizes, 'B'), 10]) }),
    sizes: [{ B: 0 }, { B: 1 }, { B: 50 }],
  },
  'sums over each axis': {
    build: (make) => {
      const x = make.feed('x', ['B', 'N']);
      return { entry: make.entry([make.sum(x, 0), make.sum(x, 1), make.sum(x, 0, 1), make.op('reduceMin', [x], { axes: [0] })]) };
    },
    values: (sizes) => ({ x: noisy([at(sizes, 'B'), at(sizes, 'N')]) }),
    sizes: [
      { B: 0, N: 3 },
      { B: 1, N: 1 },
      { B: 33, N: 40 },
    ],
  },
  'layer with its update': {
    build: (make) => {
      const x = make.feed('x', ['B', 20]);
      const w = make.variable('w', [20, 17]);
      const b = make.variable('b', [17]);
      const z = make.op('add', [make.op('matmul', [x, w]), make.broadcast(b, ['B', 17], [1])]);
      const active = make.op('max', [z, make.broadcast(make.constant(0), ['B', 17])]);
      const mask = make.op('cast', [make.op('gt', [z, make.broadcast(make.constant(0), ['B', 17])])], { dtype: 'f32' });
      const slope = make.op('mul', [active, mask]);
      const gradient = make.op('matmul', [make.op('transpose', [x], { axes: [1, 0] }), slope]);
      const rate = make.broadcast(make.constant(0.01), [20, 17]);
      const updates = {
        w: make.op('sub', [w, make.op('mul', [rate, gradient])]),
        b: make.op('sub', [b, make.op('mul', [make.broadcast(make.constant(0.01), [17]), make.sum(slope, 0)])]),
      };
      return { entry: make.entry([make.sum(make.op('square', [active]), 0, 1)], updates) };
    },
    values: (sizes) => ({ x: noisy([at(sizes, 'B'), 20]), w: noisy([20, 17], 2), b: noisy([17], 3) }),
    sizes: [{ B: 0 }, { B: 1 }, { B: 29 }],
  },
  'moving data': {
    build: (make) => {
      const x = make.feed('x', ['B', 6]);
      const ids = make.feed('ids', ['K'], 'i32');
      const padded = make.op('pad', [x], { before: dimsOf([1, 2]), after: dimsOf([2, 0]), inner: [0, 1] });
      const sliced = make.op('slice', [padded], { starts: dimsOf([1, 0]), stops: [Dim.of('B').add(3), Dim.of(13)], steps: [1, 3] });
      const joined = make.op('concat', [x, make.op('neg', [x])], { axis: 0 });
      const rows = make.op('gather', [x, ids]);
      return { entry: make.entry([sliced, joined, rows, make.op('scatterAdd', [ids, rows], { rows: Dim.of('B') })]) };
    },
    values: (sizes) => ({
      x: noisy([at(sizes, 'B'), 6]),
      ids: tensorValue(
        'i32',
        [at(sizes, 'K')],
        Array.from({ length: at(sizes, 'K') }, (_, one) => (one * 3) % at(sizes, 'B')),
      ),
    }),
    sizes: [
      { B: 1, K: 1 },
      { B: 5, K: 9 },
      { B: 4, K: 0 },
    ],
  },
  'loop with carries and stacks': {
    build: (make) => {
      const x = make.feed('x', ['T', 9]);
      const [last, trail] = make.loop('T', [make.broadcast(make.constant(0), [9])], (index, carry) => {
        const next = make.op('tanh', [make.op('add', [carry, make.op('gather', [x, index])])]);
        return [next, make.op('square', [next])];
      });
      return { entry: make.entry([last ?? x, make.sum(trail ?? x, 0)]) };
    },
    values: (sizes) => ({ x: noisy([at(sizes, 'T'), 9]) }),
    sizes: [{ T: 0 }, { T: 1 }, { T: 6 }],
  },
  'random bits and inverse': {
    build: (make) => {
      const seed = make.feed('seed', [], 'i64');
      const a = make.feed('a', ['N', 'N']);
      return {
        entry: make.entry([
          make.op('randomBits', [seed, make.op('constant', [], { value: 3, dtype: 'i32' })], { shape: dimsOf([37]) }),
          make.op('inverse', [a]),
        ]),
      };
    },
    values: (sizes) => {
      const size = at(sizes, 'N');
      const values = [...noisy([size, size], 5).data].map((value, one) => Number(value) + (one % (size + 1) === 0 ? 4 : 0));
      return { seed: tensorValue('i64', [], [-6148914691236517205n]), a: tensorValue('f32', [size, size], values.map(Math.fround)) };
    },
    sizes: [{ N: 0 }, { N: 1 }, { N: 5 }],
  },
};

describe.each(Object.entries(cases))('%s', (_, { build, values, sizes }) => {
  for (const target of targets) {
    it.each(sizes)(`agrees on ${target.cpu} for %o`, (of) => {
      const make = new Make();
      const { entry } = build(make);
      const named = new Map(Object.entries(values(new Map(Object.entries(of)))));
      const feeds = new Map(entry.feeds.map((feed) => [feed.name, named.get(feed.name) as TensorValue]));
      const variables = new Map(make.variables.map(({ path }) => [path, named.get(path) as TensorValue]));
      const program = lowerEntry(entry, make.variables, target, make.build);
      const expected = evaluateEntry(entry, { feeds, variables });
      const found = runProgram(
        program,
        { feeds: [...feeds.values()], variables: [...variables.values()], dims: expected.dims },
        { arena: true },
      );
      expected.outputs.forEach((output, one) => expectClose(found.outputs[one], output));
      make.variables.forEach(({ path }, one) =>
        expectClose(found.variables[one], expected.updates.get(path) ?? (variables.get(path) as TensorValue)),
      );
    });
  }
});

function expectClose(found: TensorValue | undefined, expected: TensorValue): void {
  expect([found?.dtype, found?.shape]).toEqual([expected.dtype, expected.shape]);
  expected.data.forEach((value, one) => {
    const other = found?.data[one];
    if (typeof value === 'bigint' || (Number.isInteger(value) && expected.dtype !== 'f32')) expect(other).toBe(value);
    else if (!Number.isFinite(value)) expect(other).toBe(value);
    else
      expect(Math.abs(Number(other) - value), `element ${one}: ${other} against ${value}`).toBeLessThanOrEqual(
        1e-5 * (1 + Math.abs(value)),
      );
  });
}
