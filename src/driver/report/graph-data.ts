// The graph as callers of the API get it. In: a checked module and its texts. Out: every op of each entry, with names, types and places.
// Holds: nothing is folded or left out: it is a list to look things up in, where `graph-view.ts` is one to look at; names of `let`s stand
// at the node that they name; bodies of loops and functions with a rule of their own stay inside of their node.

import { positionsOf, type Texts } from '../../../grammar/index.js';
import type { EntryGraph, GraphNode, GraphTensorType, SourcePlace } from '../../../runtime/index.js';
import type { Dim } from '../../base/index.js';
import { entryRoots, type Entry, type GraphBuilder, type ModuleGraph, type Node, type TensorType, topological } from '../../graph/index.js';
import { constant, feed, isNodeOf, named, variable as variableOp } from '../../ops/index.js';
import { namesOf, originIn, unnamed } from './graph-nodes.js';

export function graphData(module: ModuleGraph, build: GraphBuilder, texts: Texts): EntryGraph[] {
  return module.entries.flatMap((entry) => (entry.kind === 'init' ? [] : [entryGraph(entry, entry.kind, build, texts)]));
}

function entryGraph(entry: Entry, kind: EntryGraph['kind'], build: GraphBuilder, texts: Texts): EntryGraph {
  const order = topological(entryRoots(entry)).sort((a, b) => a.id - b.id);
  const shown = order.filter((node) => node.op !== named);
  const paths = namesOf(order);
  const names = uniqueNames(shown, paths, (node) => originIn(node, entry, build)?.scope ?? '');
  const fetched = new Map<Node, string[]>();
  for (const [path, node] of [...entry.names, ...entry.outputs.map(({ path, node }) => [path, node] as const)]) {
    const one = unnamed(node);
    const known = fetched.get(one);
    if (known === undefined) fetched.set(one, [path]);
    else if (!known.includes(path)) known.push(path);
  }
  const nameOf = (node: Node): string => names.get(unnamed(node)) ?? '';
  return {
    entry: entry.name,
    kind,
    sizes: entry.dims,
    nodes: shown.map((node): GraphNode => {
      const variable = isNodeOf(node, variableOp) ? [node.attrs.path] : [];
      const inside = [...(isNodeOf(node, feed) ? [node.attrs.name] : []), ...(fetched.get(node) ?? []).filter((path) => path !== '')];
      return {
        name: nameOf(node),
        paths: [...variable, ...new Set(inside.map((path) => `${entry.name}/${path}`))],
        op: node.op.name,
        inputs: node.args.map(nameOf),
        types: (node.type.kind === 'tensor' ? [node.type] : node.type.items).map(typeData),
        ...(isNodeOf(node, constant) ? { value: constantData(node.attrs.value) } : {}),
        places: placesOf(node, entry, build, texts),
      };
    }),
    outputs: entry.outputs.map(({ path, node }) => ({ path, node: nameOf(node) })),
    updates: entry.updates.map(({ variable, node }) => ({ variable, node: nameOf(node) })),
    summaries: entry.summaries.map(({ kind: recorded, name, node }) => ({ kind: recorded, name, node: nameOf(node) })),
  };
}

/** The first path of a node, else its scope and op; numbered from the second of a kind on, as `relu_1`. */
function uniqueNames(
  nodes: readonly Node[],
  paths: ReadonlyMap<Node, readonly string[]>,
  scopeOf: (node: Node) => string,
): ReadonlyMap<Node, string> {
  const taken = new Set<string>();
  const times = new Map<string, number>();
  const names = new Map<Node, string>();
  const give = (node: Node, wanted: string): void => {
    let name = wanted;
    for (let at = times.get(wanted) ?? 0; taken.has(name); name = `${wanted}_${at}`) times.set(wanted, ++at);
    taken.add(name);
    names.set(node, name);
  };
  // What the program names keeps its name.
  for (const node of nodes) {
    const [path] = paths.get(node) ?? [];
    if (path !== undefined) give(node, path);
  }
  for (const node of nodes) {
    if (names.has(node)) continue;
    const scope = scopeOf(node);
    give(node, scope === '' ? node.op.name : `${scope}/${node.op.name}`);
  }
  return names;
}

const constantData = (value: number | bigint): number | string =>
  typeof value === 'number' && Number.isFinite(value) ? value : `${value}`;
const sizeData = (dim: Dim): number | string => dim.constant ?? dim.toString();
const typeData = ({ dtype, shape }: TensorType): GraphTensorType => ({ dtype, shape: shape.map(sizeData) });

/** In this entry; of what no entry made, everywhere. */
function placesOf(node: Node, { name }: Entry, build: GraphBuilder, texts: Texts): SourcePlace[] {
  const found = new Map<string, SourcePlace>();
  const origins = build.originsOf(node);
  const own = origins.filter(({ entry }) => entry === name);
  for (const { span } of own.length === 0 ? origins : own) {
    const positions = positionsOf(span, texts);
    if (positions !== undefined) found.set(`${span.source} ${span.start}`, { file: span.source, ...positions.start });
  }
  return [...found.values()];
}
