// Entries in groups, as fused graphs. In: an entry between `fuse` and `schedule`. Out: the graph that is printed and verified.

import type { Shape } from '../../base/index.js';
import { type Node, NodeMap } from '../../graph/index.js';
import type { FusedGraph, FusedGroup, FusedSplit, FusedValue } from '../fuse/fused-graph.js';
import type { Group, Member } from '../fuse/groups.js';
import type { Forms } from '../form/materialize.js';
import type { Destination, Storage } from '../form/storage.js';
import type { FusedEntry, GroupedEntry } from './entry.js';

/** Groups that have no order, and values that have no places. */
export function describeGrouped({ entry, block: { formed, fusion } }: GroupedEntry): FusedGraph {
  const { required, forms } = formed;
  const numbers = new Numbers(formed.order, forms);
  return {
    name: entry.name,
    placed: false,
    nodes: numbers.nodes,
    splits: numbers.splits,
    required: required.map((node) => ({ number: numbers.of(node).number, to: undefined })),
    groups: fusion.groups.map((group) => describeGroup(group, numbers, () => [])),
    copies: [],
  };
}

export function describeFused({ entry, context: { forms, storage }, order }: FusedEntry): FusedGraph {
  const numbers = new Numbers(order.nodes, forms);
  const places = (member: Member, group: Group): (string | undefined)[] => {
    const copy = order.sourceCopies.get(group);
    return copy === undefined ? placesOf(member, storage) : [nameOf(copy)];
  };
  return {
    name: entry.name,
    placed: true,
    nodes: numbers.nodes,
    splits: numbers.splits,
    required: order.required.map(({ node, to }) => ({ number: numbers.of(node).number, to: nameOf(to) })),
    groups: order.groups.map((group) => describeGroup(group, numbers, (member) => places(member, group))),
    copies: order.copies.map(({ from, to }) => ({ from: from.name, to: to.name })),
  };
}

const describeGroup = (
  { id, mode, outer, reads, members }: Group,
  numbers: Numbers,
  places: (member: Member) => readonly (string | undefined)[],
): FusedGroup => ({
  id,
  mode,
  outer,
  reads: [...reads].map((node) => numbers.of(node)),
  members: members.map((member) => {
    const { number, partial } = numbers.of(member.node);
    return { role: member.role, number, partial, type: member.node.type, to: places(member) };
  }),
});

const placesOf = ({ role, node }: Member, storage: Storage): (string | undefined)[] =>
  role === 'loop' || node.type.kind === 'tuple'
    ? storage.results(node).map((buffer) => buffer?.name)
    : storage.destinations(node).map(nameOf);

const nameOf = (to: Destination): string => (to.kind === 'buffer' ? to.buffer.name : to.accumulator.name);

/** Numbers of nodes, and of partial results, which are no nodes of the graph. */
class Numbers {
  readonly nodes: readonly Node[];
  readonly splits: readonly FusedSplit[];
  readonly #values = new NodeMap<FusedValue>();

  constructor(nodes: readonly Node[], forms: Forms) {
    this.nodes = nodes;
    const splits: { number: number; points: Shape }[] = [];
    for (const [number, node] of nodes.entries()) {
      this.#values.set(node, { number, partial: false });
      const partial = forms.splitOf(node)?.partial;
      if (partial === undefined) continue;
      splits.push({ number, points: partial.points });
      this.#values.set(partial.node, { number, partial: true });
    }
    this.splits = splits;
  }

  /** Whatever does not belong to the block has a number that no node has, which the verifier finds. */
  of(node: Node): FusedValue {
    return this.#values.get(node) ?? { number: this.nodes.length, partial: false };
  }
}
