// Ops with regions as what stands in these: loops, and functions with a derivative rule of their own. In: such an op of a body's scalar
// graph. Out: placeholders for the parameters of its regions, and results that use them, as nodes among all others.
// Holds: what a loop of a body reads in a round is known from where it was evaluated (`IndexSpace.loops`); any other region is closed, and
// is opened by putting placeholders in the place of its parameters.

import { type GraphBuilder, type Node, type Region, type TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import type { IndexSpace, OpenLoop } from './space.js';

/** A function with a rule: `cotangents` are those of the rule's parameters that follow `params`. */
export interface OpenCall {
  readonly kind: 'call';
  readonly params: readonly TensorNode[];
  readonly results: readonly TensorNode[];
  readonly cotangents: readonly TensorNode[];
  readonly pulled: readonly TensorNode[];
}

export type Opened = (OpenLoop & { readonly kind: 'loop' }) | OpenCall;

export class Openings {
  readonly #build: GraphBuilder;
  readonly #space: IndexSpace;
  readonly #opened = new Map<Node, Opened>();

  constructor(build: GraphBuilder, space: IndexSpace) {
    this.#build = build;
    this.#space = space;
  }

  /** What stands in the regions of a node; undefined for ops that have none, or whose regions stay closed. */
  of(node: Node): Opened | undefined {
    if (!ops.isNodeOf(node, ops.loop) && !ops.isNodeOf(node, ops.whileLoop) && !ops.isNodeOf(node, ops.call)) return undefined;
    let found = this.#opened.get(node);
    if (found === undefined) {
      found = this.#open(node);
      this.#opened.set(node, found);
    }
    return found;
  }

  #open(node: Node<ops.LoopAttrs> | Node<ops.WhileAttrs> | Node<ops.CallAttrs>): Opened {
    const known = this.#space.loops.get(node);
    if (known !== undefined) return { kind: 'loop', ...known };
    const { body } = node.attrs;
    const placed = (params: Region['params']): TensorNode[] => params.map((type) => ops.placeholder(this.#build, type));
    const inlined = (region: Region, args: readonly TensorNode[]): TensorNode[] => ops.inlineRegion(this.#build, region, args);
    if (ops.isNodeOf(node, ops.call)) {
      const params = placed(body.params);
      const cotangents = placed(node.attrs.rule.params.slice(params.length));
      const pulled = inlined(node.attrs.rule, [...params, ...cotangents]);
      return { kind: 'call', params, results: inlined(body, params), cotangents, pulled };
    }
    const loop = node as Node<ops.LoopAttrs> | Node<ops.WhileAttrs>;
    const params = placed(body.params.slice(0, 1 + loop.attrs.carries));
    const args = [...params, ...(loop.args.slice(loop.attrs.carries) as TensorNode[])];
    const condition = ops.isNodeOf(loop, ops.whileLoop) ? inlined(loop.attrs.condition, args)[0] : undefined;
    return { kind: 'loop', params, results: inlined(body, args), condition };
  }
}
