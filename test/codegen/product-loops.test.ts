// The loops over the depth of matrix products as they are scheduled, on several processors. In: products. Out: assembly. Holds: the code
// generator keeps what a tile sums up in registers, and none of it goes to the stack in a step; what moves on with the depth is added to.

import { describe, expect, it } from 'vitest';
import { hostTarget } from '../../codegen/llvm/index.js';
import type { TensorNode } from '../../src/graph/index.js';
import type { Make } from '../eval/make.js';
import { lowered } from '../lower/kernels.js';
import { textOf } from './harness.js';

interface Loop {
  readonly multiplies: number;
  readonly onStack: number;
  /** Products of integers. */
  readonly integers: number;
}

/** Loops without others in them that multiply at least four vectors. */
function tileLoops(assembly: string): Loop[] {
  const lines = assembly.split('\n');
  const starts = new Map<string, number>();
  const loops: Loop[] = [];
  let last = -1;
  lines.forEach((line, at) => {
    const label = /^(\.LBB\w+):/.exec(line)?.[1];
    if (label !== undefined) starts.set(label, at);
    const start = starts.get(/^\tj\w+\t(\.LBB\w+)/.exec(line)?.[1] ?? '');
    if (start === undefined || start < last) return;
    last = at;
    const body = lines.slice(start + 1, at);
    const count = (pattern: RegExp): number => body.filter((one) => pattern.test(one)).length;
    const multiplies = count(/\t(vfmadd\w+p[sd]|v?mulp[sd])\t/);
    if (multiplies >= 4) loops.push({ multiplies, onStack: count(/\(%rsp\)/), integers: count(/\timul/) });
  });
  return loops;
}

const loopsOf = (cpu: string, product: (make: Make) => TensorNode): Loop[] => {
  const target = hostTarget(cpu);
  return tileLoops(textOf([lowered((make) => ({ outputs: [product(make)] }), target)], target, 'asm'));
};

describe.each(['x86-64', 'x86-64-v3', 'x86-64-v4'])('a step of a product on %s', (cpu) => {
  it.each([
    ['B', 64, 300],
    ['B', 2048, 512],
    ['B', 1500, 300],
    [64, 4096, 512],
  ])('of %s rows, %i deep, leaves the stack alone', (rows, depth, columns) => {
    const loops = loopsOf(cpu, (make) => make.op('matmul', [make.feed('x', [rows, depth]), make.feed('w', [depth, columns])]));
    expect(loops.length).toBeGreaterThan(0);
    expect(loops.filter(({ onStack }) => onStack > 0)).toEqual([]);
  });
});

describe('a step of a product with AVX2', () => {
  it.each([
    ['B', 784, 300],
    [50, 'K', 300],
  ])('of %s rows, %s deep, multiplies no integers', (rows, depth, columns) => {
    const loops = loopsOf('x86-64-v3', (make) => {
      const left = make.op('transpose', [make.feed('x', [depth, rows])], { axes: [1, 0] });
      return make.op('matmul', [left, make.feed('w', [depth, columns])]);
    });
    expect(loops.length).toBeGreaterThan(0);
    expect(loops.filter(({ integers }) => integers > 0)).toEqual([]);
  });
});
