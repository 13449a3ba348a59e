// Index notation: `[i, j] => e`, `sum[k](e)`, `x[i, k] ?? v`. In: syntax trees, the names in force. Out: tensors; scalars, inside of a body.
// Holds: a body is evaluated once, as a scalar of its indices, so whatever takes scalars may stand in it; then it is lifted to whole tensors.

import type {
  Expression,
  IndexExpression,
  IndexNotation,
  IndexVariable,
  OutsideExpression,
  ReductionExpression,
  ReductionName,
  Span,
} from '../../../grammar/index.js';
import { Dim, isInteger } from '../../base/index.js';
import { type TensorNode, typeToString } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import { applyTensor } from '../apply-op.js';
import type { Context } from '../context.js';
import { evaluate, evaluateBody } from '../expressions/evaluate.js';
import { isNatural } from '../facts.js';
import { excerpt, fail } from '../report.js';
import { Scope } from '../scope.js';
import { bindingLabel, castTo, readAll, toTensor } from '../tensors.js';
import { expectedDType, expectTensor, type Expected } from '../types.js';
import { describe, dimOf, ERROR, tensorValue, type Value } from '../values.js';
import { knowledgeOf } from './affine.js';
import { Lift } from './lift.js';
import { rangesOf } from './ranges.js';
import { type BodyIndex, type BodyPlace, type IndexRange, IndexSpace, type Subscript, wholeTensors } from './space.js';

const reductionOps = {
  sum: ops.reduceSum,
  mean: ops.reduceSum,
  product: ops.reduceProduct,
  max: ops.reduceMax,
  min: ops.reduceMin,
  any: ops.reduceAny,
  all: ops.reduceAll,
} as const satisfies Record<ReductionName, ops.Op<ops.ReduceAttrs>>;

/** What every scalar of a body is expected to be. */
const scalarOf = (expected: Expected | undefined): Expected | undefined => {
  const dtype = expectedDType(expected);
  return dtype === undefined ? undefined : expectTensor(dtype, []);
};

export function evaluateIndexNotation(context: Context, expression: IndexNotation, scope: Scope, expected: Expected | undefined): Value {
  if (isBodyText(context) && context.body?.whole !== true)
    return fail(context, 'shape-mismatch', expression.span, 'a tensor stands where index notation has a scalar', {
      hint: 'put all indices in front: `[i, j] => …`, or combine over the inner ones: `sum[j](…)`',
    });
  const space = new IndexSpace(context);
  const inside = bodyContext(context, space);
  const inner = new Scope(scope);
  const indices = addIndices(context, space, expression.indices, scope, inner);
  const value = evaluateBody(inside, expression.body, inner, scalarOf(expected), 'the body', expression.body.span);
  const body = indices === undefined ? undefined : scalarNode(inside, value, expression.body.span, expectedDType(expected));
  return body === undefined || indices === undefined ? ERROR : lifted(context, space, body, indices, expression.span);
}

export function evaluateReduction(context: Context, expression: ReductionExpression, scope: Scope, expected: Expected | undefined): Value {
  const shadow = shadowed(context, expression, scope);
  if (shadow !== undefined) return evaluate(context, shadow, scope, expected);
  const place = context.body;
  const space = place?.space ?? new IndexSpace(context);
  const inside = place === undefined ? bodyContext(context, space) : { ...context, body: { ...place, frame: context.frame, whole: false } };
  const inner = new Scope(scope);
  const indices = addIndices(context, space, expression.indices, scope, inner);
  const wanted = expression.reduction === 'any' || expression.reduction === 'all' ? expectTensor('bool', []) : scalarOf(expected);
  const value = evaluate(inside, expression.element, inner, wanted);
  const body = indices === undefined ? undefined : scalarNode(inside, value, expression.element.span, expectedDType(wanted));
  if (indices === undefined || body === undefined) return ERROR;
  const { reduction: how } = expression;
  const { dtype } = body.type;
  // The op itself says which dtypes it takes.
  if (applyTensor(context, reductionOps[how], [body], { axes: [] }, expression.span) === undefined) return ERROR;
  if (how === 'mean' && isInteger(dtype))
    return fail(context, 'dtype-mismatch', expression.element.span, `\`mean\` takes floats, and this is ${dtype}`, {
      hint: 'convert it: `f32(…)`',
    });
  const placeholder = space.placeholder(context, dtype);
  space.reductions.set(placeholder, { placeholder, how, indices, body });
  return place === undefined ? lifted(context, space, placeholder, [], expression.span) : tensorValue(placeholder);
}

/** What a reduction's text means where a local has its name: a call of what it indexes. */
function shadowed(context: Context, expression: ReductionExpression, scope: Scope): Expression | undefined {
  const binding = scope.lookup(expression.reduction);
  const isBuiltin = binding?.span === undefined || context.checker.modules.get(binding.span.source)?.std === true;
  if (isBuiltin || expression.indices.some(({ range }) => range !== null)) return undefined;
  const { nameSpan, span } = expression;
  const callee: IndexExpression = {
    kind: 'index',
    object: { kind: 'name', name: expression.reduction, span: nameSpan },
    indices: expression.indices.map(({ name }) => ({ kind: 'name', name: name.text, span: name.span })),
    span: { ...nameSpan, end: expression.indices.at(-1)?.span.end ?? nameSpan.end },
  };
  const { element } = expression;
  return { kind: 'call', callee, generics: null, arguments: [{ kind: 'argument', name: null, value: element, span: element.span }], span };
}

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
    return fail(context, 'type-mismatch', inside.object.span, `on the left of \`??\` stands a tensor, and this is ${describe(object)}`);
  }
  const node = toTensor(context, object, inside.object.span);
  const { dtype } = node?.type ?? { dtype: expectedDType(expected) };
  const border = scalarNode(context, evaluate(context, outside, scope, expectTensor(dtype, [])), outside.span, dtype);
  const fitting = border === undefined ? undefined : toTensor(context, tensorValue(border), outside.span, dtype);
  return node === undefined || fitting === undefined ? ERROR : evaluateElement(context, inside, object, node, scope, fitting);
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

/** An element of a tensor in a body. */
export function evaluateElement(
  context: Context,
  expression: IndexExpression,
  object: Value,
  node: TensorNode,
  scope: Scope,
  outside?: TensorNode,
): Value {
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
      { labels: bindingLabel(object), hint: 'in index notation every axis of a tensor has one subscript' },
    );
  }
  const subscripts: Subscript[] = [];
  const inside = place.whole ? { ...context, body: { ...place, whole: false } } : context;
  for (const [axis, index] of expression.indices.entries()) {
    if (index.kind === 'slice' || index.kind === 'ellipsis') return ERROR;
    const at = subscriptOf(inside, evaluate(inside, index, scope), shape[axis] as Dim, index.span);
    if (at === undefined) return ERROR;
    subscripts.push({ at, span: index.span });
  }
  const placeholder = place.space.placeholder(context, node.type.dtype);
  place.space.reads.set(placeholder, {
    placeholder,
    tensor: node,
    object,
    objectSpan: expression.object.span,
    subscripts,
    outside,
    known: place.known,
    guard: place.guard,
    span: expression.span,
    context,
  });
  return tensorValue(placeholder);
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
  const rank = value.kind === 'tensor' ? value.node.type.shape.length : value.kind === 'variable' ? value.variable.type.shape.length : 0;
  if (rank === 0) return value;
  const name = excerpt(context, span, 'x');
  const names = context.body?.space.indices.map((index) => index.name) ?? [];
  const shown = Array.from({ length: rank }, (_, axis) => names[axis] ?? '…').join(', ');
  return fail(
    context,
    'shape-mismatch',
    span,
    `\`${name}\` is ${describe(value)}, and stands without subscripts where a scalar is expected`,
    {
      labels: bindingLabel(value),
      hint: `subscript every axis: \`${name}[${shown}]\`, or name what is computed of the whole tensor with \`let\` before`,
    },
  );
}

function bodyContext(context: Context, space: IndexSpace): Context {
  return { ...context, assigns: false, body: { space, frame: context.frame, known: [], guard: undefined, whole: false } };
}

/** The indices as names of a scope; undefined after a diagnostic. */
function addIndices(
  context: Context,
  space: IndexSpace,
  variables: readonly IndexVariable[],
  scope: Scope,
  inner: Scope,
): readonly BodyIndex[] | undefined {
  const indices: BodyIndex[] = [];
  let fine = true;
  for (const { name, range } of variables) {
    const known = inner.own(name.text);
    if (known !== undefined) {
      fine = false;
      fail(context, 'duplicate-name', name.span, `there are two indices \`${name.text}\``, {
        labels: known.span === undefined ? [] : [{ span: known.span, text: 'the first one' }],
      });
      continue;
    }
    const written = range === null ? undefined : rangeWritten(wholeTensors(context), range.start, range.stop, scope);
    if (range !== null && written === undefined) fine = false;
    const index = { name: name.text, span: name.span, placeholder: space.placeholder(context, 'i32'), written };
    space.addIndex(index);
    indices.push(index);
    inner.addValue(name.text, 'parameter', tensorValue(index.placeholder), name.span);
  }
  return fine ? indices : undefined;
}

function rangeWritten(context: Context, start: Expression, stop: Expression, scope: Scope): IndexRange | undefined {
  const [from, to] = [start, stop].map((bound) => {
    const value = evaluate(context, bound, scope);
    const dim = dimOf(value);
    if (dim === undefined && value.kind !== 'error')
      fail(
        context,
        'not-constant',
        bound.span,
        `the bounds of an index are sizes, and \`${excerpt(context, bound.span, 'this')}\` is ${describe(value)}`,
        { hint: 'let it run over all that may be needed, and choose: `sum[k](if k <= i then x[k] else 0)`' },
      );
    return dim;
  });
  if (from === undefined || to === undefined) return undefined;
  const size = to.sub(from);
  if (size.constant !== undefined && size.constant < 0) {
    fail(context, 'unsatisfied-fact', stop.span, `an index runs from ${from} to ${to}, which is before`);
    return undefined;
  }
  // Whether there are that many is asked of the caller.
  if (size.constant === undefined && !isNatural(size, context.entry.facts))
    context.entry.facts.push({ left: to, relation: '>=', right: from, span: stop.span });
  return { start: from, stop: to };
}

/** A value as a scalar node; undefined after a diagnostic. */
function scalarNode(context: Context, value: Value, span: Span, dtype: TensorNode['type']['dtype'] | undefined): TensorNode | undefined {
  const read = readAll(context, value, span);
  if (read.kind === 'error') return undefined;
  const wants = read.kind === 'number' || read.kind === 'size' ? dtype : undefined;
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
    hint: 'subscript every axis',
  });
  return undefined;
}

/** The body as a tensor over `indices`. */
function lifted(context: Context, space: IndexSpace, body: TensorNode, indices: readonly BodyIndex[], span: Span): Value {
  const ranges = rangesOf(context, space);
  if (ranges === undefined) return ERROR;
  const node = new Lift(context, space, ranges, span).tensor(body, indices);
  return node === undefined ? ERROR : tensorValue(node);
}
