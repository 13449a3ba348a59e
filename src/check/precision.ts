// `precision bf16 { … }`. In: the operands of a product and the product itself. Out: both, rounded as the block around them says.
// Holds: whoever makes a product goes through here; outside of such a block nothing changes.

import type { Span } from '../../grammar/index.js';
import type { TensorNode } from '../graph/index.js';
import { isFloat } from '../base/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import type { Context } from './context.js';

/** An operand of a product; undefined after a diagnostic. */
export const operandOf = (context: Context, node: TensorNode, span: Span): TensorNode | undefined =>
  rounded(context, ops.narrow, node, span);

/** The product of such operands; undefined after a diagnostic. */
export const productOf = (context: Context, node: TensorNode | undefined, span: Span): TensorNode | undefined =>
  node === undefined ? undefined : rounded(context, ops.widen, node, span);

function rounded(context: Context, op: typeof ops.narrow, node: TensorNode, span: Span): TensorNode | undefined {
  const { precision } = context;
  const { dtype } = node.type;
  return precision === undefined || !isFloat(dtype) || dtype === precision
    ? node
    : applyTensor(context, op, [node], { dtype: precision }, span);
}
