// The tensor graph: node, type, builder, walks, printer, parser, verifier.

export * from './builder.js';
export * from './entry.js';
export * from './node.js';
export { NodeMap, NodeSet } from './node-map.js';
export * from './parse.js';
export * from './print.js';
export * from './region.js';
export { Cursor } from './tokens.js';
export * from './type.js';
export * from './verify.js';
export * from './walk.js';
