// Matrix products. In: nothing. Out: workloads: squares, and those of a perceptron and of a small transformer. Holds: the size that a batch
// decides is known at run time only, the others when the program is compiled.

import { type Family, type Workload, even } from './workload.js';

type Side = 'product' | 'product-left' | 'product-right';

/** C = A·B, with A or B stored transposed; C is M×N, and K is what is summed over. */
export function product(m: number, k: number, n: number, family: Side & Family = 'product'): Workload {
  const bytes = 4 * (m * k + k * n + m * n);
  return {
    name: `${family}-${m}x${k}x${n}`,
    family,
    rule: 'none',
    rate: 0,
    sizes: [m, k, n],
    program: `${family}.tdsl`,
    set: family === 'product-left' ? { M: m, N: n } : { K: k, N: n },
    arrays: [
      { name: 'a', dtype: 'f32', shape: family === 'product-left' ? [k, m] : [m, k], role: 'feed' },
      { name: 'b', dtype: 'f32', shape: family === 'product-right' ? [n, k] : [k, n], role: 'feed' },
    ],
    fill: (random) => [even(m * k, random), even(k * n, random)],
    outputs: ['c'],
    flops: 2 * m * k * n,
    bytes,
    workingSet: bytes,
    traffic: 'read',
    tolerance: 1e-4,
  };
}

export const products: readonly Workload[] = [
  ...[64, 128, 256, 512, 1024, 2048].map((size) => product(size, size, size)),
  product(50, 784, 300),
  product(50, 300, 100),
  product(784, 50, 300, 'product-left'),
  product(50, 100, 300, 'product-right'),
  product(1024, 128, 384),
  product(1024, 128, 512),
  product(1024, 512, 128),
  // A batch of a prime number of rows beside the multiple of 16 above it.
  product(512, 784, 300),
  product(509, 784, 300),
];
