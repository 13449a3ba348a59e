// Matrix products whose warps multiply four together, from graphs to the emulated device. In: products of every layout, and such that do
// not fill their tiles. Out: what the meaning says. Holds: the schedule takes such tiles where they take the least time, of which a device
// of one processor has many.

import { describe, expect, it } from 'vitest';
import { cuda } from '../../codegen/cuda/index.js';
import { type Buffer, forEachStatement, isSwizzled, type Stmt } from '../../src/kernel/index.js';
import { expandScalars, vectorize } from '../../src/lower/index.js';
import type { CudaTarget } from '../../src/target/index.js';
import type { GraphCase } from '../chain/graphs.js';
import { runGraphs } from '../chain/graphs.js';
import { lowerEntry } from '../lower/lower-entry.js';
import { deviceOf, hopper, target as portable } from './device-chain.js';
import { caseOf, product, transposed } from './product-cases.js';

const single: CudaTarget = { ...hopper, processors: 1 };

function statementsOf({ entry, make }: GraphCase, target: CudaTarget): readonly Stmt[] {
  const found: Stmt[] = [];
  for (const { code } of lowerEntry(entry, make.variables, target, make.build).kernels)
    forEachStatement(code.body, (stmt) => found.push(stmt));
  return found;
}

const swizzled = (one: GraphCase, target: CudaTarget): readonly Buffer[] =>
  statementsOf(one, target).flatMap((stmt) => (stmt.kind === 'share' && isSwizzled(stmt.buffer) ? [stmt.buffer] : []));
const sizesOf = ({ shape }: Buffer): readonly number[] => shape.map(({ constant }) => constant ?? NaN);

const turned = (name: string, left: readonly number[], right: readonly number[], which: readonly ('x' | 'w')[]): GraphCase =>
  caseOf(`${name}: [${left.join()}] @ [${right.join()}]`, 'bf16', [{}], (make, feed) => {
    const side = (of: 'x' | 'w', shape: readonly number[]) =>
      which.includes(of) ? transposed(make, feed(of, shape.toReversed())) : feed(of, shape);
    return make.op('matmul', [side('x', left), side('w', right)]);
  });

const cases: readonly GraphCase[] = [
  // Stages go around more than once.
  product([128, 448], [448, 64], 'bf16'),
  product([128, 384], [384, 256], 'f16'),
  turned('columns apart', [128, 192], [192, 128], ['w']),
  turned('rows side by side', [256, 128], [128, 128], ['x']),
  turned('both turned', [128, 128], [128, 256], ['x', 'w']),
  // Tiles that are not full, in every direction.
  product([136, 200], [200, 264], 'bf16'),
  product([248, 328], [328, 72], 'f16'),
  turned('nothing whole, both turned', [248, 184], [184, 72], ['x', 'w']),
  product(['N', 128], [128, 128], 'bf16', [{ N: 40 }, { N: 0 }, { N: 140 }]),
  product([2, 128, 192], [2, 192, 128], 'bf16'),
  caseOf('what follows', 'bf16', [{}], (make, feed) =>
    make.op('tanh', [
      make.op('add', [
        make.op('matmul', [feed('x', [128, 192]), feed('w', [192, 128])]),
        make.broadcast(feed('b', [128]), [128, 128], [1]),
      ]),
    ]),
  ),
];

describe('products of four warps', () => {
  it.each(cases)('$name', (one) => {
    expect(swizzled(one, single)).toHaveLength(2);
    expect(runGraphs([one], { target: single, device: deviceOf(single), native: false, ends: true })).toEqual([]);
  });

  it('have blocks for parts of a depth where there are few tiles', () => {
    const one = product([128, 2048], [2048, 128], 'bf16');
    const target: CudaTarget = { ...hopper, processors: 4 };
    expect(swizzled(one, target)).toHaveLength(2);
    expect(lowerEntry(one.entry, one.make.variables, target, one.make.build).kernels).toHaveLength(2);
    expect(runGraphs([one], { target, device: deviceOf(target), native: false, ends: true })).toEqual([]);
  });

  it('go over a depth that a call decides, in parts of their own where it is deep', () => {
    const one = caseOf('a gradient of a weight', 'bf16', [{ N: 0 }, { N: 70 }, { N: 1601 }], (make, feed) =>
      make.op('matmul', [transposed(make, feed('x', ['N', 128])), feed('w', ['N', 128])]),
    );
    const target: CudaTarget = { ...hopper, processors: 4 };
    expect(swizzled(one, target).length).toBeGreaterThan(0);
    expect(runGraphs([one], { target, device: deviceOf(target), native: false, ends: true })).toEqual([]);
  });

  it('have tiles that fill all processors', () => {
    const tiles = (rows: number, columns: number) => swizzled(product([rows, 1024], [1024, columns], 'bf16'), hopper).map(sizesOf);
    expect(tiles(8192, 8192)).toEqual([
      [4, 128, 64],
      [4, 4, 64, 64],
    ]);
    expect(tiles(50, 300)).toEqual([]);
  });

  it('are left to single warps where elements have four bytes or come in small copies, and on other generations', () => {
    expect(swizzled(product([8192, 1028], [1028, 8192], 'bf16'), hopper)).toEqual([]);
    expect(swizzled(product([8192, 1024], [1024, 8192], 'f32'), hopper)).toEqual([]);
    expect(swizzled(product([8192, 1024], [1024, 8192], 'bf16'), portable)).toEqual([]);
  });

  it('make code for sm_90a, and nothing else does', () => {
    const built = (one: GraphCase) => {
      const asked: string[] = [];
      const codes = cuda.build((machine) => {
        const target = machine as CudaTarget;
        asked.push(target.cpu);
        const { entry, make } = one;
        return [vectorize(expandScalars(lowerEntry(entry, make.variables, target, make.build), target), target)];
      });
      return { asked, codes, targets: codes.map(({ text }) => /^\.target (.*)$/m.exec(text)?.[1]) };
    };
    const { codes, targets } = built(product([8192, 1024], [1024, 8192], 'bf16'));
    expect(targets).toEqual(['sm_80', 'sm_90a']);
    expect(codes[1]?.functions.map(({ shared }) => shared)).toEqual([4 * (128 + 256) * 128]);
    expect(built(product([50, 70], [70, 300], 'bf16'))).toMatchObject({ asked: ['sm_80', 'sm_90a'], targets: ['sm_80'] });
    // Nobody lowers once more where nothing could be gained.
    expect(built(product([8192, 1024], [1024, 8192], 'f32'))).toMatchObject({ asked: ['sm_80'], targets: ['sm_80'] });
  });
});
