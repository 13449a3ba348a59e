// Fusion: which materialized nodes share a kernel. In: a block whose nodes have forms. Out: groups with a common outer space,
// without cycles between them, and why neighbours stayed apart.
// Holds: inside of a group, results of reductions and tiles are read only at the point that is being computed; see the note at the end.

import { type Shape, shapeEquals, shapeToString } from '../../base/index.js';
import type { Node } from '../../graph/index.js';
import { build, type Expr, exprKey } from '../../kernel/index.js';
import { mostCopies, mostMembers } from '../../target/index.js';
import { isCheap, isMuchOf } from './cost-model.js';
import { reducedKey, type ReduceForm, space, spread, tensorOf } from '../form/forms.js';
import { Before } from './before.js';
import {
  type ApartNote,
  type Attempt,
  type Decision,
  type Described,
  type Fusion,
  type Group,
  isAllSmall,
  isSmall,
  type Member,
  type Mode,
  type Placement,
  type Verdict,
} from './groups.js';
import type { Apart, FormedBlock } from '../form/formed.js';
import { InlineCosts } from '../form/inline-costs.js';
import { Neighbours } from './neighbours.js';
import { Precedence } from './precedence.js';
import { isOwnPoint, memberReads, producer, readsAlong, ReadsOf } from './reads.js';
import { foreseenShared, sharedByGroups, sharedExpensive, storedOf } from './shared.js';
import type { Forms } from '../form/materialize.js';

/** Another plan of the same nodes. */
interface Earlier {
  /** What is likely to be stored beyond the least, because that plan stored it; without one, what is foreseen. */
  readonly supposed?: readonly Node[];
  /** That plan, for what is decided as it was there. */
  readonly before?: Fusion;
}

/**
 * Groups of the nodes of a block, whose `form` says what is materialized at least. Reductions that its forms split are done by partial
 * results. Where groups do not confirm what is supposed, they are made anew.
 */
export function fuse(block: FormedBlock, { supposed, before }: Earlier = {}): Fusion {
  const { order: nodes, forms, materialized: least } = block;
  const order = forms.hasSplits ? nodes.flatMap((node) => withPartial(node, forms)) : nodes;
  const costs = new InlineCosts(least, forms);
  const likely = supposed ?? storedOf(order, foreseenShared(order, least, forms), least, forms, costs);
  if (likely.length > 0) {
    const fusion = completed(new Set([...least, ...likely]), order, block, before);
    // Were one of them in a single group, it would be stored for nobody.
    const paying = new Set(storedOf(order, sharedByGroups(fusion, forms, new Set(likely)), least, forms, costs));
    if (likely.every((node) => paying.has(node))) return fusion;
  }
  return completed(new Set(least), order, block, before);
}

function withPartial(node: Node, forms: Forms): readonly Node[] {
  const split = forms.splitOf(node);
  return split === undefined ? [node] : [split.partial.node, node];
}

/** Adds to `materialized` what it pays to store. */
function completed(materialized: Set<Node>, order: readonly Node[], block: FormedBlock, before: Fusion | undefined): Fusion {
  const { forms } = block;
  for (;;) {
    const costs = new InlineCosts(materialized, forms);
    const fusion = new Fuser(materialized, costs, block, before).run(order);
    const shared = sharedExpensive(order, fusion, forms, costs);
    if (shared.length === 0) return fusion;
    for (const node of shared) materialized.add(node);
  }
}

class Fuser {
  readonly #groups: Group[] = [];
  readonly #groupOf = new Map<Node, Group>();
  readonly #notes: ApartNote[] = [];
  readonly #order = new Precedence<Group>();
  readonly #neighbours: Neighbours;
  readonly #apart: Apart | undefined;
  /** What is not computed again for other points, however little it costs. */
  readonly #once: Set<Node>;
  readonly #placements = new Map<Node, Placement>();
  readonly #before: Before;

  readonly materialized: ReadonlySet<Node>;
  readonly forms: Forms;

  /** FLOPs per element of computing a node from stored ones. */
  readonly costs: InlineCosts;

  constructor(materialized: ReadonlySet<Node>, costs: InlineCosts, { forms, apart, repeated }: FormedBlock, before: Fusion | undefined) {
    this.materialized = materialized;
    this.#apart = apart;
    this.#once = new Set(repeated);
    this.forms = forms;
    this.costs = costs;
    this.#neighbours = new Neighbours(this.#groupOf);
    this.#before = new Before(before, materialized, forms);
  }

  run(order: readonly Node[]): Fusion {
    const described = order.filter((node) => this.materialized.has(node)).map((node) => this.#describe(node));
    this.#neighbours.expect(described);
    for (const one of described) {
      const isOneOfMany = this.#neighbours.isOneOfMany(one.member, one.mode);
      const decision = this.#again(one, isOneOfMany) ?? this.#found(one, isOneOfMany);
      this.#place(one, decision);
    }
    const { materialized } = this;
    return {
      groups: this.#groups,
      groupOf: this.#groupOf,
      materialized,
      notes: this.#notes,
      order: this.#order,
      placements: this.#placements,
    };
  }

  /** The placement of the plan before, where all that decided it is as it was; see `before.ts`. */
  #again({ member, mode }: Described, isOneOfMany: boolean): Decision | undefined {
    const known = this.#before.decided(member, isOneOfMany);
    if (known === undefined) return undefined;
    const neighbours = asksOthers(mode) ? this.#neighbours.of(member, mode, known.needs) : [];
    // Whoever comes behind the group that has taken it was not asked.
    const askedAll = known.attempts.at(-1)?.verdict !== 'joined';
    if (askedAll && neighbours.length > known.attempts.length) return undefined;
    const attempts: Attempt[] = [];
    for (const [at, attempt] of known.attempts.entries()) {
      const group = neighbours[at];
      if (group === undefined || !this.#before.isAsItWas(attempt, group)) return undefined;
      const stands = attempt.reads !== undefined && this.#standsBetween(attempt.reads, group);
      if (stands !== (attempt.verdict === between)) return undefined;
      const { size, verdict, reads, fits } = attempt;
      attempts.push({ group, size, verdict, reads, fits });
    }
    const { form, copies, needs, reads } = known;
    return { form, isOneOfMany, copies, needs, attempts, reads };
  }

  /** The youngest group that it fits and gains from. */
  #found({ member, mode, outer }: Described, isOneOfMany: boolean): Decision {
    const { node } = member;
    const alone = new ReadsOf(member, this.materialized, this.forms);
    const copies = alone.size > mostCopies;
    if (copies) this.#once.add(node);
    const reads = alone.in({ mode, outer, members: [] });
    const needs = [...reads.keys(), ...alone.materializedBelow];
    const attempts: Attempt[] = [];
    if (asksOthers(mode))
      for (const group of this.#neighbours.of(member, mode, needs)) {
        const { verdict, reads, fits } = this.#join(group, member, mode, outer, alone);
        attempts.push({ group, size: group.members.length, verdict, reads, fits });
        if (verdict === 'joined') break;
      }
    return { form: this.forms.of(node), isOneOfMany, copies, needs, attempts, reads };
  }

  #place({ member, mode, outer }: Described, decision: Decision): void {
    const { node } = member;
    if (decision.copies) this.#once.add(node);
    for (const { group, verdict } of decision.attempts)
      if (verdict !== 'joined' && verdict !== 'unrelated')
        this.#notes.push({ node, neighbour: (group.members[0] as Member).node, reason: verdict });
    const last = decision.attempts.at(-1);
    const joined = last?.verdict === 'joined' ? last : undefined;
    const group: Group = joined?.group ?? {
      id: this.#groups.length,
      mode,
      outer,
      members: [],
      reads: new Set(),
      along: new Set(),
    };
    if (joined === undefined) {
      this.#groups.push(group);
      this.#order.add(group);
    } else if (joined.fits !== undefined) {
      group.mode = joined.fits.mode;
      group.outer = joined.fits.outer;
    }
    const placement = { decision, group, at: group.members.length };
    this.#placements.set(node, placement);
    this.#before.placed(member, placement);
    this.#take(group, member, joined?.reads ?? decision.reads);
  }

  #take(group: Group, member: Member, reads: ReadonlyMap<Node, readonly Expr[][]>): void {
    for (const [read, accesses] of reads) {
      if (this.#groupOf.get(read) === group) continue;
      const other = this.#groupOf.get(producer(read, this.forms));
      if (other !== undefined && other !== group) this.#order.put(other, group);
      addRead(group, member, read, accesses);
    }
    group.members.push(member);
    this.#groupOf.set(member.node, group);
    this.#neighbours.took(group, member);
  }

  #describe(node: Node): Described {
    const form = this.forms.of(node);
    switch (form.kind) {
      case 'nest':
      case 'loop':
        return { member: { role: form.kind, node }, mode: form.kind, outer: [] };
      case 'matmul':
        return { member: { role: 'matmul', node: form.node, form }, mode: 'matmul', outer: space(form.node.type.shape) };
      case 'partial':
        return { member: { role: 'partial', node: form.node, form }, mode: 'fused-rows', outer: form.points };
      case 'reduce': {
        const outer = space(form.node.type.shape);
        const member: Member = { role: 'reduce', node: form.node, form };
        if (isSmall(outer)) return { member, mode: 'full-reduction', outer: [] };
        return { member, mode: form.innermostReduced ? 'row-reduction' : 'column-reduction', outer };
      }
      case 'element':
      case 'source':
      case 'element-of':
        return { member: { role: 'elementwise', node: tensorOf(node) }, mode: 'elementwise', outer: space(tensorOf(node).type.shape) };
    }
  }

  #join(group: Group, member: Member, mode: Mode, outer: Shape, alone: ReadsOf): Verdict {
    if (group.mode === 'nest' || group.mode === 'loop') return refused('unrelated');
    if (group.members.length >= mostMembers) return refused('much is computed in the kernel already');
    if (this.#isKeptApart(group, member)) return refused('it changes variables, which wait for checks');
    if (this.#repeats(group, member, alone)) return refused('it would compute costly elements again');
    const reads = alone.in(group);
    const isMember = (node: Node): boolean => this.#groupOf.get(node) === group;
    const readsMember = alone.materializedBelow.some(isMember) || [...reads.keys()].some(isMember);
    const sharesLoop =
      member.role === 'reduce' && this.#neighbours.mayShareLoop(member, mode) && group.mode === mode && reducesAlike(group, member.form);
    const related = readsMember || sharesLoop || this.#sharesData(group, member, mode, reads);
    const fits = this.#fits(group, member, mode, outer, readsMember, related);
    if (typeof fits === 'string') return refused(related ? fits : 'unrelated');
    const scalars = group.outer.length === 0 && this.#neighbours.mayJoinScalars(member);
    if (!related && !scalars) return refused('unrelated');
    if (!this.#pointwise(group, member, reads))
      return refused(`reads other elements of ${group.members[0]?.node.op.name}'s result than the one being computed`);
    return this.#standsBetween(reads, group) ? { verdict: between, reads, fits: undefined } : { verdict: 'joined', reads, fits };
  }

  #standsBetween(reads: ReadonlyMap<Node, unknown>, group: Group): boolean {
    for (const read of reads.keys()) {
      const other = this.#groupOf.get(producer(read, this.forms));
      if (other !== undefined && other !== group && this.#order.follows(other, group)) return true;
    }
    return false;
  }

  #sharesData(group: Group, member: Member, mode: Mode, reads: ReadonlyMap<Node, readonly Expr[][]>): boolean {
    const along = [...reads].flatMap(([node, accesses]) => (readsAlong(member, node, accesses) ? [node] : []));
    const shared = along.filter((node) => group.along.has(node));
    return shared.length > 0 && (!this.#neighbours.isOneOfMany(member, mode) || isMuchOf(shared, along));
  }

  #isKeptApart({ members }: Group, { node }: Member): boolean {
    if (this.#apart === undefined) return false;
    const { checks, updates } = this.#apart;
    const others = checks.has(node) ? updates : updates.has(node) ? checks : undefined;
    return others !== undefined && members.some((one) => others.has(one.node));
  }

  /** How the group computes when it has taken the member in, or why it can't. */
  #fits(
    group: Group,
    member: Member,
    mode: Mode,
    outer: Shape,
    readsMember: boolean,
    related: boolean,
  ): Pick<Group, 'mode' | 'outer'> | string {
    const same = { mode: group.mode, outer: group.outer };
    const byRows = group.mode === 'row-reduction' || group.mode === 'fused-rows';
    if (member.role === 'elementwise') {
      const shape = space(member.node.type.shape);
      if (group.mode === 'full-reduction') return isSmall(shape) ? same : 'its result is too large to be written out';
      if (shapeEquals(shape, group.outer)) return same;
      if (byRows && group.outer.length > 0 && startsWith(shape, group.outer)) return related ? same : 'nothing to share';
      return differ(shape, group.outer);
    }
    if (member.role === 'partial') {
      const columns = [...space(member.node.type.shape.slice(1)), ...member.form.within];
      if (byRows) return shapeEquals(group.outer, outer) ? { mode, outer } : differ(outer, group.outer);
      if (group.mode === 'elementwise' && (shapeEquals(group.outer, [...outer, ...columns]) || shapeEquals(group.outer, outer)))
        return { mode, outer };
      return group.mode === 'elementwise' ? differ(outer, group.outer) : 'lanes run along different axes';
    }
    if (member.role !== 'reduce') return 'no elementwise op or reduction';
    if (mode === 'row-reduction' && group.mode === 'elementwise' && startsWith(group.outer, outer) && outer.length > 0)
      return { mode, outer };
    if (!shapeEquals(outer, group.outer)) return differ(outer, group.outer);
    if (group.mode === 'elementwise')
      return group.outer.length > 0 || isAllSmall(group) ? { mode, outer } : 'its result is too large to be written out';
    if (group.mode !== mode && !(group.mode === 'fused-rows' && mode === 'row-reduction')) return 'lanes run along different axes';
    if (mode === 'full-reduction' && !readsMember && !reducesAlike(group, member.form)) return 'they reduce over different sizes';
    return same;
  }

  #pointwise(group: Group, member: Member, reads: ReadonlyMap<Node, readonly Expr[][]>): boolean {
    const names = group.outer.map((_, axis) => build.index(`o${axis}`));
    for (const other of group.members) {
      if (other.role !== 'reduce' && other.role !== 'matmul') continue;
      const accesses = reads.get(other.node);
      if (accesses === undefined) continue;
      if (group.mode === 'full-reduction' || (group.mode === 'elementwise' && member.role === 'reduce')) {
        if (!accesses.every((index) => index.every((one) => one.kind === 'const'))) return false;
        continue;
      }
      const here = spread(other.node.type.shape, names).map(exprKey).join();
      if (!accesses.every((index) => index.map(exprKey).join() === here)) return false;
    }
    return true;
  }

  /**
   * Whether the member needs costly elementwise members of the group at other points than the one being computed, where they would be
   * computed again.
   */
  #repeats(group: Group, member: Member, alone: ReadsOf): boolean {
    if (member.role === 'reduce' || group.mode === 'full-reduction') return false;
    const costly = group.members.filter(
      ({ role, node }) => role === 'elementwise' && (this.#once.has(node) || !isCheap(this.costs.of(node))),
    );
    if (costly.length === 0) return false;
    const reads = alone.in({ ...group, members: group.members.filter((one) => !costly.includes(one)) });
    return costly.some(({ node }) => {
      const accesses = reads.get(node) ?? [];
      return accesses.some((index) => !isOwnPoint(node, index));
    });
  }
}

/** Of the others each begins a group. */
const asksOthers = (mode: Mode): boolean => mode !== 'matmul' && mode !== 'nest' && mode !== 'loop';

const between = 'another kernel stands between them';

const refused = (verdict: string): Verdict => ({ verdict, reads: undefined, fits: undefined });

const differ = (a: Shape, b: Shape): string => `loops differ: ${shapeToString(a)} and ${shapeToString(b)}`;

const startsWith = (longer: Shape, shape: Shape): boolean =>
  longer.length > shape.length && shapeEquals(longer.slice(0, shape.length), shape);

function addRead(group: Group, member: Member, node: Node, accesses: readonly Expr[][]): void {
  group.reads.add(node);
  if (readsAlong(member, node, accesses)) group.along.add(node);
}

/** Stored nodes that a member needs if it runs alone, of this block and from outside. */
export const neededBy = (member: Member, materialized: ReadonlySet<Node>, forms: Forms): Node[] => [
  ...memberReads(member, { mode: 'nest', outer: [], members: [] }, materialized, forms).keys(),
];

const reducesAlike = (group: Group, form: ReduceForm): boolean =>
  group.members.some((one) => one.role === 'reduce' && reducedKey(one.form) === reducedKey(form));

/* Note: how groups grow.
   Materialized nodes come in topological order; each joins the youngest group that it fits and gains from, else it founds one. Gains: it
   reads what the group computes (the value stays in a register), or both read the same large data, or reduce to a few results over the same
   sizes (one pass instead of two), or both are scalars (one kernel instead of two). It fits when the loops agree, when results of
   reductions and tiles are read at the very point that is computed, and when no other kernel would have to run in between. Elementwise
   members are computed again wherever they are read inside of the group, so they may be read at any index. A group of elementwise results
   becomes one of rows when a reduction of its rows joins. Values that it pays to store rather than to compute in a second group become
   materialized nodes themselves, and the search starts again. */
