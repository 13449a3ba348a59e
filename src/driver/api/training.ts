// Training runs that survive, for the API. In: a module, its session, a step, what `train` takes, a directory of checkpoints. Out: a run,
// which goes on where it was interrupted. Holds: what makes no sense is refused before a directory is made; whatever is thrown is a
// TfcError.

import { isText, reading } from '../../../runtime/error.js';
import { type JsonValue, type Module, type Session, TfcError, toJson } from '../../../runtime/index.js';
import { namesOf, requireKnown } from '../../../runtime/options.js';
import { shown } from '../../../runtime/shown.js';
import * as checkpoints from '../../train/checkpoints.js';
import { parseCriterion } from '../../train/criterion.js';
import type { Normalization } from '../../train/data/normalize.js';
import type { Vocabulary } from '../../train/data/vocabulary.js';
import { datasetFingerprint } from '../../train/fingerprint.js';
import type { TrainOptions } from '../../train/train.js';
import { requireOptions, trainNames } from '../../train/train-options.js';
import { type Every, TrainingRun } from '../../train/training-run.js';
import type { RunIdentity } from '../../train/training-state.js';
import { constantIdentity, moduleIdentity } from '../module-identity.js';
import { asTfcErrors } from './failures.js';

/**
 * Where checkpoints go, how often one is written, and which are kept.
 * @example
 * ```ts
 * const checkpoints: CheckpointOptions = {
 *   directory: 'checkpoints',
 *   every: { count: 100, unit: 'steps' },
 *   keep: 3,
 *   best: 'validation/loss',
 * };
 * ```
 */
export interface CheckpointOptions {
  /** It gets files `step-000123.safetensors`; made when it is not there. */
  readonly directory: string;
  /** How often one is written; one more is written at the end. Default: after every epoch. */
  readonly every?: Every;
  /** How many of the newest are kept. Default 5. */
  readonly keep?: number;
  /** The best is kept beside them: `validation/loss`, `max:score`. An accuracy is better when it is larger, most others when smaller. */
  readonly best?: string;
}

/**
 * When nothing gets better any more.
 * @example
 * ```ts
 * const earlyStop: EarlyStop = { metric: 'validation/loss', patience: 10 };
 * ```
 */
export interface EarlyStop {
  /** As `best`. */
  readonly metric: string;
  /** Epochs in a row that may be no better than the best. Default 5. */
  readonly patience?: number;
}

/**
 * What `openTrainingRun` takes: what `train` takes, and where checkpoints go.
 * @example
 * ```ts
 * const options: TrainingRunOptions = {
 *   data,
 *   batch: 50,
 *   epochs: 100,
 *   seed: 42,
 *   constant: { lr: 0.1 },
 *   checkpoints: { directory: 'checkpoints' },
 *   resume: true,
 *   earlyStop: { metric: 'loss' },
 * };
 * ```
 */
export interface TrainingRunOptions extends Omit<TrainOptions, 'start'> {
  readonly checkpoints: CheckpointOptions;
  /** Whether the run goes on with the newest checkpoint, if there is one. Default false: a directory that has some is refused. */
  readonly resume?: boolean;
  readonly earlyStop?: EarlyStop;
  /**
   * What else decides the numbers that the run computes: the date of its data, how it was split. A checkpoint of a run with other values is
   * refused. The module, the step, batches, seed, constant feeds and columns in memory are among them anyway.
   */
  readonly identity?: RunIdentity;
  /** What features were normalized by, and what whole numbers of texts mean: kept with each checkpoint, for `tfc predict`. */
  readonly normalization?: Normalization;
  readonly vocabularies?: Readonly<Record<string, Vocabulary>>;
}

/**
 * A run of the step `entry` over a data set, with checkpoints; `for await (const record of run.epochs())` trains. A run that was stopped by
 * its `signal`, or killed at any moment, and goes on ends with the same bits as one that was not. With `resume` the session has the
 * variables of the newest checkpoint when this returns.
 * @throws TfcError invalid-value for options that make no sense, for a directory that has checkpoints without `resume`, and for a session
 * of another module; unknown-entry; other-run, bad-data for checkpoints that do not fit; file-not-written.
 * @example
 * ```ts
 * const run = openTrainingRun(model, session, 'train', {
 *   data,
 *   batch: 50,
 *   epochs: 3,
 *   seed: 42,
 *   constant: { lr: 0.1 },
 *   checkpoints: { directory: 'checkpoints', keep: 2 },
 *   resume: true,
 * });
 * for await (const { epoch, means } of run.epochs()) console.log(epoch, means['loss']);
 * session.restore(resolveCheckpoint('checkpoints/latest'));
 * ```
 */
export function openTrainingRun(module: Module, session: Session, entry: string, options: TrainingRunOptions): TrainingRun {
  return asTfcErrors(() => {
    const bound = session.entry(entry);
    const given = reading('The options of a training run', () => requireRun(module, session, options));
    const { checkpoints: rules, earlyStop, identity = {}, normalization, vocabularies, resume = false, ...training } = given;
    const spec = module.manifest.entries.find(({ name }) => name === entry);
    if (spec === undefined) throw invalid(`${entry} has open ranks, and no run of it can be known again.`);
    const { directory, every = { count: 1, unit: 'epochs' }, keep = 5, best } = rules;
    return new TrainingRun((feeds) => bound.run(feeds), {
      ...training,
      session,
      every,
      resume,
      identity: {
        ...moduleIdentity(module, spec, training),
        data: datasetFingerprint(training.data),
        ...constantIdentity(training.constant ?? {}),
        ...identity,
      },
      checkpoints: new checkpoints.Checkpoints(directory, { keep, ...(best === undefined ? {} : { best: parseCriterion(best) }) }),
      ...(earlyStop === undefined ? {} : { earlyStop: { criterion: parseCriterion(earlyStop.metric), patience: earlyStop.patience ?? 5 } }),
      ...(normalization === undefined ? {} : { normalization: toJson(normalization) as JsonValue }),
      ...(vocabularies === undefined ? {} : { vocabularies: toJson(vocabularies) as JsonValue }),
    });
  });
}

/**
 * The file that `path` means: a file as it is; of a directory of checkpoints, or `DIR/latest`, the newest; of `DIR/best` the best, where
 * its run was told by what. @throws TfcError invalid-value, file-not-found, bad-data.
 * @example
 * ```ts
 * const run = openTrainingRun(model, session, 'train', {
 *   data,
 *   batch: 50,
 *   epochs: 2,
 *   seed: 1,
 *   constant: { lr: 0.1 },
 *   checkpoints: { directory: 'best-by-accuracy', best: 'accuracy' },
 * });
 * for await (const _ of run.epochs());
 * session.restore(resolveCheckpoint('best-by-accuracy/best'));
 * ```
 */
export function resolveCheckpoint(path: string): string {
  if (!isText(path)) throw invalid(`A path is text, not ${shown(path)}.`);
  return asTfcErrors(() => checkpoints.resolveCheckpoint(path));
}

const invalid = (message: string, hint?: string): TfcError => new TfcError('invalid-value', message, hint === undefined ? {} : { hint });

const names = [
  ...trainNames.filter((name) => name !== 'start'),
  ...namesOf<Omit<TrainingRunOptions, keyof TrainOptions>>({
    checkpoints: true,
    resume: true,
    earlyStop: true,
    identity: true,
    normalization: true,
    vocabularies: true,
  }),
];
const checkpointNames = namesOf<CheckpointOptions>({ directory: true, every: true, keep: true, best: true });
const earlyStopNames = namesOf<EarlyStop>({ metric: true, patience: true });

/** A copy: members are read once. */
function requireRun(module: Module, session: Session, options: TrainingRunOptions): TrainingRunOptions {
  requireOptions(() => undefined, options, 'openTrainingRun', names);
  if (session.variables !== module.manifest.variables)
    throw invalid('The session is of another module.', 'openTrainingRun(module, module.session({ seed: 42 }), "train", { … })');
  const given = { ...options };
  const { checkpoints: rules, resume = false, earlyStop, identity = {} } = given;
  if (typeof rules !== 'object' || (rules as unknown) === null || !isText(rules.directory) || rules.directory === '')
    throw invalid(`checkpoints has a directory; ${shown(rules)} has none.`, 'checkpoints: { directory: "checkpoints" }');
  requireKnown(rules, 'openTrainingRun, checkpoints,', checkpointNames);
  const { every, keep = 5, best } = rules;
  if (every !== undefined && !isEvery(every))
    throw invalid(`A checkpoint is written every so many steps or epochs, not ${shown(every)}.`, 'every: { count: 100, unit: "steps" }');
  requireCount('keep', keep);
  if (best !== undefined) requireMetric('best', best);
  if (typeof resume !== 'boolean') throw invalid(`resume is true or false, not ${shown(resume)}.`);
  if (earlyStop !== undefined) {
    if (typeof earlyStop !== 'object' || (earlyStop as unknown) === null)
      throw invalid(`earlyStop has a metric and a patience; ${shown(earlyStop)} has not.`);
    requireKnown(earlyStop, 'openTrainingRun, earlyStop,', earlyStopNames);
    requireMetric('The metric of earlyStop', earlyStop.metric);
    requireCount('The patience of earlyStop', earlyStop.patience ?? 5);
  }
  for (const [name, value] of Object.entries(identity))
    if (!['string', 'number', 'boolean'].includes(typeof value))
      throw invalid(`identity has texts, numbers and booleans; ${name} is ${shown(value)}.`);
  return given;
}

function isEvery(every: unknown): every is Every {
  if (typeof every !== 'object' || every === null) return false;
  const { count, unit } = every as { readonly [Name in keyof Every]?: unknown };
  return Number.isSafeInteger(count) && (count as number) >= 1 && (unit === 'steps' || unit === 'epochs');
}

function requireCount(name: string, value: unknown): void {
  if (!Number.isSafeInteger(value) || (value as number) < 1) throw invalid(`${name} is a whole number of at least 1, not ${shown(value)}.`);
}

function requireMetric(name: string, value: unknown): void {
  if (!isText(value) || parseCriterion(value).metric === '')
    throw invalid(`${name} is the name of a metric, not ${shown(value)}.`, 'validation/loss');
}
