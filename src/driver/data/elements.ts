// Numbers of files as elements of a feed. In: numbers, and a feed's dtype. Out: a typed array of that dtype. Holds: integers are exact or refused; floats round to the feed's type.

import type { TensorSpec } from '../../../runtime/index.js';
import { DiagnosticsError } from '../../base/index.js';
import { badData } from '../json.js';
import type { NumberArray } from './table.js';

export type Numbers = ArrayLike<number> & Iterable<number>;

/** Errors: dtype-mismatch for a fraction where whole numbers are taken; bad-data for a number out of range, or a dtype that data sets do not have. */
export function toElements(values: Numbers, feed: TensorSpec, where: string): NumberArray {
  switch (feed.dtype) {
    case 'f32':
      return values instanceof Float32Array ? values : Float32Array.from(values);
    case 'f64':
      return values instanceof Float64Array ? values : Float64Array.from(values);
    case 'i32':
      requireWhole(values, feed, where, -(2 ** 31), 2 ** 31 - 1);
      return values instanceof Int32Array ? values : Int32Array.from(values);
    case 'u8':
      requireWhole(values, feed, where, 0, 255);
      return values instanceof Uint8Array ? values : Uint8Array.from(values);
    case 'bool':
      requireWhole(values, feed, where, 0, 1);
      return values instanceof Uint8Array ? values : Uint8Array.from(values);
    case 'f16':
    case 'bf16':
    case 'i64':
      throw badData(`${feed.name}: data sets hold no ${feed.dtype}`, 'Take f32 or i32 as argument, and cast inside of the program.');
  }
}

function requireWhole(values: Numbers, feed: TensorSpec, where: string, least: number, most: number): void {
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number;
    if (!Number.isInteger(value)) throw new DiagnosticsError([{ code: 'dtype-mismatch', message: `${where}: ${feed.name} takes ${feed.dtype}; the data has ${value}` }]);
    if (value < least || value > most) throw badData(`${where}: ${value} is not between ${least} and ${most}, the range of ${feed.dtype} (${feed.name})`);
  }
}
