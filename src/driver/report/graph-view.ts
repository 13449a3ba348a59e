// The graph as data. In: a checked module and its texts. Out: scopes, nodes and edges per entry, ready for JSON and for drawings.
// Holds: nodes stand after those that they read, in the order in which the program makes them; names of `let`s stand at the node that they
// name; constants stand inside of the nodes that use them; what is made of constants alone, or only broadcasts a variable, stands beside
// each reader; a variable stands in the first call of the instance that owns it; a series of equal nodes in one scope is one node with a
// count; a loop reads the results of its body, whose arguments read what the loop is given.

import { lineOf, type Span, type Texts } from '../../../grammar/index.js';
import {
  calledRoots,
  type Entry,
  type GraphBuilder,
  type ModuleGraph,
  type Node,
  type ScopeInfo,
  topological,
  typeToString,
} from '../../graph/index.js';
import { argument as argumentOp, constant, isNodeOf, loop, type LoopAttrs, named } from '../../ops/index.js';
import { copiedAmong, labelOf, nameIn, namesOf, originIn, scopesOf, seriesOf, unnamed, withBodies } from './graph-nodes.js';

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

export type PlaceOf = (span: Span | undefined) => { readonly place?: string };

export const placesIn =
  (texts: Texts): PlaceOf =>
  (span) =>
    span === undefined || !texts.has(span.source) ? {} : { place: lineOf(span, texts) };

function entryView(entry: Entry, build: GraphBuilder, placeOf: PlaceOf): EntryView {
  const scopes = scopesOf(withBodies(topological(calledRoots(entry))), entry, build);
  const drawing = new Drawing((node) => placeOf(originIn(node, entry, build)?.span));
  const idOf = drawing.add(calledRoots(entry), 'n', (node) => scopes.of(node));
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
    nodes: drawing.nodes,
    edges: [...drawing.edges.values()],
    outputs: entry.outputs.map((output) => ({ path: output.path, node: idOf(output.node) })),
    updates: entry.updates.map((update) => ({ variable: update.variable, node: idOf(update.node) })),
  };
}

/** Bodies of loops are closed, so equal ones are the same nodes. Each loop has its own drawn, if that makes no more nodes than these. */
const bodyNodesAtMost = 10_000;

type ScopeOf = (node: Node) => string;

/** What the arguments of a loop's body are. */
interface BodyArguments {
  /** Ids of the initial values of carries; the counter and constants have none. */
  readonly carried: readonly (string | undefined)[];
  /** Ids of captures, which are read as if the body were open. */
  readonly captured: readonly (string | undefined)[];
}

/** Nodes and edges as they are added. */
class Drawing {
  readonly nodes: ViewNode[] = [];
  /** By their ends, so that each is one. */
  readonly edges = new Map<string, ViewEdge>();
  readonly #placeOf: (node: Node) => { readonly place?: string };
  #bodyNodes = bodyNodesAtMost;

  constructor(placeOf: (node: Node) => { readonly place?: string }) {
    this.#placeOf = placeOf;
  }

  /** Adds all that the roots depend on; `prefix` begins the ids. Out: the id of a node that was added. */
  add(roots: readonly Node[], prefix: string, scopeOf: ScopeOf, body?: BodyArguments): (node: Node) => string {
    const kept = new Set(roots.map(unnamed));
    const order = topological(roots);
    const shown = order.filter((node) => node.op !== named && (node.op !== constant || kept.has(node))).sort((a, b) => a.id - b.id);
    const names = namesOf(order);
    const series = seriesOf(shown, names, scopeOf);
    const copied = copiedAmong(shown, kept);
    const counts = new Map<Node, number>();
    for (const first of series.values()) counts.set(first, (counts.get(first) ?? 0) + 1);
    const indexOf = (node: Node): number => (isNodeOf(node, argumentOp) ? node.attrs.index : -1);
    const capturedBy = (node: Node): string | undefined => body?.captured[indexOf(node) - body.carried.length];
    const idOf = (node: Node): string => {
      const one = unnamed(node);
      return capturedBy(one) ?? `${prefix}${(series.get(one) ?? one).id}`;
    };
    /** By node and the scope of its reader. */
    const copies = new Map<string, string>();
    const copyFor = (node: Node, scope: string): string => {
      const key = `${node.id} ${scope}`;
      const known = copies.get(key);
      if (known !== undefined) return known;
      const id = `${prefix}${node.id}_${copies.size}`;
      copies.set(key, id);
      addOne(node, id, scope, { copy: true });
      return id;
    };
    const sourceOf = (argument: Node, scope: string): string | undefined => {
      if (argument.op === constant) return undefined;
      return copied.has(argument) ? copyFor(argument, scope) : idOf(argument);
    };
    const addOne = (node: Node, id: string, scope: string, more: { readonly copy?: true }): void => {
      const args = node.args.map((argument) => sourceOf(unnamed(argument), scope));
      for (const from of [...(this.#body(node, id, scope, scopeOf, args) ?? args), body?.carried[indexOf(node)]])
        if (from !== undefined) this.edges.set(`${from} ${id}`, { from, to: id });
      const name = nameIn(scope, names.get(node) ?? []);
      this.nodes.push({
        id,
        op: labelOf(node),
        type: typeToString(node.type),
        ...(name === undefined ? {} : { name }),
        scope,
        count: counts.get(node) ?? 1,
        ...this.#placeOf(node),
        ...more,
      });
    };
    for (const node of shown)
      if (series.get(node) === node && !copied.has(node) && capturedBy(node) === undefined) addOne(node, idOf(node), scopeOf(node), {});
    return idOf;
  }

  /** Of a loop, its body in the loop's scope or below it: ids of the results. Its arguments are a counter, carries and captures. */
  #body(node: Node, id: string, scope: string, scopeOf: ScopeOf, args: readonly (string | undefined)[]): readonly string[] | undefined {
    if (node.op !== loop) return undefined;
    const { body, carries } = node.attrs as LoopAttrs;
    const { results } = body;
    this.#bodyNodes -= topological(results).length;
    if (this.#bodyNodes < 0) return undefined;
    const within: ScopeOf = (inner) => {
      const own = scopeOf(inner);
      return scope === '' || own.startsWith(`${scope}/`) ? own : scope;
    };
    const given = { carried: [undefined, ...args.slice(0, carries)], captured: args.slice(carries) };
    return results.map(this.add(results, `${id}b`, within, given));
  }
}
