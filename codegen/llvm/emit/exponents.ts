// Exponents of f32: `scale`, `exponent` and `mantissa` of `src/kernel/machine.ts`. In: f32 values. Out: f32 values. Holds: the same bits
// with AVX-512's own instructions as with integer arithmetic, except that a processor that reads subnormals as 0 may do so here.

import type { ExponentInstructions } from '../isa/isa.js';
import type { LlvmType, LlvmValue } from '../builder/index.js';
import type { MachineOps } from './machine.js';

export type ExponentOp = 'scale' | 'exponent' | 'mantissa';

const signBit = 0x80000000;
const infinity = 0x7f800000;
/** 1.5 · 2²³: a whole number that is added to it stands in the low bits. */
const rounding = 12582912;

/** `given`: a, and n for `scale`. `native`: what the target has of its own. */
export function emitExponent(
  ops: MachineOps,
  op: ExponentOp,
  given: readonly LlvmValue[],
  native: ExponentInstructions | undefined,
): LlvmValue {
  const [a, n] = given as [LlvmValue, LlvmValue];
  const lanes = Math.max(1, a.type.lanes);
  if (native !== undefined && (lanes === 1 || native.lanes.includes(lanes))) return instruction(ops, op, given, lanes, native);
  const bits = new Bits(ops, lanes);
  switch (op) {
    case 'scale':
      return bits.scale(a, n);
    case 'exponent':
      return bits.exponent(a);
    case 'mantissa':
      return bits.mantissa(a);
  }
}

/** A scalar goes through the lowest lane of the narrowest vector. */
function instruction(ops: MachineOps, op: ExponentOp, given: readonly LlvmValue[], lanes: number, native: ExponentInstructions): LlvmValue {
  const { builder: build, module } = ops;
  const { types } = module;
  const width = lanes === 1 ? Math.min(...native.lanes) : lanes;
  const type = types.vector(types.f32, width);
  const args = given.map((value) => (lanes === 1 ? build.insertElement(module.poison(type), value, module.i32(0)) : value));
  const all = module.allOnes(width === 16 ? types.i16 : types.i8);
  // 4: the rounding mode in force. Mantissas in [¾, 1½) are interval 3; bit 3 turns those of negative numbers into NaN.
  const mode = width === native.rounds ? [module.i32(4)] : [];
  const rest = [module.poison(type), all, ...mode];
  const [a, n] = args as [LlvmValue, LlvmValue];
  const own = { scale: [n], exponent: [], mantissa: [module.i32(0b1011)] }[op];
  const made = build.intrinsic(native[op](width), type, [a, ...own, ...rest]);
  return lanes === 1 ? build.extractElement(made, module.i32(0)) : made;
}

/** The same in integer arithmetic. */
class Bits {
  readonly #ops: MachineOps;
  readonly #i32: LlvmType;
  readonly #f32: LlvmType;

  constructor(ops: MachineOps, lanes: number) {
    this.#ops = ops;
    this.#i32 = ops.wide(ops.module.types.i32, lanes);
    this.#f32 = ops.wide(ops.module.types.f32, lanes);
  }

  /** Two factors, of which the first leaves no subnormal. */
  scale(a: LlvmValue, n: LlvmValue): LlvmValue {
    const { builder: build } = this.#ops;
    // By an addition, because converting a NaN to an integer would leave the result open.
    const whole = build.sub(this.#word(build.fadd(n, this.#float(rounding))), this.#int(0x4b400000));
    const half = build.ashr(whole, this.#int(1));
    const power = (of: LlvmValue): LlvmValue => this.#number(build.shl(build.add(of, this.#int(127)), this.#int(23)));
    return build.fmul(build.fmul(a, power(half)), power(build.sub(whole, half)));
  }

  exponent(a: LlvmValue): LlvmValue {
    const { builder: build } = this.#ops;
    const { size, tiny, normal } = this.#split(a);
    const biased = build.sitofp(build.lshr(normal, this.#int(23)), this.#f32);
    const value = build.fsub(biased, build.select(tiny, this.#float(127 + 24), this.#float(127)));
    const finite = build.select(build.icmp('ult', size, this.#int(infinity)), value, this.#number(size));
    return build.select(build.fcmp('oeq', a, this.#float(0)), this.#float(-Infinity), finite);
  }

  mantissa(a: LlvmValue): LlvmValue {
    const { builder: build } = this.#ops;
    const { normal } = this.#split(a);
    const least = this.#int(0x3f400000);
    const value = this.#number(build.add(build.and(build.sub(normal, least), this.#int(0x007fffff)), least));
    const finite = build.select(build.fcmp('olt', a, this.#float(Infinity)), value, this.#float(1));
    const zero = this.#number(build.or(this.#word(a), this.#int(0x3f800000)));
    return build.select(
      build.fcmp('ogt', a, this.#float(0)),
      finite,
      build.select(build.fcmp('oeq', a, this.#float(0)), zero, this.#float(NaN)),
    );
  }

  /** Bits of |a|, and of |a| · 2²⁴ where that alone is normal. */
  #split(a: LlvmValue): { readonly size: LlvmValue; readonly tiny: LlvmValue; readonly normal: LlvmValue } {
    const { builder: build } = this.#ops;
    const size = build.and(this.#word(a), this.#int(~signBit));
    const tiny = build.icmp('ult', size, this.#int(0x00800000));
    const raised = this.#word(build.fmul(this.#number(size), this.#float(2 ** 24)));
    return { size, tiny, normal: build.select(tiny, raised, size) };
  }

  #int(value: number): LlvmValue {
    return this.#ops.module.int(this.#i32, value | 0);
  }

  #float(value: number): LlvmValue {
    return this.#ops.module.float(this.#f32, value);
  }

  #word(value: LlvmValue): LlvmValue {
    return this.#ops.builder.bitcast(value, this.#i32);
  }

  #number(value: LlvmValue): LlvmValue {
    return this.#ops.builder.bitcast(value, this.#f32);
  }
}
