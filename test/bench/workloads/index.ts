// All that is measured, in the order of the tables.

import { functions } from './functions.js';
import { products } from './products.js';
import { training } from './training.js';
import type { Workload } from './workload.js';

export const workloads: readonly Workload[] = [...training, ...functions, ...products];
