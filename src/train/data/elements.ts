// Numbers of files as elements of a feed. In: numbers, and a feed's dtype. Out: a typed array of that dtype. Holds: integers are exact or
// refused; floats round to the feed's type.

import type { TensorSpec, TypedArray } from '../../../runtime/index.js';
import { bigintToDouble, numberToBf16, numberToF16 } from '../../../runtime/half.js';
import { DiagnosticsError } from '../../base/index.js';
import { badData } from '../../input/json.js';

/** Of 64-bit integers bigints, else numbers. */
export type Numbers = ArrayLike<number | bigint> & Iterable<number | bigint>;

/** What is told of an element that is refused: where it stands. */
export type Where = string | ((at: number) => string);

/** What of a feed says which elements it takes. */
export type ElementFeed = Pick<TensorSpec, 'name' | 'dtype'>;

/** As a double that rounding to a narrower float rounds right. */
const roundedLater = (value: number | bigint): number => (typeof value === 'bigint' ? bigintToDouble(value) : value);

/** Errors: dtype-mismatch for a fraction where whole numbers are taken; bad-data for a number out of range. */
export function toElements(values: Numbers, feed: ElementFeed, where: Where): TypedArray {
  switch (feed.dtype) {
    case 'f32':
      return values instanceof Float32Array ? values : isNumbers(values) ? new Float32Array(values) : Float32Array.from(values, roundedLater);
    case 'f64':
      return values instanceof Float64Array ? values : isNumbers(values) ? new Float64Array(values) : Float64Array.from(values, Number);
    case 'f16':
      return Uint16Array.from(values, (value) => numberToF16(roundedLater(value)));
    case 'bf16':
      return Uint16Array.from(values, (value) => numberToBf16(roundedLater(value)));
    case 'i32':
      requireWhole(values, feed, where, -(2 ** 31), 2 ** 31 - 1);
      return values instanceof Int32Array ? values : isNumbers(values) ? new Int32Array(values) : Int32Array.from(values, Number);
    case 'i64':
      if (values instanceof BigInt64Array) return values;
      // Beyond 2⁵³ a number may have been another one before it was read.
      requireWhole(values, feed, where, -(2n ** 63n), 2n ** 63n - 1n);
      return BigInt64Array.from(values, BigInt);
    case 'u8':
      requireWhole(values, feed, where, 0, 255);
      return values instanceof Uint8Array ? values : Uint8Array.from(values, Number);
    case 'bool':
      requireWhole(values, feed, where, 0, 1);
      return values instanceof Uint8Array ? values : Uint8Array.from(values, Number);
  }
}

/** Arrays that hold no bigints are converted at once, many times faster than one by one. */
const isNumbers = (values: Numbers): values is Float64Array => ArrayBuffer.isView(values) && !(values instanceof BigInt64Array);

const placeOf = (where: Where, at: number): string => (typeof where === 'string' ? where : where(at));

function requireWhole(values: Numbers, feed: ElementFeed, where: Where, least: number | bigint, most: number | bigint): void {
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number | bigint;
    if (typeof value === 'number' && !Number.isInteger(value))
      throw new DiagnosticsError([
        { code: 'dtype-mismatch', message: `${placeOf(where, at)}: ${feed.name} takes ${feed.dtype}; the data has ${value}` },
      ]);
    if (value < least || value > most)
      throw badData(`${placeOf(where, at)}: ${value} is not between ${least} and ${most}, the range of ${feed.dtype} (${feed.name})`);
    if (typeof value === 'number' && !Number.isSafeInteger(value))
      throw badData(
        `${placeOf(where, at)}: ${value} is beyond 2⁵³, where numbers are no longer exact (${feed.name})`,
        'Save it as int64 (.npy), or write it as a string of digits (JSON).',
      );
  }
}
