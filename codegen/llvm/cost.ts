// When a kernel is worth several threads. In: its cost. Out: work as a size. Holds: the choice changes time, never results.

import type { Dim } from '../../src/base/index.js';
import type { Kernel } from '../../src/loop/index.js';

/** Below so many operations and bytes together (some microseconds of one core), waking other threads costs more than it gains. */
export const parallelThreshold = 20_000;

/** Operations and bytes of one run of the kernel, as a polynomial over the entry's sizes. */
export const workOf = (kernel: Kernel): Dim => kernel.cost.flops.add(kernel.cost.bytesRead).add(kernel.cost.bytesWritten);
