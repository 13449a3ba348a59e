// Integer powers in machine ops. In: integer expressions. Out: an expression without a branch. Holds: the low bits that wrapping keeps are
// exact; a negative exponent gives 1 / aⁿ towards zero.

import { bytesOf, isSigned } from '../../base/index.js';
import { build, type Expr } from '../../kernel/index.js';
import * as m from './machine.js';

/** Squares and multiplies, one step per bit of the exponent. */
export function integerPow(base: Expr, exponent: Expr): Expr {
  const dtype = build.dtypeOf(base);
  const [zero, one] = [m.literal(dtype, 0), m.literal(dtype, 1)];
  let result: Expr = one;
  let square = base;
  for (let bit = 0; bit < bytesOf(dtype) * 8; bit++) {
    const set = m.ne(m.and(m.shr(exponent, m.literal(dtype, bit)), one), zero);
    result = m.mul(result, m.select(set, square, one));
    square = m.mul(square, square);
  }
  if (!isSigned(dtype)) return result;
  const minusOne = m.literal(dtype, -1);
  const even = m.eq(m.and(exponent, one), zero);
  const inverse = m.select(m.eq(base, one), one, m.select(m.eq(base, minusOne), m.select(even, one, minusOne), zero));
  return m.select(m.lt(exponent, zero), inverse, result);
}
