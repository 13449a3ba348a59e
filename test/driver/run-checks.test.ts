// Indices that only the running program knows. In: entries with indices from data, in loops, behind other checks. Out: errors that name the
// line, the number and the size, the same for any number of threads; variables as they were.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileSync, type Feeds, type Module, openModule, type Session, tensor, TfcError } from '../../src/driver/index.js';
import { hostTarget } from '../../codegen/llvm/index.js';
import { check } from '../../src/driver/build/front.js';
import { toKernels, toSimplified } from '../../src/driver/build/pipeline.js';
import { evaluateEntry, runProgram } from '../../src/eval/index.js';
import { DiagnosticsError } from '../../src/base/index.js';
import type { Entry } from '../../src/graph/index.js';
import { type TensorValue, tensorValue } from '../../src/ops/index.js';
import { parseProgram, printProgram } from '../../src/kernel/index.js';
import { differentiate, Pipeline, strip } from '../../src/passes/index.js';
import { workplace } from './tfc.js';

const place = workplace();
process.env['TFC_CACHE'] = place.cache;
const pathOf = (name: string, text: string): string => join(place.directory, place.file(name, text));
const open = (name: string, text: string): Module => compileSync(pathOf(name, text));

const functionsPath = pathOf(
  'functions.tdsl',
  `import { softmaxCrossEntropy } from "std/loss"
export fn rows<V, D, N>(table: f64[V, D], ids: i32[N]): f64[N, D] = table[ids]
export fn wide<V, N>(table: f32[V], ids: i64[N]): f32[N] = table[ids]
export fn deep<V, A, B>(table: f32[V], ids: i32[A, B]): f32[A, B] = table[ids] * 2
export fn one<V>(table: f32[V], id: i32): f32 = table[id]
export fn loss(z: f32[2, 3], y: i32[2]): f32[2] = softmaxCrossEntropy(z, y)
export fn hot<N>(labels: i32[N]): f32[N, 4] = oneHot(labels, 4)
export fn two<N>(a: f32[3], b: f32[5], i: i32[N], j: i32[N]): f32[N] {
  let first = b[j]
  return a[i] + first
}
export fn walk<N>(next: i32[N], from: i32): i32 = fold k in 0..4 with at = from { next[at] }
export fn nested<N>(x: f32[N], ids: i32[3]): f32 =
  fold i in 0..3 with z = 0.0 { fold j in 0..2 with y = z { y + x[ids[i] + j] } }
export fn slope<V, N>(table: f64[V], ids: i32[N]): f64[V] = grad(sum(square(table[ids])), table)
export fn unused<V>(table: f32[V], ids: i32[2]): f32 {
  let _row = table[ids]
  return sum(table)
}
`,
);
const functions = compileSync(functionsPath);

/** The error of a run, without the entry's name and the directory; undefined where there is none. */
function refusal(session: Session, entry: string, feeds: Feeds): string | undefined {
  try {
    session.run(entry, feeds);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(TfcError);
    expect(error).toMatchObject({ code: 'index-out-of-range' });
    return (error as TfcError).message.replace(`${entry}: `, '').replaceAll(`${place.directory}/`, '');
  }
}

const table = tensor(Float64Array.of(1, 2, 3, 4, 5, 6), [3, 2]);
const ints = (...values: readonly number[]): Int32Array => Int32Array.from(values);
const f32 = (...values: readonly number[]): Float32Array => Float32Array.from(values);

describe('an index from data', () => {
  const session = functions.session({ threads: 3 });
  const said = (entry: string, feeds: Feeds): string | undefined => refusal(session, entry, feeds);

  it('is refused below 0 and from the size on, with the line, the number and the size', () => {
    expect(said('rows', { table, ids: ints(0, 2) })).toBeUndefined();
    expect(said('rows', { table, ids: ints(0, 3, 7) })).toBe('`ids` at functions.tdsl:2:75 takes element 3 of an axis of 3.');
    expect(said('rows', { table, ids: ints(-1) })).toBe('`ids` at functions.tdsl:2:75 takes element -1 of an axis of 3.');
    expect(said('one', { table: f32(1, 2), id: 2 })).toContain('takes element 2 of an axis of 2');
    expect(said('one', { table: f32(1, 2), id: 1 })).toBeUndefined();
  });

  it('may be missing altogether', () => {
    expect(session.run('rows', { table: tensor(new Float64Array(0), [0, 2]), ids: ints() })).toMatchObject({ shape: [0, 2] });
    expect(session.run('deep', { table: f32(1), ids: tensor(ints(), [0, 3]) })).toMatchObject({ shape: [0, 3] });
  });

  it('is looked at before it is narrowed', () => {
    const ids = BigInt64Array.of(1n, 2n ** 32n, -(2n ** 40n));
    expect(said('wide', { table: f32(1, 2), ids })).toContain('takes element 4294967296 of an axis of 2');
    expect(said('wide', { table: f32(1, 2), ids: BigInt64Array.of(1n, 0n) })).toBeUndefined();
  });

  it('is told of the first one in memory', () => {
    expect(said('deep', { table: f32(1, 2), ids: tensor(ints(0, 1, 0, 5, -3, 9), [2, 3]) })).toContain('takes element 5 of an axis of 2');
    expect(said('deep', { table: f32(1, 2), ids: tensor(ints(0, 1, -9, 5, -3, 9), [3, 2]) })).toContain('takes element -9 of an axis of 2');
  });

  it('is told of the place that stands first in the text', () => {
    const feeds = { a: f32(1, 2, 3), b: f32(1, 2, 3, 4, 5) };
    expect(said('two', { ...feeds, i: ints(0, 3), j: ints(5, 0) })).toBe('`j` at functions.tdsl:9:17 takes element 5 of an axis of 5.');
    expect(said('two', { ...feeds, i: ints(0, 3), j: ints(4, 0) })).toBe('`i` at functions.tdsl:10:12 takes element 3 of an axis of 3.');
  });

  it('is a label in losses and one-hot rows', () => {
    const z = tensor(f32(1, 2, 3, 1, 2, 3), [2, 3]);
    expect(said('loss', { z, y: ints(2, 0) })).toBeUndefined();
    expect(said('loss', { z, y: ints(5, -1) })).toBe('`softmaxCrossEntropy(z, y)` at functions.tdsl:6:51 takes element 5 of an axis of 3.');
    expect(said('hot', { labels: ints(3, 4) })).toContain('takes element 4 of an axis of 4');
  });

  it('is found in loops', () => {
    expect(session.run('walk', { next: ints(1, 2, 0), from: 0 })).toBe(1);
    expect(said('walk', { next: ints(1, 2, 9), from: 0 })).toBe('`at` at functions.tdsl:12:88 takes element 9 of an axis of 3.');
    expect(session.run('nested', { x: f32(1, 2, 4, 8), ids: ints(0, 1, 2) })).toBe(21);
    expect(said('nested', { x: f32(1, 2, 4, 8), ids: ints(0, 3, 7) })).toContain('takes element 4 of an axis of 4');
  });

  it('is checked once for a derivative', () => {
    expect(session.run('slope', { table: Float64Array.of(1, 2, 3), ids: ints(1, 1) })).toMatchObject({ data: Float64Array.of(0, 8, 0) });
    expect(said('slope', { table: Float64Array.of(1, 2, 3), ids: ints(1, 4) })).toContain('takes element 4 of an axis of 3');
  });

  it('of a value that nothing needs is not looked at', () => {
    expect(session.run('unused', { table: f32(1, 2), ids: ints(7, 8) })).toBe(3);
    expect(() => session.run(['unused/_row'], { table: f32(1, 2), ids: ints(1, 8) })).toThrow(/takes element 8 of an axis of 2/);
  });

  it('means the same to the interpreters', () => {
    const fresh = (): ReturnType<typeof check> => check({ path: functionsPath, set: {} }, new Map());
    const a = fresh();
    const meaning = Pipeline.of(differentiate).then(strip).run(a.module, { build: a.build }).output;
    const b = fresh();
    const simplified = toSimplified().run(b.module, { build: b.build }).output;
    const c = fresh();
    const lowered = toKernels(hostTarget('native')).run(c.module, { build: c.build }).output;
    const cases: readonly (readonly [string, Readonly<Record<string, TensorValue>>, number])[] = [
      ['rows', { table: tensorValue('f64', [3, 2], [1, 2, 3, 4, 5, 6]), ids: tensorValue('i32', [3], [0, 7, -1]) }, 7],
      ['wide', { table: tensorValue('f32', [2], [1, 2]), ids: tensorValue('i64', [2], [0n, -5n]) }, -5],
      ['walk', { next: tensorValue('i32', [3], [1, 2, 9]), from: tensorValue('i32', [], [0]) }, 9],
      ['nested', { x: tensorValue('f32', [4], [1, 2, 4, 8]), ids: tensorValue('i32', [3], [0, 3, 7]) }, 4],
    ];
    for (const [name, feeds, number] of cases) {
      const given = new Map(Object.entries(feeds));
      for (const module of [meaning, simplified]) {
        const entry = module.entries.find((one) => one.name === name) as Entry;
        expect(() => evaluateEntry(entry, { feeds: given })).toThrow(DiagnosticsError);
        expect(() => evaluateEntry(entry, { feeds: given })).toThrow(`index-out-of-range: ${number} of `);
      }
      const at = lowered.module.entries.findIndex((one) => one.name === name);
      const entry = lowered.module.entries[at] as Entry;
      const program = lowered.entries[at]?.program as NonNullable<(typeof lowered.entries)[number]>['program'];
      const { status, outputs } = runProgram(program, { feeds: entry.feeds.map((feed) => feeds[feed.name] as TensorValue) });
      expect(status).toBe(1);
      expect(Number(outputs[entry.checks?.said ?? -1]?.data[0])).toBe(number);
      expect(printProgram(parseProgram(printProgram(program)))).toBe(printProgram(program));
    }
  });
});

describe('an index that is known to lie inside', () => {
  it('costs nothing', () => {
    const module = open(
      'known.tdsl',
      `export fn best<B>(x: f32[B, 4], t: f32[4, 2]): f32[B, 2] = t[argmax(x, axis: 1)]
export fn all<N>(t: f32[N]): f32[N] = t[iota([N], axis: 0)]
export fn counted(t: f32[3]): f32 = fold i in 0..3 with z = 0.0 { z * 2 + t[i] }
export fn kept<N, M>(t: f32[N], i: i32[M]): f32[M] = t[clip(i, 0, 2)] where N >= 3
export fn last<N, M>(t: f32[N], i: i32[M]): f32[M] = t[min(max(i, 0), N - 1)]
export fn back(t: f32[4]): f32[4] = t[3 - iota([4], axis: 0)]
export fn beyond(t: f32[4]): f32[4] = t[4 - iota([4], axis: 0)]
`.replace('= t[clip(i, 0, 2)] where N >= 3', 'where N >= 3 = t[clip(i, 0, 2)]'),
    );
    const checked = module.manifest.entries.map((entry) => [entry.name, entry.checks !== undefined] as const);
    expect(Object.fromEntries(checked)).toEqual({
      best: false,
      all: false,
      counted: false,
      kept: false,
      last: false,
      back: false,
      beyond: true,
    });
  });
});

const steps = open(
  'steps.tdsl',
  `import { softmaxCrossEntropy } from "std/loss"
import { adam } from "std/optim"
param w: f32[300, 10] = normal(0, 0.1)
state seen: i32 = 0
state table: f32[4, 2] = zeros()
state here: i32 = 0
state never: f32[2]
export step train<B>(x: f32[B, 300], y: i32[B]): { loss: f32 } {
  seen <- seen + 1
  let loss = mean(softmaxCrossEntropy(x @ w, y))
  minimize loss with adam(lr: 0.01)
  return { loss }
}
/// Moves by what is stored, and reads what it has just written.
export step move(by: i32): f32[2] {
  here <- here + by
  table <- table + 1
  never <- table[here]
  return never
}
/// The number of the row is what the updated state says.
export step late(x: f32[4]): f32 {
  table <- table * 2 + expandDims(x, axis: 1)
  return x[i32(sum(table))]
}
`,
);

const state = (session: Session): string =>
  JSON.stringify(
    steps.manifest.variables.map(({ path }) =>
      session.isInitialized(path as never)
        ? [path, Array.from((session.get(path as never) as { data?: ArrayLike<number> }).data ?? [session.get(path as never) as number])]
        : path,
    ),
  );

describe('a step whose check fails', () => {
  const rows = 64;
  const x = tensor(
    Float32Array.from({ length: rows * 300 }, (_, at) => Math.sin(at)),
    [rows, 300],
  );
  const good = Int32Array.from({ length: rows }, (_, at) => at % 10);
  const bad = Int32Array.from(good, (label, at) => (at === 40 ? 10 : at === 50 ? -1 : label));

  it('leaves all variables as they were, for any number of threads', () => {
    for (const threads of [1, 2, 3]) {
      using session = steps.session({ threads });
      session.run('train', { x, y: good });
      const before = state(session);
      expect(refusal(session, 'train', { x, y: bad })).toBe(
        '`softmaxCrossEntropy(x @ w, y)` at steps.tdsl:10:19 takes element 10 of an axis of 10.',
      );
      expect(state(session)).toBe(before);
      session.run('train', { x, y: good });
      expect(state(session)).not.toBe(before);
    }
  });

  it('does so where the index depends on what the step has computed', () => {
    using session = steps.session({ threads: 2 });
    expect(session.run('move', { by: 3 })).toMatchObject({ data: f32(1, 1) });
    const before = state(session);
    expect(refusal(session, 'move', { by: 1 })).toContain('takes element 4 of an axis of 4');
    expect(state(session)).toBe(before);
    expect(refusal(session, 'late', { x: f32(9, 9, 9, 9) })).toContain('of an axis of 4');
    expect(state(session)).toBe(before);
    session.run('move', { by: -3 });
    expect(session.get('here' as never)).toBe(0);
  });

  it('gives no first value to a variable without one', () => {
    using session = steps.session({ threads: 1 });
    expect(refusal(session, 'move', { by: 4 })).toContain('takes element 4');
    expect(session.isInitialized('never' as never)).toBe(false);
  });

  it('ends runs of many steps, asynchronous ones too, after the last whole step', async () => {
    for (const threads of [1, 3]) {
      using session = steps.session({ threads });
      using twin = steps.session({ threads });
      const many = tensor(
        Float32Array.from({ length: 3 * rows * 300 }, (_, at) => Math.sin(at)),
        [3 * rows, 300],
      );
      const labels = Int32Array.from({ length: 3 * rows }, (_, at) => (at === 2 * rows + 5 ? 77 : at % 10));
      expect(() => session.runSteps('train', { x: many, y: labels }, { batch: { B: rows } })).toThrow(/takes element 77 of an axis of 10/);
      for (const at of [0, 1])
        twin.run('train', {
          x: tensor((many.data as Float32Array).slice(at * rows * 300, (at + 1) * rows * 300), [rows, 300]),
          y: labels.slice(at * rows, (at + 1) * rows),
        });
      expect(state(session)).toBe(state(twin));
      await expect(session.runAsync('train', { x, y: bad })).rejects.toMatchObject({ code: 'index-out-of-range' });
      const batches = [good, good, bad, good].map((y) => ({ x, y }));
      await expect(session.trainAsync(batches)).rejects.toMatchObject({ code: 'index-out-of-range', expected: '0 to 9', actual: '10' });
      twin.run('train', { x, y: good });
      twin.run('train', { x, y: good });
      expect(state(session)).toBe(state(twin));
    }
  });

  it('is told before NaNs are', () => {
    using session = steps.session({ threads: 1, trapNan: true });
    const nan = tensor(new Float32Array(rows * 300).fill(NaN), [rows, 300]);
    expect(refusal(session, 'train', { x: nan, y: bad })).toContain('takes element 10');
    expect(() => session.run('train', { x: nan, y: good })).toThrow(/NaN/);
  });
});

describe('the rows of a table of kernels', () => {
  it('end as calls do', () => {
    const layers = 60;
    const module = open(
      'deep.tdsl',
      `state all: f32[8, 8] = eye()
export step deep<N>(x: f32[8, N], ids: i32[N]): f32[8, N] where N > 3 {
  let z0 = x + f32(ids)
${Array.from({ length: layers }, (_, at) => `  let z${at + 1} = tanh(all @ softmax(z${at}, axis: ${at % 2}))`).join('\n')}
  let t = i32(sum(z${layers})) * 0 + ids
  all <- all + all[t[3]]
  return z${layers}
}
`.replace('= eye()', '= 0.25'),
    );
    for (const threads of [1, 3]) {
      using session = module.session({ threads });
      const feeds = (id: number): Feeds => ({
        x: tensor(new Float32Array(8 * 512).fill(0.5), [8, 512]),
        ids: new Int32Array(512).fill(id),
      });
      session.run('deep', feeds(7));
      const before = (session.get('all' as never) as { data: Float32Array }).data.slice();
      expect(refusal(session, 'deep', feeds(8))).toContain('takes element 8 of an axis of 8');
      expect((session.get('all' as never) as { data: Float32Array }).data).toEqual(before);
    }
  });
});

describe('an artifact in C', () => {
  it('returns the position of the check, and leaves variables alone', () => {
    const source = place.file(
      'put.tdsl',
      `state w: f32[3] = zeros()
export step put<N>(ids: i32[N]): f32[N] {
  w <- w + 1
  return w[ids]
}
`,
    );
    expect(place.tfc('compile', source, '-o', 'put').status).toBe(0);
    expect(readFileSync(join(place.directory, 'put', 'module.h'), 'utf8')).toContain(
      'returns 1 for index-out-of-range: ids at put.tdsl:4:12, where outputs[2] is no index of an axis of 3',
    );
    place.file(
      'put.c',
      `#include "module.h"
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  const tfc_entry *put = &tfc_module_table()->entries[TFC_PUT_ENTRY_PUT];
  int32_t ids[] = {2, 5, -1}, status;
  int64_t said;
  float row[3], *w = aligned_alloc(64, 64);
  w[0] = w[1] = w[2] = 0;
  const void *feeds[TFC_PUT_PUT_FEEDS] = {ids};
  void *outputs[TFC_PUT_PUT_OUTPUTS] = {row, &status, &said}, *variables[] = {w};
  const int64_t dims[TFC_PUT_PUT_DIMS] = {3};
  void *arena = aligned_alloc(64, (size_t)((put->arena_bytes(dims) + 64) / 64 * 64));
  const tfc_call call = {feeds, outputs, variables, dims, arena};
  int32_t result = put->run(&call);
  printf("%d %lld %g\\n", result, (long long)said, w[0]);
  ids[1] = ids[2] = 0;
  result = put->run(&call);
  printf("%d %g\\n", result, w[0]);
  return 0;
}
`,
    );
    const run = (command: string, ...args: readonly string[]) => spawnSync(command, args, { cwd: place.directory, encoding: 'utf8' });
    const flags = ['-std=c11', '-Wall', '-Wextra', '-Werror', '-I', 'put', `-Wl,-rpath,${join(place.directory, 'put')}`];
    expect(run('cc', 'put.c', 'put/module.so', ...flags, '-lm', '-o', 'host')).toMatchObject({ status: 0, stderr: '' });
    expect(run('./host').stdout).toBe('1 5 0\n0 1\n');
    using module = openModule(join(place.directory, 'put'));
    using session = module.session();
    expect(() => session.run('put', { ids: ints(3) })).toThrow(/put\.tdsl:4:12 takes element 3 of an axis of 3/);
  });
});
