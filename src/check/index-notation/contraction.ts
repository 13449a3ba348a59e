// Sums of products. In: factors over their indices, and the indices that are summed. Out: matrix products where two factors have indices of
// their own and share summed ones, and sums of what is left.
// Holds: pairs are taken so that what stands between stays small; an index that no factor has counts how often all is added.

import type { Dim } from '../../base/index.js';
import { elementCount } from '../../base/index.js';
import type { Node, TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import { operandOf, productOf } from '../precision.js';
import type { Lift, Lifted } from './lift.js';
import type { BodyIndex } from './space.js';

/** More factors than these are multiplied first. */
const mostFactors = 8;
/** A size that is not known counts as this one. */
const assumedSize = 64;

/** The factors of a product of scalars, in the order in which they stand. */
export function factorsOf(body: TensorNode, mark: number): readonly TensorNode[] {
  const factors: TensorNode[] = [];
  const waiting: Node[] = [body];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    const isProduct = node.id >= mark && ops.isNodeOf(node, ops.elementwise.mul);
    if (isProduct) waiting.push(node.args[1] as Node, node.args[0] as Node);
    else factors.push(node as TensorNode);
    if (factors.length + waiting.length > mostFactors) return [body];
  }
  return factors;
}

/** The sum over `summed` of the product of all factors. */
export function contract(lift: Lift, factors: readonly Lifted[], summed: readonly BodyIndex[]): Lifted {
  const left = [...factors];
  for (;;) {
    // What one factor alone has is summed in it.
    for (const [at, factor] of left.entries()) {
      const own = factor.axes.filter(
        (index) => summed.includes(index) && left.every((other) => other === factor || !other.axes.includes(index)),
      );
      if (own.length > 0 && left.length > 1) left[at] = lift.combined(ops.reduceSum, factor, own);
    }
    const [a, b, ...others] = left;
    if (b === undefined || others.length === 0) break;
    const pair = cheapestPair(lift, left, summed);
    const rest = left.filter((factor) => !pair.includes(factor));
    const over = summed.filter((index) => rest.every((other) => !other.axes.includes(index)));
    left.splice(
      0,
      left.length,
      ...rest,
      product(
        lift,
        pair[0],
        pair[1],
        over.filter((index) => isIn(index, pair[0]) || isIn(index, pair[1])),
      ),
    );
    if (a === undefined) break;
  }
  const [a, b] = left as [Lifted, Lifted?];
  const used = summed.filter((index) => left.some((factor) => isIn(index, factor)));
  const sum = b === undefined ? lift.combined(ops.reduceSum, a, used) : product(lift, a, b, used);
  const unused = summed.filter((index) => !factors.some((factor) => isIn(index, factor)));
  if (unused.length === 0) return sum;
  const times: Lifted = { node: ops.sizeAs(lift.build, elementCount(lift.shapeOf(unused)), sum.node.type.dtype), axes: [] };
  return lift.elementwise(ops.elementwise.mul, [sum, times]);
}

const isIn = (index: BodyIndex, factor: Lifted): boolean => factor.axes.includes(index);

/** The two factors whose product is smallest, compared with what it replaces. */
function cheapestPair(lift: Lift, factors: readonly Lifted[], summed: readonly BodyIndex[]): readonly [Lifted, Lifted] {
  const size = (axes: readonly BodyIndex[]): number =>
    axes.reduce((count, index) => count * (lift.sizeOf(index).constant ?? assumedSize), 1);
  let best: { readonly pair: readonly [Lifted, Lifted]; readonly growth: number } | undefined;
  for (const [at, a] of factors.entries()) {
    for (const b of factors.slice(at + 1)) {
      const rest = factors.filter((factor) => factor !== a && factor !== b);
      const kept = lift.union(a.axes, b.axes).filter((index) => !summed.includes(index) || rest.some((factor) => isIn(index, factor)));
      const growth = size(kept) - size(a.axes) - size(b.axes);
      if (best === undefined || growth < best.growth) best = { pair: [a, b], growth };
    }
  }
  return (best as NonNullable<typeof best>).pair;
}

/** The sum over `summed`, which both may have, of the product of two factors, in the precision of the place. */
function product(lift: Lift, a: Lifted, b: Lifted, summed: readonly BodyIndex[]): Lifted {
  if (lift.context.precision === undefined || summed.length === 0) return exactProduct(lift, a, b, summed);
  const { node, axes } = exactProduct(lift, narrowed(lift, a), narrowed(lift, b), summed);
  return { node: productOf(lift.context, node, lift.span) ?? node, axes };
}

/** An operand of a product. What is read through a view is rounded before, so that it stays one. */
function narrowed({ context, build, span }: Lift, { node, axes }: Lifted): Lifted {
  if (!ops.isNodeOf(node, ops.view)) return { node: operandOf(context, node, span) ?? node, axes };
  const base = node.args[0] as TensorNode;
  return { node: ops.applyTensor(build, ops.view, [operandOf(context, base, span) ?? base], node.attrs), axes };
}

function exactProduct(lift: Lift, a: Lifted, b: Lifted, summed: readonly BodyIndex[]): Lifted {
  const { build } = lift;
  const shared = a.axes.filter((index) => isIn(index, b));
  const batch = shared.filter((index) => !summed.includes(index));
  const inner = shared.filter((index) => summed.includes(index));
  const [rows, columns] = [a.axes.filter((index) => !isIn(index, b)), b.axes.filter((index) => !isIn(index, a))];
  if (inner.length === 0 || rows.length === 0 || columns.length === 0) {
    const all = lift.elementwise(ops.elementwise.mul, [a, b]);
    return summed.length === 0 ? all : lift.combined(ops.reduceSum, all, summed);
  }
  const windows = [a, b].findIndex(({ node }) => ops.isNodeOf(node, ops.view));
  if (windows >= 0) {
    const groups = { batch, inner, ...(windows === 0 ? { rows, columns } : { rows: columns, columns: rows }) };
    return windowed(lift, windows === 0 ? a : b, windows === 0 ? b : a, groups);
  }
  const sides = [arranged(lift, a, [batch, rows, inner]), arranged(lift, b, [batch, inner, columns])];
  const matrix = ops.applyTensor(build, ops.matmul, sides, {});
  return ordered(lift, matrix, [...batch, ...rows, ...columns]);
}

/** A product as a tensor over `axes`, which stand in groups in it, in the order of the space. */
function ordered(lift: Lift, matrix: TensorNode, axes: readonly BodyIndex[]): Lifted {
  const { build } = lift;
  const shape = lift.shapeOf(axes);
  const whole = matrix.type.shape.length === shape.length ? matrix : ops.applyTensor(build, ops.reshape, [matrix], { shape });
  const all = lift.union(axes);
  const order = all.map((index) => axes.indexOf(index));
  return {
    node: order.every((axis, at) => axis === at) ? whole : ops.applyTensor(build, ops.transpose, [whole], { axes: order }),
    axes: all,
  };
}

/** The same for a side that is read through a view, which the product reads without storing it. */
function windowed(
  lift: Lift,
  a: Lifted,
  b: Lifted,
  { batch, rows, inner, columns }: Readonly<Record<'batch' | 'rows' | 'inner' | 'columns', readonly BodyIndex[]>>,
): Lifted {
  const read = a.node as TensorNode<ops.ViewAttrs>;
  const order = [...batch, ...rows, ...inner].map((index) => a.axes.indexOf(index));
  const side = arranged(lift, b, [batch, inner, columns], [...batch, ...inner]);
  const product = ops.contraction(lift.build, ops.tensorOf(read.args[0] as Node), side, {
    ...read.attrs,
    shape: order.map((axis) => read.attrs.shape[axis] as Dim),
    coefficients: read.attrs.coefficients.map((row) => order.map((axis) => row[axis] as Dim)),
    batch: batch.length,
    rows: rows.length,
  });
  return ordered(lift, product, [...batch, ...rows, ...columns]);
}

/** The axes in this order, and each group of them as one, but for those of `single`. */
function arranged(
  lift: Lift,
  { node, axes }: Lifted,
  groups: readonly (readonly BodyIndex[])[],
  single: readonly BodyIndex[] = groups[0] ?? [],
): TensorNode {
  const order = groups.flat().map((index) => axes.indexOf(index));
  const turned = order.every((axis, at) => axis === at) ? node : ops.applyTensor(lift.build, ops.transpose, [node], { axes: order });
  const shape = groups.flatMap((group) =>
    group.every((index) => single.includes(index)) ? lift.shapeOf(group) : [elementCount(lift.shapeOf(group))],
  );
  return shape.length === axes.length ? turned : ops.applyTensor(lift.build, ops.reshape, [turned], { shape });
}
