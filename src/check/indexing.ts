// `x[i]`, `x[1:, ..., -1]`, `table[ids]`. In: a tensor or list and its indices. Out: slices, with axes dropped where one element is taken,
// and gathers.
// Holds: positions known when compiling are checked against the size; NumPy's meaning for negative positions and for slices beyond the end.

import type { Expression, Index, IndexExpression, SliceIndex, Span } from '../../grammar/index.js';
import { Dim, type DiagnosticCode, isInteger, type Label } from '../base/index.js';
import { type TensorNode, type TensorType, typeToString } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import { sizeLabels } from './broadcast.js';
import { checkedIndex } from './checked-index.js';
import type { Context } from './context.js';
import { inAnyDType } from './expressions/binary.js';
import { evaluate } from './expressions/evaluate.js';
import { evaluateElement, isElement } from './index-notation/elements.js';
import { wholeTensors } from './index-notation/space.js';
import { isNothing } from './known-names.js';
import { distance, takeAt } from './picks.js';
import { isNewAxis, type Widened, withNewAxes } from './new-axes.js';
import { presumeNatural } from './preconditions.js';
import { excerpt, fail } from './report.js';
import type { Scope } from './scope.js';
import { bindingLabel, ownDType, shapeOf, toTensor } from './tensors.js';
import { lastItem } from './sizes.js';
import type { Expected } from './types.js';
import { describe, dimOf, ERROR, integerHint, list, tensorValue, tuple, type Value } from './values.js';
import { elementHint, itemHint } from './ways-out.js';

/** What is taken of an axis. */
export interface Cut {
  readonly start: Dim;
  readonly stop: Dim;
  readonly step: number;
  /** One element: the axis goes. */
  readonly drop: boolean;
  /** Elements at run-time positions, taken after all cuts. */
  readonly ids: TensorNode | undefined;
  /** `ids` is where so many elements in a row begin. */
  readonly window: Dim | undefined;
  /** What `ids` was written as. */
  readonly written?: { readonly value: Value; readonly span: Span };
}

/** A part that is known when compiling. */
const known = (start: Dim, stop: Dim, step = 1, drop = false): Cut => ({ start, stop, step, drop, ids: undefined, window: undefined });

export function evaluateIndex(context: Context, expression: IndexExpression, scope: Scope, expected: Expected | undefined): Value {
  const object = evaluate(wholeTensors(context), expression.object, scope);
  if (object.kind === 'error') {
    for (const index of expression.indices)
      if (index.kind !== 'slice' && index.kind !== 'ellipsis' && !isNewAxis(index, scope)) evaluate(context, index, scope);
    return ERROR;
  }
  if (object.kind === 'list' || object.kind === 'tuple') return indexItems(context, expression, object.kind, object.items, scope);
  if (object.kind !== 'tensor' && object.kind !== 'variable')
    return fail(
      context,
      'type-mismatch',
      expression.object.span,
      `\`${excerpt(context, expression.object.span, 'this')}\` is ${describe(object)}, and has no elements`,
      { hint: elementHint(object, excerpt(context, expression.object.span, '…')) },
    );
  const { expression: widened, widen } = withNewAxes(context, expression, scope);
  const node = widen(toTensor(context, object, expression.object.span));
  if (node === undefined) return ERROR;
  const asElement = isElement(context, widened, node);
  if (asElement && widened !== expression)
    return fail(context, 'shape-mismatch', expression.span, 'a body of index notation is a scalar, and `None` adds an axis', {
      hint: 'leave `None` out: every axis of a tensor has one subscript here',
    });
  const element = asElement ? evaluateElement(context, expression, object, node, scope) : undefined;
  return element ?? indexTensor(context, widened, object, node, widen, scope, expected);
}

function indexItems(context: Context, expression: IndexExpression, kind: 'list' | 'tuple', items: readonly Value[], scope: Scope): Value {
  const [index, more] = expression.indices;
  if (index === undefined) return ERROR;
  if (more !== undefined)
    return fail(context, 'shape-mismatch', expression.span, `a ${kind} has one index`, {
      hint: items.every((item) => shapeOf(item) !== undefined)
        ? `make a tensor of it: \`stack(${excerpt(context, expression.object.span, '…')})[…]\``
        : 'index what stands in it next: `list[0][1]`',
    });
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
        {
          labels: bindingLabel(value),
          hint: integerHint(value, part) ?? itemHint(excerpt(context, expression.object.span, 'list'), items, value),
        },
      );
    return Number.NaN;
  };
  if (index.kind === 'ellipsis')
    return fail(context, 'type-mismatch', index.span, `\`...\` stands for axes, and this is a ${kind}`, { hint: 'leave it out' });
  if (index.kind === 'slice') {
    const [start, stop, step] = [whole(index.start), whole(index.stop), whole(index.step)];
    if ([start, stop, step].some(Number.isNaN)) return ERROR;
    if (step !== undefined && step !== 1)
      return fail(context, 'unsupported-feature', index.span, `a ${kind} is sliced without a step`, {
        hint: 'choose its elements: `[list[i] for i in [0, 2]]`',
      });
    return (kind === 'list' ? list : tuple)(items.slice(start ?? 0, stop ?? items.length));
  }
  const at = whole(index);
  if (at === undefined || Number.isNaN(at)) return ERROR;
  return (
    items.at(at) ??
    fail(context, 'invalid-value', index.span, `there is no element ${at} in a ${kind} of ${items.length}`, {
      hint: lastItem(items.length),
    })
  );
}

function indexTensor(
  context: Context,
  expression: IndexExpression,
  object: Value,
  node: TensorNode,
  widen: Widened['widen'],
  scope: Scope,
  expected: Expected | undefined,
): Value {
  const cuts = cutsOf(context, expression, object, node.type, scope);
  if (cuts === undefined) return ERROR;
  const taken = (of: TensorNode | undefined): Value => (of === undefined ? ERROR : take(context, of, cuts, expression.span));
  if (object.kind !== 'tensor' || object.again === undefined) return taken(node);
  const part = inAnyDType((dtype) => taken(widen(toTensor(context, object, expression.object.span, dtype))), expected, object);
  return part.kind === 'tensor' && part.again !== undefined ? { ...part, isWhole: object.isWhole } : part;
}

/** What the indices take of each axis; undefined after a diagnostic. */
export function cutsOf(
  context: Context,
  expression: IndexExpression,
  object: Value,
  type: TensorType,
  scope: Scope,
): readonly Cut[] | undefined {
  const { shape } = type;
  const refuse = (...[code, message, details]: Refusal): undefined => {
    fail(context, code, expression.span, message, details);
    return undefined;
  };
  for (const index of expression.indices) {
    if (index.kind === 'ellipsis' || index.kind === 'slice' || !isNothing(index, scope)) continue;
    fail(context, 'unknown-name', index.span, `nothing is called \`${excerpt(context, index.span, 'this')}\` here`, {
      hint: isNewAxis(index, scope)
        ? 'it adds an axis to what is read; what is assigned has the axes of its place'
        : 'an axis of size 1 is added by `None`: `x[:, None]`',
    });
    return undefined;
  }
  const given = expression.indices.filter((index) => index.kind !== 'ellipsis').length;
  const ellipses = expression.indices.length - given;
  if (ellipses > 1)
    return refuse('syntax-error', '`...` may stand once among the indices', { hint: 'write `:` for each of the other axes' });
  if (given > shape.length && shape.length === 0)
    return refuse(
      'shape-mismatch',
      `${excerpt(context, expression.object.span, 'this')} is ${typeToString(type)}, a scalar, and has no elements`,
      { labels: bindingLabel(object), hint: 'it is one number already' },
    );
  if (given > shape.length)
    return refuse(
      'shape-mismatch',
      `${excerpt(context, expression.object.span, 'this')} is ${typeToString(type)}, and has ${shape.length} ax${shape.length === 1 ? 'is' : 'es'} for ${given} indices`,
      { labels: bindingLabel(object), hint: `leave out ${given - shape.length} of the indices` },
    );
  const indices: (Index | undefined)[] = [];
  for (const index of expression.indices) {
    if (index.kind === 'ellipsis') indices.push(...Array.from({ length: shape.length - given }, () => undefined));
    else indices.push(index);
  }
  while (indices.length < shape.length) indices.push(undefined);
  const cuts: Cut[] = [];
  for (const [axis, index] of indices.entries()) {
    const size = shape[axis] as Dim;
    const bounded: Bounded = () => sizeLabels({ value: object, span: expression.object.span }, axis);
    const cut =
      index === undefined || index.kind === 'ellipsis'
        ? whole(size)
        : index.kind === 'slice'
          ? sliceCut(context, index, size, scope, expression.span, bounded)
          : positionCut(context, index, size, scope, expression.span, bounded);
    if (cut === undefined) return undefined;
    cuts.push(cut);
  }
  return cuts;
}

type Refusal = [code: DiagnosticCode, message: string, details?: Parameters<typeof fail>[4]];

const whole = (size: Dim): Cut => known(Dim.zero, size);

/** One position, or run-time positions. */
function positionCut(context: Context, index: Expression, size: Dim, scope: Scope, site: Span, bounded: Bounded): Cut | undefined {
  const value = evaluate(context, index, scope);
  if (value.kind === 'error') return undefined;
  const dim = dimOf(value);
  if (value.kind === 'number' && !value.integer) {
    fail(context, 'dtype-mismatch', index.span, `an index is an integer, and this is ${describe(value)}`, {
      hint: integerHint(value, index),
    });
    return undefined;
  }
  if (dim === undefined) {
    const ids = toTensor(context, value, index.span, value.kind === 'tensor' && value.isWhole === true ? 'i32' : undefined);
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
    const checked = checkedIndex(context, ids, size, index.span);
    return checked === undefined ? undefined : { ...whole(size), ids: checked, written: { value, span: index.span } };
  }
  const negative = dim.constant !== undefined && dim.constant < 0;
  const at = negative ? size.add(dim) : dim;
  if (presumeNatural(context, at, site) && presumeNatural(context, size.sub(at).sub(1), site)) return known(at, at.add(1), 1, true);
  fail(context, 'index-out-of-range', index.span, `there is no element ${dim} in an axis of size ${size}`, {
    labels: bounded,
    hint: lastOf(size),
  });
  return undefined;
}

/** Where the size of the axis was written or bound. */
type Bounded = () => readonly Label[];

function sliceCut(context: Context, index: SliceIndex, size: Dim, scope: Scope, site: Span, bounded: Bounded): Cut | undefined {
  const step = bound(context, index.step, scope);
  if (step === 'error') return undefined;
  const stride = step === undefined ? 1 : step.constant;
  if (stride === undefined || stride === 0) {
    fail(
      context,
      stride === 0 ? 'invalid-value' : 'not-constant',
      index.step?.span ?? index.span,
      stride === 0 ? 'the step of a slice is not 0' : 'the step of a slice must be a known integer',
      { hint: 'e.g. `x[::2]`' },
    );
    return undefined;
  }
  const written = [index.start, index.stop].map((part) => (part === null ? undefined : { part, value: evaluate(context, part, scope) }));
  if (written.some((one) => one?.value.kind === 'error')) return undefined;
  const [from, to] = written;
  if (from !== undefined && stride === 1 && isRunTime(from.value)) return windowCut(context, from, to, size, index.span, bounded);
  const start = asBound(context, from);
  const stop = asBound(context, to);
  if (start === 'error' || stop === 'error') return undefined;
  const forward = stride > 0;
  const low = start === undefined ? (forward ? Dim.zero : size.sub(1)) : clamp(start, size, forward);
  const high = stop === undefined ? (forward ? size : Dim.of(-1)) : clamp(stop, size, forward);
  const length = forward ? high.sub(low) : low.sub(high);
  if (length.constant !== undefined && length.constant <= 0) return known(Dim.zero, Dim.zero);
  const inside = forward ? [low, size.sub(high), length] : [high.add(1), size.sub(low).sub(1), length];
  if (inside.every((dim) => presumeNatural(context, dim, site))) {
    if (ops.sliceSize(low, high, stride) !== undefined) return known(low, high, stride);
    const whole = length.terms.length > 1 ? `(${length})` : `${length}`;
    fail(
      context,
      'ambiguous-size',
      index.span,
      `a step of ${stride} from ${low} to ${high}: how many elements that are depends on the sizes`,
      {
        labels: bounded,
        hint: `declare that it comes out even: \`where ${whole} % ${Math.abs(stride)} == 0\``,
      },
    );
    return undefined;
  }
  fail(
    context,
    'index-out-of-range',
    index.span,
    `the slice \`${excerpt(context, index.span, '…')}\` does not lie inside an axis of size ${size}`,
    {
      labels: bounded,
      hint: forward
        ? 'without an end it goes up to that of the axis: `x[1:]`'
        : 'without bounds it is the whole axis from the end: `x[::-1]`',
    },
  );
  return undefined;
}

/** Which elements there are. */
export function lastOf(size: Dim): string | undefined {
  return size.constant === undefined ? 'the last one is -1; how many there are is declared behind `where`' : lastItem(size.constant);
}

interface Written {
  readonly part: Expression;
  readonly value: Value;
}

const isRunTime = (value: Value): boolean =>
  dimOf(value) === undefined && (value.kind === 'tensor' || value.kind === 'variable') && isInteger(ownDType(value) ?? 'f32');

/** `x[start : start + 3]`: so many elements from where the running program says. */
function windowCut(context: Context, from: Written, to: Written | undefined, size: Dim, span: Span, bounded: Bounded): Cut | undefined {
  const start = toTensor(context, from.value, from.part.span);
  const stop = to === undefined ? undefined : toTensor(context, to.value, to.part.span, start?.type.dtype);
  if (start === undefined || (to !== undefined && stop === undefined)) return undefined;
  if (start.type.shape.length > 0) {
    fail(context, 'shape-mismatch', from.part.span, `a slice begins at one index, and this is ${typeToString(start.type)}`, {
      hint: 'rows at several positions: `x[positions]`',
    });
    return undefined;
  }
  const length = stop === undefined ? undefined : distance(start, stop);
  if (length === undefined) {
    fail(context, 'not-constant', span, 'how many elements this slice has is known only at run time', {
      hint: 'let it have a fixed length: `x[start : start + 3]`',
    });
    return undefined;
  }
  if ((length.constant ?? 1) <= 0) return known(Dim.zero, Dim.zero);
  if (!presumeNatural(context, size.sub(length), span)) {
    fail(context, 'index-out-of-range', span, `no ${length} elements follow each other in an axis of size ${size}`, {
      labels: bounded,
      hint: 'take fewer of them, or declare a longer axis',
    });
    return undefined;
  }
  const ids = checkedIndex(context, start, size, span, length);
  return ids === undefined ? undefined : { ...whole(size), ids, window: length };
}

/** A bound as it is written; `error` after a diagnostic. */
function bound(context: Context, part: Expression | null, scope: Scope): Dim | undefined | 'error' {
  return asBound(context, part === null ? undefined : { part, value: evaluate(context, part, scope) });
}

function asBound(context: Context, written: Written | undefined): Dim | undefined | 'error' {
  if (written === undefined) return undefined;
  const { part, value } = written;
  if (value.kind === 'error') return 'error';
  const dim = dimOf(value);
  if (dim !== undefined) return dim;
  if (value.kind === 'number')
    fail(context, 'dtype-mismatch', part.span, `the bounds of a slice are integers, and this is ${describe(value)}`, {
      hint: integerHint(value, part),
    });
  else
    fail(context, 'not-constant', part.span, `the bounds of a slice are sizes, and this is ${describe(value)}`, {
      labels: bindingLabel(value),
      hint: 'elements at run-time positions: `x[positions]`; a slice of fixed length: `x[start : start + 3]`',
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
  const picked = takeAt(context, dropped, cuts, span);
  return picked === undefined ? ERROR : tensorValue(picked);
}
