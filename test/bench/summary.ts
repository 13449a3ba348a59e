// A run in one table, as the README shows it. In: measured workloads. Out: Markdown. Holds: a row per workload, its thread counts side by
// side; peers by their time over tfc's, the faster way where one has two.

import type { Measured } from './report.js';
import { short } from './statistics.js';

/** Columns, and the peers that each is the best of. */
const columns: readonly (readonly [string, readonly string[]])[] = [
  ['mark', ['mark']],
  ['NumPy', ['numpy']],
  ['JAX', ['jax', 'jax-loop']],
  ['PyTorch', ['torch']],
  ['torch.compile', ['torch-compile']],
  ['tfjs', ['tfjs']],
  ['jax-js', ['jax-js']],
];

export function summary(measured: readonly Measured[]): string {
  const shown = columns.filter(([, names]) => measured.some(({ figures }) => figures.peers.some(({ name }) => names.includes(name))));
  const head = ['', 'tfc, µs', '% of limit', ...shown.map(([name]) => name)];
  const rows = [...new Set(measured.map(({ workload }) => workload.name))].map((name) => {
    const runs = measured.filter(({ workload }) => workload.name === name);
    const cell = (text: (run: Measured) => string): string => {
      const texts = runs.map(text);
      return texts.every((one) => one === '–') ? '–' : texts.join(' / ');
    };
    return [
      name,
      cell((run) => short(timeOf(run, ['tfc']))),
      cell(share),
      ...shown.map(([, names]) => cell((run) => ratio(timeOf(run, names) / timeOf(run, ['tfc'])))),
    ];
  });
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The shortest time of some peers; not a number where none took part. */
function timeOf({ figures }: Measured, names: readonly string[]): number {
  const times = figures.peers.filter(({ name }) => names.includes(name)).map(({ us }) => us);
  return times.length === 0 ? Number.NaN : Math.min(...times);
}

function share(run: Measured): string {
  const { limit } = run.figures;
  const part = limit === undefined ? Number.NaN : limit.floorUs / timeOf(run, ['tfc']);
  return Number.isNaN(part) ? '–' : `${Math.round(100 * part)}`;
}

const ratio = (value: number): string =>
  Number.isNaN(value) ? '–' : value >= 10 ? Math.round(value).toLocaleString('en') : value.toFixed(value < 2 ? 2 : 1);
