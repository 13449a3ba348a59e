// Rounding to narrow floats. In: doubles. Out: the nearest value of a dtype, ties to even. Holds: subnormals, overflow to infinity, NaN
// and the sign of 0 as in IEEE 754.

import type { DType } from './dtype.js';
import { unreachable } from './internal-error.js';

/** `bits` of significand, least exponent of a normal number, largest finite value. */
function toPrecision(value: number, bits: number, leastExponent: number, largest: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const magnitude = Math.abs(value);
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), leastExponent);
  const unit = 2 ** (exponent - bits + 1);
  // Adding and taking away 2⁵² rounds to a whole number, ties to even; a wrong log2 next to a power of two only makes the unit finer by one
  // step that is representable too.
  const rounded = (magnitude / unit + 2 ** 52 - 2 ** 52) * unit;
  return Math.sign(value) * (rounded > largest ? Infinity : rounded);
}

export const roundToF16 = (value: number): number => toPrecision(value, 11, -14, 65504);
export const roundToBF16 = (value: number): number => toPrecision(value, 8, -126, (2 - 2 ** -7) * 2 ** 127);

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
