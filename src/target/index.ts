// What code is made for: machines as values and the numbers that were tuned for them.

export * from './cpu.js';
export * from './target.js';
export * from './tuning.js';
