// `precision bf16 { … }`. In: the operands of a product and the product itself. Out: both, rounded as the block around them says; what a
// block says. Holds: whoever makes a product goes through here; outside of such a block nothing changes.

import type { Identifier, Span } from '../../grammar/index.js';
import type { TensorNode } from '../graph/index.js';
import { isFloat, isNarrowFloat, type Precision } from '../base/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import type { Context } from './context.js';
import { fail } from './report.js';

const precisions = ['bf16', 'f16', 'tf32'] as const satisfies readonly Precision[];

/** Inside of `precision bf16`; `f32` ends it. */
export function withPrecision(context: Context, { text, span }: Identifier): Context {
  if (text === 'f32') return { ...context, precision: undefined };
  const precision = precisions.find((one) => one === text);
  if (precision !== undefined) return { ...context, precision };
  fail(context, 'dtype-mismatch', span, `products have the precision ${[...precisions, 'f32'].join(' or ')}, and this is \`${text}\``, {
    hint: 'e.g. `precision bf16 { … }`',
  });
  return context;
}

/** An operand of a product; undefined after a diagnostic. */
export const operandOf = (context: Context, node: TensorNode, span: Span): TensorNode | undefined =>
  rounded(context, ops.narrow, node, span);

/** The product of such operands; undefined after a diagnostic. */
export const productOf = (context: Context, node: TensorNode | undefined, span: Span): TensorNode | undefined =>
  node === undefined ? undefined : rounded(context, ops.widen, node, span);

function rounded(context: Context, op: typeof ops.narrow, node: TensorNode, span: Span): TensorNode | undefined {
  const { precision } = context;
  const { dtype } = node.type;
  // TF32 has all numbers of 16 bits.
  const holds = dtype === precision || (precision === 'tf32' && isNarrowFloat(dtype));
  return precision === undefined || !isFloat(dtype) || holds ? node : applyTensor(context, op, [node], { dtype: precision }, span);
}
