// Entries that take data. In: feeds. Out: what a manifest says of a step with these. Holds: every feed has a row per example.

import type { ElementType, EntrySpec } from '../../runtime/index.js';

/** `{ x: ['f32', 3], y: ['i32'] }`: feeds with a row per example; a string is a size that is free. */
export function entryOf(feeds: Readonly<Record<string, readonly [ElementType, ...(number | string)[]]>>): EntrySpec {
  return {
    name: 'train',
    kind: 'step',
    dims: ['B'],
    ranks: {},
    facts: [],
    feeds: Object.entries(feeds).map(([name, [dtype, ...sizes]]) => ({
      name,
      dtype,
      shape: [[[1, ['B']]], ...sizes.map((size) => (typeof size === 'number' ? size : ([[1, [size]]] as const)))],
    })),
    outputs: [],
    result: { kind: 'record', fields: [] },
    reads: [],
    writes: [],
  };
}
