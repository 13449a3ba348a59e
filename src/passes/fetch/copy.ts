// An entry's nodes as part of a fetch. In: what is fed instead of which node; new names for sizes. Out: the image of any node of the entry.
// Holds: what only led to a fed node is not gone into; derivatives that read what a fed name was given to read the feed as well, while
// another name of the same value keeps it; nodes that neither feeds nor sizes change stay the same nodes, so entries go on sharing them.

import type { Dim } from '../../base/index.js';
import { type GraphBuilder, imageOf, mapRegions, type Node, NodeMap, type TensorNode } from '../../graph/index.js';
import { isNodeOf, named, tensorOf } from '../../ops/index.js';
import { copyOrigins } from '../rewrite.js';
import { renameAttrs, renameType } from './sizes.js';

export class EntryCopy {
  readonly #build: GraphBuilder;
  readonly #sizes: ReadonlyMap<string, Dim> | undefined;
  readonly #images = new NodeMap<Node>();
  /** What fed names were given to; derivatives find the feeds in their places. */
  readonly #named = new NodeMap<Node>();

  /** `fed`: nodes and the feeds in their places. */
  constructor(build: GraphBuilder, fed: ReadonlyMap<Node, Node>, sizes: ReadonlyMap<string, Dim> | undefined) {
    this.#build = build;
    this.#sizes = sizes;
    for (const [node, feed] of fed) {
      this.#images.set(node, feed);
      const inner = unnamed(node);
      if (inner !== node && inner.args.length > 0) this.#named.set(inner, feed);
    }
  }

  image(node: TensorNode): TensorNode {
    return tensorOf(imageOf(node, this.#images, (one) => this.#made(one)));
  }

  #made(node: Node): Node {
    const sizes = this.#sizes;
    const origins = this.#build.originsOf(node);
    const isDerivative = origins.length > 0 && origins.every(({ backward }) => backward);
    const args = node.args.map((arg) => ((isDerivative ? this.#named.get(arg) : undefined) ?? this.#images.get(arg)) as Node);
    const regions = mapRegions(node.attrs, (region) => {
      const results = region.results.map((result) => this.image(result));
      return results.every((result, at) => result === region.results[at]) ? region : { ...region, results };
    });
    const attrs = sizes === undefined ? regions : renameAttrs(regions, sizes);
    const type = sizes === undefined ? node.type : renameType(node.type, sizes);
    if (sizes === undefined && attrs === node.attrs && args.every((arg, at) => arg === node.args[at])) return node;
    const made = this.#build.at(undefined, () => this.#build.make(node.op, args, attrs, type));
    copyOrigins(this.#build, node, made);
    return made;
  }
}

/** The node behind names. */
export function unnamed(node: Node): Node {
  let one = node;
  while (isNodeOf(one, named)) one = one.args[0] as Node;
  return one;
}
