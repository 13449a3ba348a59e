// jax-js on its WebAssembly backend: one jitted step. In: a workload file. Out: JSON lines. Holds: its arrays are counted by hand: a use
// consumes one reference, `ref` adds one.

import { pathToFileURL } from 'node:url';
import { installWorker } from './web-worker.mjs';
import { checksOf, load, peerRequire, serve } from './protocol.mjs';

const threads = Number(process.argv[3]);
if (threads > 1) installWorker(threads);
const {
  init,
  defaultDevice,
  jit,
  valueAndGrad,
  nn,
  tree,
  numpy: np,
} = await import(pathToFileURL(peerRequire.resolve('@jax-js/jax')).href);
await init('wasm');
defaultDevice('wasm');

const { spec, arrays } = load();
const array = ({ name, shape, dtype }) => np.array(arrays[name], { shape, dtype: dtype === 'f32' ? np.float32 : np.int32 });
const lossOf = {
  linear: (p, x, y) => np.square(np.matmul(x, p.w).sub(y)).mean(),
  logistic: (p, x, y) => {
    const z = np.matmul(x, p.w).add(p.b);
    const softened = np.log(np.exp(np.negative(np.abs(z.ref))).add(1));
    return np.maximum(z.ref, 0).add(softened).sub(z.mul(y)).mean();
  },
  perceptron: (p, x, y) => {
    const h1 = nn.relu(np.matmul(x, p.w1).add(p.b1));
    const h2 = nn.relu(np.matmul(h1, p.w2).add(p.b2));
    return np.negative(nn.logSoftmax(np.matmul(h2, p.w3).add(p.b3), -1).mul(y).sum(-1).mean());
  },
}[spec.family];

const again = (values) => tree.map((value) => value.ref, values);
const { rate } = spec;

const update = {
  sgd: ({ p }, g) => ({ p: tree.map((p, g) => p.sub(g.mul(rate)), p, g) }),
  momentum: ({ p, v }, g) => {
    const next = tree.map((v, g) => v.mul(0.9).add(g), v, g);
    return { p: tree.map((p, v) => p.sub(v.mul(rate)), p, again(next)), v: next };
  },
  adam: ({ p, m, v, b1, b2 }, g) => {
    // Powers of the betas are kept as they go, which costs less than a power per step.
    const next1 = b1.mul(0.9);
    const next2 = b2.mul(0.999);
    const m1 = tree.map((m, g) => m.mul(0.9).add(g.mul(0.1)), m, again(g));
    const v1 = tree.map((v, g) => v.mul(0.999).add(np.square(g).mul(0.001)), v, g);
    const first = np.reciprocal(np.negative(next1.ref).add(1));
    const second = np.reciprocal(np.negative(next2.ref).add(1));
    const p1 = tree.map(
      (p, m, v) =>
        p.sub(
          m
            .mul(first.ref)
            .mul(rate)
            .div(np.sqrt(v.mul(second.ref)).add(1e-8)),
        ),
      p,
      again(m1),
      again(v1),
    );
    first.dispose();
    second.dispose();
    return { p: p1, m: m1, v: v1, b1: next1, b2: next2 };
  },
}[spec.rule];

function training() {
  const initial = spec.arrays.filter((each) => each.role === 'initial');
  const by = (name) => spec.arrays.find((each) => each.name === name);
  const x = array(by('x'));
  const y = spec.family === 'perceptron' ? nn.oneHot(array(by('y')), 10) : array(by('y'));
  const step = jit((state, x, y) => {
    const [loss, g] = valueAndGrad(lossOf)(again(state.p), x, y);
    return [update(state, g), loss];
  });
  const zeros = () => Object.fromEntries(initial.map(({ name, shape }) => [name, np.zeros(shape)]));
  const slots = {
    sgd: () => ({}),
    momentum: () => ({ v: zeros() }),
    adam: () => ({ m: zeros(), v: zeros(), b1: np.array(1), b2: np.array(1) }),
  }[spec.rule];
  let state;

  async function reset() {
    if (state !== undefined) tree.dispose(state);
    state = { p: Object.fromEntries(initial.map((each) => [each.name, array(each)])), ...slots() };
  }

  async function steps(count, keep) {
    const losses = [];
    for (let at = 0; at < count; at += 1) {
      const [next, loss] = step(state, x.ref, y.ref);
      state = next;
      if (keep) losses.push((await loss.data())[0]);
      else loss.dispose();
      const leaves = tree.leaves(state.p);
      await leaves[leaves.length - 1].blockUntilReady();
    }
    return [losses];
  }
  return [reset, steps];
}

function functions() {
  const gelu = (v) =>
    np
      .tanh(v.ref.add(v.ref.mul(v.ref).mul(v.ref).mul(0.044715)).mul(0.7978845608))
      .add(1)
      .mul(v)
      .mul(0.5);
  const chain = (x, r, b) => gelu(x.mul(1.25).add(b)).add(r);
  const normed = ({ x, r, b, scale, shift }, w) => {
    const z = gelu(x.add(b)).add(r);
    const centred = z.ref.sub(np.mean(z, -1, { keepdims: true }));
    const spread = np.mean(np.square(centred.ref), -1, { keepdims: true });
    return centred
      .mul(np.reciprocal(np.sqrt(spread.add(1e-5))))
      .mul(scale)
      .add(shift)
      .mul(w)
      .sum(-1)
      .sum();
  };
  const feeds = Object.fromEntries(spec.arrays.map((each) => [each.name, array(each)]));
  const flat = ([value, gradients], names) => [value, ...names.map((name) => gradients[name])];
  const compute = {
    chain: ({ x, r, b }) => [chain(x, r, b)],
    'chain-derivative': (by) =>
      flat(
        valueAndGrad(({ x, r, b }) =>
          np
            .square(chain(x, r, b))
            .mean(-1)
            .mean(),
        )(by),
        ['x', 'r', 'b'],
      ),
    norm: ({ w, ...by }) => flat(valueAndGrad(normed)(by, w), ['x', 'r', 'b', 'scale', 'shift']),
    product: ({ a, b }) => [np.matmul(a, b)],
    'product-left': ({ a, b }) => [np.matmul(np.transpose(a), b)],
    'product-right': ({ a, b }) => [np.matmul(a, np.transpose(b))],
  }[spec.family];
  const one = jit(compute);

  async function steps(count, keep) {
    const checks = [];
    for (let at = 1; at <= count; at += 1) {
      const results = one(again(feeds));
      await results[0].blockUntilReady();
      for (const result of results) {
        if (keep && at === count) checks.push(checksOf(await result.data()));
        else result.dispose();
      }
    }
    return checks;
  }
  return [() => undefined, steps];
}

await serve('jax-js wasm', ...(spec.rule === 'none' ? functions() : training()));
