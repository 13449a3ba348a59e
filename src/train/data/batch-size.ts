// Which size is the batch. In: an entry. Out: the name of the free size that every batched feed has as its first axis, and those feeds.

import type { EntrySpec, TensorSpec } from '../../../runtime/index.js';
import { badData } from '../../input/json.js';

/** Errors: bad-data when no size, or more than one, could be the batch. */
export function batchedFeeds(entry: EntrySpec): readonly TensorSpec[] {
  const names = new Set(entry.feeds.flatMap((feed) => freeFirst(feed) ?? []));
  if (names.size === 1) return entry.feeds.filter((feed) => freeFirst(feed) !== undefined);
  const found =
    names.size === 0 ? 'no feed whose first axis is a free size' : `several sizes that could be the batch (${[...names].join(', ')})`;
  throw badData(
    `${entry.name} has ${found}`,
    'Write the batch as the first axis of every argument that has a row per example: x: f32[B, 784], y: i32[B].',
  );
}

/** The name of the first axis when it is a free size alone. */
function freeFirst(feed: TensorSpec): string | undefined {
  const size = feed.shape[0];
  if (size === undefined || typeof size === 'number') return undefined;
  const [term, ...rest] = size;
  return rest.length === 0 && term !== undefined && term[0] === 1 && term[1].length === 1 ? term[1][0] : undefined;
}
