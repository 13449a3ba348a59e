// LLVM's intrinsic functions. In: values. Out: values. Holds: the overload is derived from the argument and result types; a
// signature the intrinsic does not have is refused. Which of them become instructions and which library calls depends on the
// target: sqrt, fma, floor, … are instructions, exp, log, sin, … calls.

import { ArithmeticBuilder } from './builder-arithmetic.js';
import { fault } from './fault.js';
import { ref } from './raw.js';
import type { LlvmType } from './types.js';
import { LlvmConstant } from './values.js';
import type { LlvmValue } from './values.js';

/** float → float of the same type. */
export type FloatUnary =
  | 'sqrt'
  | 'fabs'
  | 'floor'
  | 'ceil'
  | 'trunc'
  | 'rint'
  | 'nearbyint'
  | 'round'
  | 'roundeven'
  | 'exp'
  | 'exp2'
  | 'log'
  | 'log2'
  | 'log10'
  | 'sin'
  | 'cos'
  | 'tan'
  | 'asin'
  | 'acos'
  | 'atan'
  | 'sinh'
  | 'cosh'
  | 'tanh'
  | 'canonicalize';

/** `minnum` and `maxnum` prefer the number over a NaN; `minimum` and `maximum` hand NaN on and order -0 before +0. */
export type FloatBinary = 'minnum' | 'maxnum' | 'minimum' | 'maximum' | 'copysign' | 'pow';

export type IntBinary = 'smin' | 'smax' | 'umin' | 'umax' | 'sadd.sat' | 'uadd.sat' | 'ssub.sat' | 'usub.sat';

export class IntrinsicBuilder extends ArithmeticBuilder {
  /**
   * Calls the intrinsic `name` (`llvm.vector.reduce.add`) with `args`, for a result of type `result` (`types.void` for none).
   * Errors: an unknown name, a signature it does not have, a value where it demands a constant.
   */
  intrinsic(name: string, result: LlvmType, args: readonly LlvmValue[]): LlvmValue {
    this.open(name);
    if (result === undefined || result === null) fault(`${name}: the result type is missing`);
    this.types.own(result);
    for (const [i, a] of args.entries()) this.check(a, name, `argument ${i}`);
    const { callee, constants } = this.module.intrinsic(name, result, args);
    for (const at of constants) if (!(args[at] instanceof LlvmConstant)) fault(`${name} wants a constant as argument ${at}`);
    return this.made(result, 'intrinsic', 0, [callee, args.length, ...args.map((arg) => arg[ref])]);
  }

  /** `floatUnary('sqrt', x)`. */
  floatUnary(name: FloatUnary, value: LlvmValue): LlvmValue {
    return this.intrinsic(`llvm.${name}`, this.#type(value, name), [value]);
  }

  floatBinary(name: FloatBinary, left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.intrinsic(`llvm.${name}`, this.#type(left, name), [left, right]);
  }

  intBinary(name: IntBinary, left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.intrinsic(`llvm.${name}`, this.#type(left, name), [left, right]);
  }

  sqrt(value: LlvmValue): LlvmValue {
    return this.floatUnary('sqrt', value);
  }

  fabs(value: LlvmValue): LlvmValue {
    return this.floatUnary('fabs', value);
  }

  /** a · b + c with one rounding. */
  fma(a: LlvmValue, b: LlvmValue, c: LlvmValue): LlvmValue {
    return this.intrinsic('llvm.fma', this.#type(a, 'fma'), [a, b, c]);
  }

  /** |value|; of the smallest integer itself. */
  abs(value: LlvmValue): LlvmValue {
    return this.intrinsic('llvm.abs', this.#type(value, 'abs'), [value, this.module.bool(false)]);
  }

  /** Asks for the cache line at `pointer`; locality from 0 (use once) to 3 (keep everywhere). */
  prefetch(pointer: LlvmValue, options: { readonly write?: boolean; readonly locality?: 0 | 1 | 2 | 3 } = {}): void {
    const { i32 } = this.types;
    const args = [options.write === true ? 1 : 0, options.locality ?? 3, 1].map((n) => this.module.int(i32, n));
    this.intrinsic('llvm.prefetch', this.types.void, [pointer, ...args]);
  }

  #type(value: LlvmValue, what: string): LlvmType {
    this.check(value, what, 'first operand');
    return value.type;
  }
}
