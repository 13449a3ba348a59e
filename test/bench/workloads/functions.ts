// Elementwise chains and a normalization over arrays that no cache holds. In: rows. Out: workloads. Holds: what a step needs to read and
// write is counted once each; nothing in between counts.

import { type ArraySpec, type Family, type Workload, countOf, elementsOf, even, many, sum } from './workload.js';

const columns = 1024;

interface Kind {
  readonly family: Family;
  /** Feeds of all elements, then feeds of one row. */
  readonly wide: readonly string[];
  readonly narrow: readonly string[];
  readonly outputs: readonly string[];
  /** How many of the outputs have all elements. */
  readonly wideOutputs: number;
  /** Per element; an exponential counts 15, a division 1. */
  readonly flops: number;
}

// A tanh through an exponential: 20. Its chain: 2 for scale and bias, 8 for GELU around the tanh, 1 for the residual.
const kinds: readonly Kind[] = [
  { family: 'chain', wide: ['x', 'r'], narrow: ['b'], outputs: ['z'], wideOutputs: 1, flops: 31 },
  { family: 'chain-derivative', wide: ['x', 'r'], narrow: ['b'], outputs: ['loss', 'dx', 'dr', 'db'], wideOutputs: 2, flops: 46 },
  {
    family: 'norm',
    wide: ['x', 'r', 'w'],
    narrow: ['b', 'scale', 'shift'],
    outputs: ['loss', 'dx', 'dr', 'db', 'dscale', 'dshift'],
    wideOutputs: 2,
    flops: 71,
  },
];

function workload({ family, wide, narrow, outputs, wideOutputs, flops }: Kind, rows: number): Workload {
  const shape = [rows, columns];
  const arrays: ArraySpec[] = [
    ...wide.map((name): ArraySpec => ({ name, dtype: 'f32', shape, role: 'feed' })),
    ...narrow.map((name): ArraySpec => ({ name, dtype: 'f32', shape: [columns], role: 'feed' })),
  ];
  const bytes = 4 * (sum(arrays.map(countOf)) + wideOutputs * elementsOf(shape));
  return {
    name: `${family}-${rows < columns ? `${rows}K` : `${(rows * columns) / 2 ** 20}M`}`,
    family,
    rule: 'none',
    rate: 0,
    sizes: shape,
    program: `${family}.tdsl`,
    set: {},
    arrays,
    fill: (random) => [
      ...wide.map((name) =>
        name === 'w'
          ? even(rows * columns, random).map((value) => 0.5 + 0.5 * value)
          : even(rows * columns, random).map((value) => 2 * value),
      ),
      ...narrow.map((name) => many(columns, () => (name === 'b' ? 0.1 : 1) * random.uniform() + (name === 'scale' ? 0.5 : 0))),
    ],
    outputs,
    flops: flops * rows * columns,
    bytes,
    workingSet: bytes,
    traffic: 'stream',
    tolerance: 1e-4,
  };
}

export const chains = (rows: number): readonly Workload[] => kinds.map((kind) => workload(kind, rows));

export const functions = chains(16_384);
