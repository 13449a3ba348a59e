// Initial values as the artifact has them. In: variables with the nodes of their initial values. Out: a number for all elements, or an
// entry that computes them.
// Holds: what is no single exact number becomes an entry of kind `init`, so the rest of the way knows entries only. Like variables share
// one: it is fed what tells them apart, and writes the variable that the caller puts in the place of its own.

import { type Entry, type Feed, type Node, seedName, streamName, tensor, type TensorType, type Variable } from '../graph/index.js';
import { broadcast, constant, isNodeOf } from '../ops/index.js';

/** The one value of every element, when the initializer is that simple and JSON can hold it. */
export function uniformValue(node: Node): number | undefined {
  if (node.op === broadcast) return uniformValue(node.args[0] as Node);
  const value = isNodeOf(node, constant) ? node.attrs.value : undefined;
  const number = typeof value === 'bigint' ? (Number.isSafeInteger(Number(value)) ? Number(value) : undefined) : value;
  return typeof number === 'number' && Number.isFinite(number) && !Object.is(number, -0) ? number : undefined;
}

/** One entry per kind of variables that need one: it takes a seed and streams, gives no result and writes the first of the kind. */
export function initEntries(variables: readonly Variable[]): Entry[] {
  const entries = new Map<Node, Entry>();
  for (const { initial, path, streams, span } of variables) {
    if (initial === undefined || uniformValue(initial) !== undefined || entries.has(initial)) continue;
    const feed = (name: string, type: TensorType): Feed => ({ name, type, span });
    entries.set(initial, {
      name: `$init/${path}`,
      kind: 'init',
      doc: undefined,
      dims: [],
      ranks: {},
      facts: [],
      feeds: [feed(seedName, tensor('i64')), ...streams.map((_, at) => feed(streamName(at), tensor('i32')))],
      outputs: [],
      result: { kind: 'record', fields: [] },
      updates: [{ variable: path, node: initial }],
      summaries: [],
      names: new Map(),
      span,
    });
  }
  return [...entries.values()];
}

/** The position of the entry that initializes each variable, by the node of its initial value. */
export function initPositions(entries: readonly Entry[], variables: readonly Variable[]): ReadonlyMap<Node, number> {
  const initials = new Map(variables.map(({ path, initial }) => [path, initial]));
  const positions = new Map<Node, number>();
  for (const [at, { kind, updates }] of entries.entries()) {
    const initial = kind === 'init' ? initials.get(updates[0]?.variable ?? '') : undefined;
    if (initial !== undefined && !positions.has(initial)) positions.set(initial, at);
  }
  return positions;
}
