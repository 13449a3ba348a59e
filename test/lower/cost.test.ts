// What the compiler says of a kernel beside what the kernel does: bytes of distinct elements and FLOPs, counted by the kernel interpreter
// on every program. What it says stands in the text of the kernel: read back, its statements cost the same.

import { readdirSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DType, elementCount, isInteger, isWide } from '../../src/base/index.js';
import { check } from '../../src/driver/build/front.js';
import { toKernels } from '../../src/driver/build/pipeline.js';
import { type KernelTotals, runProgram } from '../../src/eval/index.js';
import {
  bodyOf,
  type Buffer,
  type Expr,
  expressionsOf,
  forEachStatement,
  type Kernel,
  type KernelCost,
  parseProgram,
  printProgram,
  type Program,
  visitExpr,
} from '../../src/kernel/index.js';
import { costOfStatements } from '../../src/lower/program/cost-report.js';
import { type TensorValue, tensorValue } from '../../src/ops/index.js';
import { moduleOf } from '../check/support.js';
import { fixedTarget } from './kernels.js';

const root = join(import.meta.dirname, '..', '..');

const files = ['test/programs', 'test/bench/programs', 'examples'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.tdsl'))
    .map((file) => join(root, folder, file)),
);

/**
 * One size for every free dimension: one that loops and blocks come out even with, and one that leaves tails everywhere. Matrix products
 * are small, and large layers have tails alone: interpreting them takes long. So do sorts of rows, and programs of many free sizes.
 */
function sizesOf({ dims, kernels, buffers }: Program, path: string): number[] {
  if (dims.length === 0) return [0];
  if (isAtMost(path) || kernels.some(({ title }) => title.includes('sortOrder'))) return [9, 16];
  if (!kernels.some(isProduct)) return dims.length > 2 ? [64, 77] : [512, 77];
  const isLarge = buffers.some(({ role, shape }) => role.kind === 'variable' && (elementCount(shape).constant ?? 0) > 100_000);
  return isLarge ? [77] : [64, 77];
}

/** Kernels of register tiles, whose statements are not counted. */
const isProduct = ({ title }: Kernel): boolean => /^matmul \[[^,\]]*, (?!1\])/.test(title);

/**
 * Programs with views that overlap, that go along two axes with one loop, or that leave something out: what they read is said as if each
 * view read its own. Products of few terms, of which the first is not added to anything, and functions in f64 behind them are said to be
 * more than they are.
 */
const atMost = new Set([
  ...['attention', 'checkpoint', 'contractions', 'conv-index', 'conv-layers', 'conv-transpose', 'corners', 'ctc'],
  ...['curvature', 'densities', 'edges', 'policies', 'sequence-models'],
  ...['factors', 'higher-order', 'implicit', 'linear-algebra', 'lstm-by-hand', 'networks', 'norms', 'papers-estimation'],
  ...['papers-grids', 'papers-nets', 'papers-recent', 'pooling', 'recurrent-layers', 'rounds', 'running', 'sides', 'solvers'],
  ...['statistics', 'textbook', 'textbook-nets', 'windows'],
]);

const isAtMost = (path: string): boolean => atMost.has(basename(path, '.tdsl'));

interface LeftToRuns {
  /** How often a loop runs. */
  readonly rounds: boolean;
  /** Which elements are touched, which side is taken, how far loops go that go along with others. */
  readonly choice: boolean;
}

/** What only a run decides. */
function leftToRuns({ code }: Kernel): LeftToRuns {
  const lets = new Map<string, Expr>();
  let [rounds, choice] = [false, false];
  const has = (kinds: readonly Expr['kind'][], expr: Expr): boolean => {
    let found = false;
    const asked = [expr];
    const seen = new Set<Expr>();
    const see = (one: Expr): void => {
      if (kinds.includes(one.kind)) found = true;
      const value = one.kind === 'name' ? lets.get(one.name) : undefined;
      if (value !== undefined) asked.push(value);
    };
    for (const one of asked) visitExpr(one, see, seen);
    return found;
  };
  const ofData = (expr: Expr): boolean => has(['load', 'read'], expr);
  forEachStatement(code.body, (stmt) => {
    if (stmt.kind === 'let') lets.set(stmt.name, stmt.value);
    if (stmt.kind === 'for') {
      if (stmt.while !== undefined || ofData(stmt.extent)) rounds = true;
      else if (stmt.part === undefined && stmt.most === undefined && has(['index'], stmt.extent)) choice = true;
    }
    if (stmt.kind === 'if' && ofData(stmt.condition)) choice = true;
    const indices = stmt.kind === 'store' ? [...stmt.index] : [];
    for (const root of expressionsOf(stmt)) visitExpr(root, (one) => one.kind === 'load' && indices.push(...one.index));
    if (indices.some(ofData)) choice = true;
  });
  return { rounds, choice };
}

/** Whether the kernel writes or combines partial results of blocks whose number depends on sizes. */
const hasPartials = ({ buffers }: Kernel, ...counts: number[]): boolean =>
  buffers.some(
    ({ role, shape }) => role.kind === 'temporary' && (counts.length === 0 ? [64, 256] : counts).includes(shape[0]?.constant ?? 0),
  );

function counted(program: Program, size: number): ReadonlyMap<string, KernelTotals> {
  const dims = new Map(program.dims.map((name) => [name, size]));
  const feeds: TensorValue[] = [];
  const variables: TensorValue[] = [];
  for (const buffer of program.buffers) {
    if (buffer.role.kind === 'feed') feeds[buffer.role.index] = filled(buffer, dims);
    if (buffer.role.kind === 'variable') variables[buffer.role.index] = filled(buffer, dims);
  }
  return runProgram(program, { feeds, variables, dims }, { arena: true }).counts;
}

function filled({ dtype, shape }: Buffer, dims: ReadonlyMap<string, number>): TensorValue {
  const extents = shape.map((dim) => dim.evaluate(dims) ?? 0);
  return tensorValue(
    dtype,
    extents,
    Array.from({ length: extents.reduce((product, one) => product * one, 1) }, (_, at) => element(dtype, at)),
  );
}

const element = (dtype: DType, at: number): number | bigint =>
  isWide(dtype) ? BigInt(at % 7) : dtype === 'bool' ? at % 2 : isInteger(dtype) ? at % 7 : 0.25 + (at % 13) / 16;

interface Figures {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly flops: number;
}

function stated({ cost }: Kernel, dims: ReadonlyMap<string, number>): Figures {
  const at = (which: 'bytesRead' | 'bytesWritten' | 'flops'): number => cost[which].evaluate(dims) ?? NaN;
  return { bytesRead: at('bytesRead'), bytesWritten: at('bytesWritten'), flops: at('flops') };
}

const keysOf = ({ bytesRead, bytesWritten, flops }: KernelCost): readonly string[] =>
  [bytesRead, bytesWritten, flops].map(({ key }) => key);

const lowered = (path: string): Program[] => {
  const { module, build } = check({ path, set: {}, open: undefined }, new Map());
  return toKernels(fixedTarget)
    .run(module, { build })
    .output.entries.map(({ program }) => program);
};

/** Bytes that all kernels read and write for one more row. */
function bytesPerRow({ dims, kernels }: Program): number {
  const at = (size: number): number => {
    const environment = new Map(dims.map((name) => [name, size]));
    return kernels.reduce((sum, kernel) => sum + stated(kernel, environment).bytesRead + stated(kernel, environment).bytesWritten, 0);
  };
  return at(10_001) - at(10_000);
}

describe('a pass over a large array', () => {
  // Rows of 1024 floats: what comes in and what goes out, once each.
  it.each([
    ['chain', 3],
    ['chain-derivative', 4],
    ['norm', 5],
  ] as const)('is the only one of %s, which moves %i arrays', (name, arrays) => {
    const [program] = lowered(join(root, 'test', 'bench', 'programs', `${name}.tdsl`)) as [Program];
    expect(bytesPerRow(program)).toBe(arrays * 4096);
  });

  it('serves regressions: features and targets are read once', () => {
    const train = (name: string): Program =>
      lowered(join(root, 'test', 'bench', 'programs', `${name}.tdsl`)).find(({ entry }) => entry === 'train') as Program;
    expect([bytesPerRow(train('linear')), bytesPerRow(train('logistic'))]).toEqual([40, 12]);
  });
});

describe('what kernels cost', () => {
  it('counts what products of many rows keep beside their results', () => {
    const { module, result } = moduleOf(
      'export fn f<N>(x: f32[N, 64, 8], y: f32[N, 64, 40]): f32[8, 40] = [i, j] => sum[n, t](x[n, t, i] * y[n, t, j])',
    );
    const { program } = toKernels(fixedTarget).run(module, { build: result.build }).output.entries[0] as { readonly program: Program };
    const [kernel] = program.kernels as [Kernel];
    const { bytesRead, bytesWritten } = counted(program, 33).get(kernel.name) as KernelTotals;
    const said = stated(kernel, new Map([['N', 33]]));
    expect([said.bytesRead, said.bytesWritten]).toEqual([bytesRead, bytesWritten]);
    expect(bytesWritten).toBeGreaterThan(8 * 40 * 4);
  });

  for (const path of files) {
    it(
      relative(root, path),
      () => {
        for (const program of lowered(path)) {
          const read = parseProgram(printProgram(program));
          for (const [at, kernel] of read.kernels.entries())
            expect(keysOf(costOfStatements(bodyOf(kernel))), `${kernel.name} as text`).toEqual(
              keysOf((program.kernels[at] as Kernel).cost),
            );
          for (const size of sizesOf(program, path)) {
            const dims = new Map(program.dims.map((name) => [name, size]));
            const counts = counted(program, size);
            for (const kernel of program.kernels) {
              const again = kernel.cost.recomputed?.evaluate(dims) ?? 0;
              expect(again, `${kernel.name} (${kernel.title}): again`).toBeGreaterThanOrEqual(0);
              const { bytesRead, bytesWritten, flops } = counts.get(kernel.name) as KernelTotals;
              const found = { bytesRead, bytesWritten, flops };
              const said = stated(kernel, dims);
              const what = `${program.entry} ${kernel.name} (${kernel.title}) at ${size}`;
              const left = leftToRuns(kernel);
              if (left.rounds) {
                // One round is said, and a run may have none.
                for (const which of ['bytesRead', 'bytesWritten', 'flops'] as const)
                  if (found[which] > 0) expect(said[which], `${what}: ${which}`).toBeGreaterThan(0);
              } else if (left.choice || isAtMost(path)) {
                // The last rows of a register tile may be those before once more: of few rows, a third.
                for (const which of ['bytesRead', 'bytesWritten', 'flops'] as const)
                  expect(said[which], `${what}: ${which}`).toBeGreaterThanOrEqual(found[which] * (which === 'flops' ? 0.7 : 1));
              } else if (isProduct(kernel)) {
                expect([said.bytesRead, said.bytesWritten], what).toEqual([found.bytesRead, found.bytesWritten]);
                // Comparisons of an epilogue are counted as FLOPs in what is said; what each block computes once, a scalar, is said once.
                expect(said.flops / found.flops, what).toBeGreaterThanOrEqual(0.9999);
                expect(said.flops / found.flops, what).toBeLessThanOrEqual(1.12);
              } else if (hasPartials(kernel)) {
                // As many shares as there can be are said to be written; 512 rows make them all.
                for (const which of ['bytesRead', 'bytesWritten', 'flops'] as const)
                  // A last block that is short is compensated all the same.
                  expect(said[which], `${what}: ${which}`).toBeGreaterThanOrEqual(found[which] * (which === 'flops' ? 0.9999 : 1));
                if (size === 512 && !hasPartials(kernel, 256)) expect({ ...said, flops: found.flops }, what).toEqual(found);
              } else expect(said, what).toEqual(found);
            }
          }
        }
      },
      120_000,
    );
  }
});
