// Graph → kernels: fusion, schedules, memory plan, the expansion of scalar functions into machine ops, and how a target runs loops.

export { bytesOfRows, pitchOf } from './form/layout.js';
export { KernelClasses } from './program/kernel-classes.js';
export { type FusedEntry, printFused, verifyFused } from './fuse/fused-graph.js';
export { fuseEntry, lowerEntry, type Lowered, planEntry, scheduleEntry } from './program/lower.js';
export { indexPreconditions } from './program/index-preconditions.js';

export { expandScalars, scalarExpander } from './program/expand.js';
export { vectorize, vectorizer } from './schedule/cpu/vectorize/vectorize.js';
