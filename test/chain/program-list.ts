// Which entries of programs and examples go through the chain, and how. In: nothing. Out: cases by file. Holds: sizes leave tails, and one
// of them is 1 where that is allowed.

import type { ChainCase } from './chain.js';

export const programList: Readonly<Record<string, readonly ChainCase[]>> = {
  'test/programs/accumulate.tdsl': [1, 9].map((B) => ({ entry: 'train', dims: { B }, steps: 4 })),
  'test/programs/batch-norm.tdsl': [1, 7].flatMap((B) => ['train', 'slopes'].map((entry) => ({ entry, dims: { B } }))),
  'test/programs/checkpoint.tdsl': [
    ...['kept', 'again'].flatMap((entry) => [1, 7].map((B): ChainCase => ({ entry, dims: { B }, tolerance: 2e-3 }))),
    ...['nested', 'looped'].flatMap((entry) => [0, 1, 3].map((B): ChainCase => ({ entry, dims: { B } }))),
    { entry: 'parts' },
    ...[1, 9].map((B): ChainCase => ({ entry: 'train', dims: { B }, steps: 3, tolerance: 2e-3 })),
  ],
  'test/programs/textbook.tdsl': [
    ...[0, 5].map((N): ChainCase => ({ entry: 'gaussSeidel', dims: { N }, ranges: { sweeps: [0, 3], A: [1, 2] } })),
    { entry: 'ising', dims: { H: 3, W: 5 } },
    { entry: 'pageRank', dims: { N: 4 }, ranges: { links: [0, 1], damping: [0.1, 0.5] } },
    { entry: 'kMeans', dims: { N: 9, D: 2, K: 3 }, ranges: { rounds: [0, 3] } },
    { entry: 'pendulum', ranges: { steps: [0, 9], dt: [0.01, 0.1] } },
    ...[1, 5].map((T): ChainCase => ({ entry: 'ctc', dims: { T, V: 4, L: 2 }, ranges: { labels: [1, 3] } })),
    ...[1, 5].map((T): ChainCase => ({ entry: 'hmm', dims: { T, S: 3, O: 2 }, ranges: { seen: [0, 1] } })),
    ...[0, 3].map((T): ChainCase => ({ entry: 'kalman', dims: { T, N: 2, M: 1 }, ranges: { R: [1, 2], Q: [0, 0.1] } })),
  ],
  'test/programs/textbook-nets.tdsl': [
    { entry: 'spectral', dims: { M: 3, N: 5 }, ranges: { W: [0.1, 1], u: [0.1, 1] } },
    ...[0, 7].map((B): ChainCase => ({ entry: 'rotate', dims: { B } })),
    { entry: 'dilated', dims: { B: 2, C: 3, H: 3, W: 2, O: 4 } },
    ...[0, 5].flatMap((B) => ['maml', 'penalty'].map((entry): ChainCase => ({ entry, dims: { B } }))),
    ...[0, 1, 4].flatMap((T) => ['flow', 'gru'].map((entry): ChainCase => ({ entry, dims: { T } }))),
    { entry: 'beam', dims: { V: 4 }, ranges: { steps: [0, 3] } },
    { entry: 'react', dims: { H: 3, W: 4 }, ranges: { steps: [0, 4] } },
    ...[1, 5].map((T): ChainCase => ({ entry: 'attend', dims: { T, H: 2, D: 3 } })),
  ],
  'test/programs/statistics.tdsl': [
    { entry: 'fit', dims: { N: 9, D: 2 }, ranges: { y: [0, 1] }, tolerance: 1e-6 },
    { entry: 'em', dims: { N: 7, K: 2 } },
    ...['median', 'mad'].flatMap((entry) => [0, 4].map((half): ChainCase => ({ entry, dims: { 'N_minus_1÷2': half } }))),
    { entry: 'pinball', dims: { N: 5 } },
    { entry: 'trimmed', dims: { N: 7 } },
    { entry: 'density', dims: { N: 5, Q: 3 }, ranges: { h: [0.5, 1] } },
  ],
  'test/programs/sequences.tdsl': [
    ...[0, 4].map((T): ChainCase => ({ entry: 'filter', dims: { T }, ranges: { q: [0.1, 1], r: [0.1, 1] } })),
    ...['evidence', 'viterbi'].flatMap((entry) =>
      [1, 5].map((T): ChainCase => ({
        entry,
        dims: { T, S: 3, O: 2 },
        ranges: { start: [0.1, 1], move: [0.1, 1], emit: [0.1, 1], obs: [0, 1] },
      })),
    ),
    { entry: 'dtw', dims: { M: 4, N: 6 } },
    { entry: 'spectrum', dims: { N: 7 } },
    ...[2, 5].map((half): ChainCase => ({ entry: 'frames', dims: { 'N÷2': half } })),
  ],
  'test/programs/solvers.tdsl': [
    { entry: 'qr', dims: { M: 5, N: 3 } },
    { entry: 'fit', dims: { N: 9 }, tolerance: 1e-5 },
    { entry: 'evaluate', dims: { N: 5 } },
    { entry: 'bisect', ranges: { low: [2, 2], high: [3, 3] } },
    { entry: 'gcd', ranges: { a: [1, 40], b: [1, 40] } },
  ],
  'test/programs/physics.tdsl': [
    { entry: 'leapfrog', dims: { D: 3 } },
    { entry: 'displacement', dims: { N: 5 }, ranges: { k: [1, 3] } },
    { entry: 'wave', dims: { H: 4, W: 5 }, ranges: { steps: [3, 3] } },
    { entry: 'epidemic', ranges: { beta: [1, 2], gamma: [0.5, 0.7] } },
  ],
  'test/programs/networks.tdsl': [
    { entry: 'attend', dims: { B: 2, T: 3, 'D÷2': 2 } },
    { entry: 'moe', dims: { B: 3, E: 4, D: 5, O: 2 } },
    { entry: 'clip', dims: { B: 3, D: 4 } },
    // The rate of `descend` is an f32 made of constants, which the interpreter does not round: it differs by that once they are folded.
  ],
  'test/programs/grids.tdsl': [
    { entry: 'generations', dims: { H: 4, W: 5 }, ranges: { g: [0, 1], rounds: [2, 2] } },
    { entry: 'project', dims: { N: 3 }, ranges: { q: [0.5, 1], t: [4, 5] } },
    { entry: 'histogram', dims: { N: 9 }, ranges: { x: [0, 1] } },
    ...['counts', 'gini'].map((entry): ChainCase => ({ entry, dims: { N: 9 }, ranges: { labels: [0, 2] } })),
    ...['sieve', 'lcg', 'binomial'].map((entry): ChainCase => ({ entry })),
    { entry: 'popcount', dims: { N: 3 }, ranges: { x: [0, 1000] } },
  ],
  'test/programs/exact.tdsl': [
    ...['doubles', 'once', 'named', 'counts', 'rounded'].map((entry): ChainCase => ({ entry })),
    { entry: 'beside', dims: { N: 5 } },
  ],
  'test/programs/together.tdsl': [
    ...[0, 1, 5].flatMap((N): ChainCase[] => [
      { entry: 'sums', dims: { N, D: 3 } },
      { entry: 'gated', dims: { T: N, B: 3 } },
      { entry: 'numbered', dims: { N } },
      { entry: 'numberedBeside', dims: { N } },
      { entry: 'alike', dims: { N } },
    ]),
  ],
  'test/programs/clip-norm.tdsl': [1, 9].flatMap((B) => ['train', 'same'].map((entry) => ({ entry, dims: { B }, steps: 3 }))),
  'test/programs/ema.tdsl': [1, 9].map((B) => ({ entry: 'train', dims: { B }, steps: 3 })),
  'test/programs/lists.tdsl': [1, 9].map((B) => ({ entry: 'start', dims: { B } })),
  'test/programs/activations.tdsl': [
    ...['values', 'slopes'].flatMap((entry) => [1, 21].map((N): ChainCase => ({ entry, dims: { N } }))),
    ...[0, 3].map((B): ChainCase => ({ entry: 'gated', dims: { B } })),
  ],
  'test/programs/factors.tdsl': [
    ...[
      { B: 3, N: 1, M: 1 },
      { B: 0, N: 3, M: 2 },
      { B: 2, N: 0, M: 2 },
      { B: 2, N: 11, M: 5 },
      { B: 1, N: 40, M: 1 },
    ].map((dims): ChainCase => ({ entry: 'batch', dims })),
    ...['single', 'definite'].flatMap((entry) => [0, 1, 2, 23].map((N): ChainCase => ({ entry, dims: { N } }))),
    ...[0, 1, 17].map((N): ChainCase => ({ entry: 'narrow', dims: { N }, tolerance: 5e-3 })),
    ...[0, 3].map((n): ChainCase => ({ entry: 'repeated', dims: { N: 5 }, ranges: { n: [n, n] } })),
  ],
  'test/programs/implicit.tdsl': [1, 3].map((D): ChainCase => ({ entry: 'fixedPoint', dims: { D }, ranges: { w: [-0.3, 0.3] } })),
  'test/programs/linear-algebra.tdsl': [
    ...['factor', 'logDensity', 'solved'].map((entry): ChainCase => ({ entry })),
    ...[0, 3].map((B): ChainCase => ({ entry: 'inverses', dims: { B }, ranges: { a: [1, 3] } })),
  ],
  'test/programs/losses.tdsl': [
    ...['smoothed', 'ignoring', 'weighted'].flatMap((entry) =>
      [1, 9].map((B): ChainCase => ({ entry, dims: { B }, ranges: { y: [entry === 'ignoring' ? -1 : 0, 2] } })),
    ),
    ...['focal', 'triplet', 'contrast'].flatMap((entry) => [1, 9].map((B): ChainCase => ({ entry, dims: { B } }))),
  ],
  'test/programs/losses-of-values.tdsl': [
    { entry: 'normal', dims: { N: 9 }, ranges: { variance: [0.5, 2] } },
    { entry: 'directions', dims: { B: 9 } },
  ],
  'test/programs/optimizers.tdsl': ['Lion', 'Lamb', 'Nadam', 'Radam', 'Adafactor', 'Amsgrad'].map((name): ChainCase => ({
    entry: `by${name}`,
    steps: 4,
  })),
  'test/programs/orders.tdsl': [
    ...[
      { B: 0, N: 3 },
      { B: 3, N: 0 },
      { B: 1, N: 1 },
      { B: 5, N: 70 },
    ].flatMap((dims) => [
      ...['sorted', 'running'].map((entry): ChainCase => ({ entry, dims })),
      ...[-80, 0, 3].map((shift): ChainCase => ({ entry: 'moved', dims, ranges: { shift: [shift, shift] } })),
    ]),
    ...[0, 1, 9].map((N): ChainCase => ({ entry: 'integers', dims: { N } })),
    ...[0, 7].map((K): ChainCase => ({ entry: 'picked', dims: { N: 5, K }, ranges: { ids: [0, 4] } })),
    { entry: 'best', tolerance: 5e-3 },
  ],
  'test/programs/rearrange.tdsl': [
    ...['order', 'moved'].map((entry): ChainCase => ({ entry })),
    { entry: 'parts', ranges: { ids: [0, 3] } },
  ],
  'test/programs/rearrange-slopes.tdsl': [
    ...['sorted', 'best', 'triangles'].map((entry): ChainCase => ({ entry })),
    { entry: 'picked', ranges: { ids: [0, 3] } },
  ],
  'test/programs/running.tdsl': [
    ...['sums', 'products'].map((entry): ChainCase => ({ entry })),
    ...[0, 1, 9].map((N): ChainCase => ({ entry: 'byIndex', dims: { N } })),
  ],
  'test/programs/schedules.tdsl': [{ entry: 'rates' }, { entry: 'train', steps: 5 }],
  'test/programs/any-shape.tdsl': [0, 1, 2].flatMap((rank) =>
    ['add', 'distance'].map((entry): ChainCase => ({
      entry,
      ranks: { S: rank },
      dims: Object.fromEntries(Array.from({ length: rank }, (_, axis) => [`S.${axis}`, 3 + axis])),
    })),
  ),
  'test/programs/checks.tdsl': [
    { entry: 'rows', dims: { V: 5, D: 3, N: 7 }, ranges: { ids: [0, 4] } },
    { entry: 'pairs', dims: { M: 4, N: 5, K: 6 }, ranges: { i: [0, 3], j: [0, 4] } },
    { entry: 'window', dims: { N: 9 }, ranges: { start: [0, 6] } },
    { entry: 'last', dims: { B: 4 } },
    { entry: 'halves', dims: { 'D÷2': 5 } },
    { entry: 'write', ranges: { row: [0, 2] } },
  ],
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
  'test/programs/corners.tdsl': [
    ...['slopes', 'powers', 'products', 'subnormal', 'remainders'].map((entry): ChainCase => ({ entry })),
    { entry: 'divergence', ranges: { p: [0.1, 0.9], q: [0.1, 0.9] } },
    { entry: 'dropped' },
    { entry: 'means', dims: { N: 9 }, tolerance: 5e-3 },
    { entry: 'literals', dims: { N: 4 } },
    { entry: 'inverses', dims: { B: 3 }, ranges: { x: [1, 3] } },
  ],
  'test/programs/dtypes.tdsl': [
    ...['integers', 'casts'].map((entry): ChainCase => ({ entry, dims: { N: 5 } })),
    { entry: 'bits', dims: { N: 5 } },
    { entry: 'rows', dims: { N: 6 }, ranges: { i: [0, 4], j: [0, 4] } },
    { entry: 'count', steps: 3 },
  ],
  'test/programs/integers.tdsl': [{ entry: 'known' }, { entry: 'divided', dims: { N: 7 } }],
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
    { entry: 'predict', dims: { B: 1 } },
    { entry: 'train', dims: { B: 3 }, steps: 1, ranges: { x: [0, 1] }, tolerance: 5e-3 },
  ],
  'test/programs/moons.tdsl': [1, 2, 33].flatMap((B) => [
    { entry: 'probability', dims: { B } },
    { entry: 'train', dims: { B }, ranges: { y: [0, 1] } },
  ]),
  'test/programs/own-optimizer.tdsl': ['plain', 'slope'].map((entry) => ({ entry, steps: 4 })),
  'test/programs/placeholder.tdsl': [0, 1, 7].map((N) => ({ entry: 'addFive', dims: { N } })),
  'test/programs/relus.tdsl': [1, 19].map((B) => ({ entry: 'output', dims: { B } })),
  'test/programs/loops.tdsl': [
    { entry: 'root', ranges: { a: [0.5, 4] } },
    { entry: 'repeated' },
    ...[0, 1, 5].map((T): ChainCase => ({ entry: 'overRows', dims: { T, D: 3 } })),
  ],
  'test/programs/rounds.tdsl': [
    { entry: 'root', ranges: { a: [0.5, 4] } },
    ...[[-3, 9] as const, [4, 6] as const].map((to): ChainCase => ({ entry: 'between', ranges: { from: [2, 4], to } })),
    ...[1, 2, 7].map((N): ChainCase => ({ entry: 'shortened', dims: { N } })),
    ...[1, 5].map((D): ChainCase => ({ entry: 'settled', dims: { D } })),
    { entry: 'nested', ranges: { n: [3, 4] } },
    ...[1, 9].map((D): ChainCase => ({ entry: 'rowsUpTo', dims: { T: 4, D }, ranges: { n: [0, 4] } })),
    { entry: 'likeNamed' },
    { entry: 'literal' },
  ],
  'test/programs/sides.tdsl': [
    ...[[-1, 0] as const, [0, 1] as const].map((x): ChainCase => ({ entry: 'chosen', ranges: { x } })),
    ...[0, 1].flatMap((c) => [1, 17].map((N): ChainCase => ({ entry: 'products', dims: { N }, ranges: { c: [c, c] } }))),
    ...[0, 5].map((n): ChainCase => ({ entry: 'inLoop', ranges: { n: [n, n] } })),
    ...[[-1, -0.5] as const, [0.5, 1] as const].map((x): ChainCase => ({ entry: 'guarded', ranges: { x } })),
    ...[0, 1].map((c): ChainCase => ({ entry: 'learn', steps: 3, ranges: { c: [c, c] } })),
  ],
  'test/programs/rows.tdsl': [
    ...['product', 'transposed'].flatMap((entry) => [1, 19].map((B): ChainCase => ({ entry, dims: { B } }))),
    { entry: 'picked', dims: { N: 7 }, ranges: { ids: [0, 2] } },
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
