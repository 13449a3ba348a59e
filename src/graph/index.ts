// The tensor graph: node, type, builder, walks, printer, parser, verifier.

export * from './builder.js';
export * from './node.js';
export * from './type.js';
export * from './walk.js';
