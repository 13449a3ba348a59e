// Finds places in an entry, whatever loops they are in. In: roots of a graph. Out: for each place that is looked at, scalars that say what
// was found there when the entry runs, and the nodes that take the place of those above. Holds: a loop hands out what its rounds find as
// carries behind its own; what is found of two places, and of two rounds, is the earlier of both, so it does not depend on the order in
// which anything is computed.

import { Dim } from '../base/index.js';
import {
  type GraphBuilder,
  isTensorNode,
  mapRegions,
  type Node,
  NodeMap,
  type Region,
  type TensorNode,
  topological,
} from '../graph/index.js';
import {
  apply,
  branch,
  type BranchAttrs,
  closeRegion,
  closeTogether,
  element,
  inlineRegion,
  isNodeOf,
  item,
  loop,
  type LoopAttrs,
  opOf,
  placeholder,
  recompute,
  tensorOf,
  unwind,
  whileLoop,
  type WhileAttrs,
} from '../ops/index.js';
import { rebuild, Rewriter } from './rewrite.js';

/** Scalars, as many of the same dtypes as `nothing` has. */
export type Found = readonly TensorNode[];

export interface Watched {
  readonly found: readonly Found[];
  readonly imageOf: (node: TensorNode) => TensorNode;
}

export abstract class Watch {
  protected readonly build: GraphBuilder;
  /**
   * Nodes, as they are now, that were looked at: outside of all regions, then in each of those around. What was looked at in a region is
   * looked at again outside of it, because the region may not run.
   */
  readonly #done: NodeMap<true>[] = [new NodeMap()];
  /** What nodes have become. A region and what is around it may have the same node, if it depends on constants alone. */
  readonly #images = new NodeMap<Node>();

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
    const imageOf = (node: Node): Node => this.#images.get(node) ?? node;
    for (const node of topological(roots, (one) => !this.#isDone(one))) {
      if (this.#isDone(node)) continue;
      const remade = this.#image(node, imageOf, found);
      const here = this.#isDone(remade) || !isTensorNode(remade) ? undefined : this.look(remade);
      this.#finish(remade);
      if (here !== undefined) found.push(here);
      const image = this.become(remade);
      if (image !== node || this.#images.get(node) !== undefined) this.#images.set(node, image);
      if (image !== remade) this.#finish(image);
    }
    return { found, imageOf: (node) => tensorOf(imageOf(node)) };
  }

  #isDone(node: Node): boolean {
    for (const nodes of this.#done) if (nodes.get(node) === true) return true;
    return false;
  }

  #finish(node: Node): void {
    this.#done.at(-1)?.set(node, true);
  }

  /** Goes through a region's results, which are made of these parameters. */
  #inside(params: readonly Node[], results: readonly TensorNode[]): Watched {
    const inside = new NodeMap<true>();
    for (const param of params) inside.set(param, true);
    this.#done.push(inside);
    const watched = this.through(results);
    this.#done.pop();
    return watched;
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
    if (isNodeOf(node, loop)) return this.#loop(node, args.map(tensorOf), found);
    if (isNodeOf(node, whileLoop)) return this.#while(node, args.map(tensorOf), found);
    if (isNodeOf(node, branch)) return this.#branch(node, args.map(tensorOf), found);
    // What the way back computes again, the way forward has looked at.
    if (isNodeOf(node, unwind) || isNodeOf(node, recompute))
      return rebuild(
        this.build,
        node,
        args,
        mapRegions(node.attrs, (region) => this.#plain(region)),
      );
    const from = node.args[0];
    // A loop may have more carries, behind its own.
    if (isNodeOf(node, element) && from !== undefined && args[0] !== from && (isNodeOf(from, loop) || isNodeOf(from, whileLoop))) {
      const made = args[0] as typeof from;
      const { carries } = from.attrs;
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
    this.opened(count, trip);
    const results = inlineRegion(build, body, [count, ...carried, ...captures]);
    const inside = this.#inside([count, ...carried], results);
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

  /** The loop with carries for what its rounds find; what the condition finds when it ends them is found behind the loop. */
  #while(node: Node<WhileAttrs>, args: readonly TensorNode[], found: Found[]): Node {
    const { carries, condition, body, limit } = node.attrs;
    const { build } = this;
    const [inits, captures] = [args.slice(0, carries), args.slice(carries)];
    const nothing = this.nothing();
    const params = body.params.slice(0, 1 + carries).map((type) => placeholder(build, type)) as [TensorNode, ...TensorNode[]];
    const known = nothing.map((one) => placeholder(build, one.type));
    this.opened(params[0], Dim.of(limit));
    const asked = inlineRegion(build, condition, [...params, ...captures]);
    const results = inlineRegion(build, body, [...params, ...captures]);
    const inside = this.#inside(params, [...asked, ...results]);
    const images = [...asked, ...results].map(inside.imageOf);
    const more = inside.found.length === 0 ? [] : known;
    if (more.length === 0 && images.every((image, at) => image === (at === 0 ? asked[0] : results[at - 1])))
      return rebuild(build, node, args);
    const next = [...images.slice(1), ...(more.length === 0 ? [] : this.earliest([known, ...inside.found]))];
    const closed = closeTogether(build, [...params, ...more], [images.slice(0, 1), next]);
    const [question, round] = closed.regions as [Region, Region];
    const made = apply(build, whileLoop, [...inits, ...nothing.slice(0, more.length), ...closed.captures], {
      ...node.attrs,
      carries: carries + more.length,
      condition: question,
      body: round,
    });
    if (more.length === 0) return made;
    found.push(nothing.map((_, at) => item(build, made, carries + at)));
    const last = [item(build, made, carries + more.length), ...inits.map((_, at) => item(build, made, at))];
    for (const one of last) this.#finish(one);
    found.push(...this.through(inlineRegion(build, condition, [...last, ...captures])).found);
    return made;
  }

  /** The branch with results for what its sides find. */
  #branch(node: Node<BranchAttrs>, args: readonly TensorNode[], found: Found[]): Node {
    const { build } = this;
    const captures = args.slice(1);
    const nothing = this.nothing();
    const params = captures.map(({ type }) => placeholder(build, type));
    const sides = [node.attrs.whenTrue, node.attrs.whenFalse].map((region) => {
      const results = inlineRegion(build, region, params);
      const inside = this.#inside(params, results);
      return { images: results.map(inside.imageOf), found: inside.found };
    });
    const finds = sides.some((side) => side.found.length > 0);
    const groups = sides.map((side) => [...side.images, ...(finds ? this.earliest([nothing, ...side.found]) : [])]);
    const outside = new Set<Node>(params);
    const inner = new Set(topological(groups.flat(), (one) => !outside.has(one)));
    const closed = closeTogether(build, params, groups, (one) => inner.has(one));
    const [whenTrue, whenFalse] = closed.regions as [Region, Region];
    const made = apply(build, branch, [...args, ...closed.captures], { whenTrue, whenFalse });
    if (finds) found.push(nothing.map((_, at) => item(build, made, node.attrs.whenTrue.results.length + at)));
    return made;
  }

  /** A region in which nothing is looked at. */
  #plain(region: Region): Region {
    const rewriter = new Rewriter(this.build, (node) => this.become(node));
    const results = region.results.map((result) => rewriter.tensor(result));
    return results.every((result, at) => result === region.results[at]) ? region : { ...region, results };
  }
}
