// Values in generated JavaScript. In: pieces of source with what is known of them. Out: pieces of source. Holds: an i64 is either a number
// that is known to stay small (index arithmetic), or a bigint (data); a u64 is a bigint; every other value is a number, rounded or
// wrapped to its dtype.

import type { DType } from '../../base/index.js';

export interface Operand {
  /** An identifier or literal, safe to repeat. */
  readonly code: string;
  readonly dtype: DType;
  readonly big: boolean;
  /** Bound of the magnitude of an i64 that is held in a number. */
  readonly bound: number;
}

/** Magnitudes up to here are exact in numbers, also as intermediate quotients. */
export const small = 2 ** 50;

export const number = (code: string, dtype: DType): Operand => ({ code, dtype, big: false, bound: 0 });
export const integer = (code: string, bound: number): Operand => ({ code, dtype: 'i64', big: false, bound });
export const big = (code: string, dtype: DType = 'i64'): Operand => ({ code, dtype, big: true, bound: Infinity });

export const literal = (value: number): string => (Object.is(value, -0) ? '-0' : value < 0 ? `(${value})` : String(value));

/** As a JavaScript number, which an index must be. */
export const asNumber = (operand: Operand): string => (operand.big ? `Number(${operand.code})` : operand.code);

/** As it is stored: integers of eight bytes in bigints. */
export const asStored = (operand: Operand): string => (operand.dtype === 'i64' && !operand.big ? `BigInt(${operand.code})` : operand.code);

export function wholeNumber(value: number | bigint): Operand {
  const magnitude = Math.abs(Number(value));
  return magnitude <= small ? integer(literal(Number(value)), magnitude) : big(value < 0 ? `(${BigInt(value)}n)` : `${BigInt(value)}n`);
}
