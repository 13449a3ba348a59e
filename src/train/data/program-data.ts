// Data that a program gives. In: columns, rows or batches, in arrays or as they come. Out: a data set. Holds: what is given once is kept;
// what a function gives is asked for again in every epoch and never kept.

import type { ElementType, TensorSpec } from '../../../runtime/index.js';
import { heldBy, holds, kindOf, type TypedArray } from '../../../runtime/element.js';
import { reading } from '../../../runtime/error.js';
import { shown } from '../../../runtime/shown.js';
import { badData } from '../../input/json.js';
import { bind } from './bind.js';
import { type DatasetOptions, defaults } from './dataset-options.js';
import type { Dataset } from './dataset.js';
import { ColumnEncoder } from './encode.js';
import { assemble, plan } from './feed-plan.js';
import { encodeBlock, evenBlock } from './encoded-block.js';
import { recordDataset, settingsOf } from './record-dataset.js';
import type { Cells, RecordBlock, RecordSource } from './records.js';
import { copyInto } from './row-store.js';
import { type Block, streamed } from './streamed.js';
import { countOf } from './table.js';

/**
 * A row or a batch: values by feed or by column.
 * @example
 * ```ts
 * const item: Item = { x: [1, 2, 3, 4], y: 0 };
 * const one = await openDataset([item], entry);
 * ```
 */
export type Item = Readonly<Record<string, unknown>>;
/**
 * Rows or batches, one after the other.
 * @example
 * ```ts
 * const rows: Items = [{ x: [1, 2, 3, 4], y: 0 }];
 * const few = await openDataset(() => rows, entry);
 * ```
 */
export type Items = Iterable<Item> | AsyncIterable<Item>;

/**
 * Columns by name; rows or batches; or a function that gives them, once per epoch.
 * @example
 * ```ts
 * const given: ProgramData = function* (epoch) {
 *   for (let row = 0; row < 100; row++) yield { x: [row, epoch, 0, 1], y: row % 3 };
 * };
 * const made = await openDataset(given, entry);
 * ```
 */
export type ProgramData = Item | Items | ((epoch: number) => Items | Promise<Items>);

const where = 'the data';

/** Rows that become a block. */
const blockRows = 256;

/** Errors: bad-data, shape-mismatch, dtype-mismatch. */
export async function programDataset(data: ProgramData, feeds: readonly TensorSpec[], options: DatasetOptions): Promise<Dataset> {
  if (typeof data === 'function') return functionDataset(data as (epoch: number) => Items, feeds, options);
  // What is in memory stays there, however much it is.
  if (Array.isArray(data))
    return recordDataset(
      itemSource(() => data as readonly Item[], feeds, options),
      feeds,
      { ...options, memory: Infinity },
    );
  if (isItems(data)) {
    let isTaken = false;
    const once = (): Items => {
      if (isTaken)
        throw badData(
          `${where}: more than ${options.memory ?? defaults.memory} bytes, and it comes only once`,
          'Give a function that starts it again, or allow more memory.',
        );
      isTaken = true;
      return data;
    };
    return recordDataset(itemSource(once, feeds, options), feeds, options);
  }
  if (typeof data !== 'object' || (data as unknown) === null)
    throw badData(`${shown(data)} is no data: columns by name, rows, batches, or a function that gives them`);

  const source: RecordSource = {
    where,
    isText: false,
    blocks: async function* () {
      yield batchBlock(data as Item, feeds, 0);
    },
  };
  return recordDataset(source, feeds, { ...options, memory: Infinity });
}

const isItems = (data: unknown): data is Items =>
  typeof data === 'object' && data !== null && (Symbol.iterator in data || Symbol.asyncIterator in data);

/** What blocks are made of is known from the first item. */
function itemSource(open: () => Items | Promise<Items>, feeds: readonly TensorSpec[], options: DatasetOptions): RecordSource {
  return { where, isText: false, blocks: () => itemBlocks(open, feeds, options) };
}

async function* itemBlocks(
  open: () => Items | Promise<Items>,
  feeds: readonly TensorSpec[],
  { items: told }: DatasetOptions,
): AsyncGenerator<RecordBlock> {
  const items = await open();
  if (!isItems(items)) throw badData(`${shown(items)} is nothing that gives rows or batches`);
  let kind = told;
  let rows: Item[] = [];
  let start = 0;
  for await (const item of items) {
    if (typeof item !== 'object' || (item as unknown) === null || Array.isArray(item))
      throw badData(
        `${where}: ${kind === 'batches' ? 'a batch' : `row ${start + rows.length}`} is ${shown(item)}, expected an object with a member per feed`,
      );
    kind ??= reading('The first row', () => itemKind(item, feeds));
    if (kind === 'batches') {
      const block = batchBlock(item, feeds, start);
      start += block.rows;
      yield block;
    } else {
      rows.push(item);
      if (rows.length < blockRows) continue;
      yield rowBlock(rows, feeds, start);
      start += rows.length;
      rows = [];
    }
  }
  if (rows.length > 0) yield rowBlock(rows, feeds, start);
}

/** A batch has an axis more than a row. */
function itemKind(item: Item, feeds: readonly TensorSpec[]): 'rows' | 'batches' {
  for (const { name, shape } of feeds) {
    const value = item[name];
    if (value === undefined) continue;
    const rank = rankOf(value);
    if (rank === shape.length - 1) return 'rows';
    if (rank === shape.length) return 'batches';
    if (rank !== undefined) continue;
    const length = rowLength(shape);
    if (length !== undefined) return (value as TypedArray).length === length && shape.length > 1 ? 'rows' : 'batches';
  }
  return 'rows';
}

/** Undefined: a typed array alone, which is flat. */
function rankOf(value: unknown): number | undefined {
  if (isShaped(value)) return value.shape.length;
  if (isTyped(value)) return undefined;
  let rank = 0;
  for (let one = value; Array.isArray(one) && rank < 64; one = (one as unknown[])[0]) rank += 1;
  return rank;
}

const rowLength = (shape: TensorSpec['shape']): number | undefined => {
  const own = shape.slice(1);
  return own.every((size) => typeof size === 'number') ? countOf(own) : undefined;
};

const isTyped = (value: unknown): value is TypedArray => ArrayBuffer.isView(value) && !(value instanceof DataView);

const isShaped = (value: unknown): value is { readonly data: unknown; readonly shape: readonly number[]; readonly dtype?: ElementType } =>
  typeof value === 'object' && value !== null && 'data' in value && 'shape' in value && Array.isArray(value.shape);

function rowBlock(rows: readonly Item[], feeds: readonly TensorSpec[], start: number): RecordBlock {
  return {
    rows: rows.length,
    names: [...new Set(rows.flatMap((row) => Object.keys(row)))],
    cells: (name) => {
      const values = rows.map((row) => {
        const value = Object.hasOwn(row, name) ? row[name] : undefined;
        return isShaped(value) ? (value.shape.length === 0 ? (value.data as ArrayLike<unknown>)[0] : value.data) : value;
      });
      return joinedRows(values, feeds.find((feed) => feed.name === name)?.dtype) ?? values;
    },
    place: (row) => `row ${start + row}`,
  };
}

/** Typed arrays of one kind and length, one behind another; undefined where they are not that. */
function joinedRows(values: readonly unknown[], dtype: ElementType | undefined): Cells | undefined {
  const [first] = values;
  if (!isTyped(first)) return undefined;
  const { length } = first;
  if (!values.every((value) => isTyped(value) && value.length === length && kindOf(value) === kindOf(first))) return undefined;
  const all = new (first.constructor as new (length: number) => TypedArray)(length * values.length);
  for (const [row, value] of values.entries()) copyInto(all, value as TypedArray, row * length);
  return filled(all, [length], dtype);
}

/** Columns by name, each with an axis of rows. */
function batchBlock(batch: Item, feeds: readonly TensorSpec[], start: number): RecordBlock {
  const columns = new Map<string, { readonly cells: Cells; readonly rows: number }>();
  for (const name of Object.keys(batch)) {
    const found = columnOf(
      name,
      batch[name],
      feeds.find((feed) => feed.name === name),
    );
    if (found !== undefined) columns.set(name, found);
  }
  return {
    rows: Math.max(0, ...[...columns.values()].map(({ rows }) => rows)),
    lengths: new Map([...columns].map(([name, { rows }]) => [name, rows])),
    names: [...columns.keys()],
    cells: (name) => columns.get(name)?.cells,
    place: (row) => `row ${start + row}`,
  };
}

/** Undefined: no column. */
function columnOf(
  name: string,
  value: unknown,
  feed: TensorSpec | undefined,
): { readonly cells: Cells; readonly rows: number } | undefined {
  if (isShaped(value)) {
    const [rows, ...rowShape] = value.shape;
    const { data } = value;
    if (rows === undefined) return undefined;
    if (!isList(data) || !value.shape.every((size) => Number.isSafeInteger(size) && size >= 0) || data.length !== countOf(value.shape))
      throw badData(`${where}: ${name} has no elements that fill its shape`);
    return { cells: filled(data, rowShape, value.dtype ?? feed?.dtype), rows };
  }
  if (isTyped(value)) {
    const length = feed === undefined ? 1 : rowLength(feed.shape);
    if (length === undefined)
      throw badData(`${where}: ${name} is one long array, and the program does not say how long a row is`, 'Give { data, shape }.');
    if (length === 0 || value.length % length !== 0)
      throw badData(`${where}: ${name} has ${value.length} numbers, and ${length} make a row`);
    return { cells: filled(value, feed === undefined ? [] : (feed.shape.slice(1) as number[]), feed?.dtype), rows: value.length / length };
  }
  return Array.isArray(value) ? { cells: value as readonly unknown[], rows: value.length } : undefined;
}

const isList = (value: unknown): value is ArrayLike<number | bigint> => Array.isArray(value) || isTyped(value);

/** `dtype`: what the array holds if it can; only then are 16 bits those of a float. */
function filled(data: ArrayLike<number | bigint>, rowShape: readonly number[], dtype: ElementType | undefined): Cells {
  const own = dtype !== undefined && holds(dtype, data) ? dtype : heldBy(data);
  if (own !== undefined && holds(own, data)) return { filled: data, dtype: own, rowShape };
  return { filled: Float64Array.from(data, Number), dtype: 'f64', rowShape };
}

async function functionDataset(give: (epoch: number) => Items, feeds: readonly TensorSpec[], options: DatasetOptions): Promise<Dataset> {
  const blocks = (epoch: number): AsyncGenerator<RecordBlock> => itemBlocks(() => give(epoch), feeds, options);
  // What the first block has is what the others must have.
  const begun = blocks(1);
  const first = await begun.next();
  await begun.return(undefined);
  if (first.done === true) throw badData(`${where}: no data`);
  const { names } = first.value;
  const bindings = bind(where, names, feeds, options);
  const settings = settingsOf({ where, isText: false }, names, feeds, bindings, options);
  const encoders = new Map([...settings].map(([name, one]) => [name, new ColumnEncoder(one)]));
  const encode = (block: RecordBlock): ReturnType<typeof encodeBlock> => encodeBlock(evenBlock(where, block, encoders), encoders);
  encode(first.value);
  const plans = plan({ where, names, feeds, bindings, encoders, options, seen: 'first' });
  const again = async function* (epoch: number): AsyncGenerator<Block> {
    for await (const block of blocks(epoch)) yield assemble(where, encode(block), plans);
  };
  return streamed(
    { columns: plans.map(({ feed, rowShape }) => ({ name: feed.name, dtype: feed.dtype, rowShape })), rows: undefined, blocks: again },
    options.shuffleRows ?? defaults.shuffleRows,
    {
      vocabularies: Object.fromEntries(
        plans.flatMap(({ feed, vocabulary }) => (vocabulary === undefined ? [] : [[feed.name, vocabulary]])),
      ),
    },
  );
}
