// Numbers of literals alone. In: decimals, and expressions of them. Out: what JavaScript reads of them, what exact arithmetic says, and one
// rounding to whatever dtype they meet.

import { describe, expect, test } from 'vitest';
import { dtypes, Fraction, limits, patterns, roundTo, type DType } from '../../src/base/index.js';
import { generator } from '../passes/make.js';
import { check, type Json, render, runEntry } from './support.js';

const run = (text: string, feeds: Readonly<Record<string, Json>> = {}): Json => runEntry(text, 'f', feeds)[0] as Json;
const fraction = (text: string): Fraction => Fraction.parse(text) as Fraction;

describe('a fraction', () => {
  const next = generator(7);
  const digits = (count: number): string => Array.from({ length: count }, () => Math.floor(next() * 10)).join('');
  const texts = [
    ...['0', '1', '0.1', '5e-324', '2.4703282292062327e-324', '2.4703282292062328e-324', '2.2250738585072011e-308', '9007199254740993'],
    ...['1.7976931348623157e308', '1.7976931348623159e308', '0.5', '1e23', '8.5e22', '4503599627370496.5', '4503599627370497.5'],
    ...Array.from({ length: 400 }, () => `${digits(1 + next() * 20)}.${digits(1 + next() * 20)}e${Math.floor(next() * 640 - 330)}`),
  ];
  test('is the double that JavaScript reads of its text', () => {
    for (const text of texts) expect(fraction(text).toNumber(), text).toBe(Number(text));
  });
  test('is rounded once: no value of the dtype is nearer, and of two as near ones the last bit is 0', () => {
    const neighbours = (dtype: DType, value: number): number[] => {
      if (dtype === 'f32') {
        const bits = new Uint32Array(new Float32Array([value]).buffer)[0] as number;
        return [bits - 1, bits + 1].map((one) => new Float32Array(new Uint32Array([one]).buffer)[0] as number);
      }
      const { toNumber, fromNumber } = patterns[dtype as keyof typeof patterns];
      return [-1, 1].map((step) => toNumber(fromNumber(value) + step));
    };
    const exactly = (value: number): Fraction => {
      const scaled = BigInt(Math.abs(value) * 2 ** 300) * (value < 0 ? -1n : 1n);
      return Fraction.of(scaled, 2n ** 300n) as Fraction;
    };
    for (const dtype of ['f32', 'f16', 'bf16', 'f8e4m3', 'f8e5m2'] as const) {
      for (let count = 0; count < 200; count++) {
        // Half of them are a hair away from the middle of two values, where a rounding before would decide.
        const value = roundTo(dtype, 2 ** (next() * 10 - 5));
        const [, above] = neighbours(dtype, value) as [number, number];
        const hair = Fraction.of(BigInt(Math.floor(next() * 3) - 1), 2n ** 90n) as Fraction;
        const middle = exactly(value)
          .add(exactly(above))
          ?.div(Fraction.of(2n) as Fraction)
          ?.add(hair);
        const exact = count % 2 === 0 ? (middle as Fraction) : (Fraction.of(BigInt(Math.floor(next() * 1e6)), 7n) as Fraction);
        if (exact.toNumber() > Math.min(Number(dtypes[dtype].bounds[1]), 60_000)) continue;
        const held = exact.roundTo(dtype);
        const distance = (to: number): Fraction => (exact.sub(exactly(to)) as Fraction).magnitude();
        for (const other of neighbours(dtype, held).filter((one) => Number.isFinite(one) && one > 0))
          expect(distance(held).compare(distance(other)), `${dtype} ${exact.numerator}/${exact.denominator}`).toBeLessThanOrEqual(0);
        if (count % 2 === 0 && hair.numerator === 0n) expect(held).toBe(roundTo(dtype, exact.toNumber()));
      }
    }
  });
  test('adds, divides and takes powers, and ends where it has too many digits', () => {
    const [a, b] = [fraction('0.1'), fraction('0.2')];
    expect(a.add(b)?.compare(fraction('0.3'))).toBe(0);
    expect(fraction('7').div(fraction('0'))).toBe(undefined);
    expect(a.negated().floorDiv(b)?.toNumber()).toBe(-1);
    expect(fraction('7.5').negated().mod(fraction('2'))?.toNumber()).toBe(0.5);
    expect([0.5, 1.5, 2.5, -0.5, -1.5].map((one) => (Fraction.of(BigInt(one * 2), 2n) as Fraction).rounded().toNumber())).toEqual([
      0, 2, 2, 0, -2,
    ]);
    expect(fraction('0').pow(fraction('0'))?.toNumber()).toBe(1);
    expect(fraction('0').pow(fraction('1').negated())).toBe(undefined);
    expect(fraction('1').negated().pow(fraction('123456789012345678901'))?.toNumber()).toBe(-1);
    expect(
      fraction('3')
        .pow(fraction('2').negated())
        ?.compare(Fraction.of(1n, 9n) as Fraction),
    ).toBe(0);
    expect(a.pow(b)).toBe(undefined);
    expect(fraction('1.5').pow(fraction('1e9'))).toBe(undefined);
    expect(Fraction.of(1n, 2n ** BigInt(limits.exactBits))).toBe(undefined);
    expect(Fraction.parse('1e999999999')).toBe(undefined);
  });
});

describe('literals alone', () => {
  test('are exact, and take the dtype of what they meet', () => {
    expect(
      run('const third = 1 / 3\nexport fn f(x: f64, y: f32) = (x * (third * 3), y * third * 3, x * (0.1 + 0.2))', { x: 1, y: 1 }),
    ).toEqual([1, 1, 0.3]);
    expect(
      run('export fn f(x: f64) = (x * (1e200 * 1e200 / 1e300), x * (0.1 * 3 - 0.3), x * (1.1 ** 10 - 2.5937424601))', { x: 1 }),
    ).toEqual([1e100, 0, 0]);
    // As integers, as comparisons, as sizes.
    expect(run('export fn f(n: i64): (i64, bool) = (n + i64(0.1 * 30) + (2 ** 62 - 1), 1 / 3 * 3 == 1)', { n: '1' })).toEqual([
      '4611686018427387907',
      true,
    ]);
    expect(run('export fn f(): f32[6 / 2] = ones()')).toEqual([1, 1, 1]);
  });
  test('with a name are fractions still, in every dtype', () => {
    expect(
      run('export fn f(x: f64, y: f32) {\n  let third = 1 / 3\n  let whole = third * 3\n  return (x * whole, y * third * 3)\n}', {
        x: 1,
        y: 1,
      }),
    ).toEqual([1, 1]);
    // In f32 the name is a node, by which one can derive.
    expect(run('export fn f(y: f32) {\n  let part = 1 / 4\n  let z = y * (part * part)\n  return (z, grad(z, part))\n}', { y: 2 })).toEqual(
      [0.125, 1],
    );
  });
  test('are rounded once', () => {
    // 1 + 2⁻²⁴ and a little: as a double it is the middle of two values of f32.
    expect(run('export fn f(x: f32): f32 = x * (1 + 2 ** -24 + 1e-20)', { x: 1 })).toBe(1 + 2 ** -23);
    expect(run('export fn f(x: f32): f32 = x * 1.00000005960464477539062501', { x: 1 })).toBe(1 + 2 ** -23);
    expect(run('export fn f(lr: f32 = 1.00000005960464477539062501): f32 = lr')).toBe(1 + 2 ** -23);
    expect(run('export fn f(x: f32): f32 = f32(1.00000005960464477539062501) * x', { x: 1 })).toBe(1 + 2 ** -23);
    expect(run('export fn f(x: f64): f64 = x * 36028797018963969 + 0', { x: 1 })).toBe(36028797018963968);
  });
  test('that leave the rationals are doubles, and so is what is computed of them', () => {
    expect(run('export fn f(x: f64): (f64, f64) = (x * (sqrt(2) * sqrt(2)), x * (exp(1) - exp(1)))', { x: 1 })).toEqual([
      Math.SQRT2 * Math.SQRT2,
      0,
    ]);
    expect(run('export fn f(x: f64) = (x * max(1 / 3, 0.3), x * floor(0.1 * 30), x * abs(-1 / 3), x * round(2.5))', { x: 3 })).toEqual([
      1, 9, 1, 6,
    ]);
  });
  test('of sizes and floats are numbers of what they stand beside', () => {
    expect(run('export fn f<N>(x: f64[N]) = (x * (6.28 / N), 1 / f64(N), sqrt(6 / (2 + 4)) * x)', { x: [1, 2] })).toEqual([
      [3.14, 6.28],
      0.5,
      [1, 2],
    ]);
  });
  test('of sizes and literals have no dtype until they meet one, on whichever side and with a name', () => {
    expect(
      run(
        `export fn f<N>(x: f64[N], y: f32[N]) {
          let scale = sqrt(6 / (N + 4))
          let part = -(1.0 / N) * 3
          return (scale * sum(x), part * x, y * part, 2 * (0.5 / N) * x, max(0.1 / N, 0.25) + x, f64(1 / (N + 1.0)), scale)
        }`,
        { x: [1, 3], y: [2, 4] },
      ),
    ).toEqual([4, [-1.5, -4.5], [-3, -6], [0.5, 1.5], [1.25, 3.25], 1 / 3, 1]);
    expect(run('export fn f<N>(x: f64[N]): f64 = fold a in x with s = 1.0 / N { s * a }', { x: [2, 3] })).toBe(3);
    expect(
      run('fn g<T: float>(x: T, y: T): T = x * y\nexport fn f<N>(x: f64[N]): f64 = g(1 / f64(3) * x[0], 1.0 / N)', { x: [3, 5] }),
    ).toBe(0.5);
    expect(render(check('export fn f<N>(x: i32[N]) = x * (1.0 / N)'))).toContain('dtype-mismatch');
  });
  test('keep the sign of 0, infinities and NaN', () => {
    expect(run('export fn f(x: f64) = (x / (-0.0), x * (1.0 / 0.0), x * (0.0 / 0.0) == x)', { x: 1 })).toEqual([
      -Infinity,
      Infinity,
      false,
    ]);
  });
});

describe('many digits', () => {
  test('go on as doubles, and take no time', () => {
    const started = performance.now();
    const value = run(`export fn f(x: f64): f64 = x * ((1.000000001 ** 1000) ** 1000)`, { x: 1 });
    expect(value).toBeCloseTo(1.001000499, 8);
    const list = `export fn f(x: f64): f64 = x * (fold k in [${Array.from({ length: 3000 }, (_, at) => `${at}`).join(', ')}] with z = 1.0 { z * 1.0001 + 0.1 / 7 })`;
    expect(Number.isFinite(run(list, { x: 1 }))).toBe(true);
    expect(performance.now() - started).toBeLessThan(5000);
  });
  test('of an integer are a mistake', () => {
    expect(render(check('export fn f(x: f64): f64 = x * 10 ** 400'))).toMatch(/^too-large .*\n {2}an integer of more than 1024 bits/);
    expect(render(check('export fn f(x: i64): i64 = x + 7 ** 99999999999'))).toMatch(/^too-large/);
    expect(render(check('export fn f(x: i32): i32 = x + 1 / 0'))).toMatch(/^invalid-value/);
  });
});
