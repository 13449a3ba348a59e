// At least one graph per rule. In: a maker. Out: roots at which the rule fires. Holds: every rule has a row, and every row a rule.

import { Dim, type DType } from '../../src/base/index.js';
import type { Attrs, TensorNode } from '../../src/graph/index.js';
import { tensorOf } from '../../src/ops/index.js';
import { modesFor } from '../ops/derivatives.js';
import type { Make } from './make.js';

type Example = (g: Make) => readonly TensorNode[];

const x = (g: Make): TensorNode => g.feed('x');
const y = (g: Make): TensorNode => g.feed('y');
const ints = (g: Make, dtype: DType = 'i32'): TensorNode => g.feed('n', ['B', 'N'], dtype);
const truth = (g: Make, name = 'c'): TensorNode => g.feed(name, ['B', 'N'], 'bool');
const scalar = (g: Make, name = 's'): TensorNode => g.feed(name, []);
const row = (g: Make, name = 'r'): TensorNode => g.feed(name, ['N']);
const op = (g: Make, name: string, args: readonly TensorNode[], attrs: Attrs): TensorNode => tensorOf(g.op(name, args, attrs));
const iota = (g: Make, shape: readonly (string | number)[], axis: number, dtype: DType = 'i32'): TensorNode =>
  op(g, 'iota', [], { shape: shape.map((size) => Dim.of(size)), axis, dtype });
const dims = (...sizes: readonly (number | string)[]): Dim[] => sizes.map((size) => Dim.of(size));

export const ruleCorpus: Readonly<Record<string, readonly Example[]>> = {
  // contractions.ts
  'border-before-contraction': [
    // A window of three with a border, and what a stride of two leaves.
    (g) => [
      op(g, 'contract', [g.feed('z', ['N', 2]), g.feed('w', [3, 2, 5])], {
        shape: dims('N', 3, 2),
        coefficients: [dims(1, 1, 0), dims(0, 0, 1)],
        offsets: dims(-1, 0),
        divisors: [1, 1],
        outside: 0,
        batch: 0,
        rows: 1,
      }),
    ],
    (g) => [
      op(g, 'contract', [g.feed('z', [4, 2]), g.feed('w', [3, 2, 5])], {
        shape: dims(9, 3, 2),
        coefficients: [dims(1, -1, 0), dims(0, 0, 1)],
        offsets: dims(1, 0),
        divisors: [2, 1],
        outside: 0,
        batch: 0,
        rows: 1,
      }),
    ],
  ],
  // constants.ts
  'fold-constants': [
    (g) => [g.f('add', g.full(0.1, [], 'f32'), g.full(0.2, [], 'f32'))],
    (g) => [g.f('exp', g.full(1, [])), g.f('select', g.full(1, [], 'bool'), g.full(2, []), g.full(3, []))],
    (g) => [
      g.f('mul', g.full(123456789012n, [], 'i64'), g.full(987654321987n, [], 'i64')),
      g.f('add', g.full(2147483647, [], 'i32'), g.full(1, [], 'i32')),
    ],
    (g) => [op(g, 'cast', [g.full(7, [], 'i32')], { dtype: 'f64' }), g.f('lt', g.full(1, []), g.full(2, []))],
    (g) => [g.f('sub', g.full(0, []), scalar(g)), g.f('add', g.full(1, ['B', 'N']), g.full(2, ['B', 'N']))],
  ],
  'known-size': [(g) => [op(g, 'dimension', [], { dim: Dim.of(12) })]],
  'single-count': [(g) => [iota(g, ['B', 1], 1), iota(g, [1], 0, 'i64')]],
  'move-constant': [
    (g) => [g.transpose(g.full(3), 1, 0), op(g, 'slice', [g.full(2, [5])], { starts: dims(1), stops: dims(3), steps: [1] })],
  ],
  'pad-zero-with-zeros': [(g) => [op(g, 'pad', [g.full(0, ['B'])], { before: dims(1), after: dims(2), inner: [0] })]],
  'join-equal-constants': [(g) => [op(g, 'concat', [g.full(2, ['B', 1]), g.full(2, ['B', 3])], { axis: 1 })]],
  'extreme-of-constant': [
    (g) => [op(g, 'reduceMax', [g.full(2, ['B', 3])], { axes: [1] }), op(g, 'reduceAll', [g.full(1, [3], 'bool')], { axes: [0] })],
  ],
  'slice-of-count': [
    (g) => [op(g, 'slice', [iota(g, ['B', 'N'], 1)], { starts: [Dim.of(1), Dim.zero], stops: dims('B', 'N'), steps: [1, 1] })],
  ],

  // arithmetic.ts
  'add-zero': [
    (g) => [g.f('add', x(g), g.full(0)), g.f('add', g.full(-0, []), scalar(g)), g.f('add', ints(g), g.full(0, ['B', 'N'], 'i32'))],
  ],
  'subtract-zero': [(g) => [g.f('sub', x(g), g.full(0))]],
  'subtract-from-zero': [(g) => [g.f('sub', g.full(0), x(g)), g.f('sub', g.full(0, ['B', 'N'], 'i32'), ints(g))]],
  'integer-difference-with-itself': [
    (g) => [g.f('sub', ints(g), ints(g)), g.f('sub', g.feed('m', ['B'], 'i64'), g.feed('m', ['B'], 'i64'))],
  ],
  'double-negation': [(g) => [g.f('neg', g.f('neg', x(g)))]],
  'negated-difference': [(g) => [g.f('neg', g.f('sub', x(g), y(g)))]],
  'add-negative': [
    (g) => [g.f('add', x(g), g.f('neg', y(g))), g.f('add', g.f('neg', g.f('exp', x(g))), y(g))],
    (g) => [g.f('add', x(g), g.f('mul', g.f('neg', y(g)), x(g))), g.f('add', g.f('div', y(g), g.f('neg', x(g))), x(g))],
  ],
  'subtract-negative': [(g) => [g.f('sub', x(g), g.f('neg', y(g))), g.f('sub', x(g), g.f('mul', y(g), g.f('neg', x(g))))]],
  'multiply-by-one': [(g) => [g.f('mul', x(g), g.full(1)), g.f('mul', g.full(1, ['B', 'N'], 'i32'), ints(g))]],
  'divide-by-one': [(g) => [g.f('div', x(g), g.full(1))]],
  'multiply-by-zero': [
    (g) => [g.f('mul', ints(g), g.full(0, ['B', 'N'], 'i32')), g.f('mul', g.full(0), op(g, 'cast', [truth(g)], { dtype: 'f64' }))],
  ],
  'multiply-by-minus-one': [(g) => [g.f('mul', x(g), g.full(-1)), g.f('div', y(g), g.full(-1))]],
  'two-negative-factors': [(g) => [g.f('mul', g.f('neg', x(g)), g.f('neg', y(g))), g.f('div', g.f('neg', x(g)), g.f('neg', y(g)))]],
  'negative-times-constant': [(g) => [g.f('mul', g.f('neg', x(g)), g.full(3)), g.f('div', g.full(3), g.f('neg', y(g)))]],
  'negated-constant-factor': [(g) => [g.f('neg', g.f('mul', x(g), g.full(3))), g.f('neg', g.f('div', g.full(3), y(g)))]],
  'divide-by-power-of-two': [(g) => [g.f('div', x(g), g.full(8)), g.f('div', y(g), g.full(-0.25))]],
  'small-power': [(g) => [0, 1, 2, 3, -1].map((power) => g.f('pow', x(g), g.full(power)))],
  'even-function-of-negative': [
    (g) => ['abs', 'square', 'cos', 'cosh'].map((name) => g.f(name, g.f('neg', x(g)))).concat(g.f('square', g.f('abs', y(g)))),
  ],
  'absolute-value-of-nonnegative': [(g) => [g.f('abs', g.f('square', x(g))), g.f('abs', g.f('exp', x(g)))]],
  'softplus-rest': [(g) => [g.f('log1p', g.f('exp', g.f('neg', g.f('abs', x(g)))))]],
  // powers-of-two.ts
  'power-of-two-times-constant': [
    (g) => [g.f('mul', g.full(3), g.f('mul', x(g), g.full(4))), g.f('mul', g.f('mul', y(g), g.full(0.1)), g.full(-0.5))],
    (g) => [g.f('mul', g.full(2), g.f('mul', x(g), g.full(0.5)))],
  ],
  'power-of-two-in-product': [
    (g) => [g.f('mul', g.f('mul', x(g), g.full(2)), y(g)), g.f('mul', g.f('exp', y(g)), g.f('mul', g.full(-0.25), y(g)))],
    (g) => [g.f('mul', g.f('mul', x(g), g.full(2)), g.f('mul', g.full(0.5), y(g))), g.f('mul', x(g), g.full(2))],
    (g) => [g.f('mul', g.f('mul', x(g), g.full(2)), g.f('mul', y(g), g.full(8)))],
    (g) => [g.f('mul', g.f('mul', x(g), g.full(2)), op(g, 'broadcast', [row(g)], { shape: dims('B', 'N'), axes: [1] }))],
  ],

  // tangents.ts
  'one-more-than-tanh': [(g) => [g.f('add', g.full(1), g.f('tanh', x(g))), g.f('add', g.f('tanh', y(g)), g.full(1))]],
  'slope-of-tanh': [(g) => [g.f('add', g.full(1), g.f('tanh', x(g))), g.f('sub', g.full(1), g.f('square', g.f('tanh', x(g))))]],
  'larger-of-equals': [(g) => [g.f('max', x(g), x(g)), g.f('min', y(g), y(g))]],
  'rounded-whole-number': [(g) => [g.f('floor', g.f('round', x(g))), g.f('trunc', g.f('ceil', x(g)))]],

  // logic.ts
  'double-not': [(g) => [g.f('not', g.f('not', truth(g)))]],
  'not-equal': [(g) => [g.f('not', g.f('eq', x(g), y(g))), g.f('not', g.f('ne', x(g), y(g)))]],
  'known-condition': [
    (g) =>
      [1, 0].flatMap((value) =>
        ['and', 'or'].flatMap((name) => [
          g.f(name, truth(g), g.full(value, ['B', 'N'], 'bool')),
          g.f(name, g.full(value, ['B', 'N'], 'bool'), truth(g)),
        ]),
      ),
    (g) => [g.f('and', truth(g), truth(g)), g.f('or', truth(g), truth(g))],
  ],
  'integer-compared-with-itself': [(g) => ['eq', 'ne', 'lt', 'le', 'gt', 'ge'].map((name) => g.f(name, ints(g), ints(g)))],
  'known-choice': [
    (g) => [
      g.f('select', g.full(1, ['B', 'N'], 'bool'), x(g), y(g)),
      g.f('select', g.full(0, ['B', 'N'], 'bool'), x(g), y(g)),
      g.f('select', truth(g), x(g), x(g)),
    ],
  ],
  'choice-by-negation': [(g) => [g.f('select', g.f('not', truth(g)), x(g), y(g))]],
  'choice-twice': [
    (g) => [
      g.f('select', truth(g), g.f('select', truth(g), x(g), y(g)), g.f('exp', x(g))),
      g.f('select', truth(g), y(g), g.f('select', truth(g), y(g), x(g))),
    ],
  ],
  'choice-of-truth': [
    (g) => [
      g.f('select', truth(g), g.full(1, ['B', 'N'], 'bool'), g.full(0, ['B', 'N'], 'bool')),
      g.f('select', truth(g), g.full(0, ['B', 'N'], 'bool'), g.full(1, ['B', 'N'], 'bool')),
    ],
  ],
  'sum-of-two-choices': [
    (g) => [g.f('add', g.f('select', truth(g), x(g), g.full(0)), g.f('select', truth(g), g.full(0), y(g)))],
    (g) => [g.f('add', g.f('select', truth(g), g.full(0), x(g)), g.f('select', truth(g), y(g), g.full(0)))],
  ],
  'cast-to-itself': [(g) => [op(g, 'cast', [x(g)], { dtype: 'f64' })]],
  'cast-by-way-of-wider': [
    (g) => [
      op(g, 'cast', [op(g, 'cast', [ints(g)], { dtype: 'i64' })], { dtype: 'f64' }),
      op(g, 'cast', [op(g, 'cast', [truth(g)], { dtype: 'u8' })], { dtype: 'f64' }),
    ],
  ],

  // movement.ts
  'broadcast-to-same-shape': [(g) => [g.broadcast(x(g), ['B', 'N'], [0, 1])]],
  'broadcast-twice': [(g) => [g.broadcast(g.broadcast(row(g), ['B', 'N'], [1]), ['B', 'N', 'K'], [0, 1])]],
  'broadcast-without-stretching': [
    (g) => [g.broadcast(g.feed('u', ['B', 1]), ['B', 'N'], [0, 1]), g.broadcast(g.feed('v', [1]), ['B'], [0])],
  ],
  'broadcast-of-units': [(g) => [g.broadcast(row(g), [1, 'N', 1], [1])]],
  'reshape-to-same-shape': [(g) => [g.reshape(x(g), ['B', 'N'])]],
  'reshape-twice': [(g) => [g.reshape(g.reshape(g.feed('z', ['B', 6]), ['B', 2, 3]), ['B', 3, 2])]],
  'reshape-of-scalar': [(g) => [g.reshape(scalar(g), [1, 1]), g.reshape(g.broadcast(scalar(g), ['B', 6], []), ['B', 2, 3])]],
  'reshape-of-broadcast': [(g) => [g.reshape(g.broadcast(row(g), ['B', 'N'], [1]), ['B', 1, 'N'])]],
  'transpose-in-order': [(g) => [g.transpose(x(g), 0, 1)]],
  'transpose-twice': [
    (g) => [g.transpose(g.transpose(g.feed('z', ['B', 'N', 'K']), 1, 2, 0), 1, 2, 0), g.transpose(g.transpose(x(g), 1, 0), 1, 0)],
  ],
  'transpose-of-units': [(g) => [g.transpose(g.feed('u', ['B', 1, 'N']), 1, 0, 2)]],
  'transpose-of-broadcast': [
    (g) => [g.transpose(g.broadcast(row(g), ['B', 'N'], [1]), 1, 0), g.transpose(g.broadcast(x(g), ['B', 'K', 'N'], [0, 2]), 2, 1, 0)],
  ],
  'work-before-broadcast': [
    (g) => [
      g.f('exp', g.broadcast(row(g), ['B', 'N'], [1])),
      g.f('mul', g.broadcast(scalar(g), ['B', 'N'], []), g.broadcast(scalar(g, 't'), ['B', 'N'], [])),
    ],
    (g) => [
      g.f('add', g.broadcast(row(g), ['B', 'N'], [1]), g.broadcast(row(g, 'q'), ['B', 'N'], [1])),
      g.f('mul', g.broadcast(row(g), ['B', 'N'], [1]), g.full(3)),
    ],
    (g) => [op(g, 'cast', [g.broadcast(row(g), ['B', 'N'], [1])], { dtype: 'f32' })],
  ],

  // pieces.ts
  'slice-of-everything': [(g) => [op(g, 'slice', [x(g)], { starts: dims(0, 0), stops: dims('B', 'N'), steps: [1, 1] })]],
  'slice-twice': [
    (g) => [
      op(g, 'slice', [op(g, 'slice', [g.feed('z', [9])], { starts: dims(2), stops: dims(9), steps: [1] })], {
        starts: dims(1),
        stops: dims(6),
        steps: [2],
      }),
    ],
    (g) => [
      op(g, 'slice', [op(g, 'slice', [g.feed('z', [9])], { starts: dims(2), stops: dims(9), steps: [1] })], {
        starts: dims(5),
        stops: dims(0),
        steps: [-2],
      }),
    ],
  ],
  'slice-of-broadcast': [
    (g) => [op(g, 'slice', [g.broadcast(row(g), [5, 'N'], [1])], { starts: dims(1, 0), stops: dims(4, 'N'), steps: [1, 1] })],
  ],
  'slice-of-pad': [
    (g) => [
      op(g, 'slice', [op(g, 'pad', [row(g)], { before: dims(2), after: dims('B'), inner: [0] })], {
        starts: dims(2),
        stops: [Dim.of('N').add(2)],
        steps: [1],
      }),
    ],
    (g) => [
      op(g, 'slice', [op(g, 'pad', [g.feed('z', [3])], { before: dims(1), after: dims(1), inner: [1] })], {
        starts: dims(1),
        stops: dims(6),
        steps: [2],
      }),
    ],
  ],
  'slice-of-concat': [
    (g) => [
      op(g, 'slice', [op(g, 'concat', [row(g), g.feed('z', [5])], { axis: 0 })], {
        starts: [Dim.of('N').add(1)],
        stops: [Dim.of('N').add(3)],
        steps: [1],
      }),
    ],
  ],
  'pad-with-nothing': [(g) => [op(g, 'pad', [x(g)], { before: dims(0, 0), after: dims(0, 0), inner: [0, 0] })]],
  'concat-of-one': [(g) => [op(g, 'concat', [x(g)], { axis: 0 }), op(g, 'concat', [row(g), g.feed('z', [0]), row(g)], { axis: 0 })]],
  'concat-of-concats': [(g) => [op(g, 'concat', [op(g, 'concat', [x(g), y(g)], { axis: 0 }), x(g)], { axis: 0 })]],
  'gather-in-order': [(g) => [op(g, 'gather', [x(g), iota(g, ['B'], 0)], {})]],
  'scatter-in-order': [(g) => [op(g, 'scatterAdd', [iota(g, ['B'], 0), x(g)], { rows: Dim.of('B') })]],

  // reductions.ts
  'reduce-nothing': [(g) => [g.sum(x(g)), op(g, 'reduceMax', [scalar(g)], { axes: [] })]],
  'reduce-units': [(g) => [g.sum(g.feed('u', ['B', 1, 'N']), 1), op(g, 'reduceMin', [g.feed('u', ['B', 1, 'N'])], { axes: [1, 2] })]],
  'reduce-twice': [
    (g) => [
      g.sum(g.sum(g.feed('z', ['B', 'N', 'K']), 1), 1),
      op(g, 'reduceMax', [op(g, 'reduceMax', [x(g)], { axes: [0] })], { axes: [0] }),
    ],
  ],
  'reduce-of-reshape': [
    (g) => [g.sum(g.reshape(x(g), ['B', 1, 'N']), 2), op(g, 'reduceMax', [g.reshape(g.feed('u', ['B', 1]), ['B'])], { axes: [0] })],
  ],
  'reduce-of-transpose': [(g) => [g.sum(g.transpose(x(g), 1, 0), 0), g.sum(g.transpose(g.feed('z', ['B', 'N', 'K']), 2, 1, 0), 1)]],
  'sum-of-negated': [(g) => [g.sum(g.f('neg', x(g)), 0)]],
  'sum-over-broadcast': [
    (g) => [g.sum(g.broadcast(row(g), ['B', 'N'], [1]), 0), g.sum(g.broadcast(row(g), ['B', 'N', 3], [1]), 0, 1, 2)],
    (g) => [g.sum(g.full(2n, ['B', 3], 'i64'), 1), g.sum(g.full(1, ['B', 'N'], 'i32'), 0)],
  ],
  'extreme-over-broadcast': [(g) => [op(g, 'reduceMax', [g.broadcast(row(g), [3, 'N'], [1])], { axes: [0, 1] })]],
  'matmul-over-one': [
    (g) => [
      tensorOf(g.op('matmul', [g.feed('u', ['B', 1]), g.feed('v', [1, 'N'])])),
      tensorOf(g.op('matmul', [g.feed('a', ['K', 'B', 1]), g.feed('b', ['K', 1, 'N'])])),
    ],
  ],
  'matmul-of-one-value': [
    (g) => [tensorOf(g.op('matmul', [g.full(2, ['K', 'B']), x(g)])), tensorOf(g.op('matmul', [x(g), g.full(-1, ['N', 'K'])]))],
  ],

  // loops.ts
  'loop-without-turn': [(g) => g.loop(0, [scalar(g)], (_, z) => [g.f('exp', z as TensorNode), z as TensorNode])],
  'loop-of-one-turn': [
    (g) =>
      g.loop(1, [scalar(g)], (count, z) => [
        g.f('add', z as TensorNode, op(g, 'cast', [count], { dtype: 'f64' })),
        g.f('cos', z as TensorNode),
      ]),
  ],
  'unchanged-carry': [
    (g) =>
      g.loop('B', [scalar(g), scalar(g, 't')], (_, z, same) => [
        g.f('mul', z as TensorNode, g.f('cos', same as TensorNode)),
        same as TensorNode,
      ]),
  ],
  'unused-loop-result': [
    (g) =>
      g
        .loop('B', [scalar(g), scalar(g, 't'), row(g)], (_, z, t, r) => [
          g.f('cos', z as TensorNode),
          g.f('add', t as TensorNode, z as TensorNode),
          g.f('exp', r as TensorNode),
          g.f('sin', z as TensorNode),
        ])
        .slice(0, 1),
    (g) =>
      g
        .loop('B', [scalar(g), scalar(g, 't')], (_, z, t) => [g.f('cos', z as TensorNode), g.f('sin', t as TensorNode), t as TensorNode])
        .slice(2),
  ],
  'same-loop-twice': [
    (g) => {
      const turn = (z: TensorNode): TensorNode => g.f('cos', g.f('mul', z, scalar(g, 't')));
      const [last, sines] = g.loop('B', [scalar(g)], (_, z) => [turn(z as TensorNode), g.f('sin', z as TensorNode)]) as [
        TensorNode,
        TensorNode,
      ];
      const [again, squares, both] = g.loop('B', [scalar(g)], (_, z) => [
        turn(z as TensorNode),
        g.f('square', z as TensorNode),
        g.f('sin', z as TensorNode),
      ]) as [TensorNode, TensorNode, TensorNode];
      return [g.f('sub', last, again), sines, squares, both];
    },
    // Pairs in a row, as derivatives make them; a third one depends on what the first two give, and stays apart.
    (g) => {
      const pair = (z: TensorNode): TensorNode[] => [
        ...g.loop('B', [z], (_, c) => [g.f('cos', c as TensorNode)]),
        ...g.loop('B', [z], (_, c) => [g.f('cos', c as TensorNode), c as TensorNode]),
      ];
      const [first, again, stack] = pair(scalar(g)) as [TensorNode, TensorNode, TensorNode];
      const [, third] = g.loop('B', [scalar(g)], (_, c) => [g.f('cos', c as TensorNode), g.f('mul', c as TensorNode, first)]);
      const [second, , other] = pair(first) as [TensorNode, TensorNode, TensorNode];
      return [g.f('sub', first, again), stack, third as TensorNode, second, other];
    },
  ],
  'loop-captures': [
    // Two captures that turn out to be one, and one that turns out to be a constant.
    (g) => {
      const s = scalar(g);
      const [same, three] = [g.f('add', s, g.full(0, [])), g.f('add', g.full(1, []), g.full(2, []))];
      return g.loop('B', [scalar(g, 't')], (_, z) => [
        g.f('add', g.f('mul', z as TensorNode, s), g.f('mul', g.f('div', z as TensorNode, same), three)),
      ]);
    },
    // What the body computes is found not to depend on the loop.
    (g) =>
      g.loop('B', [scalar(g)], (count, z) => [
        g.f('add', z as TensorNode, g.f('cos', g.f('add', scalar(g, 't'), op(g, 'cast', [g.f('sub', count, count)], { dtype: 'f64' })))),
      ]),
  ],

  // regions.ts
  'known-branch': [
    (g) =>
      g.branch(
        g.full(1, [], 'bool'),
        [x(g), y(g)],
        (a, b) => [g.f('cos', a as TensorNode), b as TensorNode],
        (a, b) => [g.f('exp', b as TensorNode), g.f('add', a as TensorNode, b as TensorNode)],
      ),
  ],
  'unused-branch-result': [
    (g) =>
      g
        .branch(
          g.feed('p', [], 'bool'),
          [x(g), y(g)],
          (a, b) => [g.f('cos', a as TensorNode), b as TensorNode],
          (a, b) => [g.f('exp', b as TensorNode), g.f('sin', a as TensorNode)],
        )
        .slice(1),
  ],
  'branch-captures': [
    (g) => {
      const [s, three] = [scalar(g), g.f('add', g.full(1, []), g.full(2, []))];
      return g.branch(
        g.feed('p', [], 'bool'),
        [s, three, s],
        (a, b, c) => [g.f('mul', g.f('mul', a as TensorNode, b as TensorNode), c as TensorNode)],
        (a) => [g.f('exp', a as TensorNode)],
      );
    },
  ],
  'unused-recomputed-result': [
    (g) => g.recompute([x(g), y(g)], (a, b) => [g.f('cos', a as TensorNode), b as TensorNode, g.f('exp', b as TensorNode)]).slice(1),
  ],
  'recompute-captures': [
    (g) => {
      const [s, three] = [scalar(g), g.f('add', g.full(1, []), g.full(2, []))];
      return g.recompute([s, three, s], (a, b, c) => [g.f('mul', g.f('mul', a as TensorNode, b as TensorNode), c as TensorNode)]);
    },
  ],
  'unused-carry': [
    // The condition reads one carry, the wanted one another, and a third one nobody.
    (g) =>
      g
        .while(
          5,
          [scalar(g), scalar(g, 't'), row(g)],
          (_, z) => g.f('lt', z as TensorNode, g.full(3, [])),
          (_, z, t, r) => [
            g.f('add', g.f('abs', z as TensorNode), g.full(1, [])),
            g.f('sin', g.f('add', t as TensorNode, z as TensorNode)),
            g.f('exp', r as TensorNode),
          ],
        )
        .filter((_, at) => at === 1 || at === 3),
  ],
  'unused-state': [
    (g) => {
      const z = g.while(
        4,
        [scalar(g)],
        (count) => g.f('lt', count, g.full(3, [], 'i32')),
        (_, one) => [g.f('sin', g.f('mul', one as TensorNode, scalar(g, 't')))],
      )[0] as TensorNode;
      // The derivative by `t` is found, too, and nothing takes it.
      return [modesFor(g.build).vjp([z], [g.full(1, [])], [scalar(g), scalar(g, 't')])[0] as TensorNode];
    },
  ],
  'round-captures': [
    (g) => {
      const s = scalar(g);
      const [same, three] = [g.f('add', s, g.full(0, [])), g.f('add', g.full(1, []), g.full(2, []))];
      return g.while(
        6,
        [scalar(g, 't')],
        (count) => g.f('lt', count, g.full(4, [], 'i32')),
        (_, z) => [g.f('add', g.f('mul', z as TensorNode, s), g.f('mul', g.f('div', z as TensorNode, same), three))],
      );
    },
  ],
};
