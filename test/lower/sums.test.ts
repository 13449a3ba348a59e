// How accurate sums in f32 are, and that threads change no bit of them. In: long axes. Out: errors against sums in f64. Whatever the axis
// and whatever shares the loop, a register adds up some hundred terms, and what additions of those sums round off is not lost.

import { describe, expect, it } from 'vitest';
import type { TensorNode } from '../../src/graph/index.js';
import { fill, tensorValue } from '../../src/ops/index.js';
import { dimsOf } from '../eval/make.js';
import { numbers } from '../ops/samples.js';
import { CaseMake, type GraphCase, runGraphs } from '../chain/graphs.js';

/** Numbers in [0, 1), all of one sign so that nothing cancels. */
const positive: GraphCase['value'] = (name, { dtype }, shape) => {
  const next = numbers(name.length + 11);
  const count = shape.reduce((product, size) => product * size, 1);
  return tensorValue(
    dtype,
    shape,
    Array.from({ length: count }, () => Math.fround(next())),
  );
};

function check(draw: (make: CaseMake) => readonly TensorNode[], tolerance: number): void {
  const make = new CaseMake('s');
  const outputs = draw(make);
  expect(
    runGraphs([
      { name: 'sums', make, entry: make.entry(outputs), sizes: [{}], value: positive, tolerance: () => tolerance, onlyNative: true },
    ]),
  ).toEqual([]);
}

const epsilon = 2 ** -24;

describe('sums in f32', () => {
  it('of a million elements are off by less than 32 units', () => {
    check((make) => [make.sum(make.feed('x', [1_000_000]), 0)], 32 * epsilon);
  });

  it('of a million products likewise', () => {
    check((make) => {
      const x = make.feed('x', [1_000_000]);
      return [make.sum(make.op('mul', [x, make.feed('y', [1_000_000])]), 0), make.sum(make.op('square', [x]), 0)];
    }, 32 * epsilon);
  });

  it('that share a loop keep their partial results apart', () => {
    check((make) => {
      const x = make.feed('x', [1000]);
      const z = make.feed('z', [1000, 3]);
      return [
        make.sum(x, 0),
        make.sum(z, 0),
        make.op('reduceMax', [make.feed('w', [1000, 7])], { axes: [0] }),
        make.op('matmul', [make.op('transpose', [z], { axes: [1, 0] }), make.op('reshape', [x], { shape: dimsOf([1000, 1]) })]),
      ];
    }, 8 * epsilon);
  });

  it('of rows', () => check((make) => [make.sum(make.feed('x', [40, 20_000]), 1)], 8 * epsilon));

  it('of columns', () => {
    check((make) => [make.sum(make.feed('x', [5000, 40]), 0)], 16 * epsilon);
    check((make) => [make.sum(make.feed('x', [3, 200_000, 5]), 1)], 16 * epsilon);
  });

  it('of everything, where lanes run along a short axis', () =>
    check((make) => [make.sum(make.feed('x', [100_000, 9]), 0, 1), make.sum(make.feed('y', [300, 300, 10]), 0, 1, 2)], 16 * epsilon));

  it('of products over a long depth', () => {
    check((make) => [make.op('matmul', [make.feed('x', [3, 4000]), make.feed('y', [4000, 20])])], 64 * epsilon);
    check((make) => [make.op('matmul', [make.feed('x', [5, 60_000]), make.feed('y', [60_000, 17])])], 64 * epsilon);
    check((make) => [make.op('matmul', [make.feed('x', [9, 200_000]), make.feed('y', [200_000, 1])])], 64 * epsilon);
  });

  it('of rows and columns in one pass', () =>
    check((make) => {
      const x = make.op('tanh', [make.feed('x', [200_000, 16])]);
      return [make.sum(x, 1), make.sum(x, 0), make.sum(x, 0, 1)];
    }, 16 * epsilon));

  it('keep infinities and what is no number', () => {
    const odd: GraphCase['value'] = (name, { dtype }, shape) =>
      tensorValue(
        dtype,
        shape,
        Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, at) =>
          at !== 3000 ? 1 : name === 'n' ? NaN : Infinity,
        ),
      );
    const make = new CaseMake('odd');
    const [n, i] = [make.feed('n', [9000]), make.feed('i', [9000])];
    const columns = make.feed('columns', [5000, 2]);
    const outputs = [
      make.sum(n, 0),
      make.sum(i, 0),
      make.sum(columns, 0),
      make.op('matmul', [make.op('reshape', [i], { shape: dimsOf([3, 3000]) }), make.feed('w', [3000, 4])]),
    ];
    const found = runGraphs([
      { name: 'odd', make, entry: make.entry(outputs), sizes: [{}], value: odd, tolerance: () => 0, onlyNative: true },
    ]);
    expect(found).toEqual([]);
  });

  it('of whole numbers are exact', () => {
    check((make) => {
      const ones = fill(make.build, make.feed('x', [100_000]).type, 1);
      return [make.sum(ones, 0), make.sum(make.broadcast(make.constant(3), [300, 500]), 0)];
    }, 0);
  });
});

describe('several threads', () => {
  it('give the bits of one, whatever is split among them', () => {
    check((make) => {
      const x = make.feed('x', [700, 120]);
      const product = make.op('matmul', [x, make.feed('w', [120, 130])]);
      const rows = make.broadcast(make.sum(x, 1), [700, 120], [0]);
      return [
        make.op('tanh', [product]),
        make.sum(product, 0),
        make.sum(x, 0, 1),
        make.op('div', [make.op('exp', [x]), rows]),
        make.op('exp', [make.feed('long', [60_000])]),
      ];
    }, 1e-5);
  });

  it('likewise for sums over everything, whatever their length', () => {
    for (const n of [2047, 2048, 100_003]) {
      check((make) => {
        const x = make.feed('x', [n, 3]);
        const all = make.feed('y', [n, 40]);
        return [make.sum(x, 0), make.sum(make.op('square', [x]), 0, 1), make.op('reduceMax', [all], { axes: [0, 1] }), make.sum(all, 0, 1)];
      }, 64 * epsilon);
    }
  });
});
