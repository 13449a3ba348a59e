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
    'selu(z)',
    'celu(z, alpha: 1.5)',
    'gelu(z, approximate: "tanh")',
    'hardSwish(z)',
    'logSigmoid(z)',
    'prelu(z, c[0])',
    'glu(concat([z, c * z], axis: 1))',
    'dropout(z, 0.5, key: 3)',
    'softmax(z)',
    'logSoftmax(z, axis: 0)',
  ],
  losses: [
    'softmaxCrossEntropy(z, [2, 0])',
    'softmaxCrossEntropy(z, [2, 0], labelSmoothing: 0.1, ignoreIndex: 0, weights: c[0] + 2)',
    'focalLoss(z, c * c)',
    'tripletLoss(z, c, c * c)',
    'cosineEmbeddingLoss(z, c, [1, -1], margin: -1)',
    'infoNce(z, c, temperature: 0.5)',
    'gaussianNll(z, c, 1 + c * c)',
    'gaussianNll(c, c * c, 3 + z)',
    'binaryCrossEntropy(z, c * c)',
    'mse(z, c)',
    'mae(z, c)',
    'huber(z, c, delta: 0.3)',
    'hinge(z, sign(c))',
    'klDivergence(logSoftmax(z), logSoftmax(c))',
  ],
  arrays: [
    'cumsum(z, axis: 1)',
    'cumsum(z, axis: 0)',
    'cumprod(z, axis: 1)',
    'sort(z, axis: 1)',
    'sort(z, axis: 0, descending: true)',
    'topK(z, 2)[0]',
    'flip(z, axis: 1)',
    'roll(z, 2, axis: 1)',
    'repeat(z, 2, axis: 0)',
    'tile(z, [2, 3])',
    'takeAlong(z, [[0, 2], [1, 1]], axis: 1)',
    'tril(z) + triu(z, 1) * z',
    'diagonal(z @ transpose(c))',
    'swapAxes(z, 0, 1)',
  ],
  matrices: [
    'solve(z @ transpose(z) + eye<f64, 2>(), c)',
    'solve(z @ transpose(c) + 2 * eye<f64, 2>(), z[:, 0])',
    'solve(stack([z @ transpose(c) + 2 * eye<f64, 2>(), eye<f64, 2>()]), stack([z, c]))',
    'solveTriangular(z @ transpose(c) + 2 * eye<f64, 2>(), z)',
    'solveTriangular(z @ transpose(c) + 2 * eye<f64, 2>(), z[:, 1], upper: true)',
    'cholesky(z @ transpose(z) + eye<f64, 2>())',
    'det(z @ transpose(c) + 2 * eye<f64, 2>())',
    'logdet(z @ transpose(z) + eye<f64, 2>())',
    'inverse(z @ transpose(c) + 2 * eye<f64, 2>())',
    'lu(z @ transpose(c) + 2 * eye<f64, 2>())[0]',
    'recurrence(z, factor: c * z, reverse: true)',
  ],
  statistics: ['logSumExp(z, axis: 1)', 'std(z)', 'norm(z)', 'variance(z, axis: 0)', 'clip(z, -0.4, 0.7)'],
};

const imports = `import { relu, leakyRelu, elu, softplus, silu, gelu, mish, softsign, dropout } from "std/nn"
import { celu, glu, hardSwish, logSigmoid, prelu, selu } from "std/nn"
import { softmaxCrossEntropy, binaryCrossEntropy, mse, mae, huber, hinge, klDivergence } from "std/loss"
import { cosineEmbeddingLoss, focalLoss, gaussianNll, infoNce, tripletLoss } from "std/loss"
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
