// A run that a command records, from its program on. In: a program, its step, how the command was called. Out: an open recorder, and the
// run's directory, which has the graph already.
// Holds: what is said of the program is read from the program as it is now.

import { openRecorder } from '../../train/open-recorder.js';
import type { HyperParameter, Recorder } from '../../train/recorder.js';
import { newRunDirectory } from '../../train/run-directory.js';
import { environmentOf, type RunFacts } from '../../train/run-facts.js';
import type { BuildRequest } from '../build/request.js';
import { version } from '../package.js';
import { describeProgram } from './describe-program.js';

export interface RunToRecord {
  /** Where it is recorded: the directory of all runs and the run's name, or the directory of a run that is gone on with after a step. */
  readonly at:
    { readonly logdir: string; readonly name: string } | { readonly directory: string; readonly name: string; readonly resumedAt: number };
  readonly program: Pick<BuildRequest, 'path' | 'set' | 'roots'>;
  /** The step's name. */
  readonly entry: string;
  readonly cpu: string;
  readonly threads: number;
  /** As it was typed. */
  readonly command: string;
  readonly options: Readonly<Record<string, HyperParameter>>;
  /** By which runs are compared, and tags of the scalars that they are compared in. */
  readonly hparams: Readonly<Record<string, HyperParameter>>;
  readonly metrics: readonly string[];
}

export interface RecordedRun {
  readonly directory: string;
  readonly recorder: Recorder;
}

/** @throws DiagnosticsError for the program; TfcError file-not-written, invalid-value for a name that is none. */
export async function recordRun(run: RunToRecord): Promise<RecordedRun> {
  const { at, command, options, threads, program: asked, entry, cpu } = run;
  const { graph, ...program } = await describeProgram({ ...asked, cpu }, entry);
  const facts: RunFacts = { command, options, environment: environmentOf(threads, version()), ...program };
  const isResumed = 'directory' in at;
  const directory = isResumed ? at.directory : newRunDirectory(at.logdir, at.name);
  const recorder = await openRecorder(directory, { name: at.name, facts, ...(isResumed ? { resumedAt: at.resumedAt } : {}) });
  recorder.graph(graph);
  recorder.hparams(run.hparams, run.metrics);
  return { directory, recorder };
}
