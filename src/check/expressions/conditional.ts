// `if c then a else b`. In: a condition and two branches. Out: the branch, when the condition is known; else both are computed and one is
// selected.
// Holds: a branch that is not taken at compile time is not evaluated at all, so its sizes need not fit.

import type { IfExpression, Span } from '../../../grammar/index.js';
import { typeToString, type TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import { applyTensor } from '../apply-op.js';
import { broadcastTo, commonShape } from '../broadcast.js';
import type { Context } from '../context.js';
import { countable } from '../growth.js';
import { assuming } from '../index-notation/body.js';
import { fail } from '../report.js';
import type { Scope } from '../scope.js';
import { agree, toTensor } from '../tensors.js';
import { expectedDType, type Expected } from '../types.js';
import { describe, ERROR, list, record, tensorValue, tuple, type Value } from '../values.js';
import { evaluate } from './evaluate.js';

export function evaluateIf(context: Context, expression: IfExpression, scope: Scope, expected: Expected | undefined): Value {
  const condition = evaluate(context, expression.condition, scope);
  if (condition.kind === 'error') {
    evaluate(context, expression.whenTrue, scope, expected);
    evaluate(context, expression.whenFalse, scope, expected);
    return ERROR;
  }
  if (condition.kind === 'boolean') return evaluate(context, condition.value ? expression.whenTrue : expression.whenFalse, scope, expected);
  const node = toTensor(context, condition, expression.condition.span, 'bool');
  if (node !== undefined && node.type.shape.length > 0) {
    fail(
      context,
      'shape-mismatch',
      expression.condition.span,
      `the condition of \`if\` is one bool, and this is ${typeToString(node.type)}`,
      { hint: 'choose per element: `where(mask, a, b)`' },
    );
    return ERROR;
  }
  const { span } = expression.condition;
  const whenTrue = evaluate(assuming(context, condition, true, span), expression.whenTrue, scope, expected);
  const whenFalse = evaluate(assuming(context, condition, false, span), expression.whenFalse, scope, expected);
  if (node === undefined || !countable(context, whenTrue, expression.whenTrue.span, 'this branch')) return ERROR;
  return selectValues(
    context,
    node,
    { value: whenTrue, span: expression.whenTrue.span },
    { value: whenFalse, span: expression.whenFalse.span },
    expression.span,
    expected,
  );
}

interface Branch {
  readonly value: Value;
  readonly span: Span;
}

/** The chosen branch, leaf by leaf for tuples and records. */
function selectValues(context: Context, condition: TensorNode, a: Branch, b: Branch, span: Span, expected: Expected | undefined): Value {
  if (a.value.kind === 'error' || b.value.kind === 'error') return ERROR;
  if ((a.value.kind === 'tuple' && b.value.kind === 'tuple') || (a.value.kind === 'list' && b.value.kind === 'list')) {
    const others = b.value.items;
    if (others.length !== a.value.items.length)
      return fail(context, 'type-mismatch', span, `the branches of \`if\` are ${describe(a.value)} and ${describe(b.value)}`);
    const items = a.value.items.map((item, at) =>
      selectValues(context, condition, { value: item, span: a.span }, { value: others[at] ?? ERROR, span: b.span }, span, undefined),
    );
    return a.value.kind === 'tuple' ? tuple(items) : list(items);
  }
  if (a.value.kind === 'record' && b.value.kind === 'record') {
    const others = b.value.fields;
    if (others.size !== a.value.fields.size || [...a.value.fields.keys()].some((name) => !others.has(name)))
      return fail(context, 'type-mismatch', span, `the branches of \`if\` are ${describe(a.value)} and ${describe(b.value)}`);
    return record(
      [...a.value.fields].map(
        ([name, field]) =>
          [
            name,
            selectValues(
              context,
              condition,
              { value: field, span: a.span },
              { value: others.get(name) ?? ERROR, span: b.span },
              span,
              undefined,
            ),
          ] as const,
      ),
    );
  }
  return selectTensors(context, { node: condition, value: tensorValue(condition), span }, a, b, span, expected, 'the branches of `if`');
}

/** `select` with NumPy's broadcasting of all three. */
export function selectTensors(
  context: Context,
  condition: { node: TensorNode; value: Value; span: Span },
  a: Branch,
  b: Branch,
  span: Span,
  expected: Expected | undefined,
  what: string,
): Value {
  const nodes = agree(context, [a, b], expectedDType(expected), span, what);
  const [x, y] = nodes ?? [];
  if (x === undefined || y === undefined) return ERROR;
  const operands = [condition, { node: x, ...a }, { node: y, ...b }];
  const shape = commonShape(context, operands, span, what);
  if (shape === undefined) return ERROR;
  const wide = operands.map((operand) => broadcastTo(context, operand.node, shape, span));
  const [c, t, f] = wide;
  if (c === undefined || t === undefined || f === undefined) return ERROR;
  const node = applyTensor(context, ops.elementwise.select, [c, t, f], {}, span);
  return node === undefined ? ERROR : tensorValue(node);
}
