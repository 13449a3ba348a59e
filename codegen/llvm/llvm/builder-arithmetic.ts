// Scalar and lane-wise computation. In: values of equal types. Out: values. Holds: integer instructions take integers, float
// instructions floats; a vector is computed lane by lane.

import type llvm from 'llvm-bindings';
import { BuilderBase } from './builder-base.js';
import { fault, guarded } from './fault.js';
import { raw } from './raw.js';
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

type BinaryMethod = {
  [K in keyof llvm.IRBuilder]: llvm.IRBuilder[K] extends (lhs: llvm.Value, rhs: llvm.Value, name?: string) => llvm.Value ? K : never;
}[keyof llvm.IRBuilder];

type CastMethod = {
  [K in keyof llvm.IRBuilder]: llvm.IRBuilder[K] extends (value: llvm.Value, type: llvm.Type, name?: string) => llvm.Value ? K : never;
}[keyof llvm.IRBuilder];

export class ArithmeticBuilder extends BuilderBase {
  add(left: LlvmValue, right: LlvmValue, flags: WrapFlags = {}): LlvmValue {
    return this.#int('CreateAdd', 'add', left, right, flags);
  }

  sub(left: LlvmValue, right: LlvmValue, flags: WrapFlags = {}): LlvmValue {
    return this.#int('CreateSub', 'sub', left, right, flags);
  }

  mul(left: LlvmValue, right: LlvmValue, flags: WrapFlags = {}): LlvmValue {
    return this.#int('CreateMul', 'mul', left, right, flags);
  }

  /** Division by zero and INT_MIN / -1 are undefined behaviour. */
  sdiv(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('CreateSDiv', 'sdiv', left, right);
  }

  udiv(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('CreateUDiv', 'udiv', left, right);
  }

  /** The remainder has the sign of `left`. */
  srem(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('CreateSRem', 'srem', left, right);
  }

  urem(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('CreateURem', 'urem', left, right);
  }

  and(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('CreateAnd', 'and', left, right);
  }

  or(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('CreateOr', 'or', left, right);
  }

  xor(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('CreateXor', 'xor', left, right);
  }

  /** A shift by the width or more is poison, for all three shifts. */
  shl(left: LlvmValue, right: LlvmValue, flags: WrapFlags = {}): LlvmValue {
    return this.#int('CreateShl', 'shl', left, right, flags);
  }

  lshr(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('CreateLShr', 'lshr', left, right);
  }

  ashr(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#int('CreateAShr', 'ashr', left, right);
  }

  neg(value: LlvmValue): LlvmValue {
    this.#one(value, 'neg', 'int');
    return this.wrap(value.type, this[raw].CreateNeg(value[raw]));
  }

  not(value: LlvmValue): LlvmValue {
    this.#one(value, 'not', 'int');
    return this.wrap(value.type, this[raw].CreateNot(value[raw]));
  }

  fadd(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#float('CreateFAdd', 'fadd', left, right);
  }

  fsub(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#float('CreateFSub', 'fsub', left, right);
  }

  fmul(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#float('CreateFMul', 'fmul', left, right);
  }

  fdiv(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#float('CreateFDiv', 'fdiv', left, right);
  }

  /** C's fmod: the sign of `left`. Becomes a call of the maths library. */
  frem(left: LlvmValue, right: LlvmValue): LlvmValue {
    return this.#float('CreateFRem', 'frem', left, right);
  }

  fneg(value: LlvmValue): LlvmValue {
    this.#one(value, 'fneg', 'float');
    return this.wrap(value.type, this[raw].CreateFNeg(value[raw]));
  }

  /** Compares integers or pointers; the result is i1, or a vector of i1. */
  icmp(predicate: IntPredicate, left: LlvmValue, right: LlvmValue): LlvmValue {
    this.pair(left, right, 'icmp');
    if (!left.type.isInt && !left.type.isPointer) fault(`icmp: ${left.type} is no integer or pointer`);
    const method = ICMP[predicate] ?? fault(`icmp: no predicate ${String(predicate)}`);
    return this.wrap(this.types.withScalar(left.type, this.types.i1), this[raw][method](left[raw], right[raw]));
  }

  fcmp(predicate: FloatPredicate, left: LlvmValue, right: LlvmValue): LlvmValue {
    this.pair(left, right, 'fcmp');
    if (!left.type.isFloat) fault(`fcmp: ${left.type} is no floating-point type`);
    const made = guarded('fcmp', () => this.addon.tfc.fcmp(this[raw], predicate, left[raw], right[raw]));
    return this.wrap(this.types.withScalar(left.type, this.types.i1), made);
  }

  /** `condition ? yes : no`; a vector condition chooses lane by lane. */
  select(condition: LlvmValue, yes: LlvmValue, no: LlvmValue): LlvmValue {
    this.pair(yes, no, 'select');
    this.check(condition, 'select', 'condition');
    if (!condition.type.isBool) fault(`select: the condition is ${condition.type}, not i1`);
    if (condition.type.isVector && condition.type.lanes !== yes.type.lanes) fault(`select: ${condition.type} cannot choose lanes of ${yes.type}`);
    return this.wrap(yes.type, this[raw].CreateSelect(condition[raw], yes[raw], no[raw]));
  }

  /** A value that is no longer poison or undef, though which one is open. */
  freeze(value: LlvmValue): LlvmValue {
    this.open('freeze');
    this.check(value, 'freeze', 'operand');
    return this.wrap(value.type, this.addon.tfc.freeze(this[raw], value[raw]));
  }

  sext(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#resize('CreateSExt', 'sext', value, to, 'int', 'wider');
  }

  zext(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#resize('CreateZExt', 'zext', value, to, 'int', 'wider');
  }

  trunc(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#resize('CreateTrunc', 'trunc', value, to, 'int', 'narrower');
  }

  fpext(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#resize('CreateFPExt', 'fpext', value, to, 'float', 'wider');
  }

  /** Rounds to nearest even. */
  fptrunc(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#resize('CreateFPTrunc', 'fptrunc', value, to, 'float', 'narrower');
  }

  sitofp(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#convert('CreateSIToFP', 'sitofp', value, to, 'int', 'float');
  }

  uitofp(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#convert('CreateUIToFP', 'uitofp', value, to, 'int', 'float');
  }

  /** Towards zero; poison when the result does not fit (`intrinsic('llvm.fptosi.sat', …)` saturates). */
  fptosi(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#convert('CreateFPToSI', 'fptosi', value, to, 'float', 'int');
  }

  fptoui(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#convert('CreateFPToUI', 'fptoui', value, to, 'float', 'int');
  }

  /** The same bits read as another type of the same size. */
  bitcast(value: LlvmValue, to: LlvmType): LlvmValue {
    this.#castable(value, to, 'bitcast');
    const size = (t: LlvmType): number => t.scalarBits * Math.max(1, t.lanes);
    const plain = (t: LlvmType): boolean => t.isInt || t.isFloat;
    if (value.type !== to && !(plain(value.type) && plain(to) && size(value.type) === size(to))) fault(`bitcast: ${value.type} and ${to} differ in size or kind`);
    return this.#cast('CreateBitCast', value, to);
  }

  ptrtoint(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#convert('CreatePtrToInt', 'ptrtoint', value, to, 'ptr', 'int');
  }

  inttoptr(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#convert('CreateIntToPtr', 'inttoptr', value, to, 'int', 'ptr');
  }

  addrspacecast(value: LlvmValue, to: LlvmType): LlvmValue {
    return this.#convert('CreateAddrSpaceCast', 'addrspacecast', value, to, 'ptr', 'ptr');
  }

  #int(method: BinaryMethod, what: string, left: LlvmValue, right: LlvmValue, flags: WrapFlags = {}): LlvmValue {
    this.pair(left, right, what);
    if (!left.type.isInt) fault(`${what}: ${left.type} is no integer type`);
    const made = this[raw][method](left[raw], right[raw]);
    if (flags.nuw === true || flags.nsw === true) this.addon.tfc.setWrap(made, flags.nuw ?? false, flags.nsw ?? false);
    return this.wrap(left.type, made);
  }

  #float(method: BinaryMethod, what: string, left: LlvmValue, right: LlvmValue): LlvmValue {
    this.pair(left, right, what);
    if (!left.type.isFloat) fault(`${what}: ${left.type} is no floating-point type`);
    return this.wrap(left.type, this[raw][method](left[raw], right[raw]));
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

  #resize(method: CastMethod, what: string, value: LlvmValue, to: LlvmType, kind: Kind, direction: 'wider' | 'narrower'): LlvmValue {
    const from = value.type;
    const result = this.#convert(method, what, value, to, kind, kind);
    const fits = direction === 'wider' ? to.scalarBits > from.scalarBits : to.scalarBits < from.scalarBits;
    if (!fits) fault(`${what}: ${to} is not ${direction} than ${from}`);
    return result;
  }

  #convert(method: CastMethod, what: string, value: LlvmValue, to: LlvmType, fromKind: Kind, toKind: Kind): LlvmValue {
    this.#castable(value, to, what);
    if (value.type.scalar.shape.kind !== fromKind) fault(`${what}: ${value.type} is no ${fromKind} type`);
    if (to.scalar.shape.kind !== toKind) fault(`${what}: ${to} is no ${toKind} type`);
    if (value.type.lanes !== to.lanes) fault(`${what}: ${value.type} and ${to} differ in lanes`);
    return this.#cast(method, value, to);
  }

  #cast(method: CastMethod, value: LlvmValue, to: LlvmType): LlvmValue {
    return this.wrap(to, this[raw][method](value[raw], to[raw]));
  }
}

type Kind = 'int' | 'float' | 'ptr';

const ICMP: Readonly<Record<IntPredicate, BinaryMethod>> = {
  eq: 'CreateICmpEQ',
  ne: 'CreateICmpNE',
  slt: 'CreateICmpSLT',
  sle: 'CreateICmpSLE',
  sgt: 'CreateICmpSGT',
  sge: 'CreateICmpSGE',
  ult: 'CreateICmpULT',
  ule: 'CreateICmpULE',
  ugt: 'CreateICmpUGT',
  uge: 'CreateICmpUGE',
};
