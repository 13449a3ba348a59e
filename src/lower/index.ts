// Graph → kernels: fusion, schedules, memory plan, the expansion of scalar functions into machine ops, and how a target runs loops.

export { bytesOfRows, pitchOf } from './layout.js';
export { KernelClasses } from './kernel-classes.js';
export { lowerEntry, type FusionNote, type Lowered } from './lower.js';
export { indexFacts } from './needs.js';
export { planMemory } from './memory.js';

export { expandScalars, scalarExpander } from './expand.js';
export { vectorize, vectorizer } from './vectorize/vectorize.js';
