// Reductions between bounds that are something else for each element: `sum[j in 0..i + 1](x[j])`. In: an index with such bounds. Out:
// where it is between them; what changes nothing in a reduction.
// Holds: bounds that are sums of indices reach as far as the index runs; any others are looked at when the entry runs: what an index would
// read outside of its tensor is refused, also where the bounds are data.

import type { ReductionName } from '../../../grammar/index.js';
import { Dim, type DType, dtypes, isFloat } from '../../base/index.js';
import * as ops from '../../ops/index.js';
import { placeOf } from '../checked-index.js';
import { affineOf } from './affine.js';
import type { Lift, Lifted } from './lift.js';
import type { BodyIndex, IndexBounds } from './space.js';

/** What a reduction of nothing gives. */
export function nothingOf(how: ReductionName, dtype: DType): number | bigint {
  if (how === 'product' || how === 'all') return 1;
  if (how !== 'max' && how !== 'min') return 0;
  if (isFloat(dtype)) return how === 'max' ? -Infinity : Infinity;
  const { bounds } = dtypes[dtype];
  return how === 'max' ? bounds[0] : bounds[1];
}

/** Whether the index is between its bounds. */
export function insideOf(lift: Lift, index: BodyIndex): Lifted {
  const { start, stop, isInside, span, context } = index.bounds as IndexBounds;
  if ([start, stop].every((bound) => affineOf(bound, lift.space) !== undefined)) return lift.of(isInside);
  const { elementwise } = ops;
  const [from, to, place] = [lift.of(start), lift.of(stop), lift.of(index.placeholder)];
  const zero: Lifted = { node: ops.scalar(lift.build, 'i32', 0), axes: [] };
  // A range whose bounds lie the other way round is empty, wherever they are.
  const isSome = lift.elementwise(elementwise.lt, [from, to]);
  const checked = (bound: Lifted): Lifted => {
    const asked = lift.elementwise(elementwise.select, [isSome, bound, zero]);
    const attrs = { ...placeOf(context, span), size: lift.sizeOf(index).add(1), length: Dim.one };
    const { source, end, size, length } = attrs;
    return { ...asked, node: ops.applyTensor(lift.build, ops.inRange, [asked.node], { source, start: attrs.start, end, size, length }) };
  };
  return lift.elementwise(elementwise.and, [
    lift.elementwise(elementwise.ge, [place, checked(from)]),
    lift.elementwise(elementwise.lt, [place, checked(to)]),
  ]);
}
