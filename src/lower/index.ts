// Graph → kernels: fusion, schedules, memory plan, the expansion of scalar functions into machine ops, and how a target runs loops.

export { bytesOfRows, pitchOf } from './layout.js';
export { KernelClasses } from './kernel-classes.js';
export { type FusedEntry, printFused, verifyFused } from './fused.js';
export { fuseEntry, lowerEntry, type Lowered, planEntry, scheduleEntry } from './lower.js';
export { indexFacts } from './needs.js';

export { expandScalars, scalarExpander } from './expand.js';
export { vectorize, vectorizer } from './vectorize/vectorize.js';
