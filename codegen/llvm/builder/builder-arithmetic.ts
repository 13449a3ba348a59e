// Scalar and lane-wise computation. In: values of equal types. Out: values. Holds: integer instructions take integers, float
// instructions floats; a vector is computed lane by lane.

import { BuilderBase } from './builder-base.js';
import { fault } from './fault.js';
import { ref } from './raw.js';
import type { Binary, Cast } from './tape.js';
import type { LlvmType } from './types.js';
import type { LlvmValue } from './values.js';

export type IntPredicate = 'eq' | 'ne' | 'slt' | 'sle' | 'sgt' | 'sge' | 'ult' | 'ule' | 'ugt' | 'uge';

/** `o…`: false when an operand is NaN; `u…`: true then. `ord`: neither is NaN; `uno`: one is. */
export type FloatPredicate = 'oeq' | 'one' | 'olt' | 'ole' | 'ogt' | 'oge' | 'ord' | 'ueq' | 'une' | 'ult' | 'ule' | 'ugt' | 'uge' | 'uno';

/** The result is poison when the integer wraps: `nuw` unsigned, `nsw` signed. */
export interface WrapFlags {
  readonly nuw?: boolean;
  readonly nsw?: boolean;
}

export class ArithmeticBuilder extends BuilderBase {
  add(left: LlvmValue, right: LlvmValue, flags: WrapFlags = {}): LlvmValue {
    return this.#int('add', left, right, flags);
  }

  sub(left: LlvmValue, right: LlvmValue, flags: WrapFlags = {}): LlvmValue {
    return this.#int('sub', left, right, flags);
  }

  mul(left: LlvmValue, right: LlvmValue, flags: WrapFlags = {}): LlvmValue {
    return this.#int('mul', left, right, flags);
  }

  /** Division by zero and INT_MIN / -1 are undefined behaviour. */
  sdiv(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('sdiv', left, right);
  }

  udiv(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('udiv', left, right);
  }

  urem(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('urem', left, right);
  }

  and(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('and', left, right);
  }

  or(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('or', left, right);
  }

  xor(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('xor', left, right);
  }

  /** A shift by the width or more is poison, for all three shifts. */
  shl(left: LlvmValue, right: LlvmValue, flags: WrapFlags = {}): LlvmValue {
    return this.#int('shl', left, right, flags);
  }

  lshr(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('lshr', left, right);
  }

  ashr(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('ashr', left, right);
  }

  fadd(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#float('fadd', left, right);
  }

  fsub(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#float('fsub', left, right);
  }

  fmul(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#float('fmul', left, right);
  }

  fdiv(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#float('fdiv', left, right);
  }

  fneg(value: LlvmValue): LlvmValue {
    this.#one(value, 'fneg', 'float');
    return this.made(value.type, 'fneg', 0, [value[ref]]);
  }

  /** Compares integers or pointers; the result is i1, or a vector of i1. */
  icmp(predicate: IntPredicate, left: LlvmValue, right: LlvmValue): LlvmValue {
    this.pair(left, right, 'icmp');
    if (!left.type.isInt && !left.type.isPointer) fault(`icmp: ${left.type} is no integer or pointer`);
    return this.#compare(integerPredicates[predicate] ?? fault(`icmp: no predicate ${String(predicate)}`), left, right);
  }

  fcmp(predicate: FloatPredicate, left: LlvmValue, right: LlvmValue): LlvmValue {
    this.pair(left, right, 'fcmp');
    if (!left.type.isFloat) fault(`fcmp: ${left.type} is no floating-point type`);
    return this.#compare(floatPredicates[predicate] ?? fault(`fcmp: no predicate ${String(predicate)}`), left, right);
  }

  /** `condition ? yes : no`; a vector condition chooses lane by lane. */
  select(condition: LlvmValue, yes: LlvmValue, no: LlvmValue): LlvmValue {
    this.pair(yes, no, 'select');
    this.check(condition, 'select', 'condition');
    if (!condition.type.isBool) fault(`select: the condition is ${condition.type}, not i1`);
    if (condition.type.isVector && condition.type.lanes !== yes.type.lanes)
      fault(`select: ${condition.type} cannot choose lanes of ${yes.type}`);
    return this.made(yes.type, 'select', 0, [condition[ref], yes[ref], no[ref]]);
  }

  sext(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#resize('SExt', 'sext', value, to, 'int', 'wider');
  }

  zext(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#resize('ZExt', 'zext', value, to, 'int', 'wider');
  }

  trunc(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#resize('Trunc', 'trunc', value, to, 'int', 'narrower');
  }

  fpext(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#resize('FPExt', 'fpext', value, to, 'float', 'wider');
  }

  /** Rounds to nearest even. */
  fptrunc(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#resize('FPTrunc', 'fptrunc', value, to, 'float', 'narrower');
  }

  sitofp(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#convert('SIToFP', 'sitofp', value, to, 'int', 'float');
  }

  uitofp(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#convert('UIToFP', 'uitofp', value, to, 'int', 'float');
  }

  /** Towards zero; poison when the result does not fit (`intrinsic('llvm.fptosi.sat', …)` saturates). */
  fptosi(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#convert('FPToSI', 'fptosi', value, to, 'float', 'int');
  }

  fptoui(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#convert('FPToUI', 'fptoui', value, to, 'float', 'int');
  }

  /** The same bits read as another type of the same size. */
  bitcast(value: LlvmValue, to: LlvmType): LlvmValue {
    this.#castable(value, to, 'bitcast');
    const size = (t: LlvmType): number => t.scalarBits * Math.max(1, t.lanes);
    const plain = (t: LlvmType): boolean => t.isInt || t.isFloat;
    if (value.type !== to && !(plain(value.type) && plain(to) && size(value.type) === size(to)))
      fault(`bitcast: ${value.type} and ${to} differ in size or kind`);
    return this.#cast('BitCast', value, to);
  }

  ptrtoint(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#convert('PtrToInt', 'ptrtoint', value, to, 'ptr', 'int');
  }

  inttoptr(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#convert('IntToPtr', 'inttoptr', value, to, 'int', 'ptr');
  }

  #int(what: Binary, left: LlvmValue, right: LlvmValue, flags: WrapFlags = {}): LlvmValue {
    this.pair(left, right, what);
    if (!left.type.isInt) fault(`${what}: ${left.type} is no integer type`);
    return this.made(left.type, what, (flags.nuw === true ? 1 : 0) | (flags.nsw === true ? 2 : 0), [left[ref], right[ref]]);
  }

  #float(what: Binary, left: LlvmValue, right: LlvmValue): LlvmValue {
    this.pair(left, right, what);
    if (!left.type.isFloat) fault(`${what}: ${left.type} is no floating-point type`);
    return this.made(left.type, what, 0, [left[ref], right[ref]]);
  }

  #compare(predicate: number, left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.made(this.types.withScalar(left.type, this.types.i1), 'compare', predicate, [left[ref], right[ref]]);
  }

  #one(value: LlvmValue, what: string, kind: Kind): void {
    this.open(what);
    this.check(value, what, 'operand');
    if (value.type.scalar.shape.kind !== kind) fault(`${what}: ${value.type} is no ${kind} type`);
  }

  #castable(value: LlvmValue, to: LlvmType, what: string): void {
    this.open(what);
    this.check(value, what, 'operand');
    this.checkType(to, what);
  }

  #resize(method: Cast, what: string, value: LlvmValue, to: LlvmType, kind: Kind, direction: 'wider' | 'narrower'): LlvmValue {
    const from = value.type;
    const result = this.#convert(method, what, value, to, kind, kind);
    const fits = direction === 'wider' ? to.scalarBits > from.scalarBits : to.scalarBits < from.scalarBits;
    if (!fits) fault(`${what}: ${to} is not ${direction} than ${from}`);
    return result;
  }

  #convert(method: Cast, what: string, value: LlvmValue, to: LlvmType, fromKind: Kind, toKind: Kind): LlvmValue {
    this.#castable(value, to, what);
    if (value.type.scalar.shape.kind !== fromKind) fault(`${what}: ${value.type} is no ${fromKind} type`);
    if (to.scalar.shape.kind !== toKind) fault(`${what}: ${to} is no ${toKind} type`);
    if (value.type.lanes !== to.lanes) fault(`${what}: ${value.type} and ${to} differ in lanes`);
    return this.#cast(method, value, to);
  }

  #cast(method: Cast, value: LlvmValue, to: LlvmType): LlvmValue {
    return this.made(to, method, 0, [value[ref], to[ref]]);
  }
}

type Kind = 'int' | 'float' | 'ptr';

/** LLVM's numbers. */
const integerPredicates: Readonly<Record<IntPredicate, number>> = {
  eq: 32,
  ne: 33,
  ugt: 34,
  uge: 35,
  ult: 36,
  ule: 37,
  sgt: 38,
  sge: 39,
  slt: 40,
  sle: 41,
};
const floatPredicates: Readonly<Record<FloatPredicate, number>> = {
  oeq: 1,
  ogt: 2,
  oge: 3,
  olt: 4,
  ole: 5,
  one: 6,
  ord: 7,
  uno: 8,
  ueq: 9,
  ugt: 10,
  uge: 11,
  ult: 12,
  ule: 13,
  une: 14,
};
