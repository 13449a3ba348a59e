// Initial values as the artifact has them. In: variables with the nodes of their initial values. Out: a number for all elements, or an
// entry that computes them.
// Holds: what is no single exact number becomes an entry of kind `init`, so the rest of the way knows entries only.

import { type Entry, type Node, tensor, type Variable } from '../graph/index.js';
import { broadcast, constant, isNodeOf } from '../ops/index.js';

const prefix = '$init/';

/** The name of the entry that gives the variable at `path` its initial value. */
export const initName = (path: string): string => prefix + path;

/** The one value of every element, when the initializer is that simple and JSON can hold it. */
export function uniformValue(node: Node): number | undefined {
  if (node.op === broadcast) return uniformValue(node.args[0] as Node);
  const value = isNodeOf(node, constant) ? node.attrs.value : undefined;
  const number = typeof value === 'bigint' ? (Number.isSafeInteger(Number(value)) ? Number(value) : undefined) : value;
  return typeof number === 'number' && Number.isFinite(number) && !Object.is(number, -0) ? number : undefined;
}

/** One entry per variable that needs one: it takes a seed, gives no result and writes the variable. */
export function initEntries(variables: readonly Variable[]): Entry[] {
  return variables.flatMap(({ initial, path, span }): Entry[] => {
    if (initial === undefined || uniformValue(initial) !== undefined) return [];
    return [
      {
        name: initName(path),
        kind: 'init',
        doc: undefined,
        dims: [],
        ranks: {},
        facts: [],
        feeds: [{ name: 'seed', type: tensor('i64'), span }],
        outputs: [],
        result: { kind: 'record', fields: [] },
        updates: [{ variable: path, node: initial }],
        summaries: [],
        names: new Map(),
        span,
      },
    ];
  });
}
