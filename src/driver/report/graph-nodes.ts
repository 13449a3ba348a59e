// What a view of the graph says of nodes. In: nodes of an entry. Out: their names, labels and scopes; which look alike; which each reader
// has for itself.

import { type Entry, type GraphBuilder, type Node, type ScopeInfo, sourceOf, topological, typeToString } from '../../graph/index.js';
import { argument, broadcast, constant, feed, isNodeOf, loop, named, variable } from '../../ops/index.js';

/** The node behind the names of `let`s. */
export function unnamed(node: Node): Node {
  let one = node;
  while (one.op === named) one = one.args[0] as Node;
  return one;
}

/** With the nodes in bodies of loops, each once; without names and constants. */
export function withBodies(order: readonly Node[]): Node[] {
  const all = new Set(order);
  // A set's iterator also visits what is added meanwhile.
  for (const node of all) if (isNodeOf(node, loop)) for (const inner of topological(node.attrs.body.results)) all.add(inner);
  return [...all].filter((node) => node.op !== named && node.op !== constant).sort((a, b) => a.id - b.id);
}

/** Several `let`s may name a node, in several calls. */
export function namesOf(order: readonly Node[]): ReadonlyMap<Node, readonly string[]> {
  const names = new Map<Node, string[]>();
  const add = (node: Node, name: string): void => {
    const known = names.get(node);
    if (known === undefined) names.set(node, [name]);
    else known.push(name);
  };
  for (const node of order) {
    if (isNodeOf(node, named)) add(unnamed(node), node.attrs.path);
    const source = sourceOf(node);
    if (source?.kind === 'feed') add(node, source.name);
    else if (source?.kind === 'variable') add(node, source.path);
  }
  return names;
}

/** The name that the scope itself gives, else the last one. */
export const nameIn = (scope: string, names: readonly string[]): string | undefined =>
  (scope === '' ? undefined : names.find((name) => name.startsWith(`${scope}/`))) ?? names.at(-1);

/** Several entries share nodes: the place in this one. */
export function originIn(node: Node, entry: Entry, build: GraphBuilder): ReturnType<GraphBuilder['originsOf']>[number] | undefined {
  const origins = build.originsOf(node);
  return origins.find((origin) => origin.entry === entry.name) ?? origins[0];
}

/** The scopes of the entry that hold something, outer ones first, and which one a node stands in. */
export function scopesOf(
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
    if (!isNodeOf(node, variable)) continue;
    const { path } = node.attrs;
    let owner: string | undefined;
    for (let end = path.lastIndexOf('/'); end > 0 && owner === undefined; end = path.lastIndexOf('/', end - 1))
      owner = owners.get(path.slice(0, end));
    own.set(node, owner ?? (all.has(scope) ? scope : ''));
  }
  return { all: [...all.values()], of: (node) => own.get(node) ?? '' };
}

/** Each node → the first one that it looks like: same op, type and scope, reading the same nodes and read by the same ones. */
export function seriesOf(
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
export function copiedAmong(shown: readonly Node[], roots: ReadonlySet<Node>): ReadonlySet<Node> {
  const levels = new Map<Node, number>();
  for (const node of shown) {
    if (node.op === variable || node.op === feed || node.op === argument || node.op === loop || roots.has(node)) continue;
    let level = 1;
    for (const arg of node.args.map(unnamed)) {
      if (arg.op === constant || (arg.op === variable && node.op === broadcast)) continue;
      level = Math.max(level, (levels.get(arg) ?? copiedLevels) + 1);
    }
    if (level <= copiedLevels) levels.set(node, level);
  }
  return new Set(levels.keys());
}

/** The op, with constants among its arguments written out: `mul · 0.1`. */
export function labelOf(node: Node): string {
  const constants = [node, ...node.args.map(unnamed)].filter((one) => isNodeOf(one, constant));
  return constants.length === 0 ? node.op.name : `${node.op.name} · ${constants.map((one) => String(one.attrs.value)).join(', ')}`;
}
