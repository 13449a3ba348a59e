// Machine arithmetic that JavaScript lacks. In: numbers (bigints for integers of eight bytes). Out: what the machine op gives, to the bit.
// Holds: no rounding but the one stated.

import { type DType, InternalError, isFloat, roundTo } from '../../base/index.js';

/** The nearest value of a float dtype. */
export function roundFloat(dtype: DType, x: number): number {
  if (!isFloat(dtype)) throw new InternalError('kernel interpreter', `${dtype} is no float`);
  return roundTo(dtype, x);
}

export function roundEven(x: number): number {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 52) return x;
  // Adding and taking away 2⁵² leaves the integer that the addition rounded to, ties to even.
  const magnitude = Math.abs(x) + 2 ** 52 - 2 ** 52;
  return copySign(magnitude, x);
}

export function copySign(magnitude: number, sign: number): number {
  const negative = sign < 0 || Object.is(sign, -0);
  return negative ? -Math.abs(magnitude) : Math.abs(magnitude);
}

/** The whole n with 2ⁿ ≤ |x| < 2ⁿ⁺¹. */
export function exponent(x: number): number {
  const size = Math.abs(x);
  if (size === 0 || !(size < Infinity)) return size === 0 ? -Infinity : size;
  const guess = Math.floor(Math.log2(size));
  // log2 may be off by one next to powers of two.
  return 2 ** guess > size ? guess - 1 : 2 ** (guess + 1) <= size ? guess + 1 : guess;
}

/** x / 2ⁿ in [¾, 1½); NaN below 0, and 1 with the sign of x at 0 and ∞. */
export function mantissa(x: number): number {
  if (x < 0 || Number.isNaN(x)) return NaN;
  if (x === 0 || x === Infinity) return copySign(1, x);
  const m = x / 2 ** exponent(x);
  return m < 1.5 ? m : m / 2;
}

/** What rounding left off in `sum` = a + b (Knuth's TwoSum). */
function sumError(a: number, b: number, sum: number): number {
  const bPart = sum - a;
  return a - (sum - bPart) + (b - bPart);
}

const halves = (x: number): readonly [number, number] => {
  const c = 134217729 * x;
  const high = c - (c - x);
  return [high, x - high];
};

/** a · b + c in f32 with one rounding: the product is exact in doubles, and a tie of the sum is broken by what the sum left off. */
export function fma32(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const near = Math.fround(sum);
  if (near === sum || !Number.isFinite(near)) return near;
  const error = sumError(product, c, sum);
  if (error === 0) return near;
  // Rounding twice is only wrong when the sum lies in the middle of two f32: then the error decides.
  const other = sum + (sum - near);
  return Math.fround(other) === other ? (error > 0 ? Math.max(near, other) : Math.min(near, other)) : near;
}

/** a · b + c in f64, the product in two parts (Dekker); one rounding up to the last bit of subnormal parts. */
export function fma64(a: number, b: number, c: number): number {
  const product = a * b;
  const plain = product + c;
  if (!Number.isFinite(plain) || Math.abs(a) > 2 ** 995 || Math.abs(b) > 2 ** 995 || product === 0) return plain;
  const [aHigh, aLow] = halves(a);
  const [bHigh, bLow] = halves(b);
  const productError = aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
  return plain + (sumError(product, c, plain) + productError);
}

/** Upper half of the unsigned 32 × 32-bit product, as i32. */
export function mulHigh(a: number, b: number): number {
  const [x, y] = [a >>> 0, b >>> 0];
  const [xHigh, xLow, yHigh, yLow] = [x >>> 16, x & 0xffff, y >>> 16, y & 0xffff];
  const middle = xHigh * yLow + ((xLow * yLow) >>> 16);
  const carry = xLow * yHigh + (middle % 65536);
  return (xHigh * yHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536)) | 0;
}

/** Float → integer towards zero, saturating, NaN → 0. */
export function toInteger(x: number, least: number, most: number): number {
  if (Number.isNaN(x)) return 0;
  return x <= least ? least : x >= most ? most : Math.trunc(x) + 0;
}

export function toBigInteger(x: number, least: bigint, most: bigint): bigint {
  if (Number.isNaN(x)) return 0n;
  if (x >= Number(most)) return most;
  return x <= Number(least) ? least : BigInt(Math.trunc(x));
}
