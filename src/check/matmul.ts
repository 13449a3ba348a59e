// `a @ b`. In: two tensors. Out: their matrix product as NumPy's matmul has it: vectors get an axis for the time of the product, batch axes
// broadcast.

import type { Span } from '../../grammar/index.js';
import { Dim, type Shape } from '../base/index.js';
import { type TensorNode, typeToString } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import { broadcastTo, commonShape, operandText, sizeLabels, type Operand } from './broadcast.js';
import type { Context } from './context.js';
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
  const inner = a[a.length - 1] as Dim;
  const rows = b.length === 1 ? (b[0] as Dim) : (b[b.length - 2] as Dim);
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
        hint: productHint(a, b, x, y),
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

function productHint(a: Shape, b: Shape, x: string, y: string): string | undefined {
  if (a.length === 2 && b.length === 2) {
    if ((a[1] as Dim).equals(b[1] as Dim)) return `transpose the right side: \`${x} @ transpose(${y})\``;
    if ((a[0] as Dim).equals(b[0] as Dim)) return `transpose the left side: \`transpose(${x}) @ ${y}\``;
    if ((a[0] as Dim).equals(b[1] as Dim)) return `swap the sides: \`${y} @ ${x}\``;
  }
  return undefined;
}
