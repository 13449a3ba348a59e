// Scopes as boxes. In: the view of an entry. Out: a tree of boxes with their nodes.
// Holds: a series of like boxes is one box with a count, whose first member stands for all; what merely wraps one box, and a function that
// is one node, is no box of its own.
// Like means: same model or function, same ops, shapes and names inside, wired alike. A series are like boxes that follow each other
// (each reads the one before it), that read the same, or that are updates of one optimizer.

import type { EntryView, ViewNode, ViewScope } from './graph-view.js';

export interface Box {
  /** Unique in its entry, made of letters and digits. */
  readonly id: string;
  /** Undefined: the entry itself. */
  readonly scope: ViewScope | undefined;
  parent: Box | undefined;
  nodes: ViewNode[];
  boxes: Box[];
  /** Scopes of the series, the first of which is this box. */
  readonly series: ViewScope[];
}

export interface Boxes {
  readonly view: EntryView;
  readonly root: Box;
  /** The box of each node that is left. */
  readonly boxOf: ReadonlyMap<string, Box>;
  /** All nodes of each box, of a series those of its first member, with what others stand for. */
  readonly contents: ReadonlyMap<Box, readonly string[]>;
  /** The node that stands for a node in its series. */
  standIn(id: string): ViewNode;
  /** The edge's ends are members of one series, one of them not the first: the first member shows it, or it leads on to the next. */
  isRepeated(from: string, to: string): boolean;
  /** The function that a node is all of. */
  readonly titles: ReadonlyMap<string, string>;
  readonly nodes: ReadonlyMap<string, ViewNode>;
  readonly args: ReadonlyMap<string, readonly string[]>;
  readonly readers: ReadonlyMap<string, readonly string[]>;
}

export function boxesOf(view: EntryView): Boxes {
  const nodes = new Map(view.nodes.map((node) => [node.id, node]));
  const args = new Map<string, string[]>(view.nodes.map((node) => [node.id, []]));
  const readers = new Map<string, string[]>(view.nodes.map((node) => [node.id, []]));
  for (const { from, to } of view.edges) {
    args.get(to)?.push(from);
    readers.get(from)?.push(to);
  }
  const root = treeOf(view);
  const standIns = new Map<string, StandIn>();
  const titles = new Map<string, string>();
  new Joining(view.entry, nodes, args, standIns).visit(root);
  simplify(root, titles);
  const boxOf = new Map<string, Box>();
  for (const box of within(root)) for (const node of box.nodes) boxOf.set(node.id, box);
  const contents = new Map<Box, string[]>(within(root).map((box) => [box, []]));
  for (const { id } of view.nodes) for (const box of outwards(boxOf.get(id) ?? standIns.get(id)?.first.parent)) contents.get(box)?.push(id);
  const standIn = (id: string): ViewNode => {
    let one = id;
    for (let next = standIns.get(one); next !== undefined; next = standIns.get(one)) one = next.id;
    return nodes.get(one) as ViewNode;
  };
  const isRepeated = (from: string, to: string): boolean => {
    if (!standIns.has(from) && !standIns.has(to)) return false;
    const around = [from, to].map((id) => new Set(outwards(boxOf.get(standIn(id).id))));
    return [from, to].some((id) => {
      for (let next = standIns.get(id); next !== undefined; next = standIns.get(next.id)) {
        const { first } = next;
        if (around.every((boxes) => boxes.has(first))) return true;
      }
      return false;
    });
  };
  return { view, root, boxOf, contents, standIn, isRepeated, titles, nodes, args, readers };
}

/** The box and all inside of it, outer ones first. */
export function within(box: Box): Box[] {
  const found = [box];
  // An array's iterator also visits what is added meanwhile.
  for (const one of found) for (const inner of one.boxes) found.push(inner);
  return found;
}

/** The box and those around it. */
export function outwards(box: Box | undefined): Box[] {
  const found: Box[] = [];
  for (let one = box; one !== undefined; one = one.parent) found.push(one);
  return found;
}

const nodesWithin = (box: Box): ViewNode[] => within(box).flatMap((one) => one.nodes);

/** What the scope's path does not say already of a name. */
export function nameWithin(name: string, scope: ViewScope | undefined, entry: string): string {
  if (scope === undefined) return name;
  for (const prefix of [scope.path, scope.of, `${entry}/${scope.path}`])
    if (prefix !== undefined && name.startsWith(`${prefix}/`)) return name.slice(prefix.length + 1);
  return name;
}

function treeOf(view: EntryView): Box {
  const root: Box = { id: 's', scope: undefined, parent: undefined, nodes: [], boxes: [], series: [] };
  const boxes = new Map<string, Box>([['', root]]);
  for (const [at, scope] of view.scopes.entries()) {
    const parent = boxes.get(scope.parent) ?? root;
    const box: Box = { id: `s${at}`, scope, parent, nodes: [], boxes: [], series: [scope] };
    parent.boxes.push(box);
    boxes.set(scope.path, box);
  }
  for (const node of view.nodes) (boxes.get(node.scope) ?? root).nodes.push(node);
  return root;
}

interface StandIn {
  readonly id: string;
  /** The first of the series. */
  readonly first: Box;
}

/** Joins series, inner ones first. */
class Joining {
  readonly #entry: string;
  readonly #nodes: ReadonlyMap<string, ViewNode>;
  readonly #args: ReadonlyMap<string, readonly string[]>;
  readonly #standIns: Map<string, StandIn>;
  /** Names of copies by what they are. */
  readonly #copies = new Map<string, string>();

  constructor(
    entry: string,
    nodes: ReadonlyMap<string, ViewNode>,
    args: ReadonlyMap<string, readonly string[]>,
    standIns: Map<string, StandIn>,
  ) {
    this.#entry = entry;
    this.#nodes = nodes;
    this.#args = args;
    this.#standIns = standIns;
  }

  visit(root: Box): void {
    for (const box of within(root).reverse()) this.#joinIn(box);
  }

  #joinIn(box: Box): void {
    const runs = new Map<string, Member[]>();
    const firsts: Box[] = [];
    for (const child of box.boxes) {
      const member = this.#member(child);
      const run = runs.get(member.key);
      const last = run?.at(-1);
      if (run !== undefined && last !== undefined && this.#follows(last, member)) {
        run.push(member);
        const first = run[0] as Member;
        first.box.series.push(...child.series);
        for (const [at, node] of member.nodes.entries())
          this.#standIns.set(node.id, { id: (first.nodes[at] as ViewNode).id, first: first.box });
      } else {
        runs.set(member.key, [member]);
        firsts.push(child);
      }
    }
    box.boxes = firsts;
  }

  #member(box: Box): Member {
    const { scope } = box;
    const order = nodesWithin(box).filter((node) => node.copy === undefined);
    const at = new Map(order.map((node, index) => [node.id, index]));
    const inside = new Map<string, number | string>(at);
    const outside = new Set<string>();
    const lines = order.map((node) => {
      const args = (this.#args.get(node.id) ?? []).map((id) => {
        const known = inside.get(id) ?? this.#indexIn(at, id);
        if (known !== undefined) return known;
        if (this.#isCopy(id)) return this.#nameOf(id, inside);
        const argument = this.#nodes.get(id) as ViewNode;
        if (argument.op !== 'variable') outside.add(id);
        return argument.type;
      });
      const short = node.name === undefined ? undefined : nameWithin(node.name, scope, this.#entry);
      // What a box gives may have a name outside.
      const name = short === node.name ? '' : short;
      return `${node.op}|${node.type}|${node.count}|${node.scope.slice(scope?.path.length)}|${name}|${args.join(';')}`;
    });
    const inner = within(box).map((one) => `${one.scope?.path.slice(scope?.path.length)} × ${one.series.length}`);
    const what = [scope?.kind, scope?.kind === 'update' ? '' : scope?.name];
    return { box, nodes: order, ids: at, outside, key: [...what, ...inner, ...lines].join('\n') };
  }

  /** What a copy is, as a short name: equal ones have the same. `inside`: nodes of the box by id; copies that were named are added. */
  #nameOf(id: string, inside: Map<string, number | string>): string {
    const node = this.#nodes.get(id) as ViewNode;
    const args = (this.#args.get(id) ?? []).map((one) => inside.get(one) ?? (this.#isCopy(one) ? this.#nameOf(one, inside) : ''));
    const text = `${node.op}:${node.type}(${args.join(';')})`;
    const name = this.#copies.get(text) ?? `c${this.#copies.size}`;
    this.#copies.set(text, name);
    inside.set(id, name);
    return name;
  }

  /** The index of a node, or of the one that stands for it there. */
  #indexIn(ids: Member['ids'], id: string): number | undefined {
    for (let one: string | undefined = id; one !== undefined; one = this.#standIns.get(one)?.id) {
      const index = ids.get(one);
      if (index !== undefined) return index;
    }
    return undefined;
  }

  #follows(last: Member, next: Member): boolean {
    if (next.box.scope?.kind === 'update') return true;
    const reads = [...next.outside];
    return (
      reads.some((id) => this.#indexIn(last.ids, id) !== undefined) ||
      (reads.length === last.outside.size && reads.every((id) => last.outside.has(id)))
    );
  }

  #isCopy(id: string): boolean {
    return this.#nodes.get(id)?.copy !== undefined;
  }
}

interface Member {
  readonly box: Box;
  readonly nodes: readonly ViewNode[];
  readonly ids: ReadonlyMap<string, number>;
  /** What it reads of other boxes, variables apart. */
  readonly outside: ReadonlySet<string>;
  readonly key: string;
}

/** Takes away boxes that say nothing. */
function simplify(root: Box, titles: Map<string, string>): void {
  for (const box of within(root).reverse()) {
    const kept: Box[] = [];
    for (const child of box.boxes) {
      const [only] = child.boxes;
      const [node] = child.nodes;
      if (child.boxes.length === 1 && child.nodes.length === 0 && only !== undefined && child.series.length === 1) {
        only.parent = box;
        kept.push(only);
      } else if (child.boxes.length > 0) kept.push(child);
      else if (child.scope?.kind === 'function' && child.nodes.length === 1 && node !== undefined && child.series.length === 1) {
        titles.set(node.id, child.scope.name);
        box.nodes.push(node);
      } else if (child.nodes.length > 0) kept.push(child);
    }
    box.boxes = kept;
  }
}
