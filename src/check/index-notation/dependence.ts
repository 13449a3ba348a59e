// On which indices scalars depend. In: the scalar graph of a body. Out: its nodes in order, and the indices of each.
// Holds: what a loop carries has one set of indices in every round; what a derivative is taken with respect to has all that the derivative
// has, else the derivative would be summed over the others.

import { Dim } from '../../base/index.js';
import type { Node, TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import type { Openings } from './opened.js';
import type { BodyIndex, ElementRead, IndexReduction, IndexSpace } from './space.js';

type Axes = readonly BodyIndex[];

/** The scalars that decide where a read reads, and what it gives. */
export function partsOf(read: ElementRead): readonly TensorNode[] {
  return [
    read.tensor,
    ...read.subscripts.flatMap(({ at }) => (at instanceof Dim ? [] : [at])),
    ...(read.outside === undefined ? [] : [read.outside]),
    // Where every subscript is known the guard chooses nothing that is read.
    ...(read.guard === undefined || read.subscripts.every(({ at }) => at instanceof Dim) ? [] : [read.guard]),
  ];
}

/** What a reduction combines, and what says of which of it. */
const combinedOf = ({ body, indices }: IndexReduction): readonly TensorNode[] => [
  body,
  ...indices.flatMap(({ bounds, placeholder }) => (bounds === undefined ? [] : [placeholder, bounds.start, bounds.stop, bounds.isInside])),
];

/** What a node needs; for an op with regions, what stands in these as well. Nodes below the mark of the space depend on no index. */
function needsOf(node: Node, space: IndexSpace, openings: Openings): readonly Node[] {
  const read = space.reads.get(node as TensorNode);
  if (read !== undefined) return partsOf(read);
  const reduction = space.reductions.get(node as TensorNode);
  if (reduction !== undefined) return combinedOf(reduction);
  const notation = space.inner.get(node as TensorNode);
  if (notation !== undefined) return [notation.body];
  const opened = openings.of(node);
  if (opened === undefined) return node.args;
  if (opened.kind === 'call') return [...node.args, ...opened.results, ...opened.pulled];
  return [...initialOf(node), ...opened.results, ...(opened.condition === undefined ? [] : [opened.condition])];
}

/** What a loop's carries are before the first round. */
export const initialOf = (loop: Node): readonly TensorNode[] =>
  loop.args.slice(0, (loop.attrs as { readonly carries: number }).carries) as TensorNode[];

/** Everything below `body` that may depend on indices, each after what it needs. */
export function inOrder(body: Node, space: IndexSpace, openings: Openings): readonly Node[] {
  const order = new Set<Node>();
  const waiting: { readonly node: Node; readonly isReady: boolean }[] = [{ node: body, isReady: false }];
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    const { node, isReady } = one;
    if (node.id < space.mark || order.has(node)) continue;
    if (isReady) order.add(node);
    else {
      waiting.push({ node, isReady: true });
      for (const needed of needsOf(node, space, openings)) waiting.push({ node: needed, isReady: false });
    }
  }
  return [...order];
}

export class Dependence {
  readonly #space: IndexSpace;
  readonly #openings: Openings;
  readonly #union: (...axes: readonly Axes[]) => Axes;
  readonly #axes = new Map<Node, Axes>();
  /** Of ops with several results: those of each. */
  readonly #items = new Map<Node, readonly Axes[]>();
  /** Of parameters of regions and of what derivatives are taken with respect to: more than they have of themselves. */
  readonly #atLeast = new Map<Node, Axes>();

  constructor(order: readonly Node[], space: IndexSpace, openings: Openings, union: (...axes: readonly Axes[]) => Axes) {
    this.#space = space;
    this.#openings = openings;
    this.#union = union;
    const derivatives = order.flatMap((node) => ops.derivativeParts(node) ?? []);
    for (let changed = true; changed;) {
      changed = false;
      for (const node of order) if (this.#visit(node)) changed = true;
      for (const { results, inputs } of derivatives) {
        const all = this.#union(...[...results, ...inputs].map((node) => this.of(node)));
        for (const input of inputs) if (this.#widen(input, all)) changed = true;
      }
    }
  }

  of(node: Node): Axes {
    return this.#axes.get(node) ?? this.#atLeast.get(node) ?? [];
  }

  /** Undefined where a node has the indices of what it is made of. */
  atLeast(node: Node): Axes | undefined {
    return this.#atLeast.get(node);
  }

  #widen(node: Node, axes: Axes): boolean {
    const before = this.#atLeast.get(node) ?? [];
    const after = this.#union(before, axes);
    if (after.length === before.length) return false;
    this.#atLeast.set(node, after);
    return true;
  }

  /** Finds the indices of a node; whether a parameter of its regions got more. */
  #visit(node: Node): boolean {
    const opened = this.#openings.of(node);
    let isChanged = false;
    if (opened?.kind === 'loop') {
      const { params, results, condition } = opened;
      const asked = condition === undefined ? [] : this.of(condition);
      const initial = initialOf(node);
      for (const [at, one] of initial.entries()) {
        const param = params[at + 1] as Node;
        const next = results[at] as Node;
        if (this.#widen(param, this.#union(this.of(one), this.of(next), asked))) isChanged = true;
      }
      this.#items.set(
        node,
        results.map((result, at) => (at < initial.length ? this.of(params[at + 1] as Node) : this.of(result))),
      );
    } else if (opened?.kind === 'call') {
      const all = this.#union(...node.args.map((arg) => this.of(arg)));
      for (const param of [...opened.params, ...opened.cotangents]) if (this.#widen(param, all)) isChanged = true;
      this.#items.set(
        node,
        opened.results.map(() => all),
      );
    }
    const before = this.#axes.get(node);
    const axes = this.#union(this.#own(node), this.#atLeast.get(node) ?? []);
    this.#axes.set(node, axes);
    return isChanged || (before?.length ?? 0) !== axes.length;
  }

  #own(node: Node): Axes {
    const index = this.#space.indexOf(node as TensorNode);
    if (index !== undefined) return [index];
    const reduction = this.#space.reductions.get(node as TensorNode);
    if (reduction !== undefined)
      return this.#union(...combinedOf(reduction).map((part) => this.of(part))).filter((one) => !reduction.indices.includes(one));
    const notation = this.#space.inner.get(node as TensorNode);
    if (notation !== undefined) return this.of(notation.body).filter((one) => !notation.indices.includes(one));
    const read = this.#space.reads.get(node as TensorNode);
    if (read !== undefined) return this.#union(...partsOf(read).map((part) => this.of(part)));
    const items = this.#items.get(node);
    if (items !== undefined) return this.#union(...items);
    if (ops.isNodeOf(node, ops.element)) {
      const tuple = node.args[0] as Node;
      const found = this.#items.get(tuple);
      // What a loop says of its rounds depends on no index.
      if (found !== undefined) return found[node.attrs.index] ?? [];
    }
    return this.#union(...node.args.map((arg) => this.of(arg)));
  }
}
