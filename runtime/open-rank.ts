// Ranks of an entry that is polymorphic in rank, from what is fed. In: the open entry's feeds, values. Out: one rank per pack. Holds: every feed that mentions a pack agrees on its rank.
import type { OpenEntrySpec } from './abi/manifest.js';
import type { Feeds } from './bound-entry.js';
import { TfcError } from './error.js';

/** @throws TfcError missing-feed, shape-mismatch. A flat typed array counts as one axis. */
export function ranksOf(entry: OpenEntrySpec, feeds: Feeds): Readonly<Record<string, number>> {
  const ranks: Record<string, number> = {};
  const sources = new Map<string, string>();
  for (const feed of entry.feeds) {
    if (feed.pack === undefined) continue;
    if (!Object.hasOwn(feeds, feed.name)) throw new TfcError('missing-feed', `${entry.name} needs a feed ${feed.name}.`, { feed: feed.name });
    const rank = rankOf(feeds[feed.name]) - feed.before - feed.after;
    if (rank < 0) {
      throw new TfcError('shape-mismatch', `Feed ${feed.name} of ${entry.name} has at least ${feed.before + feed.after} axes.`, { feed: feed.name });
    }
    const known = ranks[feed.pack];
    if (known !== undefined && known !== rank) {
      throw new TfcError('shape-mismatch', `Feed ${feed.name} has ${rank} axes for ...${feed.pack}, and feed ${sources.get(feed.pack) ?? ''} has ${known}.`, { feed: feed.name });
    }
    ranks[feed.pack] = rank;
    sources.set(feed.pack, feed.name);
  }
  for (const pack of entry.packs) ranks[pack] ??= 0;
  return ranks;
}

function rankOf(value: unknown): number {
  if (ArrayBuffer.isView(value)) return 1;
  if (Array.isArray(value)) return 1 + (value.length === 0 ? 0 : rankOf(value[0]));
  if (typeof value === 'object' && value !== null && 'shape' in value && Array.isArray(value.shape)) return value.shape.length;
  return 0;
}
