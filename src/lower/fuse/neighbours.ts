// Groups that a materialized node might join. In: groups as they grow, and a materialized node. Out: those that it could gain from, the
// youngest first.
// Holds: whatever is left out has nothing in common with the node, or too many others have the same; so a materialized node is compared
// with a few groups, however many there are.

import type { Node } from '../../graph/index.js';
import { mostAlike, mostNeighbours, mostReaders, mostScalars } from '../../target/index.js';
import { reducedKey, space } from '../form/forms.js';
import type { Described, Group, Member, Mode } from './groups.js';

export class Neighbours {
  readonly #groupOf: ReadonlyMap<Node, Group>;
  readonly #readers = new Map<Node, Group[]>();
  readonly #reducers = new Map<string, Group[]>();
  readonly #scalars: Group[] = [];
  readonly #expected = new Map<string, number>();
  #expectedScalars = 0;

  constructor(groupOf: ReadonlyMap<Node, Group>) {
    this.#groupOf = groupOf;
  }

  /** All materialized nodes that will be placed: how many are alike decides whether they share kernels. See the note at the end. */
  expect(materialized: readonly Described[]): void {
    for (const { member, mode } of materialized) {
      if (isScalar(member)) this.#expectedScalars++;
      const key = loopKey(member, mode);
      if (key !== undefined) this.#expected.set(key, (this.#expected.get(key) ?? 0) + 1);
    }
  }

  /** Reductions over the same sizes may share a loop without sharing data. */
  mayShareLoop(member: Member, mode: Mode): boolean {
    return member.role === 'reduce' && (mode === 'full-reduction' || mode === 'column-reduction') && !this.isOneOfMany(member, mode);
  }

  isOneOfMany(member: Member, mode: Mode): boolean {
    const key = loopKey(member, mode);
    return key !== undefined && (this.#expected.get(key) ?? 0) > mostAlike;
  }

  mayJoinScalars(member: Member): boolean {
    return isScalar(member) && this.#expectedScalars <= mostScalars;
  }

  /** `reads`: the stored nodes that the member needs. */
  of(member: Member, mode: Mode, reads: readonly Node[]): Group[] {
    const found = new Set<Group>();
    for (const node of reads) {
      const group = this.#groupOf.get(node);
      if (group !== undefined) found.add(group);
      for (const reader of this.#readers.get(node)?.slice(-mostReaders) ?? []) found.add(reader);
    }
    if (member.role === 'reduce' && this.mayShareLoop(member, mode))
      for (const group of this.#reducers.get(reducedKey(member.form)) ?? []) found.add(group);
    if (this.mayJoinScalars(member)) for (const group of this.#scalars) found.add(group);
    return [...found].sort((a, b) => b.id - a.id).slice(0, mostNeighbours);
  }

  /** A group has got a member more. */
  took(group: Group, member: Member): void {
    const note = (groups: Group[]): void => {
      if (!groups.slice(-mostReaders).includes(group)) groups.push(group);
    };
    for (const node of group.along) note(listed(this.#readers, node));
    if (member.role === 'reduce') note(listed(this.#reducers, reducedKey(member.form)));
    if (group.outer.length === 0 && group.mode !== 'nest' && group.mode !== 'loop') note(this.#scalars);
  }
}

const isScalar = ({ role, node }: Member): boolean => role === 'elementwise' && space(node.type.shape).length === 0;

/** What reductions that are alike have in common. */
const loopKey = (member: Member, mode: Mode): string | undefined =>
  member.role === 'reduce' ? `${mode} ${space(member.node.type.shape).join()} over ${reducedKey(member.form)}` : undefined;

function listed<K>(map: Map<K, Group[]>, key: K): Group[] {
  let groups = map.get(key);
  if (groups === undefined) map.set(key, (groups = []));
  return groups;
}

/* Note: few or many.
   A kernel for a handful of scalars, or for the sums of a few biases, costs less than a kernel for each. A deep model has a bias and a step
   counter per layer: a kernel for all of them would grow with the depth, and no two depths would have the same one. Where there are many,
   each is a kernel by itself, and all of them are calls of the same code. So it is where all layers read the same mask: beside what each of
   them reads of its own, a little that they have in common brings them together only where they are few. */
