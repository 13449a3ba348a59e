// What a group reads. In: a member and its group. Out: stored nodes with the indices at which they are read, in terms of the loops `o…`
// over the points and `r…`, `k` over what is reduced.
// Holds: elementwise members are computed inside of the group wherever they are needed, so what they read counts and they themselves do
// not.

import type { Node } from '../../graph/index.js';
import { build, type Expr } from '../../kernel/index.js';
import { constants, indices, reducedKey, rightIndex, space, spread, tensorOf } from '../form/forms.js';
import { type Group, isSmall, type Member } from './groups.js';
import { type Forms, probeBuffer } from '../form/materialize.js';
import { Names, Scope } from '../form/scope.js';
import { type MemberReads, structureOf } from '../form/structure.js';
import { Values } from '../form/values.js';

/** The node whose kernel fills the storage of `node`: the loop, for one of its results. */
export function producer(node: Node, forms: Forms): Node {
  return forms.of(node).kind === 'element-of' ? (node.args[0] as Node) : node;
}

/** Whether the few points of the member are written out one by one in the group. */
export const writesOut = (member: Member, group: Pick<Group, 'mode' | 'outer'>): boolean =>
  member.node.type.kind === 'tensor' &&
  (group.mode === 'full-reduction' || group.outer.length === 0) &&
  isSmall(space(member.node.type.shape));

/**
 * Computed once for all members that are alike (see `structure.ts`), and found again without that for a member that is asked about again
 * while what it is made of has not changed.
 */
export function readsOf(
  member: Member,
  group: Pick<Group, 'mode' | 'outer' | 'members'>,
  materialized: ReadonlySet<Node>,
  forms: Forms,
): MemberReads {
  let transparent: Set<Node> | undefined;
  for (const one of group.members) if (one.role === 'elementwise') (transparent ??= new Set()).add(one.node);
  const isLeaf = (node: Node): boolean =>
    (materialized.has(node) && node !== member.node && transparent?.has(node) !== true) || forms.isStored(node);
  const unrolled = writesOut(member, group);
  const form = forms.of(member.node);
  const { readsBefore } = forms.structures;
  const known = readsBefore.get(member.node) ?? [];
  const before = known.find((one) => one.unrolled === unrolled && one.form === form && isAsBefore(one, isLeaf, forms));
  if (before !== undefined) return before;
  const { text, nodes, leaves } = structureOf([member.node], forms, isLeaf);
  const reads = likeReads(`${roleKey(member)} ${unrolled} ${text}`, nodes, member, group, forms, isLeaf);
  const found = { form, unrolled, nodes, leaves, reads };
  if (isWhole(found, forms)) readsBefore.set(member.node, [found, ...known.slice(0, mostRemembered - 1)]);
  return found;
}

/** Stored nodes, and the indices at which they are read. */
export const memberReads = (...asked: Parameters<typeof readsOf>): MemberReads['reads'] => readsOf(...asked).reads;

/** Alone, in the group that it joined, and in one that it did not. */
const mostRemembered = 3;

/** Whether the same nodes below are stored, and those between are whole. */
const isAsBefore = (reads: MemberReads, isLeaf: (node: Node) => boolean, forms: Forms): boolean =>
  reads.nodes.every((node, at) => isLeaf(node) === reads.leaves[at]) && isWhole(reads, forms);

const isWhole = ({ nodes, leaves }: MemberReads, forms: Forms): boolean =>
  !forms.hasSplits || nodes.every((node, at) => leaves[at] === true || forms.splitOf(node) === undefined);

function likeReads(
  key: string,
  nodes: readonly Node[],
  member: Member,
  group: Pick<Group, 'mode' | 'outer'>,
  forms: Forms,
  isLeaf: (node: Node) => boolean,
): ReadonlyMap<Node, readonly Expr[][]> {
  let reads = forms.structures.reads.get(key);
  if (reads === undefined) {
    const numbers = new Map(nodes.map((node, number) => [node, number]));
    reads = [...computedReads(member, group, forms, isLeaf)].map(([node, accesses]) => [numbers.get(node) as number, accesses]);
    forms.structures.reads.set(key, reads);
  }
  return new Map(reads.map(([number, accesses]) => [nodes[number] as Node, accesses]));
}

/** What a form says of a member beyond its node. */
export function roleKey(member: Member): string {
  switch (member.role) {
    case 'reduce':
      return `reduce ${member.form.combine} [${member.form.reduced.join()}] ${reducedKey(member.form)} ${member.form.innermostReduced}`;
    case 'partial':
      return `partial [${member.form.points.join()}] [${member.form.within.join()}]`;
    case 'elementwise':
    case 'matmul':
    case 'nest':
    case 'loop':
      return member.role;
  }
}

function computedReads(
  member: Member,
  group: Pick<Group, 'mode' | 'outer'>,
  forms: Forms,
  isLeaf: (node: Node) => boolean,
): Map<Node, Expr[][]> {
  const reads = new Map<Node, Expr[][]>();
  const note = (node: Node, index: readonly Expr[]): void => {
    const known = reads.get(node);
    if (known === undefined) reads.set(node, [[...index]]);
    else known.push([...index]);
  };
  const values = new Values({
    stored: (node) => (isLeaf(node) ? { kind: 'buffer', buffer: probeBuffer(node) } : undefined),
    form: (node) => forms.of(node),
    observe: note,
  });
  const scope = Scope.root(new Names());
  if (member.role === 'nest' || member.role === 'loop') {
    // Stored arguments, and what scalars in registers are computed from.
    for (const argument of member.node.args) {
      if (isLeaf(argument)) note(argument, []);
      else values.at(tensorOf(argument), [], scope);
    }
    return reads;
  }
  const shape = member.node.type.shape;
  const loops = space(shape).map((_, axis) => build.index(`o${axis}`));
  const unrolled = writesOut(member, group);
  const points = unrolled
    ? [...indices(constants(space(shape)) as number[])].map((at) => spread(shape, at.map(build.int)))
    : [spread(shape, loops)];
  for (const at of points) {
    switch (member.role) {
      case 'elementwise':
        values.at(member.node, at, scope);
        break;
      case 'reduce': {
        const reduced = spread(
          member.form.reduced,
          space(member.form.reduced).map((_, axis) => build.index(`r${axis}`)),
        );
        member.form.term(at, reduced, (argument, index) => values.at(argument, index, scope));
        break;
      }
      case 'partial': {
        // The points are loops of the group, what is kept comes after them, as in elementwise members.
        const point = member.form.points.map((_, axis) => build.index(`o${axis}`));
        const kept = space(shape.slice(1)).map((_, axis) => build.index(`o${point.length + axis}`));
        const within = member.form.within.map((_, axis) => build.index(`o${point.length + axis}`));
        const { of } = member.form;
        of.term(spread(of.node.type.shape, kept), spread(of.reduced, [...point, ...within]), (argument, index) =>
          values.at(argument, index, scope),
        );
        break;
      }
      case 'matmul': {
        const { form } = member;
        const right = tensorOf(member.node.args[1] as Node);
        const inner = form.inner.map((_, axis) => build.index(axis === 0 ? 'k' : `k${axis}`));
        form.left([...at.slice(0, -1), ...inner], (argument, index) => values.at(argument, index, scope));
        values.at(right, rightIndex(form, at.slice(0, -2), inner, at.at(-1) as Expr), scope);
        break;
      }
    }
  }
  return reads;
}

/** Whether each point reads an element of its own, in order; reductions read whole rows or columns anyway. */
export function readsAlong(member: Member, node: Node, accesses: readonly Expr[][]): boolean {
  return (
    member.role === 'reduce' ||
    (node.type.kind === 'tensor' && space(node.type.shape).length > 0 && accesses.some((index) => isOwnPoint(node, index)))
  );
}

/** Whether the index is that of the point that is being computed. */
export function isOwnPoint(node: Node, index: readonly Expr[]): boolean {
  if (node.type.kind !== 'tensor' || index.length !== node.type.shape.length) return false;
  let loops = 0;
  return node.type.shape.every((dim, axis) => {
    const at = index[axis] as Expr;
    return dim.constant === 1 ? at.kind === 'const' && at.value === 0 : at.kind === 'index' && at.name === `o${loops++}`;
  });
}

/** What a member reads, by the group that it is asked for. */
export class ReadsOf {
  readonly #member: Member;
  readonly #materialized: ReadonlySet<Node>;
  readonly #forms: Forms;
  /** In groups that compute nothing of it: with its points written out, and with loops over them. */
  readonly #stored: (MemberReads | undefined)[] = [];
  #materializedBelow: readonly Node[] | undefined;

  constructor(member: Member, materialized: ReadonlySet<Node>, forms: Forms) {
    this.#member = member;
    this.#materialized = materialized;
    this.#forms = forms;
  }

  /** Stored nodes with their indices, if it ran in `group`, whose elementwise members it computes itself. */
  in(group: Pick<Group, 'mode' | 'outer' | 'members'>): ReadonlyMap<Node, readonly Expr[][]> {
    const stored = this.#alone(group).reads;
    const computesSome = group.members.some(({ role, node }) => role === 'elementwise' && stored.has(node));
    return computesSome ? memberReads(this.#member, group, this.#materialized, this.#forms) : stored;
  }

  /** How many nodes it computes. */
  get size(): number {
    return this.#any.leaves.reduce((count, isLeaf) => count + (isLeaf ? 0 : 1), 0);
  }

  /** Stored nodes of other kernels that it needs, whether it reads their elements or not. */
  get materializedBelow(): readonly Node[] {
    if (this.#materializedBelow !== undefined) return this.#materializedBelow;
    const { nodes, leaves } = this.#any;
    return (this.#materializedBelow = nodes.filter((node, at) => leaves[at] && this.#materialized.has(node)));
  }

  get #any(): MemberReads {
    return this.#stored.find((one) => one !== undefined) ?? this.#alone({ mode: 'nest', outer: [] });
  }

  #alone(group: Pick<Group, 'mode' | 'outer'>): MemberReads {
    const which = Number(writesOut(this.#member, group));
    return (this.#stored[which] ??= readsOf(this.#member, { ...group, members: [] }, this.#materialized, this.#forms));
  }
}
