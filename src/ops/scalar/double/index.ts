// What stands for calls of libm where there is none. In: the arguments of a call. Out: the same of plain machine ops. Holds: one row per
// `libm_*`, which the compiler demands.

import type { Expr, MachineOpName } from '../../../kernel/index.js';
import { acos, asin, atan, atan2 } from './arc.js';
import { cos, sin, tan } from './circular.js';
import { erf } from './error-function.js';
import { cosh, exp, expm1, sinh, tanh } from './exponential.js';
import { acosh, asinh, atanh, log, log1p, pow } from './logarithm.js';
import { fmod } from './remainder.js';

export type LibmName = Extract<MachineOpName, `libm_${string}`>;

const unary =
  (expand: (x: Expr) => Expr) =>
  (...args: Expr[]): Expr =>
    expand(args[0] as Expr);
const binary =
  (expand: (x: Expr, y: Expr) => Expr) =>
  (...args: Expr[]): Expr =>
    expand(args[0] as Expr, args[1] as Expr);

export const libmExpansions: Readonly<Record<LibmName, (...args: Expr[]) => Expr>> = {
  libm_exp: unary(exp),
  libm_expm1: unary(expm1),
  libm_log: unary(log),
  libm_log1p: unary(log1p),
  libm_sin: unary(sin),
  libm_cos: unary(cos),
  libm_tan: unary(tan),
  libm_asin: unary(asin),
  libm_acos: unary(acos),
  libm_atan: unary(atan),
  libm_atan2: binary(atan2),
  libm_sinh: unary(sinh),
  libm_cosh: unary(cosh),
  libm_tanh: unary(tanh),
  libm_asinh: unary(asinh),
  libm_acosh: unary(acosh),
  libm_atanh: unary(atanh),
  libm_erf: unary(erf),
  libm_fmod: binary(fmod),
  libm_pow: binary(pow),
};
