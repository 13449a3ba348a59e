// What code is made for, and by whom: machines as values, the numbers that were tuned for them, and what a back end is.

export * from './backend.js';
export * from './block-tuning.js';
export * from './code-tuning.js';
export * from './cpu.js';
export * from './cuda.js';
export * from './target.js';
export * from './tuning.js';
