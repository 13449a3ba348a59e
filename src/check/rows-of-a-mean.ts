// Updates by the gradient of a mean over no rows. In: what gradients depend on; statements that update. Out: the same updates, and where a
// mean had nothing to divide by, every param and slot as it was.
// Holds: a mean divides by a size. What is divided by one that free sizes can make 0 says nothing then: its gradient is 0 or NaN, and an
// optimizer that goes on by its moments would still move what it trains.

import type { Span } from '../../grammar/index.js';
import { Dim, isNatural } from '../base/index.js';
import { type Node, type Region, regionsOf, type TensorNode, topological } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import type { Context } from './context.js';
import { reachable } from './dependence.js';
import { select } from './expressions/branches.js';
import { readVariable } from './variables.js';

/** Whether the means that `gradients` depend on are over any rows at all, as a scalar; undefined where they certainly are. */
export function meansHaveRows(context: Context, gradients: readonly Node[], span: Span): TensorNode | undefined {
  const sizes = new Map<string, Dim>();
  for (const size of divisorsIn(context, gradients))
    for (const factor of factorsOf(size)) if (!isNatural(factor.sub(1), context.entry.facts)) sizes.set(factor.key, factor);
  let all: TensorNode | undefined;
  for (const dim of sizes.values()) {
    const size = applyTensor(context, ops.dimension, [], { dim, dtype: 'i64' }, span);
    const none = applyTensor(context, ops.constant, [], { value: 0n, dtype: 'i64' }, span);
    const some = size === undefined || none === undefined ? undefined : applyTensor(context, ops.elementwise.gt, [size, none], {}, span);
    all = all === undefined || some === undefined ? some : applyTensor(context, ops.elementwise.and, [all, some], {}, span);
  }
  return all;
}

/** Runs `update`; what it assigns keeps its value where there are no rows. */
export function withRows(context: Context, rows: TensorNode | undefined, span: Span, update: () => void): void {
  if (rows === undefined) {
    update();
    return;
  }
  for (const [variable, whenTrue] of context.entry.apart(update)) {
    const whenFalse = readVariable(context, variable, span);
    const chosen = whenFalse === undefined ? undefined : select(context, rows, { whenTrue, whenFalse }, span);
    // It needs no name to be told from what computes the same: nothing else has the versions of this variable.
    if (chosen !== undefined) context.entry.assign(variable, chosen);
  }
}

/** Sizes that something is divided by, in regions as well. */
function divisorsIn(context: Context, gradients: readonly Node[]): readonly Dim[] {
  const sizes: Dim[] = [];
  const regions = new Set<Region>();
  const look = (nodes: Iterable<Node>): void => {
    let count = 0;
    for (const node of nodes) {
      count += 1;
      const size = ops.isNodeOf(node, ops.elementwise.div) ? sizeOf(node.args[1] as Node) : undefined;
      if (size !== undefined) sizes.push(size);
      for (const [, region] of regionsOf(node)) regions.add(region);
    }
    context.checker.growth.spend(count >> 3);
  };
  look(reachable(gradients));
  // A set's iteration also visits what is added meanwhile.
  for (const region of regions) look(topological(region.results));
  return sizes;
}

/** The size that a node is, in whatever dtype and however often repeated. */
function sizeOf(node: Node): Dim | undefined {
  if (ops.isNodeOf(node, ops.dimension)) return node.attrs.dim;
  const [arg] = node.args;
  const isSame = ops.isNodeOf(node, ops.cast) || ops.isNodeOf(node, ops.broadcast) || ops.isNodeOf(node, ops.named);
  return isSame && arg !== undefined ? sizeOf(arg) : undefined;
}

/** What must not be 0 for a size not to be 0: the names of a product, else all of it. */
function factorsOf(size: Dim): readonly Dim[] {
  const [term, more] = size.terms;
  return term === undefined || more !== undefined ? [size] : [...new Set(term.names)].map((name) => Dim.of(name));
}
