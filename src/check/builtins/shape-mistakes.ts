// What was meant where shapes do not go together: an order of axes, a size to be found, an axis that lacks. In: shapes as they were given.
// Out: hints, and a diagnostic for the elements of a list.

import type { Span } from '../../../grammar/index.js';
import { type Dim, type DType, elementCount, shapeEquals, type Shape } from '../../base/index.js';
import { typeToString, type TensorNode, type TensorType } from '../../graph/index.js';
import { sizeLabels } from '../broadcast.js';
import { alignedHint, fittingHint } from '../fitting.js';
import { excerpt, fail } from '../report.js';
import { bindingLabel, ownDType, shapeOf, widest } from '../tensors.js';
import { describe, ERROR, shown, type Value } from '../values.js';
import { tensorHint } from '../ways-out.js';
import { divisorsHint } from './axes.js';
import type { BuiltinCall } from './builtin.js';

/** An order of all axes in which those that were named stand first of all that may have been meant: swapped, where they are two. */
export function orderHint(named: readonly number[], rank: number): string {
  const [a, b] = named;
  const order = Array.from({ length: rank }, (_, axis) => axis);
  if (a !== undefined && b !== undefined && named.length === 2 && a !== b) [order[a], order[b]] = [b, a];
  return `name all of them${named.length === 2 && a !== b && rank > 2 ? `; axes ${a} and ${b} change places by` : ', e.g.'} \`[${order.join(', ')}]\``;
}

/** A size with which a shape has as many elements. */
export function openSizeHint(whole: Dim, shape: Shape): string {
  for (const axis of shape.keys()) {
    const others = elementCount(shape.toSpliced(axis, 1));
    if (others.constant !== 0 && whole.divideExact(others) !== undefined)
      return `let one size be found: \`[${shape.map((size, at) => (at === axis ? '-1' : `${size}`)).join(', ')}]\``;
  }
  return whole.constant === undefined ? 'let one size be found, by `-1`' : divisorsHint(whole.constant);
}

/** `pad(x, [[1, 1], [2, 2]])`: how many zeros there are, as NumPy (by axes), PyTorch (from the last axis on) or Keras have it. */
export function failWidths(call: BuiltinCall): Value {
  const rank = call.elements('x')?.type.shape.length;
  const { value } = call.given('before');
  if (rank === undefined || value.kind === 'error') return ERROR;
  const text = (one: Value | undefined): string =>
    one === undefined ? '…' : one.kind === 'number' ? shown(one) : one.kind === 'size' ? `${one.dim}` : '…';
  const items = value.kind === 'list' || value.kind === 'tuple' ? value.items : [value];
  const pairs = items.flatMap((item) => ((item.kind === 'list' || item.kind === 'tuple') && item.items.length === 2 ? [item.items] : []));
  const ends =
    pairs.length === items.length
      ? pairs
      : items.length === 2 * rank
        ? Array.from({ length: rank }, (_, axis) => items.slice(2 * (rank - axis - 1), 2 * (rank - axis)))
        : Array.from({ length: rank }, (_, axis) => [items[axis % items.length], items[axis % items.length]]);
  const sides = [0, 1].map((side) => `[${ends.map((pair) => text(pair[side])).join(', ')}]`);
  return fail(call.context, 'missing-argument', call.site, '`pad` needs the argument `after`', {
    hint: `how many stand before and after are lists of their own, with a number for each axis: \`pad(${excerpt(call.context, call.given('x').span, '…')}, ${sides.join(', ')})\``,
  });
}

/** The first element along an axis. */
export const elementText = (text: string, axis: number): string => `${text}[${Array.from({ length: axis }, () => ':, ').join('')}0]`;

/** For elements of a list that do not go together along an axis. */
export function concatHint(
  call: BuiltinCall,
  first: TensorType,
  other: TensorType,
  value: Value | undefined,
  before: Value | undefined,
): string {
  const [a, b] = [first.shape, other.shape];
  const name = (one: Value | undefined): string =>
    (one?.kind === 'tensor' || one?.kind === 'variable' ? one.binding?.name : undefined) ?? '…';
  if (a.length === b.length + 1) return `give it the axis that it lacks: \`expandDims(${name(value)}, axis: 0)\``;
  if (b.length === a.length + 1) return `give the first one the axis that it lacks: \`expandDims(${name(before)}, axis: 0)\``;
  const differing = a.flatMap((size, axis) => (b[axis]?.equals(size) === false ? [axis] : []));
  return a.length === b.length && differing.length === 1
    ? `they differ along axis ${differing[0]} alone: \`${call.builtin.name}([…], axis: ${differing[0]})\``
    : 'all sizes but that of the axis are equal';
}

/** Whether the elements of a list have one shape; false after a diagnostic. */
export function areAlike(
  call: BuiltinCall,
  { nodes, values }: { readonly nodes: readonly TensorNode[]; readonly values: readonly Value[] },
): boolean {
  const [first] = nodes;
  const odd = nodes.findIndex((node) => first !== undefined && !shapeEquals(node.type.shape, first.type.shape));
  if (first === undefined || odd < 0) return true;
  const other = (nodes[odd] as TensorNode).type;
  fail(
    call.context,
    'shape-mismatch',
    call.site,
    `\`${call.builtin.name}\`: element 0 is ${typeToString(first.type)} and element ${odd} is ${typeToString(other)}, which differ`,
    {
      labels: [0, odd].flatMap((one) => bindingLabel(values[one] ?? ERROR)),
      hint: first.type.shape.length === other.shape.length ? 'one behind the other: `concat([…], axis: 0)`' : 'all have one shape',
    },
  );
  return false;
}

/** Whether the argument `x` broadcasts to a shape; false after a diagnostic. */
export function stretches(call: BuiltinCall, { type }: TensorNode, shape: Shape): boolean {
  const own = type.shape;
  const text = `\`${call.builtin.name}\`: ${typeToString(type)} does not stretch to [${shape.join(', ')}]`;
  const { value, span } = call.given('x');
  if (own.length > shape.length) {
    fail(call.context, 'shape-mismatch', call.site, `${text}, which has fewer axes`, {
      labels: bindingLabel(value),
      hint: fittingHint(excerpt(call.context, span, '…'), type.dtype, own, shape) ?? 'name a size for each axis',
    });
    return false;
  }
  const offset = shape.length - own.length;
  const axis = own.findIndex((size, at) => size.constant !== 1 && !size.equals(shape[at + offset] as Dim));
  if (axis < 0) return true;
  const [size, to] = [own[axis] as Dim, shape[axis + offset] as Dim];
  const isSure = size.sub(to).constant !== undefined;
  fail(
    call.context,
    isSure ? 'shape-mismatch' : 'ambiguous-size',
    call.site,
    `${text}: ${isSure ? `size ${size} meets ${to}` : `whether size ${size} and ${to} agree is not known`}`,
    {
      labels: sizeLabels({ value, span }, axis),
      hint: alignedHint(excerpt(call.context, span, '…'), own, shape) ?? 'axes are aligned at the end; only those of size 1 stretch',
    },
  );
  return false;
}

/** What has been told already. */
const hasFailed = (value: Value): boolean =>
  value.kind === 'error' || (value.kind === 'list' && value.items.some(({ kind }) => kind === 'error'));

/** Whether the elements of a list are tensors of one dtype; false after a diagnostic. */
export function areTensors(call: BuiltinCall, values: readonly Value[], span: Span): boolean {
  const odd = values.findIndex((value) => !hasFailed(value) && shapeOf(value) === undefined);
  const wrong = values[odd];
  if (wrong !== undefined) {
    fail(
      call.context,
      'type-mismatch',
      span,
      `\`${call.builtin.name}\`: element ${odd} is ${describe(wrong)}, where a tensor is expected`,
      { hint: tensorHint(wrong) },
    );
    return false;
  }
  const dtypes = values.map(ownDType);
  const first = dtypes.findIndex((dtype) => dtype !== undefined);
  const other = dtypes.findIndex((dtype) => dtype !== undefined && dtype !== dtypes[first]);
  const [one, two] = [values[first], values[other]];
  if (one === undefined || two === undefined) return true;
  fail(
    call.context,
    'dtype-mismatch',
    span,
    `\`${call.builtin.name}\`: element ${first} is ${describe(one)} and element ${other} is ${describe(two)}, of different dtypes`,
    {
      labels: [one, two].flatMap(bindingLabel),
      hint: `dtypes never mix silently; convert one of them: \`${widest(dtypes[first] as DType, dtypes[other] as DType)}(…)\``,
    },
  );
  return false;
}
