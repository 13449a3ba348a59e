// Values and marks by node. In: nodes. Out: what was set for them.
// Holds: ids are dense, so they are looked up by id, in pages, which takes half the time of hashing. A map is for nodes of one builder, and
// for what stands in their place with negative ids; a set tells nodes apart that share an id.

import type { Node } from './node.js';

const pageBits = 6;
const pageSize = 1 << pageBits;

type Pages<T> = ((T | undefined)[] | undefined)[];

export class NodeMap<T> {
  readonly #pages: Pages<T> = [];
  readonly #negative: Pages<T> = [];

  get({ id }: Node): T | undefined {
    const page = id >= 0 ? this.#pages[id >> pageBits] : this.#negative[~id >> pageBits];
    return page === undefined ? undefined : page[id & (pageSize - 1)];
  }

  set({ id }: Node, value: T): void {
    const page = id >= 0 ? pageAt(this.#pages, id >> pageBits) : pageAt(this.#negative, ~id >> pageBits);
    page[id & (pageSize - 1)] = value;
  }
}

export class NodeSet {
  /** As long as there are only a few, whose pages would be nearly empty. */
  #few: Set<Node> | undefined = new Set();
  readonly #pages: Pages<Node> = [];
  /** Those whose id another one has. */
  #others: Set<Node> | undefined;

  /** False when the node was there. */
  add(node: Node): boolean {
    const few = this.#few;
    if (few === undefined) return this.#added(node);
    if (few.has(node)) return false;
    few.add(node);
    if (few.size > pageSize) {
      this.#few = undefined;
      for (const one of few) this.#added(one);
    }
    return true;
  }

  #added(node: Node): boolean {
    const page = pageAt(this.#pages, node.id >> pageBits);
    const at = node.id & (pageSize - 1);
    const known = page[at];
    if (known === undefined) {
      page[at] = node;
      return true;
    }
    if (known === node || this.#others?.has(node) === true) return false;
    (this.#others ??= new Set()).add(node);
    return true;
  }
}

function pageAt<T>(pages: Pages<T>, number: number): (T | undefined)[] {
  const known = pages[number];
  if (known !== undefined) return known;
  while (pages.length < number) pages.push(undefined);
  const page = new Array<T | undefined>(pageSize);
  pages[number] = page;
  return page;
}
