// Data sets for the API. In: paths, or data of the caller. Out: data sets. Holds: whatever they throw, also while batches are read, is a
// TfcError.

import { readOptions, requireBoolean } from '../../../runtime/options.js';
import { shown } from '../../../runtime/shown.js';
import { type EntrySpec, TfcError } from '../../../runtime/index.js';
import type { Batch } from '../../train/data/batches.js';
import type { DatasetOptions } from '../../train/data/dataset-options.js';
import type { Dataset, Pass } from '../../train/data/dataset.js';
import * as normalization from '../../train/data/normalize.js';
import * as opening from '../../train/data/open-dataset.js';
import { asTfcErrors, toTfcError } from './failures.js';

/**
 * The data that an entry is trained on, as people have it: a path (`.npy`, `.npz`, `.safetensors`, IDX, `.csv`, `.json`, `.jsonl`,
 * `.parquet`, `.arrow`, `.txt`, a directory of arrays or images), `-` for standard input, columns by name, rows or batches, or a function
 * that gives them in every epoch. `entry` is one of `module.manifest.entries`; every feed whose first axis is the batch gets a column, of
 * its dtype: numbers are rounded to floats, and exact as integers or refused. Close it when it is no longer used.
 * @throws TfcError invalid-value for options that make no sense; file-not-found, bad-data, shape-mismatch, dtype-mismatch, which name file
 * and row, line or byte.
 * @example
 * ```ts
 * const entry = model.manifest.entries.find(({ name }) => name === 'train') as EntrySpec;
 * const flowers = await openDataset('flowers.csv', entry, { columns: { x: 'x*', y: 'kind' } });
 * console.log(flowers.rows, flowers.vocabularies?.['y']?.words);
 * flowers.close?.();
 * ```
 */
export async function openDataset(source: opening.DataSource, entry: EntrySpec, options?: DatasetOptions): Promise<Dataset> {
  if (typeof entry !== 'object' || (entry as unknown) === null || !Array.isArray(entry.feeds))
    throw new TfcError('invalid-value', `A data set is opened for an entry of a manifest, not for ${shown(entry)}.`, {
      hint: 'module.manifest.entries.find(({ name }) => name === "train")',
    });
  try {
    return guarded(await opening.openDataset(source, entry, options));
  } catch (error) {
    throw toTfcError(error);
  }
}

/**
 * What normalizes these feeds of floats, from all rows of a data set: its training part. `standard`: mean 0 and deviation 1; `range`: from
 * 0 to 1. Plain data, to be kept with a checkpoint. @throws TfcError invalid-value, bad-data.
 * @example
 * ```ts
 * const { training, validation } = split(data, 0.2, 42);
 * const normalization = await fit(training, ['x']);
 * const [scaled, held] = [normalized(training, normalization), normalized(validation, normalization)];
 * ```
 */
export async function fit(
  dataset: Dataset,
  feeds: readonly string[],
  kind?: normalization.NormalizationKind,
): Promise<normalization.Normalization> {
  try {
    return await normalization.fit(dataset, feeds, kind);
  } catch (error) {
    throw toTfcError(error);
  }
}

/** The same data set, which is asked for what there is, and whose mistakes are TfcErrors. */
export function guarded(dataset: Dataset): Dataset {
  const { select } = dataset;
  return {
    ...dataset,
    batches: (pass) => {
      const batches = asTfcErrors(() => dataset.batches(requirePass(pass)));
      return Symbol.asyncIterator in batches ? later(batches) : now(batches);
    },
    ...(select === undefined ? {} : { select: (positions) => guarded(asTfcErrors(() => select.call(dataset, positions))) }),
  };
}

/** A copy. @throws TfcError invalid-value. */
function requirePass(given: Pass): Pass {
  const pass = readOptions(given, 'batches', ['epoch', 'seed', 'batch', 'shuffle', 'rest', 'from']);
  const { epoch, seed, batch, shuffle, rest, from = 0 } = pass;
  for (const [name, value, least] of [
    ['epoch', epoch, 1],
    ['seed', seed, Number.MIN_SAFE_INTEGER],
    ['batch', batch, 1],
    ['from', from, 0],
  ] as const)
    if (!Number.isSafeInteger(value) || value < least)
      throw new TfcError(
        'invalid-value',
        `${name} is a whole number${name === 'seed' ? '' : ` of at least ${least}`}, not ${shown(value)}.`,
      );
  requireBoolean(shuffle, 'shuffle');
  if ((rest as unknown) !== 'keep' && (rest as unknown) !== 'drop')
    throw new TfcError('invalid-value', `rest is "keep" or "drop", not ${shown(rest)}.`);
  return pass;
}

function* now(batches: Iterable<Batch>): Generator<Batch> {
  try {
    yield* batches;
  } catch (error) {
    throw toTfcError(error);
  }
}

async function* later(batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
  try {
    yield* batches;
  } catch (error) {
    throw toTfcError(error);
  }
}
