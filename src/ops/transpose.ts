// Reorders axes. In: a tensor. Out: result axis i is argument axis axes[i], as in NumPy. Holds: the axes are a permutation.

import { shapeToString } from '../base/index.js';
import { type GraphBuilder, type Node, tensor, type TensorNode, type TensorType } from '../graph/index.js';
import type { Expr } from '../kernel/index.js';
import { applyTensor } from './apply.js';
import { defineOp, type Op } from './define.js';
import { axesBehind, dimAt, isProblem, oneTensor, problem } from './problem.js';
import { axesOf, called } from './tdsl.js';
import { get, positionOf, tabulate, tensorAt } from './value.js';
import { written } from './writing.js';

export type TransposeAttrs = { readonly axes: readonly number[] };

export const inverseOrder = (axes: readonly number[]): number[] => axes.map((_, axis) => axes.indexOf(axis));

/** The last two axes swapped. */
export function swapLast(build: GraphBuilder, node: TensorNode): TensorNode {
  const rank = node.type.shape.length;
  const axes = node.type.shape.map((_, axis) => (axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis));
  return applyTensor(build, transpose, [node], { axes });
}

export const transpose: Op<TransposeAttrs> = defineOp<TransposeAttrs>({
  name: 'transpose',
  doc: 'Reorders the axes.',
  type(args, { axes }) {
    const arg = oneTensor('transpose', args);
    if (isProblem(arg)) return arg;
    if ([...axes].sort((a, b) => a - b).some((axis, at) => axis !== at) || axes.length !== arg.shape.length) {
      return problem(
        'invalid-value',
        `transpose: [${axes.join(', ')}] is not an order of the ${arg.shape.length} axes of ${shapeToString(arg.shape)}`,
        [0],
      );
    }
    return tensor(
      arg.dtype,
      axes.map((axis) => dimAt(arg.shape, axis)),
    );
  },
  derivative: {
    kind: 'rules',
    reach: { kind: 'moves' },
    vjp: (node, [cotangent], build) => [
      cotangent === undefined ? undefined : applyTensor(build, transpose, [cotangent], { axes: inverseOrder(node.attrs.axes) }),
    ],
    jvp: (node, [tangent], build) => [tangent === undefined ? undefined : applyTensor(build, transpose, [tangent], node.attrs)],
  },
  evaluate(args, { attrs }) {
    const arg = tensorAt(args, 0);
    const back = inverseOrder(attrs.axes);
    return tabulate(
      arg.dtype,
      attrs.axes.map((axis) => arg.shape[axis] as number),
      (index) =>
        get(
          arg,
          positionOf(
            arg.shape,
            back.map((axis) => index[axis] as number),
          ),
        ),
    );
  },
  batched: ({ axes }, prefix) => ({ axes: axesBehind(prefix, axes) }),
  lowering: {
    kind: 'element',
    at: (node, index, arg) =>
      arg(
        0,
        inverseOrder(node.attrs.axes).map((axis) => index[axis] as Expr),
      ),
    cost: 0,
  },
  keepsFinite: () => true,
  bounds: (_, of) => of(0),
  write({ args, attrs: { axes }, type }, writer) {
    const value = writer.exact(args[0] as Node);
    const { shape } = type as TensorType;
    if (axes.every((from, to) => from === to)) return written(value, shape);
    const isReverse = axes.every((from, to) => from === axes.length - 1 - to);
    return written(called('transpose', [value], isReverse ? {} : { axes: axesOf(axes) }), shape);
  },
  samples: () => [
    { args: [{ dtype: 'f64', shape: [2, 3] }], attrs: { axes: [1, 0] } },
    { args: [{ dtype: 'f64', shape: [2, 3, 4] }], attrs: { axes: [2, 0, 1] } },
    { args: [{ dtype: 'f64', shape: [0, 3] }], attrs: { axes: [1, 0] } },
    { args: [{ dtype: 'i32', shape: [1, 3] }], attrs: { axes: [1, 0] } },
  ],
});
