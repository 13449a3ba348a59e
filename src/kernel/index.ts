// Kernel IR: types, constructors, machine ops, printer, parser, verifier.

export * from './code-size.js';
export * from './code.js';
export * from './combiner.js';
export * from './ir.js';
export * from './key.js';
export * from './linear.js';
export * from './machine.js';
export * from './parse.js';
export * from './print.js';
export * from './rewrite.js';
export * from './verify.js';
export * from './walk.js';
export * from './expression-cache.js';
export * from './whole-vectors.js';
export * as build from './build.js';
