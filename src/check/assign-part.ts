// `w[i] <- e`. In: the newest value of a variable, what is taken of each axis, the value of that part. Out: the whole with the part
// replaced.
// Holds: positions from data are checked; what stands outside of the part keeps every bit.

import type { Span } from '../../grammar/index.js';
import { Dim, type Shape } from '../base/index.js';
import type { TensorNode } from '../graph/index.js';
import * as ops from '../ops/index.js';
import type { Context } from './context.js';
import type { Cut } from './indexing.js';
import { fail } from './report.js';

/** The shape of the part; undefined after a diagnostic where it is none that can be assigned. */
export function partShape(context: Context, cuts: readonly Cut[], shape: Shape, span: Span): Shape | undefined {
  const part: Dim[] = [];
  for (const [axis, cut] of cuts.entries()) {
    if (cut.ids !== undefined && cut.window === undefined && cut.ids.type.shape.length > 0) {
      fail(context, 'unsupported-feature', span, 'several positions cannot be assigned at once: one of them may occur twice', {
        hint: 'assign one row, or add what belongs to each: `w + scatterAdd(ids, updates, rows)`',
      });
      return undefined;
    }
    if (cut.step !== 1) {
      fail(context, 'unsupported-feature', span, 'a slice with a step cannot be assigned', {
        hint: 'assign the whole: `w <- [i] => if i % 2 == 0 then x[floorDiv(i, 2)] ?? 0 else w[i]`',
      });
      return undefined;
    }
    const isWhole = cut.start.constant === 0 && cut.stop.equals(shape[axis] as Dim);
    if (cut.window !== undefined) part.push(cut.window);
    else if (!cut.drop && cut.ids === undefined) part.push(isWhole ? (shape[axis] as Dim) : cut.stop.sub(cut.start));
  }
  return part;
}

/** `value` has the shape of the part. Undefined after a diagnostic. */
export function withPart(context: Context, old: TensorNode, cuts: readonly Cut[], value: TensorNode, span: Span): TensorNode | undefined {
  const { shape } = old.type;
  const { build } = context.checker;
  return build.at(
    { span: context.module.std ? (context.site ?? span) : span, scope: context.path, backward: false, entry: context.entry.name },
    () => {
      let mask: TensorNode | undefined;
      let spread = value;
      for (const [axis, cut] of cuts.entries()) {
        spread = spreadAxis(build, spread, axis, cut, shape[axis] as Dim);
        const inside = isInside(build, cut, shape, axis);
        if (inside !== undefined) mask = mask === undefined ? inside : ops.scalars.and(build, mask, inside);
      }
      return mask === undefined ? spread : ops.scalars.select(build, mask, spread, old);
    },
  );
}

type Build = Context['checker']['build'];

/** The value along one more axis of the whole: whatever it is outside of the part. */
function spreadAxis(build: Build, value: TensorNode, axis: number, cut: Cut, size: Dim): TensorNode {
  const { shape } = value.type;
  const isPosition = cut.drop || (cut.ids !== undefined && cut.window === undefined);
  if (isPosition) {
    const axes = shape.map((_, at) => (at < axis ? at : at + 1));
    return ops.applyTensor(build, ops.broadcast, [value], { shape: [...shape.slice(0, axis), size, ...shape.slice(axis)], axes });
  }
  if (cut.window === undefined) {
    const own = shape[axis] as Dim;
    if (cut.start.constant === 0 && own.equals(size)) return value;
    const zeros = shape.map(() => Dim.zero);
    const before = zeros.map((zero, at) => (at === axis ? cut.start : zero));
    const after = zeros.map((zero, at) => (at === axis ? size.sub(cut.start).sub(own) : zero));
    return ops.applyTensor(build, ops.pad, [value], { before, after, inner: shape.map(() => 0) });
  }
  // The element of each index of the whole, counted from where the window begins; outside of it the nearest.
  const order = shape.map((_, at) => at);
  const front = [axis, ...order.filter((at) => at !== axis)];
  const counted = ops.applyTensor<ops.IotaAttrs>(build, ops.iota, [], { shape: [size], axis: 0, dtype: 'i32' });
  const start = ops.spread(build, cut.ids as TensorNode, [size]);
  const rows = ops.applyTensor(
    build,
    ops.gather,
    [ops.applyTensor(build, ops.transpose, [value], { axes: front }), ops.scalars.sub(build, counted, start)],
    {},
  );
  return ops.applyTensor(build, ops.transpose, [rows], { axes: order.map((at) => front.indexOf(at)) });
}

/** Where an axis lies in the part; undefined where all of it does. */
function isInside(build: Build, cut: Cut, shape: Shape, axis: number): TensorNode | undefined {
  const size = shape[axis] as Dim;
  const start = cut.ids ?? ops.sizeAs(build, cut.start, 'i32');
  const length = cut.window ?? (cut.ids === undefined ? cut.stop.sub(cut.start) : Dim.one);
  if (cut.ids === undefined && cut.start.constant === 0 && length.equals(size)) return undefined;
  const counted = ops.applyTensor<ops.IotaAttrs>(build, ops.iota, [], { shape, axis, dtype: 'i32' });
  const from = ops.spread(build, start, shape);
  if (length.constant === 1) return ops.scalars.eq(build, counted, from);
  const behind = ops.scalars.add(build, from, ops.spread(build, ops.sizeAs(build, length, 'i32'), shape));
  return ops.scalars.and(build, ops.scalars.ge(build, counted, from), ops.scalars.lt(build, counted, behind));
}
