// Programs that use the whole language, for tests that change or print them.

export const layers = `// Layers.
import { relu, identity as id } from "std/nn"

/// How wide.
dim Hidden = 300
dim Wide = 4 * (Hidden + 1)
const eps: f32 = 1e-6

model Dense<In, Out>(act: fn = id, scale: f32 = 1.0) where In > 0, Out % 2 == 0 {
  /// The weights.
  param w: f32[In, Out] = glorot()
  param b: f32[Out] = zeros() // starts at nothing
  state seen: i64 = 0

  fn call<B, ...S>(x: f32[...S, B, In]): f32[...S, B, Out] = act(scale * (x @ w + b))

  // Not for others.
  fn norm(): f32 {
    let total = sum(w ** 2)
    return sqrt(total + eps)
  }
}

blocks = [Dense<Wide, Wide>(act: x => max(x, 0)) for i in 0..3]
first = Dense<784, Wide>()

/* A rule
   of its own. */
fn clipped<T: float, D>(x: T[D], low: T, high: T): T[D] where D >= 1 = clip(x, low, high)
  vjp (g) => where(x > low && x < high, g, T(0))

fn series<N>(x: f32[N], n: i32): { last: f32[N], all: (f32[N], f32) } {
  let y = fold i in 0..n with s = zeros() { s * x + f32(i) }
  let (h, hs) = scan t in 0..N with (a, b) = (0.0, y[0]) {
    let next = a + x[t]
    yield ((next, b), next - b)
  }
  let z = while norm(y) > 1.0 && !(h == 0) with q = y { q / 2 }
  let table = x[::2, -1, ..., 1 : n - 1]
  return { last: if n > 0 then y else -z, all: (hs, table) }
}
`;

export const training = `import { adam } from "std/optim"

optimizer nesterov(lr: f32, beta: f32 = 0.9) {
  state v = zeros()

  /// One step.
  update(p, g) {
    v <- beta * v + g
    p <- p - lr * (g + beta * v)
  }
}

param w: f32[3, 1] = uniform(-1, 1)
state steps: i32 = 0

/// Trains.
///
/// On batches.
export step train<B>(x: f32[B, 3], y: f32[B, 1], lr: f32): { loss: f32, both: (f32, f32) } {
  scope "loss" {
    let error = x @ w - y // the residue
    let loss = mean(square(error))

    scope "inner" {
      let both = grad([loss, sum(w)], [w, w])
    }
  }
  minimize loss + 0.01 * sum(w ** 2) with nesterov(lr: lr, beta: 0.95) over [w]
  steps <- steps + 1
  summary scalar("loss", loss)
  summary histogram("w\\n\\"1\\"", w)
  return { loss, both }
}

export fn predict<B>(x: f32[B, 3]): f32[B, 1] = x @ w
`;

export const words = `model = step
param = dim
state = [for for for in 0..in]
fn with(where: f32, over: f32[then]): fn(f32): f32 = if then then then else else
fn scope(fold: fn, scan: (f32, f32)): f32 = fold(in, for) + scan.vjp.update * (minimize)
export step step() {
  minimize (minimize) with with over over
  (minimize) <- 1
  summary.scope[summary] <- summary(scope)
  (minimize)(over)
}
`;
