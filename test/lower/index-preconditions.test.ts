// Rows are taken by number only where there are rows, and sizes become numbers only where these hold them: otherwise an entry refuses to
// run.

import { describe, expect, it } from 'vitest';
import { tensor, type TensorNode } from '../../src/graph/index.js';
import { indexPreconditions } from '../../src/lower/index.js';
import { fill } from '../../src/ops/index.js';
import { dimsOf, Make, type Size } from '../eval/make.js';

const facts = (draw: (make: Make) => TensorNode): string[] => {
  const make = new Make();
  const node = draw(make);
  return indexPreconditions(make.entry([node])).map(({ left, relation, right }) => `${left} ${relation} ${right}`);
};
const ids = (make: Make, ...shape: Size[]): TensorNode => make.feed('ids', shape, 'i32');

describe('facts about sizes', () => {
  it.each<[string, (make: Make) => TensorNode, readonly string[]]>([
    ['a table of a known size needs none', (make) => make.op('gather', [make.feed('x', [4, 'N']), ids(make, 'B')]), []],
    ['some rows of a table', (make) => make.op('gather', [make.feed('x', ['N', 4]), ids(make, 3)]), ['N > 0']],
    ['as many rows as are asked for', (make) => make.op('gather', [make.feed('x', ['N', 4]), ids(make, 'B')]), ['4*B <= 4*B*N']],
    ['as many rows as there are', (make) => make.op('gather', [make.feed('x', ['N']), ids(make, 'N', 2)]), []],
    [
      'one more row than a size',
      (make) =>
        make.op('gather', [make.op('pad', [make.feed('x', ['N'])], { before: dimsOf([1]), after: dimsOf([0]), inner: [0] }), ids(make, 5)]),
      [],
    ],
    [
      'scattered rows',
      (make) => make.op('scatterAdd', [ids(make, 'B'), make.feed('x', ['B'])], { rows: dimsOf(['N'])[0] as never }),
      ['B <= B*N'],
    ],
    [
      'the rows of a loop over them',
      (make) => {
        const x = make.feed('x', ['N', 4]);
        return make.loop('N', [fill(make.build, tensor('f32', dimsOf([4])), 0)], (i, sum) => [
          make.op('add', [sum as TensorNode, make.op('gather', [x, i])]),
        ])[0] as TensorNode;
      },
      ['N <= 2147483647'],
    ],
    [
      'rows of another table in a loop',
      (make) => {
        const x = make.feed('x', ['N']);
        return make.loop('B', [make.op('reduceSum', [make.feed('b', ['B'])], { axes: [0] })], (i, sum) => [
          make.op('add', [sum as TensorNode, make.op('gather', [x, i])]),
        ])[0] as TensorNode;
      },
      ['B <= 2147483647', 'B <= B*N'],
    ],
    ['a size as a number', (make) => make.op('dimension', [], { dim: dimsOf(['N'])[0] as never }), ['N <= 2147483647']],
    ['counting in few bits', (make) => make.op('iota', [], { shape: dimsOf([3, 'N']), axis: 1, dtype: 'u8' }), ['N <= 256']],
    ['counting in many, or not far', (make) => make.op('iota', [], { shape: dimsOf([3, 'N']), axis: 0, dtype: 'i32' }), []],
    ['counting in i64', (make) => make.op('iota', [], { shape: dimsOf(['N']), axis: 0, dtype: 'i64' }), []],
  ])('%s', (_, draw, expected) => {
    expect(facts(draw)).toEqual(expected);
  });
});
