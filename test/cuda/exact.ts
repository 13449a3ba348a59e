// Exact arithmetic on binary fractions, to compare roundings with. In: numbers. Out: sums and products without rounding, and the number of
// a format next to them. Holds: nothing here goes through a floating-point operation.

export interface Exact {
  readonly m: bigint;
  readonly e: number;
}

export interface Format {
  /** Bits of the significand, with the leading one. */
  readonly bits: number;
  readonly least: number;
  readonly most: number;
}

export const f16: Format = { bits: 11, least: -14, most: 15 };
export const bf16: Format = { bits: 8, least: -126, most: 127 };
export const tf32: Format = { bits: 11, least: -126, most: 127 };
export const f32: Format = { bits: 24, least: -126, most: 127 };

export type Rounding = 'rn' | 'rz' | 'rm' | 'rp' | 'rna';

export function exact(x: number): Exact {
  const bits = new BigUint64Array(new Float64Array([x]).buffer)[0]!;
  const exponent = Number((bits >> 52n) & 2047n);
  const fraction = bits & ((1n << 52n) - 1n);
  const m = exponent === 0 ? fraction : fraction | (1n << 52n);
  return { m: bits >> 63n === 1n ? -m : m, e: Math.max(exponent, 1) - 1075 };
}

export const times = (a: Exact, b: Exact): Exact => ({ m: a.m * b.m, e: a.e + b.e });

export function plus(a: Exact, b: Exact): Exact {
  const e = Math.min(a.e, b.e);
  return { m: (a.m << BigInt(a.e - e)) + (b.m << BigInt(b.e - e)), e };
}

/** The number of the format that the mode gives, as a number of 64 bits. */
export function round(x: Exact, format: Format, mode: Rounding): number {
  if (x.m === 0n) return 0;
  const negative = x.m < 0n;
  const size = negative ? -x.m : x.m;
  const width = size.toString(2).length;
  const exponent = Math.max(width - 1 + x.e, format.least);
  const unit = exponent - format.bits + 1;
  const shift = unit - x.e;
  let whole = shift > 0 ? size >> BigInt(shift) : size << BigInt(-shift);
  if (shift > 0) {
    const rest = size & ((1n << BigInt(shift)) - 1n);
    const half = 1n << BigInt(shift - 1);
    const up =
      mode === 'rn'
        ? rest > half || (rest === half && (whole & 1n) === 1n)
        : mode === 'rna'
          ? rest >= half
          : mode === 'rz'
            ? false
            : rest > 0n && (mode === 'rp') !== negative;
    if (up) whole += 1n;
  }
  const largest =
    ((1n << BigInt(format.bits)) - 1n) << BigInt(format.most - format.bits + 1 - Math.min(unit, format.most - format.bits + 1));
  const beyond = unit >= format.most - format.bits + 1 && whole << BigInt(unit - (format.most - format.bits + 1)) > largest;
  const sign = negative ? -1 : 1;
  if (beyond) {
    const infinite = mode === 'rn' || mode === 'rna' || (mode !== 'rz' && (mode === 'rp') !== negative);
    return sign * (infinite ? Infinity : (2 - 2 ** (1 - format.bits)) * 2 ** format.most);
  }
  return sign * Number(whole) * 2 ** unit;
}
