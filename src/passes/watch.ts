// Finds places in an entry, whatever loops they are in. In: roots of a graph. Out: for each place that is looked at, scalars that say what
// was found there when the entry runs, and the nodes that take the place of those above. Holds: a loop hands out what its rounds find as
// carries behind its own; what is found of two places, and of two rounds, is the earlier of both, so it does not depend on the order in
// which anything is computed.

import type { Dim } from '../base/index.js';
import { type GraphBuilder, isTensorNode, type Node, type TensorNode, topological } from '../graph/index.js';
import { apply, closeRegion, element, inlineRegion, isNodeOf, item, type LoopAttrs, opOf, placeholder, tensorOf } from '../ops/index.js';
import { rebuild } from './rewrite.js';

/** Scalars, as many of the same dtypes as `nothing` has. */
export type Found = readonly TensorNode[];

export interface Watched {
  readonly found: readonly Found[];
  readonly imageOf: (node: TensorNode) => TensorNode;
}

export abstract class Watch {
  protected readonly build: GraphBuilder;
  /** Nodes, as they are now, that were looked at. */
  readonly #done = new Set<Node>();

  constructor(build: GraphBuilder) {
    this.build = build;
  }

  /** What is said when nothing is found. */
  protected abstract nothing(): Found;
  /** What is found at a node, whose arguments are what they have become. */
  protected abstract look(node: TensorNode): Found | undefined;
  protected abstract earlier(one: Found, other: Found): Found;

  /** What a node becomes. */
  protected become(node: Node): Node {
    return node;
  }

  /** Told of the number of the round inside of a loop, before anything in it is looked at. */
  protected opened(_count: TensorNode, _trip: Dim): void {
    // Most do not ask.
  }

  through(roots: readonly TensorNode[]): Watched {
    const found: Found[] = [];
    const images = new Map<Node, Node>();
    const imageOf = (node: Node): Node => images.get(node) ?? node;
    for (const node of topological(roots, (one) => !this.#done.has(one))) {
      if (this.#done.has(node)) continue;
      const remade = this.#image(node, imageOf, found);
      const here = this.#done.has(remade) || !isTensorNode(remade) ? undefined : this.look(remade);
      this.#done.add(remade);
      if (here !== undefined) found.push(here);
      const image = this.become(remade);
      images.set(node, image);
      this.#done.add(image);
    }
    return { found, imageOf: (node) => tensorOf(imageOf(node)) };
  }

  /** The earliest, by pairs as in a tournament: chains of thousands are slow to compile. */
  earliest(found: readonly Found[]): Found {
    let round = found.length === 0 ? [this.nothing()] : found;
    while (round.length > 1) {
      const next: Found[] = [];
      for (let at = 0; at < round.length; at += 2) {
        const [one, other] = [round[at] as Found, round[at + 1]];
        next.push(other === undefined ? one : this.earlier(one, other));
      }
      round = next;
    }
    return round[0] as Found;
  }

  #image(node: Node, imageOf: (node: Node) => Node, found: Found[]): Node {
    const args = node.args.map(imageOf);
    if (opOf(node).lowering.kind === 'loop') return this.#loop(node as Node<LoopAttrs>, args.map(tensorOf), found);
    const from = node.args[0];
    // A loop may have more carries, behind its own.
    if (isNodeOf(node, element) && from !== undefined && args[0] !== from && opOf(from).lowering.kind === 'loop') {
      const made = args[0] as Node<LoopAttrs>;
      const { carries } = (from as Node<LoopAttrs>).attrs;
      const more = made.attrs.carries - carries;
      return item(this.build, made, node.attrs.index < carries ? node.attrs.index : node.attrs.index + more);
    }
    return rebuild(this.build, node, args);
  }

  /** The loop with carries for what its rounds find. */
  #loop(node: Node<LoopAttrs>, args: readonly TensorNode[], found: Found[]): Node {
    const { trip, carries, body } = node.attrs;
    const { build } = this;
    const [inits, captures] = [args.slice(0, carries), args.slice(carries)];
    const nothing = this.nothing();
    const count = placeholder(build, body.params[0] as TensorNode['type']);
    const carried = inits.map((init) => placeholder(build, init.type));
    const known = nothing.map((one) => placeholder(build, one.type));
    for (const param of [count, ...carried]) this.#done.add(param);
    this.opened(count, trip);
    const results = inlineRegion(build, body, [count, ...carried, ...captures]);
    const inside = this.through(results);
    const images = results.map(inside.imageOf);
    if (inside.found.length === 0 && images.every((image, at) => image === results[at])) return rebuild(build, node, args);
    const more = inside.found.length === 0 ? [] : known;
    const closed = closeRegion(
      build,
      [count, ...carried, ...more],
      [...images.slice(0, carries), ...(more.length === 0 ? [] : this.earliest([known, ...inside.found])), ...images.slice(carries)],
    );
    const made = apply(build, opOf(node), [...inits, ...nothing.slice(0, more.length), ...closed.captures], {
      trip,
      carries: carries + more.length,
      body: closed.region,
    });
    if (more.length > 0) found.push(nothing.map((_, at) => item(build, made, carries + at)));
    return made;
  }
}
