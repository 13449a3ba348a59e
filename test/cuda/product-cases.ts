// Products of every kind of size, layout and dtype, for blocks of threads. In: nothing. Out: cases for the chain of oracles.

import { Dim, type DType, type Precision } from '../../src/base/index.js';
import type { Attrs, TensorNode } from '../../src/graph/index.js';
import { tensorValue, type TensorValue } from '../../src/ops/index.js';
import { CaseMake, type GraphCase, type Sizes } from '../chain/graphs.js';

type Size = number | string;
type Which = 'x' | 'w';

const wave = (dtype: DType, name: string, shape: readonly number[]): TensorValue =>
  tensorValue(
    dtype,
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) =>
      dtype.startsWith('i') ? ((at * 7 + name.length) % 11) - 5 : Math.round(Math.sin(at * 1.7 + name.length) * 64) / 32,
    ),
  );

/** Full significands of both signs, sums that cancel, numbers in the middle of two of TF32. */
const allBits: GraphCase['value'] = (name, { dtype }, shape) =>
  tensorValue(
    dtype,
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) =>
      at % 7 === 0 ? 1 + (at % 64) * 2 ** -11 : Math.fround(Math.sin(at * 1.7 + name.charCodeAt(0)) * 2 ** (at % 5)),
    ),
  );

export function caseOf(
  name: string,
  dtype: DType,
  sizes: readonly Sizes[],
  build: (make: CaseMake, feed: (name: string, shape: readonly Size[]) => TensorNode) => TensorNode,
): GraphCase {
  const make = new CaseMake(name);
  const entry = make.entry([build(make, (feed, shape) => make.feed(feed, shape, dtype))]);
  return {
    name,
    make,
    entry,
    sizes,
    simplified: true,
    value: (feed, type, shape) => wave(type.dtype, feed, shape),
    ...(dtype === 'f32' ? { tolerance: () => 1e-4 } : {}),
  };
}

export const product = (left: readonly Size[], right: readonly Size[], dtype: DType = 'f32', sizes: readonly Sizes[] = [{}]): GraphCase =>
  caseOf(`${dtype} [${left.join()}] @ [${right.join()}] ${JSON.stringify(sizes)}`, dtype, sizes, (make, feed) =>
    make.op('matmul', [feed('x', left), feed('w', right)]),
  );

/** Of a contraction whose view moves nothing. */
const plain = (shape: readonly Size[], batch: number, rows: number): Attrs => ({
  shape: shape.map((size) => Dim.of(size)),
  coefficients: shape.map((_, row) => shape.map((__, axis) => Dim.of(row === axis ? 1 : 0))),
  offsets: shape.map(() => Dim.zero),
  divisors: shape.map(() => 1),
  outside: false,
  batch,
  rows,
});

export const transposed = (make: CaseMake, node: TensorNode): TensorNode => make.op('transpose', [node], { axes: [1, 0] });

/** In TF32, whichever way the sides lie. */
const rounded = (name: string, left: readonly Size[], right: readonly Size[], turned: readonly Which[], sizes: Sizes = {}): GraphCase =>
  caseOf(`rounded to TF32${name}`, 'f32', [sizes], (make, feed) => {
    const side = (which: Which, shape: readonly Size[]): TensorNode =>
      turned.includes(which)
        ? transposed(make, narrow(make, feed(which, shape.toReversed()), 'tf32'))
        : narrow(make, feed(which, shape), 'tf32');
    return make.op('matmul', [side('x', left), side('w', right)]);
  });

/** `wave` has numbers that bf16 holds, so that the meaning, which rounds nothing, is the same. */
const narrow = (make: CaseMake, node: TensorNode, dtype: Precision = 'bf16'): TensorNode => make.op('narrow', [node], { dtype });

const formats: readonly (readonly [Precision, Precision])[] = [
  ['tf32', 'tf32'],
  ['bf16', 'bf16'],
  ['f16', 'f16'],
  ['tf32', 'bf16'],
  ['f16', 'tf32'],
  ['f16', 'bf16'],
  ['f32', 'tf32'],
  ['bf16', 'f32'],
];

/** Products of all formats, rounded where they lie in memory, and behind what computes them. */
export const roundings: readonly GraphCase[] = formats.flatMap(([left, right]) =>
  [false, true].map((isComputed): GraphCase => {
    const one = caseOf(`${left} and ${right}${isComputed ? ', computed' : ''}`, 'f32', [{}], (make, feed) => {
      const side = (name: string, shape: readonly Size[], to: Precision): TensorNode => {
        const x = isComputed ? make.op('tanh', [feed(name, shape)]) : feed(name, shape);
        return to === 'f32' ? x : narrow(make, x, to);
      };
      return make.op('matmul', [side('x', [20, 24], left), side('w', [24, 36], right)]);
    });
    return { ...one, value: allBits };
  }),
);

export const cases: readonly GraphCase[] = [
  // Tiles that fit, tiles that do not, copies of several elements and of one.
  product([32, 32], [32, 32]),
  product([50, 20], [20, 300]),
  product([1, 64], [64, 40]),
  product([33, 7], [7, 35]),
  product([70, 18], [18, 66]),
  product([5, 3], [3, 2]),
  // Nothing to multiply, or nothing to sum.
  product(['N', 8], [8, 16], 'f32', [{ N: 0 }, { N: 1 }, { N: 37 }]),
  product([5, 0], [0, 6]),
  product(['N', 'K'], ['K', 'M'], 'f32', [
    { N: 3, K: 0, M: 5 },
    { N: 20, K: 33, M: 18 },
  ]),
  // Several matrices, and rows of several axes.
  product([3, 20, 24], [3, 24, 20]),
  caseOf('rows of two axes', 'f32', [{ T: 5 }], (make, feed) =>
    make.op('contract', [feed('x', [3, 'T', 24]), feed('w', [24, 20])], plain([3, 'T', 24], 0, 2)),
  ),
  caseOf('a convolution of three channels', 'f32', [{}], (make, feed) =>
    make.op('contract', [feed('x', [2, 12, 3]), feed('w', [4, 3, 20])], {
      shape: [2, 9, 4, 3].map(Dim.of),
      coefficients: [
        [1, 0, 0, 0],
        [0, 1, 1, 0],
        [0, 0, 0, 1],
      ].map((row) => row.map(Dim.of)),
      offsets: [Dim.zero, Dim.zero, Dim.zero],
      divisors: [1, 1, 1],
      outside: false,
      batch: 0,
      rows: 2,
    }),
  ),
  // So many that tiles are as large as they get.
  product([200, 120, 12], [200, 12, 120]),
  // Depths of two runs, of more, and of who knows how many.
  product([20, 1100], [1100, 20]),
  product([6, 2500], [2500, 34]),
  product([6, 'K'], ['K', 20], 'f32', [{ K: 0 }, { K: 40 }, { K: 1023 }, { K: 1024 }, { K: 1500 }]),
  product([40, 'K'], ['K', 36], 'bf16', [{ K: 33 }, { K: 1100 }]),
  caseOf('a depth that is cut where it is deep, and what follows', 'f32', [{ K: 70 }, { K: 1601 }], (make, feed) =>
    make.op('tanh', [
      make.op('add', [
        make.op('matmul', [narrow(make, transposed(make, feed('x', ['K', 34])), 'tf32'), narrow(make, feed('w', ['K', 36]), 'tf32')]),
        feed('b', [34, 36]),
      ]),
    ]),
  ),
  // Parts of a depth by blocks of their own; the last part ends early.
  product([50, 784], [784, 40]),
  product([10, 3000], [3000, 10]),
  product([2, 20, 1000], [2, 1000, 20]),
  product([40, 1000], [1000, 36], 'bf16'),
  product([40, 1001], [1001, 35], 'f64'),
  product([20, 20], [20, 36], 'f64'),
  product([18, 30], [30, 20], 'i32'),
  product([18, 30], [30, 20], 'i64'),
  // By tensor cores: what is narrow, and what was rounded; lines that are copied, and lines that come through registers.
  product([18, 30], [30, 20], 'bf16'),
  product([64, 64], [64, 72], 'bf16'),
  product([40, 64], [64, 72], 'f16'),
  product([130, 48], [48, 260], 'bf16'),
  product([3, 33, 24], [3, 24, 40], 'f16'),
  product(['N', 'K'], ['K', 64], 'bf16', [
    { N: 40, K: 0 },
    { N: 5, K: 70 },
  ]),
  caseOf('rounded on both sides', 'f32', [{ N: 70 }], (make, feed) =>
    make.op('matmul', [narrow(make, feed('x', ['N', 72])), narrow(make, feed('w', [72, 100]))]),
  ),
  caseOf('rounded rows side by side', 'f32', [{}], (make, feed) =>
    make.op('matmul', [transposed(make, narrow(make, feed('x', [72, 68]))), narrow(make, feed('w', [72, 37]), 'bf16')]),
  ),
  caseOf('rounded, and nothing else to do', 'f64', [{}], (make, feed) =>
    make.op('matmul', [narrow(make, feed('x', [20, 24])), narrow(make, feed('w', [24, 20]))]),
  ),
  rounded('', [50, 72], [72, 100], []),
  rounded(', rows side by side', [36, 72], [72, 68], ['x']),
  rounded(', columns apart', [36, 72], [72, 68], ['w'], {}),
  rounded(', both turned, none of them whole', ['N', 37], [37, 35], ['x', 'w'], { N: 33 }),
  rounded(', large tiles', [600, 40], [40, 1500], []),
  caseOf('rounded to TF32 on one side', 'f32', [{}], (make, feed) =>
    make.op('matmul', [narrow(make, feed('x', [20, 24]), 'tf32'), feed('w', [24, 36])]),
  ),
  caseOf('rounded to TF32 and to bf16', 'f32', [{}], (make, feed) =>
    make.op('matmul', [narrow(make, feed('x', [20, 24]), 'tf32'), narrow(make, feed('w', [24, 36]))]),
  ),
  caseOf('rounded to TF32, computed, and read by others', 'f32', [{}], (make, feed) => {
    const x = make.op('tanh', [feed('x', [36, 24])]);
    const product = make.op('matmul', [narrow(make, x, 'tf32'), transposed(make, narrow(make, x, 'tf32'))]);
    return make.op('add', [product, make.op('matmul', [x, transposed(make, x)])]);
  }),
  // Every bit is that of the kernel interpreter, which rounds; the meaning does not.
  ...[rounded(' of all bits', [40, 52], [52, 70], ['w']), rounded(' of all bits, rows side by side', [50, 20], [20, 36], ['x'])].map(
    (one): GraphCase => ({ ...one, simplified: false, value: allBits, tolerance: () => 0, meaningTolerance: () => 2e-2 }),
  ),
  // Enough of them for the largest tiles.
  product([67, 128, 16], [67, 16, 256], 'bf16'),
  caseOf('rows of the left side side by side', 'f32', [{}], (make, feed) =>
    make.op('matmul', [transposed(make, feed('x', [40, 68])), feed('w', [40, 36])]),
  ),
  caseOf('rows side by side, none of them whole', 'f32', [{}], (make, feed) =>
    make.op('matmul', [transposed(make, feed('x', [40, 37])), feed('w', [40, 35])]),
  ),
  caseOf('a bias and a maximum behind it', 'f32', [{ N: 45 }], (make, feed) =>
    make.op('tanh', [
      make.op('add', [make.op('matmul', [feed('x', ['N', 24]), feed('w', [24, 36])]), make.broadcast(feed('b', [36]), ['N', 36], [1])]),
    ]),
  ),
];
