// Where expressions stand in a body of index notation. In: a context, values. Out: what choices around them say; a diagnostic for a tensor
// where a scalar must stand.
// Holds: functions that a body calls are no part of its text, and may use tensors as they like.

import type { Span } from '../../../grammar/index.js';
import { type TensorNode, typeToString } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import { applyTensor } from '../apply-op.js';
import type { Context } from '../context.js';
import { excerpt, fail } from '../report.js';
import { bindingLabel, readAll, toTensor } from '../tensors.js';
import { describe, type Value } from '../values.js';
import { knowledgeOf } from './affine.js';

/** The context of a branch that is taken where the condition is `truth`; outside of bodies nothing changes. */
export function assuming(context: Context, condition: Value, truth: boolean, span: Span): Context {
  const { body } = context;
  if (body === undefined || condition.kind !== 'tensor' || condition.node.type.dtype !== 'bool' || condition.node.type.shape.length > 0)
    return context;
  const holds = truth ? condition.node : applyTensor(context, ops.elementwise.not, [condition.node], {}, span);
  const guard =
    body.guard === undefined || holds === undefined ? holds : applyTensor(context, ops.elementwise.and, [body.guard, holds], {}, span);
  return { ...context, body: { ...body, guard, known: [...body.known, ...knowledgeOf(condition.node, truth, body.space)] } };
}

/** Whether an expression stands in the text of a body, not in a function that the body calls. */
export const isBodyText = (context: Context): boolean => context.body !== undefined && context.body.frame === context.frame;

/** Refuses a tensor that stands in a body without subscripts. */
export function refuseWhole(context: Context, value: Value, span: Span): Value {
  if (!isBodyText(context) || context.body?.whole === true) return value;
  // What was made in the body cannot be computed before it.
  if (value.kind === 'tensor' && value.node.id >= (context.body?.space.mark ?? 0)) return value;
  const rank = value.kind === 'tensor' ? value.node.type.shape.length : value.kind === 'variable' ? value.variable.type.shape.length : 0;
  if (rank === 0) return value;
  const name = excerpt(context, span, 'x');
  const names = context.body?.space.indices.map((index) => index.name) ?? [];
  const shown = Array.from({ length: rank }, (_, axis) => names[axis] ?? '…').join(', ');
  const fresh = ['k', 'l', 'm', 'n', 'p', 'q'].filter((one) => !names.includes(one)).slice(0, rank);
  return fail(
    context,
    'shape-mismatch',
    span,
    `\`${name}\` is ${describe(value)}, and stands without subscripts where a scalar is expected`,
    {
      labels: bindingLabel(value),
      hint: `subscript every axis: \`${name}[${shown}]\`, or name what is computed of the whole tensor with \`let\` before; a function or an operator takes it as \`[${fresh.join(', ')}] => ${name}[${fresh.join(', ')}]\``,
    },
  );
}

/** A value as a scalar node; undefined after a diagnostic. */
export function scalarNode(
  context: Context,
  value: Value,
  span: Span,
  dtype: TensorNode['type']['dtype'] | undefined,
): TensorNode | undefined {
  const read = readAll(context, value, span);
  if (read.kind === 'error') return undefined;
  const wants = read.kind === 'number' || read.kind === 'size' || (read.kind === 'tensor' && read.again !== undefined) ? dtype : undefined;
  if (read.kind === 'tuple' || read.kind === 'record' || read.kind === 'list') {
    fail(context, 'type-mismatch', span, `a body of index notation is a scalar, and this is ${describe(read)}`, {
      hint: 'write one tensor for each',
    });
    return undefined;
  }
  const node = toTensor(context, read, span, wants);
  if (node === undefined || node.type.shape.length === 0) return node;
  fail(context, 'shape-mismatch', span, `a body of index notation is a scalar, and this is ${typeToString(node.type)}`, {
    labels: bindingLabel(read),
    hint:
      context.body?.space.inner.has(node) === true
        ? 'put all indices in front: `[i, j] => …`, or combine over the inner ones: `sum[j](…)`'
        : 'subscript every axis',
  });
  return undefined;
}
