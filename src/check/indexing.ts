// `x[i]`, `x[1:, ..., -1]`, `table[ids]`. In: a tensor or list and its indices. Out: slices, with axes dropped where one element is taken,
// and gathers.
// Holds: positions known when compiling are checked against the size; NumPy's meaning for negative positions and for slices beyond the end.

import type { Expression, Index, IndexExpression, SliceIndex, Span } from '../../grammar/index.js';
import { Dim, isInteger } from '../base/index.js';
import { typeToString, type TensorNode } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import type { Context } from './context.js';
import { evaluate } from './expressions/evaluate.js';
import { isNatural } from './facts.js';
import { evaluateElement, isElement } from './index-notation/elements.js';
import { wholeTensors } from './index-notation/space.js';
import { excerpt, fail } from './report.js';
import type { Scope } from './scope.js';
import { bindingLabel, castTo, toTensor } from './tensors.js';
import { describe, dimOf, ERROR, list, tensorValue, tuple, type Value } from './values.js';

interface Cut {
  readonly start: Dim;
  readonly stop: Dim;
  readonly step: number;
  /** One element: the axis goes. */
  readonly drop: boolean;
  /** Rows at run-time positions, taken after all cuts. */
  readonly ids: TensorNode | undefined;
}

export function evaluateIndex(context: Context, expression: IndexExpression, scope: Scope): Value {
  const object = evaluate(wholeTensors(context), expression.object, scope);
  if (object.kind === 'error') {
    for (const index of expression.indices) if (index.kind !== 'slice' && index.kind !== 'ellipsis') evaluate(context, index, scope);
    return ERROR;
  }
  if (object.kind === 'list' || object.kind === 'tuple') return indexItems(context, expression, object.kind, object.items, scope);
  if (object.kind !== 'tensor' && object.kind !== 'variable')
    return fail(
      context,
      'type-mismatch',
      expression.object.span,
      `\`${excerpt(context, expression.object.span, 'this')}\` is ${describe(object)}, and has no elements`,
    );
  const node = toTensor(context, object, expression.object.span);
  if (node === undefined) return ERROR;
  return isElement(context, expression, node)
    ? evaluateElement(context, expression, object, node, scope)
    : indexTensor(context, expression, object, node, scope);
}

function indexItems(context: Context, expression: IndexExpression, kind: 'list' | 'tuple', items: readonly Value[], scope: Scope): Value {
  const [index, more] = expression.indices;
  if (index === undefined) return ERROR;
  if (more !== undefined) return fail(context, 'shape-mismatch', expression.span, `a ${kind} has one index`);
  const whole = (part: Expression | null): number | undefined => {
    if (part === null) return undefined;
    const value = evaluate(context, part, scope);
    if (value.kind === 'number' && value.integer) return value.value;
    if (value.kind !== 'error')
      fail(
        context,
        'not-constant',
        part.span,
        `a ${kind} exists only while compiling: its index must be a known integer, and this is ${describe(value)}`,
      );
    return Number.NaN;
  };
  if (index.kind === 'ellipsis') return fail(context, 'type-mismatch', index.span, `\`...\` stands for axes, and this is a ${kind}`);
  if (index.kind === 'slice') {
    const [start, stop, step] = [whole(index.start), whole(index.stop), whole(index.step)];
    if ([start, stop, step].some(Number.isNaN)) return ERROR;
    if (step !== undefined && step !== 1) return fail(context, 'unsupported-feature', index.span, `a ${kind} is sliced without a step`);
    return (kind === 'list' ? list : tuple)(items.slice(start ?? 0, stop ?? items.length));
  }
  const at = whole(index);
  if (at === undefined || Number.isNaN(at)) return ERROR;
  return items.at(at) ?? fail(context, 'invalid-value', index.span, `there is no element ${at} in a ${kind} of ${items.length}`);
}

function indexTensor(context: Context, expression: IndexExpression, object: Value, node: TensorNode, scope: Scope): Value {
  const { shape } = node.type;
  const given = expression.indices.filter((index) => index.kind !== 'ellipsis').length;
  const ellipses = expression.indices.length - given;
  if (ellipses > 1) return fail(context, 'syntax-error', expression.span, '`...` may stand once among the indices');
  if (given > shape.length) {
    return fail(
      context,
      'shape-mismatch',
      expression.span,
      `${excerpt(context, expression.object.span, 'this')} is ${typeToString(node.type)}, and has ${shape.length} ax${shape.length === 1 ? 'is' : 'es'} for ${given} indices`,
      { labels: bindingLabel(object) },
    );
  }
  const indices: (Index | undefined)[] = [];
  for (const index of expression.indices) {
    if (index.kind === 'ellipsis') indices.push(...Array.from({ length: shape.length - given }, () => undefined));
    else indices.push(index);
  }
  while (indices.length < shape.length) indices.push(undefined);
  const cuts: Cut[] = [];
  for (const [axis, index] of indices.entries()) {
    const size = shape[axis] as Dim;
    const cut =
      index === undefined || index.kind === 'ellipsis'
        ? whole(size)
        : index.kind === 'slice'
          ? sliceCut(context, index, size, scope)
          : positionCut(context, index, size, scope);
    if (cut === undefined) return ERROR;
    cuts.push(cut);
  }
  return take(context, node, cuts, expression.span);
}

const whole = (size: Dim): Cut => ({ start: Dim.zero, stop: size, step: 1, drop: false, ids: undefined });

/** One position, or run-time positions. */
function positionCut(context: Context, index: Expression, size: Dim, scope: Scope): Cut | undefined {
  const value = evaluate(context, index, scope);
  if (value.kind === 'error') return undefined;
  const dim = dimOf(value);
  if (dim === undefined) {
    const ids = toTensor(context, value, index.span);
    if (ids === undefined) return undefined;
    if (ids.type.dtype === 'bool') {
      fail(context, 'unsupported-feature', index.span, 'a mask cannot select elements: how many there are is known only at run time', {
        hint: 'use `where(mask, x, 0)`',
      });
      return undefined;
    }
    if (!isInteger(ids.type.dtype)) {
      fail(context, 'dtype-mismatch', index.span, `an index is an integer, and this is ${describe(value)}`, {
        labels: bindingLabel(value),
        hint: 'convert it: `i32(…)`',
      });
      return undefined;
    }
    const narrow = castTo(context, ids, 'i32', index.span);
    return narrow === undefined ? undefined : { ...whole(size), ids: narrow };
  }
  const negative = dim.constant !== undefined && dim.constant < 0;
  const at = negative ? size.add(dim) : dim;
  if (isNatural(at, context.entry.facts) && isNatural(size.sub(at).sub(1), context.entry.facts))
    return { start: at, stop: at.add(1), step: 1, drop: true, ids: undefined };
  const room = size.sub(at).sub(1).constant;
  if ((at.constant !== undefined && at.constant < 0) || (room !== undefined && room < 0)) {
    fail(context, 'invalid-value', index.span, `there is no element ${dim} in an axis of size ${size}`);
    return undefined;
  }
  failBeyond(
    context,
    index.span,
    `whether an axis of size ${size} has an element ${dim} is not known`,
    negative ? `${size} >= ${-(dim.constant ?? 0)}` : `${size} > ${dim}`,
  );
  return undefined;
}

function failBeyond(context: Context, span: Span, message: string, fact: string): void {
  fail(context, 'ambiguous-size', span, message, { hint: `declare it behind the result type: \`where ${fact}\`` });
}

function sliceCut(context: Context, index: SliceIndex, size: Dim, scope: Scope): Cut | undefined {
  const step = bound(context, index.step, scope);
  if (step === 'error') return undefined;
  const stride = step === undefined ? 1 : step.constant;
  if (stride === undefined || stride === 0) {
    fail(
      context,
      stride === 0 ? 'invalid-value' : 'not-constant',
      index.step?.span ?? index.span,
      stride === 0 ? 'the step of a slice is not 0' : 'the step of a slice must be a known integer',
    );
    return undefined;
  }
  const start = bound(context, index.start, scope);
  const stop = bound(context, index.stop, scope);
  if (start === 'error' || stop === 'error') return undefined;
  const forward = stride > 0;
  const low = start === undefined ? (forward ? Dim.zero : size.sub(1)) : clamp(start, size, forward);
  const high = stop === undefined ? (forward ? size : Dim.of(-1)) : clamp(stop, size, forward);
  const { facts } = context.entry;
  const inside = forward
    ? isNatural(low, facts) && isNatural(size.sub(high), facts)
    : isNatural(high.add(1), facts) && isNatural(size.sub(low).sub(1), facts);
  const length = forward ? high.sub(low) : low.sub(high);
  if (length.constant !== undefined && length.constant <= 0)
    return { start: Dim.zero, stop: Dim.zero, step: 1, drop: false, ids: undefined };
  if (inside && isNatural(length, facts)) return { start: low, stop: high, step: stride, drop: false, ids: undefined };
  const fact = !isNatural(length, facts)
    ? forward
      ? `${high} >= ${low}`
      : `${low} >= ${high}`
    : forward
      ? `${size} >= ${isNatural(low, facts) ? high : size.sub(low)}`
      : `${size} > ${low}`;
  failBeyond(
    context,
    index.span,
    `whether the slice \`${excerpt(context, index.span, '…')}\` lies inside an axis of size ${size} is not known`,
    fact,
  );
  return undefined;
}

/** A bound as it is written; `error` after a diagnostic. */
function bound(context: Context, part: Expression | null, scope: Scope): Dim | undefined | 'error' {
  if (part === null) return undefined;
  const value = evaluate(context, part, scope);
  if (value.kind === 'error') return 'error';
  const dim = dimOf(value);
  if (dim !== undefined) return dim;
  fail(context, 'not-constant', part.span, `the bounds of a slice are sizes, and this is ${describe(value)}`, {
    labels: bindingLabel(value),
    hint: 'rows at run-time positions: `x[i32 positions]`',
  });
  return 'error';
}

/** NumPy: negative bounds count from the end, and bounds beyond the ends are moved to them. */
function clamp(written: Dim, size: Dim, forward: boolean): Dim {
  const at = written.constant !== undefined && written.constant < 0 ? size.add(written) : written;
  if (at.constant === undefined || size.constant === undefined) return at;
  return forward
    ? Dim.of(Math.min(Math.max(at.constant, 0), size.constant))
    : Dim.of(Math.min(Math.max(at.constant, -1), size.constant - 1));
}

/** Applies the cuts: one slice, one reshape, and a gather if there are run-time positions. */
function take(context: Context, node: TensorNode, cuts: readonly Cut[], span: Span): Value {
  const { shape } = node.type;
  const trivial = cuts.every((cut, axis) => cut.step === 1 && cut.start.constant === 0 && cut.stop.equals(shape[axis] as Dim));
  const part = trivial
    ? node
    : applyTensor(
        context,
        ops.slice,
        [node],
        { starts: cuts.map((cut) => cut.start), stops: cuts.map((cut) => cut.stop), steps: cuts.map((cut) => cut.step) },
        span,
      );
  if (part === undefined) return ERROR;
  const kept = cuts.filter((cut) => !cut.drop);
  const sizes = part.type.shape.filter((_, axis) => cuts[axis]?.drop === false);
  const dropped = kept.length === cuts.length ? part : applyTensor(context, ops.reshape, [part], { shape: sizes }, span);
  if (dropped === undefined) return ERROR;
  const axes = kept.flatMap((cut, axis) => (cut.ids === undefined ? [] : [axis]));
  const [axis, second] = axes;
  if (axis === undefined) return tensorValue(dropped);
  if (second !== undefined)
    return fail(context, 'unsupported-feature', span, 'two axes cannot be indexed by tensors at once', {
      hint: 'index one after the other: `x[rows][:, columns]`',
    });
  const gathered = takeRows(context, dropped, kept[axis]?.ids as TensorNode, axis, span);
  return gathered === undefined ? ERROR : tensorValue(gathered);
}

/** The slices at `ids` along one axis; the axes of `ids` stand in its place. */
export function takeRows(context: Context, table: TensorNode, ids: TensorNode, axis: number, span: Span): TensorNode | undefined {
  const rank = table.type.shape.length;
  const front =
    axis === 0
      ? table
      : applyTensor(
          context,
          ops.transpose,
          [table],
          { axes: [axis, ...Array.from({ length: rank }, (_, at) => at).filter((at) => at !== axis)] },
          span,
        );
  const rows = front === undefined ? undefined : applyTensor(context, ops.gather, [front, ids], {}, span);
  if (rows === undefined || axis === 0) return rows;
  const width = ids.type.shape.length;
  const axes = [
    ...Array.from({ length: axis }, (_, at) => width + at),
    ...Array.from({ length: width }, (_, at) => at),
    ...Array.from({ length: rank - 1 - axis }, (_, at) => width + axis + at),
  ];
  return applyTensor(context, ops.transpose, [rows], { axes }, span);
}
