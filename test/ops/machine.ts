// Machine ops evaluated exactly, for testing expansions. In: an expression over named values. Out: a compiled JavaScript function of
// numbers.
// Holds: f32 results are rounded once, also those of fma, those of muladd as asked; integers wrap.

import { type DType, InternalError } from '../../src/base/index.js';
import { fma64 } from '../../src/eval/kernel/arithmetic.js';
import { build, type Expr, isMachineOp } from '../../src/kernel/index.js';

const float = new Float64Array(1);
const long = new BigInt64Array(float.buffer);
const single = new Float32Array(1);
const word = new Int32Array(single.buffer);

/** What the rounded sum a + b left over. */
function leftover(a: number, b: number, sum: number): number {
  const part = sum - a;
  return a - (sum - part) + (b - part);
}

function fma32(a: number, b: number, c: number): number {
  const p = a * b;
  const sum = p + c;
  const rounded = Math.fround(sum);
  if (!Number.isFinite(sum) || rounded === sum) {
    // The leftover of a sum that is an f32 itself cannot move it.
    return rounded;
  }
  // A tie between two f32 values after the first rounding is decided by what that rounding lost.
  const other = sum + (sum - rounded);
  if (Math.fround(other) !== other) return rounded;
  const lost = leftover(p, c, sum);
  return lost === 0 ? rounded : lost > 0 ? Math.max(rounded, other) : Math.min(rounded, other);
}

function saturate(value: number, low: number, high: number): number {
  return Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), low), high);
}

const rint = (x: number): number => {
  const shift = 4503599627370496;
  if (!(Math.abs(x) < shift)) return x;
  const rounded = x < 0 ? x - shift + shift : x + shift - shift;
  return rounded === 0 ? (x < 0 || Object.is(x, -0) ? -0 : 0) : rounded;
};

const withSign = (size: number, sign: number): number => (sign < 0 || Object.is(sign, -0) ? -Math.abs(size) : Math.abs(size));

/** From the digits of the bits, as `machine.ts` states it. */
function exponent(x: number): number {
  single[0] = x;
  const size = (word[0] as number) & 0x7fffffff;
  if (size === 0) return -Infinity;
  if (size >= 0x7f800000) return Math.abs(x);
  return size < 0x00800000 ? 31 - Math.clz32(size) - 149 : (size >> 23) - 127;
}

function mantissa(x: number): number {
  if (!(x >= 0)) return NaN;
  if (x === 0 || x === Infinity) return withSign(1, x);
  const m = x * 2 ** -exponent(x);
  return m >= 1.5 ? m / 2 : m;
}

const helpers = {
  exponent,
  mantissa,
  fma64,
  fma32,
  rint,
  withSign,
  toI32: (x: number) => saturate(x, -2147483648, 2147483647),
  toU8: (x: number) => saturate(x, 0, 255),
  toI64: (x: number) => (Number.isNaN(x) ? 0n : x >= 2 ** 63 ? 2n ** 63n - 1n : x <= -(2 ** 63) ? -(2n ** 63n) : BigInt(Math.trunc(x))),
  mulhi: (a: number, b: number) => Number((BigInt(a >>> 0) * BigInt(b >>> 0)) >> 32n) | 0,
  bits64: (x: number) => ((float[0] = x), long[0] as bigint),
  from64: (x: bigint) => ((long[0] = x), float[0] as number),
  bits32: (x: number) => ((single[0] = x), word[0] as number),
  from32: (x: number) => ((word[0] = x), single[0] as number),
  i64: (x: bigint) => BigInt.asIntN(64, x),
  libm: Object.fromEntries([
    ...[
      'exp',
      'expm1',
      'log',
      'log1p',
      'sin',
      'cos',
      'tan',
      'asin',
      'acos',
      'atan',
      'atan2',
      'sinh',
      'cosh',
      'tanh',
      'asinh',
      'acosh',
      'atanh',
      'pow',
    ].map((name) => [name, Math[name as 'exp']] as const),
    ['fmod', (a: number, b: number) => a % b],
  ]),
};

const infix: Readonly<Record<string, string>> = {
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
  eq: '===',
  ne: '!==',
  add: '+',
  sub: '-',
  mul: '*',
  and: '&',
  or: '|',
  xor: '^',
};

function wrapped(dtype: DType, code: string): string {
  switch (dtype) {
    case 'f32':
      return `Math.fround(${code})`;
    case 'i32':
      return `(${code} | 0)`;
    case 'u8':
      return `(${code} & 255)`;
    case 'i64':
      return `h.i64(${code})`;
    default:
      return `(${code})`;
  }
}

/** How often `muladd` rounds: once where the processor has the instruction, else twice. */
export type Roundings = 'once' | 'twice';

function code(fn: string, dtype: DType, from: DType, args: readonly string[], roundings: Roundings): string {
  const [a = '', b = '', c = ''] = args;
  const sign = infix[fn];
  switch (fn) {
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
    case 'eq':
    case 'ne':
      return `(+(${a} ${sign} ${b}))`;
    case 'mul':
      return dtype === 'i32' ? `Math.imul(${a}, ${b})` : wrapped(dtype, `${a} * ${b}`);
    case 'add':
    case 'sub':
    case 'and':
    case 'or':
    case 'xor':
      return wrapped(dtype, `${a} ${sign} ${b}`);
    case 'div':
      return dtype === 'i64'
        ? `(${b} === 0n ? 0n : h.i64(${a} / ${b}))`
        : dtype === 'i32' || dtype === 'u8'
          ? `(${b} === 0 ? 0 : (${a} / ${b}) | 0)`
          : wrapped(dtype, `${a} / ${b}`);
    case 'rem':
      return dtype === 'i64' ? `(${b} === 0n ? ${a} : ${a} % ${b})` : `(${b} === 0 ? ${a} : (${a} % ${b}) | 0)`;
    case 'muladd':
      return roundings === 'twice' ? wrapped(dtype, `${wrapped(dtype, `${a} * ${b}`)} + ${c}`) : code('fma', dtype, from, args, roundings);
    case 'fma':
      return dtype === 'f32' ? `h.fma32(${a}, ${b}, ${c})` : `h.fma64(${a}, ${b}, ${c})`;
    case 'neg':
      return wrapped(dtype, `-${a}`);
    case 'not':
      return dtype === 'bool' ? `(1 - ${a})` : wrapped(dtype, `~${a}`);
    case 'abs':
      return dtype === 'i64' ? `(${a} < 0n ? h.i64(-${a}) : ${a})` : wrapped(dtype, `Math.abs(${a})`);
    case 'sqrt':
    case 'floor':
    case 'ceil':
    case 'trunc':
      return wrapped(dtype, `Math.${fn}(${a})`);
    case 'rint':
      return `h.rint(${a})`;
    case 'copysign':
      return `h.withSign(${a}, ${b})`;
    case 'min':
      return `(${a} < ${b} ? ${a} : ${b})`;
    case 'max':
      return `(${a} > ${b} ? ${a} : ${b})`;
    case 'shl':
      return dtype === 'i64' ? `h.i64(${a} << ${b})` : wrapped(dtype, `(${a} << ${b})`);
    case 'shr':
      return dtype === 'i64' ? `h.i64(BigInt.asUintN(64, ${a}) >> ${b})` : `((${a} >>> ${b}) | 0)`;
    case 'sar':
      return `(${a} >> ${b})`;
    case 'scale':
      return `Math.fround(${a} * 2 ** ${b})`;
    case 'exponent':
      return `h.exponent(${a})`;
    case 'mantissa':
      return `h.mantissa(${a})`;
    case 'mulhi':
      return `h.mulhi(${a}, ${b})`;
    case 'select':
    case 'unlikely':
      return `(${a} ? ${b} : ${c})`;
    case 'bitcast':
      return { f32: `h.from32(${a})`, i32: `h.bits32(${a})`, f64: `h.from64(${a})`, i64: `h.bits64(${a})` }[dtype as 'f32'];
    case 'convert':
      return converted(dtype, from, a);
    default:
      return `h.libm.${fn.slice('libm_'.length)}(${args.join(', ')})`;
  }
}

function converted(to: DType, from: DType, a: string): string {
  const number = from === 'i64' ? `Number(${a})` : a;
  switch (to) {
    case 'f32':
      return `Math.fround(${number})`;
    case 'f64':
      return number;
    case 'bool':
      return `(+(${number} !== 0))`;
    case 'i32':
      return from === 'i64' ? `Number(BigInt.asIntN(32, ${a}))` : from.startsWith('f') ? `h.toI32(${a})` : `(${a} | 0)`;
    case 'u8':
      return from === 'i64' ? `Number(BigInt.asUintN(8, ${a}))` : from.startsWith('f') ? `h.toU8(${a})` : `(${a} & 255)`;
    case 'i64':
      return from === 'i64' ? a : from.startsWith('f') ? `h.toI64(${a})` : `BigInt(${a})`;
    default:
      throw new InternalError('test', `conversion to ${to}`);
  }
}

/** Compiles an expression over `name` leaves; i64 values are bigints, bool 0 or 1. */
export function compile(
  expr: Expr,
  params: readonly string[],
  roundings: Roundings = 'once',
): (...values: (number | bigint)[]) => number | bigint {
  const lines: string[] = [];
  const named = new Map<Expr, string>();
  const emit = (one: Expr): string => {
    const known = named.get(one);
    if (known !== undefined) return known;
    let text: string;
    switch (one.kind) {
      case 'name':
        return one.name;
      case 'const':
        text = one.dtype === 'i64' ? `${BigInt(one.value)}n` : Object.is(one.value, -0) ? '-0' : `${one.value}`;
        if (text.startsWith('-')) text = `(${text})`;
        return text;
      case 'apply': {
        if (!isMachineOp(one.fn)) throw new InternalError('test', `${one.fn} is no machine op`);
        const args = one.args.map(emit);
        text = code(one.fn, one.dtype, build.dtypeOf(one.args[one.args.length - 1] as Expr), args, roundings);
        break;
      }
      default:
        throw new InternalError('test', `${one.kind} in a scalar expression`);
    }
    const name = `t${lines.length}`;
    lines.push(`const ${name} = ${text};`);
    named.set(one, name);
    return name;
  };
  const result = emit(expr);
  return new Function('h', `return (${params.join(', ')}) => { ${lines.join(' ')} return ${result}; };`)(helpers) as (
    ...values: (number | bigint)[]
  ) => number | bigint;
}
