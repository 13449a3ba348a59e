// The graph of an entry for recorders. In: an entry, its builder and texts. Out: plain data: nodes whose names have scopes in them.
// Holds: one node per node of the graph, one per result, update and summary; but constants, and what is made of constants alone or only
// broadcasts a variable, stand beside each reader, as TensorFlow has it, so that they connect nothing and like scopes stay alike; nodes
// stand after those that they read; the names of like nodes count up (`relu`, `relu_1`), by which TensorBoard knows a series; a loop
// reads the results of its body, whose arguments read what the loop is given.

import { type Entry, type GraphBuilder, type Node, sourceOf, topological, type Type } from '../../graph/index.js';
import { argument, constant, isNodeOf, loop, named } from '../../ops/index.js';
import type { RecordedGraph, RecordedNode } from '../../train/recorder.js';
import { copiedAmong, nameIn, namesOf, originIn, scopesOf, unnamed, withBodies } from './graph-nodes.js';
import type { PlaceOf } from './graph-view.js';

/** Bodies of loops are closed, so equal ones are the same nodes; each loop has its own, if that makes no more nodes than these. */
const bodyNodesAtMost = 10_000;

export function recordedGraph(entry: Entry, build: GraphBuilder, placeOf: PlaceOf): RecordedGraph {
  const targets = [
    ...entry.outputs.map(({ path, node }) => ({ name: `outputs/${path === '' ? 'result' : path}`, op: 'Output', node })),
    ...entry.updates.map(({ variable, node }) => ({ name: `updates/${variable}`, op: 'Update', node })),
    ...entry.summaries.map(({ kind, name, node }) => ({ name: `summaries/${name}`, op: `Summary (${kind})`, node })),
  ];
  const roots = targets.map(({ node }) => node);
  const scopes = scopesOf(withBodies(topological(roots)), entry, build);
  const recording = new Recording(
    new Names([...scopes.all.map(({ path }) => path), ...targets.map(({ name }) => scopeOfName(name))]),
    (node) => placeOf(originIn(node, entry, build)?.span).place,
  );
  const nameOf = recording.add(roots, (node) => scopes.of(node));
  for (const { name, op, node } of targets) recording.addTarget(name, op, node, nameOf(node));
  return { nodes: recording.nodes };
}

type ScopeOf = (node: Node) => string;

/** What the arguments of a loop's body are: a counter, carries, captures. */
interface BodyArguments {
  readonly carried: readonly string[];
  readonly captured: readonly string[];
}

class Recording {
  readonly nodes: RecordedNode[] = [];
  readonly #names: Names;
  readonly #placeOf: (node: Node) => string | undefined;
  #bodyNodes = bodyNodesAtMost;

  constructor(names: Names, placeOf: (node: Node) => string | undefined) {
    this.#names = names;
    this.#placeOf = placeOf;
  }

  addTarget(name: string, op: string, node: Node, input: string): void {
    this.nodes.push({ name: this.#names.add(scopeOfName(name), name), op, inputs: [input], results: resultsOf(node.type), notes: {} });
  }

  /** Adds all that the roots depend on. Out: the name of a node that was added. */
  add(roots: readonly Node[], scopeOf: ScopeOf, body?: BodyArguments): (node: Node) => string {
    const order = topological(roots);
    const names = namesOf(order);
    const kept = new Set(roots.map(unnamed));
    const shown = order.filter((node) => node.op !== named && (node.op !== constant || kept.has(node)));
    const copied = copiedAmong(shown, kept);
    const recorded = new Map<Node, string>();
    /** By node and the scope of its reader. */
    const copies = new Map<string, string>();
    const nameOf = (node: Node): string => recorded.get(unnamed(node)) as string;
    const inputOf = (node: Node, reader: string, scope: string): string => {
      const key = `${node.id} ${scope}`;
      const known = recorded.get(node) ?? copies.get(key);
      if (known !== undefined) return known;
      if (!copied.has(node)) return this.#addConstant(node, reader);
      const name = record(node, scope);
      copies.set(key, name);
      return name;
    };
    const record = (node: Node, scope: string): string => {
      const known = names.get(node) ?? [];
      const name = this.#names.add(scope, nameIn(scope, known) ?? node.op.name);
      const args = node.args.map((arg) => inputOf(unnamed(arg), name, scope));
      const carried = isNodeOf(node, argument) ? body?.carried[node.attrs.index - 1] : undefined;
      const place = this.#placeOf(node);
      this.nodes.push({
        name,
        op: opOf(node),
        inputs: this.#body(node, scope, scopeOf, args) ?? (carried === undefined ? args : [carried]),
        results: resultsOf(node.type),
        notes: {
          ...(known.length === 0 ? {} : { names: known.join(', ') }),
          ...(isNodeOf(node, constant) ? { value: String(node.attrs.value) } : {}),
          ...(place === undefined ? {} : { source: place }),
        },
      });
      return name;
    };
    for (const node of shown) {
      if (copied.has(node)) continue;
      const captured = isNodeOf(node, argument) ? body?.captured[node.attrs.index - 1 - body.carried.length] : undefined;
      recorded.set(node, captured ?? record(node, scopeOf(node)));
    }
    return nameOf;
  }

  #addConstant(node: Node, reader: string): string {
    const scope = scopeOfName(reader);
    const name = this.#names.add(scope, `${reader.slice(scope === '' ? 0 : scope.length + 1)}_constant`);
    const notes: Record<string, string> = isNodeOf(node, constant) ? { value: String(node.attrs.value) } : {};
    this.nodes.push({ name, op: opOf(node), inputs: [], results: resultsOf(node.type), notes });
    return name;
  }

  /** Of a loop, its body in the loop's scope or below it: names of the results. */
  #body(node: Node, scope: string, scopeOf: ScopeOf, args: readonly string[]): readonly string[] | undefined {
    if (!isNodeOf(node, loop)) return undefined;
    const { body, carries } = node.attrs;
    this.#bodyNodes -= topological(body.results).length;
    if (this.#bodyNodes < 0) return undefined;
    const within: ScopeOf = (inner) => {
      const own = scopeOf(inner);
      return scope === '' || own.startsWith(`${scope}/`) ? own : scope;
    };
    return body.results.map(this.add(body.results, within, { carried: args.slice(0, carries), captured: args.slice(carries) }));
  }
}

/** Names of nodes, none of which is a scope. */
class Names {
  readonly #used = new Set<string>();

  constructor(scopes: readonly string[]) {
    for (const scope of scopes) for (let path = plain(scope); path !== ''; path = scopeOfName(path)) this.#used.add(path);
  }

  /** `name`: a path whose last segment is meant. */
  add(scope: string, name: string): string {
    const last = plain(name.slice(name.lastIndexOf('/') + 1)) || 'node';
    const stem = scope === '' ? last : `${plain(scope)}/${last}`;
    let unique = stem;
    for (let count = 1; this.#used.has(unique); count++) unique = `${stem}_${count}`;
    this.#used.add(unique);
    return unique;
  }
}

/** Names go into a text format whose inputs mark other outputs with `:` and control with `^`. */
const plain = (path: string): string => path.replace(/[^\p{L}\p{N}_.\-/]/gu, '_').replace(/^[^\p{L}\p{N}]/u, 'n$&');

const scopeOfName = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('/')));

/** TensorBoard draws these three as what they are. */
function opOf(node: Node): string {
  if (isNodeOf(node, constant)) return 'Const';
  switch (sourceOf(node)?.kind) {
    case 'feed':
      return 'Placeholder';
    case 'variable':
      return 'VariableV2';
    default:
      return node.op.name;
  }
}

function resultsOf(type: Type): RecordedNode['results'] {
  const items = type.kind === 'tuple' ? type.items : [type];
  return items.map(({ dtype, shape }) => ({ dtype, shape: shape.map((size) => size.constant ?? String(size)) }));
}
