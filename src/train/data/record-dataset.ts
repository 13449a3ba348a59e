// Data sets from tables of records. In: a source of records, feeds, options. Out: a data set. Holds: the table is gone through once, which
// finds kinds of columns, texts, blanks and the number of rows; what fits in memory is kept on the way, what does not is read again in
// every epoch, the first of which finds elements that no feed takes.

import { isWide } from '../../base/index.js';
import type { TensorSpec } from '../../../runtime/index.js';
import { zeros } from '../../../runtime/index.js';
import { badData } from '../../input/json.js';
import { bind, type Bindings } from './bind.js';
import { inOrder } from './batches.js';
import { blankRule, type DatasetOptions, defaults, vocabularyFor } from './dataset-options.js';
import { type Dataset, inMemory } from './dataset.js';
import { ColumnEncoder, type Encoded, type EncodeOptions } from './encode.js';
import { assemble, type FeedPlan, plan } from './feed-plan.js';
import type { RecordBlock, RecordSource } from './records.js';
import { copyInto } from './row-store.js';
import { streamed } from './streamed.js';
import type { Column } from './table.js';

/** A block whose cells are numbers; cells themselves are gone. */
export interface EncodedBlock {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, Encoded>;
  place(row: number, column: string): string;
}

/** Errors: bad-data, shape-mismatch, dtype-mismatch, with the place; those of the source. */
export async function recordDataset(source: RecordSource, feeds: readonly TensorSpec[], options: DatasetOptions): Promise<Dataset> {
  const { where } = source;
  const memory = options.memory ?? defaults.memory;
  const encoders = new Map<string, ColumnEncoder>();
  let bindings: Bindings | undefined;
  let names: readonly string[] = [];
  let kept: EncodedBlock[] | undefined = [];
  let [rows, bytes] = [0, 0];
  for await (const given of source.blocks()) {
    if (bindings === undefined) {
      names = given.names;
      bindings = bind(where, names, feeds, options);
      for (const [name, settings] of settingsOf(source, names, feeds, bindings, options)) encoders.set(name, new ColumnEncoder(settings));
    }
    const block = evenBlock(where, given, encoders);
    const encoded = encodeBlock(block, encoders);
    rows += block.rows;
    // Numbers take eight bytes each until they are a feed's.
    for (const { numbers } of encoded.columns.values()) bytes += 8 * numbers.length;
    if (bytes > memory) kept = undefined;
    kept?.push(encoded);
  }
  if (bindings === undefined || rows === 0) throw badData(`${where}: ${source.isText ? 'no rows below the header' : 'no data'}`);
  const plans = plan({ where, names, feeds, bindings, encoders, options, seen: kept === undefined ? 'all' : 'kept' });
  const extras = {
    vocabularies: Object.fromEntries(plans.flatMap(({ feed, vocabulary }) => (vocabulary === undefined ? [] : [[feed.name, vocabulary]]))),
    fills: Object.fromEntries(plans.flatMap(({ fills }) => [...fills])),
  };
  if (kept !== undefined)
    return inMemory(
      joined(
        plans,
        kept.map((block) => assemble(where, block, plans)),
      ),
      where,
      extras,
    );
  const dropped = plans.some(({ drops }) => drops);
  return streamed(
    {
      columns: plans.map(({ feed, rowShape }) => ({ name: feed.name, dtype: feed.dtype, rowShape })),
      rows: dropped ? await countKept(source, plans) : rows,
      blocks: () => againBlocks(source, plans),
    },
    options.shuffleRows ?? defaults.shuffleRows,
    extras,
  );
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

/** How each column is read of which something is wanted. */
export function settingsOf(
  { where, isText }: Pick<RecordSource, 'where' | 'isText'>,
  names: readonly string[],
  feeds: readonly TensorSpec[],
  { columns, others }: Bindings,
  options: DatasetOptions,
): ReadonlyMap<string, EncodeOptions> {
  const settings = new Map<string, EncodeOptions>();
  for (const feed of feeds) {
    const told = vocabularyFor(options, feed.name);
    for (const name of columns.get(feed.name) ?? [])
      settings.set(name, {
        where,
        name,
        isText,
        isLong: isWide(feed.dtype),
        isWords: told !== undefined,
        vocabulary: told === true ? undefined : told,
        keepsNumbers: blankRule(options, name, feed.name) === 'median',
      });
  }
  if (others !== undefined)
    for (const name of names)
      if (!settings.has(name))
        settings.set(name, {
          where,
          name,
          isText,
          isLong: false,
          isWords: false,
          keepsNumbers: blankRule(options, name, others.name) === 'median',
        });
  return settings;
}

export const encodeBlock = (block: RecordBlock, encoders: ReadonlyMap<string, ColumnEncoder>): EncodedBlock => ({
  rows: block.rows,
  columns: new Map([...encoders].map(([name, encoder]) => [name, encoder.encode(block)])),
  place: block.place.bind(block),
});

/** The same blocks in a later epoch. */
async function* againBlocks(source: RecordSource, plans: readonly FeedPlan[]): AsyncGenerator<readonly Column[]> {
  const encoders = new Map(
    plans.flatMap(({ feed, columns, vocabulary }) =>
      columns.map((name) => [
        name,
        new ColumnEncoder({
          where: source.where,
          name,
          isText: source.isText,
          isLong: isWide(feed.dtype),
          isWords: vocabulary !== undefined,
          vocabulary,
        }),
      ]),
    ),
  );
  // Now the encoders know the vocabularies, and count as these do.
  const now = plans.map((one) => ({
    ...one,
    codes: new Map([...one.codes.keys()].map((name) => [name, inOrder(one.vocabulary?.words.length ?? 0)])),
  }));
  for await (const block of source.blocks(new Set(encoders.keys())))
    yield assemble(source.where, encodeBlock(evenBlock(source.where, block, encoders), encoders), now);
}

async function countKept(source: RecordSource, plans: readonly FeedPlan[]): Promise<number> {
  let rows = 0;
  for await (const [first] of againBlocks(source, plans)) rows += first?.rows ?? 0;
  return rows;
}

/** Blocks one behind another, in memory where feeds are read fastest. */
function joined(plans: readonly FeedPlan[], blocks: readonly (readonly Column[])[]): Column[] {
  return plans.map(({ feed, rowShape }, at) => {
    const parts = blocks.map((block) => block[at] as Column);
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    const { data } = zeros([rows, ...rowShape], feed.dtype);
    let offset = 0;
    for (const part of parts) {
      copyInto(data, part.data, offset);
      offset += part.data.length;
    }
    return { name: feed.name, data, rows, rowShape, dtype: feed.dtype };
  });
}
