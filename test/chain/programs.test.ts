// The chain of oracles over every program and example, at sizes that leave tails and at size 1.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ChainCase, runChain } from './chain.js';

const root = join(import.meta.dirname, '..', '..');

const cases: Readonly<Record<string, readonly ChainCase[]>> = {
  'test/programs/any-shape.tdsl': [0, 1, 2].flatMap((rank) =>
    ['add', 'distance'].map((entry): ChainCase => ({
      entry,
      ranks: { S: rank },
      dims: Object.fromEntries(Array.from({ length: rank }, (_, axis) => [`S.${axis}`, 3 + axis])),
    })),
  ),
  'test/programs/contractions.tdsl': [
    ...['bilinear', 'bilinearSlopes'].flatMap((entry) =>
      [1, 19].map((B): ChainCase => ({ entry, dims: { B, I: 5, J: 17, K: 3 }, tolerance: 2e-3 })),
    ),
    ...[1, 3, 21].map((M): ChainCase => ({ entry: 'small', dims: { M, N: 6 } })),
    ...[0, 1, 40].map((N): ChainCase => ({ entry: 'smooth', dims: { N, K: 5 } })),
  ],
  'test/programs/conv-index.tdsl': ['valid', 'strided', 'stridedSlopes', 'depthwise'].flatMap((entry) =>
    [0, 1, 7].map((B): ChainCase => ({ entry, dims: { B, ...(entry === 'depthwise' ? { C: 9 } : {}) } })),
  ),
  'test/programs/deep.tdsl': [
    { entry: 'predict', dims: { B: 3 } },
    ...[5, 70].map((B): ChainCase => ({ entry: 'train', dims: { B }, ranges: { y: [0, 2] }, steps: 3, tolerance: 5e-3 })),
  ],
  'test/programs/exp-tower.tdsl': [{ entry: 'tower', ranges: { x: [-1, 0] } }],
  'test/programs/fetches.tdsl': [{ entry: 'both' }],
  'test/programs/first-graph.tdsl': [{ entry: 'f' }],
  'test/programs/gradients.tdsl': [{ entry: 'derivatives' }],
  'test/programs/gan.tdsl': [1, 5].map((B) => ({ entry: 'train', dims: { B }, steps: 3 })),
  'test/programs/higher-order.tdsl': [
    ...[1, 3].map((T): ChainCase => ({ entry: 'curvature', dims: { T, B: 2 } })),
    { entry: 'learned', ranges: { rate: [0.05, 0.1] } },
  ],
  'test/programs/linear-regression.tdsl': [
    { entry: 'normalEquation', dims: { M: 40 }, tolerance: 5e-3 },
    { entry: 'predict', dims: { M: 17 } },
    { entry: 'train', dims: { M: 33 }, ranges: { lr: [0.01, 0.02] } },
  ],
  'test/programs/loop.tdsl': ['value', 'reverse', 'forward'].map((entry) => ({ entry })),
  'test/programs/lstm-by-hand.tdsl': [0, 1, 4].map((T) => ({ entry: 'run', dims: { T, B: 3 } })),
  'test/programs/minimize-square.tdsl': ['byHand', 'byGrad', 'byOptimizer'].map((entry) => ({ entry, steps: 4 })),
  'test/programs/mnist.tdsl': [
    { entry: 'predict', dims: { B: 3 } },
    { entry: 'train', dims: { B: 5 }, ranges: { x: [0, 1] }, tolerance: 5e-3 },
  ],
  'test/programs/moons.tdsl': [1, 2, 33].flatMap((B) => [
    { entry: 'probability', dims: { B } },
    { entry: 'train', dims: { B }, ranges: { y: [0, 1] } },
  ]),
  'test/programs/own-optimizer.tdsl': ['plain', 'slope'].map((entry) => ({ entry, steps: 4 })),
  'test/programs/placeholder.tdsl': [0, 1, 7].map((N) => ({ entry: 'addFive', dims: { N } })),
  'test/programs/relus.tdsl': [1, 19].map((B) => ({ entry: 'output', dims: { B } })),
  'test/programs/rows.tdsl': [
    ...['product', 'transposed'].flatMap((entry) => [1, 19].map((B): ChainCase => ({ entry, dims: { B } }))),
    { entry: 'picked', dims: { N: 7 }, ranges: { ids: [-4, 4] } },
    ...[0, 3].map((N): ChainCase => ({ entry: 'joined', dims: { N } })),
    ...['walked', 'refolded', 'summed', 'multiplied', 'copied', 'inverted'].map((entry) => ({ entry })),
    { entry: 'widened', ranks: { S: 2 }, dims: { 'S.0': 3, 'S.1': 4 } },
    { entry: 'train', dims: { B: 9 }, steps: 3 },
    { entry: 'turn', steps: 3 },
  ],
  'test/programs/windows.tdsl': [
    ...['pooled', 'everywhere'].flatMap((entry) => [1, 3].map((B): ChainCase => ({ entry, dims: { B, H: 4, W: 5, C: 9 } }))),
    ...[0, 1, 33].map((N): ChainCase => ({ entry: 'running', dims: { N } })),
    ...[1, 9].map((T): ChainCase => ({ entry: 'attention', dims: { B: 2, T, H: 3, D: 5 }, tolerance: 2e-3 })),
  ],
  'examples/linear-regression/housing.tdsl': [
    { entry: 'error', dims: { M: 21 } },
    ...['byHand', 'byGrad', 'train'].map((entry) => ({ entry, dims: { M: 37 }, ranges: { lr: [0.01, 0.02] as const } })),
    { entry: 'normalEquation', dims: { M: 60 }, tolerance: 2e-2 },
  ],
};

describe('the chain of oracles', () => {
  for (const [path, list] of Object.entries(cases)) {
    for (const one of list) it(`${path} ${one.entry} ${JSON.stringify(one.dims ?? {})}`, () => runChain(join(root, path), one), 60_000);
  }

  it('covers every program', () => {
    const covered = new Set(Object.keys(cases));
    for (const file of readdirSync(join(root, 'test/programs')))
      if (file.endsWith('.tdsl')) expect(covered.has(`test/programs/${file}`), file).toBe(true);
  });
});
