// Every machine op on every dtype it has, on scalars and lanes, against its meaning in exact arithmetic.

import { afterAll, describe, expect, it } from 'vitest';
import { hostTarget } from '../../codegen/llvm/index.js';
import type { DType } from '../../src/base/index.js';
import { elements } from '../../runtime/element.js';
import { type Expr, isMachineOp, machineOps } from '../../src/kernel/index.js';
import { allocate, apply, Bench, type Data, feed, index, int, kernel, load, loop, output, program, store } from './harness.js';

const bench = new Bench();
afterAll(() => bench.close());

type Scalar = number | bigint;
interface Case {
  readonly fn: string;
  readonly from: DType;
  readonly to: DType;
  readonly arity: number;
  readonly meaning: (...args: never[]) => Scalar;
}

const floats = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  3.7,
  -3.7,
  1e30,
  -1e30,
  1e-30,
  2147483648,
  -2147483648,
  9.3e18,
  255.9,
  256,
  65504,
  NaN,
  Infinity,
  -Infinity,
  0.1,
];
const samples: Readonly<Record<DType, Scalar[]>> = {
  f32: [...floats, 1e-45, -1e-40, 1.1754943508222875e-38, 0.75, 0.7499999403953552, 1.4999998807907104, 3.4028234663852886e38].map(
    Math.fround,
  ),
  f64: [...floats, 1e300, 4.9e-300],
  f16: [],
  bf16: [],
  f8e4m3: Array.from({ length: 256 }, (_, bits) => bits),
  // All but NaNs that are not written.
  f8e5m2: Array.from({ length: 256 }, (_, bits) => bits).filter((bits) => (bits & 127) < 0x7d || (bits & 127) === 0x7f),
  i8: [0, 1, -1, 2, -2, 7, -7, 127, -128, 100],
  i16: [0, 1, -1, 2, -2, 7, -7, 15, 32767, -32768, 12345],
  u16: [0, 1, 2, 7, 15, 32767, 32768, 65534, 65535],
  u32: [0, 1, 2, 7, 31, 2147483647, 2147483648, 4294967295, 98765],
  u64: [0n, 1n, 2n, 7n, 63n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 123456789012n],
  i32: [0, 1, -1, 2, -2, 7, -7, 31, 2147483647, -2147483648, 12345, -98765],
  i64: [0n, 1n, -1n, 2n, -2n, 7n, -7n, 63n, 2n ** 63n - 1n, -(2n ** 63n), 123456789012n, -98765n, 2n ** 31n],
  u8: [0, 1, 2, 7, 127, 128, 254, 255],
  bool: [0, 1],
};
const bits = { i8: 8, i16: 16, i32: 32, i64: 64, u8: 8, u16: 16, u32: 32, u64: 64 } as const;
const integers = Object.keys(bits) as (keyof typeof bits)[];
type IntType = keyof typeof bits;

const isUnsigned = (dtype: IntType): boolean => dtype.startsWith('u');

const wrap = (dtype: IntType, value: bigint): Scalar => {
  const wrapped = isUnsigned(dtype) ? BigInt.asUintN(bits[dtype], value) : BigInt.asIntN(bits[dtype], value);
  return bits[dtype] === 64 ? wrapped : Number(wrapped);
};
const saturate = (dtype: IntType, value: number): Scalar => {
  const [low, high] = isUnsigned(dtype)
    ? [0n, 2n ** BigInt(bits[dtype]) - 1n]
    : [-(2n ** BigInt(bits[dtype] - 1)), 2n ** BigInt(bits[dtype] - 1) - 1n];
  const whole = Number.isNaN(value) ? 0n : value === Infinity ? high : value === -Infinity ? low : BigInt(Math.trunc(value));
  const held = whole < low ? low : whole > high ? high : whole;
  return bits[dtype] === 64 ? held : Number(held);
};

/** A finite number as an integer multiple of 2^-1200. */
const exact = (value: number): bigint => {
  let [scaled, shift] = [value, 1200];
  while (!Number.isInteger(scaled)) [scaled, shift] = [scaled * 2 ** 50, shift - 50];
  return BigInt(scaled) << BigInt(shift);
};
/** The f32 nearest to value · 2^-scale. */
const nearest32 = (value: bigint, scale: number): number => {
  if (value === 0n) return 0;
  const size = value < 0n ? -value : value;
  const length = size.toString(2).length;
  const drop = BigInt(Math.max(length - 24, scale - 149, 0));
  const half = drop === 0n ? 0n : 1n << (drop - 1n);
  const rest = size & ((1n << drop) - 1n);
  let kept = size >> drop;
  if (rest > half || (rest === half && half !== 0n && (kept & 1n) === 1n)) kept++;
  const result = Number(kept) * 2 ** (Number(drop) - scale);
  return Math.fround(value < 0n ? -result : result);
};
const fma32 = (a: number, b: number, c: number): number => {
  if (![a, b, c].every(Number.isFinite)) return a * b + c;
  const sum = exact(a) * exact(b) + (exact(c) << 1200n);
  return sum === 0n ? a * b + c : nearest32(sum, 2400);
};

const cases: Case[] = [];
const add = (fn: string, from: DType, to: DType, arity: number, meaning: Case['meaning']): void => {
  cases.push({ fn, from, to, arity, meaning });
};
const rounding = (x: number): number => {
  const whole = Math.floor(x);
  const near = x - whole < 0.5 ? whole : x - whole > 0.5 ? whole + 1 : whole % 2 === 0 ? whole : whole + 1;
  return Number.isFinite(x) && Math.abs(x) < 2 ** 52 ? (near === 0 ? x * 0 : near) : x;
};
for (const dtype of ['f32', 'f64'] as const) {
  const round = dtype === 'f32' ? Math.fround : (x: number): number => x;
  const binary: Record<string, (a: number, b: number) => number> = {
    add: (a, b) => round(a + b),
    sub: (a, b) => round(a - b),
    mul: (a, b) => round(a * b),
    div: (a, b) => round(a / b),
    min: (a, b) => (a < b ? a : b),
    max: (a, b) => (a > b ? a : b),
    copysign: (a, b) => (Object.is(b, -0) || b < 0 ? -Math.abs(a) : Math.abs(a)),
  };
  for (const [fn, meaning] of Object.entries(binary)) add(fn, dtype, dtype, 2, meaning);
  const unary: Record<string, (a: number) => number> = {
    neg: (a) => -a,
    abs: Math.abs,
    sqrt: (a) => round(Math.sqrt(a)),
    floor: Math.floor,
    ceil: Math.ceil,
    trunc: Math.trunc,
    rint: rounding,
  };
  for (const [fn, meaning] of Object.entries(unary)) add(fn, dtype, dtype, 1, meaning);
  add('select', dtype, dtype, 2, (a: number, b: number) => (a < b ? a : b));
  for (const to of integers) add('convert', dtype, to, 1, (a: number) => saturate(to, a));
  add('convert', dtype, 'bool', 1, (a: number) => (a !== 0 ? 1 : 0));
}
for (const dtype of ['f32', 'f64'] as const) add('unlikely', dtype, dtype, 2, (a: number, b: number) => (a < b ? a : b));
/** By halving and doubling, which are exact here. */
const split = (a: number): readonly [m: number, n: number] => {
  let [m, n] = [Math.abs(a), 0];
  for (; m >= 2; n++) m /= 2;
  for (; m < 1; n--) m *= 2;
  return [m, n];
};
add('exponent', 'f32', 'f32', 1, (a: number) => (a === 0 ? -Infinity : Number.isFinite(a) ? split(a)[1] : Math.abs(a)));
add('mantissa', 'f32', 'f32', 1, (a: number) => {
  if (a === 0 || a === Infinity) return Object.is(a, -0) ? -1 : 1;
  if (!(a > 0)) return NaN;
  const [m] = split(a);
  return m < 1.5 ? m : m / 2;
});
add('fma', 'f32', 'f32', 3, fma32);
add('convert', 'f32', 'f64', 1, (a: number) => a);
add('convert', 'f64', 'f32', 1, (a: number) => Math.fround(a));
for (const dtype of integers) {
  const width = BigInt(bits[dtype]);
  const unsigned = (a: Scalar): bigint => BigInt.asUintN(bits[dtype], BigInt(a));
  const binary: Record<string, (a: bigint, b: bigint) => bigint> = {
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
    shl: (a, b) => a << (((b % width) + width) % width),
    shr: (a, b) => unsigned(a) >> (((b % width) + width) % width),
    sar: (a, b) => BigInt.asIntN(bits[dtype], a) >> (((b % width) + width) % width),
  };
  for (const [fn, meaning] of Object.entries(binary))
    add(fn, dtype, dtype, 2, (a: Scalar, b: Scalar) => wrap(dtype, meaning(BigInt(a), BigInt(b))));
  const unary: Record<string, (a: bigint) => bigint> = { neg: (a) => -a, abs: (a) => (a < 0n ? -a : a), not: (a) => ~a };
  for (const [fn, meaning] of Object.entries(unary)) add(fn, dtype, dtype, 1, (a: Scalar) => wrap(dtype, meaning(BigInt(a))));
  for (const to of integers) if (to !== dtype) add('convert', dtype, to, 1, (a: Scalar) => wrap(to, BigInt(a)));
  add('convert', dtype, 'bool', 1, (a: Scalar) => (BigInt(a) !== 0n ? 1 : 0));
  add('convert', dtype, 'f64', 1, (a: Scalar) => Number(a));
  add('convert', dtype, 'f32', 1, (a: Scalar) => (BigInt(a) === 0n ? 0 : nearest32(BigInt(a), 0)));
}
add('mulhi', 'i32', 'i32', 2, (a: number, b: number) =>
  Number(BigInt.asIntN(32, (BigInt.asUintN(32, BigInt(a)) * BigInt.asUintN(32, BigInt(b))) >> 32n)),
);
for (const dtype of ['f32', 'f64', ...integers] as const) {
  const compare: Record<string, (a: Scalar, b: Scalar) => boolean> = {
    lt: (a, b) => a < b,
    le: (a, b) => a <= b,
    gt: (a, b) => a > b,
    ge: (a, b) => a >= b,
    eq: (a, b) => a === b,
    ne: (a, b) => a !== b,
  };
  for (const [fn, meaning] of Object.entries(compare)) add(fn, dtype, 'bool', 2, (a: Scalar, b: Scalar) => (meaning(a, b) ? 1 : 0));
}
const logic: Record<string, (a: number, b: number) => number> = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
};
for (const [fn, meaning] of Object.entries(logic)) add(fn, 'bool', 'bool', 2, meaning);
add('not', 'bool', 'bool', 1, (a: number) => 1 - a);
for (const to of ['f32', 'f64', 'i8', 'i32', 'u8', 'u16'] as const) add('convert', 'bool', to, 1, (a: number) => a);
const castView = new DataView(new ArrayBuffer(8));
add('bitcast', 'f32', 'i32', 1, (a: number) => (castView.setFloat32(0, a), castView.getInt32(0)));
add('bitcast', 'i32', 'f32', 1, (a: number) => (castView.setInt32(0, a), castView.getFloat32(0)));
add('bitcast', 'f64', 'i64', 1, (a: number) => (castView.setFloat64(0, a), castView.getBigInt64(0)));
add('bitcast', 'i64', 'f64', 1, (a: bigint) => (castView.setBigInt64(0, a), castView.getFloat64(0)));

/** Further numbers of f32 for ops of one operand. */
const aroundEightBits: number[] = [];

/** What eight bits mean, from the formats' description. */
const eightBits = {
  f8e4m3: { fraction: 3, bias: 7, special: (bits: number): number | undefined => (bits === 0x7f ? NaN : undefined) },
  f8e5m2: {
    fraction: 2,
    bias: 15,
    special: (bits: number): number | undefined => (bits < 0x7c ? undefined : bits === 0x7c ? Infinity : NaN),
  },
} as const;
for (const dtype of ['f8e4m3', 'f8e5m2'] as const) {
  const { fraction, bias, special } = eightBits[dtype];
  const valueOf = (bits: number): number => {
    const [exponent, rest] = [(bits & 127) >> fraction, (bits & ((1 << fraction) - 1)) / 2 ** fraction];
    const magnitude = special(bits & 127) ?? (exponent === 0 ? rest * 2 ** (1 - bias) : (1 + rest) * 2 ** (exponent - bias));
    return bits & 128 ? -magnitude : magnitude;
  };
  const finite = Array.from({ length: 128 }, (_, bits) => bits).filter((bits) => Number.isFinite(valueOf(bits)));
  const known = new Map<number, number>();
  const nearest = (value: number): number => {
    const sign = value < 0 || Object.is(value, -0) ? 128 : 0;
    const size = Math.abs(value);
    let bits = known.get(size);
    if (bits === undefined) known.set(size, (bits = nearestTo(size)));
    return Number.isNaN(value) ? bits : bits | sign;
  };
  const nearestTo = (size: number): number => {
    if (Number.isNaN(size)) return 0x7f;
    const distance = (bits: number): number => Math.abs(valueOf(bits) - Math.min(size, valueOf(finite.length - 1)));
    return finite.reduce((one, other) =>
      distance(other) < distance(one) || (distance(other) === distance(one) && other % 2 === 0) ? other : one,
    );
  };
  add('convert', dtype, 'f32', 1, valueOf);
  add('convert', dtype, 'f64', 1, valueOf);
  add('convert', 'f32', dtype, 1, nearest);
  add('add', dtype, dtype, 2, (a: number, b: number) => nearest(valueOf(a) + valueOf(b)));
  add('bitcast', dtype, 'u8', 1, (a: number) => a);
  // Around every number, and beside the middle of every two.
  aroundEightBits.push(
    ...finite.flatMap((bits) => [valueOf(bits), -valueOf(bits)]),
    ...finite.slice(1).flatMap((bits) => {
      const middle = (valueOf(bits) + valueOf(bits - 1)) / 2;
      return [middle, -middle, middle * (1 + 2 ** -20), middle * (1 - 2 ** -20)].map(Math.fround);
    }),
  );
}

/** NaNs of eight bits may have either sign. */
const isNaNOf = (dtype: DType, value: Scalar | undefined): boolean =>
  (dtype === 'f8e4m3' || dtype === 'f8e5m2') && Number.isNaN(elements[dtype].patterns?.toNumber(Number(value)));

const libm: Readonly<Record<string, ((...args: number[]) => number) | undefined>> = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  atan2: Math.atan2,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  pow: Math.pow,
  fmod: (a, b) => a % b,
};

function fill(dtype: DType, values: readonly Scalar[]): Data {
  const data = allocate(dtype, values.length);
  values.forEach((value, at) => {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[at] = BigInt(value);
    else data[at] = Number(value);
  });
  return data;
}

const combinations = (dtype: DType, arity: number): readonly (readonly Scalar[])[] => {
  const all = samples[dtype];
  if (arity === 1) return (dtype === 'f32' ? [...all, ...aroundEightBits] : all).map((a) => [a]);
  const pairs = all.flatMap((a) => all.map((b) => [a, b]));
  if (arity === 2) return pairs;
  // Products next to which the third operand just matters, and specials.
  const near = [1, 1 + 2 ** -12, 1 - 2 ** -23, -3, 1.0000001, 16777217, 1e-20, -0, 5.5, Infinity, NaN].map(Math.fround);
  return near.flatMap((a) =>
    near.flatMap((b) => [...near, Math.fround(-a * b), Math.fround(2 ** -24), Math.fround(-1 - 2 ** -11)].map((c) => [a, b, c])),
  );
};

const expressionOf = (one: Case, args: readonly Expr[]): Expr => {
  if (one.fn === 'select' || one.fn === 'unlikely') return apply(one.fn, one.to, apply('lt', 'bool', ...args), ...args);
  if (!['shl', 'shr', 'sar'].includes(one.fn)) return apply(one.fn, one.to, ...args);
  // Shift amounts within the width, whatever the sample.
  const width = bits[one.from as IntType];
  const mask: Expr = { kind: 'const', dtype: one.from, value: width - 1 };
  return apply(one.fn, one.to, args[0] as Expr, apply('and', one.from, args[1] as Expr, mask));
};

describe.each(['native', 'x86-64-v3', 'x86-64'])('on %s', (cpu) => {
  const target = hostTarget(cpu);
  const groups = [...new Set(cases.map((one) => `${one.from}/${one.arity}`))];

  it.each(groups)('%s operands', (group) => {
    const chosen = cases.filter((one) => `${one.from}/${one.arity}` === group);
    const first = chosen[0] as Case;
    const inputs = combinations(first.from, first.arity);
    const n = inputs.length;
    const feeds = Array.from({ length: first.arity }, (_, at) => feed(at, first.from, n));
    const i = index('i');
    const outputs = chosen.flatMap((one, at) => [output(2 * at, one.to, n), output(2 * at + 1, one.to, n)]);
    const kernels = chosen.flatMap((one, at) =>
      (['vector', 'serial'] as const).map((axis, which) =>
        kernel(`${one.fn}_${axis}`, [
          loop(axis, 'i', int(n), [
            store(
              outputs[2 * at + which] as (typeof outputs)[0],
              [i],
              expressionOf(
                one,
                feeds.map((f) => load(f, [i])),
              ),
            ),
          ]),
        ]),
      ),
    );
    const ran = bench.run(
      program(kernels, [...feeds, ...outputs]),
      {
        feeds: feeds.map((_, at) =>
          fill(
            first.from,
            inputs.map((row) => row[at] ?? 0),
          ),
        ),
      },
      target,
    );
    chosen.forEach((one, at) => {
      const expected = fill(
        one.to,
        inputs.map((row) => (one.meaning as (...args: readonly Scalar[]) => Scalar)(...row)),
      );
      for (const which of [0, 1]) {
        const actual = ran.outputs[2 * at + which] as Data;
        for (let k = 0; k < n; k++) {
          if (!Object.is(actual[k], expected[k]) && !(isNaNOf(one.to, actual[k]) && isNaNOf(one.to, expected[k])))
            expect.fail(`${one.fn}(${(inputs[k] ?? []).join(', ')}) from ${one.from} to ${one.to}: ${actual[k]} instead of ${expected[k]}`);
        }
      }
    });
  });

  it('rounds muladd once where there is an instruction for it, else twice', () => {
    const a = 1 + 2 ** -12;
    const [x, c, out] = [feed(0, 'f32', 20), feed(1, 'f32', 20), output(0, 'f32', 20)];
    const at = [index('i')];
    const ran = bench.run(
      program(
        [kernel('k', [loop('vector', 'i', int(20), [store(out, at, apply('muladd', 'f32', load(x, at), load(x, at), load(c, at)))])])],
        [x, c, out],
      ),
      { feeds: [new Float32Array(20).fill(a), new Float32Array(20).fill(-(a * a - 2 ** -24))] },
      target,
    );
    expect(new Set(ran.outputs[0] as Float32Array)).toEqual(new Set([cpu === 'x86-64' ? 0 : 2 ** -24]));
  });

  it('scales by powers of two, rounding once', () => {
    const sizes = [
      0,
      -0,
      1,
      -1,
      0.5,
      2,
      1.9999998807907104,
      0.6666666865348816,
      -1.3333333730697632,
      0.50000005960464478,
      Infinity,
      -Infinity,
      NaN,
    ].map(Math.fround);
    const powers = [
      ...Array.from({ length: 13 }, (_, at) => at * 42 - 252),
      -151,
      -150,
      -149,
      -148,
      -127,
      -126,
      -125,
      -1,
      0,
      1,
      126,
      127,
      128,
    ];
    const pairs = [...sizes.flatMap((a) => powers.map((n) => [a, n] as const)), [NaN, NaN] as const];
    const [a, n, out, one] = [feed(0, 'f32', 'N'), feed(1, 'f32', 'N'), output(0, 'f32', 'N'), output(1, 'f32', 'N')];
    const body = (['vector', 'serial'] as const).map((axis, at) =>
      loop(axis, `i${at}`, 'N', [
        store(at === 0 ? out : one, [index(`i${at}`)], apply('scale', 'f32', load(a, [index(`i${at}`)]), load(n, [index(`i${at}`)]))),
      ]),
    );
    const ran = bench.run(
      program([kernel('k', body)], [a, n, out, one], ['N']),
      { feeds: [0, 1].map((at) => Float32Array.from(pairs, (pair) => pair[at] ?? 0)), dims: { N: pairs.length } },
      target,
    );
    for (const data of ran.outputs)
      pairs.forEach(([x, power], at) => expect(data[at], `scale(${x}, ${power})`).toBe(Math.fround(x * 2 ** power)));
  });

  it('calls libm for f64, lane by lane', () => {
    const names = Object.keys(machineOps).filter((fn) => fn.startsWith('libm_'));
    const values = [-2.5, -1, -0.75, -0, 0, 0.1, 0.5, 1, 1.5, 3, 20, NaN, Infinity];
    const [x, y] = [feed(0, 'f64', values.length), feed(1, 'f64', values.length)];
    const outputs = names.map((_, at) => output(at, 'f64', values.length));
    const i = index('i');
    const kernels = names.map((fn, at) =>
      kernel(fn, [
        loop('vector', 'i', values.length, [
          store(
            outputs[at] as (typeof outputs)[0],
            [i],
            apply(fn, 'f64', ...[x, y].slice(0, isMachineOp(fn) ? machineOps[fn].arity : 0).map((buffer) => load(buffer, [i]))),
          ),
        ]),
      ]),
    );
    const second = values.map((v) => v * 0.5 + 1);
    const ran = bench.run(program(kernels, [x, y, ...outputs]), { feeds: [Float64Array.from(values), Float64Array.from(second)] }, target);
    names.forEach((fn, at) => {
      const meaning = libm[fn.slice('libm_'.length)];
      const actual = ran.outputs[at] as Float64Array;
      if (meaning === undefined) {
        expect(fn).toBe('libm_erf');
        expect(actual[5]).toBeCloseTo(0.1124629160182849, 15);
        expect(actual[7]).toBeCloseTo(0.8427007929497149, 15);
        expect(actual[12]).toBe(1);
        return;
      }
      values.forEach((value, k) => {
        const wanted = meaning(value, second[k] ?? 0);
        const got = actual[k] ?? NaN;
        // C says pow(1, anything) = 1 and pow(-1, ±∞) = 1 where JavaScript says NaN.
        if (fn === 'libm_pow' && Number.isNaN(wanted) && got === 1) return;
        if (!Object.is(got, wanted) && !(Math.abs(got - wanted) <= 1e-14 * Math.abs(wanted)))
          expect.fail(`${fn}(${value}, ${second[k]}): ${got} instead of ${wanted}`);
      });
    });
  });

  it('reads and writes 16-bit floats, rounding to nearest even', () => {
    const decode = { f16: decodeHalf, bf16: decodeBrain } as const;
    for (const dtype of ['f16', 'bf16'] as const) {
      const patterns = Uint16Array.from({ length: 65536 }, (_, at) => at);
      const [half, wide, x, packed, doubled] = [
        feed(0, dtype, 65536),
        output(0, 'f32', 65536),
        feed(1, 'f32', 'N'),
        output(1, dtype, 'N'),
        output(2, dtype, 65536),
      ];
      const i = index('i');
      const body = [
        loop('vector', 'i', 65536, [store(wide, [i], apply('convert', 'f32', load(half, [i])))]),
        loop('vector', 'j', 'N', [store(packed, [index('j')], apply('convert', dtype, load(x, [index('j')])))]),
        loop('vector', 'k', 65536, [
          store(doubled, [index('k')], apply('add', dtype, load(half, [index('k')]), { kind: 'const', dtype, value: 1 })),
        ]),
      ];
      const finite = Array.from(patterns).filter((p) => Number.isFinite(decode[dtype](p)));
      // Every number of the format, and the middles between neighbours with a little to either side.
      const positive = finite
        .map(decode[dtype])
        .filter((v) => v >= 0)
        .sort((a, b) => a - b);
      const between = positive
        .slice(0, -1)
        .map((v, at) => (v + (positive[at + 1] ?? v)) / 2)
        .filter((v) => v > 2 ** -126 || v === 0);
      const large = dtype === 'f16' ? [65519.99, 65520, 65536, 1e10, Infinity] : [3.4e38, Infinity];
      const list = Float32Array.from([
        ...between,
        ...between.map((v) => v * (1 + 2 ** -22)),
        ...between.map((v) => -v * (1 - 2 ** -22)),
        ...large,
        -0,
        NaN,
      ]);
      const ran = bench.run(
        program([kernel('k', body)], [half, wide, x, packed, doubled], ['N']),
        { feeds: [patterns, list], dims: { N: list.length } },
        target,
      );
      const [asF32, asHalf, sums] = ran.outputs as [Float32Array, Uint16Array, Uint16Array];
      for (const p of patterns)
        if (!Object.is(asF32[p], decode[dtype](p))) expect.fail(`${dtype} ${p}: ${asF32[p]} instead of ${decode[dtype](p)}`);
      const encode = encoder(decode[dtype]);
      list.forEach((value, at) => {
        const wanted = decode[dtype](encode(value));
        const got = decode[dtype](asHalf[at] ?? 0);
        if (!Object.is(got, wanted)) expect.fail(`${value} as ${dtype}: ${got} instead of ${wanted}`);
      });
      for (const p of patterns) {
        const wanted = decode[dtype](encode(Math.fround(decode[dtype](p) + 1)));
        if (!Object.is(decode[dtype](sums[p] ?? 0), wanted)) expect.fail(`${decode[dtype](p)} + 1 in ${dtype}`);
      }
    }
  });
});

function decodeHalf(pattern: number): number {
  const [sign, exponent, mantissa] = [pattern >> 15 === 1 ? -1 : 1, (pattern >> 10) & 31, pattern & 1023];
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
}

function decodeBrain(pattern: number): number {
  castView.setUint32(0, pattern * 65536);
  return castView.getFloat32(0);
}

/** The nearest pattern by search among all of them; beyond the largest by half a step, infinity. */
function encoder(decode: (pattern: number) => number): (value: number) => number {
  const patterns = Array.from({ length: 32768 }, (_, at) => at).filter((p) => Number.isFinite(decode(p)));
  const values = patterns.map(decode);
  const last = values.length - 1;
  const limit = (values[last] ?? 0) + ((values[last] ?? 0) - (values[last - 1] ?? 0)) / 2;
  return (value) => {
    const sign = value < 0 || Object.is(value, -0) ? 32768 : 0;
    const size = Math.abs(value);
    if (Number.isNaN(size)) return 0x7fff;
    if (size >= limit) return sign + last + 1;
    let [low, high] = [0, last];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((values[middle] ?? 0) <= size) low = middle;
      else high = middle;
    }
    const [under, over] = [size - (values[low] ?? 0), (values[high] ?? 0) - size];
    return sign + (under < over || (under === over && low % 2 === 0) ? low : high);
  };
}
