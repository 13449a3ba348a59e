// Data sets as people have them. In: a path, or data of a program; the entry that is trained; options. Out: a data set. Holds: what is read
// is decided by the format that was told, by the name of the file, or by what lies in the directory; whatever is wrong is a diagnostic with
// the file and the place.

import { readdirSync, statSync } from 'node:fs';
import type { EntrySpec, TensorSpec } from '../../../runtime/index.js';
import { DiagnosticsError } from '../../base/index.js';
import { notRead } from '../../input/files.js';
import { badData } from '../../input/json.js';
import { npyDirectory, npyFile, npzFile, safetensorsFile } from './array-dataset.js';
import { batchedFeeds } from './batch-size.js';
import type { Batch } from './batches.js';
import { type DatasetOptions, defaults, type Format, formats, requireOptions } from './dataset-options.js';
import type { Dataset, Pass } from './dataset.js';
import { digitDirectory, idxFile } from './idx-dataset.js';
import { hasDigits } from './idx.js';
import { hasImages, imageDirectory } from './image-directory.js';
import { type ProgramData, programDataset } from './program-data.js';
import { recordDataset } from './record-dataset.js';
import { recordsIn } from './record-files.js';
import { spool } from './standard-input.js';
import { textDataset } from './text-dataset.js';

/**
 * A path, `-` for standard input (whose format must be told), or data of the program.
 * @example
 * ```ts
 * const sources: readonly DataSource[] = ['flowers.csv', { x: [[1, 2, 3, 4]], y: [0] }, [{ x: [1, 2, 3, 4], y: 0 }]];
 * ```
 */
export type DataSource = string | ProgramData;

/**
 * The data that an entry is trained on: a column for every feed whose first axis is the batch. Close it when it is no longer used.
 * @throws TfcError invalid-value for options that make no sense. Errors: file-not-found; bad-data, shape-mismatch, dtype-mismatch with the
 * file and row, line or byte.
 */
export async function openDataset(source: DataSource, entry: EntrySpec, options: DatasetOptions = {}): Promise<Dataset> {
  requireOptions(options);
  const feeds = batchedFeeds(entry);
  if (typeof source !== 'string') return programDataset(source, feeds, options);
  if (source !== '-') return openPath(source, options.format ?? formatOf(source), feeds, options);
  const { format } = options;
  if (format === undefined || format === 'images' || format === 'arrays')
    throw badData(
      format === undefined ? 'standard input has no name that says what it is' : `standard input is no directory of ${format}`,
      `Say its format: ${formats.filter((one) => one !== 'images' && one !== 'arrays').join(', ')}.`,
    );
  const { path, close } = spool(0, `standard-input.${format}`);
  try {
    const dataset = await openPath(path, format, feeds, options);
    return withClose(withOwnName(dataset, path), close);
  } catch (error) {
    close();
    throw ofInput(error, path);
  }
}

/** Nobody knows the file that standard input became. */
const ofInput = (error: unknown, path: string): unknown =>
  error instanceof DiagnosticsError
    ? new DiagnosticsError(error.diagnostics.map((one) => ({ ...one, message: one.message.replaceAll(path, 'standard input') })))
    : error;

/** The data set, whose mistakes that are found later do not name the file either; what is in memory has none. */
function withOwnName(dataset: Dataset, path: string): Dataset {
  if (dataset.data !== undefined) return dataset;
  async function* batches(pass: Pass): AsyncGenerator<Batch> {
    try {
      yield* dataset.batches(pass);
    } catch (error) {
      throw ofInput(error, path);
    }
  }
  const { select } = dataset;
  return { ...dataset, batches, ...(select === undefined ? {} : { select: (rows) => withOwnName(select(rows), path) }) };
}

/** The data set, which frees what `close` frees as well; what is all in memory needs it no longer. */
function withClose(dataset: Dataset, close: () => void): Dataset {
  if (dataset.data !== undefined) {
    close();
    return dataset;
  }
  return {
    ...dataset,
    close: () => {
      dataset.close?.();
      close();
    },
  };
}

async function openPath(path: string, format: Format, feeds: readonly TensorSpec[], options: DatasetOptions): Promise<Dataset> {
  const memory = options.memory ?? defaults.memory;
  switch (format) {
    case 'npy':
      return npyFile(path, feeds, memory);
    case 'arrays':
      return npyDirectory(path, feeds, memory);
    case 'npz':
      return npzFile(path, feeds, memory);
    case 'safetensors':
      return safetensorsFile(path, feeds, memory);
    case 'idx':
      return isDirectory(path) ? digitDirectory(path, feeds) : idxFile(path, feeds);
    case 'images':
      return imageDirectory(path, feeds, options, memory);
    case 'text':
      return textDataset(path, feeds, options);
    case 'csv':
    case 'json':
    case 'jsonl':
    case 'parquet':
    case 'arrow':
      return recordDataset(recordsIn({ format, path }), feeds, options);
  }
}

const byName: readonly (readonly [RegExp, Format])[] = [
  [/\.npy$/i, 'npy'],
  [/\.npz$/i, 'npz'],
  [/\.safetensors$/i, 'safetensors'],
  [/(?:\.idx|-ubyte)(?:\.gz)?$/i, 'idx'],
  [/\.csv(?:\.gz)?$/i, 'csv'],
  [/\.json$/i, 'json'],
  [/\.(?:jsonl|ndjson)(?:\.gz)?$/i, 'jsonl'],
  [/\.parquet$/i, 'parquet'],
  [/\.(?:arrow|arrows|feather|ipc)$/i, 'arrow'],
  [/\.(?:txt|text)$/i, 'text'],
];

/** Errors: file-not-found; bad-data when the name says nothing. */
function formatOf(path: string): Format {
  if (isDirectory(path)) return hasDigits(path) ? 'idx' : hasArrays(path) || !hasImages(path) ? 'arrays' : 'images';
  const found = byName.find(([pattern]) => pattern.test(path));
  if (found !== undefined) return found[1];
  throw badData(
    `${path}: the name does not say what is in it`,
    `Name it .npy, .npz, .safetensors, .csv, .json, .jsonl, .parquet, .arrow or .txt, or say its format: ${formats.join(', ')}.`,
  );
}

const hasArrays = (path: string): boolean => readdirSync(path).some((name) => name.endsWith('.npy'));

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw notRead(path, error);
  }
}
