// Rewrites a graph from the leaves up. In: roots, and what to make of each node once its arguments and regions are rewritten. Out: new
// nodes.
// Holds: each node is visited once (regions share the memory, because they are closed); origins go over to the new nodes; no recursion over
// depth.

import { InternalError } from '../base/index.js';
import type { Attrs, GraphBuilder, ModuleGraph, Node, Region, TensorNode } from '../graph/index.js';
import { imageOf, isTensorNode, mapModule, mapRegions, NodeMap } from '../graph/index.js';
import { element, isNodeOf } from '../ops/index.js';

/** What becomes of a node: another one, or for a tuple its elements one by one. */
export type Image = Node | readonly TensorNode[];

export class Rewriter {
  readonly #build: GraphBuilder;
  readonly #visit: (node: Node) => Image;
  readonly #images = new NodeMap<Image>();
  readonly #make = (node: Node): Image => this.#rewritten(node);
  readonly #inRegion = (region: Region): Region => this.#region(region);
  readonly #nodeOf = (arg: Node): Node => {
    const image = this.#images.get(arg) as Image;
    if (isNode(image)) return image;
    throw new InternalError('rewrite', `an op takes the tuple of ${arg.op.name}, which is no longer there`);
  };

  /** `visit` gets a node whose arguments and regions are rewritten already. */
  constructor(build: GraphBuilder, visit: (node: Node) => Image) {
    this.#build = build;
    this.#visit = visit;
  }

  module(module: ModuleGraph): ModuleGraph {
    return mapModule(module, (node) => this.tensor(node));
  }

  tensor(node: TensorNode): TensorNode {
    const image = imageOf(node, this.#images, this.#make);
    if (isNode(image) && isTensorNode(image)) return image;
    throw new InternalError('rewrite', `the tensor ${node.op.name} became a tuple`);
  }

  #rewritten(node: Node): Image {
    const [first] = node.args;
    const split = first === undefined ? undefined : this.#images.get(first);
    if (split !== undefined && !isNode(split)) {
      const item = isNodeOf(node, element) ? split[node.attrs.index] : undefined;
      if (item === undefined || node.args.length !== 1)
        throw new InternalError('rewrite', `${node.op.name} takes a tuple that is no longer there`);
      copyOrigins(this.#build, node, item);
      return item;
    }
    return this.#visit(remade(this.#build, node, this.#nodeOf, this.#inRegion));
  }

  #region(region: Region): Region {
    const results = region.results.map((result) => this.tensor(result));
    return results.every((result, at) => result === region.results[at]) ? region : { ...region, results };
  }
}

const isNode = (image: Image): image is Node => 'op' in image;

/** The node over the images of its arguments and regions: itself where all of them are as they were. */
export function remade(build: GraphBuilder, node: Node, imageOfArg: (arg: Node) => Node, imageOfRegion: (region: Region) => Region): Node {
  let args: Node[] | undefined;
  for (let at = 0; at < node.args.length; at++) {
    const arg = node.args[at] as Node;
    const image = imageOfArg(arg);
    if (image !== arg) (args ??= [...node.args])[at] = image;
  }
  const attrs = mapRegions(node.attrs, imageOfRegion);
  return args === undefined && attrs === node.attrs ? node : build.remake(node, args ?? node.args, attrs);
}

/** The node with other arguments and attributes, of the same type and with the same origins. */
export function rebuild(build: GraphBuilder, node: Node, args: readonly Node[], attrs: Attrs = node.attrs): Node {
  if (attrs === node.attrs && args.every((arg, at) => arg === node.args[at])) return node;
  return build.remake(node, args, attrs);
}

export function copyOrigins(build: GraphBuilder, from: Node, to: Node): void {
  if (from !== to) build.addOrigins(to, from);
}
