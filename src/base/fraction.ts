// Exact numbers. In: decimals as they are written, integers, arithmetic on them. Out: fractions, and what a dtype holds of them.
// Holds: numerator and denominator share no factor, and the denominator is positive; what would have more than `limits.exactBits` bits is
// undefined, and goes on as a double. A fraction is rounded once, whatever dtype it meets.

import type { DType } from './dtype.js';
import { limits } from './limits.js';
import { roundTo } from './rounding.js';

export class Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;

  private constructor(numerator: bigint, denominator: bigint) {
    this.numerator = numerator;
    this.denominator = denominator;
  }

  /** The quotient of two integers; undefined when it has too many digits, or the second one is 0. */
  static of(numerator: bigint, denominator = 1n): Fraction | undefined {
    if (denominator === 0n || isLong(numerator) || isLong(denominator)) return undefined;
    if (denominator === 1n) return new Fraction(numerator, 1n);
    const common = commonDivisor(numerator, denominator) * (denominator < 0n ? -1n : 1n);
    return new Fraction(numerator / common, denominator / common);
  }

  /** A decimal such as `12`, `0.1` or `2.5e-3`; undefined when it has too many digits. */
  static parse(text: string): Fraction | undefined {
    const [, whole = '', behind = '', power = '0'] = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
    const exponent = Number(power) - behind.length;
    if (whole === '' || whole.length + behind.length > limits.exactBits || Math.abs(exponent) > limits.exactBits) return undefined;
    const digits = BigInt(whole + behind);
    return exponent < 0 ? Fraction.of(digits, 10n ** BigInt(-exponent)) : Fraction.of(digits * 10n ** BigInt(exponent));
  }

  /** How many bits both parts have together, about: what arithmetic on it costs. */
  get bits(): number {
    return bitsOf(this.numerator) + bitsOf(this.denominator);
  }

  get isInteger(): boolean {
    return this.denominator === 1n;
  }

  add(other: Fraction): Fraction | undefined {
    return Fraction.of(this.numerator * other.denominator + other.numerator * this.denominator, this.denominator * other.denominator);
  }

  sub(other: Fraction): Fraction | undefined {
    return this.add(other.negated());
  }

  mul(other: Fraction): Fraction | undefined {
    return Fraction.of(this.numerator * other.numerator, this.denominator * other.denominator);
  }

  /** Undefined for a division by 0 as well. */
  div(other: Fraction): Fraction | undefined {
    return Fraction.of(this.numerator * other.denominator, this.denominator * other.numerator);
  }

  /** The quotient rounded down. */
  floorDiv(other: Fraction): Fraction | undefined {
    return this.div(other)?.floor();
  }

  /** What a division that rounds down leaves: it has the sign of the divisor. */
  mod(other: Fraction): Fraction | undefined {
    const times = this.floorDiv(other)?.mul(other);
    return times === undefined ? undefined : this.sub(times);
  }

  floor(): Fraction {
    const rest = this.numerator % this.denominator;
    return new Fraction((this.numerator - rest) / this.denominator - (rest < 0n ? 1n : 0n), 1n);
  }

  /** The nearest integer, ties to even. */
  rounded(): Fraction {
    const low = this.floor();
    const twice = 2n * (this.numerator - low.numerator * this.denominator);
    const isUp = twice > this.denominator || (twice === this.denominator && low.numerator % 2n !== 0n);
    return new Fraction(low.numerator + (isUp ? 1n : 0n), 1n);
  }

  /** Without what stands behind the point. */
  truncated(): Fraction {
    return new Fraction(this.numerator / this.denominator, 1n);
  }

  /** A whole power; undefined where the exponent is none, and for 0 to a negative one. */
  pow(exponent: Fraction): Fraction | undefined {
    if (!exponent.isInteger) return undefined;
    const times = exponent.numerator < 0n ? -exponent.numerator : exponent.numerator;
    const [a, b] = exponent.numerator < 0n ? [this.denominator, this.numerator] : [this.numerator, this.denominator];
    if (times === 0n) return Fraction.of(1n);
    // 0 and 1 stay what they are, however often they are multiplied.
    const growth = BigInt(Math.max(bitsOf(a), bitsOf(b)) - 1);
    if (growth <= 0n) return Fraction.of(times % 2n === 0n ? a * a : a, b);
    return times * growth > BigInt(limits.exactBits) ? undefined : Fraction.of(a ** times, b ** times);
  }

  negated(): Fraction {
    return new Fraction(-this.numerator, this.denominator);
  }

  magnitude(): Fraction {
    return this.numerator < 0n ? this.negated() : this;
  }

  /** Below 0, 0 or above 0, as this one is less than, equal to or more than the other. */
  compare(other: Fraction): number {
    const difference = this.numerator * other.denominator - other.numerator * this.denominator;
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }

  /** The nearest double. */
  toNumber(): number {
    return this.isInteger ? Number(this.numerator) : scaled(this, 'nearest');
  }

  /** What a float dtype holds of it. */
  roundTo(dtype: DType): number {
    // A double that a narrower float is rounded from must not be rounded itself: what it does not hold sticks to its last bit.
    return dtype === 'f64' ? this.toNumber() : roundTo(dtype, scaled(this, 'sticky'));
  }
}

const bitsOf = (integer: bigint): number => {
  const hexadecimal = (integer < 0n ? -integer : integer).toString(16);
  return hexadecimal.length * 4 - Math.clz32(Number.parseInt(hexadecimal.charAt(0), 16)) + 28;
};

const widest = 1n << BigInt(limits.exactBits);
const isLong = (integer: bigint): boolean => integer >= widest || integer <= -widest;

function commonDivisor(a: bigint, b: bigint): bigint {
  let [more, less] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (less > 0n) [more, less] = [less, more % less];
  return more;
}

/** Bits that a double has at most; below `least` it has fewer. */
const precision = 53;
const least = -1074;
const greatest = 971;

/** A double: the nearest one, ties to even; or the one below in magnitude, whose last bit is set where something was left out. */
function scaled({ numerator, denominator }: Fraction, rounding: 'nearest' | 'sticky'): number {
  if (numerator === 0n) return 0;
  const magnitude = numerator < 0n ? -numerator : numerator;
  // The quotient has 53 or 54 bits, of which `unit` is the last one's exponent.
  let unit = Math.max(bitsOf(magnitude) - bitsOf(denominator) - precision, least);
  const parts = (): readonly [whole: bigint, rest: bigint, of: bigint] => {
    const above = unit < 0 ? magnitude << BigInt(-unit) : magnitude;
    const below = unit > 0 ? denominator << BigInt(unit) : denominator;
    return [above / below, above % below, below];
  };
  let [whole, rest, of] = parts();
  if (bitsOf(whole) > precision) {
    unit += 1;
    [whole, rest, of] = parts();
  }
  const isUp = rounding === 'sticky' ? rest > 0n && (whole & 1n) === 0n : 2n * rest > of || (2n * rest === of && (whole & 1n) === 1n);
  const kept = Number(isUp ? whole + 1n : whole);
  // A power of two below 2⁻¹⁰⁷⁴ or above 2¹⁰²³ is no double; the product is exact in two steps, for `kept` has no more bits than fit.
  const value = unit > greatest ? Infinity : unit < -1000 ? kept * 2 ** (unit + 100) * 2 ** -100 : kept * 2 ** unit;
  return numerator < 0n ? -value : value;
}
