// Machine ops: the closed set of scalar functions that every code generator implements. In: nothing. Out: their names, arities and meaning.
// Holds: everything else in an `apply` is expanded into these before code generation. Lanes are independent; integers wrap.

export interface MachineOp {
  readonly arity: number;
  /** Meaning in one line; `f` floats, `i` integers (i64, i32, u8), `b` bool. */
  readonly meaning: string;
}

export const machineOps = {
  add: { arity: 2, meaning: 'f, i: sum' },
  sub: { arity: 2, meaning: 'f, i: difference' },
  mul: { arity: 2, meaning: 'f, i: product' },
  div: { arity: 2, meaning: 'f: quotient (IEEE); i: quotient rounded towards zero, 0 when the divisor is 0' },
  rem: { arity: 2, meaning: 'i: a - div(a, b) * b' },
  fma: { arity: 3, meaning: 'f: a * b + c with one rounding' },
  muladd: { arity: 3, meaning: 'f: a * b + c with one rounding where the processor can do that at once, else with two' },
  neg: { arity: 1, meaning: 'f, i: negation' },
  abs: { arity: 1, meaning: 'f, i: magnitude' },
  sqrt: { arity: 1, meaning: 'f: square root, correctly rounded' },
  floor: { arity: 1, meaning: 'f' },
  ceil: { arity: 1, meaning: 'f' },
  trunc: { arity: 1, meaning: 'f: towards zero' },
  rint: { arity: 1, meaning: 'f: to nearest, ties to even' },
  copysign: { arity: 2, meaning: 'f: magnitude of a, sign of b' },
  /** As x86 and PTX do it fastest: a < b ? a : b. NaN handling is spelled out by whoever needs it. */
  min: { arity: 2, meaning: 'f: a < b ? a : b; i: smaller' },
  max: { arity: 2, meaning: 'f: a > b ? a : b; i: larger' },
  lt: { arity: 2, meaning: 'f (ordered), i → bool' },
  le: { arity: 2, meaning: 'f (ordered), i → bool' },
  gt: { arity: 2, meaning: 'f (ordered), i → bool' },
  ge: { arity: 2, meaning: 'f (ordered), i → bool' },
  eq: { arity: 2, meaning: 'f (ordered), i, b → bool' },
  ne: { arity: 2, meaning: 'f (unordered: true for NaN), i, b → bool' },
  and: { arity: 2, meaning: 'i, b: bitwise' },
  or: { arity: 2, meaning: 'i, b: bitwise' },
  xor: { arity: 2, meaning: 'i, b: bitwise' },
  not: { arity: 1, meaning: 'i, b: bitwise' },
  shl: { arity: 2, meaning: 'i: left shift, 0 ≤ b < width' },
  shr: { arity: 2, meaning: 'i: logical right shift, 0 ≤ b < width' },
  sar: { arity: 2, meaning: 'i: arithmetic right shift, 0 ≤ b < width' },
  // Exponents: what AVX-512 has instructions for, and others compute from the bits.
  scale: {
    arity: 2,
    meaning: 'f32: a · 2ⁿ for whole n = b, rounded once; −252 ≤ n ≤ 252, ½ ≤ |a| ≤ 2 or a is 0, ∞ or NaN; n may be NaN where a is',
  },
  exponent: { arity: 1, meaning: 'f32: the whole n with 2ⁿ ≤ |a| < 2ⁿ⁺¹, also of subnormals; −∞ of 0, ∞ of ±∞' },
  mantissa: { arity: 1, meaning: 'f32: m of a = m · 2ⁿ with ¾ ≤ m < 1½, also of subnormals; NaN below 0; ±1 of ±0, 1 of ∞' },
  mulhi: { arity: 2, meaning: 'i32: upper half of the unsigned 32×32-bit product' },
  select: { arity: 3, meaning: 'bool c, a, b: c ? a : b' },
  /** As `select`; code may branch around the computation of `a` where no lane asks for it. */
  unlikely: { arity: 3, meaning: 'bool c, a, b: c ? a : b, where c is seldom true and a costs much' },
  convert: {
    arity: 1,
    meaning:
      'to the dtype of the node: float → integer towards zero, saturating, NaN → 0; → bool: ≠ 0; integer → float nearest; integer → narrower integer wraps',
  },
  bitcast: { arity: 1, meaning: 'same bits as the dtype of the node (equal widths)' },
  // f64 only: calls of libm, lane by lane, where the target has one; else they are expanded as well.
  libm_exp: { arity: 1, meaning: 'f64' },
  libm_expm1: { arity: 1, meaning: 'f64' },
  libm_log: { arity: 1, meaning: 'f64' },
  libm_log1p: { arity: 1, meaning: 'f64' },
  libm_sin: { arity: 1, meaning: 'f64' },
  libm_cos: { arity: 1, meaning: 'f64' },
  libm_tan: { arity: 1, meaning: 'f64' },
  libm_asin: { arity: 1, meaning: 'f64' },
  libm_acos: { arity: 1, meaning: 'f64' },
  libm_atan: { arity: 1, meaning: 'f64' },
  libm_atan2: { arity: 2, meaning: 'f64' },
  libm_sinh: { arity: 1, meaning: 'f64' },
  libm_cosh: { arity: 1, meaning: 'f64' },
  libm_tanh: { arity: 1, meaning: 'f64' },
  libm_asinh: { arity: 1, meaning: 'f64' },
  libm_acosh: { arity: 1, meaning: 'f64' },
  libm_atanh: { arity: 1, meaning: 'f64' },
  libm_erf: { arity: 1, meaning: 'f64' },
  libm_fmod: { arity: 2, meaning: 'f64: a - trunc(a / b) * b, exact' },
  libm_pow: { arity: 2, meaning: 'f64' },
} as const satisfies Readonly<Record<string, MachineOp>>;

export type MachineOpName = keyof typeof machineOps;
export const isMachineOp = (name: string): name is MachineOpName => Object.hasOwn(machineOps, name);
