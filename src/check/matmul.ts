// `a @ b`. In: two tensors. Out: their matrix product as NumPy's matmul has it: vectors get an axis for the time of the product, batch axes
// broadcast.

import type { Span } from '../../grammar/index.js';
import { Dim, type Shape } from '../base/index.js';
import { type TensorNode, typeToString } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import { broadcastTo, commonShape, operandText, sizeLabels, type Operand } from './broadcast.js';
import type { Context } from './context.js';
import { orderOf } from './fitting.js';
import { operandOf, productOf } from './precision.js';
import { fail } from './report.js';

/** [batch…, M, K] @ [batch…, K, N] → [batch…, M, N]; a vector loses its axis in the result. Undefined after a diagnostic. */
export function matrixProduct(context: Context, left: Operand, right: Operand, span: Span): TensorNode | undefined {
  const a = left.node.type.shape;
  const b = right.node.type.shape;
  for (const operand of [left, right]) {
    if (operand.node.type.shape.length > 0) continue;
    fail(
      context,
      'shape-mismatch',
      span,
      `\`@\` multiplies matrices, and ${operandText(context, operand, 'one side')} is ${typeToString(operand.node.type)}`,
      { labels: sizeLabels(operand, 0), hint: 'use `*` with a scalar' },
    );
    return undefined;
  }
  const inner = innerOf(a, 'left');
  const rows = innerOf(b, 'right');
  if (!inner.equals(rows)) {
    const x = operandText(context, left, 'the left side');
    const y = operandText(context, right, 'the right side');
    const columns = a.length === 1 ? 'length' : 'columns';
    const what = b.length === 1 ? 'length' : 'rows';
    fail(
      context,
      'shape-mismatch',
      span,
      `\`${operandText(context, { span }, '@')}\`: the ${columns} of ${x} (${inner}) and the ${what} of ${y} (${rows}) differ`,
      {
        labels: [...sizeLabels(left, a.length - 1), ...sizeLabels(right, b.length === 1 ? 0 : b.length - 2)],
        hint: productHint(left, right, x, y),
      },
    );
    return undefined;
  }
  const matrixA = a.length === 1 ? [Dim.one, inner] : a.slice(-2);
  const matrixB = b.length === 1 ? [inner, Dim.one] : b.slice(-2);
  const batch = commonShape(context, [left, right], span, 'the batch axes of `@`', [a.slice(0, -2), b.slice(0, -2)]);
  if (batch === undefined) return undefined;
  const raised = (operand: Operand, matrix: Shape): TensorNode | undefined => {
    const lifted =
      operand.node.type.shape.length === 1 ? applyTensor(context, ops.reshape, [operand.node], { shape: matrix }, span) : operand.node;
    const narrow = lifted === undefined ? undefined : operandOf(context, lifted, span);
    return narrow === undefined ? undefined : broadcastTo(context, narrow, [...batch, ...matrix], span);
  };
  const x = raised(left, matrixA);
  const y = raised(right, matrixB);
  if (x === undefined || y === undefined) return undefined;
  const product = productOf(context, applyTensor(context, ops.matmul, [x, y], {}, span), span);
  if (product === undefined || (a.length > 1 && b.length > 1)) return product;
  const shape = [...batch, ...(a.length === 1 ? [] : [matrixA[0] as Dim]), ...(b.length === 1 ? [] : [matrixB[1] as Dim])];
  return applyTensor(context, ops.reshape, [product], { shape }, span);
}

/** A hint for `x * w` that does not broadcast, when the matrix product would fit. */
export function productInstead(context: Context, [left, right]: readonly [Operand, Operand]): string | undefined {
  const [a, b] = [left.node.type.shape, right.node.type.shape];
  const [inner, rows] = [a.at(-1), b.length === 1 ? b[0] : b.at(-2)];
  if (inner === undefined || rows === undefined || !inner.equals(rows)) return undefined;
  return `\`*\` multiplies element by element; the matrix product is \`${operandText(context, left, 'x')} @ ${operandText(context, right, 'w')}\``;
}

/** The product that may have been meant; else the sizes with which this one is a product. */
function productHint(a: Operand, b: Operand, x: string, y: string): string {
  const [left, right] = [a.node.type.shape, b.node.type.shape];
  const [columns, rows] = [innerOf(left, 'left'), innerOf(right, 'right')];
  if (
    ops.isNodeOf(b.node, ops.transpose) &&
    right.length > 2 &&
    b.node.attrs.axes.every((from, axis) => from === right.length - 1 - axis)
  ) {
    const reversed = right.toReversed();
    if (columns.equals(reversed.at(-1) as Dim))
      return `\`transpose\` without \`axes\` reverses all axes: say \`axes: [${swappedAxes(right.length).join(', ')}]\``;
  }
  if (left.length === 1 && right.length === 1) return `the matrix of all products is \`outer(${x}, ${y})\``;
  if (right.length > 1 && left.length === 1 && columns.equals(right.at(-1) as Dim)) return `swap the sides: \`${y} @ ${x}\``;
  const order = left.length > 1 ? factorOrder(left, right) : undefined;
  if (order !== undefined) {
    const axes = order.length === 2 ? '' : `, axes: [${order.join(', ')}]`;
    return `transpose the right side: \`${x} @ transpose(${y}${axes})\``;
  }
  if (left.length > 1 && rows.equals(left.at(-2) as Dim))
    return right.length === 1 ? `swap the sides: \`${y} @ ${x}\`` : `transpose the left side: \`${transposed(x, left.length)} @ ${y}\``;
  if (left.length > 1 && right.length > 1 && (left.at(-2) as Dim).equals(right.at(-1) as Dim)) return `swap the sides: \`${y} @ ${x}\``;
  const fitting = (operand: Operand, size: Dim, axis: number): string =>
    typeToString({ ...operand.node.type, shape: operand.node.type.shape.with(axis, size) });
  return `it is one where \`${y}\` is ${fitting(b, columns, right.length === 1 ? 0 : right.length - 2)}, or \`${x}\` ${fitting(a, rows, left.length - 1)}`;
}

/** The order in which the axes of the right side are those of a factor: batches as on the left, what is summed over, and one more. */
function factorOrder(left: Shape, right: Shape): readonly number[] | undefined {
  const wanted = [...(right.length === left.length ? left.slice(0, -2) : right.slice(0, -2)), left.at(-1) as Dim];
  const rest = [...right];
  for (const size of wanted) {
    const at = rest.findIndex((one) => one.equals(size));
    if (at < 0) return undefined;
    rest.splice(at, 1);
  }
  return rest.length === 1 ? orderOf(right, [...wanted, rest[0] as Dim]) : undefined;
}

/** The size that a product sums over. */
const innerOf = (shape: Shape, side: 'left' | 'right'): Dim => (side === 'left' || shape.length === 1 ? shape.at(-1) : shape.at(-2)) as Dim;

/** The order of axes with the last two swapped. */
const swappedAxes = (rank: number): readonly number[] =>
  Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));

const transposed = (text: string, rank: number): string =>
  rank === 2 ? `transpose(${text})` : `transpose(${text}, axes: [${swappedAxes(rank).join(', ')}])`;
