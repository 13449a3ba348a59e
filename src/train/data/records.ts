// Tables of records, as their readers give them. In: nothing. Out: what a reader gives: blocks of rows whose columns have names. Holds:
// nothing here knows feeds; a table can be read from the start again.

import type { ElementType, TypedArray } from '../../../runtime/index.js';

/**
 * A column's values in a block: numbers, bigints, booleans, texts, nested arrays of numbers, null or undefined for a blank; or numbers row
 * by row.
 */
export type Cells = ArrayLike<unknown> | Filled;

/** Rows of one shape, without blanks. */
export interface Filled {
  readonly filled: TypedArray;
  readonly dtype: ElementType;
  readonly rowShape: readonly number[];
}

export interface RecordBlock {
  readonly rows: number;
  /** Where columns may have lengths of their own: these. */
  readonly lengths?: ReadonlyMap<string, number>;
  readonly names: readonly string[];
  /** Undefined: there is no such column here, all its cells are blank. */
  cells(name: string): Cells | undefined;
  /** Where a row stands, for messages: `line 7`. */
  place(row: number, column: string): string;
}

/** A file that is read as records. */
export interface RecordFile {
  readonly format: 'csv' | 'json' | 'jsonl' | 'parquet' | 'arrow';
  readonly path: string;
}

export interface RecordSource {
  /** The file, for messages. */
  readonly where: string;
  /** Which file that is, where it is one: another thread can open it as well. */
  readonly file?: RecordFile;
  /** Cells are texts as people write them: a number is what decimal notation takes, nothing is a blank. */
  readonly isText: boolean;
  /** From the first row on; `wanted`: the columns that are asked for, where not all are. Errors: bad-data. */
  blocks(wanted?: ReadonlySet<string>): AsyncIterable<RecordBlock>;
}
