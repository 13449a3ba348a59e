// Matrix products by blocks of threads, from graphs to the emulated device. In: products of every kind of size, layout and dtype. Out: what
// the meaning says. Holds: graph interpreter ≈ kernel interpreter ≈ the device; shared memory is raced for in none of them.

import { describe, expect, it } from 'vitest';
import type { DType } from '../../src/base/index.js';
import { build, type CopyStmt, forEachStatement, type KernelCode, type Stmt } from '../../src/kernel/index.js';
import { hostTarget } from '../../codegen/llvm/index.js';
import { runProgram } from '../../src/eval/index.js';
import { buildModule } from '../../codegen/cuda/index.js';
import { expandScalars, vectorize } from '../../src/lower/index.js';
import type { TensorNode } from '../../src/graph/index.js';
import { CaseMake, type GraphCase, runGraphs } from '../chain/graphs.js';
import { lowerEntry } from '../lower/lower-entry.js';
import { device, target } from './device-chain.js';
import { evaluated } from './device-program.js';
import { cases, product, roundings } from './product-cases.js';

const { intValue } = build;

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
    expect(runGraphs([one], { target, device, native: false, ends: true })).toEqual([]);
  });

  it.each(roundings)('round $name as a processor does', (one) => {
    const feeds = one.entry.feeds.map(({ name, type }) =>
      one.value(
        name,
        type,
        type.shape.map(({ constant }) => constant ?? NaN),
      ),
    );
    const [found = [], expected = []] = [target, hostTarget()].map((machine): readonly number[] => {
      const program = expandScalars(lowerEntry(one.entry, one.make.variables, machine, one.make.build), machine);
      return Array.from(runProgram(program, { feeds, variables: [], dims: new Map() }).outputs[0]?.data ?? [], Number);
    });
    const largest = Math.max(...expected.map(Math.abs));
    expect(found.length).toBe(20 * 36);
    found.forEach((value, at) => expect(Math.abs(value - (expected[at] ?? NaN))).toBeLessThan(largest * 2e-6));
  });

  it('lie in memory with as many bits as they are rounded to, but where an op reads all of them', () => {
    const kept = (name: string, more: (make: CaseMake, node: TensorNode) => readonly TensorNode[]): readonly string[] => {
      const make = new CaseMake(name);
      const side = make.op('narrow', [make.op('tanh', [make.feed('x', [20, 20])])], { dtype: 'bf16' });
      const entry = make.entry([make.op('matmul', [side, make.feed('w', [20, 24])]), ...more(make, side)]);
      const { buffers } = lowerEntry(entry, make.variables, target, make.build);
      return buffers.flatMap(({ role, dtype }) => (role.kind === 'temporary' ? [dtype] : []));
    };
    expect(kept('a', () => [])).toEqual(['bf16']);
    expect(kept('b', (make, side) => [make.op('exp', [side])])).toEqual(['bf16']);
    expect(kept('c', (make, side) => [make.op('inverse', [side])])).toContain('f32');
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

  it('share a deep sum for few elements among blocks', () => {
    const blocksOf = (one: GraphCase): readonly (number | undefined)[] =>
      statementsOf(one).flatMap((stmt) => (stmt.kind === 'for' && stmt.axis === 'parallel' ? [intValue(stmt.extent)] : []));
    // 5 parts of 160 steps, 20 tiles; then 15 blocks of points.
    expect(blocksOf(product([50, 784], [784, 300]))).toEqual([100, 15]);
    expect(blocksOf(product([50, 784], [784, 30000]))).toHaveLength(1);
    expect(blocksOf(product(['N', 784], [784, 300]))).toHaveLength(1);
  });

  it('share a depth that a call decides where it is deep, and do without parts where it is not', () => {
    const [one] = cases.filter(({ name }) => name.startsWith('a depth that is cut'));
    const { entry, make } = one as GraphCase;
    const { kernels, dims } = lowerEntry(entry, make.variables, target, make.build);
    expect(dims).toEqual(['K']);
    const module = buildModule([vectorize(expandScalars(lowerEntry(entry, make.variables, target, make.build), target), target)], target);
    const launches = module.programs[0]?.launches ?? [];
    expect([kernels.length, launches.length]).toEqual([3, 3]);
    const blocksAt = (K: number): readonly number[] =>
      launches.map(({ blocks }) => evaluated(blocks ?? build.int(1), (dim) => dim.evaluate(new Map([['K', K]])) ?? NaN));
    const [parts = 0, added = 0, whole = 0] = blocksAt(1e6);
    expect([parts > 32, added > 0, whole]).toEqual([true, true, 0]);
    expect(blocksAt(64).map((count) => count > 0)).toEqual([false, false, true]);
  });

  it('ask for the shared memory that is more than a block has anyway', () => {
    const asked = (one: GraphCase): readonly number[] => {
      const program = vectorize(expandScalars(lowerEntry(one.entry, one.make.variables, target, one.make.build), target), target);
      return buildModule([program], target).functions.map(({ shared }) => shared);
    };
    expect(asked(product([64, 64], [64, 64], 'bf16'))).toEqual([0]);
    // Three stages of 128 lines of 40 elements, and 32 of 264.
    expect(asked(product([4096, 64], [64, 4096], 'bf16'))).toEqual([3 * 2 * (128 * 40 + 32 * 264)]);
    expect(asked(product([4096, 64], [64, 4096], 'bf16'))[0]).toBeLessThanOrEqual(target.sharedBytes);
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
    expect(tile(512, 512)).toEqual([2, 2, 256]);
    expect(tile(50, 300)).toEqual([1, 1, 256]);
    expect(tile(4096, 4096, 'bf16')).toEqual([8, 16, 256]);
    expect(tile(1024, 1024, 'bf16')).toEqual([4, 8, 256]);
    expect(tile(50, 300, 'bf16')).toEqual([2, 4, 256]);
  });
});
