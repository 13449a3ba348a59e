// Makes nodes. In: op, arguments, attributes, type. Out: the one node for that combination. Holds: equal combinations give the same object;
// origins and scopes live beside the graph, so merged nodes keep theirs; every node that is asked for is work on the meter.

import { Dim, InternalError, Meter } from '../base/index.js';
import type { AttrValue, Attrs, Node, OpTag, Origin, ScopeInfo } from './node.js';
import { type Kind, NodeTable } from './node-table.js';
import { type Type, typeKey } from './type.js';

/** A node that was asked for, and for which place. */
export interface Made {
  readonly node: Node;
  readonly origin: Origin | undefined;
}

/** What was asked for meanwhile, in order. */
export interface Recording {
  readonly made: readonly Made[];
  readonly scopes: readonly ScopeInfo[];
}

export class GraphBuilder {
  readonly #table = new NodeTable();
  /** By id, as are the kinds and the origins of each. */
  readonly #nodes: Node[] = [];
  readonly #kinds: Kind[] = [];
  readonly #origins: (readonly Origin[])[] = [];
  #origin: Origin | undefined;
  /** The origins of nodes that have many. */
  readonly #places = new Map<Node, Places>();
  /** Lists of origins that other nodes have as well: who gets one more takes a copy first. */
  readonly #shared = new WeakSet<readonly Origin[]>();
  /** By entry and path. */
  readonly #scopes = new Map<string, Map<string, ScopeInfo>>();
  #recording: { readonly made: Made[]; readonly scopes: ScopeInfo[] } | undefined;
  readonly meter = new Meter();

  /** The node for this combination; `type` must be what the op's type rule says. */
  make<A extends Attrs>(op: OpTag, args: readonly Node[], attrs: A, type: Type): Node<A> {
    const node = this.#find(op, args, attrs, type, this.#table.kindOf(op, attrs, type));
    if (this.#origin !== undefined) this.addOrigin(node, this.#origin);
    this.#recording?.made.push({ node, origin: this.#origin });
    return node as Node<A>;
  }

  /** Runs `build`, and tells what it asked for, whether it was there or not. */
  recorded(build: () => void): Recording {
    const before = this.#recording;
    const recording = { made: [], scopes: [] };
    this.#recording = recording;
    try {
      build();
    } finally {
      this.#recording = before;
    }
    return recording;
  }

  /** The same op over other arguments, of the same type: it gets the origins of `node`, and no other. */
  remake(node: Node, args: readonly Node[], attrs: Attrs): Node {
    const { op, type, id } = node;
    const kind = attrs === node.attrs && this.#nodes[id] === node ? this.#kinds[id] : undefined;
    const made = this.#find(op, args, attrs, type, kind ?? this.#table.kindOf(op, attrs, type));
    this.addOrigins(made, node);
    return made;
  }

  #find(op: OpTag, args: readonly Node[], attrs: Attrs, type: Type, kind: Kind): Node {
    this.#table.measure(kind, args);
    this.meter.spend(4 + (this.#table.letters >> 6));
    const asked: Node = { id: this.#nodes.length, op, args, attrs, type };
    let node = this.#table.find(asked);
    if (node === undefined) {
      node = asked;
      this.#table.add(node);
      this.#nodes.push(node);
      this.#kinds.push(kind);
      this.#origins.push(none);
    }
    return node;
  }

  /** How many nodes there are: the id of the next new one. */
  get size(): number {
    return this.#nodes.length;
  }

  /** Runs `build`; nodes made meanwhile get `origin` (nested calls: the innermost). */
  at<T>(origin: Origin | undefined, build: () => T): T {
    const before = this.#origin;
    this.#origin = origin;
    try {
      return build();
    } finally {
      this.#origin = before;
    }
  }

  get origin(): Origin | undefined {
    return this.#origin;
  }

  addOrigin(node: Node, origin: Origin): void {
    if (this.#nodes[node.id] !== node) throw new InternalError('graph', `${node.op.name} is a node of another builder`);
    const known = this.originsOf(node);
    if (known.length === 0) this.#origins[node.id] = [origin];
    else if (known.length < few ? !known.some((one) => isSame(one, origin)) : this.#isNew(node, known, origin)) {
      if (this.#shared.has(known)) this.#origins[node.id] = [...known, origin];
      else (known as Origin[]).push(origin);
    }
  }

  /** Gives `node` all that `from` has: a node without any has the same list from then on, until one of them gets more. */
  addOrigins(node: Node, from: Node): void {
    const [mine, theirs] = [this.originsOf(node), this.originsOf(from)];
    if (mine === theirs || theirs.length === 0) return;
    if (mine.length > 0 || this.#nodes[node.id] !== node) {
      // Of what many entries have in common, such as the body of a loop, only what the entry at hand says.
      const entry = theirs.length > most ? this.#origin?.entry : undefined;
      for (const origin of theirs) if (entry === undefined || origin.entry === entry) this.addOrigin(node, origin);
      return;
    }
    this.#shared.add(theirs);
    this.#origins[node.id] = theirs;
  }

  /** Whether a node with many origins (a constant that all initializers use) has not this one, and keeps it. */
  #isNew(node: Node, known: readonly Origin[], origin: Origin): boolean {
    let places = this.#places.get(node);
    if (places === undefined) {
      places = new Places();
      this.#places.set(node, places);
      for (const one of known) places.add(one);
    }
    return places.add(origin);
  }

  originsOf(node: Node): readonly Origin[] {
    return (this.#nodes[node.id] === node ? this.#origins[node.id] : undefined) ?? none;
  }

  addScope(scope: ScopeInfo): void {
    this.#recording?.scopes.push(scope);
    const known = this.#scopes.get(scope.entry);
    if (known === undefined) this.#scopes.set(scope.entry, new Map([[scope.path, scope]]));
    else known.set(scope.path, scope);
  }

  /** What opened the scope of that path; undefined outside of any. */
  scopeAt(entry: string, path: string): ScopeInfo | undefined {
    return this.#scopes.get(entry)?.get(path);
  }
}

const none: Origin[] = [];

/** So many origins are looked through one by one. */
const few = 8;

const isSame = (a: Origin, b: Origin): boolean => a === b || (a.span === b.span && a.backward === b.backward && a.entry === b.entry);

/**
 * So many origins of a node are kept from each entry, forwards and backwards. Bodies of a thousand like loops are one region; its nodes are
 * written out for each of them, and would take all places along.
 */
const most = 32;

/** The origins of one node. */
class Places {
  /** Of a span in an entry: whether it is there forwards (1), backwards (2). */
  readonly #bySpan = new Map<Origin['span'], Map<string | undefined, number>>();
  /** How many there are of an entry, forwards, and backwards. */
  readonly #counts = [new Map<string | undefined, number>(), new Map<string | undefined, number>()] as const;

  /** False when the origin was there, or is one too many. */
  add({ span, entry, backward }: Origin): boolean {
    const counts = this.#counts[backward ? 1 : 0];
    const count = counts.get(entry) ?? 0;
    if (count >= most) return false;
    let byEntry = this.#bySpan.get(span);
    if (byEntry === undefined) this.#bySpan.set(span, (byEntry = new Map()));
    const [known, way] = [byEntry.get(entry) ?? 0, backward ? 2 : 1];
    if ((known & way) !== 0) return false;
    byEntry.set(entry, known | way);
    counts.set(entry, count + 1);
    return true;
  }
}

/** Canonical text of attributes: equal text means equal attributes. */
export function attrsKey(attrs: Attrs): string {
  const names = Object.keys(attrs);
  if (names.length === 0) return '';
  return `{${names
    .sort()
    .map((name) => `${name}=${valueKey(attrs[name] as AttrValue)}`)
    .join(';')}}`;
}

function valueKey(value: AttrValue): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'boolean') return String(value);
  if (value instanceof Dim) return `<${value.key}>`;
  if (isRegion(value)) return `region(${value.params.map(typeKey).join(';')})->(${value.results.map((node) => node.id).join(',')})`;
  return `[${value.map(valueKey).join(',')}]`;
}

const isRegion = (value: object): value is Extract<AttrValue, { kind: 'region' }> => 'kind' in value;
