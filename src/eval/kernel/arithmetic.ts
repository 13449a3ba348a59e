// Machine arithmetic that JavaScript lacks. In: numbers (bigints for integers of eight bytes). Out: what the machine op gives, to the bit.
// Holds: no rounding but the one stated.

import { type DType, InternalError, isFloat, roundTo } from '../../base/index.js';

/** The nearest value of a float dtype. */
export function roundFloat(dtype: DType, x: number): number {
  if (!isFloat(dtype)) throw new InternalError('kernel interpreter', `${dtype} is no float`);
  return roundTo(dtype, x);
}

const single = new Float32Array(1);
const singleBits = new Int32Array(single.buffer);

/** An f32 to the nearest with 11 significant bits, ties away from zero. */
export function toTF32(x: number): number {
  if (Number.isNaN(x)) return x;
  single[0] = x;
  singleBits[0] = ((singleBits[0] as number) + 2 ** 12) & -(2 ** 13);
  return single[0] as number;
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

/**
 * a · b + c in f64 with one rounding: the product in two parts (Dekker), and what both roundings left off added up to odd (Boldo and
 * Melquiond, "Emulation of FMA and correctly rounded sums", 2008). Where parts could overflow or lose digits, in integers.
 */
export function fma64(a: number, b: number, c: number): number {
  const product = a * b;
  const plain = product + c;
  if (a === 0 || b === 0 || !Number.isFinite(a) || !Number.isFinite(b) || !Number.isFinite(c)) return plain;
  const size = Math.abs(product);
  const safe = Math.abs(a) < 2 ** 995 && Math.abs(b) < 2 ** 995 && Math.abs(c) < 2 ** 1020 && size < 2 ** 1020 && size > 2 ** -960;
  if (!safe) return fmaOfIntegers(a, b, c);
  const [aHigh, aLow] = halves(a);
  const [bHigh, bLow] = halves(b);
  const productError = aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
  return plain + sumToOdd(sumError(product, c, plain), productError);
}

const double = new Float64Array(1);
const pattern = new BigInt64Array(double.buffer);

/** The sum if it is exact, else the neighbour of it whose last digit is odd. */
function sumToOdd(a: number, b: number): number {
  const sum = a + b;
  const error = sumError(a, b, sum);
  if (error === 0) return sum;
  double[0] = sum;
  const bits = pattern[0] as bigint;
  if ((bits & 1n) === 1n) return sum;
  pattern[0] = bits + (error > 0 === sum > 0 ? 1n : -1n);
  return double[0];
}

/** A finite double as integer · 2ᵉ. */
function digitsOf(x: number): readonly [digits: bigint, exponent: number] {
  double[0] = Math.abs(x);
  const bits = pattern[0] as bigint;
  const field = Number(bits >> 52n);
  const digits = (bits & (2n ** 52n - 1n)) | (field === 0 ? 0n : 2n ** 52n);
  return [x < 0 ? -digits : digits, Math.max(field, 1) - 1075];
}

function fmaOfIntegers(a: number, b: number, c: number): number {
  const [[aDigits, aExponent], [bDigits, bExponent], [cDigits, cExponent]] = [digitsOf(a), digitsOf(b), digitsOf(c)];
  const exponent = Math.min(aExponent + bExponent, cExponent);
  const sum = aDigits * bDigits * 2n ** BigInt(aExponent + bExponent - exponent) + cDigits * 2n ** BigInt(cExponent - exponent);
  if (sum === 0n) return a * b + c;
  const size = sum < 0n ? -sum : sum;
  const place = Math.max(exponent + size.toString(2).length - 53, -1074);
  let kept = size;
  if (place > exponent) {
    const unit = 2n ** BigInt(place - exponent);
    const rest = size % unit;
    kept = size / unit;
    if (2n * rest > unit || (2n * rest === unit && (kept & 1n) === 1n)) kept++;
  } else kept *= 2n ** BigInt(exponent - place);
  return Number(sum < 0n ? -kept : kept) * 2 ** place;
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
