// Floats of 16 and 8 bits. In: numbers or bit patterns. Out: the other, or the nearest number that has a pattern. Holds: rounding is to
// nearest, ties to even; subnormals and the sign of 0 as in IEEE 754, NaN stays NaN; what is too large becomes infinity in 16 bits, and the
// largest number in 8 bits, as the conversions of GPUs have it.
// The formats of 8 bits: Micikevicius et al., "FP8 formats for deep learning", 2022. E4M3 has no infinity.

/** `bits` of significand, least exponent of a normal number, largest finite value, what lies beyond it. */
function toPrecision(value: number, bits: number, leastExponent: number, largest: number, beyond = Infinity): number {
  if (value === 0 || Number.isNaN(value)) return value;
  if (!Number.isFinite(value)) return Math.sign(value) * beyond;
  const magnitude = Math.abs(value);
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), leastExponent);
  const unit = 2 ** (exponent - bits + 1);
  // Adding and taking away 2⁵² rounds to a whole number, ties to even; a wrong log2 next to a power of two only makes the unit finer by one
  // step that is representable too.
  const rounded = (magnitude / unit + 2 ** 52 - 2 ** 52) * unit;
  return Math.sign(value) * (rounded > largest ? beyond : rounded);
}

/** The number as these dtypes hold it. */
export const roundToF16 = (value: number): number => toPrecision(value, 11, -14, 65504);
export const roundToBF16 = (value: number): number => toPrecision(value, 8, -126, (2 - 2 ** -7) * 2 ** 127);
export const roundToF8E4M3 = (value: number): number => toPrecision(value, 4, -6, 448, 448);
export const roundToF8E5M2 = (value: number): number => toPrecision(value, 3, -14, 57344, 57344);

const float = new Float32Array(1);
const words = new Uint32Array(float.buffer);

/** The value of an IEEE binary16 bit pattern. */
export function f16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** The IEEE binary16 bit pattern nearest to a number. */
export function numberToF16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const rounded = roundToF16(value);
  const sign = rounded < 0 || Object.is(rounded, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(rounded);
  if (magnitude === Infinity) return sign | 0x7c00;
  // Math.log2 is off only nearer to powers of two than eleven bits can be.
  const exponent = magnitude < 2 ** -14 ? -14 : Math.floor(Math.log2(magnitude));
  // Normal numbers carry an implicit 1024, which adds one to the exponent.
  return sign | (((exponent + 14) << 10) + magnitude * 2 ** (10 - exponent));
}

/** The value of a bfloat16 bit pattern. */
export function bf16ToNumber(bits: number): number {
  words[0] = (bits << 16) >>> 0;
  return float[0] ?? NaN;
}

/** A bigint as a double from which rounding to f32 (or less) is right: what does not fit sticks to the last bit. */
export function bigintToDouble(x: bigint): number {
  const magnitude = x < 0n ? -x : x;
  if (magnitude < 2n ** 53n) return Number(x);
  const spare = BigInt(magnitude.toString(2).length - 53);
  const kept = ((magnitude >> spare) | (magnitude & ((1n << spare) - 1n) ? 1n : 0n)) << spare;
  return Number(x < 0n ? -kept : kept);
}

/** The bfloat16 bit pattern nearest to a number. */
export function numberToBf16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  float[0] = roundToBF16(value);
  return (words[0] ?? 0) >>> 16;
}

/** A layout of eight bits: exponents below the one of 1, bits of the fraction, and the patterns that are no numbers. */
interface Format {
  readonly bias: number;
  readonly fraction: number;
  readonly round: (value: number) => number;
  readonly infinity: number | undefined;
}

const e4m3: Format = { bias: 7, fraction: 3, round: roundToF8E4M3, infinity: undefined };
const e5m2: Format = { bias: 15, fraction: 2, round: roundToF8E5M2, infinity: 0x7c };

function f8ToNumber({ bias, fraction, infinity }: Format, bits: number): number {
  const sign = bits & 0x80 ? -1 : 1;
  const magnitude = bits & 0x7f;
  if (magnitude === infinity) return sign * Infinity;
  if (magnitude > (infinity ?? 0x7e)) return NaN;
  const [exponent, mantissa] = [magnitude >> fraction, magnitude & ((1 << fraction) - 1)];
  return exponent === 0
    ? sign * mantissa * 2 ** (1 - bias - fraction)
    : sign * ((1 << fraction) + mantissa) * 2 ** (exponent - bias - fraction);
}

function numberToF8({ bias, fraction, round }: Format, value: number): number {
  if (Number.isNaN(value)) return 0x7f;
  const rounded = round(value);
  const sign = rounded < 0 || Object.is(rounded, -0) ? 0x80 : 0;
  const magnitude = Math.abs(rounded);
  const exponent = Math.max(magnitude === 0 ? -Infinity : Math.floor(Math.log2(magnitude)), 1 - bias);
  // Normal numbers carry an implicit one, which adds one to the exponent.
  return sign | (((exponent + bias - 1) << fraction) + magnitude * 2 ** (fraction - exponent));
}

const f8E4M3ToNumber = (bits: number): number => f8ToNumber(e4m3, bits);
const f8E5M2ToNumber = (bits: number): number => f8ToNumber(e5m2, bits);
const numberToF8E4M3 = (value: number): number => numberToF8(e4m3, value);
const numberToF8E5M2 = (value: number): number => numberToF8(e5m2, value);

/** Per dtype that JavaScript has no arrays of: what its patterns mean, and the pattern nearest to a number. */
export const patterns = {
  f16: { toNumber: f16ToNumber, fromNumber: numberToF16 },
  bf16: { toNumber: bf16ToNumber, fromNumber: numberToBf16 },
  f8e4m3: { toNumber: f8E4M3ToNumber, fromNumber: numberToF8E4M3 },
  f8e5m2: { toNumber: f8E5M2ToNumber, fromNumber: numberToF8E5M2 },
} as const;
