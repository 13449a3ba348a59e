// Whole training steps. In: nothing. Out: workloads: forward, loss, gradients and update, with data and initial values.

import { type ArraySpec, type Workload, many, sum } from './workload.js';

function linear(rows: number, columns: number): Workload {
  const arrays: ArraySpec[] = [
    { name: 'x', dtype: 'f32', shape: [rows, columns], role: 'feed' },
    { name: 'y', dtype: 'f32', shape: [rows, 1], role: 'feed' },
    { name: 'w', dtype: 'f32', shape: [columns, 1], role: 'initial' },
  ];
  const bytes = 4 * rows * (columns + 1);
  return {
    name: `linear-${rows}x${columns}`,
    family: 'linear',
    rule: 'sgd',
    rate: 0.01,
    sizes: [rows],
    program: 'linear.tdsl',
    set: {},
    arrays,
    fill: (random) => {
      const truth = Array.from({ length: columns }, () => random.normal());
      const x = many(rows * columns, () => random.normal());
      const y = many(rows, (row) => 0.3 * random.normal() + sum(truth.map((t, column) => t * (x[row * columns + column] ?? 0))));
      return [x, y, many(columns, () => 0)];
    },
    // Product, error, its square and the gradient.
    flops: rows * (4 * columns + 3),
    bytes,
    workingSet: bytes,
    outputs: [],
    traffic: 'read',
    tolerance: 1e-5,
  };
}

function logistic(rows: number): Workload {
  const bytes = 4 * rows * 3;
  return {
    name: `logistic-${rows}`,
    family: 'logistic',
    rule: 'momentum',
    rate: 0.1,
    sizes: [rows],
    program: 'logistic.tdsl',
    set: {},
    arrays: [
      { name: 'x', dtype: 'f32', shape: [rows, 2], role: 'feed' },
      { name: 'y', dtype: 'f32', shape: [rows, 1], role: 'feed' },
      { name: 'w', dtype: 'f32', shape: [2, 1], role: 'initial' },
      { name: 'b', dtype: 'f32', shape: [], role: 'initial' },
    ],
    fill: (random) => {
      const label = Array.from({ length: rows }, (_, row) => row % 2);
      // Two half circles that interlock.
      const x = label.flatMap((one) => {
        const angle = Math.PI * random.uniform();
        const [h, v] = one === 0 ? [Math.cos(angle), Math.sin(angle)] : [1 - Math.cos(angle), 0.5 - Math.sin(angle)];
        return [h + 0.1 * random.normal(), v + 0.1 * random.normal()];
      });
      return [x, label, [0, 0], [0]];
    },
    // Per row: product and gradient 10, sigmoid and loss 15 beside a polynomial exp (15) and log (25).
    flops: rows * 65,
    bytes,
    workingSet: bytes,
    outputs: [],
    traffic: 'read',
    tolerance: 5e-5,
  };
}

export function perceptron(rows: number, rule: 'sgd' | 'adam'): Workload {
  const sizes = [784, 300, 100, 10] as const;
  const layers = [0, 1, 2].map((at) => [sizes[at] ?? 0, sizes[at + 1] ?? 0] as const);
  const parameters = sum(layers.map(([from, to]) => (from + 1) * to));
  const products = sum(layers.map(([from, to]) => from * to));
  const copies = rule === 'adam' ? 3 : 1;
  const feeds = 4 * rows * 785;
  return {
    name: `perceptron-${rows}-${rule}`,
    family: 'perceptron',
    rule,
    rate: rule === 'adam' ? 1e-3 : 0.01,
    sizes: [rows],
    program: `perceptron-${rule}.tdsl`,
    set: {},
    arrays: [
      { name: 'x', dtype: 'f32', shape: [rows, 784], role: 'feed' },
      { name: 'y', dtype: 'i32', shape: [rows], role: 'feed' },
      ...layers.flatMap(([from, to], at): ArraySpec[] => [
        { name: `w${at + 1}`, dtype: 'f32', shape: [from, to], role: 'initial' },
        { name: `b${at + 1}`, dtype: 'f32', shape: [to], role: 'initial' },
      ]),
    ],
    fill: (random) => [
      many(rows * 784, () => random.uniform()),
      many(rows, () => random.integer(10)),
      ...layers.flatMap(([from, to]) => [many(from * to, () => random.normal() / Math.sqrt(from)), many(to, () => 0)]),
    ],
    // Forward and the weights' gradients for every layer, the inputs' gradients for all but the first.
    flops: 2 * rows * (3 * products - 784 * 300),
    bytes: feeds + 2 * 4 * copies * parameters,
    workingSet: feeds + 4 * copies * parameters + 8 * rows * (300 + 100 + 10),
    outputs: [],
    traffic: 'read',
    tolerance: rule === 'adam' ? 2e-3 : 5e-5,
  };
}

export const training: readonly Workload[] = [
  linear(20640, 9),
  logistic(100),
  logistic(1000),
  perceptron(50, 'sgd'),
  perceptron(50, 'adam'),
  perceptron(512, 'sgd'),
  perceptron(512, 'adam'),
];
