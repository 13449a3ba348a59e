// The graph as data. In: a checked module. Out: nodes and edges per entry, ready for JSON and for drawings.
// Holds: names of `let`s stand at the node that they name; constants stand inside of the nodes that use them; a series of equal nodes in
// one scope is one node with a count.

import { type Entry, type GraphBuilder, type ModuleGraph, type Node, sourceOf, topological, typeToString } from '../graph/index.js';
import { constant, isNodeOf, named } from '../ops/index.js';
import { rootsOf } from './manifest.js';

export interface ViewNode {
  readonly id: string;
  readonly op: string;
  readonly type: string;
  /** Path of the `let`, param or argument, if it has one. */
  readonly name?: string;
  /** Scope path, '' outside of any. */
  readonly scope: string;
  /** How many equal nodes this one stands for. */
  readonly count: number;
}

interface ViewEdge {
  readonly from: string;
  readonly to: string;
}

export interface EntryView {
  readonly entry: string;
  readonly nodes: readonly ViewNode[];
  readonly edges: readonly ViewEdge[];
  readonly outputs: readonly { readonly path: string; readonly node: string }[];
  readonly updates: readonly { readonly variable: string; readonly node: string }[];
}

export const viewOf = (module: ModuleGraph, build: GraphBuilder): EntryView[] =>
  module.entries.filter((entry) => entry.kind !== 'init').map((entry) => entryView(entry, build));

function entryView(entry: Entry, build: GraphBuilder): EntryView {
  const roots = new Set(rootsOf(entry).map(unnamed));
  const order = topological(rootsOf(entry));
  const shown = order.filter((node) => node.op !== named && (node.op !== constant || roots.has(node)));
  const names = namesOf(order);
  const series = seriesOf(shown, names, build);
  const idOf = (node: Node): string => `n${(series.get(unnamed(node)) ?? unnamed(node)).id}`;
  const counts = new Map<Node, number>();
  for (const first of series.values()) counts.set(first, (counts.get(first) ?? 0) + 1);
  const edges = new Map<string, ViewEdge>();
  for (const node of shown) {
    for (const argument of node.args) {
      if (unnamed(argument).op !== constant) edges.set(`${idOf(argument)} ${idOf(node)}`, { from: idOf(argument), to: idOf(node) });
    }
  }
  return {
    entry: entry.name,
    nodes: [...counts].map(([node, count]): ViewNode => {
      const name = names.get(node);
      return {
        id: `n${node.id}`,
        op: labelOf(node),
        type: typeToString(node.type),
        ...(name === undefined ? {} : { name }),
        scope: scopeOf(node, build),
        count,
      };
    }),
    edges: [...edges.values()],
    outputs: entry.outputs.map((output) => ({ path: output.path, node: idOf(output.node) })),
    updates: entry.updates.map((update) => ({ variable: update.variable, node: idOf(update.node) })),
  };
}

/** The node behind the names of `let`s. */
function unnamed(node: Node): Node {
  let one = node;
  while (one.op === named) one = one.args[0] as Node;
  return one;
}

function namesOf(order: readonly Node[]): ReadonlyMap<Node, string> {
  const names = new Map<Node, string>();
  for (const node of order) {
    if (isNodeOf(node, named)) names.set(unnamed(node), node.attrs.path);
    const source = sourceOf(node);
    if (source?.kind === 'feed') names.set(node, source.name);
    else if (source?.kind === 'variable') names.set(node, source.path);
  }
  return names;
}

/** Each node → the first one that it looks like: same op, type and scope, reading the same nodes and read by the same ones. */
function seriesOf(shown: readonly Node[], names: ReadonlyMap<Node, string>, build: GraphBuilder): ReadonlyMap<Node, Node> {
  const readers = new Map<Node, number[]>();
  for (const node of shown) {
    for (const argument of node.args.map(unnamed)) {
      const known = readers.get(argument);
      if (known === undefined) readers.set(argument, [node.id]);
      else known.push(node.id);
    }
  }
  const firsts = new Map<string, Node>();
  const series = new Map<Node, Node>();
  for (const node of shown) {
    const key =
      names.has(node) || node.args.length === 0
        ? `${node.id}`
        : [
            node.op.name,
            typeToString(node.type),
            scopeOf(node, build),
            node.args.map((one) => unnamed(one).id).join(),
            readers.get(node)?.join() ?? '',
          ].join('|');
    const first = firsts.get(key) ?? node;
    firsts.set(key, first);
    series.set(node, first);
  }
  return series;
}

const scopeOf = (node: Node, build: GraphBuilder): string => build.originsOf(node)[0]?.scope ?? '';

/** The op, with constants among its arguments written out: `mul · 0.1`. */
function labelOf(node: Node): string {
  const constants = [node, ...node.args.map(unnamed)].filter((one) => isNodeOf(one, constant));
  return constants.length === 0 ? node.op.name : `${node.op.name} · ${constants.map((one) => String(one.attrs.value)).join(', ')}`;
}
