// TensorFlow.js on its WebAssembly backend, with its own optimizers. In: a workload file. Out: JSON lines.

import { dirname } from 'node:path';
import { checksOf, load, peerRequire, serve } from './protocol.mjs';

const tf = peerRequire('@tensorflow/tfjs');
const wasm = peerRequire('@tensorflow/tfjs-backend-wasm');
tf.enableProdMode();
wasm.setWasmPaths(`${dirname(peerRequire.resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm'))}/`);
wasm.setThreadsCount(Number(process.argv[3]));
await tf.setBackend('wasm');
await tf.ready();

const { spec, arrays } = load();
const tensors = Object.fromEntries(
  spec.arrays.map(({ name, shape, dtype }) => [name, tf.tensor(arrays[name], shape, dtype === 'f32' ? 'float32' : 'int32')]),
);

function training() {
  const { x } = tensors;
  const y = spec.family === 'perceptron' ? tf.oneHot(tensors.y, 10).toFloat() : tensors.y;
  const p = {};
  for (const { name, role } of spec.arrays) if (role === 'initial') p[name] = tf.variable(tensors[name]);
  const loss = {
    linear: () => x.matMul(p.w).sub(y).square().mean(),
    logistic: () => tf.losses.sigmoidCrossEntropy(y, x.matMul(p.w).add(p.b)),
    perceptron: () => {
      const h1 = x.matMul(p.w1).add(p.b1).relu();
      const h2 = h1.matMul(p.w2).add(p.b2).relu();
      return tf.losses.softmaxCrossEntropy(y, h2.matMul(p.w3).add(p.b3));
    },
  }[spec.family];
  const make = {
    sgd: () => tf.train.sgd(spec.rate),
    momentum: () => tf.train.momentum(spec.rate, 0.9),
    adam: () => tf.train.adam(spec.rate, 0.9, 0.999, 1e-8),
  }[spec.rule];
  let optimizer;

  function reset() {
    for (const [name, variable] of Object.entries(p)) variable.assign(tensors[name]);
    optimizer?.dispose();
    optimizer = make();
  }

  async function steps(count, keep) {
    const losses = [];
    for (let step = 0; step < count; step += 1) {
      const value = optimizer.minimize(loss, keep);
      if (!keep) continue;
      losses.push((await value.data())[0]);
      value.dispose();
    }
    // The backend computes as it is called; reading one value makes sure of it.
    await Object.values(p)[0].data();
    return [losses];
  }
  return [reset, steps];
}

function functions() {
  const gelu = (v) => v.mul(v).mul(v).mul(0.044715).add(v).mul(0.7978845608).tanh().add(1).mul(v).mul(0.5);
  const chain = (x, r, b) => gelu(x.mul(1.25).add(b)).add(r);
  const normed = (x, r, b, scale, shift) => {
    const z = gelu(x.add(b)).add(r);
    const centred = z.sub(z.mean(-1, true));
    const spread = centred.square().mean(-1, true);
    return centred.mul(spread.add(1e-5).rsqrt()).mul(scale).add(shift).mul(tensors.w).sum(-1).sum();
  };
  const derivatives = (loss, by) => () => {
    const { value, grads } = tf.valueAndGrads(loss)(by.map((name) => tensors[name]));
    return [value, ...grads];
  };
  const compute = {
    chain: () => [chain(tensors.x, tensors.r, tensors.b)],
    'chain-derivative': derivatives((x, r, b) => chain(x, r, b).square().mean(-1).mean(), ['x', 'r', 'b']),
    norm: derivatives(normed, ['x', 'r', 'b', 'scale', 'shift']),
    product: () => [tf.matMul(tensors.a, tensors.b)],
    'product-left': () => [tf.matMul(tensors.a, tensors.b, true, false)],
    'product-right': () => [tf.matMul(tensors.a, tensors.b, false, true)],
  }[spec.family];

  async function steps(count, keep) {
    let results = [];
    for (let step = 0; step < count; step += 1) {
      tf.dispose(results);
      results = tf.tidy(compute);
    }
    const checks = keep ? results.map((result) => checksOf(result.dataSync())) : [];
    tf.dispose(results);
    return checks;
  }
  return [() => undefined, steps];
}

await serve(`tfjs ${tf.version.tfjs} wasm`, ...(spec.rule === 'none' ? functions() : training()));
