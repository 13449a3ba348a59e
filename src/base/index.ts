// What every room above uses: dtypes, sizes, diagnostics.

export * from './codes.js';
export * from './diagnostic.js';
export * from './dim.js';
export * from './knowledge.js';
export * from './dtype.js';
export * from './fraction.js';
export * from './hash.js';
export * from './internal-error.js';
export * from './limits.js';
export { nearest } from './nearest.js';
export * from './printable.js';
export * from './rounding.js';
export { solvableNames } from './solvable.js';
export type { Span } from '../../grammar/span.js';
