// TensorFlow.js on its WebAssembly backend, with its own optimizers. In: a workload file. Out: JSON lines.

import { dirname } from 'node:path';
import { load, peerRequire, serve } from './protocol.mjs';

const tf = peerRequire('@tensorflow/tfjs');
const wasm = peerRequire('@tensorflow/tfjs-backend-wasm');
tf.enableProdMode();
wasm.setWasmPaths(`${dirname(peerRequire.resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm'))}/`);
wasm.setThreadsCount(Number(process.argv[3]));
await tf.setBackend('wasm');
await tf.ready();

const { spec, arrays } = load();
const tensors = {};
for (const { name, shape, dtype } of spec.arrays) tensors[name] = tf.tensor(arrays[name], shape, dtype === 'f32' ? 'float32' : 'int32');
const { x } = tensors;
const y = spec.family === 'perceptron' ? tf.oneHot(tensors.y, 10).toFloat() : tensors.y;
const p = {};
for (const { name, role } of spec.arrays) if (role === 'initial') p[name] = tf.variable(tensors[name]);

const lossOf = {
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
    const loss = optimizer.minimize(lossOf, keep);
    if (!keep) continue;
    losses.push((await loss.data())[0]);
    loss.dispose();
  }
  // The backend computes as it is called; reading one value makes sure of it.
  await Object.values(p)[0].data();
  return losses;
}

await serve(`tfjs ${tf.version.tfjs} wasm`, reset, steps);
