// Loops, and functions with a derivative rule of their own, over whole tensors. In: such an op of a body, its arguments lifted, and what
// stands in its regions lifted as nodes among all others. Out: the op with closed regions over these.
// Holds: each carry has the same indices in every round. A loop goes on as long as one index asks for another round; what the others carry
// stays as it is.

import type { Shape } from '../../base/index.js';
import type { Node, TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import type { Lift, Lifted } from './lift.js';
import type { OpenCall } from './opened.js';
import type { BodyIndex, OpenLoop } from './space.js';

/** An op with several results, each over indices of its own. */
export interface LiftedTuple {
  readonly node: Node;
  readonly axes: readonly (readonly BodyIndex[])[];
  /** Results from this one on are stacks of rounds, whose axis stands before those of the indices. */
  readonly stacks: number;
}

/** A node, and whether it stands for a lifted tuple. */
export type LiftedOp = Lifted | LiftedTuple;

export function liftLoop(lift: Lift, node: Node, { params, results, condition }: OpenLoop, initial: readonly Lifted[]): LiftedTuple {
  const { build } = lift;
  const carries = initial.length;
  const carried = params.slice(1).map((param) => lift.of(param));
  const inside = [lift.of(params[0] as TensorNode).node, ...carried.map((one) => one.node)];
  const axesOf = (at: number): readonly BodyIndex[] => (carried[at] as Lifted).axes;
  const lifted = results.map((result) => lift.of(result));
  const next = lifted.map((one, at) => (at < carries ? lift.over(one, axesOf(at)) : one.node));
  const starts = initial.map((one, at) => lift.over(one, axesOf(at)));
  if (condition === undefined) {
    const { region, captures } = ops.closeRegion(build, inside, next);
    const made = ops.apply(build, ops.loop, [...starts, ...captures], { ...(node.attrs as ops.LoopAttrs), body: region });
    return { node: made, axes: lifted.map((one, at) => (at < carries ? axesOf(at) : one.axes)), stacks: carries };
  }
  const asked = lift.of(condition);
  const goesOn = asked.axes.length === 0 ? asked.node : lift.combined(ops.reduceAny, asked, asked.axes).node;
  const kept =
    asked.axes.length === 0
      ? next
      : next.map((one, at) => {
          const before = carried[at] as Lifted;
          const mask = spreadBehind(lift, { node: lift.over(asked, before.axes), axes: before.axes }, one.type.shape);
          return ops.applyTensor(build, ops.elementwise.select, [mask, one, before.node], {});
        });
  const { regions, captures } = ops.closeTogether(build, inside, [[goesOn], kept]);
  const [again, body] = regions as [ops.WhileAttrs['condition'], ops.WhileAttrs['body']];
  const attrs = { ...(node.attrs as ops.WhileAttrs), condition: again, body };
  const made = ops.apply(build, ops.whileLoop, [...starts, ...captures], attrs);
  return { node: made, axes: [...carried.map((one) => one.axes), [], []], stacks: carries + 2 };
}

/** Repeated along the axes that a carry has behind those of its indices. */
function spreadBehind(lift: Lift, { node, axes }: Lifted, shape: Shape): TensorNode {
  if (shape.length === axes.length) return node;
  return ops.applyTensor(lift.build, ops.broadcast, [node], { shape, axes: [...axes.keys()] });
}

/** All of its arguments and results have all indices; undefined where the regions would need more than the arguments. */
export function liftCall(lift: Lift, { params, results, cotangents, pulled }: OpenCall, args: readonly Lifted[]): LiftedOp | undefined {
  const { build } = lift;
  const placed = params.map((param) => lift.of(param));
  const axes = lift.union(...[...args, ...placed].map((one) => one.axes));
  const inside = placed.map((one) => one.node);
  const over = (node: TensorNode): TensorNode => lift.over(lift.of(node), axes);
  const body = ops.closeRegion(build, inside, results.map(over), 'inside');
  const given = [...inside, ...cotangents.map((one) => lift.of(one).node)];
  const rule = ops.closeRegion(build, given, pulled.map(over), 'inside');
  if (body.captures.length > 0 || rule.captures.length > 0) return undefined;
  const nodes = args.map((arg) => lift.over(arg, axes));
  const made = ops.apply(build, ops.call, nodes, { body: body.region, rule: rule.region });
  if (made.type.kind === 'tensor') return { node: made as TensorNode, axes };
  return { node: made, axes: made.type.items.map(() => axes), stacks: made.type.items.length };
}

/** One of several results; the rounds of a stack come behind the indices. */
export function itemOf(lift: Lift, tuple: LiftedTuple, index: number): Lifted {
  const item = ops.item(lift.build, tuple.node, index);
  const axes = tuple.axes[index] ?? [];
  if (index < tuple.stacks || axes.length === 0) return { node: item, axes };
  const order = [...axes.map((_, at) => at + 1), 0, ...[...item.type.shape.keys()].slice(axes.length + 1)];
  return { node: ops.applyTensor(lift.build, ops.transpose, [item], { axes: order }), axes };
}
