// A run as documents. In: a run's result. Out: docs/performance.json, the page that shows it, and the README's table. Holds: the page says
// nothing that the result doesn't; files are as the formatter leaves them.

import { readFileSync, writeFileSync } from 'node:fs';
import { at } from './place.js';
import type { Result, WorkloadResult } from './result.js';
import { short } from './statistics.js';
import { columns, markdown, ofThreads, percent, ratio, slower, summaries } from './summary.js';

/** What the README shows: name, and how it says it to who has not seen the others. */
const shown: readonly (readonly [string, string])[] = [
  ['logistic-1000', 'logistic regression, batch 1000'],
  ['perceptron-50-sgd', 'perceptron 784-300-100-10, batch 50, SGD'],
  ['perceptron-512-adam', 'the same, batch 512, Adam'],
  ['chain-derivative-16M', 'ten elementwise operations and their derivatives, 16 M numbers'],
  ['product-1024x1024x1024', '1024×1024·1024×1024'],
];
/** Whose start and memory are shown. */
const started = 'perceptron-50-sgd';

const about = `\`mark\` is a step written by hand in C with vector intrinsics; NumPy is written by hand, in place and in blocks that caches hold;
JAX is jitted, the faster of a step per call and steps in its own loop; TensorFlow.js (\`tfjs\`) and jax-js run in WebAssembly. Names of
workloads: \`linear-ROWSxFEATURES\`, \`logistic-BATCH\` (two features) and \`perceptron-BATCH-RULE\` (784-300-100-10) are whole training
steps; \`chain\` is ten elementwise operations (bias, GELU, residual), \`chain-derivative\` has their derivatives with them, \`norm\` a layer
norm behind them, both ways; \`product-MxKxN\` is a matrix product, \`-left\` and \`-right\` with that side transposed. All in f32.`;

const how = `Every system starts from the same values and has to compute the same before anything is timed. Rounds interleave, so that a
drifting clock touches all alike; a figure is the median over rounds. "% of limit" is the time that the machine's arithmetic or memory needs
at least, as measured between the same rounds, over tfc's time. Only figures of one run compare. [\`benchmark.md\`](benchmark.md) says more.`;

const machineOf = ({ machine }: Result): string => `${machine.cpu}, ${machine.processors} processors, on ${machine.date}`;

/** Everything that a result says, for people. */
export function page(result: Result): string {
  const { machine, limits, remarks = [] } = result;
  const systems = [...new Set(result.workloads.flatMap((run) => Object.values(run.systems)))].filter(
    (name) => name !== 'tfc' && name !== 'C',
  );
  return [
    '# Performance',
    'Written by `npm run bench -- --write` from [`performance.json`](performance.json): to be measured, not edited.',
    `Machine: ${machineOf(result)}. Node ${machine.node}${machine.compiler === undefined ? '' : `, C by ${machine.compiler}`}${systems.length === 0 ? '' : `; ${systems.join(', ')}`}.`,
    ...remarks,
    '## How it is measured',
    how,
    about,
    ...summaries(result).flatMap(([threads, table]) => [
      `## ${ofThreads(threads)}`,
      "tfc in microseconds per step; the others in multiples of tfc's time: above 1, tfc is faster.",
      table,
    ]),
    ...section(
      'Limits',
      'What the machine reached at the start of the run: multiply-adds in registers; reading again and again through so many KB per thread; a triad through main memory, with ordinary stores and with stores that pass the caches.',
      [
        'threads',
        'GFLOP/s',
        ...levelsOf(result).map((bytes) => `${short(Number(bytes) / 1024)} KB, GB/s`),
        'triad, GB/s',
        'past the caches, GB/s',
      ],
      limits.map(({ threads, gflops, read, triad, streamTriad }) => [
        String(threads),
        ...[gflops, ...levelsOf(result).map((bytes) => read[bytes] ?? Number.NaN), triad, streamTriad].map(short),
      ]),
    ),
    ...section(
      'Start and memory',
      `From the start of a process to the end of its first step, and its peak memory: \`${started}\`, one thread. Node alone starts and ends in ${short(machine.nodeMs)} ms.`,
      ['', 'first step, ms', 'peak, MB'],
      result.workloads
        .filter(({ name, threads }) => name === started && threads === 1)
        .flatMap(({ first_step_ms, peak_bytes }) =>
          Object.entries(first_step_ms).map(([peer, ms]) => [peer, short(ms), short((peak_bytes[peer] ?? Number.NaN) / 1e6)]),
        ),
    ),
    ...section(
      'One call per step',
      'Microseconds per step with one thread, in the native loop and with one call through the session per step.',
      ['', 'loop, µs', 'calls, µs'],
      single(result)
        .filter(({ tfc_call_us }) => tfc_call_us !== null)
        .map(({ name, tfc_us, tfc_call_us }) => [name, short(tfc_us ?? Number.NaN), short(tfc_call_us ?? Number.NaN)]),
    ),
    ...section(
      'Compile time',
      'A whole process with an empty cache, and finding the artifact in the cache.',
      ['', 'from nothing, ms', 'cached, ms'],
      single(result)
        .filter(({ compile_ms }) => compile_ms !== null)
        .map(({ name, compile_ms, cached_ms }) => [name, short(compile_ms ?? Number.NaN), short(cached_ms ?? Number.NaN)]),
    ),
    ...absent(result),
  ].join('\n\n');
}

/** The README's table: a few steps on one thread, beside the fastest other system; and the machine. */
export function headline(result: Result): string {
  const rows = shown.flatMap(([name, title]) => {
    const run = single(result).find((one) => one.name === name);
    if (run === undefined) return [];
    const others = columns
      .filter(([, names]) => !names.includes('mark'))
      .map(([system, names]) => ({ system, times: slower(run, names) }))
      .filter(({ times }) => !Number.isNaN(times))
      .sort((one, other) => one.times - other.times);
    const [best] = others;
    return [
      [title, short(run.tfc_us ?? Number.NaN), percent(run.roofline), best === undefined ? '–' : `${best.system}, ${ratio(best.times)}×`],
    ];
  });
  const head = ['one training step or function', 'tfc, µs', '% of limit', "fastest other, its time over tfc's"];
  return `One thread; ${machineOf(result)}.\n\n${markdown(head, rows)}`;
}

/** Where the README's table stands. */
const [open, close] = ['<!-- written by npm run bench -- --write -->', '<!-- end -->'];

/** The README with the table of this result. */
export function withTable(readme: string, result: Result): string {
  const [before, after] = [readme.indexOf(open), readme.indexOf(close)];
  if (before < 0 || after < before) throw new Error(`README.md has no table between ${open} and ${close}`);
  return `${readme.slice(0, before + open.length)}\n\n${headline(result)}\n\n${readme.slice(after)}`;
}

/** As `npm run format` leaves a document. */
export async function formatted(text: string, path: string): Promise<string> {
  const { format, resolveConfig } = await import('prettier');
  return format(text, { ...(await resolveConfig(path)), filepath: path });
}

/** Writes all three. */
export async function publish(result: Result): Promise<void> {
  const readme = at('README.md');
  for (const [path, text] of [
    [at('docs', 'performance.json'), JSON.stringify(result)],
    [at('docs', 'performance.md'), page(result)],
    [readme, withTable(readFileSync(readme, 'utf8'), result)],
  ] as const)
    writeFileSync(path, await formatted(text, path));
}

/** A heading and a table, if it has rows. */
const section = (title: string, text: string, head: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  rows.length === 0 ? [] : [`## ${title}`, text, markdown(head, rows)];

/** Peers that failed, computed something else, or took too long. */
function absent({ workloads }: Result): string[] {
  const lines = workloads.flatMap(({ name, threads, failures }) =>
    failures.map((one) => `- \`${name}\`, ${threads === 1 ? 'one thread' : `${threads} threads`}: ${one.name}: ${one.reason}`),
  );
  return lines.length === 0 ? [] : ['## Who does not take part', lines.join('\n')];
}

const single = ({ workloads }: Result): WorkloadResult[] => workloads.filter(({ threads }) => threads === 1);

const levelsOf = ({ limits }: Result): string[] => Object.keys(limits[0]?.read ?? {});
