// Kernel IR: types, constructors, machine ops, targets, printer, parser, verifier.

export * from './ir.js';
export * from './machine.js';
export * from './target.js';
export * as build from './build.js';
