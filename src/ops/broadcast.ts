// Repeats a tensor along new axes, and along axes of constant size 1. In: a tensor, the result's shape, where each axis goes. Out: the
// larger tensor.
// Holds: axes keep their order; its transpose is a sum over the axes along which it repeats.

import { Dim, type Shape, shapeToString } from '../base/index.js';
import { type GraphBuilder, type Node, tensor, type TensorNode, type TensorType } from '../graph/index.js';
import { build as loop } from '../kernel/index.js';
import { applyTensor, tensorOf } from './apply.js';
import { defineOp, type Op } from './define.js';
import { axesBehind, axesProblem, dimAt, isProblem, oneTensor, problem } from './problem.js';
import { reduceSum } from './reduce.js';
import { reshape, withOnes } from './reshape.js';
import { get, positionOf, tabulate, tensorAt } from './value.js';
import { written } from './writing.js';

/** Argument axis i becomes result axis axes[i]. */
export type BroadcastAttrs = { readonly shape: readonly Dim[]; readonly axes: readonly number[] };

const stretches = (from: Dim, to: Dim): boolean => from.constant === 1 && to.constant !== 1;

/** Sums `value`, which has the result's shape, back to the argument's. */
function sumBack(build: GraphBuilder, value: TensorNode, node: Node<BroadcastAttrs>): TensorNode {
  const arg = tensorOf(node.args[0] as Node).type;
  const { shape, axes } = node.attrs;
  const repeated = shape
    .map((_, axis) => axis)
    .filter((axis) => {
      const from = axes.indexOf(axis);
      return from < 0 || stretches(dimAt(arg.shape, from), dimAt(shape, axis));
    });
  const sum = repeated.length === 0 ? value : applyTensor(build, reduceSum, [value], { axes: repeated });
  return sum.type.shape.length === arg.shape.length ? sum : applyTensor(build, reshape, [sum], { shape: arg.shape });
}

/** Whether axes of size 1 stand where the node repeats, and the argument's axes everywhere else. */
function isKept(kept: Shape, { args, attrs: { shape, axes } }: Node<BroadcastAttrs>): boolean {
  const from = tensorOf(args[0] as Node).type.shape;
  return shape.every((_, axis) => {
    const place = axes.indexOf(axis);
    return place < 0 ? dimAt(kept, axis).constant === 1 : dimAt(kept, axis).equals(dimAt(from, place));
  });
}

export const broadcast: Op<BroadcastAttrs> = defineOp<BroadcastAttrs>({
  name: 'broadcast',
  doc: 'Repeats along new axes, and along axes of size 1.',
  type(args, { shape, axes }) {
    const arg = oneTensor('broadcast', args);
    if (isProblem(arg)) return arg;
    if (axes.length !== arg.shape.length)
      return problem('shape-mismatch', `broadcast places ${axes.length} axes of a tensor of rank ${arg.shape.length}`, [0]);
    const refused = axesProblem('broadcast', axes, shape.length);
    if (refused !== undefined) return refused;
    for (const [from, to] of axes.entries()) {
      const [a, b] = [dimAt(arg.shape, from), dimAt(shape, to)];
      if (!a.equals(b) && a.constant !== 1)
        return problem(
          'shape-mismatch',
          `${shapeToString(arg.shape)} does not broadcast to ${shapeToString(shape)}: the size ${a} meets ${b}`,
          [0],
        );
    }
    return tensor(arg.dtype, shape);
  },
  derivative: {
    kind: 'rules',
    reach: { kind: 'moves' },
    vjp: (node, [cotangent], build) => [cotangent === undefined ? undefined : sumBack(build, cotangent, node)],
    jvp: (node, [tangent], build) => [tangent === undefined ? undefined : applyTensor(build, broadcast, [tangent], node.attrs)],
  },
  evaluate(args, { attrs, size }) {
    const arg = tensorAt(args, 0);
    return tabulate(arg.dtype, attrs.shape.map(size), (index) =>
      get(
        arg,
        positionOf(
          arg.shape,
          attrs.axes.map((to, from) => (arg.shape[from] === 1 ? 0 : (index[to] as number))),
        ),
      ),
    );
  },
  batched: ({ shape, axes }, prefix) => ({ shape: [...prefix, ...shape], axes: axesBehind(prefix, axes) }),
  lowering: {
    kind: 'element',
    at(node, index, arg) {
      const from = (node.args[0]?.type as TensorType).shape;
      return arg(
        0,
        node.attrs.axes.map((to, axis) =>
          stretches(dimAt(from, axis), dimAt(node.attrs.shape, to)) ? loop.int(0) : (index[to] as (typeof index)[number]),
        ),
      );
    },
    cost: 0,
  },
  repeats: true,
  keepsFinite: () => true,
  write(node, writer) {
    const inner = writer.written(node.args[0] as Node);
    const { shape, axes } = node.attrs;
    const rank = (node.args[0]?.type as TensorType).shape.length;
    const { other } = inner;
    if (other !== undefined && other.shape.length === shape.length && rank > 0 && isKept(other.shape, node))
      return { ...other, isPlain: true };
    // Axes of the text count from the end of the argument's.
    const places = axes.slice(rank - inner.shape.length);
    const [first] = places;
    if (first === undefined) return { ...inner, isPlain: true };
    const wide = shape.slice(first).map((_, at) => {
      const from = places.indexOf(first + at);
      return from < 0 ? Dim.one : dimAt(inner.shape, from);
    });
    return written(withOnes(inner.expression, inner.shape, wide, writer), wide, { isPlain: true });
  },
  bounds: (_, of) => of(0),
  samples: () => [
    { args: [{ dtype: 'f64', shape: [] }], attrs: { shape: [Dim.of(2), Dim.of(3)], axes: [] } },
    { args: [{ dtype: 'f64', shape: [3] }], attrs: { shape: [Dim.of(2), Dim.of(3), Dim.of(2)], axes: [1] } },
    { args: [{ dtype: 'f64', shape: [2, 1] }], attrs: { shape: [Dim.of(2), Dim.of(4)], axes: [0, 1] } },
    { args: [{ dtype: 'f64', shape: [1] }], attrs: { shape: [Dim.of(3), Dim.of(1)], axes: [1] } },
    { args: [{ dtype: 'f64', shape: [2] }], attrs: { shape: [Dim.of(0), Dim.of(2)], axes: [1] } },
    { args: [{ dtype: 'i64', shape: [2] }], attrs: { shape: [Dim.of(2), Dim.of(2)], axes: [0] } },
  ],
});
