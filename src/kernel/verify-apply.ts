// What dtypes a scalar function may have. In: an `apply`. Out: why it is wrong, or undefined. Holds: says of each machine op what
// `machine.ts` says in words; functions of the scalar table are not known here and always pass.

import { bytesOf, type DType, isFloat, isInteger } from '../base/index.js';
import { dtypeOf } from './build.js';
import type { Expr } from './ir.js';
import { isMachineOp, machineOps } from './machine.js';
import { comparisons } from './text.js';

/** Machine ops over integers or bools only, or over floats only; the rest takes all numbers. */
const bitwise: ReadonlySet<string> = new Set(['and', 'or', 'xor', 'not']);
const shifts: ReadonlySet<string> = new Set(['shl', 'shr', 'sar']);
const floats: ReadonlySet<string> = new Set(['fma', 'muladd', 'sqrt', 'floor', 'ceil', 'trunc', 'rint', 'copysign']);

export function applyProblem(expr: Extract<Expr, { kind: 'apply' }>): string | undefined {
  const { fn, dtype } = expr;
  if (!isMachineOp(fn)) return undefined;
  const types = expr.args.map(dtypeOf);
  if (types.length !== machineOps[fn].arity) return `${fn} takes ${machineOps[fn].arity} arguments, not ${types.length}`;
  const found = (problem: string): string => `${fn}(${types.join(', ')}) → ${dtype}: ${problem}`;
  const [first] = types as [DType, ...DType[]];
  const same = types.every((one) => one === first);
  if (fn === 'select' || fn === 'unlikely')
    return types[0] === 'bool' && types[1] === dtype && types[2] === dtype
      ? undefined
      : found('needs a bool and two values of the result’s dtype');
  if (fn === 'convert') return undefined;
  if (fn === 'bitcast') return bytesOf(first) === bytesOf(dtype) ? undefined : found('the widths differ');
  if (comparisons.has(fn)) {
    if (!same || dtype !== 'bool') return found('compares equal dtypes and gives bool');
    return first === 'bool' && fn !== 'eq' && fn !== 'ne' ? found('bools have no order') : undefined;
  }
  if (!same || first !== dtype) return found('the dtypes differ');
  if (fn.startsWith('libm_')) return dtype === 'f64' ? undefined : found('f64 only');
  if (fn === 'scale' || fn === 'exponent' || fn === 'mantissa') return dtype === 'f32' ? undefined : found('f32 only');
  if (fn === 'mulhi') return dtype === 'i32' ? undefined : found('i32 only');
  if (bitwise.has(fn)) return isFloat(dtype) ? found('not for floats') : undefined;
  if (shifts.has(fn)) return isInteger(dtype) ? undefined : found('integers only');
  if (floats.has(fn)) return isFloat(dtype) ? undefined : found('floats only');
  return dtype === 'bool' ? found('not for bools') : undefined;
}
