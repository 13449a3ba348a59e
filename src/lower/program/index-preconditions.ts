// What sizes must be for every index to mean an element and every count to be a number. In: an entry. Out: facts about its sizes that
// callers must fulfil.
// Holds: an entry whose facts hold reads and writes inside of its buffers, whatever numbers it is fed, and no size wraps where it becomes a
// number.

import { Dim } from '../../base/index.js';
import { type Entry, entryRoots, type Node, regionsOf, type SizeFact, topological } from '../../graph/index.js';
import { opOf } from '../form/forms.js';

/**
 * One fact per op that takes rows by number: where it takes any, there is a row to take; one per op that counts in few bits. Facts that the
 * entry states already are left out.
 */
export function indexPreconditions(entry: Entry): SizeFact[] {
  const found = new Map<string, SizeFact>();
  const known = new Set(entry.facts.map(keyOf));
  const visit = (roots: readonly Node[], times: Dim): void => {
    for (const node of topological(roots)) {
      const need = opOf(node).needs?.(node);
      const fact = need === undefined ? undefined : factOf(need.size, times.mul(need.count));
      const counted = opOf(node).counts?.(node);
      for (const one of [fact, counted === undefined ? undefined : countable(counted.size, counted.most)])
        if (one !== undefined && !known.has(keyOf(one))) found.set(keyOf(one), one);
      const { trip } = node.attrs;
      // How often exactly does not matter, as long as it is not never.
      const turns = trip instanceof Dim && !((trip.constant ?? 0) > 0) ? times.mul(trip) : times;
      for (const [, region] of regionsOf(node)) visit(region.results, turns);
    }
  };
  visit(entryRoots(entry, 'without names'), Dim.one);
  return [...found.values()];
}

const keyOf = ({ left, relation, right }: SizeFact): string => `${left.key} ${relation} ${right.key}`;

/** What is counted in 32 bits does not go beyond them; undefined where that is certain. */
const countable = (size: Dim, most: number): SizeFact | undefined =>
  (size.constant ?? Infinity) <= most ? undefined : { left: size, relation: '<=', right: Dim.of(most), span: undefined };

/** `size` is not 0, or nothing is counted; undefined where that is certain. */
function factOf(size: Dim, count: Dim): SizeFact | undefined {
  if ((size.constant ?? 0) > 0 || count.constant === 0) return undefined;
  // Counting over the size itself (a loop over rows) takes nothing from what is empty.
  if (size.isPositive || count.divideExact(size) !== undefined) return undefined;
  if (count.constant !== undefined) return { left: size, relation: '>', right: Dim.zero, span: undefined };
  return { left: count, relation: '<=', right: count.mul(size), span: undefined };
}
