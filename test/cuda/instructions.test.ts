// Instructions of PTX at edge values, against exact arithmetic. In: operands where rounding, wrapping, clamping or NaNs matter. Out: the
// bits that the PTX ISA asks for. Holds: references are computed with whole numbers of any size (exact.ts), never by the same operation.

import { expect, test } from 'vitest';
import { bf16, exact, f16, f32, plus, round, type Format, type Rounding, tf32, times } from './exact.js';
import { evaluate, type Instruction, product, type Type, type Value } from './instructions.js';

interface Case extends Instruction {
  readonly expected: (...operands: Value[]) => Value;
}

const one = (text: string, result: Type, sources: readonly Type[], rows: readonly Value[][], expected: (...o: Value[]) => Value): Case => ({
  text,
  result,
  sources,
  rows,
  expected,
});

/** All at once: a process for a table. */
function check(cases: readonly Case[]): void {
  const found = evaluate(cases);
  for (const [i, { text, rows, expected }] of cases.entries())
    for (const [lane, row] of rows.entries()) {
      const right = expected(...row);
      const got = found[i]![lane]!;
      if (!Object.is(got, right)) expect.fail(`${text} of ${row.join(', ')}: ${got}, not ${right}`);
    }
}

const numbers32 = [0, -0, 1, -1, 1 / 3, -2 / 3, 1e-40, -1e-45, 3e38, -3e38, 1.5, 2 ** -126, 2 ** 24 + 2, 1e10, Infinity, NaN].map(
  Math.fround,
);
const finite32 = numbers32.filter(Number.isFinite);
const n = Number;

test('f32 is rounded as the mode says', () => {
  const modes: Rounding[] = ['rn', 'rz', 'rm', 'rp'];
  const nonZero = finite32.filter((x) => x !== 0);
  const rounded = (x: ReturnType<typeof exact>, mode: Rounding): number => Math.fround(round(x, f32, mode));
  check(
    modes.flatMap((mode) => [
      one(
        `add.${mode}.f32 %d, %a, %b;`,
        'f32',
        ['f32', 'f32'],
        product(nonZero, nonZero).filter(([a, b]) => n(a) !== -n(b!)),
        (a, b) => rounded(plus(exact(n(a)), exact(n(b))), mode),
      ),
      one(`mul.${mode}.f32 %d, %a, %b;`, 'f32', ['f32', 'f32'], product(nonZero, nonZero), (a, b) => {
        const made = rounded(times(exact(n(a)), exact(n(b))), mode);
        return made === 0 ? Math.sign(n(a)) * Math.sign(n(b)) * 0 : made;
      }),
      one(
        `fma.${mode}.f32 %d, %a, %b, %c;`,
        'f32',
        ['f32', 'f32', 'f32'],
        product(nonZero, nonZero, nonZero).filter((row) => plus(times(exact(n(row[0])), exact(n(row[1]!))), exact(n(row[2]!))).m !== 0n),
        (a, b, c) => {
          const made = rounded(plus(times(exact(n(a)), exact(n(b))), exact(n(c))), mode);
          return made === 0 ? (plus(times(exact(n(a)), exact(n(b))), exact(n(c))).m < 0n ? -0 : 0) : made;
        },
      ),
    ]),
  );
});

test('f32 flushes, saturates, and treats NaN and signed zeros as PTX does', () => {
  const flush = (x: number): number => (Math.abs(x) < 2 ** -126 ? (Object.is(Math.sign(x), -0) || x < 0 ? -0 : 0) : x);
  const least = (a: number, b: number): number => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.min(a, b));
  const pairs = product(numbers32, numbers32);
  check([
    one('add.ftz.f32 %d, %a, %b;', 'f32', ['f32', 'f32'], pairs, (a, b) => flush(Math.fround(flush(n(a)) + flush(n(b))))),
    one('mul.ftz.f32 %d, %a, %b;', 'f32', ['f32', 'f32'], pairs, (a, b) => flush(Math.fround(flush(n(a)) * flush(n(b))))),
    one('add.sat.f32 %d, %a, %b;', 'f32', ['f32', 'f32'], pairs, (a, b) => {
      const sum = Math.fround(n(a) + n(b));
      return sum > 0 ? Math.min(sum, 1) : 0;
    }),
    one('min.f32 %d, %a, %b;', 'f32', ['f32', 'f32'], pairs, (a, b) => least(n(a), n(b))),
    one('max.f32 %d, %a, %b;', 'f32', ['f32', 'f32'], pairs, (a, b) => -least(-n(a), -n(b))),
    one('min.NaN.f32 %d, %a, %b;', 'f32', ['f32', 'f32'], pairs, (a, b) => Math.min(n(a), n(b))),
    one('max.NaN.f32 %d, %a, %b;', 'f32', ['f32', 'f32'], pairs, (a, b) => Math.max(n(a), n(b))),
    one('div.rn.f32 %d, %a, %b;', 'f32', ['f32', 'f32'], pairs, (a, b) => Math.fround(n(a) / n(b))),
    one('sqrt.rn.f32 %d, %a;', 'f32', ['f32'], product(numbers32), (a) => Math.fround(Math.sqrt(n(a)))),
    one('rcp.rn.f32 %d, %a;', 'f32', ['f32'], product(numbers32), (a) => Math.fround(1 / n(a))),
    one('neg.f32 %d, %a;', 'f32', ['f32'], product(numbers32), (a) => -n(a)),
    one('abs.f32 %d, %a;', 'f32', ['f32'], product(numbers32), (a) => Math.abs(n(a))),
    one('copysign.f32 %d, %a, %b;', 'f32', ['f32', 'f32'], product(finite32, finite32), (a, b) => {
      const negative = n(a) < 0 || Object.is(n(a), -0);
      return negative ? -Math.abs(n(b)) : Math.abs(n(b));
    }),
    one('ex2.approx.ftz.f32 %d, %a;', 'f32', ['f32'], product([0, 1, -1, 10, 127, 128, -150, Infinity, -Infinity, NaN]), (a) =>
      flush(Math.fround(2 ** n(a))),
    ),
    one('lg2.approx.f32 %d, %a;', 'f32', ['f32'], product([1, 2, 0.25, 2 ** 100, 0, -1, Infinity]), (a) => Math.log2(n(a))),
  ]);
});

test('f16 and bf16 round once', () => {
  const values = [1, -1, 1 / 3, 2 / 3, 1e-3, 65504, -60000, 2 ** -24, 3 * 2 ** -24, 2 ** -14, 1.0009765625, 2049, 0.333251953125];
  const formats: [Type, Format][] = [
    ['f16', f16],
    ['bf16', bf16],
  ];
  check(
    formats.flatMap(([type, format]) => {
      const some = [...new Set(values.map((x) => round(exact(x), format, 'rn')))].filter((x) => x !== 0 && Number.isFinite(x));
      const made = (x: ReturnType<typeof exact>): number => round(x, format, 'rn');
      const nonZero = (rows: Value[][]): Value[][] =>
        rows.filter((row) => plus(times(exact(n(row[0]!)), exact(n(row[1]!))), exact(n(row[2] ?? 0))).m !== 0n);
      return [
        one(
          `add.rn.${type} %d, %a, %b;`,
          type,
          [type, type],
          product(some, some).filter(([a, b]) => n(a!) !== -n(b!)),
          (a, b) => made(plus(exact(n(a)), exact(n(b)))),
        ),
        one(`mul.rn.${type} %d, %a, %b;`, type, [type, type], product(some, some), (a, b) => {
          const result = made(times(exact(n(a)), exact(n(b))));
          return result === 0 ? n(a) * n(b) * 0 : result;
        }),
        one(`fma.rn.${type} %d, %a, %b, %c;`, type, [type, type, type], nonZero(product(some, some, some)), (a, b, c) =>
          made(plus(times(exact(n(a)), exact(n(b))), exact(n(c)))),
        ),
      ];
    }),
  );
});

test('conversions round, clamp and saturate', () => {
  const reals = [0, 0.5, 1.5, 2.5, -0.5, -1.5, 2 ** 31, -(2 ** 31) - 300, 2 ** 32, 3e9, -1, 255.5, 256, 1e20, NaN, -Infinity];
  const even = (x: number): number => {
    const down = Math.floor(x);
    return x - down > 0.5 || (x - down === 0.5 && down % 2 !== 0) ? down + 1 : down;
  };
  const clamp = (x: number, least: number, most: number): number => (Number.isNaN(x) ? 0 : Math.min(Math.max(x, least), most) + 0);
  const fractions = [
    1,
    1 / 3,
    1.0009765625,
    1 + 2 ** -9,
    1 + 3 * 2 ** -9,
    65519,
    65520,
    2 ** -25,
    3 * 2 ** -25,
    2 ** -14 - 2 ** -25,
    -7.77,
  ];
  const wide = [0n, 1n, (1n << 53n) + 1n, (1n << 62n) + (1n << 38n) + 1n, (1n << 64n) - 1n, 1n << 63n];
  const modes: Rounding[] = ['rn', 'rz', 'rm', 'rp'];
  check([
    one('cvt.rni.s32.f32 %d, %a;', 's32', ['f32'], product(reals), (a) => clamp(even(Math.fround(n(a))), -(2 ** 31), 2 ** 31 - 1)),
    one('cvt.rzi.u32.f32 %d, %a;', 'u32', ['f32'], product(reals), (a) => clamp(Math.trunc(Math.fround(n(a))), 0, 2 ** 32 - 1)),
    one('cvt.rmi.f32.f32 %d, %a;', 'f32', ['f32'], product(reals), (a) => Math.floor(Math.fround(n(a)))),
    one('cvt.rzi.s64.f64 %d, %a;', 's64', ['f64'], product(reals), (a) =>
      Number.isNaN(n(a)) || n(a) === -Infinity ? -(1n << 63n) : n(a) > 2 ** 63 ? (1n << 63n) - 1n : BigInt(Math.trunc(n(a))),
    ),
    one('cvt.sat.f32.f32 %d, %a;', 'f32', ['f32'], product(reals), (a) => clamp(Math.fround(n(a)), 0, 1)),
    ...modes.map((mode) =>
      one(`cvt.${mode}.f16.f32 %d, %a;`, 'f16', ['f32'], product(fractions), (a) => round(exact(Math.fround(n(a))), f16, mode) + 0),
    ),
    one('cvt.rn.bf16.f32 %d, %a;', 'bf16', ['f32'], product(fractions), (a) => round(exact(Math.fround(n(a))), bf16, 'rn')),
    one('{ .reg .b32 %x; cvt.rna.tf32.f32 %x, %a; mov.b32 %d, %x; }', 'f32', ['f32'], product(fractions), (a) =>
      round(exact(Math.fround(n(a))), tf32, 'rna'),
    ),
    ...modes.map((mode) => one(`cvt.${mode}.f32.f64 %d, %a;`, 'f32', ['f64'], product(fractions), (a) => round(exact(n(a)), f32, mode))),
    ...modes.map((mode) =>
      one(`cvt.${mode}.f32.u64 %d, %a;`, 'f32', ['u64'], product(wide), (a) => round({ m: BigInt(a), e: 0 }, f32, mode)),
    ),
    one('cvt.f32.f16 %d, %a;', 'f32', ['f16'], product([...fractions, Infinity, NaN]), (a) => round16(n(a))),
    one('cvt.s32.s16 %d, %a;', 's32', ['s16'], product([-1, 32767, -32768]), (a) => a),
    one('cvt.u16.u32 %d, %a;', 'u16', ['u32'], product([65536, 65537, 4]), (a) => n(a) % 65536),
    one('cvt.sat.s16.s32 %d, %a;', 's16', ['s32'], product([65536, -65537, 4]), (a) => clamp(n(a), -32768, 32767)),
    one('cvt.s64.s32 %d, %a;', 's64', ['s32'], product([-5, 7]), (a) => BigInt(a)),
    one('cvt.s8.s32 %d, %a;', 's32', ['s32'], product([200, 127, -129]), (a) => new Int8Array([n(a)])[0]!),
  ]);
});

const round16 = (x: number): number => (Number.isFinite(x) ? round(exact(x), f16, 'rn') : x);

test('whole numbers wrap, and shifts and fields clamp', () => {
  const some = [0, 1, 2, 31, 32, 33, 0x7fffffff, 0x80000000, 0xffffffff, 0x12345678];
  const wide = [0n, 1n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n, 0x123456789abcdefn];
  const pairs = product(some, some);
  const u = (x: number): number => x >>> 0;
  const s = (x: number): number => x | 0;
  const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
  const bits = (x: number): string => u(x).toString(2).padStart(32, '0');
  const b = (x: Value): bigint => BigInt(x);
  check([
    one('add.u32 %d, %a, %b;', 'u32', ['u32', 'u32'], pairs, (x, y) => u(n(x) + n(y))),
    one('mul.lo.u32 %d, %a, %b;', 'u32', ['u32', 'u32'], pairs, (x, y) => u(Math.imul(n(x), n(y)))),
    one('mul.hi.u32 %d, %a, %b;', 'u32', ['u32', 'u32'], pairs, (x, y) => Number((b(x) * b(y)) >> 32n)),
    one('mul.hi.s32 %d, %a, %b;', 's32', ['s32', 's32'], pairs, (x, y) => Number((b(s(n(x))) * b(s(n(y)))) >> 32n)),
    one('mul.wide.s32 %d, %a, %b;', 's64', ['s32', 's32'], pairs, (x, y) => b(s(n(x))) * b(s(n(y)))),
    one('mul.hi.u64 %d, %a, %b;', 'u64', ['u64', 'u64'], product(wide, wide), (x, y) => (b(x) * b(y)) >> 64n),
    one('mad.lo.s32 %d, %a, %b, 7;', 's32', ['s32', 's32'], pairs, (x, y) => s(Math.imul(n(x), n(y)) + 7)),
    one(
      'div.s32 %d, %a, %b;',
      's32',
      ['s32', 's32'],
      pairs.filter(([, y]) => y !== 0),
      (x, y) => s(Math.trunc(s(n(x)) / s(n(y)))),
    ),
    one(
      'rem.s32 %d, %a, %b;',
      's32',
      ['s32', 's32'],
      pairs.filter(([, y]) => y !== 0),
      (x, y) => s(s(n(x)) % s(n(y))),
    ),
    one(
      'div.u64 %d, %a, %b;',
      'u64',
      ['u64', 'u64'],
      product(wide, wide).filter(([, y]) => y !== 0n),
      (x, y) => b(x) / b(y),
    ),
    one('min.s32 %d, %a, %b;', 's32', ['s32', 's32'], pairs, (x, y) => Math.min(s(n(x)), s(n(y)))),
    one('max.u32 %d, %a, %b;', 'u32', ['u32', 'u32'], pairs, (x, y) => Math.max(n(x), n(y))),
    one('add.sat.s32 %d, %a, %b;', 's32', ['s32', 's32'], pairs, (x, y) => Math.min(Math.max(s(n(x)) + s(n(y)), -(2 ** 31)), 2 ** 31 - 1)),
    one('shl.b32 %d, %a, %b;', 'u32', ['u32', 'u32'], pairs, (x, y) => (n(y) > 31 ? 0 : u(n(x) << n(y)))),
    one('shr.u32 %d, %a, %b;', 'u32', ['u32', 'u32'], pairs, (x, y) => (n(y) > 31 ? 0 : n(x) >>> n(y))),
    one('shr.s32 %d, %a, %b;', 's32', ['s32', 'u32'], pairs, (x, y) => s(n(x)) >> Math.min(n(y), 31)),
    one(
      'shr.s64 %d, %a, %b;',
      's64',
      ['s64', 'u32'],
      product(wide, [0, 1, 63, 64, 1000]),
      (x, y) => BigInt.asIntN(64, b(x)) >> b(Math.min(n(y), 63)),
    ),
    one('shf.l.wrap.b32 %d, %a, %b, 4;', 'u32', ['u32', 'u32'], pairs, (x, y) => u((n(y) << 4) | (n(x) >>> 28))),
    one('shf.r.clamp.b32 %d, %a, %b, 32;', 'u32', ['u32', 'u32'], pairs, (_, y) => y),
    one('popc.b32 %d, %a;', 'u32', ['u32'], product(some), (x) => bits(n(x)).replaceAll('0', '').length),
    one('clz.b64 %d, %a;', 'u32', ['u64'], product(wide), (x) => 64 - (x === 0n ? 0 : b(x).toString(2).length)),
    one('brev.b32 %d, %a;', 'u32', ['u32'], product(some), (x) => parseInt([...bits(n(x))].reverse().join(''), 2)),
    one('bfind.s32 %d, %a;', 'u32', ['s32'], product(some), (x) => {
      const value = s(n(x)) < 0 ? ~n(x) : n(x);
      return value === 0 ? 0xffffffff : 31 - Math.clz32(value);
    }),
    one('bfe.u32 %d, %a, 8, 12;', 'u32', ['u32'], product(some), (x) => (n(x) >>> 8) & 0xfff),
    one('bfe.s32 %d, %a, 28, 8;', 's32', ['s32'], product(some), (x) => s(n(x)) >> 28),
    one('bfi.b32 %d, %a, %b, 4, 8;', 'u32', ['u32', 'u32'], pairs, (x, y) => u((n(y) & ~0xff0) | ((n(x) & 0xff) << 4))),
    one('prmt.b32 %d, %a, %b, 0x7531;', 'u32', ['u32', 'u32'], pairs, (x, y) =>
      u(((n(x) >>> 8) & 255) | (((n(x) >>> 24) & 255) << 8) | (((n(y) >>> 8) & 255) << 16) | ((n(y) >>> 24) << 24)),
    ),
    one('lop3.b32 %d, %a, %b, 0x0f0f0f0f, 0xe8;', 'u32', ['u32', 'u32'], pairs, (x, y) =>
      u((n(x) & n(y)) | (n(x) & 0x0f0f0f0f) | (n(y) & 0x0f0f0f0f)),
    ),
    one('{ .reg .u32 %x; add.cc.u32 %x, %a, %b; addc.u32 %d, 0, 0; }', 'u32', ['u32', 'u32'], pairs, (x, y) =>
      n(x) + n(y) > 0xffffffff ? 1 : 0,
    ),
    one('add.u64 %d, %a, %b;', 'u64', ['u64', 'u64'], product(wide, wide), (x, y) => u64(b(x) + b(y))),
    one('abs.s32 %d, %a;', 's32', ['s32'], product(some), (x) => s(Math.abs(s(n(x))))),
    one('dp4a.u32.u32 %d, %a, %b, 1;', 'u32', ['u32', 'u32'], pairs, (x, y) =>
      [0, 8, 16, 24].reduce((sum, by) => sum + ((n(x) >>> by) & 255) * ((n(y) >>> by) & 255), 1),
    ),
  ]);
});

test('comparisons know NaN, and predicates combine', () => {
  const pairs = product(numbers32, numbers32);
  const unordered = (a: Value, b: Value): boolean => Number.isNaN(n(a)) || Number.isNaN(n(b));
  const is = (x: boolean): number => (x ? 1 : 0);
  check([
    one('setp.lt.f32 %d, %a, %b;', 'pred', ['f32', 'f32'], pairs, (a, b) => is(n(a) < n(b))),
    one('setp.geu.f32 %d, %a, %b;', 'pred', ['f32', 'f32'], pairs, (a, b) => is(unordered(a, b) || n(a) >= n(b))),
    one('setp.ne.f32 %d, %a, %b;', 'pred', ['f32', 'f32'], pairs, (a, b) => is(!unordered(a, b) && n(a) !== n(b))),
    one('setp.neu.f32 %d, %a, %b;', 'pred', ['f32', 'f32'], pairs, (a, b) => is(n(a) !== n(b))),
    one('setp.nan.f32 %d, %a, %b;', 'pred', ['f32', 'f32'], pairs, (a, b) => is(unordered(a, b))),
    one('setp.lo.u32 %d, %a, %b;', 'pred', ['u32', 'u32'], product([0, 1, 0xffffffff], [0, 1, 0x80000000]), (a, b) => is(n(a) < n(b))),
    one('setp.lt.s32 %d, %a, %b;', 'pred', ['s32', 's32'], product([0, 1, 0xffffffff], [0, 1, 0x80000000]), (a, b) =>
      is((n(a) | 0) < (n(b) | 0)),
    ),
    one('setp.gt.and.f32 %d, %a, %b, !%c;', 'pred', ['f32', 'f32', 'pred'], product([1, 2], [1, 2], [0, 1]), (a, b, c) =>
      is(n(a) > n(b) && c === 0),
    ),
    one('{ .reg .pred %x; setp.lt.f32 %x|%d, %a, %b; }', 'pred', ['f32', 'f32'], pairs, (a, b) => is(!(n(a) < n(b)))),
    one('setp.lt.f16 %d, %a, %b;', 'pred', ['f16', 'f16'], product([1, 2, NaN], [1, 2]), (a, b) => is(n(a) < n(b))),
    one('selp.f32 %d, %a, %b, %c;', 'f32', ['f32', 'f32', 'pred'], product([1, 2], [3], [0, 1]), (a, b, c) => (c === 1 ? a : b)),
    one('set.le.u32.f32 %d, %a, %b;', 'u32', ['f32', 'f32'], pairs, (a, b) => (n(a) <= n(b) ? 0xffffffff : 0)),
    one('slct.f32.s32 %d, %a, %b, %c;', 'f32', ['f32', 'f32', 's32'], product([1], [2], [-1, 0, 5]), (a, b, c) => (n(c) >= 0 ? a : b)),
  ]);
});
