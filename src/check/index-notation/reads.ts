// Subscripted tensors over whole axes. In: a read of a body. Out: a view of its tensor, or rows of it by number, over the indices that its
// subscripts depend on.
// Holds: what is read where the read is not taken, or where its index is outside, reaches no result.

import { bytesOf, Dim, type DType, elementCount, isWide } from '../../base/index.js';
import type { Attrs, TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import { placeOf } from '../checked-index.js';
import { fail } from '../report.js';
import type { Affine } from './affine.js';
import type { Lift, Lifted } from './lift.js';
import type { Settled } from './ranges.js';
import type { BodyIndex, ElementRead, Subscript } from './space.js';

const { elementwise } = ops;

/** An axis of what is read, by a sum of indices. */
interface Row {
  readonly affine: Affine;
  readonly size: Dim;
  readonly isCertain: boolean;
}

/** A read of a lifted tensor: what depends on indices has their axes in front, where each index reads its own place. */
interface LiftedRead {
  readonly table: TensorNode;
  readonly subscripts: readonly (Subscript | BodyIndex)[];
  readonly settled: readonly Settled[];
  readonly read: ElementRead;
}

function liftedRead(lift: Lift, read: ElementRead): LiftedRead {
  const { node, axes } = lift.of(read.tensor);
  const settled = lift.ranges.settled.get(read) as readonly Settled[];
  const own = axes.map((index): Settled => ({ affine: fromOwnStart(lift, index), inside: 'always' }));
  return { table: node, subscripts: [...axes, ...read.subscripts], settled: [...own, ...settled], read };
}

/** Undefined after a diagnostic. */
export function liftRead(lift: Lift, element: ElementRead): Lifted | undefined {
  const read = liftedRead(lift, element);
  const { table: whole, settled } = read;
  const { shape } = whole.type;
  const computed = computedAxes(lift, read);
  const rest = [...shape.keys()].flatMap((axis): readonly Row[] => {
    const { affine, inside } = settled[axis] as Settled;
    return affine === undefined || computed.has(axis) ? [] : [{ affine, size: shape[axis] as Dim, isCertain: inside === 'always' }];
  });
  const { outside } = element;
  // A constant outside is a part of the view; everything else is chosen by a mask.
  const constant = outside !== undefined && computed.size === 0 && ops.isNodeOf(outside, ops.constant) ? outside.attrs.value : undefined;
  const zero = isWide(whole.type.dtype) ? 0n : 0;
  if (computed.size === 0 && (outside === undefined || constant !== undefined)) return viewed(lift, element, whole, rest, constant ?? zero);
  const mask = outside === undefined ? undefined : insideMask(lift, read, computed);
  const taken = computed.size === 0 ? { table: whole, ids: [] } : rowsByNumber(lift, read, [...computed], mask);
  if (taken === undefined) return undefined;
  const { table, ids } = taken;
  const kept = ids.map((index): Row => ({ affine: fromOwnStart(lift, index), size: lift.sizeOf(index), isCertain: true }));
  const value = viewed(lift, element, table, [...kept, ...rest], zero);
  if (value === undefined || outside === undefined || mask === undefined) return value;
  return lift.elementwise(elementwise.select, [mask, value, lift.of(outside)]);
}

/** An index as a position in its own range. */
const fromOwnStart = (lift: Lift, index: BodyIndex): Affine => ({
  terms: new Map([[index, Dim.one]]),
  constant: lift.startOf(index).mul(-1),
});

/**
 * Axes whose subscripts are computed; those that share an index with them, which would become a diagonal of what is gathered; all, where
 * the rest cannot be a view.
 */
function computedAxes(lift: Lift, { subscripts, settled }: LiftedRead): ReadonlySet<number> {
  const computed = new Set([...settled.keys()].filter((axis) => settled[axis]?.affine === undefined));
  const indicesOf = (axis: number): readonly BodyIndex[] => subscriptOf(lift, subscripts[axis] as Subscript | BodyIndex).axes;
  for (let before = -1; before < computed.size;) {
    before = computed.size;
    const used = new Set([...computed].flatMap(indicesOf));
    for (const [axis, { affine }] of settled.entries())
      if (affine !== undefined && [...affine.terms.keys()].some((index) => used.has(index))) computed.add(axis);
  }
  const rows = [...settled.keys()].flatMap((axis) => (computed.has(axis) ? [] : [(settled[axis] as Settled).affine as Affine]));
  const axes = lift.union(...rows.map(({ terms }) => [...terms.keys()]));
  const { coefficients, offsets } = mapOf(lift, rows, axes);
  return ops.isView(coefficients, offsets, lift.shapeOf(axes)) ? computed : new Set(settled.keys());
}

/** A subscript as a tensor of integers. */
function subscriptOf(lift: Lift, subscript: Subscript | BodyIndex): Lifted {
  if (!('at' in subscript)) return lift.placeOf(subscript);
  const { at } = subscript;
  return at instanceof Dim ? { node: ops.sizeAs(lift.build, at, 'i32'), axes: [] } : lift.of(at);
}

/** Where every subscript that is not certainly inside is inside; undefined where all are. */
function insideMask(lift: Lift, { table, subscripts, settled }: LiftedRead, computed: ReadonlySet<number>): Lifted | undefined {
  let mask: Lifted | undefined;
  for (const [axis, subscript] of subscripts.entries()) {
    if (!('at' in subscript)) continue;
    if (settled[axis]?.inside === 'always' && !computed.has(axis)) continue;
    const at = subscriptOf(lift, subscript);
    const { dtype } = at.node.type;
    const size = table.type.shape[axis] as Dim;
    for (const inside of [
      lift.elementwise(elementwise.ge, [at, { node: ops.scalar(lift.build, dtype, 0), axes: [] }]),
      lift.elementwise(elementwise.lt, [at, { node: ops.sizeAs(lift.build, size, dtype), axes: [] }]),
    ])
      mask = mask === undefined ? inside : lift.elementwise(elementwise.and, [mask, inside]);
  }
  return mask;
}

/** What stands in `computed` axes at their subscripts, over the indices of these, then the other axes. */
function rowsByNumber(
  lift: Lift,
  read: LiftedRead,
  computed: readonly number[],
  mask: Lifted | undefined,
): { readonly table: TensorNode; readonly ids: readonly BodyIndex[] } | undefined {
  const { build } = lift;
  const { table, settled } = read;
  const { shape } = table.type;
  const order = [...computed, ...[...shape.keys()].filter((axis) => !computed.includes(axis))];
  const turned = isInOrder(order) ? table : ops.applyTensor(build, ops.transpose, [table], { axes: order });
  const sizes = computed.map((axis) => shape[axis] as Dim);
  const numbers = computed.map((axis) => numberIn(lift, read, axis, settled[axis]?.affine === undefined, mask));
  const [first, ...others] = numbers as [Lifted, ...Lifted[]];
  const count = elementCount(sizes);
  let row = first;
  let rows = turned;
  if (others.length > 0) {
    const dtype: DType = (count.constant ?? Infinity) < 2 ** 31 ? 'i32' : 'i64';
    row = castTo(lift, first, dtype);
    for (const [at, other] of others.entries()) {
      const size: Lifted = { node: ops.sizeAs(build, sizes[at + 1] as Dim, dtype), axes: [] };
      row = lift.elementwise(elementwise.add, [lift.elementwise(elementwise.mul, [row, size]), castTo(lift, other, dtype)]);
    }
    rows = ops.applyTensor(build, ops.reshape, [turned], { shape: [count, ...turned.type.shape.slice(computed.length)] });
  }
  const found = takenBy(lift, read.read, ops.gather, [rows, row.node], {});
  return found === undefined ? undefined : { table: found, ids: row.axes };
}

/** The element of one axis; 0 where the read is not taken, and what only the running program knows is looked at there (`isData`). */
function numberIn(lift: Lift, { table, subscripts, read }: LiftedRead, axis: number, isData: boolean, mask: Lifted | undefined): Lifted {
  const { build } = lift;
  const subscript = subscripts[axis] as Subscript | BodyIndex;
  if (!('at' in subscript)) return lift.placeOf(subscript);
  let number = subscriptOf(lift, subscript);
  for (const taken of [read.guard === undefined ? undefined : lift.of(read.guard), mask])
    if (taken !== undefined)
      number = lift.elementwise(elementwise.select, [taken, number, { node: ops.scalar(build, number.node.type.dtype, 0), axes: [] }]);
  const { dtype } = number.node.type;
  const wide = castTo(lift, number, dtype === 'i32' || bytesOf(dtype) < 4 ? 'i32' : 'i64');
  if (!isData || mask !== undefined) return wide;
  const { source, start, end } = placeOf(read.context, subscript.span);
  const attrs = { source, start, end, size: table.type.shape[axis] as Dim, length: Dim.one };
  return { ...wide, node: ops.applyTensor(build, ops.inRange, [wide.node], attrs) };
}

const castTo = ({ build }: Lift, { node, axes }: Lifted, dtype: DType): Lifted => ({
  node: node.type.dtype === dtype ? node : ops.applyTensor(build, ops.cast, [node], { dtype }),
  axes,
});

function mapOf(
  lift: Lift,
  rows: readonly Affine[],
  axes: readonly BodyIndex[],
): { readonly coefficients: readonly (readonly Dim[])[]; readonly offsets: readonly Dim[] } {
  return {
    coefficients: rows.map(({ terms }) => axes.map((index) => terms.get(index) ?? Dim.zero)),
    offsets: rows.map(({ terms, constant }) =>
      [...terms].reduce((sum, [index, coefficient]) => sum.add(coefficient.mul(lift.startOf(index))), constant),
    ),
  };
}

/** The tensor read at sums of indices, over the indices that they have. */
function viewed(lift: Lift, element: ElementRead, table: TensorNode, rows: readonly Row[], border: number | bigint): Lifted | undefined {
  const { build } = lift;
  const affines = rows.map(({ affine }) => affine);
  const axes = lift.union(...affines.map(({ terms }) => [...terms.keys()]));
  const { coefficients, offsets } = mapOf(lift, affines, axes);
  const shape = lift.shapeOf(axes);
  const order = axes.map((_, at) => coefficients.findIndex((row) => row[at]?.constant === 1));
  const isOrder =
    axes.length === rows.length &&
    new Set(order).size === rows.length &&
    rows.every(({ affine, size, isCertain }, row) => {
      const index = axes[order.indexOf(row)];
      return isCertain && affine.terms.size === 1 && index !== undefined && offsets[row]?.constant === 0 && lift.sizeOf(index).equals(size);
    });
  if (isOrder) return { node: isInOrder(order) ? table : ops.applyTensor(build, ops.transpose, [table], { axes: order }), axes };
  const node = takenBy(lift, element, ops.view, [table], {
    shape,
    coefficients,
    offsets,
    divisors: rows.map(() => 1),
    outside: rows.every(({ isCertain }) => isCertain) ? false : border,
  });
  return node === undefined ? undefined : { node, axes };
}

/** Elements of a tensor; undefined after a diagnostic, where sizes that are only known here leave nothing to take. */
function takenBy<A extends Attrs>(
  lift: Lift,
  { context, span }: ElementRead,
  op: ops.Op<A>,
  args: readonly TensorNode[],
  attrs: A,
): TensorNode | undefined {
  const type = ops.infer(
    op,
    args.map((one) => one.type),
    attrs,
  );
  if (type.kind !== 'problem') return ops.applyTensor(lift.build, op, args, attrs);
  fail(context, type.code, span, type.message, type.hint === undefined ? {} : { hint: type.hint });
  return undefined;
}

const isInOrder = (order: readonly number[]): boolean => order.every((axis, at) => axis === at);
