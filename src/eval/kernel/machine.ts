// Machine ops as JavaScript source. In: a machine op and operands. Out: an operand for its result. Holds: each means what
// `src/kernel/machine.ts` says; results are rounded or wrapped to their dtype, so nothing carries more bits than the dtype has.

import {
  bigintToDouble,
  bytesOf,
  type DType,
  dtypes,
  isFloat,
  isInteger,
  isWide,
  roundToBF16,
  roundToF16,
  roundToF8E4M3,
  roundToF8E5M2,
} from '../../base/index.js';
import { type MachineOpName, machineOps } from '../../kernel/index.js';
import { bitsAs, scalarTable } from '../../ops/index.js';
import { copySign, exponent, fma32, fma64, mantissa, mulHigh, roundEven, toBigInteger, toInteger, toTF32 } from './arithmetic.js';
import { trouble } from './memory.js';
import { asNumber, asStored, big, integer, number, type Operand, small } from './operand.js';

/** What generated source may call, by name. */
export const helpers = {
  fround: Math.fround,
  f16: roundToF16,
  bf16: roundToBF16,
  f8e4m3: roundToF8E4M3,
  f8e5m2: roundToF8E5M2,
  tf32: toTF32,
  fma32,
  fma64,
  mulHigh,
  roundEven,
  copySign,
  exponent,
  mantissa,
  toInteger,
  toBigInteger,
  sticky: bigintToDouble,
  bitsAs,
  libm_exp: Math.exp,
  libm_expm1: Math.expm1,
  libm_log: Math.log,
  libm_log1p: Math.log1p,
  libm_sin: Math.sin,
  libm_cos: Math.cos,
  libm_tan: Math.tan,
  libm_asin: Math.asin,
  libm_acos: Math.acos,
  libm_atan: Math.atan,
  libm_atan2: Math.atan2,
  libm_sinh: Math.sinh,
  libm_cosh: Math.cosh,
  libm_tanh: Math.tanh,
  libm_asinh: Math.asinh,
  libm_acosh: Math.acosh,
  libm_atanh: Math.atanh,
  libm_erf: scalarTable.erf.evaluate,
  libm_fmod: (a: number, b: number) => a % b,
  libm_pow: scalarTable.pow.evaluate,
} as const;

/** Source that rounds or wraps a number to a dtype that is held in a number. */
export function fit(dtype: DType, code: string): string {
  switch (dtype) {
    case 'f32':
      return `fround(${code})`;
    case 'f64':
      return `(${code})`;
    case 'f16':
    case 'bf16':
    case 'f8e4m3':
    case 'f8e5m2':
      return `${dtype}(${code})`;
    case 'i8':
      return `((${code}) << 24 >> 24)`;
    case 'i16':
      return `((${code}) << 16 >> 16)`;
    case 'i32':
      return `((${code}) | 0)`;
    case 'u8':
      return `((${code}) & 255)`;
    case 'u16':
      return `((${code}) & 65535)`;
    case 'u32':
      return `((${code}) >>> 0)`;
    case 'bool':
      return `((${code}) & 1)`;
    case 'i64':
    case 'u64':
      throw trouble(`a ${dtype} is not fitted`);
  }
}

/** The product of two numbers of a dtype; those of 32 bits are not exact in doubles. */
export const product = (dtype: DType, a: string, b: string): string =>
  isInteger(dtype) && bytesOf(dtype) === 4 ? fit(dtype, `Math.imul(${a}, ${b})`) : fit(dtype, `${a} * ${b}`);

const infixes: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
  eq: '===',
  ne: '!==',
  and: '&',
  or: '|',
  xor: '^',
};

/** The result of a machine op; `dtype` is that of the `apply`. */
export function machineCode(fn: MachineOpName, dtype: DType, args: readonly Operand[]): Operand {
  const first = args[0];
  if (first === undefined || args.length !== machineOps[fn].arity) throw trouble(`${fn} with ${args.length} arguments`);
  if (fn === 'convert') return convert(dtype, first);
  if (fn === 'bitcast') return cast(`bitsAs('${first.dtype}', '${dtype}', ${asStored(first)})`, dtype);
  if (fn === 'select' || fn === 'unlikely') return select(dtype, args);
  const from = first.dtype;
  if (isWide(from)) return wide(fn, dtype, args);
  const codes = args.map((arg) => arg.code);
  const [a, b, c] = codes as [string, string, string];
  const symbol = infixes[fn];
  const float = isFloat(from);
  switch (fn) {
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
    case 'eq':
    case 'ne':
      return number(`(${a} ${symbol} ${b} ? 1 : 0)`, 'bool');
    case 'add':
    case 'sub':
      return number(fit(dtype, `${a} ${symbol} ${b}`), dtype);
    case 'mul':
      return number(product(dtype, a, b), dtype);
    case 'div':
      return number(float ? fit(dtype, `${a} / ${b}`) : `(${b} === 0 ? 0 : ${fit(dtype, `${a} / ${b}`)})`, dtype);
    case 'rem':
      return number(float ? fit(dtype, `${a} % ${b}`) : `(${b} === 0 ? ${a} : ${fit(dtype, `${a} % ${b}`)})`, dtype);
    case 'fma':
    case 'muladd':
      return number(
        dtype === 'f32' ? `fma32(${a}, ${b}, ${c})` : dtype === 'f64' ? `fma64(${a}, ${b}, ${c})` : fit(dtype, `${a} * ${b} + ${c}`),
        dtype,
      );
    case 'neg':
      return number(float ? `(-${a})` : fit(dtype, `-${a}`), dtype);
    case 'abs':
      return number(float ? `Math.abs(${a})` : fit(dtype, `Math.abs(${a})`), dtype);
    case 'sqrt':
      return number(fit(dtype, `Math.sqrt(${a})`), dtype);
    case 'floor':
    case 'ceil':
    case 'trunc':
      return number(`Math.${fn}(${a})`, dtype);
    case 'rint':
      return number(`roundEven(${a})`, dtype);
    case 'scale':
      return number(`fround(${a} * 2 ** ${b})`, dtype);
    case 'exponent':
    case 'mantissa':
      return number(`${fn}(${a})`, dtype);
    case 'copysign':
      return number(`copySign(${a}, ${b})`, dtype);
    case 'min':
    case 'max':
      return number(`(${a} ${fn === 'min' ? '<' : '>'} ${b} ? ${a} : ${b})`, dtype);
    case 'and':
    case 'or':
    case 'xor':
      return number(from === 'u32' ? fit(dtype, `${a} ${symbol} ${b}`) : `(${a} ${symbol} ${b})`, dtype);
    case 'not':
      return number(from === 'bool' ? `(1 - ${a})` : fit(dtype, `~${a}`), dtype);
    case 'shl':
      return number(fit(dtype, `${a} << ${b}`), dtype);
    case 'shr':
      return number(fit(dtype, `${bytesOf(dtype) < 4 ? `(${a} & ${2 ** (8 * bytesOf(dtype)) - 1})` : a} >>> ${b}`), dtype);
    case 'sar':
      return number(fit(dtype, `${a} >> ${b}`), dtype);
    case 'mulhi':
      return number(`mulHigh(${a}, ${b})`, dtype);
    default:
      // Only libm is left.
      return number(`${fn}(${codes.join(', ')})`, dtype);
  }
}

const cast = (code: string, dtype: DType): Operand => (isWide(dtype) ? big(code, dtype) : number(code, dtype));

function select(dtype: DType, [condition, a, b]: readonly Operand[]): Operand {
  if (condition === undefined || a === undefined || b === undefined) throw trouble('select without three arguments');
  if (!isWide(dtype)) return number(`(${condition.code} ? ${a.code} : ${b.code})`, dtype);
  if (!a.big && !b.big) return integer(`(${condition.code} ? ${a.code} : ${b.code})`, Math.max(a.bound, b.bound));
  return big(`(${condition.code} ? ${asStored(a)} : ${asStored(b)})`, dtype);
}

/** Integers of eight bytes: i64 in numbers while the result is known to be small, else in bigints. */
function wide(fn: MachineOpName, dtype: DType, args: readonly Operand[]): Operand {
  const [x, y] = args as [Operand, Operand];
  const symbol = infixes[fn];
  if (dtype === 'bool') {
    const codes = x.big || y.big ? [asStored(x), asStored(y)] : [x.code, y.code];
    return number(`(${codes[0]} ${symbol} ${codes[1]} ? 1 : 0)`, 'bool');
  }
  if (args.every((arg) => !arg.big)) {
    const inNumbers = narrow(fn, x, y);
    if (inNumbers !== undefined && inNumbers.bound <= small) return inNumbers;
  }
  const [a, b] = args.map(asStored) as [string, string];
  const wrap = (code: string): string => `BigInt.${dtype === 'u64' ? 'asUintN' : 'asIntN'}(64, ${code})`;
  const wrapped = (code: string): Operand => big(wrap(code), dtype);
  switch (fn) {
    case 'add':
    case 'sub':
    case 'mul':
      return wrapped(`${a} ${symbol} ${b}`);
    case 'div':
      return big(`(${b} === 0n ? 0n : ${wrap(`${a} / ${b}`)})`, dtype);
    case 'rem':
      return big(`(${b} === 0n ? ${a} : ${a} % ${b})`, dtype);
    case 'neg':
      return wrapped(`-${a}`);
    case 'abs':
      return wrapped(`${a} < 0n ? -${a} : ${a}`);
    case 'min':
    case 'max':
      return big(`(${a} ${fn === 'min' ? '<' : '>'} ${b} ? ${a} : ${b})`, dtype);
    case 'and':
    case 'or':
    case 'xor':
      return big(`(${a} ${symbol} ${b})`, dtype);
    case 'not':
      return wrapped(`~${a}`);
    case 'shl':
      return wrapped(`${a} << ${b}`);
    case 'shr':
      return wrapped(`BigInt.asUintN(64, ${a}) >> ${b}`);
    case 'sar':
      return wrapped(`BigInt.asIntN(64, ${a}) >> ${b}`);
    default:
      throw trouble(`${fn} of ${dtype}`);
  }
}

function narrow(fn: MachineOpName, x: Operand, y: Operand): Operand | undefined {
  const { code: a, bound } = x;
  const b = y?.code;
  switch (fn) {
    case 'add':
    case 'sub':
      return integer(`(${a} ${infixes[fn]} ${b})`, bound + y.bound);
    case 'mul':
      return integer(`(${a} * ${b})`, bound * y.bound);
    case 'div':
      return integer(`(${b} === 0 ? 0 : Math.trunc(${a} / ${b}))`, bound);
    case 'rem':
      return integer(`(${b} === 0 ? ${a} : ${a} % ${b})`, bound);
    case 'neg':
      return integer(`(-${a})`, bound);
    case 'abs':
      return integer(`Math.abs(${a})`, bound);
    case 'min':
    case 'max':
      return integer(`(${a} ${fn === 'min' ? '<' : '>'} ${b} ? ${a} : ${b})`, Math.max(bound, y.bound));
    default:
      return undefined;
  }
}

function convert(to: DType, from: Operand): Operand {
  const { code } = from;
  if (from.dtype === to) return from;
  if (to === 'bool') return number(`(${code} ${from.big ? '!== 0n' : '!== 0'} ? 1 : 0)`, 'bool');
  if (isFloat(from.dtype)) {
    if (isFloat(to)) return number(fit(to, code), to);
    const [least, most] = dtypes[to].bounds;
    return isWide(to) ? big(`toBigInteger(${code}, ${least}n, ${most}n)`, to) : number(`toInteger(${code}, ${least}, ${most})`, to);
  }
  if (to === 'i64') return from.big ? big(`BigInt.asIntN(64, ${code})`) : integer(code, 2 ** 32);
  if (to === 'u64') return big(`BigInt.asUintN(64, ${from.big ? code : `BigInt(${code})`})`, to);
  if (isFloat(to)) return number(from.big ? fit(to, to === 'f64' ? `Number(${code})` : `sticky(${code})`) : fit(to, code), to);
  return number(from.big ? fit(to, `Number(BigInt.asIntN(32, ${code}))`) : fit(to, asNumber(from)), to);
}
