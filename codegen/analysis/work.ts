// How much there is to do. In: the cost of kernels. Out: work as a size, by which is decided how many threads share it.

import type { Dim } from '../../src/base/index.js';
import type { Kernel } from '../../src/kernel/index.js';

/** Operations and bytes of one run of the kernel, as a polynomial over the entry's sizes. */
export const workOf = (kernel: Kernel): Dim => kernel.cost.flops.add(kernel.cost.bytesRead).add(kernel.cost.bytesWritten);
