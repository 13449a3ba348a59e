// The bench's own arithmetic, and who is let into a table. In: made-up peers. Out: figures, failures. Holds: peers here are scripts that
// answer at once, so that nothing is really timed.

import { describe, expect, test } from 'vitest';
import { chosen } from './choice.js';
import { type Effort, measure } from './measure.js';
import type { Peer } from './peers.js';
import { table, toJson } from './report.js';
import { columns, farthest, median, short } from './statistics.js';
import { summary } from './summary.js';
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
  expect(summary([{ workload, figures, compile: undefined }])).toBe(
    ['|  | tfc, µs | % of limit | NumPy |', '| --- | --- | --- | --- |', '| logistic-100 | 1.00 | 50 | 3.0 |'].join('\n'),
  );
  const machine = { cpu: 'some', target: 'native', processors: 1, node: 'v20', compiler: undefined, nodeMs: 40 };
  expect(toJson(machine, [], [{ workload, figures, compile: undefined }])).toMatchObject({
    workloads: [{ name: 'logistic-100', threads: 1, tfc_us: 1, peers: { numpy: 3 } }],
  });
});
