// Data sets that are read from front to end in every epoch, because they are larger than memory or come from a program. In: blocks of rows,
// once per epoch. Out: batches, shuffled as far as a buffer reaches. Holds: no more than a block, the buffer and a batch is in memory;
// seed, epoch and the buffer's rows alone decide the order, so batches that are done can be left out exactly.
//
// Shuffling: the buffer is filled with the first rows; from then on each row takes the place of one that is drawn and goes to the batch.
// At the end the buffer is drawn empty. A buffer of n rows moves a row any distance back, and forward by less than n.

import { type FeedValue, type TypedArray, zeros } from '../../../runtime/index.js';
import { allocate } from '../../../runtime/element.js';
import { type Batch, drawsOf } from './batches.js';
import type { ColumnSpec, Dataset, Pass } from './dataset.js';
import type { Extras } from './positioned.js';
import { copyInto } from './row-store.js';
import { type Column, countOf } from './table.js';

export type Block = readonly Column[];

export interface Stream {
  readonly columns: readonly ColumnSpec[];
  readonly rows: number | undefined;
  /** All blocks, in the order of the rows; each has the columns in their order. Errors: bad-data, dtype-mismatch. */
  blocks(epoch: number): AsyncIterable<Block>;
}

/** `bufferRows`: rows of the shuffle buffer. `chosen`: one bit per row, for those that belong to the data set. */
export function streamed(stream: Stream, bufferRows: number, extras: Extras = {}, chosen?: Chosen): Dataset {
  const { columns } = stream;
  const rows = chosen?.count ?? stream.rows;
  return {
    ...extras,
    columns,
    rows,
    batches: (pass) => batchesOf(stream, bufferRows, pass, chosen),
    ...(stream.rows === undefined
      ? {}
      : {
          select: (positions) => streamed(stream, bufferRows, extras, choose(stream.rows as number, positions, chosen)),
        }),
  };
}

interface Chosen {
  readonly bits: Uint8Array;
  readonly count: number;
}

const isChosen = ({ bits }: Chosen, row: number): boolean => (((bits[row >> 3] as number) >> (row & 7)) & 1) === 1;

/** `positions` count the rows of `within`. */
function choose(rows: number, positions: Uint32Array, within: Chosen | undefined): Chosen {
  const bits = new Uint8Array(Math.ceil(rows / 8));
  const add = (row: number): void => void ((bits[row >> 3] as number) |= 1 << (row & 7));
  if (within === undefined) positions.forEach(add);
  else {
    const wanted = choose(within.count, positions, undefined);
    for (let row = 0, at = 0; row < rows; row += 1) {
      if (!isChosen(within, row)) continue;
      if (isChosen(wanted, at)) add(row);
      at += 1;
    }
  }
  return { bits, count: positions.length };
}

async function* batchesOf(stream: Stream, bufferRows: number, pass: Pass, chosen: Chosen | undefined): AsyncGenerator<Batch> {
  const { batch: size, epoch, seed, shuffle, rest, from = 0 } = pass;
  const batch = new Rows(stream.columns, size, zerosFor);
  const buffer = shuffle ? new ShuffleBuffer(stream.columns, bufferRows, drawsOf(seed, epoch)) : undefined;
  let done = 0;
  let row = 0;
  for await (const block of stream.blocks(epoch)) {
    const rows = block[0]?.rows ?? 0;
    for (let at = 0; at < rows; at += 1, row += 1) {
      if (chosen !== undefined && !isChosen(chosen, row)) continue;
      if (buffer === undefined) batch.add(block, at);
      else if (!buffer.pass(block, at, batch)) continue;
      if (batch.count < size) continue;
      if (++done > from) yield batch.take();
      batch.clear();
    }
  }
  while (buffer?.drain(batch) === true) {
    if (batch.count < size) continue;
    if (++done > from) yield batch.take();
    batch.clear();
  }
  if (batch.count > 0 && rest === 'keep' && ++done > from) yield batch.take();
}

/** Memory for rows, one behind another. */
class Rows {
  readonly arrays: readonly TypedArray[];
  readonly #columns: readonly ColumnSpec[];
  readonly #lengths: readonly number[];
  count = 0;

  constructor(columns: readonly ColumnSpec[], rows: number, make: (column: ColumnSpec, rows: number) => TypedArray) {
    this.#columns = columns;
    this.#lengths = columns.map(({ rowShape }) => countOf(rowShape));
    this.arrays = columns.map((column) => make(column, rows));
  }

  add(block: Block, row: number): void {
    this.put(this.count, (column) => (block[column] as Column).data, row);
    this.count += 1;
  }

  addFrom(rows: Rows, row: number): void {
    this.put(this.count, (column) => rows.arrays[column] as TypedArray, row);
    this.count += 1;
  }

  /** A row of other arrays in the place `at`. */
  put(at: number, source: (column: number) => TypedArray, row: number): void {
    for (const [column, length] of this.#lengths.entries())
      copyInto(this.arrays[column] as TypedArray, source(column).subarray(row * length, (row + 1) * length), at * length);
  }

  clear(): void {
    this.count = 0;
  }

  take(): Batch {
    const { count } = this;
    const feeds = this.#columns.map(({ name, rowShape }, column): [string, FeedValue] => [
      name,
      { data: (this.arrays[column] as TypedArray).subarray(0, count * (this.#lengths[column] as number)), shape: [count, ...rowShape] },
    ]);
    return { feeds: Object.fromEntries(feeds), rows: count };
  }
}

const zerosFor = ({ rowShape, dtype }: ColumnSpec, rows: number): TypedArray => zeros([rows, ...rowShape], dtype).data;

class ShuffleBuffer {
  readonly #rows: Rows;
  readonly #size: number;
  readonly #draw: (bound: number) => number;

  constructor(columns: readonly ColumnSpec[], size: number, draw: (bound: number) => number) {
    this.#rows = new Rows(columns, size, ({ rowShape, dtype }, rows) => allocate(dtype, rows * countOf(rowShape)));
    this.#size = size;
    this.#draw = draw;
  }

  /** Takes a row in, and once the buffer is full another one out into `batch`. */
  pass(block: Block, row: number, batch: Rows): boolean {
    if (this.#rows.count < this.#size) {
      this.#rows.add(block, row);
      return false;
    }
    const drawn = this.#draw(this.#size);
    batch.addFrom(this.#rows, drawn);
    this.#rows.put(drawn, (column) => (block[column] as Column).data, row);
    return true;
  }

  /** Takes one out; false when it is empty. */
  drain(batch: Rows): boolean {
    const { count } = this.#rows;
    if (count === 0) return false;
    const drawn = this.#draw(count);
    batch.addFrom(this.#rows, drawn);
    this.#rows.put(drawn, (column) => this.#rows.arrays[column] as TypedArray, count - 1);
    this.#rows.count -= 1;
    return true;
  }
}
