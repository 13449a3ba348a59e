// Transcendental rows of the scalar table. In: nothing. Out: exponentials, logarithms, trigonometric and hyperbolic functions, erf, sigmoid
// and what belongs to it.
// Holds: NaN outside of the domain; slopes use the result where it serves, so that a derivative shares the value's work.

import type { Expression } from '../../../grammar/index.js';
import type { TensorNode } from '../../graph/index.js';
import { applied, named, sign } from '../tdsl.js';
import { type Algebra, scalarFunctions } from './function.js';
import { erf, sigmoid } from './meaning.js';

const wide = [-2, 2] as const;
const inner = [-0.8, 0.8] as const;
const call = (name: string, of: Expression): Expression => applied(named(name), [of]);
const float = { takes: 'float', result: 'same' } as const;

/**
 * A difference of squares by its factors, which lose nothing where it is near 0. Where it is 0 the other form has the slope: behind a root,
 * which is infinitely steep there, a factor of 0 would make NaN of it.
 */
const factored = (m: Algebra, factors: readonly [TensorNode, TensorNode], difference: TensorNode): TensorNode => {
  const product = m.mul(...factors);
  return m.select(m.eq(product, m.constant(0)), difference, product);
};

/** 1 − a². */
const oneMinusSquare = (m: Algebra, a: TensorNode): TensorNode =>
  factored(m, [m.sub(m.constant(1), a), m.add(m.constant(1), a)], m.sub(m.constant(1), m.square(a)));

/** 1 / (1 + a²) as n² / (r² + b²), where nothing overflows: n = r = 1 / |a| and b = 1 from ±1 on, n = r = 1 and b = a between. */
function overOnePlusSquare(m: Algebra, a: TensorNode): { readonly n: TensorNode; readonly sum: TensorNode } {
  const one = m.constant(1);
  const isFar = m.ge(m.square(a), one);
  const n = m.select(isFar, m.div(m.sign(a), m.select(isFar, a, one)), one);
  return { n, sum: m.add(m.square(n), m.square(m.select(isFar, one, a))) };
}

/**
 * What is divided by a² + b², over the larger one of |a| and |b|: `ratio` is the smaller one of a and b over the other, and `over` divides
 * by 1 + ratio² and by the larger one, so that nothing overflows. Where both are infinite they are as large as each other.
 */
function bySquares(
  m: Algebra,
  a: TensorNode,
  b: TensorNode,
): { readonly isSteep: TensorNode; readonly ratio: TensorNode; readonly over: (x: TensorNode) => TensorNode } {
  const [height, width] = [m.mul(a, m.sign(a)), m.mul(b, m.sign(b))];
  const isSteep = m.ge(height, width);
  const [large, small] = [m.select(isSteep, a, b), m.select(isSteep, b, a)];
  const bothAre = m.eq(m.select(isSteep, width, height), m.constant(Infinity));
  const ratio = m.div(m.select(bothAre, m.sign(small), small), m.select(bothAre, m.sign(large), large));
  return { isSteep, ratio, over: (x) => m.div(m.div(x, m.add(m.constant(1), m.square(ratio))), large) };
}

export const transcendental = scalarFunctions({
  exp: {
    ...float,
    doc: 'eˣ.',
    arity: 1,
    kernel: 'exp',
    builtin: 'exp',
    domain: [wide],
    ulp: 1,
    cost: 16,
    evaluate: (a) => Math.exp(a),
    slopes: [(m, d, y) => m.mul(d, y)],
  },
  expm1: {
    ...float,
    doc: 'eˣ − 1, accurate near 0.',
    arity: 1,
    kernel: 'expm1',
    builtin: 'expm1',
    domain: [wide],
    ulp: 1.7,
    cost: 18,
    evaluate: (a) => Math.expm1(a),
    slopes: [(m, d, y) => m.mul(d, m.add(y, m.constant(1)))],
  },
  log: {
    ...float,
    doc: 'Natural logarithm: −∞ at 0, NaN below.',
    arity: 1,
    kernel: 'log',
    builtin: 'log',
    domain: [[0.3, 3]],
    ulp: 1.4,
    cost: 20,
    evaluate: (a) => Math.log(a),
    slopes: [(m, d, _, a) => m.div(d, a)],
  },
  log1p: {
    ...float,
    doc: 'log(1 + x), accurate near 0.',
    arity: 1,
    kernel: 'log1p',
    builtin: 'log1p',
    domain: [[-0.7, 2]],
    ulp: 1.5,
    cost: 24,
    evaluate: (a) => Math.log1p(a),
    slopes: [(m, d, _, a) => m.div(d, m.add(m.constant(1), a))],
  },
  sin: {
    ...float,
    doc: 'Sine of radians.',
    arity: 1,
    kernel: 'sin',
    builtin: 'sin',
    domain: [wide],
    ulp: 1.7,
    cost: 28,
    evaluate: (a) => Math.sin(a),
    slopes: [(m, d, _, a) => m.mul(d, m.cos(a))],
  },
  cos: {
    ...float,
    doc: 'Cosine of radians.',
    arity: 1,
    kernel: 'cos',
    builtin: 'cos',
    domain: [wide],
    ulp: 1.7,
    cost: 28,
    evaluate: (a) => Math.cos(a),
    slopes: [(m, d, _, a) => m.neg(m.mul(d, m.sin(a)))],
  },
  tan: {
    ...float,
    doc: 'Tangent of radians.',
    arity: 1,
    kernel: 'tan',
    builtin: 'tan',
    domain: [[-1.2, 1.2]],
    ulp: 0.6,
    cost: 80,
    evaluate: (a) => Math.tan(a),
    slopes: [(m, d, y) => m.mul(d, m.add(m.constant(1), m.square(y)))],
  },
  asin: {
    ...float,
    doc: 'Inverse sine, in [−π/2, π/2].',
    arity: 1,
    kernel: 'asin',
    builtin: 'asin',
    domain: [inner],
    ulp: 0.6,
    cost: 60,
    evaluate: (a) => Math.asin(a),
    slopes: [(m, d, _, a) => m.mul(d, m.rsqrt(oneMinusSquare(m, a)))],
  },
  acos: {
    ...float,
    doc: 'Inverse cosine, in [0, π].',
    arity: 1,
    kernel: 'acos',
    builtin: 'acos',
    domain: [inner],
    ulp: 0.6,
    cost: 60,
    evaluate: (a) => Math.acos(a),
    slopes: [(m, d, _, a) => m.neg(m.mul(d, m.rsqrt(oneMinusSquare(m, a))))],
  },
  atan: {
    ...float,
    doc: 'Inverse tangent, in [−π/2, π/2].',
    arity: 1,
    kernel: 'atan',
    builtin: 'atan',
    domain: [wide],
    ulp: 0.6,
    cost: 50,
    evaluate: (a) => Math.atan(a),
    slopes: [
      (m, d, _, a) => {
        const { n, sum } = overOnePlusSquare(m, a);
        return m.div(m.mul(d, m.square(n)), sum);
      },
    ],
  },
  atan2: {
    ...float,
    doc: 'Angle of the point whose ordinate is the first argument and whose abscissa is the second, in [−π, π].',
    arity: 2,
    kernel: 'atan2',
    builtin: 'atan2',
    domain: [
      [0.3, 2],
      [0.3, 2],
    ],
    ulp: 0.6,
    cost: 70,
    evaluate: (a, b) => Math.atan2(a, b),
    slopes: [
      (m, d, _, a, b) => {
        const { isSteep, ratio, over } = bySquares(m, a, b);
        return over(m.mul(d, m.select(isSteep, ratio, m.constant(1))));
      },
      (m, d, _, a, b) => {
        const { isSteep, ratio, over } = bySquares(m, a, b);
        return m.neg(over(m.mul(d, m.select(isSteep, m.constant(1), ratio))));
      },
    ],
  },
  sinh: {
    ...float,
    doc: 'Hyperbolic sine.',
    arity: 1,
    kernel: 'sinh',
    builtin: 'sinh',
    domain: [wide],
    ulp: 0.6,
    cost: 50,
    evaluate: (a) => Math.sinh(a),
    slopes: [(m, d, _, a) => m.mul(d, m.cosh(a))],
  },
  cosh: {
    ...float,
    doc: 'Hyperbolic cosine.',
    arity: 1,
    kernel: 'cosh',
    builtin: 'cosh',
    domain: [wide],
    ulp: 0.6,
    cost: 50,
    evaluate: (a) => Math.cosh(a),
    slopes: [(m, d, _, a) => m.mul(d, m.sinh(a))],
  },
  tanh: {
    ...float,
    doc: 'Hyperbolic tangent.',
    arity: 1,
    kernel: 'tanh',
    builtin: 'tanh',
    domain: [wide],
    ulp: 1.9,
    cost: 28,
    evaluate: (a) => Math.tanh(a),
    slopes: [(m, d, y) => m.mul(d, m.sub(m.constant(1), m.square(y)))],
  },
  asinh: {
    ...float,
    doc: 'Inverse hyperbolic sine.',
    arity: 1,
    kernel: 'asinh',
    builtin: 'asinh',
    domain: [wide],
    ulp: 0.6,
    cost: 70,
    evaluate: (a) => Math.asinh(a),
    slopes: [
      (m, d, _, a) => {
        const { n, sum } = overOnePlusSquare(m, a);
        return m.div(m.mul(d, n), m.sqrt(sum));
      },
    ],
  },
  acosh: {
    ...float,
    doc: 'Inverse hyperbolic cosine; NaN below 1.',
    arity: 1,
    kernel: 'acosh',
    builtin: 'acosh',
    domain: [[1.3, 4]],
    ulp: 0.6,
    cost: 70,
    evaluate: (a) => Math.acosh(a),
    slopes: [(m, d, _, a) => m.mul(d, m.mul(m.rsqrt(m.sub(a, m.constant(1))), m.rsqrt(m.add(a, m.constant(1)))))],
  },
  atanh: {
    ...float,
    doc: 'Inverse hyperbolic tangent: ±∞ at ±1, NaN outside.',
    arity: 1,
    kernel: 'atanh',
    builtin: 'atanh',
    domain: [inner],
    ulp: 0.6,
    cost: 70,
    evaluate: (a) => Math.atanh(a),
    slopes: [(m, d, _, a) => m.div(d, oneMinusSquare(m, a))],
  },
  erf: {
    ...float,
    doc: 'Error function 2/√π ∫₀ˣ e^(−t²) dt.',
    arity: 1,
    kernel: 'erf',
    builtin: 'erf',
    domain: [wide],
    ulp: 1.3,
    cost: 40,
    evaluate: erf,
    slopes: [
      (m, d, _, a) => {
        // Far out e^(−a²) is 0, and so is its slope.
        const [square, far] = [m.square(a), m.constant(1e4)];
        const bounded = m.select(m.ge(square, far), far, square);
        return m.mul(d, m.mul(m.constant(2 / Math.sqrt(Math.PI)), m.exp(m.neg(bounded))));
      },
    ],
  },
  sigmoid: {
    ...float,
    doc: '1 / (1 + e⁻ˣ).',
    arity: 1,
    kernel: 'sigmoid',
    builtin: 'sigmoid',
    domain: [wide],
    ulp: 1.7,
    cost: 24,
    evaluate: sigmoid,
    slopes: [(m, d, y) => m.mul(d, m.mul(y, m.sub(m.constant(1), y)))],
  },
  softplusRest: {
    ...float,
    doc: 'log(1 + e^−|x|): what softplus adds to max(x, 0). It shares its exponential with sigmoid.',
    arity: 1,
    kernel: 'softplusRest',
    spelled: ([a]) => call('log1p', call('exp', sign('-', call('abs', a as Expression)))),
    domain: [[0.3, 3]],
    ulp: 2,
    cost: 28,
    evaluate: (a) => Math.log1p(Math.exp(-Math.abs(a))),
    slopes: [(m, d, y, a) => m.mul(d, m.mul(m.sign(a), m.sub(m.exp(m.neg(y)), m.constant(1))))],
  },
});
