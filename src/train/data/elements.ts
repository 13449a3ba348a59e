// Numbers of files as elements of a feed. In: numbers, and a feed's dtype. Out: a typed array of that dtype. Holds: integers are exact or
// refused; floats round to the feed's type.

import type { TensorSpec, TypedArray } from '../../../runtime/index.js';
import { allocate, elements, holds, isWide } from '../../../runtime/element.js';
import { bigintToDouble } from '../../../runtime/half.js';
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
      return values instanceof Float32Array
        ? values
        : isNumbers(values)
          ? new Float32Array(values)
          : Float32Array.from(values, roundedLater);
    case 'f64':
      return values instanceof Float64Array ? values : isNumbers(values) ? new Float64Array(values) : Float64Array.from(values, Number);
    default:
      return toOthers(values, feed, where);
  }
}

function toOthers(values: Numbers, feed: ElementFeed, where: Where): TypedArray {
  const { dtype } = feed;
  const { patterns, range: [least, most] = [0n, 1n] } = elements[dtype];
  if (patterns !== undefined) {
    const into = allocate(dtype, values.length);
    for (let at = 0; at < values.length; at++) into[at] = patterns.fromNumber(roundedLater(values[at] ?? 0));
    return into;
  }
  if (dtype !== 'bool' && holds(dtype, values)) return values;
  // Beyond 2⁵³ a number may have been another one before it was read.
  requireWhole(values, feed, where, least, most);
  const into = allocate(dtype, values.length);
  if (isWide(into)) for (let at = 0; at < values.length; at++) into[at] = BigInt(values[at] ?? 0);
  // Arrays that hold no bigints are converted at once, many times faster than one by one.
  else if (isNumbers(values)) into.set(values);
  else for (let at = 0; at < values.length; at++) into[at] = Number(values[at]);
  return into;
}

const isNumbers = (values: Numbers): values is Float64Array =>
  ArrayBuffer.isView(values) && !(values instanceof BigInt64Array || values instanceof BigUint64Array);

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
