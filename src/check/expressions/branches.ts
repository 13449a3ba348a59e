// One of two values by a condition that run time knows. In: a condition, pairs of values of one type, and from which node on nodes were
// made for one side alone. Out: the chosen values: selected, where computing both costs little; else of a `branch`, which runs one side.
// Holds: what both sides share with the rest of the program is computed before; names inside of a branch can be neither fetched nor fed.

import type { Span } from '../../../grammar/index.js';
import { Dim, elementCount } from '../../base/index.js';
import { type Node, type Region, regionsOf, sourceOf, type TensorNode, topological } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import { applyOp, applyTensor } from '../apply-op.js';
import { broadcastTo } from '../broadcast.js';
import type { Context } from '../context.js';

/** Values of one dtype and shape. */
export interface Pair {
  readonly whenTrue: TensorNode;
  readonly whenFalse: TensorNode;
}

/**
 * The taken side of each pair. `mark`: the size of the builder before the sides were evaluated; nodes that are younger belong to them.
 * Undefined after a diagnostic.
 */
export function chosen(
  context: Context,
  condition: TensorNode,
  pairs: readonly Pair[],
  mark: number,
  span: Span,
): readonly TensorNode[] | undefined {
  const sides = [pairs.map(({ whenTrue }) => whenTrue), pairs.map(({ whenFalse }) => whenFalse)];
  // An attempt wants types alone; a body of index notation stands for every element.
  if (context.entry.isTentative || context.body !== undefined || !isWorthBranching(sides.flat(), mark)) {
    const nodes = pairs.map((pair) => select(context, condition, pair, span));
    return nodes.every((node) => node !== undefined) ? nodes : undefined;
  }
  const { build } = context.checker;
  const { regions, captures } = ops.closeTogether(build, [], sides, (node) => node.id >= mark && sourceOf(node) === undefined);
  const [whenTrue, whenFalse] = regions as [Region, Region];
  const made = applyOp(context, ops.branch, [condition, ...captures], { whenTrue, whenFalse }, span);
  if (made === undefined) return undefined;
  context.entry.hide(mark, 'in a branch that only some calls take');
  const nodes = pairs.map((_, index) => applyTensor(context, ops.element, [made], { index }, span));
  return nodes.every((node) => node !== undefined) ? nodes : undefined;
}

/** `condition` is broadcast to the shape of the pair. */
export function select(context: Context, condition: TensorNode, { whenTrue, whenFalse }: Pair, span: Span): TensorNode | undefined {
  const wide = broadcastTo(context, condition, whenTrue.type.shape, span);
  return wide === undefined ? undefined : applyTensor(context, ops.elementwise.select, [wide, whenTrue, whenFalse], {}, span);
}

/**
 * Whether a side holds a check, or more than a few operations: loops, products, reductions, derivatives, or arithmetic over many
 * elements. A jump costs some ten operations, and what is selected can be fused with what is around it.
 */
function isWorthBranching(sides: readonly TensorNode[], mark: number): boolean {
  let operations = 0;
  for (const node of topological(sides, ({ id }) => id >= mark)) {
    operations += costOf(node);
    if (operations > mostSelected) return true;
  }
  return false;
}

/** Operations of both sides that are computed rather than jumped over: those of a kernel that takes about as long as starting another. */
const mostSelected = 2 ** 12;
/** Elements of a tensor of free sizes. */
const assumed = 2 ** 16;

function costOf(node: Node): number {
  const { lowering } = ops.opOf(node);
  switch (lowering.kind) {
    case 'element':
      return lowering.ownNest === undefined ? lowering.cost * elementsOf(node) : elementsOf(node);
    case 'reduce':
      return node.args.reduce((sum, argument) => sum + elementsOf(argument), 0);
    case 'contract':
    case 'nest':
    case 'loop':
      return Infinity;
    case 'removed':
      // A check of what is not taken would end the run.
      return lowering.by === 'strip' && regionsOf(node).length === 0 ? 0 : Infinity;
    case 'source':
    case 'element-of':
      return 0;
  }
}

function elementsOf({ type }: Node): number {
  return type.kind === 'tuple' ? 0 : (Dim.of(elementCount(type.shape)).constant ?? assumed);
}
