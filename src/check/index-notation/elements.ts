// Elements of tensors in a body of index notation: `x[i, k]`, `x[i, k] ?? v`. In: syntax trees, the names in force. Out: scalars that stand
// for elements.
// Holds: every axis of a tensor has one subscript. What stands for an element says nothing of where it is: see `reads.ts`.

import type { IndexExpression, OutsideExpression, Span } from '../../../grammar/index.js';
import { type Dim, isInteger } from '../../base/index.js';
import { type TensorNode, typeToString } from '../../graph/index.js';
import type { Context } from '../context.js';
import { evaluate } from '../expressions/evaluate.js';
import { excerpt, fail } from '../report.js';
import type { Scope } from '../scope.js';
import { bindingLabel, castTo, shapeOf, toTensor } from '../tensors.js';
import { expectedDType, expectTensor, type Expected } from '../types.js';
import { describe, dimOf, ERROR, tensorValue, type Value } from '../values.js';
import { tensorHint } from '../ways-out.js';
import { isBodyText, scalarNode } from './body.js';
import { type BodyPlace, type Subscript, wholeTensors } from './space.js';

export function evaluateOutside(context: Context, expression: OutsideExpression, scope: Scope, expected: Expected | undefined): Value {
  const { inside, outside, span } = expression;
  if (context.body === undefined) {
    evaluate(context, inside, scope);
    evaluate(context, outside, scope);
    return fail(context, 'syntax-error', span, '`??` stands in index notation only: it says what stands outside of a tensor', {
      hint: 'a border around a tensor: `[i in 0..N] => x[i - 1] ?? 0`',
    });
  }
  if (inside.kind !== 'index') {
    evaluate(context, outside, scope);
    const value = evaluate(context, inside, scope);
    if (value.kind === 'error') return ERROR;
    return fail(context, 'type-mismatch', inside.span, 'on the left of `??` stands one tensor with its subscripts', {
      hint: 'e.g. `x[i - 1] ?? 0`; `??` binds tighter than every operator',
    });
  }
  const object = evaluate(wholeTensors(context), inside.object, scope);
  if (object.kind !== 'tensor' && object.kind !== 'variable') {
    evaluate(context, outside, scope);
    if (object.kind === 'error') return ERROR;
    return fail(context, 'type-mismatch', inside.object.span, `on the left of \`??\` stands a tensor, and this is ${describe(object)}`, {
      hint: object.kind === 'list' ? 'make a tensor of it before: `tensor([…])`' : tensorHint(object),
    });
  }
  const node = toTensor(context, object, inside.object.span);
  const { dtype } = node?.type ?? { dtype: expectedDType(expected) };
  const border = scalarNode(context, evaluate(context, outside, scope, expectTensor(dtype, [])), outside.span, dtype);
  const fitting = border === undefined ? undefined : toTensor(context, tensorValue(border), outside.span, dtype);
  if (node === undefined || fitting === undefined) return ERROR;
  const element = evaluateElement(context, inside, object, node, scope, fitting);
  if (element !== undefined) return element;
  return fail(context, 'shape-mismatch', inside.span, 'on the left of `??` stands one element, whose subscripts are integers', {
    hint: 'write it in index notation: `[t] => x[ids[t]] ?? 0`',
  });
}

/** Whether subscripts are those of a body: every one is given, and none is a slice. */
export function isElement(context: Context, expression: IndexExpression, node: TensorNode): boolean {
  if (context.body === undefined) return false;
  if (isBodyText(context)) return !context.body.whole || isComplete(expression, node);
  return isComplete(expression, node);
}

const isComplete = (expression: IndexExpression, node: TensorNode): boolean =>
  expression.indices.length === node.type.shape.length &&
  expression.indices.every((index) => index.kind !== 'slice' && index.kind !== 'ellipsis');

/** An element of a tensor in a body; undefined where a function that the body calls asks for several elements at once. */
export function evaluateElement(
  context: Context,
  expression: IndexExpression,
  object: Value,
  node: TensorNode,
  scope: Scope,
  outside?: TensorNode,
): Value | undefined {
  const place = context.body as BodyPlace;
  const { shape } = node.type;
  const name = excerpt(context, expression.object.span, 'this');
  if (!isComplete(expression, node)) {
    const slice = expression.indices.find((index) => index.kind === 'slice' || index.kind === 'ellipsis');
    return fail(
      context,
      'shape-mismatch',
      slice?.span ?? expression.span,
      slice === undefined
        ? `\`${name}\` is ${typeToString(node.type)}, and has ${shape.length} ax${shape.length === 1 ? 'is' : 'es'} for ${expression.indices.length} subscript${expression.indices.length === 1 ? '' : 's'}`
        : 'a body of index notation is a scalar: a part of a tensor cannot stand in it',
      {
        labels: bindingLabel(object),
        hint: () => hiddenHint(context, expression, scope) ?? subscriptsHint(context, expression, name, shape.length),
      },
    );
  }
  const subscripts: Subscript[] = [];
  const inside = place.whole ? { ...context, body: { ...place, whole: false } } : context;
  for (const [axis, index] of expression.indices.entries()) {
    if (index.kind === 'slice' || index.kind === 'ellipsis') return ERROR;
    const value = evaluate(inside, index, scope);
    if (!isBodyText(context) && (shapeOf(value)?.length ?? 0) > 0) return undefined;
    const at = subscriptOf(inside, value, shape[axis] as Dim, index.span);
    if (at === undefined) return ERROR;
    subscripts.push({ at, span: index.span });
  }
  const elementOf = (tensor: TensorNode): TensorNode => {
    const placeholder = place.space.placeholder(context, tensor.type.dtype);
    place.space.reads.set(placeholder, {
      placeholder,
      tensor,
      object,
      objectSpan: expression.object.span,
      subscripts,
      outside,
      known: place.known,
      guard: place.guard,
      span: expression.span,
      context,
    });
    return placeholder;
  };
  const again = object.kind === 'tensor' && outside === undefined ? object.again : undefined;
  const element = tensorValue(elementOf(node));
  if (again === undefined || object.kind !== 'tensor') return element;
  return {
    ...element,
    isWhole: object.isWhole,
    again(dtype) {
      const tensor = again(dtype);
      return tensor === undefined ? undefined : elementOf(tensor);
    },
  };
}

/** For an index that has the name of the tensor that is meant. */
function hiddenHint({ body }: Context, { object }: IndexExpression, scope: Scope): string | undefined {
  if (object.kind !== 'name') return undefined;
  const value = scope.lookup(object.name)?.value();
  const isIndex = value?.kind === 'tensor' && body?.space.indexOf(value.node) !== undefined;
  return isIndex
    ? `\`${object.name}\` is an index here, and hides what has this name outside: call the index \`${object.name}2\``
    : undefined;
}

/** The element with a subscript for every axis: what is written, an index for each slice, and indices that are left. */
function subscriptsHint({ checker, body }: Context, { indices }: IndexExpression, name: string, rank: number): string {
  const isPart = indices.some((index) => index.kind === 'slice' || index.kind === 'ellipsis');
  const written = indices.map(({ kind, span }) =>
    kind === 'slice' || kind === 'ellipsis'
      ? undefined
      : (checker.modules.get(span.source)?.program.source.text.slice(span.start, span.end) ?? '…'),
  );
  const free = (body?.space.indices ?? []).map((index) => index.name).filter((one) => !written.includes(one));
  const fresh = ['k', 'l', 'm', 'n'].filter((one) => !written.includes(one));
  const subscripts = Array.from({ length: rank }, (_, axis) => written[axis] ?? (isPart ? fresh.shift() : free.shift()) ?? '…');
  const element = `${name}[${subscripts.join(', ')}]`;
  const rest = fresh.slice(0, rank - written.length);
  const whole = written.includes('…')
    ? ''
    : `; what is behind, for a function or an operator to take: \`[${rest.join(', ')}] => ${name}[${[...written, ...rest].join(', ')}]\``;
  return isPart
    ? `every axis has one subscript; combine over an index: \`sum[${subscripts.filter((one) => !written.includes(one)).join(', ')}](${element})\``
    : `in index notation every axis of a tensor has one subscript: \`${element}\`${indices.length < rank ? whole : ''}`;
}

function subscriptOf(context: Context, value: Value, size: Dim, span: Span): Dim | TensorNode | undefined {
  const dim = dimOf(value);
  if (dim !== undefined) return dim.constant !== undefined && dim.constant < 0 ? size.add(dim) : dim;
  const node = value.kind === 'error' ? undefined : toTensor(context, value, span);
  if (node === undefined) return undefined;
  if (node.type.shape.length > 0 || !isInteger(node.type.dtype)) {
    fail(
      context,
      node.type.shape.length > 0 ? 'shape-mismatch' : 'dtype-mismatch',
      span,
      `a subscript is one integer, and this is ${describe(value)}`,
      { labels: bindingLabel(value), hint: node.type.shape.length > 0 ? 'subscript it as well' : 'convert it: `i32(…)`' },
    );
    return undefined;
  }
  return castTo(context, node, node.type.dtype === 'i64' ? 'i64' : 'i32', span);
}
