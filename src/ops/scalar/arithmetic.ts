// Arithmetic rows of the scalar table. In: nothing. Out: sums, products, powers, roots, extrema.
// Holds: NaN and infinity behave as in NumPy; `div` of integers rounds towards zero, `floorDiv` and `rem` down, and a divisor of 0 gives 0.

import { Fraction } from '../../base/index.js';
import type { TensorNode } from '../../graph/index.js';
import { boundsOf } from './bounds.js';
import { type Algebra, scalarFunctions } from './function.js';
import { floorModulo, integerFloorDivide, integerModulo, integerPower, power } from './meaning.js';

const wide = [-2, 2] as const;
const positive = [0.3, 3] as const;
const number = { takes: 'number', result: 'same', ulp: 0.5, cost: 1 } as const;
const float = { takes: 'float', result: 'same' } as const;

/** All of the direction where an extremum is this argument, half where it is both. */
const shared = (m: Algebra, d: TensorNode, a: TensorNode, b: TensorNode, isChosen: TensorNode): TensorNode =>
  m.select(m.eq(a, b), m.mul(d, m.constant(0.5)), m.select(isChosen, d, m.constant(0)));

export const arithmetic = scalarFunctions({
  neg: {
    ...number,
    doc: 'Negation.',
    arity: 1,
    kernel: 'neg',
    keepsFinite: true,
    domain: [wide],
    evaluate: (a) => -a,
    integer: (a) => -a,
    exact: (a) => a.negated(),
    slopes: [(m, d) => m.neg(d)],
  },
  abs: {
    ...number,
    doc: 'Magnitude. The slope at 0 is 0.',
    arity: 1,
    kernel: 'abs',
    keepsFinite: true,
    builtin: 'abs',
    domain: [positive],
    evaluate: (a) => Math.abs(a),
    integer: (a) => (a < 0n ? -a : a),
    exact: (a) => a.magnitude(),
    slopes: [(m, d, _, a) => m.mul(d, m.sign(a))],
  },
  sign: {
    ...number,
    doc: '−1, 0 or 1; NaN stays NaN.',
    arity: 1,
    kernel: 'sign',
    keepsFinite: true,
    builtin: 'sign',
    domain: [positive],
    evaluate: (a) => Math.sign(a) + 0,
    integer: (a) => (a > 0n ? 1n : a < 0n ? -1n : 0n),
    exact: (a) => Fraction.of(a.numerator > 0n ? 1n : a.numerator < 0n ? -1n : 0n),
    slopes: 'zero',
  },
  square: {
    ...number,
    doc: 'x · x.',
    arity: 1,
    kernel: 'square',
    fma: 'product',
    builtin: 'square',
    domain: [wide],
    evaluate: (a) => a * a,
    integer: (a) => a * a,
    exact: (a) => a.mul(a),
    slopes: [(m, d, _, a) => m.mul(d, m.mul(m.constant(2), a))],
  },
  reciprocal: {
    ...float,
    doc: '1 / x.',
    arity: 1,
    kernel: 'reciprocal',
    builtin: 'reciprocal',
    domain: [positive],
    ulp: 0.5,
    cost: 4,
    evaluate: (a) => 1 / a,
    exact: (a) => Fraction.of(a.denominator, a.numerator),
    slopes: [(m, d, y) => m.neg(m.mul(d, m.mul(y, y)))],
  },
  sqrt: {
    ...float,
    doc: 'Square root; NaN below 0. The slope at 0 is 0, so that √(x · x) has the one of |x| there.',
    arity: 1,
    kernel: 'sqrt',
    builtin: 'sqrt',
    domain: [positive],
    ulp: 0.5,
    cost: 4,
    evaluate: (a) => Math.sqrt(a),
    // Divided by ∞ nothing is left, and no slope of it is infinite.
    slopes: [(m, d, y) => m.div(m.mul(d, m.constant(0.5)), m.select(m.eq(y, m.constant(0)), m.constant(Infinity), y))],
  },
  rsqrt: {
    ...float,
    doc: '1 / √x.',
    arity: 1,
    kernel: 'rsqrt',
    builtin: 'rsqrt',
    domain: [positive],
    ulp: 1.5,
    cost: 8,
    evaluate: (a) => 1 / Math.sqrt(a),
    slopes: [(m, d, y) => m.mul(m.mul(d, m.constant(-0.5)), m.mul(y, m.mul(y, y)))],
  },
  add: {
    ...number,
    doc: 'Sum; integers wrap.',
    arity: 2,
    kernel: 'add',
    bounds: boundsOf.add,
    fma: 'sum',
    domain: [wide, wide],
    evaluate: (a, b) => a + b,
    integer: (a, b) => a + b,
    exact: (a, b) => a.add(b),
    slopes: [(_, d) => d, (_, d) => d],
  },
  sub: {
    ...number,
    doc: 'Difference; integers wrap.',
    arity: 2,
    kernel: 'sub',
    bounds: boundsOf.sub,
    fma: 'difference',
    domain: [wide, wide],
    evaluate: (a, b) => a - b,
    integer: (a, b) => a - b,
    exact: (a, b) => a.sub(b),
    slopes: [(_, d) => d, (m, d) => m.neg(d)],
  },
  mul: {
    ...number,
    doc: 'Product; integers wrap.',
    arity: 2,
    kernel: 'mul',
    fma: 'product',
    domain: [wide, wide],
    evaluate: (a, b) => a * b,
    integer: (a, b) => a * b,
    exact: (a, b) => a.mul(b),
    slopes: [(m, d, _, __, b) => m.mul(d, b), (m, d, _, a) => m.mul(d, a)],
  },
  div: {
    ...number,
    doc: 'Quotient. Integers round towards zero, and a divisor of 0 gives 0.',
    arity: 2,
    kernel: 'div',
    domain: [wide, positive],
    cost: 4,
    evaluate: (a, b) => a / b,
    exact: (a, b) => a.div(b),
    integer: (a, b) => (b === 0n ? 0n : a / b),
    slopes: [(m, d, _, __, b) => m.div(d, b), (m, d, y, _, b) => m.neg(m.div(m.mul(d, y), b))],
  },
  floorDiv: {
    ...number,
    doc: 'Quotient rounded down, as in Python and NumPy. Integers: a divisor of 0 gives 0.',
    arity: 2,
    kernel: 'floordiv',
    builtin: 'floorDiv',
    domain: [
      [2.1, 2.9],
      [0.8, 1],
    ],
    cost: 8,
    evaluate: (a, b) => Math.floor(a / b),
    integer: integerFloorDivide,
    exact: (a, b) => a.floorDiv(b),
    slopes: 'zero',
  },
  rem: {
    ...number,
    doc: 'Remainder a − ⌊a / b⌋ · b, rounded once: it has the sign of b, as in Python and NumPy. Integers: a divisor of 0 gives a.',
    arity: 2,
    kernel: 'modulo',
    domain: [
      [2.1, 2.9],
      [0.8, 1],
    ],
    cost: 20,
    evaluate: floorModulo,
    integer: integerModulo,
    exact: (a, b) => a.mod(b),
    slopes: [(_, d) => d, (m, d, _, a, b) => m.neg(m.mul(d, m.floor(m.div(a, b))))],
  },
  pow: {
    ...number,
    doc: 'x to the power y. A negative x takes whole y only, else NaN; 1 to any power is 1, and so is anything to the power 0. Integers: a negative y rounds the result towards zero.',
    arity: 2,
    kernel: 'pow',
    builtin: 'pow',
    domain: [positive, wide],
    ulp: 0.6,
    cost: 40,
    evaluate: power,
    integer: integerPower,
    exact: (a, b) => a.pow(b),
    slopes: [
      // At b = 0 the factor b alone must decide, or 0 ** 0 would have a slope of 0 · ∞.
      // And what is not taken must have no pole, or its own slopes would bring one back.
      (m, d, _, a, b) => {
        const isFlat = m.eq(b, m.constant(0));
        const base = m.select(isFlat, m.constant(1), a);
        return m.select(isFlat, m.constant(0), m.mul(d, m.mul(b, m.pow(base, m.sub(b, m.constant(1))))));
      },
      (m, d, y, a) => {
        const isZero = m.eq(a, m.constant(0));
        return m.select(isZero, m.constant(0), m.mul(d, m.mul(y, m.log(m.select(isZero, m.constant(1), a)))));
      },
    ],
  },
  // In kernel IR the names differ from the machine ops `min` and `max`, which drop NaN.
  min: {
    ...number,
    doc: 'The smaller one; NaN when either is NaN. At a tie both arguments get half of the slope, as in reductions.',
    arity: 2,
    kernel: 'minimum',
    bounds: boundsOf.min,
    domain: [
      [-2, -0.5],
      [0.5, 2],
    ],
    evaluate: (a, b) => Math.min(a, b),
    integer: (a, b) => (b < a ? b : a),
    exact: (a, b) => (b.compare(a) < 0 ? b : a),
    slopes: [(m, d, _, a, b) => shared(m, d, a, b, m.le(a, b)), (m, d, _, a, b) => shared(m, d, a, b, m.le(b, a))],
  },
  max: {
    ...number,
    doc: 'The larger one; NaN when either is NaN. At a tie both arguments get half of the slope, as in reductions.',
    arity: 2,
    kernel: 'maximum',
    bounds: boundsOf.max,
    domain: [
      [-2, -0.5],
      [0.5, 2],
    ],
    evaluate: (a, b) => Math.max(a, b),
    integer: (a, b) => (b > a ? b : a),
    exact: (a, b) => (b.compare(a) > 0 ? b : a),
    slopes: [(m, d, _, a, b) => shared(m, d, a, b, m.ge(a, b)), (m, d, _, a, b) => shared(m, d, a, b, m.ge(b, a))],
  },
});
