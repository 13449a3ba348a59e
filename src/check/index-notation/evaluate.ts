// Index notation: `[i, j] => e`, `sum[k](e)`, `x[i, k] ?? v`. In: syntax trees, the names in force. Out: tensors; scalars inside of a
// body.
// Holds: a body is evaluated once, as a scalar of its indices, so whatever takes scalars may stand in it; then it is lifted to whole
// tensors (see the note at the end).

import type { Expression, IndexExpression, IndexNotation, IndexVariable, ReductionExpression, Span } from '../../../grammar/index.js';
import { type DType, isInteger } from '../../base/index.js';
import type { TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import { applyTensor } from '../apply-op.js';
import type { Context } from '../context.js';
import { inAnyDType } from '../expressions/binary.js';
import { evaluate, evaluateBody } from '../expressions/evaluate.js';
import { isNatural } from '../../base/index.js';
import { excerpt, fail } from '../report.js';
import { rangeGoesUp } from '../rounds.js';
import { Scope } from '../scope.js';
import { ownDType, toTensor } from '../tensors.js';
import { expectedDType, expectTensor, type Expected } from '../types.js';
import { describe, dimOf, ERROR, integerHint, tensorValue, type Value } from '../values.js';
import { assuming, isBodyText, scalarNode } from './body.js';
import { Lift, reductionOps } from './lift.js';
import { rangesOf, rangeSoFar } from './ranges.js';
import { type BodyIndex, type IndexBounds, type IndexRange, IndexSpace, wholeTensors } from './space.js';

/** What every scalar of a body is expected to be. */
const scalarOf = (expected: Expected | undefined): Expected | undefined => {
  const dtype = expectedDType(expected);
  return dtype === undefined ? undefined : expectTensor(dtype, []);
};

export function evaluateIndexNotation(context: Context, expression: IndexNotation, scope: Scope, expected: Expected | undefined): Value {
  // In the text of a body it gives a tensor for each element, which becomes whole together with the body.
  const around = isBodyText(context) ? context.body : undefined;
  const space = around?.space ?? new IndexSpace(context);
  const inside = around === undefined ? bodyContext(context, space) : { ...context, body: { ...around, whole: false } };
  const inner = new Scope(scope);
  const indices = addIndices(inside, space, expression.indices, inner, 'a result');
  const value = evaluateBody(inside, expression.body, inner, scalarOf(expected), 'the body', expression.body.span);
  if (indices === undefined) return ERROR;
  const inDType = (dtype: DType | undefined): Value => {
    const wanted = ownDType(value) === undefined ? dtype : undefined;
    const body = scalarNode(inside, value, expression.body.span, wanted ?? expectedDType(expected));
    if (body === undefined) return ERROR;
    return around === undefined ? lifted(context, space, body, indices, expression.span) : innerValue(context, space, body, indices);
  };
  return inAnyDType(inDType, expected, value);
}

export function evaluateReduction(context: Context, expression: ReductionExpression, scope: Scope, expected: Expected | undefined): Value {
  const shadow = shadowed(context, expression, scope);
  if (shadow !== undefined) return evaluate(context, shadow, scope, expected);
  const place = context.body;
  const space = place?.space ?? new IndexSpace(context);
  const inside = place === undefined ? bodyContext(context, space) : { ...context, body: { ...place, frame: context.frame, whole: false } };
  const inner = new Scope(scope);
  const indices = addIndices(inside, space, expression.indices, inner, 'a reduction');
  const guarded = (indices ?? []).reduce(
    (around, { bounds }) => (bounds === undefined ? around : assuming(around, tensorValue(bounds.isInside), true, bounds.span)),
    inside,
  );
  const wanted = expression.reduction === 'any' || expression.reduction === 'all' ? expectTensor('bool', []) : scalarOf(expected);
  const value = evaluate(guarded, expression.element, inner, wanted);
  const body = indices === undefined ? undefined : scalarNode(guarded, value, expression.element.span, expectedDType(wanted));
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

function bodyContext(context: Context, space: IndexSpace): Context {
  return { ...context, assigns: false, body: { space, frame: context.frame, known: [], guard: undefined, whole: false } };
}

/** The indices as names of a scope, each of which those behind it may use; undefined after a diagnostic. */
function addIndices(
  context: Context,
  space: IndexSpace,
  variables: readonly IndexVariable[],
  inner: Scope,
  of: 'a result' | 'a reduction',
): readonly BodyIndex[] | undefined {
  const indices: BodyIndex[] = [];
  let fine = true;
  for (const { name, range } of variables) {
    const known = inner.own(name.text);
    if (known !== undefined) {
      fine = false;
      fail(context, 'duplicate-name', name.span, `there are two indices \`${name.text}\``, {
        labels: known.span === undefined ? [] : [{ span: known.span, text: 'the first one' }],
        hint: `one index may stand in several subscripts: \`[${name.text}] => m[${name.text}, ${name.text}]\``,
      });
      continue;
    }
    const placeholder = space.placeholder(context, 'i32');
    const found = range === null ? {} : rangeWritten(wholeTensors(context), range.start, range.stop, inner, of, placeholder);
    if (found === undefined) fine = false;
    const index = { name: name.text, span: name.span, placeholder, written: found?.written, bounds: found?.bounds };
    space.addIndex(index);
    indices.push(index);
    inner.addValue(name.text, 'parameter', tensorValue(index.placeholder), name.span);
  }
  return fine ? indices : undefined;
}

interface Written {
  readonly written?: IndexRange;
  readonly bounds?: IndexBounds;
}

/** Undefined after a diagnostic. */
function rangeWritten(
  context: Context,
  start: Expression,
  stop: Expression,
  scope: Scope,
  of: 'a result' | 'a reduction',
  index: TensorNode,
): Written | undefined {
  const bounds = [start, stop];
  const values = bounds.map((bound) => evaluate(context, bound, scope));
  if (values.some(({ kind }) => kind === 'error')) return undefined;
  const [from, to] = values.map(dimOf);
  if (from === undefined || to === undefined) {
    const depends = (value: Value): boolean =>
      value.kind === 'tensor' && value.node.type.dtype === 'i32' && value.node.type.shape.length === 0;
    const odd = values.findIndex((value) => dimOf(value) === undefined && (of === 'a result' || !depends(value)));
    if (odd < 0) return boundsWritten(context, values, bounds, index);
    const [value, bound] = [values[odd] as Value, bounds[odd] as Expression];
    fail(
      context,
      'not-constant',
      bound.span,
      of === 'a result'
        ? `the bounds of an axis are sizes, and \`${excerpt(context, bound.span, 'this')}\` is ${describe(value)}`
        : `the bounds of an index are sizes or i32 scalars, and \`${excerpt(context, bound.span, 'this')}\` is ${describe(value)}`,
      {
        hint:
          of === 'a result'
            ? 'let it run over all that may be needed, and choose: `[i, k] => if k <= i then x[k] else 0`'
            : (integerHint(value) ?? 'convert it: `i32(…)`'),
      },
    );
    return undefined;
  }
  const size = to.sub(from);
  if (size.constant !== undefined && size.constant < 0) {
    fail(context, 'unsatisfied-fact', stop.span, `an index runs from ${from} to ${to}, which is before`, { hint: rangeGoesUp });
    return undefined;
  }
  // Whether there are that many is asked of the caller.
  if (size.constant === undefined && !isNatural(size, context.entry.facts))
    context.entry.facts.push({ left: to, relation: '>=', right: from, span: stop.span });
  return { written: { start: from, stop: to } };
}

/** Bounds that are something else for each element. */
function boundsWritten(context: Context, values: readonly Value[], bounds: readonly Expression[], index: TensorNode): Written | undefined {
  const [first, last] = bounds as readonly [Expression, Expression];
  const span = { ...first.span, end: last.span.end };
  const [start, stop] = values.map((value, at) =>
    toTensor(
      context,
      dimOf(value) !== undefined && value.kind === 'number' ? { ...value, dtype: undefined } : value,
      (bounds[at] as Expression).span,
      'i32',
    ),
  );
  if (start === undefined || stop === undefined) return undefined;
  const above = applyTensor(context, ops.elementwise.ge, [index, start], {}, span);
  const below = applyTensor(context, ops.elementwise.lt, [index, stop], {}, span);
  const isInside =
    above === undefined || below === undefined ? undefined : applyTensor(context, ops.elementwise.and, [above, below], {}, span);
  return isInside === undefined ? undefined : { bounds: { start, stop, span, context, isInside } };
}

/** A tensor over `indices` for each element of the body around it. */
function innerValue(context: Context, space: IndexSpace, body: TensorNode, indices: readonly BodyIndex[]): Value {
  const ranges = indices.map((index) => rangeSoFar(context, space, index));
  if (!ranges.every((range) => range !== undefined)) return ERROR;
  const shape = ranges.map(({ start, stop }) => stop.sub(start));
  const placeholder = space.placeholder(context, body.type.dtype, shape);
  space.inner.set(placeholder, { placeholder, indices, body });
  return tensorValue(placeholder);
}

/** The body as a tensor over `indices`. */
function lifted(context: Context, space: IndexSpace, body: TensorNode, indices: readonly BodyIndex[], span: Span): Value {
  const ranges = rangesOf(context, space);
  if (ranges === undefined) return ERROR;
  const node = new Lift(context, space, ranges, span).tensor(body, indices);
  return node === undefined ? ERROR : tensorValue(node);
}

/* Note: from a body to whole tensors.
   [b, t in 0..T] => sum[k]((x[b, t + k] ?? 0) * w[k]) is evaluated like any expression, with scalars in the place of indices, elements and
   sums: the body is the scalar s₁, which stands for the sum over k of the product s₂ · s₃, which stand for x[b, t + k] and w[k]. So
   functions, choices, literals and their mistakes are those of scalars everywhere. Then ranges are found (ranges.ts), and each scalar
   becomes a tensor with an axis for every index that it depends on (lift.ts): t counts along an axis, s₂ is a view of x over [b, t, k]
   (reads.ts), s₁ a contraction or a reduction (contraction.ts). What depends on no index is computed once, as it stands. */
