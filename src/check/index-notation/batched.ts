// Ops over what is lifted. In: an op of a body, its arguments over some indices. Out: the same op for all indices at once; undefined where
// there is none.
// Holds: the axes of the indices stand before those that the op is about.

import { Dim, elementCount, type Shape, shapeEquals } from '../../base/index.js';
import type { GraphBuilder, Node, TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import type { Lifted } from './lift.js';
import type { LiftedOp } from './lift-region.js';
import type { BodyIndex } from './space.js';

/** What a lift says of indices and their axes. */
export interface Axes {
  readonly build: GraphBuilder;
  readonly shapeOf: (indices: readonly BodyIndex[]) => Shape;
  over(lifted: Lifted, indices: readonly BodyIndex[]): TensorNode;
  union(...axes: readonly (readonly BodyIndex[])[]): readonly BodyIndex[];
}

const shapeOfNode = (node: Node): Shape => (node as TensorNode).type.shape;
const isScalar = ({ type }: Node): boolean => type.kind === 'tensor' && type.shape.length === 0;

export function batched(lift: Axes, node: Node, args: readonly Lifted[]): LiftedOp | undefined {
  if (ops.isNodeOf(node, ops.ensure)) return ensured(lift, node, args);
  const isGather: boolean = ops.isNodeOf(node, ops.gather);
  if (isGather) return gathered(lift, node, args as readonly [Lifted, Lifted]);
  const op = ops.opOf(node);
  const axes = lift.union(...args.map((arg) => arg.axes));
  const prefix = lift.shapeOf(axes);
  // Of scalars the op's type rule says whether it acts on each element by itself.
  const attrs = op.batched?.(node.attrs, prefix) ?? ([node, ...node.args].every(isScalar) ? node.attrs : undefined);
  if (attrs === undefined) return undefined;
  const nodes = args.map((arg) => lift.over(arg, axes));
  const type = op.type(
    nodes.map((arg) => arg.type),
    attrs,
  );
  const wanted = node.type.kind === 'tensor' ? [node.type] : node.type.items;
  const found = type.kind === 'tensor' ? [type] : type.kind === 'tuple' ? type.items : [];
  if (type.kind === 'problem' || !wanted.every(({ shape }, at) => shapeEquals(found[at]?.shape ?? [], [...prefix, ...shape])))
    return undefined;
  const made = ops.applyAs(lift.build, op, nodes, attrs, type);
  if (made.type.kind === 'tensor') return { node: made as TensorNode, axes };
  return { node: made, axes: found.map(() => axes), stacks: found.length };
}

/** What must hold is asked for all indices together. */
function ensured(lift: Axes, node: Node<ops.EnsureAttrs>, args: readonly Lifted[]): Lifted {
  const [value, holds, said] = args as readonly [Lifted, Lifted, Lifted];
  const axes = lift.union(holds.axes, said.axes);
  const nodes = [value.node, lift.over(holds, axes), lift.over(said, axes)];
  return { node: ops.applyTensor(lift.build, ops.ensure, nodes, node.attrs), axes: value.axes };
}

/** Rows of one table for each index, the same rows of a table that each index has, or rows of its own for each. */
function gathered(lift: Axes, node: Node, [table, ids]: readonly [Lifted, Lifted]): Lifted | undefined {
  const { build } = lift;
  const rows = (from: TensorNode): TensorNode => ops.applyTensor(build, ops.gather, [from, ids.node], {});
  if (table.axes.length === 0) return { node: rows(table.node), axes: ids.axes };
  if (ids.axes.length > 0) return gatheredEach(lift, node, table, ids);
  const by = table.axes.length;
  const { length } = shapeOfNode(table.node);
  const front = [by, ...table.axes.keys(), ...Array.from({ length: length - by - 1 }, (_, at) => by + 1 + at)];
  const taken = rows(ops.applyTensor(build, ops.transpose, [table.node], { axes: front }));
  const count = shapeOfNode(node.args[1] as Node).length;
  const back = [...table.axes.keys()].map((axis) => axis + count);
  const order = [...back, ...[...taken.type.shape.keys()].filter((axis) => !back.includes(axis))];
  return { node: ops.applyTensor(build, ops.transpose, [taken], { axes: order }), axes: table.axes };
}

/** The tables of all indices as one, behind each other, and the numbers in it. */
function gatheredEach(lift: Axes, node: Node, table: Lifted, ids: Lifted): Lifted {
  const { build } = lift;
  const axes = lift.union(table.axes, ids.axes);
  const prefix = lift.shapeOf(axes);
  const [tables, places] = [lift.over(table, axes), lift.over(ids, axes)];
  const [rows, ...rest] = shapeOfNode(tables).slice(axes.length) as [Dim, ...Dim[]];
  const { shape, dtype } = places.type;
  const count = elementCount(prefix);
  const apart = [count, elementCount(shape.slice(axes.length))];
  const spread = (value: TensorNode): TensorNode => ops.applyTensor(build, ops.broadcast, [value], { shape: apart, axes: [] });
  const last = spread(ops.sizeAs(build, rows.sub(1), dtype));
  const size = spread(ops.sizeAs(build, rows, dtype));
  const { add, mul, max, min } = ops.elementwise;
  const both = (op: ops.Op<ops.NoAttrs>, a: TensorNode, b: TensorNode): TensorNode => ops.applyTensor(build, op, [a, b], {});
  // What is outside of its own table is the nearest row of that, as `gather` has it.
  const own = both(
    max,
    both(min, ops.applyTensor(build, ops.reshape, [places], { shape: apart }), last),
    spread(ops.sizeAs(build, Dim.zero, dtype)),
  );
  const which = ops.applyTensor<ops.IotaAttrs>(build, ops.iota, [], { shape: apart, axis: 0, dtype });
  const numbers = both(add, both(mul, which, size), own);
  const all = ops.applyTensor(build, ops.reshape, [tables], { shape: [count.mul(rows), ...rest] });
  const taken = ops.applyTensor(build, ops.gather, [all, numbers], {});
  return { node: ops.applyTensor(build, ops.reshape, [taken], { shape: [...prefix, ...shapeOfNode(node)] }), axes };
}
