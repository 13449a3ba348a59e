// Fusion: which roots share a kernel. In: roots in topological order. Out: groups with a common outer space, without cycles between them, and why neighbours stayed apart.
// Holds: inside of a group, results of reductions and tiles are read only at the point that is being computed; see the note at the end.

import { type Shape, shapeEquals, shapeToString } from '../base/index.js';
import { type Node, type TensorNode, topological } from '../graph/index.js';
import { build, type Expr } from '../loop/index.js';
import { exprKey } from './expressions.js';
import { constants, indices, type ReduceForm, space, spread, tensorOf, type TileForm } from './forms.js';
import { chooseRoots, type Forms, inlineCosts, probeBuffer, recomputeCost } from './roots.js';
import { Names, Scope } from './scope.js';
import { Values } from './values.js';

/**
 * map: elementwise over `outer`. inner: loops over `outer`, lanes along what is reduced. outer: lanes along the last axis of `outer`, reductions in order.
 * small: a few results, lanes along what is reduced. tile: matrix product with an epilogue.
 */
export type Mode = 'map' | 'inner' | 'outer' | 'small' | 'tile' | 'nest' | 'loop';

export type Member =
  | { readonly role: 'map'; readonly node: TensorNode }
  | { readonly role: 'reduce'; readonly node: TensorNode; readonly form: ReduceForm }
  | { readonly role: 'tile'; readonly node: TensorNode; readonly form: TileForm }
  | { readonly role: 'nest'; readonly node: Node }
  | { readonly role: 'loop'; readonly node: Node };

export interface Group {
  readonly id: number;
  mode: Mode;
  /** Non-unit sizes of the points that the group computes one by one. */
  readonly outer: Shape;
  readonly members: Member[];
  /** Stored nodes of other groups, and sources, that it reads. */
  readonly reads: Set<Node>;
}

export interface Fusion {
  readonly groups: readonly Group[];
  readonly groupOf: ReadonlyMap<Node, Group>;
  readonly roots: ReadonlySet<Node>;
  /** Why a root did not join the group that it reads from: shown by `tfc explain`. */
  readonly notes: readonly { readonly node: Node; readonly neighbour: Node; readonly reason: string }[];
}

/** Results that one group may keep in registers at a time, and elements that count as a few. */
export const smallCount = 16;

export function fuse(demanded: readonly TensorNode[], forms: Forms): Fusion {
  const roots = chooseRoots(demanded, forms);
  const order = topological(demanded);
  for (;;) {
    const fusion = new Fuser(roots, forms).run(order);
    const shared = sharedExpensive(order, fusion, forms);
    if (shared.length === 0) return fusion;
    for (const node of shared) roots.add(node);
  }
}

/** Costly nodes that several groups would compute again. */
function sharedExpensive(order: readonly Node[], fusion: Fusion, forms: Forms): Node[] {
  const costs = inlineCosts(order, fusion.roots, forms);
  const users = new Map<Node, Set<Group>>();
  const use = (node: Node, group: Group): void => {
    if (fusion.roots.has(node) || forms.isStored(node)) return;
    let groups = users.get(node);
    if (groups === undefined) users.set(node, (groups = new Set()));
    if (groups.has(group)) return;
    groups.add(group);
    for (const argument of node.args) use(argument, group);
  };
  for (const group of fusion.groups) for (const member of group.members) for (const argument of member.node.args) use(argument, group);
  return order.filter((node) => {
    const form = forms.of(node);
    const own = form.kind === 'element' ? form.cost : form.kind === 'reduce' ? recomputeCost + 1 : 0;
    return own > 0 && (costs.get(node) ?? 0) > recomputeCost && (users.get(node)?.size ?? 0) > 1;
  });
}

class Fuser {
  readonly #groups: Group[] = [];
  readonly #groupOf = new Map<Node, Group>();
  readonly #notes: { node: Node; neighbour: Node; reason: string }[] = [];

  readonly roots: ReadonlySet<Node>;
  readonly forms: Forms;

  constructor(roots: ReadonlySet<Node>, forms: Forms) {
    this.roots = roots;
    this.forms = forms;
  }

  run(order: readonly Node[]): Fusion {
    for (const node of order) if (this.roots.has(node)) this.#place(node);
    return { groups: this.#groups, groupOf: this.#groupOf, roots: this.roots, notes: this.#notes };
  }

  #place(node: Node): void {
    const { member, mode, outer } = this.#describe(node);
    if (mode === 'map' || mode === 'inner' || mode === 'outer' || mode === 'small') {
      for (let at = this.#groups.length - 1; at >= 0; at--) {
        const group = this.#groups[at] as Group;
        const verdict = this.#join(group, member, mode, outer);
        if (verdict === 'joined') return;
        if (verdict !== 'unrelated') this.#notes.push({ node, neighbour: (group.members[0] as Member).node, reason: verdict });
      }
    }
    const group: Group = { id: this.#groups.length, mode, outer, members: [member], reads: new Set() };
    this.#groups.push(group);
    this.#groupOf.set(node, group);
    for (const read of this.#reads(member, group).keys()) this.#addRead(group, read);
  }

  #describe(node: Node): { member: Member; mode: Mode; outer: Shape } {
    const form = this.forms.of(node);
    switch (form.kind) {
      case 'nest':
      case 'loop':
        return { member: { role: form.kind, node }, mode: form.kind, outer: [] };
      case 'tile':
        return { member: { role: 'tile', node: form.node, form }, mode: 'tile', outer: space(form.node.type.shape) };
      case 'reduce': {
        const outer = space(form.node.type.shape);
        const member: Member = { role: 'reduce', node: form.node, form };
        if (isSmall(outer)) return { member, mode: 'small', outer: [] };
        return { member, mode: form.innermostReduced ? 'inner' : 'outer', outer };
      }
      case 'element':
      case 'source':
      case 'element-of':
        return { member: { role: 'map', node: tensorOf(node) }, mode: 'map', outer: space(tensorOf(node).type.shape) };
    }
  }

  /** 'joined', 'unrelated' (nothing to gain), or the reason why not. */
  #join(group: Group, member: Member, mode: Mode, outer: Shape): string {
    if (group.mode === 'nest' || group.mode === 'loop') return 'unrelated';
    const reads = this.#reads(member, group);
    const own = new Set<Node>(group.members.map((one) => one.node));
    const readsMember = [...reads.keys()].some((node) => own.has(node)) || this.#readsThrough(member.node, own);
    const sharesLoop = member.role === 'reduce' && mode === 'small' && group.mode === 'small' && reducesAlike(group, member.form);
    const related = readsMember || sharesLoop || (member.role === 'reduce' && [...reads.keys()].some((node) => group.reads.has(node)));
    const fits = this.#fits(group, member, mode, outer, readsMember);
    if (fits !== true) return related ? fits : 'unrelated';
    const scalars = outer.length === 0 && group.outer.length === 0 && member.role === 'map' && space(member.node.type.shape).length === 0;
    if (!related && !scalars) return 'unrelated';
    if (!this.#pointwise(group, member, reads)) return `reads other elements of ${group.members[0]?.node.op.name}'s result than the one being computed`;
    for (const read of reads.keys()) {
      const other = this.#groupOf.get(producer(read, this.forms));
      if (other !== undefined && other !== group && this.#reaches(other, group)) return 'another kernel stands between them';
    }
    if (group.mode === 'map') group.mode = mode;
    group.members.push(member);
    this.#groupOf.set(member.node, group);
    for (const read of reads.keys()) if (!own.has(read)) this.#addRead(group, read);
    return 'joined';
  }

  #fits(group: Group, member: Member, mode: Mode, outer: Shape, readsMember: boolean): true | string {
    if (member.role === 'map') {
      const shape = space(member.node.type.shape);
      if (group.mode === 'small') return isSmall(shape) || 'its result is too large to be written out';
      if (shapeEquals(shape, group.outer)) return true;
      if (group.mode === 'inner' && group.outer.length > 0 && shape.length > group.outer.length && shapeEquals(shape.slice(0, group.outer.length), group.outer)) return readsMember || 'nothing to share';
      return `loops differ: ${shapeToString(shape)} and ${shapeToString(group.outer)}`;
    }
    if (member.role !== 'reduce') return 'no elementwise op or reduction';
    if (!shapeEquals(outer, group.outer)) return `loops differ: ${shapeToString(outer)} and ${shapeToString(group.outer)}`;
    if (group.mode === 'map') return group.outer.length === 0 ? isAllSmall(group) || 'its result is too large to be written out' : true;
    if (group.mode !== mode) return 'lanes run along different axes';
    if (mode === 'small' && !readsMember) return reducesAlike(group, member.form) || 'they reduce over different sizes';
    return true;
  }

  /** Stored nodes that a member reads, with their indices, if it ran in `group` (whose elementwise members it computes itself). */
  #reads(member: Member, group: Group): Map<Node, Expr[][]> {
    return memberReads(member, group, this.roots, this.forms);
  }

  #readsThrough(node: Node, own: ReadonlySet<Node>): boolean {
    const inlined = (one: Node): boolean => !this.roots.has(one) && !this.forms.isStored(one);
    const seen = new Set<Node>();
    const visit = (one: Node): boolean => one.args.some((argument) => own.has(argument) || (inlined(argument) && !seen.has(argument) && (seen.add(argument), visit(argument))));
    return visit(node);
  }

  #pointwise(group: Group, member: Member, reads: ReadonlyMap<Node, readonly Expr[][]>): boolean {
    const names = group.outer.map((_, axis) => build.index(`o${axis}`));
    for (const other of group.members) {
      if (other.role !== 'reduce' && other.role !== 'tile') continue;
      const accesses = reads.get(other.node) ?? [];
      if (group.mode === 'small' || (group.mode === 'map' && member.role === 'reduce')) {
        if (!accesses.every((index) => index.every((one) => one.kind === 'const'))) return false;
        continue;
      }
      const here = spread(other.node.type.shape, names).map(exprKey).join();
      if (!accesses.every((index) => index.map(exprKey).join() === here)) return false;
    }
    return true;
  }

  #addRead(group: Group, node: Node): void {
    group.reads.add(node);
  }

  /** Whether `from` needs, directly or not, what `to` computes. */
  #reaches(from: Group, to: Group): boolean {
    const seen = new Set<Group>();
    const visit = (group: Group): boolean => {
      if (group === to) return true;
      if (seen.has(group)) return false;
      seen.add(group);
      for (const read of group.reads) {
        const other = this.#groupOf.get(producer(read, this.forms));
        if (other !== undefined && other !== group && visit(other)) return true;
      }
      return false;
    };
    return visit(from);
  }
}

/** The node whose kernel fills the storage of `node`: the loop, for one of its results. */
export function producer(node: Node, forms: Forms): Node {
  return forms.of(node).kind === 'element-of' ? (node.args[0] as Node) : node;
}

const isSmall = (outer: Shape): boolean => {
  const sizes = constants(outer);
  return sizes !== undefined && sizes.reduce((product, size) => product * size, 1) <= smallCount;
};

const reducesAlike = (group: Group, form: ReduceForm): boolean => group.members.some((one) => one.role === 'reduce' && shapeEquals(space(one.form.reduced), space(form.reduced)));

const isAllSmall = (group: Group): boolean => group.members.every((member) => member.role === 'map' && isSmall(space(member.node.type.shape)));

export function memberReads(member: Member, group: Group, roots: ReadonlySet<Node>, forms: Forms): Map<Node, Expr[][]> {
  const reads = new Map<Node, Expr[][]>();
  const note = (node: Node, index: readonly Expr[]): void => {
    const known = reads.get(node);
    if (known === undefined) reads.set(node, [[...index]]);
    else known.push([...index]);
  };
  const transparent = new Set<Node>([...(forms.isStored(member.node) ? [] : [member.node]), ...group.members.flatMap((one) => (one.role === 'map' ? [one.node] : []))]);
  const values = new Values({
    stored: (node) => ((roots.has(node) && !transparent.has(node)) || forms.isStored(node) ? { kind: 'buffer', buffer: probeBuffer(node) } : undefined),
    form: (node) => forms.of(node),
    observe: note,
  });
  const scope = Scope.root(new Names());
  if (member.role === 'nest' || member.role === 'loop') {
    // Stored arguments, and what scalars in registers are computed from.
    for (const argument of member.node.args) {
      if (roots.has(argument) || forms.isStored(argument)) note(argument, []);
      else values.at(tensorOf(argument), [], scope);
    }
    return reads;
  }
  const shape = member.node.type.shape;
  const loops = space(shape).map((_, axis) => build.index(`o${axis}`));
  const unrolled = (group.mode === 'small' || group.outer.length === 0) && isSmall(space(shape));
  const points = unrolled ? [...indices(constants(space(shape)) as number[])].map((at) => spread(shape, at.map(build.int))) : [spread(shape, loops)];
  for (const at of points) {
    switch (member.role) {
      case 'map':
        values.at(member.node, at, scope);
        break;
      case 'reduce': {
        const reduced = spread(member.form.reduced, space(member.form.reduced).map((_, axis) => build.index(`r${axis}`)));
        member.form.term(at, reduced, (argument, index) => values.at(argument, index, scope));
        break;
      }
      case 'tile': {
        const [left, right] = member.node.args.map(tensorOf) as [TensorNode, TensorNode];
        const batch = at.slice(0, -2);
        values.at(left, [...batch, at.at(-2) as Expr, build.index('k')], scope);
        values.at(right, [...batch, build.index('k'), at.at(-1) as Expr], scope);
        break;
      }
    }
  }
  return reads;
}

/* Note: how groups grow.
   Roots come in topological order; each joins the youngest group that it fits and gains from, else it founds one. Gains: it reads what the group computes (the value stays in a register), or
   both reduce over the same data, or to a few results over the same sizes (one pass instead of two), or both are scalars (one kernel instead of two). It fits when the loops agree, when results of reductions and tiles are read at
   the very point that is computed, and when no other kernel would have to run in between. Elementwise members are computed again wherever they are read inside of the group, so they may be
   read at any index. Values whose recomputation would cost more than a load in a second group become roots themselves, and the search starts again. */
