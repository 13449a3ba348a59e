// Readers of data files for the API. In: paths. Out: numbers. Holds: whatever they throw is a TfcError.

import { isText, reading } from '../../../runtime/error.js';
import { shown } from '../../../runtime/shown.js';
import { TfcError } from '../../../runtime/index.js';
import * as csv from '../../train/data/csv.js';
import * as idx from '../../train/data/idx.js';
import { asTfcErrors } from './failures.js';

/**
 * A CSV file with a header line. @throws TfcError file-not-found; bad-data for ragged rows, no rows, two columns of one name, or a column
 * that mixes numbers and text.
 * @example
 * ```ts
 * const prices = readCsv('houses.csv').find(({ name }) => name === 'price')?.numbers;
 * console.log(prices?.length);
 * ```
 */
export const readCsv = (path: string): readonly csv.CsvColumn[] => asTfcErrors(() => csv.readCsv(named(path)));

/**
 * MNIST's files in a directory, those whose names start with `prefix` (`train`, `t10k`); without it, one pair. @throws TfcError
 * file-not-found, bad-data.
 * @example
 * ```ts
 * const { images, labels, count, pixels } = readDigits('digits', 'train');
 * const digits = inMemory([
 *   { name: 'x', data: images, rows: count, rowShape: [pixels] },
 *   { name: 'y', data: labels, rows: count, rowShape: [] },
 * ]);
 * ```
 */
export const readDigits = (directory: string, prefix?: string): idx.Digits =>
  asTfcErrors(() => idx.readDigits(named(directory), prefix === undefined ? undefined : named(prefix)));

function named(path: unknown): string {
  if (isText(path)) return path;
  throw reading('The path', () => new TfcError('invalid-value', `A file is named by its path, not by ${shown(path)}.`));
}
