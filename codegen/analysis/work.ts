// How much there is to do: operations and bytes together, by which is decided how many threads share it. In: the cost of kernels. Out: work
// as a size.
// A kernel that says `reads 160000 writes 80000 flops 40000` has work of 280,000, more than `cutThreshold`, so threads share its blocks;
// with less, moving data between cores would cost more than sharing gains. Shown by "give the same bits, however many there are" in
// test/codegen/phases.test.ts, whose small sizes have no phases.
// Holds: it is a polynomial over the entry's sizes, so that a call can ask for it.

import type { Dim } from '../../src/base/index.js';
import type { Kernel } from '../../src/kernel/index.js';

/** Operations and bytes of one run of the kernel, as a polynomial over the entry's sizes. */
export const workOf = (kernel: Kernel): Dim => kernel.cost.flops.add(kernel.cost.bytesRead).add(kernel.cost.bytesWritten);
