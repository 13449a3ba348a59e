// Blocks of records as numbers. In: a block, what reads each column. Out: numbers, codes of texts and blanks by column. Holds: all columns
// that are read have as many rows; where a row stands is still known.

import { badData } from '../../input/json.js';
import type { ColumnEncoder, Encoded } from './encode.js';
import type { RecordBlock } from './records.js';

/** A block whose cells are numbers; cells themselves are gone. */
export interface EncodedBlock {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, Encoded>;
  place(row: number, column: string): string;
}

/** The block with as many rows as the columns that are read have. Errors: bad-data when they do not agree. */
export function evenBlock(where: string, block: RecordBlock, encoders: ReadonlyMap<string, unknown>): RecordBlock {
  if (block.lengths === undefined) return block;
  const [first, ...others] = [...block.lengths].filter(([name]) => encoders.has(name));
  if (first === undefined) return block;
  for (const [name, length] of others)
    if (length !== first[1]) throw badData(`${where}: ${first[0]} has ${first[1]} rows, ${name} has ${length}`);
  return { ...block, rows: first[1] };
}

export const encodeBlock = (block: RecordBlock, encoders: ReadonlyMap<string, ColumnEncoder>): EncodedBlock => ({
  rows: block.rows,
  columns: new Map([...encoders].map(([name, encoder]) => [name, encoder.encode(block)])),
  place: block.place.bind(block),
});
