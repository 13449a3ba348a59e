// `--logdir`: a training run that is recorded. In: a run that is about to begin, its program, options. Out: the run's directory, and at the
// end a report in it.
// Holds: what cannot be recorded is an error before the first step, and a warning from then on: no run is lost for want of its log.

import { basename, join } from 'node:path';
import { type EntrySpec, TfcError } from '../../../runtime/index.js';
import { RecordingObserver } from '../../train/recording-observer.js';
import type { HyperParameter, Outcome } from '../../train/recorder.js';
import { earlierRunDirectory } from '../../train/run-directory.js';
import type { Recording, TrainingRun } from '../../train/training-run.js';
import { mistakesOf } from '../mistakes.js';
import type { Feeds } from './feeds.js';
import { parseProgram } from './options.js';
import type { TrainingOptions, TrainingSettings } from './train-options.js';
import type { TrainReport } from './train-report.js';

export const reportName = 'report.html';

export interface RunToRecord {
  readonly logdir: string;
  /** The program's file. */
  readonly path: string;
  readonly entry: EntrySpec;
  readonly constant: Feeds;
  /** Tags of the scalars in which runs are compared. */
  readonly metrics: readonly string[];
  readonly options: TrainingOptions;
  readonly settings: TrainingSettings;
}

export class TrainRecording implements Recording {
  readonly directory: string;
  readonly observer: RecordingObserver;
  readonly #report: TrainReport;

  private constructor(directory: string, observer: RecordingObserver, report: TrainReport) {
    this.directory = directory;
    this.observer = observer;
    this.#report = report;
  }

  /**
   * A run that goes on does so in its own directory, where that is still there. Errors: those of the program; file-not-written;
   * invalid-value for a name that is none.
   */
  static async begin(run: TrainingRun, what: RunToRecord, report: TrainReport): Promise<TrainRecording> {
    const { logdir, path, entry, constant, metrics, options, settings } = what;
    const { resumed } = run;
    const name = options.name?.normalize() ?? basename(path).replace(/\.tdsl$/, '');
    const earlier = resumed?.recordedIn === undefined ? undefined : earlierRunDirectory(logdir, resumed.recordedIn);
    // Loaded when a run is recorded: it reads the program, and draws its graph.
    const { recordRun } = await import('../report/record-run.js');
    const { directory, recorder } = await recordRun({
      at:
        earlier === undefined || resumed === undefined ? { logdir, name } : { directory: earlier, name, resumedAt: resumed.position.step },
      program: { path, ...parseProgram(options) },
      entry: entry.name,
      cpu: options.cpu,
      threads: settings.threads,
      command: ['tfc', ...process.argv.slice(2)].map(quoted).join(' '),
      options: given(options),
      hparams: hparamsOf(what),
      metrics,
    });
    report.recorded(directory);
    const onFailure = (error: unknown): void => report.warn(`the run goes on and is recorded no longer: ${reasonOf(error)}`);
    return new TrainRecording(directory, new RecordingObserver(recorder, { constant, onFailure }), report);
  }

  get recordedIn(): string {
    return basename(this.directory);
  }

  /** Why the run ends before its end. */
  failed(error: unknown): void {
    this.observer.text('error', reasonOf(error));
  }

  /** Never throws. */
  async end(outcome: Outcome): Promise<void> {
    await this.observer.close(outcome);
    const path = join(this.directory, reportName);
    try {
      const [{ readRun }, { writeReport }] = await Promise.all([import('../../train/read-run.js'), import('../report/run-report.js')]);
      await writeReport([readRun(this.directory)], path);
      this.#report.reported(path);
    } catch (error) {
      this.#report.warn(`${path} was not made: ${reasonOf(error)}`);
    }
  }
}

function reasonOf(error: unknown): string {
  const messages = error instanceof TfcError ? [error.message] : mistakesOf(error)?.map(({ message }) => message);
  return messages?.join('; ') ?? (error instanceof Error ? error.message : String(error));
}

/** Options as they hold, defaults included. */
function given(options: TrainingOptions): Record<string, HyperParameter> {
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, value]: [string, unknown]) => {
      if (Array.isArray(value)) return value.length === 0 ? [] : [[name, value.join(', ')]];
      return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [[name, value]] : [];
    }),
  );
}

/** What decides the numbers that a run gets: options, sizes, arguments. */
function hparamsOf({ constant, options, settings }: RunToRecord): Record<string, HyperParameter> {
  const { batch, epochs, seed, normalize, rest } = settings;
  const { data, shuffle, validate, restore, earlyStop } = options;
  const optional = { normalize, validate, restore, earlyStop };
  return {
    ...Object.fromEntries(
      Object.entries(constant).flatMap(([name, value]): [string, HyperParameter][] =>
        typeof value === 'bigint'
          ? [[name, String(value)]]
          : typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string'
            ? [[name, value]]
            : [],
      ),
    ),
    ...parseProgram(options).set,
    data,
    batch,
    epochs,
    seed,
    shuffle,
    dropRest: rest === 'drop',
    ...Object.fromEntries(Object.entries(optional).filter((one): one is [string, string] => one[1] !== undefined)),
  };
}

/** As a shell reads it. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
