// What to do about a value that does not fit the type that is declared for it. In: the value, the sizes that are declared, as far as they
// are known. Out: hints.
// Holds: an expression that is offered has the declared shape; a type that is offered is one that fits.

import type { NamedType, RecordType } from '../../grammar/index.js';
import { Dim, type DType, elementCount, isFloat, isInteger, nearest, type Shape } from '../base/index.js';
import { type Node, tensor, typeToString } from '../graph/index.js';
import type { Context } from './context.js';
import * as ops from '../ops/index.js';
import { fittingHint, orderOf } from './fitting.js';
import type { Subject } from './match.js';
import { excerpt } from './report.js';
import { unknownsIn } from './sizes.js';
import { fallbackDType, ownDType, shapeOf } from './tensors.js';
import { type CompileTimeType, typeText } from './types.js';
import { describe, type RecordValue, type Value } from './values.js';

/** What parameters of these types are given. */
export const compileTimeWords: Readonly<Record<CompileTimeType, { readonly what: string; readonly example: string }>> = {
  any: { what: 'a value', example: '`1`' },
  int: { what: 'an integer', example: '`3`' },
  number: { what: 'a number', example: '`0.5`' },
  text: { what: 'a text', example: '`"same"`' },
  list: { what: 'a list', example: '`[a, b]`' },
  axes: { what: 'an axis or a list of axes', example: '`0`, `-1` or `[0, 1]`' },
};

const isOpen = (size: Dim): boolean => unknownsIn(size).length > 0;

/** For a tensor with more or fewer axes than are declared. */
export function rankHint(context: Context, value: Value, subject: Subject, wanted: Shape): string | undefined {
  const actual = shapeOf(value) ?? [];
  const text = excerpt(context, subject.span, '…');
  const fitting = wanted.some(isOpen) ? openHint(text, actual, wanted) : fittingHint(text, fallbackDType(value), actual, wanted);
  return fitting ?? (subject.isOwnType === true ? `declare it as \`${describe(value)}\`` : undefined);
}

/** The same where some sizes are still to be found. */
function openHint(text: string, actual: Shape, wanted: Shape): string | undefined {
  const fits = (shape: Shape): boolean => shape.every((size, axis) => isOpen(wanted[axis] as Dim) || size.equals(wanted[axis] as Dim));
  if (actual.length === wanted.length + 1) {
    const axis = actual.findIndex((size, at) => size.constant === 1 && fits(actual.toSpliced(at, 1)));
    if (axis >= 0) return `write \`squeeze(${text}, axis: ${axis})\``;
  }
  // One example where a batch of them is taken.
  if (actual.length + 1 === wanted.length && isOpen(wanted[0] as Dim) && fits([Dim.one, ...actual]))
    return `a batch of one is \`expandDims(${text}, axis: 0)\``;
  const more = actual.length - wanted.length;
  if (more < 1 || wanted.length < 1 || !isOpen(wanted[0] as Dim)) return undefined;
  const rows = actual.slice(0, more + 1).reduce((product, size) => product.mul(size), Dim.one);
  const joined = [rows, ...actual.slice(more + 1)];
  return fits(joined) ? `put the axes in front together: \`reshape(${text}, [${joined.join(', ')}])\`` : undefined;
}

/**
 * For a size along `axis` that is another one than is declared. `generic`: the name of what stands there; `isSpread`: other axes are taken
 * as they are.
 */
export function sizeHint(
  context: Context,
  value: Value,
  subject: Subject,
  wanted: Shape,
  axis: number,
  generic: string | undefined,
  isSpread: boolean,
): string | undefined {
  const actual = shapeOf(value) ?? [];
  const [own, size] = [actual[axis] as Dim, wanted[axis] as Dim];
  if (isOpen(size)) return formHint(size, own);
  const text = excerpt(context, subject.span, '…');
  const fitting = wanted.some(isOpen) ? undefined : (orderHint(value, wanted) ?? fittingHint(text, fallbackDType(value), actual, wanted));
  if (fitting !== undefined) return fitting;
  if (subject.isOwnType === true) return `declare it as \`${describe(value)}\``;
  const moved = isSpread ? (joinedHint(text, actual, axis, size) ?? movedHint(text, actual, axis, size)) : undefined;
  if (moved !== undefined) return moved;
  const passed = typeToString(tensor(fallbackDType(value), actual.with(axis, size)));
  // A size that is free here is none that a model could have.
  const isPossible = own.constant !== undefined || size.constant === undefined;
  return `pass ${passed}${generic === undefined || !isPossible ? '' : `, or let \`${generic}\` be ${own}`}`;
}

/** Axes behind that have as many elements together as one should have: an image as a row. */
function joinedHint(text: string, actual: Shape, axis: number, size: Dim): string | undefined {
  if (axis !== actual.length - 1) return undefined;
  for (let first = actual.length - 2; first >= 0; first--)
    if (elementCount(actual.slice(first)).equals(size))
      return `put the axes behind together: \`reshape(${text}, [${[...actual.slice(0, first), size].join(', ')}])\``;
  return undefined;
}

/** The axis that was meant, moved to where it should be. */
function movedHint(text: string, actual: Shape, axis: number, size: Dim): string | undefined {
  const from = actual.findIndex((own, at) => at !== axis && own.equals(size));
  if (from < 0) return undefined;
  const order = [...actual.keys()].filter((at) => at !== from).toSpliced(axis, 0, from);
  return order.length === 2 ? `write \`transpose(${text})\`` : `write \`transpose(${text}, axes: [${order.join(', ')}])\``;
}

/** For what is a `transpose` already: the order in which it fits. */
function orderHint(value: Value, wanted: Shape): string | undefined {
  const node = value.kind === 'tensor' ? value.node : undefined;
  if (node === undefined || !ops.isNodeOf(node, ops.transpose)) return undefined;
  const order = orderOf(ops.tensorOf(node.args[0] as Node).type.shape, wanted);
  return order === undefined ? undefined : `in this order: \`axes: [${order.join(', ')}]\``;
}

/** Sizes of a form that are near to one that is not. */
function formHint(form: Dim, own: Dim): string | undefined {
  const [unknown, ...others] = unknownsIn(form);
  const [slope, offset] = [form.terms.filter(({ names }) => names.length > 0), form.terms.find(({ names }) => names.length === 0)];
  const times = slope[0]?.coefficient ?? 0;
  if (own.constant === undefined || unknown === undefined || others.length > 0 || slope.length !== 1 || slope[0]?.names.length !== 1)
    return undefined;
  const first = offset?.coefficient ?? 0;
  const count = Math.floor((own.constant - first) / times);
  const near = [count, count + 1].filter((at) => at >= 0).map((at) => at * times + first);
  return times < 1 || near.length === 0 ? undefined : `sizes of that form are ${near.join(', ')}, …`;
}

/** For a field that is not there: one that is called nearly so, and is too many. */
export function fieldHint(name: string, value: RecordValue, type: RecordType): string {
  const spare = [...value.fields.keys()].filter((one) => !type.fields.some((field) => field.name.text === one));
  const near = nearest(name, spare);
  return near === undefined ? `add it: \`${name}: …\`` : `rename \`${near}\` to \`${name}\``;
}

/** For a value that has not only another dtype. */
export function otherRankHint(context: Context, value: Value, type: NamedType): string | undefined {
  const dims = type.dims ?? [];
  const rank = shapeOf(value)?.length ?? 0;
  if (rank === dims.length || dims.some((dim) => dim.kind === 'rank-spread')) return undefined;
  return `its rank differs, too: ${typeText(context, type)} has ${dims.length} ax${dims.length === 1 ? 'is' : 'es'}, and it has ${rank}`;
}

/** For rows of floats where one integer per row is declared: labels that are one-hot. */
export function oneHotHint(value: Value, type: NamedType, wanted: DType): string | undefined {
  const axes = type.dims?.some((dim) => dim.kind === 'rank-spread') === true ? undefined : (type.dims ?? []).length;
  const given = shapeOf(value)?.length;
  const own = ownDType(value);
  if (axes === undefined || given !== axes + 1 || !isInteger(wanted) || own === undefined || !isFloat(own)) return undefined;
  return `it has an axis more; where its rows are one-hot labels: \`argmax(…, axis: ${given - 1})\``;
}

/** For what has an axis more than is declared: one-hot labels, or an axis of size 1. */
export function oneAxisMoreHint(value: Value, type: NamedType): string | undefined {
  const shape = shapeOf(value) ?? [];
  const dims = type.dims ?? [];
  if (value.kind === 'list' && dims.length === 0) return '`tensor([…])` makes a tensor of a list';
  if (dims.some((dim) => dim.kind === 'rank-spread') || shape.length !== dims.length + 1) return undefined;
  const narrow = shape.findLastIndex((size) => size.constant === 1);
  if (narrow >= 0) return `it has an axis of size 1 more: \`squeeze(…, axis: ${narrow})\``;
  const own = ownDType(value);
  return own !== undefined && isInteger(own) && dims.length > 0
    ? `it has an axis more; where its rows are one-hot labels: \`argmax(…, axis: ${shape.length - 1})\``
    : undefined;
}
