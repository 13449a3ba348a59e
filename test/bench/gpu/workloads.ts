// What is measured on a GPU. In: nothing. Out: workloads that are timed, and small ones of the same programs that the emulated driver runs
// too. Holds: what peers may compute in other precisions is asked of them in f32.

import { chains } from '../workloads/functions.js';
import { product } from '../workloads/products.js';
import { perceptron } from '../workloads/training.js';
import type { Workload } from '../workloads/workload.js';

export const timed: readonly Workload[] = [
  perceptron(50, 'sgd'),
  perceptron(50, 'adam'),
  perceptron(4096, 'sgd'),
  ...chains(32_768),
  ...[1024, 4096, 8192].map((size) => product(size, size, size)),
  product(4096, 4096, 4096, 'product-left'),
  product(4096, 4096, 4096, 'product-right'),
];

/** Some of their sizes are no multiple of anything. */
export const small: readonly Workload[] = [
  perceptron(7, 'sgd'),
  perceptron(33, 'adam'),
  ...chains(5),
  product(96, 80, 72),
  product(67, 131, 45),
  product(48, 33, 65, 'product-left'),
  product(48, 33, 65, 'product-right'),
];
