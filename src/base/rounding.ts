// Rounding to a dtype, and to whole units. In: doubles. Out: the nearest value of it, ties to even. Holds: of narrow floats what
// `runtime/half.ts` says, so that what the compiler computes and what sessions take are rounded alike.

import { bigintToDouble, roundToBF16, roundToF16 } from '../../runtime/half.js';
import type { DType } from './dtype.js';
import { unreachable } from './internal-error.js';

export { bigintToDouble, roundToBF16, roundToF16 };

/** The value as `dtype` holds it: floats rounded, integers truncated and wrapped, bool ≠ 0. i64 stays a number here when it is one. */
export function roundTo(dtype: DType, value: number): number {
  switch (dtype) {
    case 'f64':
      return value;
    case 'f32':
      return Math.fround(value);
    case 'f16':
      return roundToF16(value);
    case 'bf16':
      return roundToBF16(value);
    case 'bool':
      return Number(value !== 0);
    case 'i32':
      return convertInteger(value, -2147483648, 2147483647);
    case 'u8':
      return convertInteger(value, 0, 255);
    case 'i64':
      return convertInteger(value, -9223372036854775808, 9223372036854774784);
    default:
      return unreachable('round', dtype);
  }
}

/** Float → integer: towards zero, saturating, NaN → 0. */
const convertInteger = (value: number, low: number, high: number): number =>
  Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), low), high) + 0;

/** The least multiple of `unit` that is not below the value. */
export const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;
