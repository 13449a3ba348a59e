// Data in memory, one row per example. In: what readers of files found. Out: columns of rows that a training loop cuts into batches. Holds: every column has the same number of rows.

import { badData } from '../json.js';

export type NumberArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** `rows` examples with `rowShape` each, row-major. */
export interface Column {
  readonly name: string;
  readonly data: NumberArray;
  readonly rows: number;
  readonly rowShape: readonly number[];
}

export const countOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Refuses columns of different lengths, naming both. */
export function sameRows(columns: readonly Column[], where: string): number {
  const [first, ...rest] = columns;
  if (first === undefined || first.rows === 0) throw badData(`${where}: no data`);
  for (const other of rest) if (other.rows !== first.rows) throw badData(`${where}: ${first.name} has ${first.rows} rows, ${other.name} has ${other.rows}`);
  return first.rows;
}
