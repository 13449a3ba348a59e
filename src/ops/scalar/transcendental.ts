// Transcendental rows of the scalar table. In: nothing. Out: exponentials, logarithms, trigonometric and hyperbolic functions, erf, sigmoid and what belongs to it.
// Holds: NaN outside of the domain; slopes use the result where it serves, so that a derivative shares the value's work.

import { scalarFunctions } from './function.js';
import { erf, sigmoid } from './meaning.js';

const wide = [-2, 2] as const;
const inner = [-0.8, 0.8] as const;
const float = { takes: 'float', result: 'same' } as const;

export const transcendental = scalarFunctions({
  exp: { ...float, doc: 'eˣ.', arity: 1, kernel: 'exp', domain: [wide], ulp: 1, cost: 16, evaluate: (a) => Math.exp(a), slopes: [(m, d, y) => m.mul(d, y)] },
  expm1: { ...float, doc: 'eˣ − 1, accurate near 0.', arity: 1, kernel: 'expm1', domain: [wide], ulp: 1.7, cost: 18, evaluate: (a) => Math.expm1(a), slopes: [(m, d, y) => m.mul(d, m.add(y, m.constant(1)))] },
  log: { ...float, doc: 'Natural logarithm: −∞ at 0, NaN below.', arity: 1, kernel: 'log', domain: [[0.3, 3]], ulp: 1.4, cost: 20, evaluate: (a) => Math.log(a), slopes: [(m, d, _, a) => m.div(d, a)] },
  log1p: { ...float, doc: 'log(1 + x), accurate near 0.', arity: 1, kernel: 'log1p', domain: [[-0.7, 2]], ulp: 1.5, cost: 24, evaluate: (a) => Math.log1p(a), slopes: [(m, d, _, a) => m.div(d, m.add(m.constant(1), a))] },
  sin: { ...float, doc: 'Sine of radians.', arity: 1, kernel: 'sin', domain: [wide], ulp: 1.7, cost: 28, evaluate: (a) => Math.sin(a), slopes: [(m, d, _, a) => m.mul(d, m.cos(a))] },
  cos: { ...float, doc: 'Cosine of radians.', arity: 1, kernel: 'cos', domain: [wide], ulp: 1.7, cost: 28, evaluate: (a) => Math.cos(a), slopes: [(m, d, _, a) => m.neg(m.mul(d, m.sin(a)))] },
  tan: { ...float, doc: 'Tangent of radians.', arity: 1, kernel: 'tan', domain: [[-1.2, 1.2]], ulp: 0.6, cost: 80, evaluate: (a) => Math.tan(a), slopes: [(m, d, y) => m.mul(d, m.add(m.constant(1), m.square(y)))] },
  asin: { ...float, doc: 'Inverse sine, in [−π/2, π/2].', arity: 1, kernel: 'asin', domain: [inner], ulp: 0.6, cost: 60, evaluate: (a) => Math.asin(a), slopes: [(m, d, _, a) => m.div(d, m.sqrt(m.mul(m.sub(m.constant(1), a), m.add(m.constant(1), a))))] },
  acos: { ...float, doc: 'Inverse cosine, in [0, π].', arity: 1, kernel: 'acos', domain: [inner], ulp: 0.6, cost: 60, evaluate: (a) => Math.acos(a), slopes: [(m, d, _, a) => m.neg(m.div(d, m.sqrt(m.mul(m.sub(m.constant(1), a), m.add(m.constant(1), a)))))] },
  atan: { ...float, doc: 'Inverse tangent, in [−π/2, π/2].', arity: 1, kernel: 'atan', domain: [wide], ulp: 0.6, cost: 50, evaluate: (a) => Math.atan(a), slopes: [(m, d, _, a) => m.div(d, m.add(m.constant(1), m.square(a)))] },
  atan2: {
    ...float, doc: 'Angle of the point (x = second, y = first argument), in [−π, π].', arity: 2, kernel: 'atan2', domain: [[0.3, 2], [0.3, 2]], ulp: 0.6, cost: 70,
    evaluate: (a, b) => Math.atan2(a, b),
    slopes: [(m, d, _, a, b) => m.div(m.mul(d, b), m.add(m.square(a), m.square(b))), (m, d, _, a, b) => m.neg(m.div(m.mul(d, a), m.add(m.square(a), m.square(b))))],
  },
  sinh: { ...float, doc: 'Hyperbolic sine.', arity: 1, kernel: 'sinh', domain: [wide], ulp: 0.6, cost: 50, evaluate: (a) => Math.sinh(a), slopes: [(m, d, _, a) => m.mul(d, m.cosh(a))] },
  cosh: { ...float, doc: 'Hyperbolic cosine.', arity: 1, kernel: 'cosh', domain: [wide], ulp: 0.6, cost: 50, evaluate: (a) => Math.cosh(a), slopes: [(m, d, _, a) => m.mul(d, m.sinh(a))] },
  tanh: { ...float, doc: 'Hyperbolic tangent.', arity: 1, kernel: 'tanh', domain: [wide], ulp: 1.9, cost: 28, evaluate: (a) => Math.tanh(a), slopes: [(m, d, y) => m.mul(d, m.sub(m.constant(1), m.square(y)))] },
  asinh: { ...float, doc: 'Inverse hyperbolic sine.', arity: 1, kernel: 'asinh', domain: [wide], ulp: 0.6, cost: 70, evaluate: (a) => Math.asinh(a), slopes: [(m, d, _, a) => m.div(d, m.sqrt(m.add(m.square(a), m.constant(1))))] },
  acosh: { ...float, doc: 'Inverse hyperbolic cosine; NaN below 1.', arity: 1, kernel: 'acosh', domain: [[1.3, 4]], ulp: 0.6, cost: 70, evaluate: (a) => Math.acosh(a), slopes: [(m, d, _, a) => m.div(d, m.sqrt(m.mul(m.sub(a, m.constant(1)), m.add(a, m.constant(1)))))] },
  atanh: { ...float, doc: 'Inverse hyperbolic tangent: ±∞ at ±1, NaN outside.', arity: 1, kernel: 'atanh', domain: [inner], ulp: 0.6, cost: 70, evaluate: (a) => Math.atanh(a), slopes: [(m, d, _, a) => m.div(d, m.mul(m.sub(m.constant(1), a), m.add(m.constant(1), a)))] },
  erf: { ...float, doc: 'Error function 2/√π ∫₀ˣ e^(−t²) dt.', arity: 1, kernel: 'erf', domain: [wide], ulp: 1.3, cost: 40, evaluate: erf, slopes: [(m, d, _, a) => m.mul(d, m.mul(m.constant(2 / Math.sqrt(Math.PI)), m.exp(m.neg(m.square(a)))))] },
  sigmoid: { ...float, doc: '1 / (1 + e⁻ˣ).', arity: 1, kernel: 'sigmoid', domain: [wide], ulp: 1.7, cost: 24, evaluate: sigmoid, slopes: [(m, d, y) => m.mul(d, m.mul(y, m.sub(m.constant(1), y)))] },
  softplusRest: {
    ...float, doc: 'log(1 + e^−|x|): what softplus adds to max(x, 0). It shares its exponential with sigmoid.', arity: 1, kernel: 'softplusRest', domain: [[0.3, 3]], ulp: 2, cost: 28,
    evaluate: (a) => Math.log1p(Math.exp(-Math.abs(a))),
    slopes: [(m, d, y, a) => m.mul(d, m.mul(m.sign(a), m.sub(m.exp(m.neg(y)), m.constant(1))))],
  },
});
