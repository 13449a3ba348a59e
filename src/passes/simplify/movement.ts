// Rules of broadcasts, reshapes and transposes. In: ops that move data. Out: fewer moves, later.
// Holds afterwards: a broadcast never stretches an axis of size 1 (such axes are reshaped away first), a scalar gets its axes by a
// broadcast, and work on broadcast values is done before the broadcast.

import type { Dim } from '../../base/index.js';
import { shapeEquals } from '../../base/index.js';
import type { GraphBuilder, Node, TensorNode } from '../../graph/index.js';
import { isTensorNode } from '../../graph/index.js';
import { apply, applyTensor, broadcast, elementByElement, opOf, reshape, transpose } from '../../ops/index.js';
import { arg, broadcasted, isOp, isUnit, properAxes, reshaped, sameButUnits } from './match.js';
import { type Rule, ruleOf } from './rule.js';

export const movementRules: readonly Rule[] = [
  ruleOf({
    name: 'broadcast-to-same-shape',
    doc: 'broadcast to the shape that it has → x',
    at: [broadcast],
    apply: (node) =>
      isTensorNode(node) && shapeEquals(arg(node).type.shape, node.type.shape) && isInOrder(node.attrs.axes) ? arg(node) : undefined,
  }),
  ruleOf({
    name: 'broadcast-twice',
    doc: 'broadcast(broadcast(x)) → broadcast(x)',
    at: [broadcast],
    apply: (node, { build }) => {
      const inner = arg(node);
      if (!isOp(inner, broadcast) || !isTensorNode(node)) return undefined;
      const outer = node.attrs.axes;
      return broadcasted(
        build,
        arg(inner),
        node.type.shape,
        inner.attrs.axes.map((axis) => outer[axis] as number),
      );
    },
  }),
  ruleOf({
    name: 'broadcast-without-stretching',
    doc: 'broadcast(x) with axes of size 1 → broadcast(reshape(x)) without them',
    at: [broadcast],
    apply: (node, { build }) => {
      const inner = arg(node);
      const kept = properAxes(inner.type.shape);
      if (kept.length === inner.type.shape.length || !isTensorNode(node)) return undefined;
      const squeezed = reshaped(
        build,
        inner,
        kept.map((axis) => inner.type.shape[axis] as Dim),
      );
      const axes = node.attrs.axes;
      return broadcasted(
        build,
        squeezed,
        node.type.shape,
        kept.map((axis) => axes[axis] as number),
      );
    },
  }),
  {
    name: 'broadcast-of-units',
    doc: 'a broadcast that only adds axes of size 1 to a tensor → reshape',
    at: [broadcast],
    apply: (node, { build }) => {
      if (!isTensorNode(node) || arg(node).type.shape.length === 0) return undefined;
      const { shape } = node.type;
      return sameButUnits(arg(node).type.shape, shape) ? reshaped(build, arg(node), shape) : undefined;
    },
  },
  {
    name: 'reshape-to-same-shape',
    doc: 'reshape to the shape that it has → x',
    at: [reshape],
    apply: (node) => (isTensorNode(node) && shapeEquals(arg(node).type.shape, node.type.shape) ? arg(node) : undefined),
  },
  {
    name: 'reshape-twice',
    doc: 'reshape(reshape(x)) → reshape(x)',
    at: [reshape],
    apply: (node, { build }) =>
      isOp(arg(node), reshape) && isTensorNode(node) ? reshaped(build, arg(arg(node)), node.type.shape) : undefined,
  },
  {
    name: 'reshape-of-scalar',
    doc: 'reshape(x) of a scalar, or of a scalar broadcast → broadcast(x)',
    at: [reshape],
    apply: (node, { build }) => {
      const inner = isOp(arg(node), broadcast) ? arg(arg(node)) : arg(node);
      return inner.type.shape.length === 0 && isTensorNode(node) ? broadcasted(build, inner, node.type.shape, []) : undefined;
    },
  },
  {
    name: 'reshape-of-broadcast',
    doc: 'reshape(broadcast(x)) that adds or drops axes of size 1 → broadcast(x)',
    at: [reshape],
    apply: (node, { build }) => {
      const inner = arg(node);
      if (!isOp(inner, broadcast) || !isTensorNode(node) || !sameButUnits(inner.type.shape, node.type.shape)) return undefined;
      const axes = moveAxes(inner.type.shape, node.type.shape, inner.attrs.axes);
      return axes === undefined ? undefined : broadcasted(build, arg(inner), node.type.shape, axes);
    },
  },
  ruleOf({
    name: 'transpose-in-order',
    doc: 'transpose that leaves the axes where they are → x',
    at: [transpose],
    apply: (node) => (isInOrder(node.attrs.axes) ? arg(node) : undefined),
  }),
  ruleOf({
    name: 'transpose-twice',
    doc: 'transpose(transpose(x)) → transpose(x)',
    at: [transpose],
    apply: (node, { build }) => {
      const inner = arg(node);
      if (!isOp(inner, transpose)) return undefined;
      const first = inner.attrs.axes;
      return apply(build, transpose, [arg(inner)], { axes: node.attrs.axes.map((axis) => first[axis] as number) });
    },
  }),
  ruleOf({
    name: 'transpose-of-units',
    doc: 'transpose that moves only axes of size 1 → reshape',
    at: [transpose],
    apply: (node, { build }) => {
      const from = arg(node).type.shape;
      const moved = node.attrs.axes.filter((axis) => !isUnit(from[axis] as Dim));
      return isIncreasing(moved) && isTensorNode(node) ? reshaped(build, arg(node), node.type.shape) : undefined;
    },
  }),
  ruleOf({
    name: 'transpose-of-broadcast',
    doc: 'transpose(broadcast(x)) → broadcast(x) to other axes, or broadcast(transpose(x))',
    at: [transpose],
    apply: (node, { build }) => {
      const inner = arg(node);
      if (!isOp(inner, broadcast) || !isTensorNode(node)) return undefined;
      const order = node.attrs.axes;
      const axes = inner.attrs.axes.map((axis) => order.indexOf(axis));
      const sorted = [...axes.keys()].sort((a, b) => (axes[a] as number) - (axes[b] as number));
      const turned = isInOrder(sorted) ? arg(inner) : applyTensor(build, transpose, [arg(inner)], { axes: sorted });
      return broadcasted(
        build,
        turned,
        node.type.shape,
        sorted.map((axis) => axes[axis] as number),
      );
    },
  }),
  {
    name: 'work-before-broadcast',
    doc: 'f(broadcast(x), broadcast(y)) → broadcast(f(x, y)), where both stretch alike or one is a scalar',
    at: elementByElement,
    apply: (node, { build }) => beforeBroadcast(node, build),
  },
];

function beforeBroadcast(node: Node, build: GraphBuilder): Node | undefined {
  if (!isTensorNode(node) || node.type.shape.length === 0 || !node.args.every((one) => isOp(one, broadcast))) return undefined;
  const tensors = node.args.filter((one) => arg(one).type.shape.length > 0);
  const first = tensors[0];
  const shape = first === undefined ? [] : arg(first).type.shape;
  const axes = first === undefined ? [] : first.attrs.axes;
  const alike = tensors.every((one) => shapeEquals(arg(one).type.shape, shape) && one.attrs.axes.every((axis, at) => axis === axes[at]));
  // A broadcast that adds nothing is a rule of its own; without this, work would go around in circles.
  if (!alike || shapeEquals(shape, node.type.shape)) return undefined;
  const args = node.args.map((one) => {
    const inner: TensorNode = arg(one);
    return inner.type.shape.length === 0 ? broadcasted(build, inner, shape, []) : inner;
  });
  return broadcasted(build, applyTensor(build, opOf(node), args, node.attrs), node.type.shape, axes);
}

const isInOrder = (axes: readonly number[]): boolean => axes.every((axis, at) => axis === at);
export const isIncreasing = (axes: readonly number[]): boolean => axes.every((axis, at) => at === 0 || axis > (axes[at - 1] as number));

/** Where axes of `from` are in `to`, which differs in axes of size 1 only; undefined when one of them is such an axis. */
export function moveAxes(from: readonly Dim[], to: readonly Dim[], axes: readonly number[]): number[] | undefined {
  const [left, right] = [properAxes(from), properAxes(to)];
  const moved = axes.map((axis) => right[left.indexOf(axis)]);
  return moved.every((axis) => axis !== undefined) ? moved : undefined;
}
