// A table's rows as feeds take them, when it is known how. In: a source of records; plans that were made when it was gone through once.
// Out: blocks of columns. Holds: cells mean what they meant the first time; what has changed since then is refused with its place.

import { isWide } from '../../base/index.js';
import { inOrder } from './batches.js';
import { ColumnEncoder } from './encode.js';
import { encodeBlock, evenBlock } from './encoded-block.js';
import { assemble, type FeedPlan } from './feed-plan.js';
import type { RecordSource } from './records.js';
import type { Column } from './table.js';

/** Errors: bad-data, dtype-mismatch; those of the source. */
export async function* plannedBlocks(source: RecordSource, plans: readonly FeedPlan[]): AsyncGenerator<readonly Column[]> {
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
