// Squares of elements turned over. In: as many rows as a vector has lanes. Out: the columns. Holds: only shuffles of two vectors, a
// vector's number of halvings times as many as there are rows.

import type { Builder, LlvmValue } from '../builder/index.js';

/**
 * Copies of an unrolled loop that transposes, at most as many as the vector loop around has lanes: what lanes read in rows of their own,
 * the copies read as columns of a square.
 */
export interface Square {
  /** The unrolled loop that counts the copies. */
  readonly index: string;
  readonly count: number;
  /** Columns by the place where the first of them begins. */
  readonly columns: Map<string, readonly LlvmValue[]>;
}

/** Blocks of `by` elements change places across the diagonal of two blocks, for every power of two. */
export function transposeSquare(build: Builder, rows: readonly LlvmValue[]): readonly LlvmValue[] {
  const lanes = rows.length;
  const order = Array.from({ length: lanes }, (_, lane) => lane);
  let square = rows;
  for (let by = 1; by < lanes; by *= 2) {
    const [upper, lower] = [
      order.map((lane) => ((lane & by) === 0 ? lane : lanes + lane - by)),
      order.map((lane) => ((lane & by) === 0 ? lane + by : lanes + lane)),
    ];
    const before = square;
    square = order.map((row) => {
      const first = row & ~by;
      return build.shuffle(before[first] as LlvmValue, before[first + by] as LlvmValue, row === first ? upper : lower);
    });
  }
  return square;
}
