// Runs that are recorded from TypeScript. In: the directory of all runs, a name, what the run is started with. Out: a recorder for the loop
// that trains, which writes for TensorBoard and for `tfc report`; pages of what was recorded.

import { isText, reading, TfcError } from '../../../runtime/error.js';
import { Module } from '../../../runtime/index.js';
import { readOptions } from '../../../runtime/options.js';
import { shown } from '../../../runtime/shown.js';
import { notWritten } from '../../../runtime/system-error.js';
import { openRecorder } from '../../train/open-recorder.js';
import { readRun, runsIn } from '../../train/read-run.js';
import { type HyperParameter, isStep, type Recorder } from '../../train/recorder.js';
import { newestRunDirectory, newRunDirectory } from '../../train/run-directory.js';
import { environmentOf } from '../../train/run-facts.js';
import { version } from '../package.js';
import { writeReport as writePage } from '../report/run-report.js';
import { factsOf } from './compile.js';
import { toTfcError } from './failures.js';

/**
 * What a run is started with.
 * @example
 * ```ts
 * const program = { module: model, entry: 'train' };
 * const options: RunOptions = { program, hparams: { lr: 0.1, batch: 50 }, metrics: ['validation/loss'], resumedAt: 120 };
 * ```
 */
export interface RunOptions {
  /** By which runs are compared. */
  readonly hparams?: Readonly<Record<string, HyperParameter>>;
  /** Tags of the scalars in which they are compared. Default: those of `train/`, `validation/` and `test/`. */
  readonly metrics?: readonly string[];
  /** What is trained: its graph, variables and kernels are recorded. A module that `compile` opened, which has its source. */
  readonly program?: { readonly module: Module; readonly entry: string };
  /** Those of the session. Default 1. */
  readonly threads?: number;
  /**
   * Goes on, behind this step, with the newest run of that name in `logdir`; where there is none, a new one begins. What was recorded
   * behind the step counts no more. Default: a new run.
   */
  readonly resumedAt?: number | undefined;
}

/**
 * A run that is recorded.
 * @example
 * ```ts
 * const { directory, recorder }: OpenRun = await openRun('logs', 'model');
 * await recorder.close();
 * console.log(directory); // logs/model-2026-11-29T10-31-05
 * ```
 */
export interface OpenRun {
  /** `LOGDIR/NAME-2026-11-29T10-31-05`; new, unless the run goes on. */
  readonly directory: string;
  /** Close it at the end. */
  readonly recorder: Recorder;
}

/**
 * Begins to record a run in a directory of its own below `logdir`, or goes on with one.
 * @throws TfcError invalid-value for a name with a slash and for options that make no sense, file-not-written; source-missing and
 * unknown-entry for a program that cannot be recorded.
 * @example
 * ```ts
 * const { directory, recorder } = await openRun('logs', 'model', { hparams: { lr: 0.1 }, metrics: ['train/loss'] });
 * for (let step = 1; step <= 10; step++) {
 *   const { loss } = session.run('train', { x, y, lr: 0.1 }) as { loss: number };
 *   recorder.scalars(step, Date.now() / 1000, { 'train/loss': loss });
 * }
 * await recorder.close();
 * await writeReport([directory], 'report.html');
 * ```
 */
export async function openRun(logdir: string, name: string, options: RunOptions = {}): Promise<OpenRun> {
  const {
    program,
    hparams,
    metrics = [],
    threads = 1,
    resumedAt,
  } = readOptions(options, 'openRun', ['program', 'hparams', 'metrics', 'threads', 'resumedAt']);
  if (!Number.isSafeInteger(threads) || threads < 1)
    throw new TfcError('invalid-value', `threads is a whole number of at least 1, not ${shown(threads)}.`);
  if (resumedAt !== undefined && !isStep(resumedAt))
    throw new TfcError('invalid-value', `resumedAt is a step, a whole number from 0 on, not ${shown(resumedAt)}.`);
  const { graph, ...known } = program === undefined ? nothing : await factsOfProgram(program);
  const before = resumedAt === undefined ? undefined : newestRun(logdir, name);
  const directory = before ?? newRunDirectory(logdir, name);
  const facts = {
    command: process.argv.join(' '),
    options: {},
    environment: environmentOf(threads, version()),
    ...known,
  };
  const recorder = await openRecorder(directory, {
    name,
    facts,
    ...(before === undefined || resumedAt === undefined ? {} : { resumedAt }),
  });
  if (graph !== undefined) recorder.graph(graph);
  if (hparams !== undefined) recorder.hparams(hparams, metrics);
  return { directory, recorder };
}

const nothing: { readonly graph?: undefined; readonly variables: readonly []; readonly kernels: readonly [] } = {
  variables: [],
  kernels: [],
};

async function factsOfProgram(program: unknown): ReturnType<typeof factsOf> {
  const { module, entry } = typeof program === 'object' && program !== null ? (program as Readonly<Record<string, unknown>>) : {};
  if (!(module instanceof Module) || !isText(entry))
    throw new TfcError('invalid-value', `A program is a module and the name of an entry, not ${shown(program)}.`, {
      hint: "openRun('logs', 'model', { program: { module: model, entry: 'train' } })",
    });
  return factsOf(module, entry.normalize());
}

function newestRun(logdir: string, name: string): string | undefined {
  try {
    return newestRunDirectory(logdir, name);
  } catch (error) {
    throw notWritten(logdir, error);
  }
}

/**
 * Writes a page of runs: HTML in one piece. `directories`: of runs, or of several runs each.
 * @throws TfcError file-not-found, bad-data for a log that is none, file-not-written.
 * @example
 * ```ts
 * const { directory, recorder } = await openRun('logs', 'short');
 * recorder.scalars(1, Date.now() / 1000, { 'train/loss': 0.5 });
 * await recorder.close();
 * await writeReport([directory], 'short.html');
 * ```
 */
export async function writeReport(directories: readonly string[], path: string): Promise<void> {
  try {
    const named = reading('The directories', () => [...directories]);
    for (const one of [...named, path]) if (!isText(one)) throw new TfcError('invalid-value', `A path is text, not ${shown(one)}.`);
    if (named.length === 0) throw new TfcError('invalid-value', 'A report is of one run at least.');
    await writePage(named.flatMap((directory) => runsIn(directory)).map(readRun), path);
  } catch (error) {
    throw toTfcError(error);
  }
}
