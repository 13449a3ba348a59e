// Arithmetic rows of the scalar table. In: nothing. Out: sums, products, powers, roots, extrema.
// Holds: NaN and infinity behave as in NumPy; integer division rounds towards zero and gives 0 for a divisor of 0.

import { scalarFunctions } from './function.js';
import { integerPower, power } from './meaning.js';

const wide = [-2, 2] as const;
const positive = [0.3, 3] as const;
const number = { takes: 'number', result: 'same', ulp: 0.5, cost: 1 } as const;
const float = { takes: 'float', result: 'same' } as const;

export const arithmetic = scalarFunctions({
  neg: { ...number, doc: 'Negation.', arity: 1, kernel: 'neg', domain: [wide], evaluate: (a) => -a, integer: (a) => -a, slopes: [(m, d) => m.neg(d)] },
  abs: {
    ...number, doc: 'Magnitude. The slope at 0 is 0.', arity: 1, kernel: 'abs', domain: [positive],
    evaluate: (a) => Math.abs(a), integer: (a) => (a < 0n ? -a : a), slopes: [(m, d, _, a) => m.mul(d, m.sign(a))],
  },
  sign: {
    ...number, doc: '−1, 0 or 1; NaN stays NaN.', arity: 1, kernel: 'sign', domain: [positive],
    evaluate: (a) => Math.sign(a) + 0, integer: (a) => (a > 0n ? 1n : a < 0n ? -1n : 0n), slopes: 'zero',
  },
  square: {
    ...number, doc: 'x · x.', arity: 1, kernel: 'square', domain: [wide],
    evaluate: (a) => a * a, integer: (a) => a * a, slopes: [(m, d, _, a) => m.mul(d, m.mul(m.constant(2), a))],
  },
  reciprocal: {
    ...float, doc: '1 / x.', arity: 1, kernel: 'reciprocal', domain: [positive], ulp: 0.5, cost: 4,
    evaluate: (a) => 1 / a, slopes: [(m, d, y) => m.neg(m.mul(d, m.mul(y, y)))],
  },
  sqrt: {
    ...float, doc: 'Square root; NaN below 0.', arity: 1, kernel: 'sqrt', domain: [positive], ulp: 0.5, cost: 4,
    evaluate: (a) => Math.sqrt(a), slopes: [(m, d, y) => m.div(m.mul(d, m.constant(0.5)), y)],
  },
  rsqrt: {
    ...float, doc: '1 / √x.', arity: 1, kernel: 'rsqrt', domain: [positive], ulp: 1.5, cost: 8,
    evaluate: (a) => 1 / Math.sqrt(a), slopes: [(m, d, y) => m.mul(m.mul(d, m.constant(-0.5)), m.mul(y, m.mul(y, y)))],
  },
  add: { ...number, doc: 'Sum; integers wrap.', arity: 2, kernel: 'add', domain: [wide, wide], evaluate: (a, b) => a + b, integer: (a, b) => a + b, slopes: [(_, d) => d, (_, d) => d] },
  sub: { ...number, doc: 'Difference; integers wrap.', arity: 2, kernel: 'sub', domain: [wide, wide], evaluate: (a, b) => a - b, integer: (a, b) => a - b, slopes: [(_, d) => d, (m, d) => m.neg(d)] },
  mul: {
    ...number, doc: 'Product; integers wrap.', arity: 2, kernel: 'mul', domain: [wide, wide],
    evaluate: (a, b) => a * b, integer: (a, b) => a * b, slopes: [(m, d, _, __, b) => m.mul(d, b), (m, d, _, a) => m.mul(d, a)],
  },
  div: {
    ...number, doc: 'Quotient. Integers round towards zero, and a divisor of 0 gives 0.', arity: 2, kernel: 'div', domain: [wide, positive], cost: 4,
    evaluate: (a, b) => a / b, integer: (a, b) => (b === 0n ? 0n : a / b),
    slopes: [(m, d, _, __, b) => m.div(d, b), (m, d, y, _, b) => m.neg(m.div(m.mul(d, y), b))],
  },
  rem: {
    ...number, doc: 'Remainder a − trunc(a / b) · b, exact: it has the sign of a, as in TypeScript. Integers: a divisor of 0 gives a.', arity: 2, kernel: 'rem', domain: [[2.1, 2.9], [0.8, 1]], cost: 20,
    evaluate: (a, b) => a % b, integer: (a, b) => (b === 0n ? a : a % b),
    slopes: [(_, d) => d, (m, d, _, a, b) => m.neg(m.mul(d, m.trunc(m.div(a, b))))],
  },
  pow: {
    ...number, doc: 'a to the power b. A negative base takes integer exponents only, else NaN; 1 to any power and any power of exponent 0 is 1. Integers: a negative exponent rounds 1 / aⁿ towards zero.',
    arity: 2, kernel: 'pow', domain: [positive, wide], ulp: 0.6, cost: 40,
    evaluate: power, integer: integerPower,
    slopes: [
      // At b = 0 the factor b alone must decide, or 0 ** 0 would have a slope of 0 · ∞.
      (m, d, _, a, b) => m.select(m.eq(b, m.constant(0)), m.constant(0), m.mul(d, m.mul(b, m.pow(a, m.sub(b, m.constant(1)))))),
      (m, d, y, a) => m.select(m.eq(a, m.constant(0)), m.constant(0), m.mul(d, m.mul(y, m.log(a)))),
    ],
  },
  // In kernel IR the names differ from the machine ops `min` and `max`, which drop NaN.
  min: {
    ...number, doc: 'The smaller one; NaN when either is NaN. At a tie the slope goes to the first argument.', arity: 2, kernel: 'minimum', domain: [[-2, -0.5], [0.5, 2]],
    evaluate: (a, b) => Math.min(a, b), integer: (a, b) => (b < a ? b : a),
    slopes: [(m, d, _, a, b) => m.select(m.le(a, b), d, m.constant(0)), (m, d, _, a, b) => m.select(m.le(a, b), m.constant(0), d)],
  },
  max: {
    ...number, doc: 'The larger one; NaN when either is NaN. At a tie the slope goes to the first argument.', arity: 2, kernel: 'maximum', domain: [[-2, -0.5], [0.5, 2]],
    evaluate: (a, b) => Math.max(a, b), integer: (a, b) => (b > a ? b : a),
    slopes: [(m, d, _, a, b) => m.select(m.ge(a, b), d, m.constant(0)), (m, d, _, a, b) => m.select(m.ge(a, b), m.constant(0), d)],
  },
});
