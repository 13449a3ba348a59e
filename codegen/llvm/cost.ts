// When it pays to compute on several threads. In: the cost of kernels. Out: work as a size, and what is enough of it. Holds: the choice
// changes time, never results.

import type { Dim } from '../../src/base/index.js';
import type { Kernel } from '../../src/loop/index.js';

/**
 * Below so many operations and bytes together (some microseconds of one core), moving data between cores costs more than sharing a kernel
 * gains.
 */
export const cutThreshold = 200_000;

/**
 * For every so many operations and bytes in kernels that are cut, one more thread pays: some microseconds of one core, beside which
 * entering and leaving costs little.
 */
export const workPerShare = 100_000;

/** Operations and bytes of one run of the kernel, as a polynomial over the entry's sizes. */
export const workOf = (kernel: Kernel): Dim => kernel.cost.flops.add(kernel.cost.bytesRead).add(kernel.cost.bytesWritten);
