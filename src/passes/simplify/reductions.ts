// Rules of reductions and matrix products. In: reduceSum and its kin, matmul. Out: fewer elements to combine.
// Holds: a sum has no stated order (floating-point.md), so sums may be merged, and a value added n times is n times the value.

import { type Dim, elementCount } from '../../base/index.js';
import type { GraphBuilder, Node, TensorNode } from '../../graph/index.js';
import { isTensorNode } from '../../graph/index.js';
import {
  apply,
  applyTensor,
  broadcast,
  elementwise,
  fill,
  matmul,
  opOf,
  reduceAll,
  reduceAny,
  type ReduceAttrs,
  reduceMax,
  reduceMin,
  reduceProduct,
  reduceSum,
  reshape,
  sizeAs,
  spread,
  transpose,
} from '../../ops/index.js';
import { arg, broadcasted, isOp, isUnit, make, properAxes, reshaped, sameButUnits, splat } from './match.js';
import { isIncreasing } from './movement.js';
import { type Rule, ruleOf } from './rule.js';

const { mul, neg } = elementwise;
const reductions = [reduceSum, reduceProduct, reduceMax, reduceMin, reduceAny, reduceAll];

/** The same reduction over other axes of another argument. */
function reduced(build: GraphBuilder, like: Node<ReduceAttrs>, from: TensorNode, axes: readonly number[]): TensorNode {
  return axes.length === 0 ? from : applyTensor(build, opOf(like), [from], { ...like.attrs, axes });
}

const ascending = (axes: readonly number[]): number[] => [...axes].sort((a, b) => a - b);

export const reductionRules: readonly Rule[] = [
  ruleOf({
    name: 'reduce-nothing',
    doc: 'a reduction over no axis → x',
    at: reductions,
    apply: (node) => (node.attrs.axes.length === 0 ? arg(node) : undefined),
  }),
  ruleOf({
    name: 'reduce-units',
    doc: 'a reduction over an axis of size 1 → reshape',
    at: reductions,
    apply: (node, { build }) => {
      const { shape } = arg(node).type;
      const axes = node.attrs.axes;
      const units = axes.filter((axis) => isUnit(shape[axis] as Dim));
      if (units.length === 0) return undefined;
      const squeezed = reshaped(
        build,
        arg(node),
        shape.filter((_, axis) => !units.includes(axis)),
      );
      const rest = axes.filter((axis) => !units.includes(axis)).map((axis) => axis - units.filter((unit) => unit < axis).length);
      return reduced(build, node, squeezed, rest);
    },
  }),
  ruleOf({
    name: 'reduce-twice',
    doc: 'sum(sum(x)) → sum(x) over both axes, if nothing else takes the inner one; likewise max, min, product, any, all',
    at: reductions,
    apply: (node, { build, uses }) => {
      const inner = arg(node);
      if (!isOp(inner, opOf<ReduceAttrs>(node)) || uses(inner) > 1) return undefined;
      const gone = inner.attrs.axes;
      const left = arg(inner).type.shape.flatMap((_, axis) => (gone.includes(axis) ? [] : [axis]));
      return reduced(build, node, arg(inner), ascending([...gone, ...node.attrs.axes.map((axis) => left[axis] as number)]));
    },
  }),
  ruleOf({
    name: 'reduce-of-reshape',
    doc: 'a reduction of a reshape that adds or drops axes of size 1 → reshape of the reduction',
    at: reductions,
    apply: (node, { build }) => {
      const inner = arg(node);
      const from = isOp(inner, reshape) ? arg(inner) : undefined;
      if (from === undefined || !sameButUnits(from.type.shape, inner.type.shape) || !isTensorNode(node)) return undefined;
      const [here, there] = [properAxes(inner.type.shape), properAxes(from.type.shape)];
      const axes = node.attrs.axes.flatMap((axis) => there[here.indexOf(axis)] ?? []);
      return reshaped(build, reduced(build, node, from, axes), node.type.shape);
    },
  }),
  ruleOf({
    name: 'reduce-of-transpose',
    doc: 'a reduction of a transpose → transpose of the reduction, or just the reduction',
    at: reductions,
    apply: (node, { build }) => {
      const inner = arg(node);
      if (!isOp(inner, transpose)) return undefined;
      const order = inner.attrs.axes;
      const axes = node.attrs.axes;
      const left = order.filter((_, axis) => !axes.includes(axis));
      const result = reduced(build, node, arg(inner), ascending(axes.map((axis) => order[axis] as number)));
      if (isIncreasing(left)) return result;
      const sorted = ascending(left);
      return apply(build, transpose, [result], { axes: left.map((axis) => sorted.indexOf(axis)) });
    },
  }),
  ruleOf({
    name: 'sum-of-negated',
    doc: 'sum(−x) → −sum(x)',
    at: [reduceSum],
    apply: (node, { build }) =>
      isOp(arg(node), neg) ? make(build, neg, reduced(build, node, arg(arg(node)), node.attrs.axes)) : undefined,
  }),
  ruleOf({
    name: 'sum-over-broadcast',
    doc: 'sum of broadcast(x) over an axis that the broadcast made → x · size',
    at: [reduceSum],
    apply: (node, { build }) => {
      const inner = arg(node);
      const split = overBroadcast(node, build);
      if (split === undefined || !isTensorNode(node)) return undefined;
      const count = elementCount(split.made.map((axis) => inner.type.shape[axis] as Dim));
      return make(build, mul, split.rest, spread(build, sizeAs(build, count, node.type.dtype), node.type.shape));
    },
  }),
  ruleOf({
    name: 'extreme-over-broadcast',
    doc: 'max, min, any or all of broadcast(x) over a filled axis that the broadcast made → x',
    at: [reduceMax, reduceMin, reduceAny, reduceAll],
    apply: (node, { build }) => {
      const inner = arg(node);
      const split = overBroadcast(node, build);
      const filled = split?.made.every((axis) => ((inner.type.shape[axis] as Dim).constant ?? 0) > 0);
      return filled === true ? split?.rest : undefined;
    },
  }),
  {
    name: 'matmul-over-one',
    doc: '[M, 1] × [1, N] → a product of elements',
    at: [matmul],
    apply: (node, { build }) => {
      const [a, b] = [arg(node), arg(node, 1)];
      if (!isTensorNode(node) || !isUnit(a.type.shape.at(-1) as Dim)) return undefined;
      const { shape } = node.type;
      const all = [...shape.keys()];
      return make(build, mul, broadcasted(build, a, shape, all), broadcasted(build, b, shape, all));
    },
  },
  {
    name: 'matmul-of-one-value',
    doc: 'a matrix of the one value ±2ⁿ times x → sums of columns, times it; likewise from the right',
    at: [matmul],
    apply: (node, { build }) => {
      if (!isTensorNode(node)) return undefined;
      const { shape } = node.type;
      const rank = shape.length;
      for (const [which, reducedAxis, lost] of [
        [0, rank - 2, rank - 2],
        [1, rank - 1, rank - 1],
      ] as const) {
        const value = splat(arg(node, which));
        if (typeof value !== 'number' || !Number.isInteger(Math.log2(Math.abs(value)))) continue;
        const sums = applyTensor(build, reduceSum, [arg(node, 1 - which)], { axes: [reducedAxis] });
        const axes = [...shape.keys()].filter((axis) => axis !== lost);
        return broadcasted(build, make(build, mul, sums, fill(build, sums.type, value)), shape, axes);
      }
      return undefined;
    },
  },
];

/** The reduction over the axes that the broadcast kept, and those that it made. */
function overBroadcast(node: Node<ReduceAttrs>, build: GraphBuilder): { rest: TensorNode; made: number[] } | undefined {
  const inner = arg(node);
  if (!isOp(inner, broadcast)) return undefined;
  const { axes } = node.attrs;
  const { axes: kept, shape } = inner.attrs;
  const made = axes.filter((axis) => !kept.includes(axis));
  // Stretched axes have become made ones by another rule.
  if (made.length === 0 || arg(inner).type.shape.some(isUnit)) return undefined;
  const place = (axis: number): number => axis - made.filter((one) => one < axis).length;
  const smaller = broadcasted(
    build,
    arg(inner),
    shape.filter((_, axis) => !made.includes(axis)),
    kept.map(place),
  );
  const rest = axes.filter((axis) => kept.includes(axis)).map(place);
  return { rest: reduced(build, node, smaller, rest), made };
}
