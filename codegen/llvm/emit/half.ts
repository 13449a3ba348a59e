// Narrow floats in and out of f32 registers, and what they are made of there. In: f32 lanes, patterns as i16 or i8, f64 lanes, integers.
// Out: the other; doubles that may be rounded twice. Holds: to nearest, ties to even, rounded once; subnormals are exact whether or not the
// processor flushes f32 subnormals; the same bits on every target, but of NaNs. What is too large becomes infinity in 16 bits, the largest
// number in 8, as `runtime/half.ts` says; an infinity that is only moved stays one.

import type { DType } from '../../../src/base/index.js';
import type { LlvmValue } from '../builder/index.js';
import type { MachineOps } from './machine.js';
import type { CpuLevel } from '../isa/isa.js';

interface Lanes {
  readonly bits: (value: number) => LlvmValue;
  readonly i8: LlvmValue['type'];
  readonly i16: LlvmValue['type'];
  readonly i32: LlvmValue['type'];
  readonly f32: LlvmValue['type'];
  readonly f16: LlvmValue['type'];
  readonly bf16: LlvmValue['type'];
}

function lanesOf(ops: MachineOps, like: LlvmValue): Lanes {
  const { types } = ops.module;
  const lanes = Math.max(1, like.type.lanes);
  const i32 = ops.wide(types.i32, lanes);
  return {
    bits: (value) => ops.module.int(i32, value),
    i8: ops.wide(types.i8, lanes),
    i16: ops.wide(types.i16, lanes),
    i32,
    f32: ops.wide(types.f32, lanes),
    f16: ops.wide(types.f16, lanes),
    bf16: ops.wide(types.bf16, lanes),
  };
}

/**
 * A double from which rounding to f32 and then to 16 bits is as rounding once: what the first fourteen places of the fraction do not hold
 * sticks to the last of them ("round to odd": S. Boldo and G. Melquiond, "Emulation of FMA and Correctly Rounded Sums: Proved Algorithms
 * Using Rounding to Odd", IEEE Transactions on Computers 57(4), 2008). So few, because f32 must hold it where it is a subnormal.
 */
export function oddFromF64(ops: MachineOps, value: LlvmValue): LlvmValue {
  return ops.builder.bitcast(stickyBelow(ops, ops.builder.bitcast(value, ops.wide(ops.module.types.i64, lanesIn(value))), 38), value.type);
}

/** Integers as doubles that rounding again rounds right: beyond 2⁵³ what is cut off sticks to the last place. */
export function doubleFromInteger(ops: MachineOps, value: LlvmValue, isSigned: boolean): LlvmValue {
  const { builder: build, module } = ops;
  const f64 = ops.wide(module.types.f64, lanesIn(value));
  const asDouble = (whole: LlvmValue): LlvmValue => (isSigned ? build.sitofp(whole, f64) : build.uitofp(whole, f64));
  if (value.type.scalarBits < 64) return asDouble(value);
  const one = module.int(value.type, 1);
  const upper = isSigned ? build.add(build.ashr(value, module.int(value.type, 53)), one) : build.lshr(value, module.int(value.type, 52));
  return asDouble(build.select(build.icmp('ugt', upper, one), stickyBelow(ops, value, 11), value));
}

/** Without its lowest bits, whose place the next one takes: it is set if any of them was. */
function stickyBelow(ops: MachineOps, bits: LlvmValue, count: number): LlvmValue {
  const { builder: build, module } = ops;
  const constant = (number: bigint): LlvmValue => module.int(bits.type, number);
  const next = 1n << BigInt(count);
  const lost = build.icmp('ne', build.and(bits, constant(next - 1n)), module.zero(bits.type));
  return build.or(build.and(bits, constant(-next)), build.select(lost, constant(next), constant(0n)));
}

const lanesIn = (value: LlvmValue): number => Math.max(1, value.type.lanes);

export function f16FromF32(ops: MachineOps, value: LlvmValue, cpu: CpuLevel): LlvmValue {
  const build = ops.builder;
  const { bits, i16, i32, f16, f32 } = lanesOf(ops, value);
  if (cpu.f16c) return build.bitcast(build.fptrunc(value, f16), i16);
  const pattern = build.bitcast(value, i32);
  const magnitude = build.and(pattern, bits(0x7fffffff));
  const sign = build.and(build.lshr(pattern, bits(16)), bits(0x8000));
  // Normal: add half a unit less one, plus one when the kept part is odd; a carry into the exponent is right, also into infinity.
  const odd = build.and(build.lshr(magnitude, bits(13)), bits(1));
  const rounded = build.lshr(build.add(magnitude, build.add(odd, bits(0xfff))), bits(13));
  const normal = build.sub(rounded, bits(112 << 10));
  // Subnormal: adding a half, whose last place is 2^-24, rounds as wanted.
  const half = ops.module.float(f32, 0.5);
  const subnormal = build.sub(build.bitcast(build.fadd(build.bitcast(magnitude, f32), half), i32), bits(0x3f000000));
  const nan = build.or(bits(0x7e00), build.and(build.lshr(magnitude, bits(13)), bits(0x3ff)));
  const special = build.select(build.icmp('ugt', magnitude, bits(0x7f800000)), nan, bits(0x7c00));
  const finite = build.select(build.icmp('ult', magnitude, bits(0x38800000)), subnormal, normal);
  const chosen = build.select(build.icmp('uge', magnitude, bits(0x47800000)), special, finite);
  return build.trunc(build.or(chosen, sign), i16);
}

export function f16ToF32(ops: MachineOps, pattern: LlvmValue, cpu: CpuLevel): LlvmValue {
  const build = ops.builder;
  const { bits, i32, f16, f32 } = lanesOf(ops, pattern);
  if (cpu.f16c) return build.fpext(build.bitcast(pattern, f16), f32);
  const wide = build.zext(pattern, i32);
  const magnitude = build.and(wide, bits(0x7fff));
  const sign = build.shl(build.and(wide, bits(0x8000)), bits(16));
  const shifted = build.shl(magnitude, bits(13));
  const normal = build.add(shifted, bits(112 << 23));
  const subnormal = build.bitcast(build.fmul(build.uitofp(magnitude, f32), ops.module.float(f32, 2 ** -24)), i32);
  const special = build.or(shifted, bits(0x7f800000));
  const finite = build.select(build.icmp('ult', magnitude, bits(0x400)), subnormal, normal);
  const chosen = build.select(build.icmp('uge', magnitude, bits(0x7c00)), special, finite);
  return build.bitcast(build.or(chosen, sign), f32);
}

export function bf16FromF32(ops: MachineOps, value: LlvmValue, cpu: CpuLevel): LlvmValue {
  const build = ops.builder;
  const { bits, i16, i32, bf16 } = lanesOf(ops, value);
  if (cpu.bf16 === true) return build.bitcast(build.fptrunc(value, bf16), i16);
  const pattern = build.bitcast(value, i32);
  const upper = build.lshr(pattern, bits(16));
  const rounded = build.lshr(build.add(pattern, build.add(build.and(upper, bits(1)), bits(0x7fff))), bits(16));
  const chosen = build.select(build.fcmp('uno', value, value), build.or(upper, bits(0x40)), rounded);
  return build.trunc(chosen, i16);
}

export function bf16ToF32(ops: MachineOps, pattern: LlvmValue, cpu: CpuLevel): LlvmValue {
  const build = ops.builder;
  const { bits, i32, bf16, f32 } = lanesOf(ops, pattern);
  if (cpu.bf16 === true) return build.fpext(build.bitcast(pattern, bf16), f32);
  return build.bitcast(build.shl(build.zext(pattern, i32), bits(16)), f32);
}

/** A layout of eight bits. */
export interface EightBits {
  readonly fraction: number;
  readonly bias: number;
  readonly largest: number;
  /** The pattern of infinity; what lies above it, or is the last pattern where there is none, is a NaN. */
  readonly infinity: number | undefined;
}

const formats: Partial<Readonly<Record<DType, EightBits>>> = {
  f8e4m3: { fraction: 3, bias: 7, largest: 448, infinity: undefined },
  f8e5m2: { fraction: 2, bias: 15, largest: 57344, infinity: 0x7c },
};

export const eightBits = (dtype: DType): EightBits | undefined => formats[dtype];

export function f8FromF32(ops: MachineOps, value: LlvmValue, { fraction, bias, largest, infinity }: EightBits): LlvmValue {
  const build = ops.builder;
  const { bits, i8, i32, f32 } = lanesOf(ops, value);
  const pattern = build.bitcast(value, i32);
  const magnitude = build.and(pattern, bits(0x7fffffff));
  const sign = build.and(build.lshr(pattern, bits(24)), bits(0x80));
  const most = bits(Buffer.from(Float32Array.of(largest).buffer).readInt32LE());
  const held = build.select(build.icmp('ugt', magnitude, most), most, magnitude);
  // Normal: add half a unit less one, plus one when the kept part is odd; a carry into the exponent is right.
  const left = 23 - fraction;
  const odd = build.and(build.lshr(held, bits(left)), bits(1));
  const rounded = build.lshr(build.add(held, build.add(odd, bits(2 ** (left - 1) - 1))), bits(left));
  const normal = build.sub(rounded, bits((127 - bias) << fraction));
  // Subnormal: adding a power of two whose last place is the least number rounds as wanted.
  const unit = ops.module.float(f32, 2 ** (1 - bias - fraction + 23));
  const subnormal = build.sub(build.bitcast(build.fadd(build.bitcast(held, f32), unit), i32), build.bitcast(unit, i32));
  const finite = build.select(build.icmp('ult', held, bits((128 - bias) << 23)), subnormal, normal);
  const number = infinity === undefined ? finite : build.select(build.icmp('eq', magnitude, bits(0x7f800000)), bits(infinity), finite);
  const chosen = build.select(build.icmp('ugt', magnitude, bits(0x7f800000)), bits(0x7f), number);
  return build.trunc(build.or(chosen, sign), i8);
}

/** The value, or the largest number in the place of an infinity. */
export function saturated(ops: MachineOps, value: LlvmValue, { largest }: EightBits): LlvmValue {
  const build = ops.builder;
  const { bits, i32, f32 } = lanesOf(ops, value);
  const isInfinite = build.icmp('eq', build.and(build.bitcast(value, i32), bits(0x7fffffff)), bits(0x7f800000));
  const most = ops.intrinsic('llvm.copysign', f32, [ops.module.float(f32, largest), value]);
  return build.select(isInfinite, most, value);
}

export function f8ToF32(ops: MachineOps, pattern: LlvmValue, { fraction, bias, infinity }: EightBits): LlvmValue {
  const build = ops.builder;
  const { bits, i32, f32 } = lanesOf(ops, pattern);
  const wide = build.zext(pattern, i32);
  const magnitude = build.and(wide, bits(0x7f));
  const sign = build.shl(build.and(wide, bits(0x80)), bits(24));
  const normal = build.add(build.shl(magnitude, bits(23 - fraction)), bits((127 - bias) << 23));
  const least = ops.module.float(f32, 2 ** (1 - bias - fraction));
  const subnormal = build.bitcast(build.fmul(build.uitofp(magnitude, f32), least), i32);
  const finite = build.select(build.icmp('ult', magnitude, bits(1 << fraction)), subnormal, normal);
  const special = build.select(build.icmp('eq', magnitude, bits(infinity ?? 0x80)), bits(0x7f800000), bits(0x7fc00000));
  const chosen = build.select(build.icmp('uge', magnitude, bits(infinity ?? 0x7f)), special, finite);
  return build.bitcast(build.or(chosen, sign), f32);
}
