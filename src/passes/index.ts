// Passes over the tensor graph, and the runner of all passes.

export { Ranges } from './bounds.js';
export { checks } from './checks.js';
export { differentiate } from './differentiate.js';
export { sizesOf } from './fetch/needed.js';
export { fetchEntry } from './fetch/pick.js';
export type { FetchRequest } from './fetch/request.js';
export { FetchRefused, type Refusal } from './fetch/refused.js';
export { checkedGraph, countNodes, strippedGraph } from './graph-form.js';
export * from './pass.js';
export { simplifyModule } from './simplify/engine.js';
export { rules, simplify } from './simplify/index.js';
export { strip } from './strip.js';
export { nothingFound, trap } from './trap.js';
