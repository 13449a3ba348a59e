// Graph → kernels: fusion, schedules, memory plan, the expansion of scalar functions into machine ops, and how a target runs loops.

export { bytesOfRows, pitchOf } from './form/layout.js';
export { KernelClasses } from './program/kernel-classes.js';
export { describeFormed } from './form/formed.js';
export { printFormedGraph, verifyFormedGraph } from './form/formed-graph.js';
export { parseFormed } from './form/parse-formed.js';
export { type FusedGraph, printFused } from './fuse/fused-graph.js';
export { parseFused } from './fuse/parse-fused.js';
export { verifyFused } from './fuse/verify-fused.js';
export { describeFused, describeGrouped } from './program/describe-groups.js';
export {
  formEntry,
  type FormedEntry,
  type FusedEntry,
  flashEntry,
  fuseEntry,
  type GroupedEntry,
  orderEntry,
  splitEntry,
} from './program/entry.js';
export { type Lowered, planEntry, scheduleEntry } from './program/lower.js';
export { indexPreconditions } from './program/index-preconditions.js';

export { expandScalars, scalarExpander } from './program/expand.js';
export { vectorize, vectorizer } from './schedule/index.js';
