// Matrix products by blocks of threads, from graphs to the emulated device. In: products of every kind of size, layout and dtype. Out: what
// the meaning says. Holds: graph interpreter ≈ kernel interpreter ≈ the device; shared memory is raced for in none of them.

import { describe, expect, it } from 'vitest';
import { Dim, type DType } from '../../src/base/index.js';
import type { Attrs, TensorNode } from '../../src/graph/index.js';
import { type CopyStmt, forEachStatement, type KernelCode, type Stmt } from '../../src/kernel/index.js';
import { tensorValue, type TensorValue } from '../../src/ops/index.js';
import { CaseMake, type GraphCase, runGraphs, type Sizes } from '../chain/graphs.js';
import { lowerEntry } from '../lower/lower-entry.js';
import { device, target } from './device-chain.js';

type Size = number | string;

const wave = (dtype: DType, name: string, shape: readonly number[]): TensorValue =>
  tensorValue(
    dtype,
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) =>
      dtype.startsWith('i') ? ((at * 7 + name.length) % 11) - 5 : Math.round(Math.sin(at * 1.7 + name.length) * 64) / 32,
    ),
  );

function caseOf(
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

const product = (left: readonly Size[], right: readonly Size[], dtype: DType = 'f32', sizes: readonly Sizes[] = [{}]): GraphCase =>
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

const transposed = (make: CaseMake, node: TensorNode): TensorNode => make.op('transpose', [node], { axes: [1, 0] });

/** `wave` has numbers that bf16 holds, so that the meaning, which rounds nothing, is the same. */
const narrow = (make: CaseMake, node: TensorNode, dtype: DType = 'bf16'): TensorNode => make.op('narrow', [node], { dtype });

const cases: GraphCase[] = [
  // Tiles that fit, tiles that do not, copies of several elements and of one.
  product([32, 32], [32, 32]),
  product([50, 20], [20, 300]),
  product([1, 64], [64, 40]),
  product([33, 7], [7, 35]),
  product([70, 18], [18, 66]),
  product([5, 3], [3, 2]),
  // Nothing to multiply, or nothing to sum.
  product(['N', 8], [8, 16], 'f32', [{ N: 0 }, { N: 1 }, { N: 37 }]),
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
  product([6, 'K'], ['K', 20], 'f32', [{ K: 1500 }]),
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
  // Enough of them for the largest tiles.
  product([67, 128, 16], [67, 16, 120], 'bf16'),
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

/** Statements of the kernel that multiplies. */
function statementsOf(one: GraphCase): readonly Stmt[] {
  const found: Stmt[] = [];
  const codes: KernelCode[] = lowerEntry(one.entry, one.make.variables, target, one.make.build).kernels.map(({ code }) => code);
  for (const { body } of codes) forEachStatement(body, (stmt) => found.push(stmt));
  return found;
}

const copies = (one: GraphCase): readonly number[] =>
  statementsOf(one)
    .filter((stmt): stmt is CopyStmt => stmt.kind === 'copy')
    .map(({ count }) => count);

describe('products of blocks', () => {
  it.each(cases)('$name', (one) => {
    expect(runGraphs([one], { target, device, native: false })).toEqual([]);
  });

  it('copy as many elements at once as lie on whole accesses', () => {
    expect(new Set(copies(product([64, 64], [64, 64])))).toEqual(new Set([4]));
    expect(new Set(copies(product([64, 64], [64, 64], 'f64')))).toEqual(new Set([2]));
    // Rows of 18 elements start where they like; columns of 64 do not.
    expect(new Set(copies(product([64, 18], [18, 64])))).toEqual(new Set([2, 4]));
    expect(new Set(copies(product(['N', 16], [16, 64], 'f32', [{ N: 1 }])))).toEqual(new Set([4]));
    expect(new Set(copies(product([64, 'K'], ['K', 64], 'f32', [{ K: 1 }])))).toEqual(new Set([1, 4]));
    expect(new Set(copies(product([64, 64], [64, 64], 'f16')))).toEqual(new Set([8]));
    // What is too small for a copy is stored.
    expect(copies(product([64, 7], [7, 65], 'f16'))).toEqual([]);
  });

  it('have more blocks than processors rather than large tiles', () => {
    const tile = (rows: number, columns: number, dtype: DType = 'f32'): readonly number[] => {
      const [sums] = statementsOf(product([rows, 64], [64, columns], dtype)).flatMap((stmt) =>
        stmt.kind === 'declare' && stmt.accumulator.shape.length === 3 ? [stmt.accumulator.shape] : [],
      );
      return sums ?? [];
    };
    expect(tile(4096, 4096)).toEqual([8, 8, 256]);
    expect(tile(1024, 1024)).toEqual([4, 4, 256]);
    expect(tile(512, 512)).toEqual([4, 4, 256]);
    expect(tile(50, 300)).toEqual([1, 1, 256]);
    expect(tile(4096, 4096, 'bf16')).toEqual([8, 8, 256]);
    expect(tile(1024, 1024, 'bf16')).toEqual([4, 4, 256]);
    expect(tile(50, 300, 'bf16')).toEqual([2, 4, 256]);
  });
});
