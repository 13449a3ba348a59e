// What a machine is, as a value. In: nothing. Out: the kinds of machines that there are schedules for. Holds: a target is plain data;
// whoever makes one, a back end or a test, says all that decides the code.

import type { CpuTarget } from './cpu.js';
import type { CudaTarget } from './cuda.js';

/** One member for each kind of machine. */
export type Target = CpuTarget | CudaTarget;

/** Bytes of a line of the caches, of every CPU that there is code for. How variables lie depends on it, so no target varies it. */
export const lineBytes = 64;
