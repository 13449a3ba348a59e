// Mini-batches. In: columns of rows, a batch size, a seed. Out: the feeds of each step, in an order shuffled per epoch. Holds: the same
// seed gives the same order; every row comes once per epoch; buffers lie where feeds are read fastest and are reused, so a batch is valid
// until the next one.

import { type FeedValue, tensor, type TypedArray, zeros } from '../../../runtime/index.js';
import { type Column, countOf } from './table.js';

export interface Batch {
  readonly feeds: Readonly<Record<string, FeedValue>>;
  readonly rows: number;
}

/** A permutation of 0 … count − 1: Fisher and Yates' shuffle, drawing from SplitMix64 (Steele, Lea, Flood 2014). */
export function permutation(count: number, seed: number, epoch: number): Uint32Array {
  const order = inOrder(count);
  const next = splitMix(BigInt(seed) * 0x9e3779b97f4a7c15n + BigInt(epoch) * 0xd1342543de82ef95n + 1n);
  for (let last = count - 1; last > 0; last--) {
    const other = next(last + 1);
    const held = order[last] as number;
    order[last] = order[other] as number;
    order[other] = held;
  }
  return order;
}

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
  readonly column: Column;
  readonly length: number;
  readonly buffer: TypedArray;
}

/** 0 … count − 1. */
export const inOrder = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, at) => at);

/** Batches of the rows at these positions, in this order; the last one may be smaller. */
export function* batches(columns: readonly Column[], order: Uint32Array, size: number): Generator<Batch> {
  const rows = order.length;
  const slots = columns.map((column): Slot => {
    const length = countOf(column.rowShape);
    return { column, length, buffer: zeros([Math.min(size, rows), ...column.rowShape], tensor(column.data).dtype).data };
  });
  for (let start = 0; start < rows; start += size) {
    const count = Math.min(size, rows - start);
    const feeds = slots.map(({ column, length, buffer }): [string, FeedValue] => {
      for (let row = 0; row < count; row++) {
        const from = (order[start + row] as number) * length;
        copyInto(buffer, column.data.subarray(from, from + length), row * length);
      }
      return [column.name, { data: buffer.subarray(0, count * length), shape: [count, ...column.rowShape] }];
    });
    yield { feeds: Object.fromEntries(feeds), rows: count };
  }
}

/** `into` was made as an array of the kind that `from` is. */
const copyInto = (into: TypedArray, from: TypedArray, at: number): void => (into as Float64Array).set(from as Float64Array, at);
