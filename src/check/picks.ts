// Elements at positions that only the running program knows. In: a tensor, positions along some axes. Out: slices of fixed length, rows,
// and with positions along several axes the elements at pairs.
// Holds: NumPy's meaning: positions of several axes go together, element by element, and their axes stand where the first of them stood;
// where NumPy would put them elsewhere it is refused.

import type { Span } from '../../grammar/index.js';
import { Dim, elementCount } from '../base/index.js';
import type { TensorNode } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import { broadcastTo, commonShape, type Operand } from './broadcast.js';
import type { Context } from './context.js';
import type { Cut } from './indexing.js';
import { fail } from './report.js';
import { castTo, toTensor } from './tensors.js';
import { sizeValue, tensorValue } from './values.js';

type Shape = readonly Dim[];

/** What stop - start is whatever they are; undefined when that is not known. */
export function distance(start: TensorNode, stop: TensorNode): Dim | undefined {
  const [a, b] = [start, stop].map(withOffset) as [Offset, Offset];
  return a.base === b.base ? b.offset.sub(a.offset) : undefined;
}

interface Offset {
  readonly base: TensorNode | undefined;
  readonly offset: Dim;
}

/** A scalar as another one and a size. */
function withOffset(node: TensorNode): Offset {
  let base = node;
  let offset = Dim.zero;
  for (;;) {
    if (ops.isNodeOf(base, ops.constant)) return { base: undefined, offset: offset.add(Number(base.attrs.value)) };
    if (ops.isNodeOf(base, ops.dimension)) return { base: undefined, offset: offset.add(base.attrs.dim) };
    const isSum = ops.isNodeOf(base, ops.elementwise.add);
    if (!isSum && !ops.isNodeOf(base, ops.elementwise.sub)) return { base, offset };
    const [left, right] = base.args.map((arg) => ({ node: ops.tensorOf(arg), size: sizeOf(ops.tensorOf(arg)) }));
    if (left === undefined || right === undefined) return { base, offset };
    if (right.size !== undefined) [base, offset] = [left.node, isSum ? offset.add(right.size) : offset.sub(right.size)];
    else if (left.size !== undefined && isSum) [base, offset] = [right.node, offset.add(left.size)];
    else return { base, offset };
  }
}

function sizeOf(node: TensorNode): Dim | undefined {
  if (ops.isNodeOf(node, ops.dimension)) return node.attrs.dim;
  return ops.isNodeOf(node, ops.constant) ? Dim.of(Number(node.attrs.value)) : undefined;
}

/** After the cuts that are known: what stands at run-time positions. Undefined after a diagnostic. */
export function takeAt(context: Context, node: TensorNode, cuts: readonly Cut[], span: Span): TensorNode | undefined {
  const kept = cuts.filter((cut) => !cut.drop);
  let result: TensorNode | undefined = node;
  for (const [axis, { ids, window }] of kept.entries()) {
    if (ids === undefined || window === undefined || result === undefined) continue;
    const positions = windowAt(context, ids, window, span);
    result = positions === undefined ? undefined : takeRows(context, result, positions, axis, span);
  }
  const axes = kept.flatMap(({ ids, window }, axis) => (ids === undefined || window !== undefined ? [] : [axis]));
  const [first, second] = axes;
  if (result === undefined || first === undefined) return result;
  if (!isUnsurprising(cuts)) {
    fail(context, 'unsupported-feature', span, 'NumPy would put the axes of these positions in front: a slice stands between them', {
      hint: 'index one after the other: `x[0][:, positions]`',
    });
    return undefined;
  }
  const all = axes.map((axis): Operand => {
    const { ids, written } = kept[axis] as Cut;
    return { node: ids as TensorNode, value: written?.value ?? tensorValue(ids as TensorNode), span: written?.span ?? span };
  });
  const [only] = all as [Operand];
  return second === undefined ? takeRows(context, result, only.node, first, span) : takePairs(context, result, axes, all, span);
}

/** The numbers of `length` elements from `start` on. */
export function windowAt(context: Context, start: TensorNode, length: Dim, span: Span): TensorNode | undefined {
  const counted = applyTensor(context, ops.iota, [], { shape: [length], axis: 0, dtype: 'i32' }, span);
  const from = broadcastTo(context, start, [length], span);
  return counted === undefined || from === undefined ? undefined : applyTensor(context, ops.elementwise.add, [from, counted], {}, span);
}

/** Whether the axes of positions stand where NumPy puts them: single positions count as such to it, and slices between them move all. */
function isUnsurprising(cuts: readonly Cut[]): boolean {
  const isPosition = ({ drop, ids, window }: Cut): boolean => drop || (ids !== undefined && window === undefined);
  const [first, last] = [cuts.findIndex(isPosition), cuts.findLastIndex(isPosition)];
  const isApart = cuts.slice(first, last).some((cut) => !isPosition(cut));
  const tensors = cuts.findIndex(({ ids, window }) => ids !== undefined && window === undefined);
  return !isApart || !cuts.slice(0, tensors).some((cut) => !isPosition(cut));
}

/** Positions along several axes together: the axes become one, in which they are one number. */
function takePairs(
  context: Context,
  node: TensorNode,
  axes: readonly number[],
  positions: readonly Operand[],
  span: Span,
): TensorNode | undefined {
  const { shape } = node.type;
  const together = commonShape(
    context,
    positions,
    span,
    'positions that go together',
    undefined,
    'all of one with all of the other: `x[rows][:, columns]`',
  );
  if (together === undefined) return undefined;
  const sizes = axes.map((axis) => shape[axis] as Dim);
  const count = elementCount(sizes);
  const dtype = (count.constant ?? Infinity) < 2 ** 31 ? 'i32' : 'i64';
  let number: TensorNode | undefined;
  for (const [at, { node: one }] of positions.entries()) {
    const wide = castTo(context, one, dtype, span);
    const spread = wide === undefined ? undefined : broadcastTo(context, wide, together, span);
    const before: TensorNode | undefined = number === undefined ? undefined : scaled(context, number, sizes[at] as Dim, together, span);
    if (spread === undefined || (number !== undefined && before === undefined)) return undefined;
    number = before === undefined ? spread : applyTensor(context, ops.elementwise.add, [before, spread], {}, span);
  }
  const others = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const front = applyTensor(context, ops.transpose, [node], { axes: [...axes, ...others] }, span);
  const rest = others.map((axis) => shape[axis] as Dim);
  const joined = front === undefined ? undefined : applyTensor(context, ops.reshape, [front], { shape: [count, ...rest] }, span);
  if (joined === undefined || number === undefined) return undefined;
  const rows = applyTensor(context, ops.gather, [joined, number], {}, span);
  const before = others.filter((axis) => axis < (axes[0] as number)).length;
  return rows === undefined ? undefined : moved(context, rows, together.length, before, span);
}

function scaled(context: Context, node: TensorNode, by: Dim, shape: Shape, span: Span): TensorNode | undefined {
  const factor = toTensor(context, sizeValue(by), span, node.type.dtype);
  const spread = factor === undefined ? undefined : broadcastTo(context, factor, shape, span);
  return spread === undefined ? undefined : applyTensor(context, ops.elementwise.mul, [node, spread], {}, span);
}

/** The slices at `ids` along one axis; the axes of `ids` stand in its place. */
export function takeRows(context: Context, table: TensorNode, ids: TensorNode, axis: number, span: Span): TensorNode | undefined {
  const rank = table.type.shape.length;
  const others = Array.from({ length: rank }, (_, at) => at).filter((at) => at !== axis);
  const front = axis === 0 ? table : applyTensor(context, ops.transpose, [table], { axes: [axis, ...others] }, span);
  const rows = front === undefined ? undefined : applyTensor(context, ops.gather, [front, ids], {}, span);
  return rows === undefined ? undefined : moved(context, rows, ids.type.shape.length, axis, span);
}

/** The first `width` axes behind the `before` that follow them. */
function moved(context: Context, node: TensorNode, width: number, before: number, span: Span): TensorNode | undefined {
  if (before === 0 || width === 0) return node;
  const rank = node.type.shape.length;
  const axes = [
    ...Array.from({ length: before }, (_, at) => width + at),
    ...Array.from({ length: width }, (_, at) => at),
    ...Array.from({ length: rank - width - before }, (_, at) => width + before + at),
  ];
  return applyTensor(context, ops.transpose, [node], { axes }, span);
}
