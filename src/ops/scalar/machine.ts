// Short names for machine ops. In: expressions. Out: expressions. Holds: names and dtypes are those of `src/kernel/machine.ts`; nothing is
// folded.

import { InternalError, type DType, isFloat, isWide } from '../../base/index.js';
import { build, type Expr, type MachineOpName } from '../../kernel/index.js';

const { apply, constant, dtypeOf } = build;

/**
 * Argument values → machine ops. `dtype` is that of the arguments (of the last two for `select`): f32, f64, an integer or bool; f16 and
 * bf16 go through f32.
 */
export type Expansion = (dtype: DType, ...args: Expr[]) => Expr;

const same =
  (fn: MachineOpName) =>
  (...args: Expr[]): Expr =>
    apply(fn, dtypeOf(args[0] as Expr), ...args);
const test =
  (fn: MachineOpName) =>
  (a: Expr, b: Expr): Expr =>
    apply(fn, 'bool', a, b);

export const add = same('add');
export const sub = same('sub');
export const mul = same('mul');
export const div = same('div');
export const fma = same('fma');
export const muladd = same('muladd');
export const neg = same('neg');
export const abs = same('abs');
export const sqrt = same('sqrt');
export const rint = same('rint');
export const copysign = same('copysign');
/** a < b ? a : b: a NaN in `b` survives. */
export const least = same('min');
export const most = same('max');
export const and = same('and');
export const or = same('or');
export const xor = same('xor');
export const not = same('not');
export const shl = same('shl');
export const shr = same('shr');
export const sar = same('sar');
export const lt = test('lt');
export const le = test('le');
export const gt = test('gt');
export const ge = test('ge');
export const eq = test('eq');
export const ne = test('ne');
/** c ? a : b, where c is seldom true and `a` costs much. */
export const unlikely = (c: Expr, a: Expr, b: Expr): Expr => apply('unlikely', dtypeOf(a), c, a, b);
/** a · 2ⁿ, with the limits that the machine op states. */
export const scale = same('scale');
export const exponent = same('exponent');
export const mantissa = same('mantissa');
export const trunc = same('trunc');
export const select = (c: Expr, a: Expr, b: Expr): Expr => apply('select', dtypeOf(a), c, a, b);
export const convert = (dtype: DType, a: Expr): Expr => apply('convert', dtype, a);
export const bitcast = (dtype: DType, a: Expr): Expr => apply('bitcast', dtype, a);

export const f32 = (value: number): Expr => constant('f32', Math.fround(value));
export const f64 = (value: number): Expr => constant('f64', value);
export const i32 = (value: number): Expr => constant('i32', value | 0);
/** A constant of any dtype. */
export const literal = (dtype: DType, value: number): Expr =>
  constant(dtype, isWide(dtype) ? BigInt(value) : dtype === 'f32' ? Math.fround(value) : value);

/** c₀ + x·(c₁ + x·(…)), highest coefficient first, one muladd per degree. */
export function horner(x: Expr, coefficients: readonly number[]): Expr {
  const dtype = dtypeOf(x);
  const [first, ...rest] = coefficients;
  if (first === undefined) throw new InternalError('expand-scalars', 'a polynomial without coefficients');
  return rest.reduce<Expr>((sum, coefficient) => muladd(sum, x, literal(dtype, coefficient)), literal(dtype, first));
}

/** The machine op of that name, with the result in the dtype of the arguments. */
export const machine =
  (fn: MachineOpName): Expansion =>
  (dtype, ...args) =>
    apply(fn, dtype, ...args);

/** The machine comparison of that name. */
export const comparison =
  (fn: MachineOpName): Expansion =>
  (_, ...args) =>
    apply(fn, 'bool', ...args);

/** Its own expansion in f32, and in f64 a call of libm or another expansion. */
export function floats(single: (...args: Expr[]) => Expr, double: MachineOpName | ((...args: Expr[]) => Expr)): Expansion {
  return (dtype, ...args) => {
    if (dtype === 'f32') return single(...args);
    if (dtype !== 'f64') throw new InternalError('expand-scalars', `a float function of ${dtype}`);
    return typeof double === 'string' ? apply(double, 'f64', ...args) : double(...args);
  };
}

/** One expansion for floats, another for integers. */
export const byFamily =
  (float: Expansion, integer: Expansion): Expansion =>
  (dtype, ...args) =>
    isFloat(dtype) ? float(dtype, ...args) : integer(dtype, ...args);

/** f32 computed in f64 lanes and rounded once. */
export const inDouble =
  (double: (...args: Expr[]) => Expr) =>
  (...args: Expr[]): Expr =>
    convert('f32', double(...args.map((arg) => convert('f64', arg))));
