// The graph as a picture. In: a checked module. Out: nodes and edges as JSON, or DOT for Graphviz with a cluster per entry and scope.
// Holds: names of `let`s stand at the node that they name; constants stand inside of the nodes that use them; a series of equal nodes in one scope is one box with a count.

import { type Entry, type ModuleGraph, type Node, topological, typeToString } from '../graph/index.js';
import { constant, named } from '../ops/index.js';
import type { GraphBuilder } from '../graph/index.js';
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

export interface ViewEdge {
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

export const viewOf = (module: ModuleGraph, build: GraphBuilder): EntryView[] => module.entries.filter((entry) => entry.kind !== 'init').map((entry) => entryView(entry, build));

function entryView(entry: Entry, build: GraphBuilder): EntryView {
  const order = topological(rootsOf(entry));
  const names = new Map<Node, string>();
  for (const node of order) if (node.op === named) names.set(unnamed(node), String(node.attrs['path']));
  for (const node of order) {
    const name = node.attrs['path'] ?? node.attrs['name'];
    if (node.args.length === 0 && typeof name === 'string') names.set(node, name);
  }
  // Nodes with the same op, type and scope that read the same and are read by the same stand for each other.
  const shown = order.filter((node) => node.op !== named && node.op !== constant);
  const readers = new Map<Node, Node[]>();
  for (const node of shown) for (const argument of node.args.map(unnamed)) readers.set(argument, [...(readers.get(argument) ?? []), node]);
  const series = new Map<string, Node[]>();
  const seriesOf = new Map<Node, Node[]>();
  for (const node of shown) {
    const key = names.has(node) || node.args.length === 0 ? `${node.id}` : [node.op.name, typeToString(node.type), scopeOf(node, build), node.args.map((one) => unnamed(one).id).join(), (readers.get(node) ?? []).map((one) => one.id).join()].join('|');
    const members = series.get(key) ?? [];
    members.push(node);
    series.set(key, members);
    seriesOf.set(node, members);
  }
  const idOf = (node: Node): string => `n${(seriesOf.get(unnamed(node))?.[0] ?? unnamed(node)).id}`;
  const nodes = [...series.values()].map((members): ViewNode => {
    const node = members[0] as Node;
    const name = names.get(node);
    return { id: `n${node.id}`, op: labelOf(node), type: typeToString(node.type), ...(name === undefined ? {} : { name }), scope: scopeOf(node, build), count: members.length };
  });
  const edges = new Map<string, ViewEdge>();
  for (const node of shown) {
    for (const argument of node.args) if (unnamed(argument).op !== constant) edges.set(`${idOf(argument)} ${idOf(node)}`, { from: idOf(argument), to: idOf(node) });
  }
  return {
    entry: entry.name,
    nodes,
    edges: [...edges.values()],
    outputs: entry.outputs.filter((output) => unnamed(output.node).op !== constant).map((output) => ({ path: output.path, node: idOf(output.node) })),
    updates: entry.updates.filter((update) => unnamed(update.node).op !== constant).map((update) => ({ variable: update.variable, node: idOf(update.node) })),
  };
}

function unnamed(node: Node): Node {
  let one = node;
  while (one.op === named) one = one.args[0] as Node;
  return one;
}

const scopeOf = (node: Node, build: GraphBuilder): string => build.originsOf(node)[0]?.scope ?? '';

/** The op, with constants among its arguments written out: `mul · 0.1`. */
function labelOf(node: Node): string {
  const constants = node.args.map(unnamed).filter((argument) => argument.op === constant);
  return constants.length === 0 ? node.op.name : `${node.op.name} · ${constants.map((one) => String(one.attrs['value'])).join(', ')}`;
}

interface ScopeTree {
  readonly path: string;
  readonly nodes: ViewNode[];
  readonly children: Map<string, ScopeTree>;
}

export function toDot(views: readonly EntryView[]): string {
  const lines = ['digraph {', '  graph [fontname="Helvetica", compound=true, rankdir=BT]', '  node [fontname="Helvetica", fontsize=10, shape=box, style="rounded,filled", fillcolor=white]', '  edge [color="#777777", arrowsize=0.6]'];
  for (const [at, view] of views.entries()) {
    const prefix = `e${at}_`;
    lines.push(`  subgraph cluster_${at} {`, `    label=${quote(view.entry)}`, '    style=filled; color="#f4f4f8"');
    const root: ScopeTree = { path: '', nodes: [], children: new Map() };
    for (const node of view.nodes) scopeIn(root, node.scope).nodes.push(node);
    writeScope(lines, root, prefix, '    ');
    for (const { path, node } of view.outputs) lines.push(`    ${prefix}out_${id(path)} [label=${quote(path || 'result')}, shape=ellipse, fillcolor="#d8f0d8"]`, `    ${prefix}${node} -> ${prefix}out_${id(path)}`);
    for (const { variable, node } of view.updates) lines.push(`    ${prefix}set_${id(variable)} [label=${quote(`${variable} ←`)}, shape=ellipse, fillcolor="#f0e4d0"]`, `    ${prefix}${node} -> ${prefix}set_${id(variable)}`);
    for (const { from, to } of view.edges) lines.push(`    ${prefix}${from} -> ${prefix}${to}`);
    lines.push('  }');
  }
  lines.push('}');
  return lines.join('\n');
}

function scopeIn(root: ScopeTree, path: string): ScopeTree {
  let scope = root;
  for (const part of path.split('/').filter((one) => one !== '')) {
    let child = scope.children.get(part);
    if (child === undefined) scope.children.set(part, (child = { path: scope.path === '' ? part : `${scope.path}/${part}`, nodes: [], children: new Map() }));
    scope = child;
  }
  return scope;
}

function writeScope(lines: string[], scope: ScopeTree, prefix: string, indent: string): void {
  for (const node of scope.nodes) {
    const label = [...(node.name === undefined ? [] : [node.name]), `${node.op}${node.count > 1 ? ` × ${node.count}` : ''}`, node.type].join('\\n');
    lines.push(`${indent}${prefix}${node.id} [label="${label.replace(/"/g, '\\"')}"${node.name === undefined ? '' : ', fillcolor="#e0ecfa"'}]`);
  }
  for (const [name, child] of scope.children) {
    lines.push(`${indent}subgraph cluster_${prefix}${id(child.path)} {`, `${indent}  label=${quote(name)}; style="rounded,filled"; color="#e4e4ee"`);
    writeScope(lines, child, prefix, `${indent}  `);
    lines.push(`${indent}}`);
  }
}

const id = (text: string): string => text.replace(/[^A-Za-z0-9]/g, (character) => `_${character.charCodeAt(0)}_`);
const quote = (text: string): string => JSON.stringify(text);
