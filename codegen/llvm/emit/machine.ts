// Machine ops as LLVM instructions, on scalars and on vectors alike. In: an op's name, its dtype and argument values. Out: the value.
// Holds: each op means what `src/kernel/machine.ts` says, lane by lane, for every input; nothing is reassociated or contracted here.
// Narrow floats travel as f32 values that are exactly representable; every op on them rounds its result.

import { type DType, dtypes, InternalError, isNarrowFloat, isSigned, roundTo } from '../../../src/base/index.js';
import type { MachineOpName } from '../../../src/kernel/index.js';
import { emitExponent } from './exponents.js';
import {
  bf16FromF32,
  bf16ToF32,
  doubleFromInteger,
  eightBits,
  f16FromF32,
  f16ToF32,
  f8FromF32,
  f8ToF32,
  oddFromF64,
  saturated,
} from './half.js';
import type { Builder, LlvmType, LlvmValue, ModuleBuilder } from '../builder/index.js';
import type { CpuLevel } from '../isa/isa.js';

/** One value per lane; `lanes` 1 is a scalar that all lanes share. */
export interface Value {
  readonly value: LlvmValue;
  readonly lanes: number;
  readonly dtype: DType;
}

type Family = 'float' | 'signed' | 'unsigned' | 'bool';

const familyOf = (dtype: DType): Family => {
  const family = dtypes[dtype].family;
  return family === 'integer' ? (isSigned(dtype) ? 'signed' : 'unsigned') : family;
};

export class MachineOps {
  readonly module: ModuleBuilder;
  readonly builder: Builder;
  readonly #cpu: CpuLevel;
  readonly #constants = new Map<string, Value>();
  readonly #zeros = new Map<LlvmType, LlvmValue>();
  readonly #stepVectors = new Map<string, LlvmValue>();
  readonly #masks = new Map<string, LlvmValue>();
  /** What integer constants are: divisions by most of them need no care. */
  readonly #integers = new Map<LlvmValue, bigint>();

  constructor(module: ModuleBuilder, builder: Builder, cpu: CpuLevel) {
    this.module = module;
    this.builder = builder;
    this.#cpu = cpu;
  }

  /** Type of one lane in registers. */
  scalarType(dtype: DType): LlvmType {
    const types = this.module.types;
    switch (dtype) {
      case 'f32':
      case 'f16':
      case 'bf16':
      case 'f8e4m3':
      case 'f8e5m2':
        return types.f32;
      case 'f64':
        return types.f64;
      case 'i32':
      case 'u32':
        return types.i32;
      case 'i64':
      case 'u64':
        return types.i64;
      case 'i16':
      case 'u16':
        return types.i16;
      case 'i8':
      case 'u8':
        return types.i8;
      case 'bool':
        return types.i1;
    }
  }

  /** Type of one element in memory. */
  memoryType(dtype: DType): LlvmType {
    const types = this.module.types;
    if (dtype === 'bool') return types.i8;
    return isNarrowFloat(dtype) ? types.int(8 * dtypes[dtype].bytes) : this.scalarType(dtype);
  }

  typeOf(dtype: DType, lanes: number): LlvmType {
    return this.wide(this.scalarType(dtype), lanes);
  }

  wide(type: LlvmType, lanes: number): LlvmType {
    return lanes === 1 ? type : this.module.types.vector(type, lanes);
  }

  /** The same value in every one of `lanes` lanes. */
  widen(of: Value, lanes: number): Value {
    if (of.lanes === lanes) return of;
    if (of.lanes !== 1) throw new InternalError('codegen', `a value of ${of.lanes} lanes where ${lanes} are needed`);
    return { ...of, value: this.builder.splat(lanes, of.value), lanes };
  }

  zero(type: LlvmType): LlvmValue {
    let zero = this.#zeros.get(type);
    if (zero === undefined) {
      zero = this.module.zero(type);
      this.#zeros.set(type, zero);
    }
    return zero;
  }

  /** 0, stride, 2·stride, … as a constant of `lanes` lanes; wraps like the type. */
  steps(type: LlvmType, lanes: number, stride: number): LlvmValue {
    const key = `${type.scalarBits}:${lanes}:${stride}`;
    let steps = this.#stepVectors.get(key);
    if (steps === undefined) {
      const bits = type.scalarBits;
      steps = this.module.vectorOf(
        Array.from({ length: lanes }, (_, lane) => this.module.int(type, BigInt.asIntN(bits, BigInt(lane) * BigInt(stride)))),
      );
      this.#stepVectors.set(key, steps);
    }
    return steps;
  }

  /** A mask of the first `active` of `lanes` lanes. */
  firstLanes(lanes: number, active: number): LlvmValue {
    const key = `${lanes}:${active}`;
    let mask = this.#masks.get(key);
    if (mask === undefined)
      this.#masks.set(key, (mask = this.module.vectorOf(Array.from({ length: lanes }, (_, lane) => this.module.bool(lane < active)))));
    return mask;
  }

  constant(dtype: DType, value: number | bigint, lanes = 1): Value {
    const key = `${dtype}:${Object.is(value, -0) ? '-0' : String(value)}:${lanes}`;
    let constant = this.#constants.get(key);
    if (constant === undefined) {
      constant = { value: this.#makeConstant(dtype, value, this.typeOf(dtype, lanes)), lanes, dtype };
      this.#constants.set(key, constant);
      if (lanes === 1 && familyOf(dtype) !== 'float')
        this.#integers.set(
          constant.value,
          familyOf(dtype) === 'signed'
            ? BigInt.asIntN(dtypes[dtype].bytes * 8, BigInt(value))
            : BigInt.asUintN(dtypes[dtype].bytes * 8, BigInt(value)),
        );
    }
    return constant;
  }

  #makeConstant(dtype: DType, value: number | bigint, type: LlvmType): LlvmValue {
    switch (familyOf(dtype)) {
      case 'float':
        return this.module.float(type, roundTo(dtype, Number(value)));
      case 'bool':
        return this.module.int(type, Number(value) === 0 ? 0 : 1);
      case 'signed':
      case 'unsigned':
        return this.module.int(type, BigInt.asIntN(dtypes[dtype].bytes * 8, BigInt(value)));
    }
  }

  apply(fn: MachineOpName, dtype: DType, given: readonly Value[]): Value {
    const lanes = Math.max(...given.map((arg) => arg.lanes));
    // A condition that all lanes share may choose between whole vectors.
    const args = given.map((arg, at) => ((fn === 'select' || fn === 'unlikely') && at === 0 ? arg : this.widen(arg, lanes)));
    const [a, b, c] = args as [Value, Value, Value];
    if (fn === 'convert') return this.#convert(a, dtype);
    if (fn === 'bitcast') return this.#bitcast(a, dtype);
    const value = fn.startsWith('libm_') ? this.#libm(fn.slice('libm_'.length), args) : this.#emit(fn, a, b, c);
    return this.settle({ value, lanes, dtype });
  }

  /** Rounds a result that was computed in f32 to the narrow format it belongs to. */
  settle(of: Value): Value {
    if (!isNarrowFloat(of.dtype)) return of;
    const format = eightBits(of.dtype);
    const value = format === undefined ? of.value : saturated(this, of.value, format);
    return this.fromMemory(this.toMemory({ ...of, value }), of.dtype, of.lanes);
  }

  /** What `accumulate` and `muladd` allow. */
  contract(a: LlvmValue, b: LlvmValue, c: LlvmValue): LlvmValue {
    return this.#cpu.fma ? this.intrinsic('llvm.fma', c.type, [a, b, c]) : this.builder.fadd(this.builder.fmul(a, b), c);
  }

  intrinsic(name: string, result: LlvmType, args: readonly LlvmValue[]): LlvmValue {
    return this.builder.intrinsic(name, result, args);
  }

  #emit(fn: MachineOpName, a: Value, b: Value, c: Value): LlvmValue {
    const build = this.builder;
    const family = familyOf(fn === 'select' || fn === 'unlikely' ? b.dtype : a.dtype);
    const [x, y] = [a.value, b?.value as LlvmValue];
    const unary = (name: string): LlvmValue => this.intrinsic(name, x.type, [x]);
    switch (fn) {
      case 'add':
        return family === 'float' ? build.fadd(x, y) : build.add(x, y);
      case 'sub':
        return family === 'float' ? build.fsub(x, y) : build.sub(x, y);
      case 'mul':
        return family === 'float' ? build.fmul(x, y) : build.mul(x, y);
      case 'div':
        return family === 'float' ? build.fdiv(x, y) : this.#divide(family, x, y);
      case 'rem':
        return build.sub(x, build.mul(this.#divide(family, x, y), y));
      case 'fma':
        return this.#fused(x, y, c.value);
      case 'muladd':
        return this.contract(x, y, c.value);
      case 'neg':
        return family === 'float' ? build.fneg(x) : build.sub(this.zero(x.type), x);
      case 'abs':
        if (family === 'float') return unary('llvm.fabs');
        return family === 'signed' ? this.intrinsic('llvm.abs', x.type, [x, this.module.bool(false)]) : x;
      case 'sqrt':
        return unary('llvm.sqrt');
      case 'floor':
        return unary('llvm.floor');
      case 'ceil':
        return unary('llvm.ceil');
      case 'trunc':
        return unary('llvm.trunc');
      case 'rint':
        return unary('llvm.rint');
      case 'copysign':
        return this.intrinsic('llvm.copysign', x.type, [x, y]);
      case 'min':
        return build.select(this.compare('lt', family, x, y), x, y);
      case 'max':
        return build.select(this.compare('gt', family, x, y), x, y);
      case 'lt':
      case 'le':
      case 'gt':
      case 'ge':
      case 'eq':
      case 'ne':
        return this.compare(fn, family, x, y);
      case 'and':
        return build.and(x, y);
      case 'or':
        return build.or(x, y);
      case 'xor':
        return build.xor(x, y);
      case 'not':
        return build.xor(x, this.module.allOnes(x.type));
      case 'shl':
        return build.shl(x, y);
      case 'shr':
        return build.lshr(x, y);
      case 'sar':
        return build.ashr(x, y);
      case 'scale':
      case 'exponent':
      case 'mantissa':
        return emitExponent(this, fn, fn === 'scale' ? [x, y] : [x], this.#cpu.exponents);
      case 'mulhi': {
        const wide = this.wide(this.module.types.i64, a.lanes);
        const product = build.mul(build.zext(x, wide), build.zext(y, wide));
        return build.trunc(build.lshr(product, this.module.int(wide, 32)), x.type);
      }
      case 'select':
      case 'unlikely':
        return build.select(x, y, c.value);
      default:
        throw new InternalError('codegen', `${fn} is no plain machine op`);
    }
  }

  compare(how: 'lt' | 'le' | 'gt' | 'ge' | 'eq' | 'ne', family: Family, x: LlvmValue, y: LlvmValue): LlvmValue {
    if (family === 'float') return this.builder.fcmp(how === 'ne' ? 'une' : `o${how}`, x, y);
    if (how === 'eq' || how === 'ne') return this.builder.icmp(how, x, y);
    return this.builder.icmp(`${family === 'signed' ? 's' : 'u'}${how}`, x, y);
  }

  /** The instruction traps on a zero divisor and on the smallest number by -1; here the first is 0 and the second wraps. */
  #divide(family: Family, x: LlvmValue, y: LlvmValue): LlvmValue {
    const { builder: build, module } = this;
    const [zero, one] = [this.zero(y.type), module.int(y.type, 1)];
    const known = this.#integers.get(y);
    if (known !== undefined && known !== 0n && known !== -1n) return family === 'signed' ? build.sdiv(x, y) : build.udiv(x, y);
    const byZero = build.icmp('eq', y, zero);
    if (family !== 'signed') return build.select(byZero, zero, build.udiv(x, build.select(byZero, one, y)));
    const byMinusOne = build.icmp('eq', y, module.allOnes(y.type));
    const quotient = build.sdiv(x, build.select(build.or(byZero, byMinusOne), one, y));
    return build.select(byZero, zero, build.select(byMinusOne, build.sub(zero, x), quotient));
  }

  /**
   * With one rounding. Without the instruction: f64 calls libm; f32 computes in f64, where the product is exact, rounds the sum
   * to odd (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008), and then to f32.
   */
  #fused(x: LlvmValue, y: LlvmValue, z: LlvmValue): LlvmValue {
    if (this.#cpu.fma || x.type.scalarBits === 64) return this.intrinsic('llvm.fma', x.type, [x, y, z]);
    const { builder: build, module } = this;
    const lanes = Math.max(1, x.type.lanes);
    const [wide, bits] = [this.wide(module.types.f64, lanes), this.wide(module.types.i64, lanes)];
    const product = build.fmul(build.fpext(x, wide), build.fpext(y, wide));
    const addend = build.fpext(z, wide);
    const sum = build.fadd(product, addend);
    // Two-sum: `error` is exactly what the sum lost.
    const part = build.fsub(sum, product);
    const error = build.fadd(build.fsub(product, build.fsub(sum, part)), build.fsub(addend, part));
    const pattern = build.bitcast(sum, bits);
    const even = build.icmp('eq', build.and(pattern, module.int(bits, 1)), module.zero(bits));
    const lost = build.fcmp('one', error, module.zero(wide));
    const outwards = build.icmp('sge', build.xor(build.bitcast(error, bits), pattern), module.zero(bits));
    const odd = build.add(pattern, build.select(outwards, module.int(bits, 1), module.allOnes(bits)));
    const chosen = build.select(build.and(even, lost), odd, pattern);
    return build.fptrunc(build.bitcast(chosen, wide), x.type);
  }

  #convert(of: Value, dtype: DType): Value {
    if (of.dtype === dtype) return of;
    const { builder: build } = this;
    const { value: x, lanes } = of;
    const to = this.typeOf(dtype, lanes);
    const [source, target] = [familyOf(of.dtype), familyOf(dtype)];
    const done = (value: LlvmValue): Value => this.settle({ value, lanes, dtype });
    if (target === 'bool')
      return done(source === 'float' ? build.fcmp('une', x, this.zero(x.type)) : build.icmp('ne', x, this.zero(x.type)));
    if (target === 'float') {
      if (source === 'float') {
        if (x.type === to) return done(x);
        if (x.type.scalarBits < to.scalarBits) return done(build.fpext(x, to));
        return done(build.fptrunc(dtype === 'f32' ? x : oddFromF64(this, x), to));
      }
      // The range of narrower floats ends where f32 still holds every integer.
      if (dtype === 'bf16' && x.type.scalarBits > 24)
        return done(build.fptrunc(oddFromF64(this, doubleFromInteger(this, x, source === 'signed')), to));
      return done(source === 'signed' ? build.sitofp(x, to) : build.uitofp(x, to));
    }
    if (source === 'float') return done(this.intrinsic(target === 'signed' ? 'llvm.fptosi.sat' : 'llvm.fptoui.sat', to, [x]));
    if (x.type === to) return done(x);
    if (x.type.scalarBits > to.scalarBits) return done(build.trunc(x, to));
    return done(source === 'signed' ? build.sext(x, to) : build.zext(x, to));
  }

  #bitcast(of: Value, dtype: DType): Value {
    if (of.dtype === dtype) return of;
    const { builder: build } = this;
    const { lanes } = of;
    const asMemory = this.toMemory(of);
    const target = this.wide(this.memoryType(dtype), lanes);
    if (asMemory.type.scalarBits !== target.scalarBits) throw new InternalError('codegen', `bitcast of ${of.dtype} to ${dtype}`);
    return this.fromMemory(asMemory.type === target ? asMemory : build.bitcast(asMemory, target), dtype, lanes);
  }

  /** As stored: bool in a byte, narrow floats in their own format. */
  toMemory(of: Value): LlvmValue {
    if (of.dtype === 'bool') return this.builder.zext(of.value, this.wide(this.module.types.i8, of.lanes));
    if (of.dtype === 'f16') return f16FromF32(this, of.value, this.#cpu);
    if (of.dtype === 'bf16') return bf16FromF32(this, of.value, this.#cpu);
    const format = eightBits(of.dtype);
    return format === undefined ? of.value : f8FromF32(this, of.value, format);
  }

  fromMemory(value: LlvmValue, dtype: DType, lanes: number): Value {
    if (dtype === 'bool') return { value: this.builder.icmp('ne', value, this.zero(value.type)), lanes, dtype };
    if (dtype === 'f16') return { value: f16ToF32(this, value, this.#cpu), lanes, dtype };
    if (dtype === 'bf16') return { value: bf16ToF32(this, value, this.#cpu), lanes, dtype };
    const format = eightBits(dtype);
    return { value: format === undefined ? value : f8ToF32(this, value, format), lanes, dtype };
  }

  #libm(name: string, args: readonly Value[]): LlvmValue {
    if (!this.#cpu.libm) throw new InternalError('codegen', `a call of ${name} where there is no libm`);
    const { builder: build, module } = this;
    const f64 = module.types.f64;
    const callee = module.declare(
      name,
      module.types.function(
        f64,
        args.map(() => f64),
      ),
      {
        attributes: ['nounwind', 'willreturn', 'nobuiltin'],
        memory: 'none',
      },
    );
    const lanes = (args[0] as Value).lanes;
    if (lanes === 1)
      return build.call(
        callee,
        args.map((arg) => arg.value),
      );
    let result: LlvmValue = module.poison(this.wide(f64, lanes));
    for (let lane = 0; lane < lanes; lane++) {
      const one = build.call(
        callee,
        args.map((arg) => build.extractElement(arg.value, module.i32(lane))),
      );
      result = build.insertElement(result, one, module.i32(lane));
    }
    return result;
  }
}
