// Data in memory, one row per example. In: what readers of files found. Out: columns of rows that a training loop cuts into batches. Holds: every column has the same number of rows.

import { DiagnosticsError } from '../../base/index.js';

export type NumberArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** `rows` examples with `rowShape` each, row-major. */
export interface Column {
  readonly name: string;
  readonly data: NumberArray;
  readonly rows: number;
  readonly rowShape: readonly number[];
}

export const badData = (message: string, hint?: string): DiagnosticsError => new DiagnosticsError([{ code: 'bad-data', message, hint }]);

export const rowLength = (column: Column): number => column.rowShape.reduce((product, size) => product * size, 1);

/** Refuses columns of different lengths, naming both. */
export function sameRows(columns: readonly Column[], where: string): number {
  const [first, ...rest] = columns;
  if (first === undefined) throw badData(`${where}: no data`);
  for (const other of rest) if (other.rows !== first.rows) throw badData(`${where}: ${first.name} has ${first.rows} rows, ${other.name} has ${other.rows}`);
  return first.rows;
}
