// A run in one table per number of threads. In: a run's result. Out: Markdown. Holds: a row per workload, one number per cell; peers by
// their time over tfc's, the faster way where one has two.

import type { Result, WorkloadResult } from './result.js';
import { short } from './statistics.js';

/** Titles of columns, and the peers that each is the best of. */
export const columns: readonly (readonly [string, readonly string[]])[] = [
  ['mark', ['mark']],
  ['NumPy', ['numpy']],
  ['JAX', ['jax', 'jax-loop']],
  ['PyTorch', ['torch']],
  ['torch.compile', ['torch-compile']],
  ['tfjs', ['tfjs']],
  ['jax-js', ['jax-js']],
];

/** Each number of threads with its table, in the order in which they were measured. */
export function summaries({ workloads }: Result): (readonly [number, string])[] {
  return [...new Set(workloads.map(({ threads }) => threads))].map((threads) => {
    const runs = workloads.filter((run) => run.threads === threads);
    const shown = columns.filter(([, names]) => runs.some(({ peers }) => names.some((name) => name in peers)));
    const rows = runs.map((run) => [
      run.name,
      short(run.tfc_us ?? Number.NaN),
      percent(run.roofline),
      ...shown.map(([, names]) => ratio(slower(run, names))),
    ]);
    return [threads, markdown(['', 'tfc, µs', '% of limit', ...shown.map(([title]) => title)], rows)] as const;
  });
}

export const ofThreads = (count: number): string => (count === 1 ? 'One thread' : `${count} threads`);

/** How many times longer the fastest of some peers takes than tfc; not a number where none took part. */
export function slower({ tfc_us, peers }: WorkloadResult, names: readonly string[]): number {
  const times = names.flatMap((name) => peers[name] ?? []);
  return times.length === 0 || tfc_us === null ? Number.NaN : Math.min(...times) / tfc_us;
}

export const percent = (part: number | null): string => (part === null ? '–' : `${Math.round(100 * part)}`);

export const ratio = (value: number): string =>
  Number.isNaN(value) ? '–' : value >= 10 ? Math.round(value).toLocaleString('en') : value.toFixed(value < 2 ? 2 : 1);

/** The first column to the left, numbers to the right. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, at) => (at === 0 ? '---' : '--:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
