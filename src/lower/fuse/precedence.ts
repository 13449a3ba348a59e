// What must come before what, while edges are still being added. In: items, and pairs of them. Out: whether one follows another.
// Holds: every item has a rank, and an edge leads from a lower to a higher one; so most questions are answered by two ranks, and the rest
// by a search between them.
// Source: D. J. Pearce, P. H. J. Kelly, A dynamic topological sort algorithm for directed acyclic graphs, ACM JEA 11, 2006.

import { InternalError } from '../../base/index.js';

interface Place<T> {
  readonly item: T;
  rank: number;
  readonly earlier: Set<Place<T>>;
  readonly later: Set<Place<T>>;
}

export class Precedence<T extends object> {
  readonly #places = new Map<T, Place<T>>();

  /** The same order, to be added to by itself. */
  copy(): Precedence<T> {
    const copy = new Precedence<T>();
    for (const { item, rank } of this.#places.values()) copy.#places.set(item, { item, rank, earlier: new Set(), later: new Set() });
    for (const { item, earlier } of this.#places.values()) {
      const place = copy.#place(item);
      for (const one of earlier) {
        const before = copy.#place(one.item);
        place.earlier.add(before);
        before.later.add(place);
      }
    }
    return copy;
  }

  /** An item that nothing is known about yet. */
  add(item: T): void {
    this.#places.set(item, { item, rank: this.#places.size, earlier: new Set(), later: new Set() });
  }

  /** Whether `later` must come after `earlier`, directly or not. */
  follows(later: T, earlier: T): boolean {
    const [from, to] = [this.#place(earlier), this.#place(later)];
    return from !== to && from.rank < to.rank && this.#reach(from, 'later', (place) => place.rank <= to.rank).has(to);
  }

  /** From now on `earlier` comes before `later`; the reverse must not hold. */
  put(earlier: T, later: T): void {
    const [from, to] = [this.#place(earlier), this.#place(later)];
    if (from.later.has(to)) return;
    if (from.rank > to.rank) this.#reorder(from, to);
    from.later.add(to);
    to.earlier.add(from);
  }

  earlier(item: T): T[] {
    return [...this.#place(item).earlier].map((place) => place.item);
  }

  /** Gives what leads to `from` ranks below what `to` leads to, out of the ranks that they have together. */
  #reorder(from: Place<T>, to: Place<T>): void {
    const after = this.#reach(to, 'later', (place) => place.rank <= from.rank);
    if (after.has(from)) throw new InternalError('lower', 'kernels wait for each other');
    const before = this.#reach(from, 'earlier', (place) => place.rank >= to.rank);
    const byRank = (places: Iterable<Place<T>>): Place<T>[] => [...places].sort((a, b) => a.rank - b.rank);
    const places = [...byRank(before), ...byRank(after)];
    const ranks = places.map((place) => place.rank).sort((a, b) => a - b);
    for (const [at, place] of places.entries()) place.rank = ranks[at] as number;
  }

  #reach(start: Place<T>, way: 'earlier' | 'later', within: (place: Place<T>) => boolean): Set<Place<T>> {
    const seen = new Set([start]);
    // A set's iteration also visits what is added meanwhile.
    for (const place of seen) for (const next of place[way]) if (within(next)) seen.add(next);
    return seen;
  }

  #place(item: T): Place<T> {
    const place = this.#places.get(item);
    if (place === undefined) throw new InternalError('lower', 'no place in the order');
    return place;
  }
}
