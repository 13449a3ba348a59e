// Updates that read what other updates write, and loops that carry tensors into each other: the new values must come from the old ones,
// whatever is done in place.

import { expect, it } from 'vitest';
import type { TensorNode } from '../../src/graph/index.js';
import { dimsOf, noisy } from '../eval/make.js';
import { CaseMake, type GraphCase, runGraphs } from '../chain/graphs.js';

/** A make with one weight to read inside of loops. */
class HazardMake extends CaseMake {
  readonly weight = this.feed('weight', [5, 5]);
}

type Draw = (make: HazardMake) => { readonly outputs?: readonly TensorNode[]; readonly updates?: Readonly<Record<string, TensorNode>> };

const reversed = (make: CaseMake, node: TensorNode): TensorNode =>
  make.op('slice', [node], {
    starts: node.type.shape.map((dim) => dim.sub(1)),
    stops: dimsOf(node.type.shape.map(() => -1)),
    steps: node.type.shape.map(() => -1),
  });
const turned = (make: CaseMake, node: TensorNode): TensorNode => make.op('transpose', [node], { axes: [1, 0] });
const exp = (make: CaseMake, node: TensorNode): TensorNode => make.op('exp', [make.op('neg', [make.op('square', [node])])]);

const cases: Readonly<Record<string, Draw>> = {
  'x <- reverse(x)': (make) => ({ updates: { x: reversed(make, make.variable('x', [37])) } }),
  'x <- x + reverse(x), read before': (make) => {
    const x = make.variable('x', [37]);
    return { outputs: [make.sum(x, 0), exp(make, x)], updates: { x: make.op('add', [x, reversed(make, x)]) } };
  },
  'a <- b; b <- a': (make) => {
    const [a, b] = [make.variable('a', [5, 7]), make.variable('b', [5, 7])];
    return { updates: { a: b, b: a } };
  },
  'a <- b; b <- c; c <- a, scalars': (make) => {
    const [a, b, c] = [make.variable('a', []), make.variable('b', []), make.variable('c', [])];
    return { updates: { a: b, b: c, c: a } };
  },
  'a <- f(b); b <- g(a)': (make) => {
    const [a, b] = [make.variable('a', [300]), make.variable('b', [300])];
    return { outputs: [make.op('sub', [a, b])], updates: { a: exp(make, b), b: make.op('add', [a, make.op('mul', [b, b])]) } };
  },
  'x <- transpose(x)': (make) => ({ updates: { x: turned(make, make.variable('x', [17, 17])) } }),
  'x <- x @ x': (make) => {
    const x = make.variable('x', [17, 17]);
    return { updates: { x: make.op('mul', [make.op('matmul', [x, x]), make.broadcast(make.constant(0.1), [17, 17])]) } };
  },
  'x <- x - x @ transpose(x)': (make) => {
    const x = make.variable('x', [19, 19]);
    return { outputs: [make.sum(x, 0)], updates: { x: make.op('sub', [x, make.op('matmul', [x, turned(make, x)])]) } };
  },
  'x <- x / sum of its rows': (make) => {
    const x = make.variable('x', [9, 40]);
    const sums = make.broadcast(make.sum(make.op('square', [x]), 1), [9, 40], [0]);
    return { updates: { x: make.op('div', [x, sums]) } };
  },
  'x <- x - mean of its columns, twice': (make) => {
    const x = make.variable('x', [40, 33]);
    const less = (node: TensorNode): TensorNode => make.op('sub', [node, make.broadcast(make.sum(node, 0), [40, 33], [1])]);
    return { updates: { x: less(less(x)) } };
  },
  'w and its moments': (make) => {
    const [w, m] = [make.variable('w', [20, 30]), make.variable('m', [20, 30])];
    const gradient = make.op('matmul', [turned(make, make.feed('x', [8, 20])), make.feed('g', [8, 30])]);
    const next = make.op('add', [make.op('mul', [m, make.broadcast(make.constant(0.9), [20, 30])]), gradient]);
    return {
      outputs: [make.sum(w, 0, 1)],
      updates: { m: next, w: make.op('sub', [w, make.op('mul', [next, make.broadcast(make.constant(0.1), [20, 30])])]) },
    };
  },
  'rows of a table, added to where they were read': (make) => {
    const table = make.variable('table', [11, 6]);
    const ids = make.feed('ids', [5], 'i32');
    const rows = make.op('gather', [table, ids]);
    return {
      outputs: [rows],
      updates: { table: make.op('add', [table, make.op('scatterAdd', [ids, rows], { rows: dimsOf([11])[0] as never })]) },
    };
  },
  'one value for two variables and an output': (make) => {
    const [a, b] = [make.variable('a', [21]), make.variable('b', [21])];
    const value = make.op('mul', [a, b]);
    return { outputs: [value, reversed(make, value)], updates: { a: value, b: value } };
  },
  'a feed as it is': (make) => {
    const x = make.feed('x', [12]);
    return { outputs: [x, x], updates: { a: (make.variable('a', [12]), x) } };
  },
  'fibonacci vectors in a loop': (make) => {
    const [a, b] = make.loop(6, [make.feed('a', [9]), make.feed('b', [9])], (_, x, y) => [
      y as TensorNode,
      make.op('add', [x as TensorNode, y as TensorNode]),
    ]);
    return { outputs: [b as TensorNode, a as TensorNode, b as TensorNode] };
  },
  'swapped and reversed carries': (make) => {
    const [a, b, c] = make.loop(5, [make.feed('a', [9]), make.feed('b', [9]), make.feed('c', [])], (i, x, y, z) => [
      reversed(make, y as TensorNode),
      x as TensorNode,
      make.op('sub', [make.sum(x as TensorNode, 0), z as TensorNode]),
      make.op('mul', [x as TensorNode, y as TensorNode]),
      make.op('cast', [i], { dtype: 'f32' }),
    ]);
    return { outputs: [a as TensorNode, b as TensorNode, c as TensorNode] };
  },
  'a variable carried, and updated by what is left': (make) => {
    const w = make.variable('w', [6, 6]);
    const [last] = make.loop(3, [w], (_, x) => [exp(make, make.op('matmul', [x as TensorNode, w]))]);
    return { outputs: [make.sum(w, 0)], updates: { w: last as TensorNode } };
  },
  'carries through products in a loop in a loop': (make) => {
    const [h] = make.loop(3, [make.feed('h', [4, 5])], (_, x) => {
      const [inner, total] = make.loop(2, [x as TensorNode, make.constant(0)], (__, y, t) => [
        exp(make, make.op('matmul', [y as TensorNode, make.weight])),
        make.op('add', [t as TensorNode, make.sum(y as TensorNode, 0, 1)]),
      ]);
      return [make.op('add', [inner as TensorNode, make.broadcast(total as TensorNode, [4, 5])])];
    });
    return { outputs: [h as TensorNode] };
  },
};

it.each(Object.entries(cases))('%s', (name, draw) => {
  const make = new HazardMake('h');
  const { outputs = [], updates = {} } = draw(make);
  const one: GraphCase = {
    name: 'hazard',
    make,
    entry: make.entry(outputs, Object.fromEntries(Object.entries(updates).map(([path, node]) => [`h.${path}`, node]))),
    sizes: [{}],
    value: (feed, { dtype }, shape) => ({
      ...noisy(shape, name.length + feed.length + (feed.codePointAt(0) ?? 0)),
      dtype,
      ...(dtype === 'i32' ? { data: Float64Array.from([0, 3, -1, 3, 10]) } : {}),
    }),
    steps: 3,
  };
  expect([...runGraphs([one]), ...runGraphs([{ ...one, simplified: true }])]).toEqual([]);
});
