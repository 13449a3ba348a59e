// Data sets whose rows are read by position. In: stores of rows. Out: batches in the order of a true permutation. Holds: the order is the
// same wherever the rows lie; beside a batch only the order is in memory, four bytes per row.

import { type Batch, inOrder, permutation, storedBatches } from './batches.js';
import type { Dataset, Pass } from './dataset.js';
import type { RowStore } from './row-store.js';
import { type Column, countOf } from './table.js';
import { badData } from '../../input/json.js';

/** What a data set has beside its rows. */
export type Extras = Pick<Dataset, 'vocabularies' | 'fills' | 'close'>;

/** Errors: bad-data for stores of different lengths, or without rows. `memory`: the columns behind the stores, where they are in memory. */
export function positioned(stores: readonly RowStore[], where: string, extras: Extras = {}, memory?: readonly Column[]): Dataset {
  const rows = rowsOf(stores, where);
  return {
    ...chosenOf(stores, rows, undefined, extras),
    ...(memory === undefined ? {} : { data: memory }),
  };
}

/** `chosen`: the rows that belong to it; undefined: all. */
function chosenOf(stores: readonly RowStore[], rows: number, chosen: Uint32Array | undefined, extras: Extras): Dataset {
  return {
    ...extras,
    columns: stores.map(({ name, dtype, rowShape }) => ({ name, dtype, rowShape })),
    rows,
    batches: ({ epoch, seed, batch, shuffle, rest, from = 0 }: Pass): Iterable<Batch> => {
      const order = shuffle ? permutation(rows, seed, epoch) : inOrder(rows);
      if (chosen !== undefined) for (let at = 0; at < rows; at += 1) order[at] = chosen[order[at] as number] as number;
      return storedBatches(stores, order.subarray(from * batch, rest === 'drop' ? rows - (rows % batch) : rows), batch);
    },
    select: (positions) =>
      chosenOf(
        stores,
        positions.length,
        chosen === undefined ? positions : positions.map((position) => chosen[position] as number),
        extras,
      ),
  };
}

/** Refuses stores of different lengths, naming both, and rows of nothing, of which a small file may promise any number. */
function rowsOf(stores: readonly RowStore[], where: string): number {
  const [first, ...rest] = stores;
  if (first === undefined || first.rows === 0) throw badData(`${where}: no data`);
  for (const other of rest)
    if (other.rows !== first.rows) throw badData(`${where}: ${first.name} has ${first.rows} rows, ${other.name} has ${other.rows}`);
  if (stores.every(({ rowShape }) => countOf(rowShape) === 0)) throw badData(`${where}: ${first.rows} rows without elements`);
  // What counts them has 32 bits.
  if (first.rows >= 2 ** 32) throw badData(`${where}: ${first.rows} rows are more than can be put in an order`);
  return first.rows;
}
