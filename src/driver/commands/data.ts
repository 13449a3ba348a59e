// Data sets as commands name them. In: a path, the feeds of an entry. Out: a data set, or one for training and one for validation. Holds:
// which rows validate is decided by the seed alone, so a run that goes on has the same ones.

import type { EntrySpec, Manifest } from '../../../runtime/index.js';
import { DiagnosticsError } from '../../base/index.js';
import { batchedFeeds } from '../../train/data/batch-size.js';
import { permutation } from '../../train/data/batches.js';
import { type Dataset, inMemory } from '../../train/data/dataset.js';
import { readTable } from '../../train/data/read-dataset.js';
import { type Column, countOf } from '../../train/data/table.js';

/** Errors: those of the readers. */
export const openData = (path: string, entry: EntrySpec): Promise<Dataset> =>
  new Promise((resolve) => resolve(inMemory(readTable(path, entry).columns, path)));

/**
 * Data for a function that may take less than a step does: what trained a program is read as it was then. Errors: those of the readers.
 */
export async function openDataFor(path: string, entry: EntrySpec, { entries }: Manifest): Promise<Dataset> {
  try {
    return await openData(path, entry);
  } catch (error) {
    const fed = batchedFeeds(entry);
    const takes = ({ feeds }: EntrySpec): boolean =>
      fed.every(({ name, dtype }) => feeds.some((feed) => feed.name === name && feed.dtype === dtype));
    const [step, ...others] = entries.filter((one) => one.kind === 'step' && takes(one));
    if (!(error instanceof DiagnosticsError) || step === undefined || others.length > 0) throw error;
    // Names of columns that mean nothing to the function may have said where each belongs.
    return openData(path, step).catch(() => {
      throw error;
    });
  }
}

/** A part of the rows, drawn by the seed, validates; the others are trained on, in their order. Errors: bad-data when one has no rows. */
export function openSplit(
  path: string,
  entry: EntrySpec,
  part: number,
  seed: number,
): { readonly training: Dataset; readonly validation: Dataset } {
  const { columns, rows } = readTable(path, entry);
  const count = Math.round(rows * part);
  if (count === 0 || count === rows)
    throw new DiagnosticsError([
      { code: 'bad-data', message: `${path}: ${part} of ${rows} rows leave nothing to ${count === 0 ? 'validate' : 'train on'}` },
    ]);
  // Epochs count from 1, so no order of an epoch is this one.
  const drawn = permutation(rows, seed, 0);
  const [validating, trained] = [drawn.slice(0, count).sort(), drawn.slice(count).sort()];
  return { training: inMemory(rowsOf(columns, trained), path), validation: inMemory(rowsOf(columns, validating), path) };
}

const rowsOf = (columns: readonly Column[], chosen: Uint32Array): Column[] =>
  columns.map(({ name, data, rowShape }) => {
    const length = countOf(rowShape);
    const part = data.slice(0, chosen.length * length);
    chosen.forEach((row, at) => (part as Float64Array).set(data.subarray(row * length, (row + 1) * length) as Float64Array, at * length));
    return { name, data: part, rows: chosen.length, rowShape };
  });
