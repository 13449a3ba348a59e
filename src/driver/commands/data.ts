// Data sets as commands name them. In: a path, the feeds of an entry, what is said of the data. Out: a data set, or one for training and
// one for validation. Holds: which rows validate is decided by the seed alone, so a run that goes on has the same ones; what was fitted on
// training data is applied to all other data, and fitted on none of it.

import type { EntrySpec, Manifest } from '../../../runtime/index.js';
import { DiagnosticsError, isFloat } from '../../base/index.js';
import { batchedFeeds } from '../../train/data/batch-size.js';
import type { DatasetOptions } from '../../train/data/dataset-options.js';
import type { Dataset } from '../../train/data/dataset.js';
import { fit, type Normalization, type NormalizationKind, normalized } from '../../train/data/normalize.js';
import { openDataset } from '../../train/data/open-dataset.js';
import { split } from '../../train/data/split.js';
import type { Vocabulary } from '../../train/data/vocabulary.js';
import { UsageError } from './options.js';

/** What training found in its data, and other data is read with. */
export interface Fitted {
  readonly normalization?: Normalization;
  readonly vocabularies?: Readonly<Record<string, Vocabulary>>;
}

/** Errors: those of the readers. */
export async function openData(path: string, entry: EntrySpec, options: DatasetOptions, fitted: Fitted = {}): Promise<Dataset> {
  const { vocabularies = {}, normalization } = fitted;
  const known = Object.fromEntries(Object.entries(vocabularies).filter(([feed]) => entry.feeds.some(({ name }) => name === feed)));
  const data = await openDataset(path, entry, Object.keys(known).length === 0 ? options : { ...options, vocabularies: known });
  return normalization === undefined ? data : normalized(data, normalization);
}

/**
 * Data for a function that may take less than a step does: what trained a program is read as it was then. Errors: those of the readers.
 */
export async function openDataFor(
  path: string,
  entry: EntrySpec,
  { entries }: Manifest,
  options: DatasetOptions,
  fitted: Fitted = {},
): Promise<Dataset> {
  try {
    return await openData(path, entry, options, fitted);
  } catch (error) {
    const fed = batchedFeeds(entry);
    const takes = ({ feeds }: EntrySpec): boolean =>
      fed.every(({ name, dtype }) => feeds.some((feed) => feed.name === name && feed.dtype === dtype));
    const [step, ...others] = entries.filter((one) => one.kind === 'step' && takes(one));
    if (!(error instanceof DiagnosticsError) || step === undefined || others.length > 0) throw error;
    // Names of columns that mean nothing to the function may have said where each belongs.
    return openData(path, step, options, fitted).catch(() => {
      throw error;
    });
  }
}

export interface TrainingData extends Fitted {
  readonly training: Dataset;
  /** Undefined where nothing validates. */
  readonly validation: Dataset | undefined;
}

/**
 * What is trained on, and what validates: nothing, a part of the same data or other data, which `runner` is fed. Features are normalized
 * by what is fitted on the training rows. Errors: those of the readers, of the split and of the fit.
 */
export async function openTraining(
  path: string,
  entry: EntrySpec,
  options: DatasetOptions,
  {
    validateOn,
    runner,
    seed,
    normalize,
  }: {
    readonly validateOn: number | string | undefined;
    readonly runner: EntrySpec | undefined;
    readonly seed: number;
    readonly normalize: NormalizationKind | undefined;
  },
): Promise<TrainingData> {
  const all = await openData(path, entry, options);
  const parts = typeof validateOn === 'number' ? split(all, validateOn, seed) : { training: all, validation: undefined };
  const normalization = normalize === undefined ? undefined : await fit(parts.training, floatsOf(all, entry), normalize);
  const vocabularies = all.vocabularies;
  const fitted: Fitted = {
    ...(normalization === undefined ? {} : { normalization }),
    ...(vocabularies === undefined ? {} : { vocabularies }),
  };
  const apply = (data: Dataset): Dataset => (normalization === undefined ? data : normalized(data, normalization));
  const validation =
    typeof validateOn === 'string'
      ? await openData(validateOn, runner ?? entry, options, fitted)
      : parts.validation && apply(parts.validation);
  return { training: apply(parts.training), validation, ...fitted };
}

/** Feeds of floats with more than one number per row, or the first of several: features, which targets are not. */
function floatsOf({ columns }: Dataset, entry: EntrySpec): readonly string[] {
  const floats = columns.filter(({ dtype }) => dtype !== undefined && isFloat(dtype));
  const features = floats.filter(({ rowShape }) => rowShape.some((size) => size !== 1));
  if (features.length > 0) return features.map(({ name }) => name);
  const [first] = floats;
  if (first === undefined) throw new UsageError(`--normalize: ${entry.name} has no argument of floats that could be normalized`);
  return [first.name];
}
