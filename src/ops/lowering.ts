// What lowerings of ops share. In: index expressions. Out: conditions, clamped indices, identities of combiners. Holds: indices are i64.

import type { Dim, DType } from '../base/index.js';
import { build as loop, type Combiner, type Expr } from '../loop/index.js';

export const allOf = (conditions: readonly Expr[]): Expr => conditions.reduce((all, one) => loop.apply('and', 'bool', all, one));

/** The nearest index inside an axis of that size; 0 for an empty axis. */
export function clampIndex(at: Expr, size: Dim): Expr {
  const last = size.sub(1);
  const below = loop.apply('min', 'i64', at, loop.size(last));
  return loop.apply('max', 'i64', below, loop.int(0));
}

export const zeroOf = (dtype: DType): Expr => loop.constant(dtype, dtype === 'i64' ? 0n : 0);

/** Where a combination starts: what it is of no elements. */
export function identityOf(combine: Combiner, dtype: DType): number | bigint {
  switch (combine) {
    case 'sum':
    case 'any':
      return dtype === 'i64' ? 0n : 0;
    case 'product':
    case 'all':
      return dtype === 'i64' ? 1n : 1;
    case 'max':
      return dtype === 'i64' ? -(2n ** 63n) : dtype === 'i32' ? -2147483648 : dtype === 'u8' ? 0 : -Infinity;
    case 'min':
      return dtype === 'i64' ? 2n ** 63n - 1n : dtype === 'i32' ? 2147483647 : dtype === 'u8' ? 255 : Infinity;
  }
}
