// What every fused graph fulfils. In: one. Out: nothing, or an InternalError that names the pass and the broken rule.
// The rules:
//   members   a group has members that its mode takes, with the types of their nodes, and a value is a member of one group; a group of a
//             product, a nest or a loop has exactly one of these, one of attention two products, one of its derivative one that is computed
//             again, which another group computes and which goes nowhere, one of reductions or partial results has some; what is stored
//             already is the only member of a group that copies it
//   order     what a group reads was computed by a group before it, comes from outside, or is its own; while groups have no order yet, they
//             do not wait for each other in a circle
//   storage   what another group reads has storage, and no two values go to one place; while values have no places yet, none has one
//   splits    of a split reduction one group computes the partial results, together with something else, and its own group reads them; no
//             other reduction has any
//   required  every output and every update is computed, or copied from where it is, and arrives where it must go

import { InternalError } from '../../base/index.js';
import { type Node, type Type, typeEquals, typeToString } from '../../graph/index.js';
import { element, isNodeOf } from '../../ops/index.js';
import { combinedAs, opOf } from '../form/forms.js';
import {
  type FusedRequirement,
  type FusedGraph,
  type FusedGroup,
  type FusedMember,
  type FusedSplit,
  type FusedValue,
  valueText,
} from './fused-graph.js';
import type { Member, Mode } from './groups.js';

export function verifyFused(graph: FusedGraph, pass: string): void {
  new Verifier(graph, pass).run();
}

/** What a group takes besides elementwise members, and how many of the first kind where that is decided. */
const modeRoles: Readonly<
  Record<Mode, { readonly needs: Member['role']; readonly count?: number; readonly also: readonly Member['role'][] }>
> = {
  elementwise: { needs: 'elementwise', also: [] },
  'row-reduction': { needs: 'reduce', also: ['elementwise'] },
  'column-reduction': { needs: 'reduce', also: ['elementwise'] },
  'full-reduction': { needs: 'reduce', also: ['elementwise'] },
  'fused-rows': { needs: 'partial', also: ['elementwise', 'reduce'] },
  matmul: { needs: 'matmul', count: 1, also: ['elementwise'] },
  flash: { needs: 'matmul', count: 2, also: ['elementwise', 'reduce'] },
  'flash-backward': { needs: 'again', count: 1, also: ['elementwise', 'reduce', 'matmul'] },
  nest: { needs: 'nest', count: 1, also: [] },
  loop: { needs: 'loop', count: 1, also: [] },
};

interface Computed {
  readonly group: FusedGroup;
  readonly member: FusedMember;
}

class Verifier {
  readonly #graph: FusedGraph;
  readonly #pass: string;
  #numbers: ReadonlyMap<Node, number> | undefined;
  readonly #whole = new Map<number, Computed>();
  readonly #partial = new Map<number, Computed>();
  /** What a group computes once more. */
  readonly #again: { readonly number: number; readonly group: FusedGroup }[] = [];
  /** Where members copy what is stored already. */
  readonly #copied = new Map<number, Set<string>>();
  /** Where copies behind all groups come from, by where they go. */
  readonly #copyTo: ReadonlyMap<string, string>;
  readonly #placesOfMembers = new Map<FusedMember, ReadonlySet<string>>();

  constructor(graph: FusedGraph, pass: string) {
    this.#graph = graph;
    this.#pass = pass;
    this.#copyTo = new Map(graph.copies.map(({ from, to }) => [to, from]));
  }

  run(): void {
    const { groups, splits, required, placed } = this.#graph;
    for (const group of groups) this.#members(group);
    for (const { number, group } of this.#again) {
      const first = this.#whole.get(number);
      if (first?.member.role !== 'matmul' || first.group === group)
        this.#fail('members', `group ${group.id} computes %${number} again, which no other one does`);
    }
    if (placed) this.#inOrder();
    else this.#inSomeOrder();
    this.#places();
    this.#splits(splits);
    for (const output of required) this.#requirement(output);
  }

  #members(group: FusedGroup): void {
    const { id, mode, members } = group;
    if (members.length === 0) this.#fail('members', `group ${id} has none`);
    const { needs, count: wanted, also } = modeRoles[mode];
    const count = members.filter(({ role }) => role === needs).length;
    if (count === 0 || (wanted !== undefined && count !== wanted))
      this.#fail('members', `the ${mode} group ${id} has ${count} of role ${needs}`);
    for (const member of members) {
      const { role, number, partial } = member;
      if (role !== needs && !also.includes(role)) this.#fail('members', `the ${mode} group ${id} has a member of role ${role}`);
      if (partial !== (role === 'partial')) this.#fail('members', `${valueText(member)} cannot have the role ${role}`);
      const { type } = this.#node(number);
      if (!isOfType(member, type))
        this.#fail('members', `${valueText(member)} is ${typeToString(member.type)}, its node ${typeToString(type)}`);
      if (!partial && isStored(this.#node(number))) {
        if (mode !== 'elementwise' || members.length > 1) this.#fail('members', `group ${id} computes %${number}, which is stored`);
        const places = this.#copied.get(number) ?? new Set<string>();
        this.#copied.set(number, places);
        for (const place of member.to) if (place !== undefined) places.add(place);
        continue;
      }
      if (role === 'again') {
        if (member.to.length > 0) this.#fail('members', `${valueText(member)} is computed again and goes to ${member.to.join(', ')}`);
        this.#again.push({ number, group });
        continue;
      }
      const computed = partial ? this.#partial : this.#whole;
      const other = computed.get(number);
      if (other !== undefined) this.#fail('members', `${valueText(member)} belongs to the groups ${other.group.id} and ${id}`);
      computed.set(number, { group, member });
    }
  }

  #inOrder(): void {
    const done = new Set<FusedGroup>();
    for (const group of this.#graph.groups) {
      for (const read of group.reads) {
        const from = this.#producer(read, group)?.group;
        if (from === undefined || from === group) continue;
        if (!done.has(from)) this.#fail('order', `group ${group.id} reads from group ${from.id}, which runs later`);
      }
      done.add(group);
    }
  }

  /** Takes away groups that wait for none that is left, until none is left. */
  #inSomeOrder(): void {
    const { groups } = this.#graph;
    const readers = new Map<FusedGroup, FusedGroup[]>(groups.map((group) => [group, []]));
    const waits = new Map<FusedGroup, number>();
    for (const group of groups) {
      const from = new Set(group.reads.map((read) => this.#producer(read, group)?.group));
      from.delete(undefined);
      from.delete(group);
      waits.set(group, from.size);
      for (const one of from) readers.get(one as FusedGroup)?.push(group);
    }
    // A set's iteration also visits what is added meanwhile.
    const free = new Set(groups.filter((group) => waits.get(group) === 0));
    for (const group of free) {
      for (const reader of readers.get(group) ?? []) {
        const left = (waits.get(reader) as number) - 1;
        waits.set(reader, left);
        if (left === 0) free.add(reader);
      }
    }
    const stuck = groups.find((group) => !free.has(group));
    if (stuck !== undefined) this.#fail('order', `group ${stuck.id} waits for itself`);
  }

  #places(): void {
    const { groups, copies, required, placed } = this.#graph;
    if (!placed) {
      const hasPlace = groups.some(({ members }) => members.some(({ to }) => to.length > 0)) || required.some(({ to }) => to !== undefined);
      if (hasPlace || copies.length > 0) this.#fail('storage', 'something has a place before places are given');
      return;
    }
    const taken = new Set<string>();
    const take = (place: string): void => {
      if (taken.has(place)) this.#fail('storage', `two values go to ${place}`);
      taken.add(place);
    };
    for (const group of groups) {
      for (const { to } of group.members) for (const place of to) if (place !== undefined) take(place);
      for (const read of group.reads) {
        const from = this.#producer(read, group);
        if (from === undefined || from.group === group) continue;
        if (this.#placesOf(read, from.member).size === 0)
          this.#fail('storage', `group ${group.id} reads ${valueText(read)}, which is not stored`);
      }
    }
    for (const { to } of copies) take(to);
  }

  #splits(splits: readonly FusedSplit[]): void {
    const split = new Set(splits.map(({ number }) => number));
    for (const number of this.#partial.keys())
      if (!split.has(number)) this.#fail('splits', `%${number} has partial results and is not split`);
    for (const number of split) {
      const partial = this.#partial.get(number);
      const whole = this.#whole.get(number);
      if (partial === undefined || partial.group.members.length === 1)
        this.#fail('splits', `the partial results of %${number} have no company`);
      if (whole?.group.reads.some((read) => read.partial && read.number === number) !== true)
        this.#fail('splits', `%${number} is not made of its partial results`);
    }
  }

  #requirement({ number, to }: FusedRequirement): void {
    const value: FusedValue = { number, partial: false };
    const computed = this.#computed(value);
    const isThere = computed !== undefined || isSource(this.#node(number));
    if (!isThere) this.#fail('required', `nothing computes %${number}`);
    if (!this.#graph.placed) return;
    const own = computed === undefined ? none : this.#placesOf(value, computed.member);
    const has = (place: string): boolean => own.has(place) || this.#copied.get(number)?.has(place) === true;
    const from = to === undefined ? undefined : this.#copyTo.get(to);
    const arrives = to !== undefined && (has(to) || (from !== undefined && has(from)));
    if (to === undefined || !arrives) this.#fail('required', `%${number} does not get to ${to ?? 'any place'}`);
  }

  /** What computes a value that a group reads; undefined for one that exists before all groups. */
  #producer(read: FusedValue, group: FusedGroup): Computed | undefined {
    const computed = this.#computed(read);
    if (computed === undefined && !(isSource(this.#node(read.number)) && !read.partial))
      this.#fail('order', `group ${group.id} reads ${valueText(read)}, which nothing computes`);
    return computed;
  }

  #computed({ number, partial }: FusedValue): Computed | undefined {
    if (partial) return this.#partial.get(number);
    const node = this.#node(number);
    return this.#whole.get(isNodeOf(node, element) ? this.#loopOf(node) : number);
  }

  /** Where a value is found that `member` computes: a loop, and a nest of several results, has places for each. */
  #placesOf({ number, partial }: FusedValue, member: FusedMember): ReadonlySet<string> {
    const node = this.#node(number);
    if ((member.role === 'loop' || member.role === 'nest') && !partial && isNodeOf(node, element)) {
      const place = member.to[node.attrs.index];
      return place === undefined ? none : new Set([place]);
    }
    let places = this.#placesOfMembers.get(member);
    if (places === undefined) this.#placesOfMembers.set(member, (places = new Set(member.to.filter((place) => place !== undefined))));
    return places;
  }

  #loopOf(node: Node): number {
    this.#numbers ??= new Map(this.#graph.nodes.map((one, number) => [one, number]));
    return this.#numbers.get(node.args[0] as Node) as number;
  }

  #node(number: number): Node {
    return this.#graph.nodes[number] ?? this.#fail('members', `there is no node %${number}`);
  }

  #fail(rule: string, message: string): never {
    throw new InternalError(this.#pass, `rule ${rule} of the fused graph broken in ${JSON.stringify(this.#graph.name)}: ${message}`);
  }
}

const none: ReadonlySet<string> = new Set();

const isSource = (node: Node): boolean => opOf(node).lowering.kind === 'source';
const isStored = (node: Node): boolean => isSource(node) || isNodeOf(node, element);

/** Partial results have an axis more, and the dtype that is combined in. */
function isOfType({ type, partial }: FusedMember, node: Type): boolean {
  if (!partial || type.kind !== 'tensor' || node.kind !== 'tensor') return !partial && typeEquals(type, node);
  return typeEquals({ ...type, shape: type.shape.slice(1) }, { ...node, dtype: combinedAs(node.dtype) }) && type.shape.length > 0;
}
