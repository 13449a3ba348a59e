// Points where a formula of a derivative has a corner, a pole or a limit. In: nothing. Out: expressions of x, points, and the slopes that
// belong there, first and second.
// Holds: at a corner it is the mean of both sides where these are finite and the function is even or shared (ties), else what the language
// states: 0 for norms, roots of squares and deviations at 0. What a branch does not take adds exactly 0.

const infinite = Infinity;
const none = NaN;

/** `x` is f64[N], and the expression f64[N] or a scalar; slopes are those of its sum, NaN where there is none. */
export interface HardPoint {
  readonly of: string;
  readonly at: readonly number[];
  readonly slopes: readonly number[];
  /** Of the sum of the slopes; undefined where it is not asked. */
  readonly second?: readonly number[];
  /** What stands before it. */
  readonly before?: string;
}

const tiny = 5e-324;
const most = Number.MAX_VALUE;
const root = Math.SQRT1_2;

/** By the names of scalar functions; every one that has slopes has a row. */
export const scalarPoints: Readonly<Record<string, readonly HardPoint[]>> = {
  neg: [{ of: '-x', at: [0, -0, infinite, tiny], slopes: [-1, -1, -1, -1], second: [0, 0, 0, 0] }],
  abs: [{ of: 'abs(x)', at: [0, -0, tiny, -tiny, infinite, -infinite], slopes: [0, 0, 1, -1, 1, -1], second: [0, 0, 0, 0, 0, 0] }],
  square: [{ of: 'square(x)', at: [0, tiny, -infinite], slopes: [0, 2 * tiny, -infinite], second: [2, 2, 2] }],
  reciprocal: [{ of: '1 / x', at: [0, infinite, -infinite, 1e200], slopes: [-infinite, 0, 0, 0], second: [infinite, 0, 0, 0] }],
  sqrt: [
    { of: 'sqrt(x)', at: [0, infinite, 4, tiny], slopes: [0, 0, 0.25, 0.5 / Math.sqrt(tiny)], second: [0, 0, -1 / 32, -infinite] },
    { of: 'sqrt(x * x)', at: [0, 3, -3], slopes: [0, 1, -1], second: [0, 0, 0] },
    { of: 'where(x > 0, sqrt(x), x)', at: [0, -1, 4, none], slopes: [1, 1, 0.25, 1], second: [0, 0, -1 / 32, 0] },
  ],
  rsqrt: [{ of: 'rsqrt(x)', at: [0, infinite, 4], slopes: [-infinite, 0, -1 / 16], second: [infinite, 0, 3 / 128] }],
  add: [{ of: 'x + x', at: [0, infinite, most], slopes: [2, 2, 2], second: [0, 0, 0] }],
  sub: [{ of: 'x - 2 * x', at: [0, infinite], slopes: [-1, -1], second: [0, 0] }],
  mul: [{ of: 'x * x * x', at: [0, -0, 1], slopes: [0, 0, 3], second: [0, 0, 6] }],
  div: [
    { of: 'x / (1 + x)', at: [0, infinite], slopes: [1, none], second: [-2, none] },
    { of: 'where(x != 0, sin(x) / x, 1)', at: [0], slopes: [0], second: [0] },
  ],
  rem: [{ of: 'x % 3', at: [0, 3, -3, 7, -1], slopes: [1, 1, 1, 1, 1], second: [0, 0, 0, 0, 0] }],
  pow: [
    { of: 'x ** 0', at: [0, 1, infinite], slopes: [0, 0, 0], second: [0, 0, 0] },
    { of: 'x ** 1', at: [0, -1, infinite], slopes: [1, 1, 1], second: [0, 0, 0] },
    { of: 'x ** 2', at: [0, -3, tiny], slopes: [0, -6, 2 * tiny], second: [2, 2, 2] },
    { of: 'x ** 3', at: [0, -1], slopes: [0, 3], second: [0, -6] },
    { of: 'x ** -1', at: [0, 2], slopes: [-infinite, -0.25], second: [infinite, 0.25] },
    { of: 'x ** 0.5', at: [0, 4], slopes: [infinite, 0.25], second: [-infinite, -1 / 32] },
    { of: 'x ** 1.5', at: [0, 4], slopes: [0, 3], second: [infinite, 3 / 8] },
    { of: 'x ** x', at: [1], slopes: [1], second: [2] },
    { of: '2 ** x', at: [0, -infinite], slopes: [Math.LN2, 0], second: [Math.LN2 ** 2, 0] },
    { of: '0 ** x', at: [1, 2], slopes: [0, 0], second: [0, 0] },
    { of: '(x * 0 + 1) ** x', at: [5, 0], slopes: [0, 0], second: [0, 0] },
  ],
  min: [
    { of: 'min(x, 1)', at: [1, 0, 2, -infinite], slopes: [0.5, 1, 0, 1], second: [0, 0, 0, 0] },
    { of: 'min(x, x)', at: [1, 0], slopes: [1, 1], second: [0, 0] },
  ],
  max: [
    { of: 'max(x, 1)', at: [1, 0, 2, infinite], slopes: [0.5, 0, 1, 1], second: [0, 0, 0, 0] },
    { of: 'max(x, -x)', at: [0, 2, -2], slopes: [0, 1, -1], second: [0, 0, 0] },
  ],
  exp: [{ of: 'exp(x)', at: [-infinite, 0, 800], slopes: [0, 1, infinite], second: [0, 1, infinite] }],
  expm1: [{ of: 'expm1(x)', at: [-infinite, 0, tiny], slopes: [0, 1, 1], second: [0, 1, 1] }],
  log: [
    { of: 'log(x)', at: [0, infinite, tiny, 1], slopes: [infinite, 0, infinite, 1], second: [-infinite, 0, -infinite, -1] },
    { of: 'where(x > 0, x * log(x), 0)', at: [0, 1, -1], slopes: [0, 1, 0], second: [0, 1, 0] },
  ],
  log1p: [{ of: 'log1p(x)', at: [-1, 0, infinite], slopes: [infinite, 1, 0], second: [-infinite, -1, 0] }],
  sin: [{ of: 'sin(x)', at: [0, -0], slopes: [1, 1], second: [0, 0] }],
  cos: [{ of: 'cos(x)', at: [0], slopes: [0], second: [-1] }],
  tan: [{ of: 'tan(x)', at: [0], slopes: [1], second: [0] }],
  asin: [{ of: 'asin(x)', at: [0, 1, -1], slopes: [1, infinite, infinite], second: [0, infinite, -infinite] }],
  acos: [{ of: 'acos(x)', at: [0, 1, -1], slopes: [-1, -infinite, -infinite], second: [0, -infinite, infinite] }],
  atan: [
    { of: 'atan(x)', at: [0, 1], slopes: [1, 0.5], second: [0, -0.5] },
    { of: 'atan(x)', at: [infinite, -infinite, 1e200, -1e160], slopes: [0, 0, 0, 1e-320], second: [0, 0, 0, 0] },
  ],
  atan2: [
    { of: 'atan2(x, 1)', at: [0, 1], slopes: [1, 0.5], second: [0, -0.5] },
    { of: 'atan2(x, 1)', at: [infinite, -infinite, 1e160], slopes: [0, 0, 1e-320], second: [0, 0, 0] },
    { of: 'atan2(1, x)', at: [0, 1], slopes: [-1, -0.5], second: [0, 0.5] },
    { of: 'atan2(1, x)', at: [infinite, -infinite], slopes: [0, 0], second: [0, 0] },
    { of: 'atan2(x, 1e-200)', at: [1e-200, -1e-200, 1e200], slopes: [5e199, 5e199, 0] },
    { of: 'atan2(1e200, x)', at: [1e200, -1e200], slopes: [-5e-201, -5e-201], second: [0, 0] },
    { of: 'atan2(x, x)', at: [1, -1, 1e200], slopes: [0, 0, 0], second: [0, 0, 0] },
    { of: 'atan2(x, x)', at: [1e-200], slopes: [0] },
    { of: 'atan2(x, x)', at: [infinite, -infinite], slopes: [0, 0], second: [0, 0] },
    { of: 'where(x == 0, 0, atan2(x, x))', at: [0, 1], slopes: [0, 0], second: [0, 0] },
  ],
  sinh: [{ of: 'sinh(x)', at: [0, infinite], slopes: [1, infinite], second: [0, infinite] }],
  cosh: [{ of: 'cosh(x)', at: [0, -infinite], slopes: [0, -infinite], second: [1, infinite] }],
  tanh: [{ of: 'tanh(x)', at: [0, infinite, -infinite, 30], slopes: [1, 0, 0, 0], second: [0, 0, 0, 0] }],
  asinh: [
    { of: 'asinh(x)', at: [0, 1], slopes: [1, root], second: [0, -root / 2] },
    { of: 'asinh(x)', at: [infinite, -infinite, 1e200], slopes: [0, 0, 1e-200], second: [0, 0, 0] },
  ],
  acosh: [
    { of: 'acosh(x)', at: [1], slopes: [infinite], second: [-infinite] },
    { of: 'acosh(x)', at: [infinite, 1e200], slopes: [0, 1e-200], second: [0, 0] },
  ],
  atanh: [{ of: 'atanh(x)', at: [0, 1, -1], slopes: [1, infinite, infinite], second: [0, infinite, -infinite] }],
  erf: [
    { of: 'erf(x)', at: [0], slopes: [2 / Math.sqrt(Math.PI)], second: [0] },
    { of: 'erf(x)', at: [infinite, -infinite, 1e200], slopes: [0, 0, 0], second: [0, 0, 0] },
  ],
  sigmoid: [{ of: 'sigmoid(x)', at: [0, 800, -800, infinite, -infinite], slopes: [0.25, 0, 0, 0, 0], second: [0, 0, 0, 0, 0] }],
  softplusRest: [
    {
      of: 'softplus(x)',
      at: [0, infinite, -infinite, 800],
      slopes: [0.5, 1, 0, 1],
      second: [0.25, 0, 0, 0],
      before: 'import { softplus } from "std/nn"',
    },
    {
      of: 'logSigmoid(x)',
      at: [0, infinite, -infinite],
      slopes: [0.5, 0, 1],
      second: [-0.25, 0, 0],
      before: 'import { logSigmoid } from "std/nn"',
    },
  ],
  select: [
    { of: 'where(x > 0, log(x), where(x < -1, sqrt(x), 2 * x))', at: [0, -2, 1], slopes: [2, none, 1], second: [0, none, -1] },
    { of: 'where(x > 0, 1 / x, 0)', at: [0, 2], slopes: [0, -0.25], second: [0, 0.25] },
    { of: 'where(x >= 0, x, 0.5 * x)', at: [0, -0, -1], slopes: [1, 1, 0.5], second: [0, 0, 0] },
  ],
};

const each = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

/** By what they are about. */
export const tensorPoints: Readonly<Record<string, readonly HardPoint[]>> = {
  max: [
    { of: 'max(x)', at: [1, 3, 3], slopes: [0, 0.5, 0.5] },
    { of: 'max(x)', at: [2], slopes: [1] },
    { of: 'max(x)', at: [-infinite, -infinite], slopes: [0.5, 0.5], second: [0, 0] },
    { of: 'min(x)', at: [0, -0, 1], slopes: [0.5, 0.5, 0] },
    { of: 'max(reshape(x, [2, 2]), axis: 0)', at: [1, 2, 1, 3], slopes: [0.5, 0, 0.5, 1] },
  ],
  sums: [
    { of: 'sum(x)', at: [], slopes: [] },
    { of: 'mean(x)', at: [5], slopes: [1] },
    { of: 'sum(x * x)', at: [0, -0], slopes: [0, 0], second: [2, 2] },
  ],
  product: [
    { of: 'product(x)', at: [], slopes: [] },
    { of: 'product(x)', at: [0, 2, 3], slopes: [6, 0, 0], second: [5, 3, 2] },
    { of: 'product(x)', at: [0, 0, 3], slopes: [0, 0, 0], second: [3, 3, 0] },
    { of: 'product(x)', at: [7], slopes: [1], second: [0] },
  ],
  norm: [
    { of: 'norm(x)', at: [0, 0], slopes: [0, 0], second: [0, 0] },
    { of: 'norm(x)', at: [3, 4], slopes: [0.6, 0.8] },
    { of: 'norm(x)', at: [0], slopes: [0], second: [0] },
    { of: 'norm(x)', at: [], slopes: [] },
    { of: 'x / max(norm(x), 1e-12)', at: [0, 0], slopes: each(2, 1e12) },
  ],
  spread: [
    { of: 'std(x)', at: [2, 2, 2], slopes: [0, 0, 0], second: [0, 0, 0] },
    { of: 'std(x)', at: [2], slopes: [0], second: [0] },
    { of: 'variance(x)', at: [2], slopes: [0], second: [0] },
    { of: 'variance(x)', at: [1, 3], slopes: [-1, 1], second: [0, 0] },
  ],
  logSumExp: [
    { of: 'logSumExp(x)', at: [0, 0], slopes: [0.5, 0.5], second: [0, 0] },
    { of: 'logSumExp(x)', at: [-infinite, 1], slopes: [0, 1], second: [0, 0] },
    { of: 'logSumExp(x)', at: [1000, 1000, -infinite], slopes: [0.5, 0.5, 0] },
    { of: 'logSumExp(x)', at: [3], slopes: [1], second: [0] },
    { of: 'logSumExp(x)', at: [-infinite, -infinite], slopes: [0, 0], second: [0, 0] },
    { of: 'logSumExp(x)', at: [infinite, 0, infinite], slopes: [0.5, 0, 0.5], second: [0, 0, 0] },
    { of: 'logSumExp(x)', at: [none, 0], slopes: [none, none] },
  ],
  softmax: [
    { of: 'softmax(x, axis: 0)[0]', at: [0, -infinite], slopes: [0, 0], second: [0, 0] },
    { of: 'softmax(x, axis: 0)[0]', at: [1000, 1000], slopes: [0.25, -0.25], second: [0, 0] },
    { of: 'logSoftmax(x, axis: 0)[0]', at: [0, -infinite], slopes: [0, 0], second: [0, 0] },
    { of: 'logSoftmax(x, axis: 0)[0]', at: [5], slopes: [0] },
  ],
  running: [
    { of: 'cumsum(x, axis: 0)', at: [], slopes: [] },
    { of: 'cumsum(x, axis: 0)', at: [5], slopes: [1], second: [0] },
    { of: 'cumprod(x, axis: 0)', at: [], slopes: [] },
    { of: 'cumprod(x, axis: 0)', at: [0, 2, 3], slopes: [9, 0, 0], second: [6, 4, 2] },
    { of: 'cumprod(x, axis: 0)', at: [2, 0, 3], slopes: [1, 8, 0] },
  ],
  order: [
    { of: 'sort(x)[0]', at: [2, 1, 1], slopes: [0, 1, 0] },
    { of: 'sort(x)', at: [3, 1, none], slopes: [1, 1, 1], second: [0, 0, 0] },
    { of: 'sort(x)', at: [], slopes: [] },
    { of: 'sort(x)', at: [4], slopes: [1] },
    { of: 'x[argmax(x, axis: 0)]', at: [1, 3, 3], slopes: [0, 1, 0] },
  ],
  places: [
    { of: 'x[0]', at: [1, 2], slopes: [1, 0], second: [0, 0] },
    { of: 'x[-1]', at: [1, 2], slopes: [0, 1] },
    { of: 'x[1:]', at: [1], slopes: [0] },
    { of: 'x[::-1] * x', at: [1, 2], slopes: [4, 2], second: [2, 2] },
    { of: 'x[tensor([0, 0, 1])]', at: [1, 2], slopes: [2, 1] },
    { of: 'concat([x, x], axis: 0)', at: [], slopes: [] },
    { of: 'concat([x, x * x], axis: 0)', at: [3], slopes: [7], second: [2] },
    { of: '[i in 0..3] => x[i - 1] ?? 0', at: [1, 2, 3], slopes: [1, 1, 0] },
    { of: '[i in 0..2] => x[0] * x[1 - i] ?? 0', at: [1, 2], slopes: [4, 1], second: [3, 1] },
  ],
  // What is x above 0, and below it another function with a slope at 0.
  corners: [
    { of: 'elu(x)', at: [0, -0], slopes: [1, 1], second: [1, 1], before: 'import { elu } from "std/nn"' },
    { of: 'celu(x, alpha: 2)', at: [0, -0], slopes: [1, 1], second: [0.5, 0.5], before: 'import { celu } from "std/nn"' },
    {
      of: 'selu(x)',
      at: [0, -0],
      slopes: each(2, 1.0507009873554805 * 1.6732632423543772),
      second: each(2, 1.0507009873554805 * 1.6732632423543772),
      before: 'import { selu } from "std/nn"',
    },
    { of: 'huber(x, 0 * x)', at: [0, 0.5, 2], slopes: [0, 0.5, 1], second: [1, 1, 0], before: 'import { huber } from "std/loss"' },
  ],
  clip: [{ of: 'clip(x, 0, 1)', at: [0, 1, 0.5, -1, 2, infinite], slopes: [0.5, 0.5, 1, 0, 0, 0] }],
  guarded: [
    { of: 'if x[0] > 0 then sqrt(x[0]) else 0.0', at: [0], slopes: [0] },
    { of: 'if x[0] > 0 then norm(x) / x[0] else sum(x)', at: [0, 0], slopes: [1, 1] },
    { of: 'fold i in 0..3 with z = x { where(z > 0, sqrt(z), z) }', at: [0, -1, 1], slopes: [1, 1, 0.125] },
    { of: 'sum(where(x > 0, log(x), 0)) / 2', at: [0, 1], slopes: [0, 0.5], second: [0, -0.5] },
  ],
};
