// The options of `tfc train`. In: what stands on the command line. Out: numbers, names, rules. Holds: nothing is read, compiled or written
// before all of it makes sense by itself.

import { type Criterion, parseCriterion } from '../../train/criterion.js';
import type { DatasetOptions } from '../../train/data/dataset-options.js';
import type { NormalizationKind } from '../../train/data/normalize.js';
import type { Every } from '../../train/training-run.js';
import { type DataOptions, parseData } from './data-options.js';
import {
  parseCount,
  parseEvery,
  type ProgramOptions,
  requireRestorable,
  requireSafetensors,
  UsageError,
  type DeviceName,
} from './options.js';

export interface TrainingOptions extends ProgramOptions, DataOptions {
  readonly normalize?: string | true;
  readonly batch: string;
  readonly epochs: string;
  readonly feed: readonly string[];
  readonly shuffle: boolean;
  readonly dropRest?: boolean;
  readonly validate?: string;
  readonly validateWith?: string;
  readonly checkpoint?: string;
  readonly every?: string;
  readonly keep?: string;
  readonly best?: string;
  readonly resume?: boolean;
  readonly restore?: string;
  readonly earlyStop?: string;
  readonly stopOnNan: boolean;
  readonly trapNan?: boolean;
  readonly logdir?: string;
  readonly name?: string;
  readonly seed: string;
  readonly threads: string;
  readonly device: DeviceName;
  readonly cpu: string;
  readonly save?: string;
  readonly json?: boolean;
}

export interface TrainingSettings {
  readonly batch: number;
  readonly epochs: number;
  readonly seed: number;
  readonly threads: number;
  readonly rest: 'keep' | 'drop';
  /** A part of the data, or a path. */
  readonly validateOn: number | string | undefined;
  readonly normalize: NormalizationKind | undefined;
  readonly reading: DatasetOptions;
  readonly every: Every;
  readonly keep: number;
  readonly best: Criterion | undefined;
  readonly earlyStop: { readonly criterion: Criterion; readonly patience: number } | undefined;
}

/** @throws UsageError */
export function parseTraining(options: TrainingOptions): TrainingSettings {
  if (options.checkpoint === '') throw new UsageError('--checkpoint takes a directory; got ""');
  for (const name of ['every', 'keep', 'best', 'resume'] as const)
    if (options.checkpoint === undefined && options[name] !== undefined)
      throw new UsageError(`--${name} is about checkpoints: name their directory by --checkpoint`);
  if (options.logdir === '') throw new UsageError('--logdir takes a directory; got ""');
  if (options.name !== undefined && options.logdir === undefined)
    throw new UsageError('--name is what a recorded run is called: say where by --logdir');
  if (options.validateWith !== undefined && options.validate === undefined)
    throw new UsageError('--validate-with is about validation: say on what by --validate');
  if (options.save !== undefined) requireSafetensors(options.save, '--save');
  if (options.restore !== undefined) requireRestorable(options.restore);
  return {
    batch: parseCount(options.batch, '--batch', 1),
    epochs: parseCount(options.epochs, '--epochs', 1),
    seed: parseCount(options.seed, '--seed', 0),
    threads: parseCount(options.threads, '--threads', 1),
    rest: options.dropRest === true ? 'drop' : 'keep',
    validateOn: options.validate === undefined ? undefined : parseValidation(options.validate),
    normalize: options.normalize === undefined ? undefined : parseNormalization(options.normalize),
    reading: parseData(options),
    every: parseEvery(options.every ?? '1epochs'),
    keep: parseCount(options.keep ?? '5', '--keep', 1),
    best: options.best === undefined ? undefined : criterionOf(options.best, '--best'),
    earlyStop: options.earlyStop === undefined ? undefined : parseEarlyStop(options.earlyStop),
  };
}

function parseNormalization(kind: string | true): NormalizationKind {
  if (kind === true || kind === 'standard') return 'standard';
  if (kind === 'range') return 'range';
  throw new UsageError(`--normalize takes standard or range; got ${JSON.stringify(kind)}`);
}

/** `0.1`: so much of the data; anything else is a path. */
function parseValidation(text: string): number | string {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return text;
  const part = Number(text);
  if (part > 0 && part < 1) return part;
  throw new UsageError(
    `--validate takes a part of the data between 0 and 1, or a path; got ${JSON.stringify(text)}`,
    'A file of that name is ./NAME.',
  );
}

function criterionOf(text: string, option: string): Criterion {
  const criterion = parseCriterion(text.normalize());
  if (criterion.metric === '') throw new UsageError(`${option} takes a metric, e.g. validation/loss; got ${JSON.stringify(text)}`);
  return criterion;
}

/** `validation/loss`, `validation/loss:10`. */
function parseEarlyStop(text: string): TrainingSettings['earlyStop'] {
  const [, metric = '', patience = '5'] = /^([^]*?)(?::(\d+))?$/.exec(text) ?? [];
  return { criterion: criterionOf(metric, '--early-stop'), patience: parseCount(patience, '--early-stop METRIC:PATIENCE', 1) };
}
