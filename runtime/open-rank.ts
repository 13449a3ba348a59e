// Ranks of an entry that is polymorphic in rank, from what is fed. In: the open entry's feeds, values. Out: one rank per pack. Holds: every
// feed that mentions a pack agrees on its rank.
import type { OpenEntrySpec } from './abi/manifest.js';
import type { Feeds } from './feed-slots.js';
import { TfcError } from './error.js';
import { requireFeeds } from './feed-slots.js';
import { mostAxes } from './tensor.js';

/** @throws TfcError missing-feed, shape-mismatch, bad-data. A flat typed array counts as one axis. */
export function ranksOf(entry: OpenEntrySpec, feeds: Feeds): Readonly<Record<string, number>> {
  requireFeeds(feeds);
  const ranks = new Map<string, number>();
  const sources = new Map<string, string>();
  for (const feed of entry.feeds) {
    if (feed.pack === undefined) continue;
    if (!Object.hasOwn(feeds, feed.name))
      throw new TfcError('missing-feed', `${entry.name} needs a feed ${feed.name}.`, { feed: feed.name });
    const axes = rankOf(feeds[feed.name]);
    if (axes > mostAxes)
      throw new TfcError('shape-mismatch', `Feed ${feed.name} of ${entry.name} has more than ${mostAxes} axes.`, { feed: feed.name });
    const rank = axes - feed.before - feed.after;
    if (rank < 0) {
      throw new TfcError('shape-mismatch', `Feed ${feed.name} of ${entry.name} has at least ${feed.before + feed.after} axes.`, {
        feed: feed.name,
      });
    }
    const known = ranks.get(feed.pack);
    if (known !== undefined && known !== rank) {
      throw new TfcError(
        'shape-mismatch',
        `Feed ${feed.name} has ${rank} axes for ...${feed.pack}, and feed ${sources.get(feed.pack) ?? ''} has ${known}.`,
        { feed: feed.name },
      );
    }
    ranks.set(feed.pack, rank);
    sources.set(feed.pack, feed.name);
  }
  return Object.fromEntries(entry.packs.map((pack) => [pack, ranks.get(pack) ?? 0]));
}

/**
 * The same for every open entry that is named, or that a name is qualified by: `total`, `total/twice`. Feeds may be qualified as well.
 * @throws as `ranksOf`.
 */
export function ranksOfNamed(
  open: readonly OpenEntrySpec[],
  names: readonly string[],
  feeds: Feeds,
): Readonly<Record<string, Readonly<Record<string, number>>>> {
  const named = open.filter(({ name }) => names.some((one) => one === name || one.startsWith(`${name}/`)));
  return Object.fromEntries(
    named.map((entry) => {
      const own = entry.feeds.flatMap(({ name }) => {
        const key = [`${entry.name}/${name}`, name].find((one) => Object.hasOwn(feeds, one));
        return key === undefined ? [] : [[name, feeds[key]] as const];
      });
      return [entry.name, ranksOf(entry, Object.fromEntries(own) as Feeds)];
    }),
  );
}

/** One more than the most for arrays that do not end. */
function rankOf(value: unknown): number {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && 'shape' in value && Array.isArray(value.shape))
    return value.shape.length;
  let rank = 0;
  for (let level = value; rank <= mostAxes; level = (level as readonly unknown[])[0]) {
    if (ArrayBuffer.isView(level)) return rank + 1;
    if (!Array.isArray(level)) return rank;
    rank += 1;
    if (level.length === 0) return rank;
  }
  return rank;
}
