// Products whose right side is copied into panels first: when that is done, and that it changes no result.

import { describe, expect, it } from 'vitest';
import type { TensorNode } from '../../src/graph/index.js';
import type { CpuTarget } from '../../src/target/index.js';
import { tensorValue } from '../../src/ops/index.js';
import { CaseMake, type GraphCase, runGraphs } from '../chain/graphs.js';
import { noise } from '../eval/make.js';
import { avx512 } from '../targets.js';
import { fixedTarget, lowered, temporaries } from './kernels.js';

const kernels = (rows: number | string, depth: number, columns: number, target = fixedTarget): number =>
  lowered((make) => ({ outputs: [make.op('matmul', [make.feed('x', [rows, depth]), make.feed('w', [depth, columns])])] }), target).kernels
    .length;

describe('the right side of a product', () => {
  it('is copied into panels when its rows compete for few places of a cache, or are very many', () => {
    expect([
      kernels(512, 1024, 1024),
      kernels('B', 1024, 1024),
      kernels(512, 768, 3072),
      kernels(512, 2000, 2000),
      kernels(512, 1000, 1000),
    ]).toEqual([2, 2, 2, 2, 2]);
  });

  it('is read as it lies otherwise, and for few rows', () => {
    expect([
      kernels(512, 500, 304),
      kernels(512, 512, 512, avx512),
      kernels(64, 1000, 1008),
      kernels(8, 1024, 1024),
      kernels('B', 500, 304),
    ]).toEqual([1, 1, 1, 1, 1]);
  });

  it('is read as it lies also where its rows do not start on lines', () => {
    expect([kernels(512, 784, 300), kernels('B', 784, 300), kernels(512, 784, 300, avx512)]).toEqual([1, 1, 1]);
  });

  it('is copied for many rows where the columns of a tile would stay in the nearest cache but for rows that compete for its places', () => {
    expect([
      kernels(1024, 128, 512, avx512),
      kernels('B', 128, 512, avx512),
      kernels(512, 128, 512, avx512),
      kernels(1024, 128, 400, avx512),
      kernels(1024, 512, 512, avx512),
    ]).toEqual([2, 2, 1, 1, 1]);
  });

  it('is judged by how it is laid out: rows that are made to start on lines compete where those of the caller do not', () => {
    const program = lowered((make) => ({
      outputs: [make.op('matmul', [make.feed('x', [64, 1024]), make.op('matmul', [make.feed('v', [1024, 8]), make.feed('w', [8, 1020])])])],
    }));
    expect(program.kernels.map(({ title }) => title).filter((title) => title.startsWith('panels'))).toHaveLength(1);
    expect(kernels(64, 1024, 1020)).toBe(1);
  });

  it('is copied earlier for a processor with smaller caches, or smaller ways', () => {
    const withCache = (l2Bytes: number, l2Ways: number): CpuTarget => ({
      ...fixedTarget,
      caches: { ...fixedTarget.caches, l2Bytes, l2Ways },
    });
    expect([kernels(512, 1200, 304), kernels(512, 1200, 304, withCache(2 ** 18, 4))]).toEqual([1, 2]);
    expect([kernels(512, 400, 512, withCache(2 ** 21, 16)), kernels(512, 400, 512, withCache(2 ** 20, 16))]).toEqual([1, 2]);
  });

  it('takes one temporary of its own size', () => {
    const [panels, ...others] = temporaries(
      lowered((make) => ({ outputs: [make.op('matmul', [make.feed('x', [64, 1024]), make.feed('w', [1024, 1024])])] })),
    );
    expect(panels?.shape.map(({ constant }) => constant)).toEqual([1024 * 1024]);
    expect(others).toEqual([]);
  });

  it('takes no memory for runs of a known depth', () => {
    const product = (depth: number | string): number =>
      temporaries(lowered((make) => ({ outputs: [make.op('matmul', [make.feed('x', [8, depth]), make.feed('w', [depth, 40])])] }))).length;
    expect([product(3000), product('K')]).toEqual([0, 2]);
  });
});

const drawn: GraphCase['value'] = (name, { dtype }, shape) =>
  tensorValue(
    dtype,
    shape,
    noise(
      shape.reduce((product, size) => product * size, 1),
      name.charCodeAt(0),
    ).map(Math.fround),
  );

describe('products through panels', () => {
  it.each([
    ['a free number of rows', 'f32', 'B', 17, 16384, [3, 17, 33]],
    ['a known number of rows', 'f32', 19, 17, 16384, []],
    ['columns that fill no whole vectors', 'f32', 17, 3001, 701, []],
    ['a free number of rows that may be too few', 'f64', 'B', 1001, 401, [3, 130]],
    ['columns that compete for the nearest cache', 'f32', 'B', 128, 512, [3, 1024]],
    ['a depth of three runs', 'f32', 'B', 2100, 512, [3, 17]],
  ] as const)('are right for %s', (_, dtype, rows, depth, columns, counts) => {
    const make = new CaseMake('s');
    const product = make.op('matmul', [make.feed('x', [rows, depth], dtype), make.feed('w', [depth, columns], dtype)]) as TensorNode;
    const entry = make.entry([make.op('add', [product, make.broadcast(make.feed('b', [columns], dtype), [rows, columns], [1])])]);
    const sizes = rows === 'B' ? counts.map((B) => ({ B })) : [{}];
    expect(runGraphs([{ name: 'panels', make, entry, sizes, value: drawn, tolerance: () => 1e-4, onlyNative: true }])).toEqual([]);
  });
});
