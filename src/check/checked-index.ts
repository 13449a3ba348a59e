// Indices that only the running program knows. In: a tensor of integers, the size of the axis. Out: the same as i32, which a run refuses
// where one of them is outside. Holds: numbers are looked at before they are narrowed.

import type { Span } from '../../grammar/index.js';
import { bytesOf, Dim } from '../base/index.js';
import type { TensorNode } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import type { Context } from './context.js';
import { castTo } from './tensors.js';

/** `length`: so many elements from each index on must lie in the axis. Undefined after a diagnostic. */
export function checkedIndex(context: Context, ids: TensorNode, size: Dim, span: Span, length: Dim = Dim.one): TensorNode | undefined {
  const { source, start, end } = placeOf(context, span);
  // What i32 holds is looked at as that, the rest as i64.
  const isNarrow = ids.type.dtype === 'i32' || bytesOf(ids.type.dtype) < 4;
  const numbers = castTo(context, ids, isNarrow ? 'i32' : 'i64', span);
  const checked =
    numbers === undefined ? undefined : applyTensor(context, ops.inRange, [numbers], { source, start, end, size, length }, span);
  return checked === undefined ? undefined : castTo(context, checked, 'i32', span);
}

/** Where a message about running code points: into the user's files. */
export const placeOf = (context: Context, span: Span): Span => (context.module.std ? (context.site ?? span) : span);
