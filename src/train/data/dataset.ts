// Data that steps are trained on. In: columns of rows, wherever they lie. Out: batches of an epoch, from any batch on. Holds: epoch, seed
// and size of the batch alone decide what a batch holds and in which order batches come, so a run that was interrupted goes on with the
// batch that it would have had.

import type { ElementType } from '../../../runtime/index.js';
import type { Batch } from './batches.js';
import { type Extras, positioned } from './positioned.js';
import { columnStore } from './row-store.js';
import type { Column } from './table.js';
import type { Vocabulary } from './vocabulary.js';

/**
 * What one row has of a feed.
 * @example
 * ```ts
 * const shapes = data.columns.map(({ name, dtype, rowShape }: ColumnSpec) => `${name}: ${dtype}[B, ${rowShape.join(', ')}]`);
 * ```
 */
export interface ColumnSpec {
  readonly name: string;
  readonly dtype: ElementType;
  readonly rowShape: readonly number[];
}

/**
 * One way through the data.
 * @example
 * ```ts
 * const pass: Pass = { epoch: 1, seed: 42, batch: 50, shuffle: true, rest: 'keep' };
 * for await (const { feeds } of data.batches(pass)) session.run('train', { ...feeds, lr: 0.1 });
 * ```
 */
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

/**
 * Columns of rows that are gone through in batches. Your own may read from wherever it likes.
 * @example
 * ```ts
 * const zerosOnly: Dataset = {
 *   columns: [
 *     { name: 'x', dtype: 'f32', rowShape: [4] },
 *     { name: 'y', dtype: 'i32', rowShape: [] },
 *   ],
 *   rows: 100,
 *   *batches({ batch, from = 0 }) {
 *     for (let at = from; at < 100 / batch; at++) yield { feeds: { x: zeros([batch, 4]), y: new Int32Array(batch) }, rows: batch };
 *   },
 * };
 * ```
 */
export interface Dataset {
  readonly columns: readonly ColumnSpec[];
  /** Undefined: not known before all of it has been read once. */
  readonly rows: number | undefined;
  /** A batch is valid until the next one is asked for. Errors: bad-data, dtype-mismatch, for what is found while it is read. */
  batches(pass: Pass): AsyncIterable<Batch> | Iterable<Batch>;
  /** The columns, where all of them are in memory as they are. */
  readonly data?: readonly Column[];
  /** What the whole numbers of columns mean that were text, by feed. */
  readonly vocabularies?: Readonly<Record<string, Vocabulary>>;
  /** What blanks were filled with, by column of the file: another file is filled alike when this is its rule. */
  readonly fills?: Readonly<Record<string, number>>;
  /** The data set of these rows alone. Undefined where rows are not counted before they are read. */
  select?(positions: Uint32Array): Dataset;
  /** Frees what is open. Without it, that is done when the process ends. */
  close?(): void;
}

/** Columns in memory. @throws bad-data for columns of different lengths, or without rows. */
export const inMemory = (columns: readonly Column[], where = 'the data', extras: Extras = {}): Dataset =>
  positioned(columns.map(columnStore), where, extras, columns);
