// The two reference interpreters: of graphs, which is the meaning of the language, and of kernels, which checks every access.

export * from './entry.js';
export { evaluateNodes } from './graph.js';
export type { KernelTotals } from './kernel/counts.js';
export * from './kernel/run.js';
export { bindSizes } from './sizes.js';
