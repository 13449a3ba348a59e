// Another shape over the same row-major elements. In: a tensor. Out: a tensor with as many elements. Holds: the element counts are equal
// polynomials.

import type { Expression } from '../../grammar/index.js';
import { Dim, elementCount, type Shape, shapeEquals, shapeToString } from '../base/index.js';
import { type Node, tensor, type TensorType } from '../graph/index.js';
import { build as loop, type Expr } from '../kernel/index.js';
import { applyTensor } from './apply.js';
import { defineOp, type Op } from './define.js';
import { isProblem, oneTensor, problem } from './problem.js';
import { called, digits } from './tdsl.js';
import { get, tabulate, tensorAt } from './value.js';
import { written, type Writer } from './writing.js';

export type ReshapeAttrs = { readonly shape: readonly Dim[] };

/**
 * The index into `from` of the element at `index` of `to`. Axes are matched in groups of equal element count, so that
 * splitting, merging and axes of size 1 cost no division beyond those that the group itself needs.
 */
function reshapeIndex(from: Shape, to: Shape, index: readonly Expr[]): Expr[] {
  const result: Expr[] = [];
  let [a, b] = [0, 0];
  while (a < from.length || b < to.length) {
    const [startA, startB] = [a, b];
    let [countA, countB] = [Dim.one, Dim.one];
    // The shortest pair of runs with equal counts; the whole rest matches at the latest.
    const takeA = () => (countA = countA.mul(from[a++] as Dim));
    const takeB = () => (countB = countB.mul(to[b++] as Dim));
    if (a < from.length) takeA();
    if (b < to.length) takeB();
    while (!countA.equals(countB)) {
      const needsA = a < from.length && (b >= to.length || countB.divideExact(countA) !== undefined || countA.terms.length === 0);
      if (needsA) takeA();
      else if (b < to.length) takeB();
      else if (a < from.length) takeA();
      else break;
    }
    let linear: Expr = loop.int(0);
    for (let axis = startB; axis < b; axis++)
      linear = loop.plus(loop.times(linear, loop.size(to[axis] as Dim)), to[axis]?.constant === 1 ? loop.int(0) : (index[axis] as Expr));
    const group = from.slice(startA, a);
    const split: Expr[] = [];
    // Axes of size 1 take no part of the quotient; the first real axis takes what is left.
    const first = group.findIndex((dim) => dim.constant !== 1);
    for (let axis = group.length - 1; axis >= 0; axis--) {
      const size = group[axis] as Dim;
      if (size.constant === 1) split[axis] = loop.int(0);
      else if (axis === first) split[axis] = linear;
      else {
        split[axis] = loop.modulo(linear, loop.size(size));
        linear = loop.over(linear, loop.size(size));
      }
    }
    result.push(...split);
  }
  return result;
}

/** Another shape over the same elements, by the function that says it shortest. */
export function withOnes(expression: Expression, from: Shape, to: Shape, writer: Writer): Expression {
  if (shapeEquals(from, to)) return expression;
  const without = (shape: Shape, axis: number): Shape => shape.filter((_, at) => at !== axis);
  const axisOf = (wide: Shape, narrow: Shape): number =>
    wide.length === narrow.length + 1
      ? wide.findIndex((size, axis) => size.constant === 1 && shapeEquals(without(wide, axis), narrow))
      : -1;
  const [added, gone] = [axisOf(to, from), axisOf(from, to)];
  if (added >= 0) return called('expandDims', [expression], { axis: digits(`${added}`) });
  if (gone >= 0) return called('squeeze', [expression], { axis: digits(`${gone}`) });
  return called('reshape', [expression, writer.sizes(to)]);
}

export const reshape: Op<ReshapeAttrs> = defineOp<ReshapeAttrs>({
  name: 'reshape',
  doc: 'Another shape over the same row-major elements.',
  type(args, { shape }) {
    const arg = oneTensor('reshape', args);
    if (isProblem(arg)) return arg;
    const [before, after] = [elementCount(arg.shape), elementCount(shape)];
    if (!before.equals(after))
      return problem(
        'shape-mismatch',
        `reshape of ${shapeToString(arg.shape)} (${before} elements) to ${shapeToString(shape)} (${after} elements)`,
        [0],
      );
    return tensor(arg.dtype, shape);
  },
  derivative: {
    kind: 'rules',
    reach: { kind: 'moves' },
    vjp: (node, [cotangent], build) => [
      cotangent === undefined ? undefined : applyTensor(build, reshape, [cotangent], { shape: (node.args[0]?.type as TensorType).shape }),
    ],
    jvp: (node, [tangent], build) => [tangent === undefined ? undefined : applyTensor(build, reshape, [tangent], node.attrs)],
  },
  evaluate(args, { attrs, size }) {
    const arg = tensorAt(args, 0);
    let at = 0;
    return tabulate(arg.dtype, attrs.shape.map(size), () => get(arg, at++));
  },
  batched: ({ shape }, prefix) => ({ shape: [...prefix, ...shape] }),
  lowering: {
    kind: 'element',
    at: (node, index, arg) => arg(0, reshapeIndex((node.args[0]?.type as TensorType).shape, node.type.shape, index)),
    cost: 0,
  },
  keepsFinite: () => true,
  bounds: (_, of) => of(0),
  write(node, writer) {
    const arg = node.args[0] as Node;
    const { shape } = node.attrs;
    const { other: given } = writer.written(arg);
    if (given !== undefined && shapeEquals(given.shape, shape)) return written(given.expression, shape);
    const [value, from] = [writer.exact(arg), (arg.type as TensorType).shape];
    const isOf = (size: Dim): boolean => size.constant !== 1;
    // What repeats it may want the axes of size 1 that are gone.
    const other = shapeEquals(from.filter(isOf), shape.filter(isOf)) ? { other: { expression: value, shape: from } } : {};
    return { ...written(withOnes(value, from, shape, writer), shape), ...other };
  },
  samples: () => [
    { args: [{ dtype: 'f64', shape: [2, 3] }], attrs: { shape: [Dim.of(3), Dim.of(2)] } },
    { args: [{ dtype: 'f64', shape: [2, 3, 2] }], attrs: { shape: [Dim.of(2), Dim.of(1), Dim.of(6)] } },
    { args: [{ dtype: 'f64', shape: [1, 1] }], attrs: { shape: [] } },
    { args: [{ dtype: 'f64', shape: [0, 3] }], attrs: { shape: [Dim.of(3), Dim.of(0)] } },
    { args: [{ dtype: 'bool', shape: [4] }], attrs: { shape: [Dim.of(2), Dim.of(2)] } },
  ],
});
