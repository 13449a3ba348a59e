// The bench's own arithmetic, who is let into a table, and the documents that show it. In: made-up peers and results. Out: figures,
// failures, text. Holds: peers here are scripts that
// answer at once, so that nothing is really timed.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { chosen } from './choice.js';
import { type Effort, measure } from './measure.js';
import type { Peer } from './peers.js';
import { formatted, headline, page, withTable } from './page.js';
import { at } from './place.js';
import { table, toJson } from './report.js';
import type { Result } from './result.js';
import { columns, farthest, median, short } from './statistics.js';
import { summaries } from './summary.js';
import { workloads } from './workloads/index.js';
import { countOf } from './workloads/workload.js';
import { random } from '../../examples/random.js';

const workload = workloads.find(({ name }) => name === 'logistic-100') ?? workloads[0]!;
const prepared = { workload, file: 'unused', data: 'unused' };
const effort: Effort = { rounds: 3, slice: 1, starts: 1, compilations: 1, patience: 1000 };

/** A peer whose step takes so many nanoseconds and whose losses fall from `first`. */
const peer = (name: string, ns: number, first: number): Peer => ({
  name,
  command: () => ({
    program: process.execPath,
    args: [
      '-e',
      `const say = (value) => console.log(JSON.stringify(value));
say({ ready: true, system: '${name} 1' });
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const [word, count] = line.split(' ');
  say(word === 'check' ? { checks: [Array.from({ length: +count }, (_, i) => ${first} / (i + 1))] } : { ns: ${ns} * count });
});`,
    ],
  }),
});

describe('statistics', () => {
  test('medians do not depend on order', () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  test('differences are relative to the largest value, and never hide what is no number', () => {
    expect(farthest([10, 1], [10, 1.1])).toBeCloseTo(0.01);
    expect(farthest([10, 1], [10, Number.NaN])).toBe(Number.POSITIVE_INFINITY);
    expect(farthest([10, 1], [10])).toBe(Number.POSITIVE_INFINITY);
  });

  test('numbers are short', () => {
    expect([0.0794, 1.5, 27.34, 371000, Number.NaN].map(short)).toEqual(['0.079', '1.50', '27.3', '371,000', '–']);
    expect(
      columns([
        ['a', 'b'],
        ['long', '10'],
      ]),
    ).toBe('a      b\nlong  10');
  });
});

test('parts of names choose, and a whole name chooses only itself', () => {
  const all = ['deep-1', 'deep-12', 'wide-1'].map((name) => ({ name }));
  const names = (...only: string[]): string[] => chosen(all, only).map(({ name }) => name);
  expect([names(), names('deep'), names('deep-1'), names('-1'), names('wide', 'deep-12'), names('no')]).toEqual([
    ['deep-1', 'deep-12', 'wide-1'],
    ['deep-1', 'deep-12'],
    ['deep-1'],
    ['deep-1', 'deep-12', 'wide-1'],
    ['deep-12', 'wide-1'],
    [],
  ]);
});

// Drawing tens of millions of numbers takes seconds, and says no more than the small ones.
test.each(workloads.filter(({ bytes }) => bytes < 2e7))('$name fills the arrays that it declares', ({ name, arrays, fill }) => {
  expect(
    fill(random(1)).map((values) => values.length),
    name,
  ).toEqual(arrays.map(countOf));
});

test('a table holds who computes the same, and names who does not', async () => {
  const peers = [
    peer('tfc', 1000, 0.7),
    peer('numpy', 3000, 0.7),
    peer('wrong', 10, 0.9),
    { name: 'absent', command: () => undefined },
    { name: 'broken', command: () => ({ program: process.execPath, args: ['-e', 'console.error("no such thing")'] }) },
  ];
  const gauge = { gflops: async () => workload.flops / 500, gbs: async () => 1e9 };
  const figures = await measure(prepared, 1, peers, gauge, effort, -1);
  expect(figures.peers.map(({ name, us }) => [name, us])).toEqual([
    ['tfc', 1],
    ['numpy', 3],
  ]);
  expect(figures.failures.map(({ name }) => name)).toEqual(['broken', 'wrong']);
  expect(figures.failures[0]?.reason).toContain('no such thing');
  const text = table({ workload, figures, compile: { coldMs: 150, cachedMs: 5 } });
  expect(text).toMatch(/numpy +3\.00 +3\.00×/);
  const machine = { cpu: 'some', target: 'native', processors: 1, node: 'v20', compiler: undefined, nodeMs: 40, date: '2026-01-02' };
  const result = toJson(machine, [], [{ workload, figures, compile: undefined }]);
  expect(result).toMatchObject({ workloads: [{ name: 'logistic-100', threads: 1, tfc_us: 1, peers: { numpy: 3 } }] });
  expect(summaries(result)).toEqual([
    [1, ['|  | tfc, µs | % of limit | NumPy |', '| --- | --: | --: | --: |', '| logistic-100 | 1.00 | 50 | 3.0 |'].join('\n')],
  ]);
});

describe('documents', () => {
  const run = (name: string, threads: number, tfc_us: number, peers: Record<string, number>): Result['workloads'][number] => ({
    ...{ name, threads, tfc_us, tfc_call_us: null, peers, roofline: 0.5, rooflines: {}, limit: null },
    ...{ peak_bytes: { tfc: 5e7 }, first_step_ms: { tfc: 80 }, compile_ms: 150, cached_ms: 5, systems: { numpy: 'NumPy 2' } },
    failures: threads === 2 ? [{ name: 'jax', reason: 'it fell asleep' }] : [],
  });
  const result: Result = {
    machine: { cpu: 'some', target: 'native', processors: 2, node: 'v20', compiler: 'cc 1', nodeMs: 40, date: '2026-01-02' },
    limits: [{ threads: 1, gflops: 100, read: { 16384: 200 }, triad: 10, streamTriad: 20 }],
    workloads: [
      run('logistic-1000', 1, 2, { mark: 1, numpy: 20, jax: 8, 'jax-loop': 4 }),
      run('logistic-1000', 2, 1, { numpy: 20 }),
      run('perceptron-50-sgd', 1, 100, { mark: 100, numpy: 300 }),
    ],
  };

  test('a page has the machine, a table per number of threads with one number per cell, and who is missing', () => {
    const text = page(result);
    for (const part of [
      'Machine: some, 2 processors, on 2026-01-02. Node v20, C by cc 1; NumPy 2.',
      '## One thread',
      '|  | tfc, µs | % of limit | mark | NumPy | JAX |',
      '| logistic-1000 | 2.00 | 50 | 0.50 | 10 | 2.0 |',
      '| perceptron-50-sgd | 100 | 50 | 1.00 | 3.0 | – |',
      '## 2 threads',
      '| logistic-1000 | 1.00 | 50 | 20 |',
      '| 1 | 100 | 200 | 10.0 | 20.0 |',
      '| tfc | 80.0 | 50.0 |',
      '| perceptron-50-sgd | 150 | 5.00 |',
      '- `logistic-1000`, 2 threads: jax: it fell asleep',
    ])
      expect(text.split('\n')).toContain(part);
  });

  test('the short table has known workloads alone, beside whoever comes next', () => {
    expect(
      headline(result)
        .split('\n')
        .filter((line) => !/^(\| one|\| ---|$)/.test(line)),
    ).toEqual([
      'One thread; some, 2 processors, on 2026-01-02.',
      '| logistic regression, batch 1000 | 2.00 | 50 | JAX, 2.0× |',
      '| perceptron 784-300-100-10, batch 50, SGD | 100 | 50 | NumPy, 3.0× |',
    ]);
    expect(() => withTable('no place', result)).toThrow('README.md has no table');
  });

  test('what is committed is what the figures say', async () => {
    const read = (...parts: string[]): string => readFileSync(at(...parts), 'utf8');
    const figures = JSON.parse(read('docs', 'performance.json')) as Result;
    expect(await formatted(page(figures), at('docs', 'performance.md'))).toBe(read('docs', 'performance.md'));
    expect(await formatted(withTable(read('README.md'), figures), at('README.md'))).toBe(read('README.md'));
    expect(headline(figures).match(/^\| /gm)).toHaveLength(2 + 5);
  });
});
