// fmod of f64 in machine ops. In: f64 expressions. Out: an f64 expression; what only large quotients need is marked `unlikely`.
// Holds: exact, as C's `fmod`; NaN where the dividend is infinite, the divisor 0, or either NaN.
// Method: a quotient below 2⁵³ that was rounded is whole and right, or one too large; r − q · d then has no more bits than d, so that fma
// gives it without error. A larger quotient is found as in long division, 53 binary digits at a time.

import { build, type Expr } from '../../../kernel/index.js';
import * as m from '../machine.js';

const digits = 53;

/** r mod d where the quotient is below 2⁵³. */
function step(rest: Expr, divisor: Expr): Expr {
  const left = m.fma(m.neg(m.trunc(m.div(rest, divisor))), divisor, rest);
  return m.select(m.lt(left, m.f64(0)), m.add(left, divisor), left);
}

/** Of magnitudes. `places`: binary digits that a quotient has at most. */
function remainder(dividend: Expr, divisor: Expr, places: number): Expr {
  const divisors = [divisor];
  while (divisors.length * digits < places) divisors.push(m.mul(divisors.at(-1) as Expr, m.f64(2 ** digits)));
  const rest = divisors.reduceRight((left, one) => m.select(m.ge(left, one), step(left, one), left), dividend);
  return m.select(m.eq(divisor, divisor), rest, divisor);
}

/** Whether it is an f32 that was widened, or the size of one. */
function isSingle(x: Expr): boolean {
  if (x.kind !== 'apply') return false;
  const [of] = x.args as [Expr];
  if (x.fn === 'abs' || x.fn === 'neg') return isSingle(of);
  return x.fn === 'convert' && build.dtypeOf(of) === 'f32';
}

/** Exponents of f64 differ by 2097 at most, those of f32 by 276. */
export function fmod(x: Expr, y: Expr): Expr {
  const [dividend, divisor] = [m.abs(x), m.abs(y)];
  const quick = m.and(m.lt(m.div(dividend, divisor), m.f64(2 ** digits)), m.lt(divisor, m.f64(Infinity)));
  const places = isSingle(x) && isSingle(y) ? 278 : 2098;
  return m.copysign(m.unlikely(m.not(quick), remainder(dividend, divisor, places), step(dividend, divisor)), x);
}
