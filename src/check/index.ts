// The checker: names, types, sizes. In: a program. Out: its graph, or diagnostics.

export { checkModule, type CheckOptions, type CheckResult } from './check-module.js';
export type { OpenEntry } from './entries.js';
export type { SameFile } from './modules.js';
