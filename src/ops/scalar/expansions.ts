// How each scalar function becomes machine ops. In: argument expressions of one dtype. Out: one expression of machine ops, with shared
// parts as shared objects.
// Holds: one row per function of the table, which the compiler demands; f32 rows keep the error bound that the table states. f64 calls libm
// for what is no machine op; `double` has what stands for those calls where there is no libm.

import { type DType, InternalError, isFloat, isInteger, isSigned } from '../../base/index.js';
import { build, type Expr } from '../../kernel/index.js';
import * as circular from './circular.js';
import * as exponential from './exponential.js';
import { integerPow } from './integer.js';
import * as logarithm from './logarithm.js';
import * as m from './machine.js';
import { byFamily, comparison, type Expansion, floats, inDouble, machine } from './machine.js';
import type { ScalarName } from './table.js';

const one = (dtype: DType): Expr => m.literal(dtype, 1);
const zero = (dtype: DType): Expr => m.literal(dtype, 0);

/** −1, 0, 1; the comparison with itself keeps NaN. */
const sign: Expansion = (dtype, x) => {
  if (x === undefined) throw new InternalError('expand-scalars', 'sign of nothing');
  const positive = m.select(m.gt(x, zero(dtype)), one(dtype), zero(dtype));
  if (isInteger(dtype) && !isSigned(dtype)) return positive;
  const signed = m.select(m.lt(x, zero(dtype)), m.literal(dtype, -1), positive);
  return isFloat(dtype) ? m.select(m.eq(x, x), signed, x) : signed;
};

const unary =
  (expand: (dtype: DType, x: Expr) => Expr): Expansion =>
  (dtype, x) => {
    if (x === undefined) throw new InternalError('expand-scalars', 'a function of nothing');
    return expand(dtype, x);
  };

const binary =
  (expand: (dtype: DType, x: Expr, y: Expr) => Expr): Expansion =>
  (dtype, x, y) => {
    if (x === undefined || y === undefined) throw new InternalError('expand-scalars', 'a function of two values has fewer');
    return expand(dtype, x, y);
  };

const single =
  (expand: (x: Expr) => Expr) =>
  (...args: Expr[]): Expr =>
    expand(args[0] as Expr);

const isNumber = (x: Expr): boolean => x.kind === 'const' && !Number.isNaN(x.value);

/**
 * The smaller or larger one; NaN when either is. Machine `min(a, b)` is `a < b ? a : b`, so a NaN in b survives, and one in a is put back;
 * a constant goes first.
 */
const extremum = (fn: 'min' | 'max'): Expansion =>
  binary((dtype, x, y) => {
    if (isNumber(y)) return build.apply(fn, dtype, y, x);
    if (isNumber(x)) return build.apply(fn, dtype, x, y);
    const chosen = build.apply(fn, dtype, x, y);
    return isFloat(dtype) ? m.select(m.eq(x, x), chosen, x) : chosen;
  });

/** In f64 lanes for f32, and in f64 by libm. */
const wide = (
  fn: (...args: Expr[]) => Expr,
  double: `libm_${'tan' | 'asin' | 'acos' | 'atan' | 'atan2' | 'sinh' | 'cosh' | 'asinh' | 'acosh' | 'atanh'}`,
): Expansion => floats(inDouble(fn), double);

/** Rounding in f64: e^−|x| as in f32. */
function sigmoidInDouble(x: Expr): Expr {
  const power = build.apply('libm_exp', 'f64', m.neg(m.abs(x)));
  return m.div(m.select(m.lt(x, m.f64(0)), power, m.f64(1)), m.add(m.f64(1), power));
}

/**
 * By a quotient in f64: while it is below 2²⁹, whole multiples of y, and x less such a multiple, are exact. The quotient may have been
 * rounded up to the next integer; then the rest has the wrong sign, and y comes back. What is larger or no number goes to libm.
 */
function remainder(x: Expr, y: Expr): Expr {
  const [dividend, divisor] = [m.convert('f64', m.abs(x)), m.convert('f64', m.abs(y))];
  const quotient = m.div(dividend, divisor);
  const rest = m.fma(m.neg(m.trunc(quotient)), divisor, dividend);
  const usual = m.select(m.lt(rest, m.f64(0)), m.add(rest, divisor), rest);
  const quick = m.and(m.lt(quotient, m.f64(536870912)), m.lt(divisor, m.f64(Infinity)));
  const size = m.unlikely(m.not(quick), fmod(dividend, divisor), usual);
  return m.convert('f32', signed(size, m.convert('f64', x), m.convert('f64', y)));
}

const fmod = (x: Expr, y: Expr): Expr => build.apply('libm_fmod', 'f64', x, y);

/** From |x| mod |y| in f64: the rest up to y where the signs differ, and the sign of y. */
function signed(size: Expr, x: Expr, y: Expr): Expr {
  const differ = m.lt(m.mul(m.copysign(m.f64(1), x), m.copysign(m.f64(1), y)), m.f64(0));
  const some = m.gt(size, m.f64(0));
  return m.copysign(m.select(m.and(differ, some), m.sub(m.abs(y), size), size), y);
}

const floorQuotient = (x: Expr, y: Expr): Expr => build.apply('floor', 'f64', m.div(x, y));

/** Whether rounding towards zero was rounding up: there is a rest, and it has another sign than the divisor. */
function isRoundedUp(dtype: DType, rest: Expr, y: Expr): Expr {
  const signs = m.lt(build.apply('xor', dtype, rest, y), zero(dtype));
  return m.and(m.and(m.ne(rest, zero(dtype)), m.ne(y, zero(dtype))), signs);
}

const integerRemainder = binary((dtype, x, y) => {
  const rest = build.apply('rem', dtype, x, y);
  return !isSigned(dtype) ? rest : m.select(isRoundedUp(dtype, rest, y), m.add(rest, y), rest);
});

const integerFloorDiv = binary((dtype, x, y) => {
  const quotient = m.div(x, y);
  if (!isSigned(dtype)) return quotient;
  return m.select(isRoundedUp(dtype, build.apply('rem', dtype, x, y), y), m.sub(quotient, one(dtype)), quotient);
});

export const expansions: Readonly<Record<ScalarName, Expansion>> = {
  neg: machine('neg'),
  abs: unary((dtype, x) => (isInteger(dtype) && !isSigned(dtype) ? x : m.abs(x))),
  sign,
  square: unary((_, x) => m.mul(x, x)),
  reciprocal: unary((dtype, x) => m.div(one(dtype), x)),
  sqrt: machine('sqrt'),
  rsqrt: unary((dtype, x) => m.div(one(dtype), m.sqrt(x))),
  add: machine('add'),
  sub: machine('sub'),
  mul: machine('mul'),
  div: machine('div'),
  floorDiv: byFamily(floats(inDouble(floorQuotient), binaryOf(floorQuotient)), integerFloorDiv),
  rem: byFamily(
    floats(
      binaryOf(remainder),
      binaryOf((x, y) => signed(fmod(m.abs(x), m.abs(y)), x, y)),
    ),
    integerRemainder,
  ),
  pow: byFamily(
    floats(binaryOf(logarithm.pow), 'libm_pow'),
    binary((_, x, y) => integerPow(x, y)),
  ),
  min: extremum('min'),
  max: extremum('max'),
  exp: floats(single(exponential.exp), 'libm_exp'),
  expm1: floats(single(exponential.expm1), 'libm_expm1'),
  log: floats(single(logarithm.log), 'libm_log'),
  log1p: floats(single(logarithm.log1p), 'libm_log1p'),
  sin: floats(single(circular.sin), 'libm_sin'),
  cos: floats(single(circular.cos), 'libm_cos'),
  tan: floats(single(circular.tan), 'libm_tan'),
  asin: wide(single(circular.asinInDouble), 'libm_asin'),
  acos: wide(single(circular.acosInDouble), 'libm_acos'),
  atan: wide(single(circular.atanInDouble), 'libm_atan'),
  atan2: wide(binaryOf(circular.atan2InDouble), 'libm_atan2'),
  sinh: wide(single(exponential.sinhInDouble), 'libm_sinh'),
  cosh: wide(single(exponential.coshInDouble), 'libm_cosh'),
  tanh: floats(single(exponential.tanh), 'libm_tanh'),
  asinh: wide(single(logarithm.asinhInDouble), 'libm_asinh'),
  acosh: wide(single(logarithm.acoshInDouble), 'libm_acosh'),
  atanh: wide(single(logarithm.atanhInDouble), 'libm_atanh'),
  erf: floats(single(exponential.erf), 'libm_erf'),
  sigmoid: floats(single(exponential.sigmoid), single(sigmoidInDouble)),
  softplusRest: floats(single(exponential.softplusRest), (x) =>
    build.apply('libm_log1p', 'f64', build.apply('libm_exp', 'f64', m.neg(m.abs(x as Expr)))),
  ),
  floor: machine('floor'),
  ceil: machine('ceil'),
  round: machine('rint'),
  trunc: machine('trunc'),
  lt: comparison('lt'),
  le: comparison('le'),
  gt: comparison('gt'),
  ge: comparison('ge'),
  eq: comparison('eq'),
  ne: comparison('ne'),
  and: machine('and'),
  or: machine('or'),
  not: machine('not'),
  isnan: unary((_, x) => m.ne(x, x)),
  select: (dtype, ...args) => build.apply('select', dtype, ...args),
};

function binaryOf(expand: (x: Expr, y: Expr) => Expr): (...args: Expr[]) => Expr {
  return (...args) => expand(args[0] as Expr, args[1] as Expr);
}
