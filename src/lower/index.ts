// Graph → kernels: fusion, schedules, memory plan, and the expansion of scalar functions into machine ops.

export { bytesOfRows, pitchOf } from './layout.js';
export { KernelClasses } from './kernel-classes.js';
export { type FusedEntry, printFused, verifyFused } from './fused.js';
export { fuseEntry, lowerEntry, type Lowered, planEntry, scheduleEntry } from './lower.js';
export { indexFacts } from './needs.js';

export { expandScalars, scalarExpander } from './expand.js';
