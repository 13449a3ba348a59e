// Every primitive, and what is asked of them.

export * from './define.js';
export * from './apply.js';
export * from './problem.js';
export * from './value.js';
export * from './make.js';
export * from './region.js';
export * from './registry.js';
export * from './sources.js';
export * from './identity.js';
export * from './elementwise.js';
export * from './bitcast.js';
export * from './cast.js';
export * from './broadcast.js';
export * from './reshape.js';
export * from './transpose.js';
export * from './slice.js';
export * from './pad.js';
export * from './view.js';
export * from './concat.js';
export * from './gather.js';
export * from './reduce.js';
export * from './matmul.js';
export * from './contract.js';
export * from './inverse.js';
export * from './random.js';
export * from './loop.js';
export * from './anywhere.js';
export * from './call.js';
export * from './derivative.js';
export * from './stops.js';
/** Elementwise ops as functions over nodes: `scalars.add(build, x, y)`. */
export { scalars } from './scalars.js';
export { expansions } from './scalar/expansions.js';
export type { Expansion } from './scalar/machine.js';
export { flopsOf, flopsOfStatement } from './flops.js';
export { floorModulo } from './scalar/meaning.js';
export { evaluateScalar, scalarNames, type ScalarName, scalarOfKernel, scalarTable } from './scalar/table.js';
