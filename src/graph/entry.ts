// What an entry or a module keeps alive. In: entries and variables. Out: their root nodes, and copies with every root replaced, or with
// other ones.
// Holds: the order of roots is outputs, updates, summaries, names: every walk, print and count uses it.

import type { Entry, ModuleGraph, TensorNode } from './node.js';

/** Every node that an entry refers to; `names` may be left out, because they are computed only when fetched. */
export function entryRoots(entry: Entry, names: 'with names' | 'without names' = 'with names'): TensorNode[] {
  return [
    ...calledRoots(entry),
    ...entry.summaries.map((summary) => summary.node),
    ...(names === 'with names' ? entry.names.values() : []),
  ];
}

/** What a call of the entry computes: outputs, then updates. */
export const calledRoots = (entry: Entry): TensorNode[] => [
  ...entry.outputs.map((output) => output.node),
  ...entry.updates.map((update) => update.node),
];

/** An entry of the same feeds that gives these nodes as a tuple and does nothing else: it changes, records and names nothing. */
export function computing(entry: Entry, nodes: readonly TensorNode[]): Entry {
  return {
    ...entry,
    outputs: nodes.map((node, at) => ({ path: `${at}`, node })),
    result: { kind: 'tuple', items: nodes.map((_, index) => ({ kind: 'output', index })) },
    updates: [],
    summaries: [],
    names: new Map(),
  };
}

export function mapEntry(entry: Entry, change: (node: TensorNode) => TensorNode): Entry {
  return {
    ...entry,
    outputs: entry.outputs.map((output) => ({ ...output, node: change(output.node) })),
    updates: entry.updates.map((update) => ({ ...update, node: change(update.node) })),
    summaries: entry.summaries.map((summary) => ({ ...summary, node: change(summary.node) })),
    names: new Map([...entry.names].map(([path, node]) => [path, change(node)])),
  };
}

export function moduleRoots(module: ModuleGraph): TensorNode[] {
  const roots: TensorNode[] = [];
  for (const variable of module.variables) if (variable.initial !== undefined) roots.push(variable.initial);
  for (const entry of module.entries) for (const root of entryRoots(entry)) roots.push(root);
  return roots;
}

export function mapModule(module: ModuleGraph, change: (node: TensorNode) => TensorNode): ModuleGraph {
  return {
    ...module,
    variables: module.variables.map((variable) =>
      variable.initial === undefined ? variable : { ...variable, initial: change(variable.initial) },
    ),
    entries: module.entries.map((entry) => mapEntry(entry, change)),
  };
}
