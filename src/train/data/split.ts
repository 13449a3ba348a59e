// Parts of a data set. In: a data set, which fractions of its rows are kept apart, a seed. Out: training, validation and test parts. Holds:
// no row is in two parts, every row is in one; number of rows, fractions and seed alone decide which, so a run that is resumed has the same
// parts; within a part rows keep their order.

import { shown } from '../../../runtime/shown.js';
import { TfcError } from '../../../runtime/index.js';
import { permutation } from './batches.js';
import type { Dataset } from './dataset.js';

/**
 * What `split` gives.
 * @example
 * ```ts
 * const { training, validation, test }: Parts = split(data, [0.1, 0.1], 42);
 * console.log(training.rows, validation.rows, test?.rows);
 * ```
 */
export interface Parts {
  readonly training: Dataset;
  readonly validation: Dataset;
  /** Without a second fraction there is none. */
  readonly test?: Dataset;
}

/** Permutations of epochs begin with 1: what splits is no order of training. */
const splitting = 0;

/**
 * `fraction`: of the rows that become the validation part, or of validation and test, as [0.1, 0.1]; each part has at least one row.
 * @throws TfcError invalid-value for fractions that leave no training rows, and for data whose rows are not counted before they are read.
 * @example
 * ```ts
 * const { training, validation } = split(data, 0.2, 42);
 * console.log(training.rows, validation.rows);
 * ```
 */
export function split(dataset: Dataset, fraction: number | readonly [validation: number, test: number], seed: number): Parts {
  const fractions: readonly unknown[] = Array.isArray(fraction) ? fraction : [fraction];
  if (!Number.isSafeInteger(seed)) throw new TfcError('invalid-value', `The seed of a split is a whole number, not ${shown(seed)}.`);
  if (fractions.length < 1 || fractions.length > 2 || !fractions.every((one) => typeof one === 'number' && one > 0 && one < 1))
    throw new TfcError('invalid-value', 'A split takes a fraction between 0 and 1, or two: of validation and of test rows.');
  const { rows, select } = dataset;
  if (rows === undefined || select === undefined)
    throw new TfcError('invalid-value', 'Rows that a program gives are not counted before they are read, and cannot be split.', {
      hint: 'Split what the program reads from, and give it one part at a time.',
    });
  const counts = (fractions as readonly number[]).map((one) => Math.max(1, Math.round(one * rows)));
  const kept = counts.reduce((sum, count) => sum + count, 0);
  if (kept >= rows)
    throw new TfcError('invalid-value', `Of ${rows} rows ${counts.join(' and ')} would be kept apart, and none be left for training.`);
  const order = permutation(rows, seed, splitting);
  const part = (from: number, count: number): Dataset => select.call(dataset, order.slice(from, from + count).sort());
  const [validation = 0, test] = counts;
  return {
    training: part(kept, rows - kept),
    validation: part(0, validation),
    ...(test === undefined ? {} : { test: part(validation, test) }),
  };
}
