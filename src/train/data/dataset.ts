// Data that steps are trained on. In: columns of rows, wherever they lie. Out: batches of an epoch, from any batch on. Holds: epoch, seed
// and size of the batch alone decide what a batch holds and in which order batches come, so a run that was interrupted goes on with the
// batch that it would have had.

import { type ElementType, tensor } from '../../../runtime/index.js';
import { type Batch, batches, inOrder, permutation } from './batches.js';
import { type Column, sameRows } from './table.js';

/** What one row has of a feed. */
export interface ColumnSpec {
  readonly name: string;
  readonly dtype: ElementType;
  readonly rowShape: readonly number[];
}

/** One way through the data. */
export interface Pass {
  /** From 1. */
  readonly epoch: number;
  readonly seed: number;
  /** Rows per batch. */
  readonly batch: number;
  /** False: rows come in the order in which they lie, in every epoch. */
  readonly shuffle: boolean;
  /** What becomes of the rows that are left when they fill no batch. */
  readonly rest: 'keep' | 'drop';
  /** Batches of the epoch that are left out, because they are done. Default 0. */
  readonly from?: number;
}

export interface Dataset {
  readonly columns: readonly ColumnSpec[];
  /** Undefined: not known before all of it has been read once. */
  readonly rows: number | undefined;
  /** A batch is valid until the next one is asked for. */
  batches(pass: Pass): AsyncIterable<Batch> | Iterable<Batch>;
}

/** Columns in memory. @throws bad-data for columns of different lengths, or without rows. */
export function inMemory(columns: readonly Column[], where = 'the data'): Dataset {
  const rows = sameRows(columns, where);
  return {
    columns: columns.map(({ name, data, rowShape }) => ({ name, dtype: tensor(data).dtype, rowShape })),
    rows,
    batches: ({ epoch, seed, batch, shuffle, rest, from = 0 }) => {
      const order = shuffle ? permutation(rows, seed, epoch) : inOrder(rows);
      return batches(columns, order.subarray(from * batch, rest === 'drop' ? rows - (rows % batch) : rows), batch);
    },
  };
}
