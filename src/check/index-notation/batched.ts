// Ops over what is lifted. In: an op of a body, its arguments over some indices. Out: the same op for all indices at once; undefined where
// there is none.
// Holds: the axes of the indices stand before those that the op is about.

import { Dim, type Shape, shapeEquals } from '../../base/index.js';
import type { GraphBuilder, Node, TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import type { Lifted } from './lift.js';
import type { BodyIndex } from './space.js';

/** What a lift says of indices and their axes. */
export interface Axes {
  readonly build: GraphBuilder;
  readonly shapeOf: (indices: readonly BodyIndex[]) => Shape;
  over(lifted: Lifted, indices: readonly BodyIndex[]): TensorNode;
  union(...axes: readonly (readonly BodyIndex[])[]): readonly BodyIndex[];
}

const elementByElement: ReadonlySet<unknown> = new Set<unknown>([
  ...Object.values(ops.elementwise),
  ops.cast,
  ops.narrow,
  ops.widen,
  ops.named,
  ops.stopGradient,
  ops.inRange,
]);

const shapeOfNode = (node: Node): Shape => (node as TensorNode).type.shape;

export function batched(lift: Axes, node: Node, args: readonly Lifted[]): Lifted | undefined {
  if (node.type.kind !== 'tensor') return undefined;
  if (ops.isNodeOf(node, ops.ensure)) return ensured(lift, node, args);
  const isGather: boolean = ops.isNodeOf(node, ops.gather);
  if (isGather) return gathered(lift, node, args as readonly [Lifted, Lifted]);
  const axes = lift.union(...args.map((arg) => arg.axes));
  const nodes = args.map((arg) => lift.over(arg, axes));
  const prefix = lift.shapeOf(axes);
  const shape = [...prefix, ...shapeOfNode(node)];
  if (elementByElement.has(node.op) || (shapeOfNode(node).length === 0 && node.args.every((arg) => shapeOfNode(arg).length === 0))) {
    // The op's type rule says whether it acts on each element by itself.
    const op = ops.opOf(node);
    const type = op.type(
      nodes.map((arg) => arg.type),
      node.attrs,
    );
    if (type.kind !== 'tensor' || !shapeEquals(type.shape, shape)) return undefined;
    return { node: ops.applyAs(lift.build, op, nodes, node.attrs, type) as TensorNode, axes };
  }
  const attrs = shifted(node, prefix);
  return attrs === undefined ? undefined : { node: ops.applyTensor(lift.build, ops.opOf(node), nodes, attrs), axes };
}

const reductions: ReadonlySet<unknown> = new Set<unknown>([
  ...[ops.reduceSum, ops.reduceProduct, ops.reduceMax, ops.reduceMin, ops.reduceAny, ops.reduceAll],
]);

/** The attributes of an op whose axes stand behind those of `prefix`. */
function shifted(node: Node, prefix: Shape): Node['attrs'] | undefined {
  const by = prefix.length;
  const behind = (axes: readonly number[]): number[] => axes.map((axis) => axis + by);
  const kept = [...prefix.keys()];
  if (ops.isNodeOf(node, ops.broadcast))
    return { shape: [...prefix, ...node.attrs.shape], axes: [...kept, ...behind(node.attrs.axes)] } satisfies ops.BroadcastAttrs;
  if (ops.isNodeOf(node, ops.reshape)) return { shape: [...prefix, ...node.attrs.shape] } satisfies ops.ReshapeAttrs;
  if (ops.isNodeOf(node, ops.transpose)) return { axes: [...kept, ...behind(node.attrs.axes)] } satisfies ops.TransposeAttrs;
  if (ops.isNodeOf(node, ops.concat)) return { axis: node.attrs.axis + by } satisfies ops.ConcatAttrs;
  if (ops.isNodeOf(node, ops.slice)) {
    const { starts, stops, steps } = node.attrs;
    const zeros = prefix.map(() => Dim.zero);
    return {
      starts: [...zeros, ...starts],
      stops: [...prefix, ...stops],
      steps: [...prefix.map(() => 1), ...steps],
    } satisfies ops.SliceAttrs;
  }
  if (reductions.has(node.op)) return { axes: behind((node.attrs as ops.ReduceAttrs).axes) } satisfies ops.ReduceAttrs;
  return undefined;
}

/** What must hold is asked for all indices together. */
function ensured(lift: Axes, node: Node<ops.EnsureAttrs>, args: readonly Lifted[]): Lifted {
  const [value, holds, said] = args as readonly [Lifted, Lifted, Lifted];
  const axes = lift.union(holds.axes, said.axes);
  const nodes = [value.node, lift.over(holds, axes), lift.over(said, axes)];
  return { node: ops.applyTensor(lift.build, ops.ensure, nodes, node.attrs), axes: value.axes };
}

/** Rows of one table for each index, or the same rows of a table that each index has. */
function gathered(lift: Axes, node: Node, [table, ids]: readonly [Lifted, Lifted]): Lifted | undefined {
  const { build } = lift;
  const rows = (from: TensorNode): TensorNode => ops.applyTensor(build, ops.gather, [from, ids.node], {});
  if (table.axes.length === 0) return { node: rows(table.node), axes: ids.axes };
  if (ids.axes.length > 0) return undefined;
  const by = table.axes.length;
  const { length } = shapeOfNode(table.node);
  const front = [by, ...table.axes.keys(), ...Array.from({ length: length - by - 1 }, (_, at) => by + 1 + at)];
  const taken = rows(ops.applyTensor(build, ops.transpose, [table.node], { axes: front }));
  const count = shapeOfNode(node.args[1] as Node).length;
  const back = [...table.axes.keys()].map((axis) => axis + count);
  const order = [...back, ...[...taken.type.shape.keys()].filter((axis) => !back.includes(axis))];
  return { node: ops.applyTensor(build, ops.transpose, [taken], { axes: order }), axes: table.axes };
}
