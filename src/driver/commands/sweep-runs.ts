// The runs of a sweep. In: combinations of values. Out: each trained in a process of its own and recorded; a table, the best first; a page
// of all curves. Holds: a run that fails is a row with its reason, and the others go on; Ctrl-C lets those that run save what they do, and
// starts no other.

import { spawn } from 'node:child_process';
import { extname, join } from 'node:path';
import { availableParallelism } from 'node:os';
import { requireWritable } from '../../../runtime/atomic-file.js';
import { TfcError } from '../../../runtime/index.js';
import { isBetter, parseCriterion, type Criterion } from '../../train/criterion.js';
import { print, warn } from './command.js';
import { exitCodes, Interrupts } from './interrupts.js';
import { UsageError } from './options.js';
import type { Combination } from './sweep-axes.js';
import type { SweepOptions } from './sweep.js';

interface Outcome {
  readonly run: Combination;
  /** Of the last epoch. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly directory: string | undefined;
  readonly failure: string | undefined;
}

export async function sweep(runs: readonly Combination[], options: SweepOptions, jobs: number | undefined): Promise<void> {
  const page = options.out ?? join(options.logdir, 'sweep.html');
  if (extname(page) !== '.html') throw new UsageError(`-o takes a path that ends in .html; got ${JSON.stringify(page)}`);
  if (options.out !== undefined) requireWritable(options.out);
  if (runs.some(({ words }) => words.some((word) => /^--(?:save|name)(?:=|$)/.test(word))))
    throw new UsageError('every run of a sweep is called by its values, and its variables are in its checkpoints (--checkpoint DIR)');
  const json = options.json === true;
  using interrupts = new Interrupts((by) => warn(`${by}: the runs that have begun end after their step`));
  const outcomes: Outcome[] = [];
  const waiting = [...runs];
  const worker = async (): Promise<void> => {
    for (let run = waiting.shift(); run !== undefined && interrupts.by === undefined; run = waiting.shift()) {
      const outcome = await trained(run, options, interrupts.signal);
      outcomes.push(outcome);
      if (json) print(JSON.stringify({ ...run.values, ...outcome.metrics, ...told(outcome) }));
      else
        print(
          `${outcomes.length} of ${runs.length}  ${run.name}: ${outcome.failure ?? shownMetrics(outcome)} (${outcome.seconds.toFixed(1)} s)`,
        );
    }
  };
  const atOnce = Math.min(runs.length, jobs ?? Math.max(1, Math.floor(availableParallelism() / 2)));
  await Promise.all(Array.from({ length: atOnce }, worker));
  const criterion = criterionOf(outcomes, options.metric);
  const ordered = inOrder(outcomes, criterion);
  if (!json) print(`\n${table(ordered, criterion).join('\n')}`);
  const recorded = ordered.flatMap(({ directory }) => (directory === undefined ? [] : [directory]));
  if (recorded.length > 0) {
    const { readRun } = await import('../../train/read-run.js');
    const { writeReport } = await import('../report/run-report.js');
    await writeReport(recorded.map(readRun), page);
    print(json ? JSON.stringify({ report: page }) : `\nreport: ${page}`);
  }
  if (interrupts.by !== undefined) process.exitCode = exitCodes[interrupts.by];
  else if (outcomes.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

const told = ({ seconds, directory, failure }: Outcome) => ({
  seconds,
  ...(directory === undefined ? {} : { directory }),
  ...(failure === undefined ? {} : { error: failure }),
});

/** `tfc train` in a process of its own. */
function trained(run: Combination, { logdir }: SweepOptions, signal: AbortSignal): Promise<Outcome> {
  const start = performance.now();
  const args = ['train', ...checkpointed(run), '--logdir', logdir, '--name', run.name, '--json'];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [process.argv[1] as string, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', (cause) => reject(new TfcError('internal-error', `a run could not be started: ${cause.message}`, { cause })));
    // At a terminal they got the signal themselves; another one would end them in the middle of a step.
    const stop = (): void => void (process.stdin.isTTY === true || child.kill('SIGINT'));
    signal.addEventListener('abort', stop, { once: true });
    child.on('close', (status) => {
      signal.removeEventListener('abort', stop);
      resolve({
        run,
        seconds: (performance.now() - start) / 1000,
        ...read(Buffer.concat(out).toString(), Buffer.concat(err).toString(), status),
      });
    });
  });
}

/** Each run has a directory for checkpoints of its own. */
function checkpointed({ words, name }: Combination): string[] {
  return words.map((word, at) => {
    if (words[at - 1] === '--checkpoint') return join(word, name);
    return word.startsWith('--checkpoint=') ? `--checkpoint=${join(word.slice('--checkpoint='.length), name)}` : word;
  });
}

/** What an epoch's line has beside metrics. */
const aside: ReadonlySet<string> = new Set(['steps', 'seconds', 'rowsPerSecond']);

function read(out: string, err: string, status: number | null): Pick<Outcome, 'metrics' | 'directory' | 'failure'> {
  let metrics: Readonly<Record<string, number>> = {};
  let directory: string | undefined;
  let failure: string | undefined;
  for (const line of out.split('\n').filter((one) => one.startsWith('{'))) {
    const { recorded, report, error, epoch, ...rest } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (typeof recorded === 'string') directory = recorded;
    else if (typeof error === 'object' && error !== null && 'message' in error) failure = String(error.message);
    else if (epoch !== undefined && report === undefined)
      metrics = Object.fromEntries(Object.entries(rest).flatMap(([name, value]) => (aside.has(name) ? [] : [[name, Number(value)]])));
  }
  if (status !== 0 && status !== exitCodes.SIGINT) failure ??= err.trim().split('\n').at(-1) || `ended with ${status}`;
  return { metrics, directory, failure };
}

function criterionOf(outcomes: readonly Outcome[], named: string | undefined): Criterion | undefined {
  const names = [...new Set(outcomes.flatMap(({ metrics }) => Object.keys(metrics)))];
  const fitting = names.find((name) => name.startsWith('validation/')) ?? names[0] ?? '';
  const criterion = parseCriterion(named ?? fitting);
  if (names.length === 0 || names.includes(criterion.metric)) return names.length === 0 ? undefined : criterion;
  // The runs are done; that they are ordered by something else is no reason to lose them.
  warn(`--metric: no run has ${criterion.metric}; they have ${names.join(', ')}`);
  return parseCriterion(fitting);
}

function inOrder(outcomes: readonly Outcome[], criterion: Criterion | undefined): Outcome[] {
  if (criterion === undefined) return [...outcomes];
  const value = ({ metrics, failure }: Outcome): number => (failure === undefined ? (metrics[criterion.metric] ?? Number.NaN) : Number.NaN);
  return [...outcomes].sort((a, b) => (isBetter(criterion, value(a), value(b)) ? -1 : isBetter(criterion, value(b), value(a)) ? 1 : 0));
}

const number = (value: number): string => String(Number(value.toPrecision(4)));

const shownMetrics = ({ metrics }: Outcome): string =>
  Object.entries(metrics)
    .map(([name, value]) => `${name} ${number(value)}`)
    .join(', ');

/** The best first; the metric that orders them stands before the others. */
function table(outcomes: readonly Outcome[], criterion: Criterion | undefined): string[] {
  const axes = Object.keys(outcomes[0]?.run.values ?? {});
  const all = [...new Set(outcomes.flatMap(({ metrics }) => Object.keys(metrics)))];
  const metrics = criterion === undefined ? all : [criterion.metric, ...all.filter((name) => name !== criterion.metric)];
  const rows = [
    [...axes, ...metrics],
    ...outcomes.map(({ run, metrics: own, failure }) => [
      ...axes.map((axis) => run.values[axis] ?? ''),
      ...(failure === undefined ? metrics.map((name) => (own[name] === undefined ? '' : number(own[name]))) : [failure]),
    ]),
  ];
  const widths = [...axes, ...metrics].map((_, column) =>
    Math.max(...rows.filter((row, at) => at === 0 || row.length === axes.length + metrics.length).map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        row.length === widths.length
          ? cell.padStart(widths[column] ?? 0)
          : column < axes.length
            ? cell.padStart(widths[column] ?? 0)
            : cell,
      )
      .join('  ')
      .trimEnd(),
  );
}
