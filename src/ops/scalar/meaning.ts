// Scalar functions that JavaScript lacks or defines otherwise than NumPy. In: doubles or bigints. Out: doubles, accurate to about 1e-15, or
// bigints.

/** As C's `pow`: 1 for base 1 or exponent 0 whatever the other is, also for base −1 and an infinite exponent. */
export function power(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && Math.abs(exponent) === Infinity)) return 1;
  return base ** exponent;
}

/** Exponents count modulo 2⁶⁴ of the result: only the low 64 bits of the power are right, which is all that wrapping keeps. */
export function integerPower(base: bigint, exponent: bigint): bigint {
  if (exponent < 0n) {
    if (base === 1n) return 1n;
    return base === -1n ? (exponent % 2n === 0n ? 1n : -1n) : 0n;
  }
  let result = 1n;
  for (let [square, left] = [base, exponent]; left > 0n; left >>= 1n) {
    if (left & 1n) result = BigInt.asIntN(64, result * square);
    square = BigInt.asIntN(64, square * square);
  }
  return result;
}

/** To nearest, ties to even. */
export function roundEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  const rounded = rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
  // Infinity − Infinity is NaN, and −0.3 must give −0.
  return Number.isFinite(x) ? (rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : rounded) : x;
}

/** Abramowitz and Stegun 7.1.6 (all terms positive) up to 3, then the continued fraction 7.1.14 of erfc. */
export function erf(x: number): number {
  const t = Math.abs(x);
  if (Number.isNaN(x) || t === 0) return x;
  if (t > 6) return Math.sign(x);
  if (t < 3) {
    let term = t;
    let sum = t;
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= (2 * t * t) / (2 * n + 1);
      sum += term;
    }
    return Math.sign(x) * sum * Math.exp(-t * t) * (2 / Math.sqrt(Math.PI));
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (t + fraction);
  return Math.sign(x) * (1 - Math.exp(-t * t) / (Math.sqrt(Math.PI) * (t + fraction)));
}

/** 1 / (1 + e⁻ˣ), without overflow. */
export function sigmoid(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

const isNegative = (x: number): boolean => x < 0 || Object.is(x, -0);

/** a − b · ⌊a / b⌋ with one rounding: it has the sign of b, as in Python and NumPy. */
export function floorModulo(a: number, b: number): number {
  const size = Math.abs(a) % Math.abs(b);
  const value = size === 0 || isNegative(a) === isNegative(b) || Number.isNaN(size) ? size : Math.abs(b) - size;
  return isNegative(b) ? -value : value;
}

/** A divisor of 0 gives a, which is 0 · 0 + a. */
export function integerModulo(a: bigint, b: bigint): bigint {
  const rest = b === 0n ? a : a % b;
  return b !== 0n && rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest;
}

/** Rounded down; 0 for a divisor of 0. */
export const integerFloorDivide = (a: bigint, b: bigint): bigint => (b === 0n ? 0n : (a - integerModulo(a, b)) / b);
