// Machine ops in the kernel interpreter, against their meaning spelled out here, to the bit.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DType } from '../../src/base/index.js';
import { parseProgram, verifyProgram } from '../../src/kernel/index.js';
import { runProgram } from '../../src/eval/index.js';
import { type TensorValue, tensorValue } from '../../src/ops/index.js';

/** fn over columns of equal length. */
function apply(
  fn: string,
  dtypes: readonly DType[],
  result: DType,
  columns: readonly (readonly (number | bigint)[])[],
): (number | bigint)[] {
  const count = columns[0]?.length ?? 0;
  const source = `program p
${dtypes.map((dtype, at) => `feed ${at} x${at}: ${dtype}[${count}]`).join('\n')}
output 0 y: ${result}[${count}]
kernel k "k" reads 0 writes 0 flops 0 {
  vector for i in 0..${count} { y[i] = ${fn}<${result}>(${dtypes.map((_, at) => `x${at}[i]`).join(', ')}) }
}`;
  const program = parseProgram(source);
  verifyProgram(program);
  const feeds = columns.map((column, at): TensorValue => tensorValue(dtypes[at] as DType, [count], column));
  return [...(runProgram(program, { feeds }).outputs[0]?.data ?? [])];
}

const one = (fn: string, dtype: DType, result: DType, ...args: (number | bigint)[]): number | bigint | undefined =>
  apply(
    fn,
    args.map(() => dtype),
    result,
    args.map((arg) => [arg]),
  )[0];

describe('machine ops', () => {
  const i32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const wide = fc.oneof(i64, fc.constantFrom(0n, -1n, 1n, -(2n ** 63n)));
  const narrow = fc.oneof(i32, fc.constantFrom(0, -1, 1, -(2 ** 31)));

  it('wraps and divides i32 and i64 as bigints do', () => {
    const meaning: Record<string, (a: bigint, b: bigint) => bigint> = {
      add: (a, b) => a + b,
      sub: (a, b) => a - b,
      mul: (a, b) => a * b,
      div: (a, b) => (b === 0n ? 0n : a / b),
      rem: (a, b) => (b === 0n ? a : a % b),
      min: (a, b) => (a < b ? a : b),
      max: (a, b) => (a > b ? a : b),
      and: (a, b) => a & b,
      or: (a, b) => a | b,
      xor: (a, b) => a ^ b,
    };
    const pairs32 = fc.sample(fc.tuple(narrow, narrow), { numRuns: 300, seed: 1 });
    const pairs64 = fc.sample(fc.tuple(wide, wide), { numRuns: 300, seed: 2 });
    for (const [fn, of] of Object.entries(meaning)) {
      const columns32 = [pairs32.map(([a]) => a), pairs32.map(([, b]) => b)];
      expect(apply(fn, ['i32', 'i32'], 'i32', columns32).map(Number)).toEqual(
        pairs32.map(([a, b]) => Number(BigInt.asIntN(32, of(BigInt(a), BigInt(b))))),
      );
      const columns64 = [pairs64.map(([a]) => a), pairs64.map(([, b]) => b)];
      expect(apply(fn, ['i64', 'i64'], 'i64', columns64)).toEqual(pairs64.map(([a, b]) => BigInt.asIntN(64, of(a, b))));
    }
    const high = pairs32.map(([a, b]) => Number(BigInt.asIntN(32, (BigInt(a >>> 0) * BigInt(b >>> 0)) >> 32n)));
    expect(apply('mulhi', ['i32', 'i32'], 'i32', [pairs32.map(([a]) => a), pairs32.map(([, b]) => b)])).toEqual(high);
  });

  it('shifts', () => {
    for (const by of [0, 1, 7, 31]) {
      expect(one('shl', 'i32', 'i32', -5, by)).toBe((-5 << by) | 0);
      expect(one('shr', 'i32', 'i32', -5, by)).toBe((-5 >>> by) | 0);
      expect(one('sar', 'i32', 'i32', -5, by)).toBe(-5 >> by);
    }
    expect(one('shr', 'i64', 'i64', -1n, 60n)).toBe(15n);
    expect(one('shl', 'i64', 'i64', 3n, 63n)).toBe(-(2n ** 63n));
    expect(one('sar', 'i64', 'i64', -9n, 1n)).toBe(-5n);
    expect(one('shl', 'u8', 'u8', 129, 1)).toBe(2);
    expect(one('not', 'u8', 'u8', 129)).toBe(126);
    expect(one('not', 'bool', 'bool', 1)).toBe(0);
    expect(one('sub', 'u8', 'u8', 1, 2)).toBe(255);
  });

  it('converts by saturating, truncating and rounding once', () => {
    expect(apply('convert', ['f32'], 'i32', [[NaN, 1.9, -1.9, 3e9, -Infinity]])).toEqual([0, 1, -1, 2147483647, -2147483648]);
    expect(apply('convert', ['f64'], 'i64', [[NaN, -2.5, 1e30, -1e30]])).toEqual([0n, -2n, 2n ** 63n - 1n, -(2n ** 63n)]);
    expect(apply('convert', ['f32'], 'u8', [[-1, 255.9, 300, NaN]])).toEqual([0, 255, 255, 0]);
    expect(apply('convert', ['i32'], 'u8', [[-1, 257]])).toEqual([255, 1]);
    expect(apply('convert', ['i64'], 'i32', [[2n ** 40n + 7n, -1n]])).toEqual([7, -1]);
    expect(apply('convert', ['f32'], 'bool', [[0, -0, NaN, 0.5]])).toEqual([0, 0, 1, 1]);
    expect(apply('convert', ['f64'], 'f16', [[1 / 3, 65519, 65520, 2 ** -25, 3 * 2 ** -25]])).toEqual([
      0.333251953125,
      65504,
      Infinity,
      0,
      2 ** -23,
    ]);
    expect(apply('convert', ['f32'], 'bf16', [[1.00390625, 1.01171875]])).toEqual([1, 1.015625]);
    // 2⁵⁴ + 2³⁰ + 1 lies just above the middle of two f32; rounding to f64 first would give the lower one.
    expect(one('convert', 'i64', 'f32', 2n ** 54n + 2n ** 30n + 1n)).toBe(2 ** 54 + 2 ** 31);
  });

  it('rounds fma once', () => {
    // The product lies in the middle of two f32; the addend is too small for a double and decides.
    const a = 1 + 2 ** -12;
    const tie = (c: number): unknown => one('fma', 'f32', 'f32', a, a, c);
    expect(tie(2 ** -60)).toBe(1 + 2 ** -11 + 2 ** -23);
    expect(tie(-(2 ** -60))).toBe(1 + 2 ** -11);
    expect(tie(0)).toBe(1 + 2 ** -11);
    expect(one('fma', 'f64', 'f64', 1 + 2 ** -30, 1 - 2 ** -30, -1)).toBe(-(2 ** -60));
    expect(one('fma', 'f64', 'f64', 1e300, 1e300, 1)).toBe(Infinity);
    // The product rounds to the middle of two doubles, and what it lost decides.
    expect(one('fma', 'f64', 'f64', 2 ** -53 * (1 + 2 ** -52), 1 - 2 ** -53, 1)).toBe(1 + 2 ** -52);
    // Where Dekker's parts would overflow, and where they lie below all doubles.
    expect(one('fma', 'f64', 'f64', (2 ** 53 - 1) * 2 ** 950, 3, -(3 * 2 ** 53 - 4) * 2 ** 950)).toBe(2 ** 950);
    expect(one('fma', 'f64', 'f64', 1.5 * 2 ** -600, 2 ** -474, 2 ** -1074)).toBe(2 ** -1073);
  });

  it('compares, picks and tells NaN apart', () => {
    const pairs = [
      [NaN, 1],
      [1, NaN],
      [1, 2],
      [2, 2],
      [-0, 0],
    ];
    const columns = [pairs.map(([a]) => a as number), pairs.map(([, b]) => b as number)];
    const compare = (fn: string): unknown => apply(fn, ['f32', 'f32'], 'bool', columns);
    expect(compare('lt')).toEqual([0, 0, 1, 0, 0]);
    expect(compare('ge')).toEqual([0, 0, 0, 1, 1]);
    expect(compare('eq')).toEqual([0, 0, 0, 1, 1]);
    expect(compare('ne')).toEqual([1, 1, 1, 0, 0]);
    expect(apply('min', ['f32', 'f32'], 'f32', columns)).toEqual([1, NaN, 1, 2, 0]);
    expect(apply('max', ['f32', 'f32'], 'f32', columns)).toEqual([1, NaN, 2, 2, 0]);
    expect(
      apply('select', ['bool', 'i64', 'i64'], 'i64', [
        [0, 1],
        [1n, 2n],
        [3n, 4n],
      ]),
    ).toEqual([3n, 2n]);
  });

  it('rounds to integers and moves signs', () => {
    expect(apply('rint', ['f64'], 'f64', [[0.5, 1.5, 2.5, -0.5, -1.5, 2 ** 52 + 1, NaN]])).toEqual([0, 2, 2, -0, -2, 2 ** 52 + 1, NaN]);
    expect(
      apply('copysign', ['f32', 'f32'], 'f32', [
        [1, -1, 2],
        [-0, 3, -4],
      ]),
    ).toEqual([-1, 1, -2]);
    expect(one('bitcast', 'f32', 'i32', 1)).toBe(0x3f800000);
    expect(one('bitcast', 'i64', 'f64', 0x3ff0000000000000n)).toBe(1);
  });

  it('takes floats apart and scales them', () => {
    const samples = [1, 0.75, 1.5, 6, 2 ** -149, 3 * 2 ** -149, 0, -0, -6, Infinity, -Infinity, NaN];
    expect(apply('exponent', ['f32'], 'f32', [samples])).toEqual([
      0,
      -1,
      0,
      2,
      -149,
      -148,
      -Infinity,
      -Infinity,
      2,
      Infinity,
      Infinity,
      NaN,
    ]);
    expect(apply('mantissa', ['f32'], 'f32', [samples])).toEqual([1, 0.75, 0.75, 0.75, 1, 0.75, 1, -1, NaN, 1, NaN, NaN]);
    expect(
      apply('scale', ['f32', 'f32'], 'f32', [
        [1, 1.5, 1.5, -1, 2, NaN],
        [-149, -149, -150, -151, 127, NaN],
      ]),
    ).toEqual([2 ** -149, 2 ** -148, 2 ** -149, -0, Infinity, NaN]);
    expect(
      apply('unlikely', ['bool', 'f32', 'f32'], 'f32', [
        [1, 0],
        [2, 3],
        [4, 5],
      ]),
    ).toEqual([2, 5]);
  });

  it('rounds every f32 operation', () => {
    expect(one('add', 'f32', 'f32', 2 ** 24, 1)).toBe(2 ** 24);
    expect(one('mul', 'f16', 'f16', 300, 300)).toBe(Infinity);
    expect(one('div', 'f32', 'f32', 1, 3)).toBe(Math.fround(1 / 3));
    expect(one('exp', 'f32', 'f32', 1)).toBe(Math.fround(Math.E));
    expect(one('maximum', 'f32', 'f32', NaN, 1)).toBe(NaN);
  });

  it('keeps i64 exact where index arithmetic may leave the safe numbers', () => {
    const source = `program p
feed 0 x: i32[1]
output 0 y: i64[1]
kernel k "k" reads 0 writes 0 flops 0 {
  for i in 0..1 {
    let a = convert<i64>(x[i])
    y[i] = a * a * a
  }
}`;
    const { outputs } = runProgram(parseProgram(source), { feeds: [tensorValue('i32', [1], [2147483647])] });
    expect(outputs[0]?.data[0]).toBe(BigInt.asIntN(64, 2147483647n ** 3n));
  });
});
