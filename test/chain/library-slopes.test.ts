// Derivatives of the library's functions inside of loops. In: activations, losses, statistics. Out: slopes in both modes like finite
// differences in f64, and second derivatives like differences of the first.

import { expect, it } from 'vitest';
import { slopeDifference, textCase } from './program-cases.js';
import { runGraphs } from './graphs.js';

/** Of `z: f64[2, 3]`, which no one of them makes large. */
const functions = {
  activations: [
    'relu(z)',
    'leakyRelu(z, 0.1)',
    'elu(z)',
    'softplus(z)',
    'silu(z)',
    'gelu(z)',
    'mish(z)',
    'softsign(z)',
    'dropout(z, 0.5, key: 3)',
    'softmax(z)',
    'logSoftmax(z, axis: 0)',
  ],
  losses: [
    'softmaxCrossEntropy(z, [2, 0])',
    'binaryCrossEntropy(z, c * c)',
    'mse(z, c)',
    'mae(z, c)',
    'huber(z, c, delta: 0.3)',
    'hinge(z, sign(c))',
    'klDivergence(logSoftmax(z), logSoftmax(c))',
  ],
  statistics: ['logSumExp(z, axis: 1)', 'std(z)', 'norm(z)', 'variance(z, axis: 0)', 'clip(z, -0.4, 0.7)'],
};

const imports = `import { relu, leakyRelu, elu, softplus, silu, gelu, mish, softsign, dropout } from "std/nn"
import { softmaxCrossEntropy, binaryCrossEntropy, mse, mae, huber, hinge, klDivergence } from "std/loss"
`;

/** A program in the form of random ones; with `twice`, of the slope that a loop follows. */
const program = (text: string, twice: boolean): string => `${imports}
export fn found(x: f64[3], w: f64[3, 3], s: f64, c: f64[2, 3], dx: f64[3], dw: f64[3, 3], ds: f64, dc: f64[2, 3]) {
  let total = fold i in 0..2 with a = 0.1 * s {
    let z = c @ w + x * a
    let e = sum(sin(${text}))
    ${twice ? 'tanh(e + sum(grad(e, z)))' : 'tanh(e) + 0.3 * a'}
  }
  let (gx, gw, gs, gc) = grad(total, [x, w, s, c])
  let back = sum(gx * dx) + sum(gw * dw) + gs * ds + sum(gc * dc)
  return (total, gx, gw, gs, gc, back, jvp(total, [x, w, s, c], [dx, dw, ds, dc]))
}
`;

it.each(Object.values(functions).flat())('%s', (text) => {
  for (const twice of [false, true]) {
    const one = { ...textCase('found', program(text, twice)), equal: [5, 6] as const };
    expect(slopeDifference(one), twice ? 'the second derivative' : 'the first derivative').toBeUndefined();
    expect(runGraphs([one], { native: false })).toEqual([]);
  }
});
