// A training run that survives: checkpoints at intervals, going on after a kill, stopping early. In: a session, what `train` takes, a
// directory of checkpoints, what the run is. Out: records of epochs. Holds: a run that was killed at any moment and goes on computes the
// same bits as one that was not; a checkpoint is never of a step whose loss, or whose parameters, are NaN or infinite (unless that is asked
// for).

import { type JsonValue, SafetensorsFile, type Session, TfcError } from '../../runtime/index.js';
import { type CheckpointFile, type Checkpoints } from './checkpoints.js';
import { type Criterion, isBetter } from './criterion.js';
import { beginning, type EpochRecord, type Position, type TrainObserver } from './observer.js';
import { smallerHint } from './scalars.js';
import { type RunStep, train, type TrainOptions } from './train.js';
import { trainOptionsOf } from './train-options.js';
import { type Patience, readState, requireSameRun, type RunIdentity, type TrainingState } from './training-state.js';

/**
 * How often.
 * @example
 * ```ts
 * const every: Every = { count: 500, unit: 'steps' };
 * ```
 */
export interface Every {
  readonly count: number;
  readonly unit: 'steps' | 'epochs';
}

export interface RunOptions extends Omit<TrainOptions, 'start'> {
  readonly session: Session;
  readonly identity: RunIdentity;
  readonly checkpoints?: Checkpoints | undefined;
  /** How often one is written; one more is written at the end, and of every epoch that is the best so far. */
  readonly every: Every;
  /** Whether the run goes on with the newest checkpoint, if there is one. */
  readonly resume: boolean;
  /** Ends the run when so many epochs in a row were no better than the best before. */
  readonly earlyStop?: { readonly criterion: Criterion; readonly patience: number } | undefined;
  /** What predictions need of the training data. */
  readonly normalization?: JsonValue;
  readonly vocabularies?: JsonValue;
}

/** What is made only when the run knows where it goes on. */
export interface Recording {
  /** The name of its directory: checkpoints have it, so that a run that goes on finds it. */
  readonly recordedIn: string;
  readonly observer: TrainObserver;
}

/**
 * A run of `openTrainingRun`.
 * @example
 * ```ts
 * const train = async (run: TrainingRun): Promise<void> => {
 *   console.log('goes on from step', run.resumed?.position.step ?? 0);
 *   for await (const { epoch, means } of run.epochs()) console.log(epoch, means['loss']);
 *   console.log('newest checkpoint:', run.saved?.path);
 * };
 * ```
 */
export class TrainingRun {
  readonly #options: RunOptions;
  readonly #run: RunStep;
  /** Where the run goes on; undefined when it starts at the beginning. */
  readonly resumed: { readonly file: CheckpointFile; readonly position: Position; readonly recordedIn: string | undefined } | undefined;
  #recordedIn: string | undefined;
  #saved: CheckpointFile | undefined;
  #position: Position;
  #patience: Patience | undefined;

  /**
   * Gives the session the variables of the newest checkpoint, when the run goes on.
   * @throws TfcError other-run, bad-data; invalid-value when the directory has checkpoints and the run shall not go on.
   */
  constructor(run: RunStep, options: RunOptions) {
    this.#run = run;
    this.#options = options;
    const { checkpoints, resume, session, identity } = options;
    const file = checkpoints?.latest;
    if (file !== undefined && !resume)
      throw new TfcError('invalid-value', `${checkpoints?.directory} has checkpoints of a run already.`, {
        hint: 'Go on with that run by --resume (from TypeScript: resume: true), or name another directory.',
      });
    if (file === undefined) {
      this.#position = beginning;
      return;
    }
    const state = whole(file, () => readState(file.path));
    requireSameRun(file.path, state.run, identity);
    whole(file, () => restoreAll(session, file.path));
    this.resumed = { file, position: state.position, recordedIn: state.recordedIn };
    this.#recordedIn = state.recordedIn;
    this.#saved = file;
    this.#position = state.position;
    this.#patience = state.patience;
  }

  /** The newest checkpoint. */
  get saved(): CheckpointFile | undefined {
    return this.#saved;
  }

  get position(): Position {
    return this.#position;
  }

  /** Whether it ended, or has ended before, because nothing got better. */
  get stoppedEarly(): boolean {
    const { earlyStop } = this.#options;
    return earlyStop !== undefined && (this.#patience?.waited ?? 0) >= earlyStop.patience;
  }

  /** @throws TfcError as `train`; file-not-written. What was saved before an error stays. */
  async *epochs(recording?: Recording): AsyncGenerator<EpochRecord> {
    const { every, checkpoints, epochs, observers = [] } = this.#options;
    // A run that goes on unrecorded may be recorded again later.
    this.#recordedIn = recording?.recordedIn ?? this.#recordedIn;
    if (this.stoppedEarly) return;
    const saver = {
      onStep: ({ step, position }: { readonly step: number; readonly position: () => Position }) => {
        if (every.unit === 'steps' && step % every.count === 0) this.#save(position(), {});
      },
      onEnd: ({ position }: { readonly position: Position }) => void (this.#position = position),
    };
    let metrics: EpochRecord['means'] = {};
    const options = {
      ...trainOptionsOf(this.#options),
      start: this.#position,
      observers: [...observers, ...(recording === undefined ? [] : [recording.observer]), saver],
    };
    for await (const record of train(this.#run, options)) {
      this.#position = record.position;
      metrics = record.means;
      this.#wait(record);
      yield record;
      const isDue = every.unit === 'epochs' ? record.epoch % every.count === 0 : record.steps % every.count === 0;
      if (isDue || this.stoppedEarly || record.epoch === epochs || checkpoints?.isBest(metrics) === true)
        this.#save(record.position, metrics);
      if (this.stoppedEarly) break;
    }
    // It was asked to stop within an epoch.
    if (this.#saved?.step !== this.#position.step) this.#save(this.#position, this.#position.batch === 0 ? metrics : {});
  }

  #wait({ means }: EpochRecord): void {
    const { earlyStop } = this.#options;
    if (earlyStop === undefined) return;
    const value = means[earlyStop.criterion.metric] ?? Number.NaN;
    const { best, waited } = this.#patience ?? { best: Number.NaN, waited: 0 };
    this.#patience = isBetter(earlyStop.criterion, value, best) ? { best: value, waited: 0 } : { best, waited: waited + 1 };
  }

  #save(position: Position, metrics: TrainingState['metrics']): void {
    const { checkpoints, session, identity, stopOnNan = true, normalization, vocabularies } = this.#options;
    if (checkpoints === undefined || position.step === 0) return;
    if (stopOnNan) requireFiniteParameters(session, position);
    this.#saved = checkpoints.save(session, {
      position,
      run: identity,
      metrics,
      ...(this.#patience === undefined ? {} : { patience: this.#patience }),
      ...(normalization === undefined ? {} : { normalization }),
      ...(vocabularies === undefined ? {} : { vocabularies }),
      ...(this.#recordedIn === undefined ? {} : { recordedIn: this.#recordedIn }),
    });
  }
}

/** Nothing that was interrupted leaves half a file; a broken disk, or a person, may. */
function whole<T>({ path }: CheckpointFile, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof TfcError) || cause.code !== 'bad-data') throw cause;
    throw new TfcError('bad-data', cause.message, { cause, hint: `Without ${path} the run goes on from the checkpoint before.` });
  }
}

/** What had no value when it was saved has none now. */
function restoreAll(session: Session, path: string): void {
  using file = new SafetensorsFile(path);
  session.restore(path, { only: [...file.tensors.keys()] });
}

/** The loss of a step is that of the variables before it: what the step made of them shows only in the next one. */
function requireFiniteParameters(session: Session, { step, epoch }: Position): void {
  for (const { path, kind, dtype } of session.variables) {
    if (kind !== 'param' || !(dtype === 'f32' || dtype === 'f64') || !session.isInitialized(path)) continue;
    const value = session.get(path);
    const numbers = typeof value === 'object' ? (value.data as Float32Array | Float64Array) : [Number(value)];
    const bad = numbers.find((one) => !Number.isFinite(one));
    if (bad !== undefined)
      throw new TfcError('not-finite', `${path} has ${bad} after step ${step} (epoch ${epoch}).`, { variable: path, hint: smallerHint });
  }
}
