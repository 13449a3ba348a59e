// 16-bit floats. In: numbers or bit patterns. Out: the other. Holds: rounding is to nearest, ties to even; NaN stays NaN, overflow becomes
// infinity.

const scratch = (): { readonly float: Float32Array; readonly bits: Uint32Array } => {
  const float = new Float32Array(1);
  return { float, bits: new Uint32Array(float.buffer) };
};

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
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  // 65520 lies halfway between the largest finite value and what would follow: it rounds to even, which is infinity.
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = magnitude < 2 ** -14 ? -14 : Math.floor(Math.log2(magnitude));
  // Math.log2 may round up just below a power of two, or down at one.
  const floor = 2 ** exponent > magnitude && exponent > -14 ? exponent - 1 : exponent;
  const scaled = roundHalfEven(magnitude * 2 ** (10 - floor));
  // Normal numbers carry an implicit 1024; a mantissa that rounds up to 2048 moves the exponent by itself.
  return sign | (((floor + 14) << 10) + scaled);
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

/** The value of a bfloat16 bit pattern. */
export function bf16ToNumber(bits: number): number {
  const { float, bits: words } = scratch();
  words[0] = (bits << 16) >>> 0;
  return float[0] ?? NaN;
}

/** The bfloat16 bit pattern of a number, rounded through f32. */
export function numberToBf16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  const { float, bits: words } = scratch();
  float[0] = value;
  const word = words[0] ?? 0;
  return (((word + 0x7fff + ((word >>> 16) & 1)) >>> 16) & 0xffff) >>> 0;
}
