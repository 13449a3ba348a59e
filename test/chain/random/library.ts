// What random programs call. In: a dtype. Out: functions with blocks, with rules, with derivatives inside, with loops; a model with a list
// of instances in it.
// Holds: everything is smooth near what is fed; every rule is the derivative of its function.

import type { Float } from './draw.js';

/** Narrow floats may never come near enough. */
const until = (T: Float): string =>
  T === 'f64' || T === 'f32'
    ? `while abs(z * z - a) > a * ${T === 'f64' ? '1e-12' : '1e-5'} with z = a limit 40`
    : 'fold i in 0..5 with z = a';

/** `import`s, functions, the model `Net`. */
export const library = (T: Float): string => `
import { relu, leakyRelu, elu, softplus, silu, gelu, mish, softsign, Dense, LayerNorm, BatchNorm } from "std/nn"
import { softmaxCrossEntropy, binaryCrossEntropy, mse, huber } from "std/loss"
import { sgd, momentum, nesterov, adam, adamW, rmsprop, adadelta, clipByGlobalNorm, cosineDecay, warmUp } from "std/optim"

fn cube<...S>(x: ${T}[...S]): ${T}[...S] {
  let y = x * x
  return y * x
} vjp (g) => {
  let s = x * x
  return 3 * g * s
}

fn both(x: ${T}[3], y: ${T}): (${T}, ${T}[3]) {
  let s = sum(x * x)
  return (y * s, tanh(x) * y)
} vjp (a, b) => {
  let t = tanh(x)
  return (2 * a * y * x + b * y * (1 - t * t), a * sum(x * x) + sum(b * t))
}

fn powered(x: ${T}, n: i32): ${T} = x ** ${T}(n) vjp (g) => g * ${T}(n) * x ** ${T}(n - 1)

fn squash<...S>(x: ${T}[...S]): ${T}[...S] {
  let e = exp(-x)
  return x / (1 + e)
}

fn descend(x: ${T}[3]): ${T}[3] {
  let e = sum(sqrt(1 + x * x))
  return x - 0.3 * grad(e, x)
}

fn wave(x: ${T}[3], y: ${T}): ${T}[3] = sin(x * y) + y * x[::-1]
  vjp (g) => {
    let e = sum(g * (sin(x * y) + y * x[::-1]))
    return grad(e, [x, y])
  }

fn root<...S>(a: ${T}[...S]): ${T}[...S] = fold i in 0..12 with z = a { 0.5 * (z + a / z) }
  vjp (g) => 0.5 * g * rsqrt(a)

fn newton(a: ${T}): ${T} = ${until(T)} { 0.5 * (z + a / z) }

fn solid(m: ${T}[3, 3]): ${T}[3, 3] {
  let one: ${T}[3, 3] = eye()
  return inverse(m + 4 * one)
}

fn parts(x: ${T}[3]): { first: ${T}, rest: ${T}[2] } = { first: x[0] * x[1], rest: x[1:] + x[:2] }

fn twice(f: fn, x: ${T}[3]): ${T}[3] = f(f(x))

model Cell(act: fn = tanh) {
  param m: ${T}[3, 3] = uniform(-0.6, 0.6)
  param v: ${T}[3] = uniform(-0.5, 0.5)

  fn call(h: ${T}[3]): ${T}[3] = act(m @ h + v)
  fn rows<N>(h: ${T}[N, 3]): ${T}[N, 3] = act(h @ m + v)
}

model Net {
  cells = [Cell(), Cell(act: x => 0.9 * sin(x)), Cell()]
  norm = LayerNorm<3, ${T}>()

  fn call(h: ${T}[3]): ${T}[3] = fold cell in cells with z = h { cell(z) }
  fn rows<N>(h: ${T}[N, 3]): ${T}[N, 3] = norm(cells[1].rows(h) + h)
}
`;
