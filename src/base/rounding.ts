// Rounding to a dtype, and to whole units. In: doubles. Out: the nearest value of it, ties to even. Holds: of narrow floats what
// `runtime/half.ts` says, so that what the compiler computes and what sessions take are rounded alike.

import { bigintToDouble, patterns, roundToBF16, roundToF16, roundToF8E4M3, roundToF8E5M2 } from '../../runtime/half.js';
import { type DType, dtypes } from './dtype.js';

export { bigintToDouble, patterns, roundToBF16, roundToF16, roundToF8E4M3, roundToF8E5M2 };

/** The value as `dtype` holds it: floats rounded, integers truncated and held in their range, bool ≠ 0. Eight-byte ones stay numbers. */
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
    case 'f8e4m3':
      return roundToF8E4M3(value);
    case 'f8e5m2':
      return roundToF8E5M2(value);
    case 'bool':
      return Number(value !== 0);
    default:
      return convertInteger(value, ...rangeOf(dtype));
  }
}

/** What doubles hold of an integer's range. */
function rangeOf(dtype: DType): [low: number, high: number] {
  const [low, high] = dtypes[dtype].bounds;
  // The greatest i64 and u64 are no doubles: the next ones below them are less by half a unit of their last place.
  return [Number(low), typeof high === 'bigint' ? Number(high) * (1 - 2 ** -53) : high];
}

/** Float → integer: towards zero, saturating, NaN → 0. */
const convertInteger = (value: number, low: number, high: number): number =>
  Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), low), high) + 0;

/** The least multiple of `unit` that is not below the value. */
export const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;
