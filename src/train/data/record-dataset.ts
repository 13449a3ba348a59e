// Data sets from tables of records. In: a source of records, feeds, options. Out: a data set. Holds: the table is gone through once, which
// finds kinds of columns, texts, blanks and the number of rows; what fits in memory is kept on the way, what does not is read again in
// every epoch, ahead of the steps, the first of which finds elements that no feed takes.

import { isWide } from '../../base/index.js';
import type { TensorSpec } from '../../../runtime/index.js';
import { zeros } from '../../../runtime/index.js';
import { badData } from '../../input/json.js';
import { bind, type Bindings } from './bind.js';
import { blankRule, type DatasetOptions, defaults, vocabularyFor } from './dataset-options.js';
import { type Dataset, inMemory } from './dataset.js';
import { ColumnEncoder, type EncodeOptions } from './encode.js';
import { encodeBlock, type EncodedBlock, evenBlock } from './encoded-block.js';
import { assemble, type FeedPlan, plan } from './feed-plan.js';
import { plannedBlocks } from './planned-blocks.js';
import { blocksAhead } from './read-ahead.js';
import type { RecordSource } from './records.js';
import { copyInto } from './row-store.js';
import { streamed } from './streamed.js';
import type { Column } from './table.js';

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
      blocks: () => (source.file === undefined ? plannedBlocks(source, plans) : blocksAhead(source.file, plans)),
    },
    options.shuffleRows ?? defaults.shuffleRows,
    extras,
  );
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

async function countKept(source: RecordSource, plans: readonly FeedPlan[]): Promise<number> {
  let rows = 0;
  for await (const [first] of plannedBlocks(source, plans)) rows += first?.rows ?? 0;
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
