// Mini-batches. In: columns of rows, a batch size, a seed. Out: the feeds of each step, in an order shuffled per epoch. Holds: the same
// seed gives the same order; every row comes once per epoch; buffers lie where feeds are read fastest and are reused, so a batch is valid
// until the next one.

import { type FeedValue, type TypedArray, zeros } from '../../../runtime/index.js';
import { columnStore, type RowStore } from './row-store.js';
import { type Column, countOf } from './table.js';

/**
 * The feeds of one step.
 * @example
 * ```ts
 * for await (const batch of data.batches(pass)) console.log((batch satisfies Batch).rows, Object.keys(batch.feeds)); // 50 [ 'x', 'y' ]
 * ```
 */
export interface Batch {
  readonly feeds: Readonly<Record<string, FeedValue>>;
  readonly rows: number;
}

/** A permutation of 0 … count − 1: Fisher and Yates' shuffle, drawing from SplitMix64 (Steele, Lea, Flood 2014). */
export function permutation(count: number, seed: number, epoch: number): Uint32Array {
  const order = inOrder(count);
  const next = drawsOf(seed, epoch);
  for (let last = count - 1; last > 0; last--) {
    const other = next(last + 1);
    const held = order[last] as number;
    order[last] = order[other] as number;
    order[other] = held;
  }
  return order;
}

/** Whole numbers below a bound, for an epoch. */
export const drawsOf = (seed: number, epoch: number): ((bound: number) => number) =>
  splitMix(BigInt(seed) * 0x9e3779b97f4a7c15n + BigInt(epoch) * 0xd1342543de82ef95n + 1n);

/** Whole numbers below a bound: the high half of each 64-bit number, scaled. */
function splitMix(start: bigint): (bound: number) => number {
  let state = BigInt.asUintN(64, start);
  return (bound) => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    z ^= z >> 31n;
    return Number(((z >> 32n) * BigInt(bound)) >> 32n);
  };
}

interface Slot {
  readonly store: RowStore;
  readonly length: number;
  readonly buffer: TypedArray;
}

/** 0 … count − 1. */
export const inOrder = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, at) => at);

/** Batches of the rows at these positions, in this order; the last one may be smaller. */
export const batches = (columns: readonly Column[], order: Uint32Array, size: number): Generator<Batch> =>
  storedBatches(columns.map(columnStore), order, size);

/** The same of rows wherever they lie. Errors: those of the stores. */
export function* storedBatches(stores: readonly RowStore[], order: Uint32Array, size: number): Generator<Batch> {
  const rows = order.length;
  const slots = stores.map((store): Slot => {
    const { rowShape, dtype } = store;
    return { store, length: countOf(rowShape), buffer: zeros([Math.min(size, rows), ...rowShape], dtype).data };
  });
  for (let start = 0; start < rows; start += size) {
    const chosen = order.subarray(start, Math.min(start + size, rows));
    const count = chosen.length;
    const feeds = slots.map(({ store, length, buffer }): [string, FeedValue] => {
      const data = buffer.subarray(0, count * length);
      store.read(chosen, data);
      return [store.name, { data, shape: [count, ...store.rowShape] }];
    });
    yield { feeds: Object.fromEntries(feeds), rows: count };
  }
}
