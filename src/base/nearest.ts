// Which name was meant. In: a name that nobody knows and the names that exist. Out: the nearest one, if it is near, ignoring case.

import { editDistance } from '../../runtime/edit-distance.js';

/** Nobody mistypes longer names, and comparing them takes the square of their length. */
const longest = 100;
/** In a program of more names, only the nearest scopes are looked through. */
const mostCompared = 1_000;

/**
 * The candidate that is nearest to `name`; undefined when none is within a third of its length (at least one letter, if it has more than
 * one).
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > longest) return undefined;
  // Names of one letter are all near one another: only the other case may be meant.
  const limit = name.length === 1 ? 0 : Math.max(1, Math.floor(name.length / 3));
  let best: string | undefined;
  let distance = limit + 1;
  let compared = 0;
  for (const candidate of candidates) {
    if (++compared > mostCompared) break;
    if (Math.abs(candidate.length - name.length) > limit || candidate === name) continue;
    const d = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (d < distance) {
      best = candidate;
      distance = d;
    }
  }
  return best;
}
