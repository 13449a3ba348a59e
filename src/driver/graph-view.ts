// The graph as data. In: a checked module and its texts. Out: scopes, nodes and edges per entry, ready for JSON and for drawings.
// Holds: nodes stand after those that they read, in the order in which the program makes them; names of `let`s stand at the node that they
// name; constants stand inside of the nodes that use them; what is made of constants alone, or only broadcasts a variable, stands beside
// each reader; a variable stands in the first call of the instance that owns it; a series of equal nodes in one scope is one node with a
// count.

import { lineStarts, positionIn, type Span } from '../../grammar/index.js';
import { type Entry, type GraphBuilder, type ModuleGraph, type Node, type ScopeInfo, topological, typeToString } from '../graph/index.js';
import { broadcast, constant, feed, named, variable } from '../ops/index.js';
import { rootsOf } from './manifest.js';
import type { Texts } from './mistakes.js';

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
  /** `file:line` */
  readonly place?: string;
  /** Drawn beside each of its readers, which share it. */
  readonly copy?: true;
}

/** What opened a scope: see `ScopeInfo`. */
export interface ViewScope extends Pick<ScopeInfo, 'path' | 'parent' | 'kind' | 'name' | 'of'> {
  readonly place?: string;
}

interface ViewEdge {
  readonly from: string;
  readonly to: string;
}

export interface EntryView {
  readonly entry: string;
  readonly scopes: readonly ViewScope[];
  readonly nodes: readonly ViewNode[];
  readonly edges: readonly ViewEdge[];
  readonly outputs: readonly { readonly path: string; readonly node: string }[];
  readonly updates: readonly { readonly variable: string; readonly node: string }[];
}

export function viewOf(module: ModuleGraph, build: GraphBuilder, texts: Texts): EntryView[] {
  const placeOf = placesIn(texts);
  return module.entries.filter((entry) => entry.kind !== 'init').map((entry) => entryView(entry, build, placeOf));
}

type PlaceOf = (span: Span | undefined) => { readonly place?: string };

function placesIn(texts: Texts): PlaceOf {
  const starts = new Map<string, readonly number[]>();
  return (span) => {
    const text = span === undefined ? undefined : texts.get(span.source);
    if (span === undefined || text === undefined) return {};
    const lines = starts.get(span.source) ?? lineStarts(text);
    starts.set(span.source, lines);
    return { place: `${span.source}:${positionIn(lines, span.start).line}` };
  };
}

function entryView(entry: Entry, build: GraphBuilder, placeOf: PlaceOf): EntryView {
  const roots = new Set(rootsOf(entry).map(unnamed));
  const order = topological(rootsOf(entry));
  const shown = order.filter((node) => node.op !== named && (node.op !== constant || roots.has(node))).sort((a, b) => a.id - b.id);
  const names = namesOf(order);
  const scopes = scopesOf(shown, entry, build);
  const series = seriesOf(shown, names, (node) => scopes.of(node));
  const copied = copiedAmong(shown, roots);
  const counts = new Map<Node, number>();
  for (const first of series.values()) counts.set(first, (counts.get(first) ?? 0) + 1);

  const nodes: ViewNode[] = [];
  const edges = new Map<string, ViewEdge>();
  /** By node and the scope of its reader. */
  const copies = new Map<string, string>();
  const add = (node: Node, id: string, scope: string, more: { readonly copy?: true }): string => {
    for (const argument of node.args.map(unnamed)) {
      if (argument.op === constant) continue;
      const from = copied.has(argument) ? copyFor(argument, scope) : `n${(series.get(argument) ?? argument).id}`;
      edges.set(`${from} ${id}`, { from, to: id });
    }
    const name = nameIn(scope, names.get(node) ?? []);
    nodes.push({
      id,
      op: labelOf(node),
      type: typeToString(node.type),
      ...(name === undefined ? {} : { name }),
      scope,
      count: counts.get(node) ?? 1,
      ...placeOf(originIn(node, entry, build)?.span),
      ...more,
    });
    return id;
  };
  const copyFor = (node: Node, scope: string): string => {
    const key = `${node.id} ${scope}`;
    const known = copies.get(key);
    if (known !== undefined) return known;
    const id = `n${node.id}_${copies.size}`;
    copies.set(key, id);
    return add(node, id, scope, { copy: true });
  };
  for (const node of shown) if (series.get(node) === node && !copied.has(node)) add(node, `n${node.id}`, scopes.of(node), {});
  const idOf = (node: Node): string => `n${(series.get(unnamed(node)) ?? unnamed(node)).id}`;
  return {
    entry: entry.name,
    scopes: scopes.all.map(({ path, parent, kind, name, of, span }) => ({
      path,
      parent,
      kind,
      name,
      ...(of === undefined ? {} : { of }),
      ...placeOf(span),
    })),
    nodes,
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

/** Several `let`s may name a node, in several calls. */
function namesOf(order: readonly Node[]): ReadonlyMap<Node, readonly string[]> {
  const names = new Map<Node, string[]>();
  const add = (node: Node, name: string): void => {
    const known = names.get(node);
    if (known === undefined) names.set(node, [name]);
    else known.push(name);
  };
  for (const node of order) {
    if (node.op === named) add(unnamed(node), String(node.attrs['path']));
    const own = node.args.length === 0 ? (node.attrs['path'] ?? node.attrs['name']) : undefined;
    if (typeof own === 'string') add(node, own);
  }
  return names;
}

/** The name that the scope itself gives, else the last one. */
const nameIn = (scope: string, names: readonly string[]): string | undefined =>
  (scope === '' ? undefined : names.find((name) => name.startsWith(`${scope}/`))) ?? names.at(-1);

/** Several entries share nodes: the place in this one. */
function originIn(node: Node, entry: Entry, build: GraphBuilder): ReturnType<GraphBuilder['originsOf']>[number] | undefined {
  const origins = build.originsOf(node);
  return origins.find((origin) => origin.entry === entry.name) ?? origins[0];
}

/** The scopes of the entry that hold something, outer ones first, and which one a node stands in. */
function scopesOf(
  shown: readonly Node[],
  entry: Entry,
  build: GraphBuilder,
): { readonly all: readonly ScopeInfo[]; of(node: Node): string } {
  const all = new Map<string, ScopeInfo>();
  const owners = new Map<string, string>();
  const own = new Map<Node, string>();
  for (const node of shown) {
    const scope = originIn(node, entry, build)?.scope ?? '';
    const known = build.scopeAt(entry.name, scope) === undefined ? '' : scope;
    own.set(node, known);
    if (node.op === variable) continue;
    const around: ScopeInfo[] = [];
    for (let at = known; at !== '' && !all.has(at);) {
      const info = build.scopeAt(entry.name, at) as ScopeInfo;
      around.push(info);
      at = info.parent;
    }
    for (const info of around.reverse()) {
      all.set(info.path, info);
      if (info.kind === 'instance' && info.of !== undefined && !owners.has(info.of)) owners.set(info.of, info.path);
    }
  }
  for (const [node, scope] of own) {
    if (node.op !== variable) continue;
    const path = String(node.attrs['path']);
    let owner: string | undefined;
    for (let end = path.lastIndexOf('/'); end > 0 && owner === undefined; end = path.lastIndexOf('/', end - 1))
      owner = owners.get(path.slice(0, end));
    own.set(node, owner ?? (all.has(scope) ? scope : ''));
  }
  return { all: [...all.values()], of: (node) => own.get(node) ?? '' };
}

/** Each node → the first one that it looks like: same op, type and scope, reading the same nodes and read by the same ones. */
function seriesOf(
  shown: readonly Node[],
  names: ReadonlyMap<Node, readonly string[]>,
  scopeOf: (node: Node) => string,
): ReadonlyMap<Node, Node> {
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
            scopeOf(node),
            node.args.map((one) => unnamed(one).id).join(),
            readers.get(node)?.join() ?? '',
          ].join('|');
    const first = firsts.get(key) ?? node;
    firsts.set(key, first);
    series.set(node, first);
  }
  return series;
}

/** So many nodes on top of each other are drawn again for each reader. */
const copiedLevels = 4;

/**
 * What calls share although they have nothing to do with each other: fillings, counters, sizes and broadcasts of variables: nodes that
 * compute nothing from feeds and variables, a few levels deep.
 */
function copiedAmong(shown: readonly Node[], roots: ReadonlySet<Node>): ReadonlySet<Node> {
  const levels = new Map<Node, number>();
  for (const node of shown) {
    if (node.op === variable || node.op === feed || roots.has(node)) continue;
    let level = 1;
    for (const argument of node.args.map(unnamed)) {
      if (argument.op === constant || (argument.op === variable && node.op === broadcast)) continue;
      level = Math.max(level, (levels.get(argument) ?? copiedLevels) + 1);
    }
    if (level <= copiedLevels) levels.set(node, level);
  }
  return new Set(levels.keys());
}

/** The op, with constants among its arguments written out: `mul · 0.1`. */
function labelOf(node: Node): string {
  const constants = node.op === constant ? [node] : node.args.map(unnamed).filter((argument) => argument.op === constant);
  return constants.length === 0 ? node.op.name : `${node.op.name} · ${constants.map((one) => String(one.attrs['value'])).join(', ')}`;
}
