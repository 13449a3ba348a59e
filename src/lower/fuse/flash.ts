// Which products and softmaxes become one kernel that never stores scores. In: a block in groups. Out: the same with groups joined.
// Holds: what is joined is read by nothing else; sums of the joined group are taken in another order, and weights are divided by their sum
// behind the second product, which its mode says: see the note at the end.
// Source: T. Dao, FlashAttention-2, 2023; M. Milakov, N. Gimelshein, Online normalizer calculation for softmax, 2018.

import type { Node } from '../../graph/index.js';
import { type Attention, attentionOf } from './attention.js';
import type { Fusion, Group, GroupedBlock } from './groups.js';
import { Precedence } from './precedence.js';
import { memberReads, producer } from './reads.js';

/** `fits`: whether a schedule takes it. */
export function joinAttention(block: GroupedBlock, fits: (attention: Attention) => boolean): GroupedBlock {
  const { formed, fusion } = block;
  const joined = new Map<Group, Group>();
  const readers = readersOf(fusion);
  const demanded = new Set<Node>(formed.demanded);
  for (const group of fusion.groups) {
    const parts = partsOf(group, fusion, readers, demanded);
    if (parts === undefined || !takesWeightsAlone(group, parts, block)) continue;
    const together = withParts(group, parts);
    const attention = attentionOf(together, formed.forms);
    if (attention === undefined || !fits(attention)) continue;
    for (const part of [...parts, group]) joined.set(part, together);
  }
  return joined.size === 0 ? block : { formed, fusion: withJoined(block, joined) };
}

/** The groups of scores and of weights, where a group multiplies by weights that nothing else reads. */
function partsOf(
  group: Group,
  { groupOf }: Fusion,
  readers: ReadonlyMap<Node, ReadonlySet<Group>>,
  demanded: ReadonlySet<Node>,
): readonly [Group, Group] | undefined {
  if (group.mode !== 'matmul') return undefined;
  const ofMode = (reader: Group, mode: Group['mode']): Group[] =>
    [
      ...new Set(
        [...reader.reads].map((read) => groupOf.get(read)).filter((one) => one !== undefined && one !== reader && one.mode === mode),
      ),
    ] as Group[];
  const isReadBy = (part: Group, by: Group): boolean =>
    part.members.every(({ node }) => !demanded.has(node) && [...(readers.get(node) ?? [])].every((one) => one === by || one === part));
  for (const weights of ofMode(group, 'row-reduction')) {
    if (!isReadBy(weights, group)) continue;
    const scores = ofMode(weights, 'matmul').find((one) => isReadBy(one, weights));
    if (scores !== undefined) return [scores, weights];
  }
  return undefined;
}

/** Whether the product takes one element of its parts on the left side, and nothing else of the group takes any. */
function takesWeightsAlone(group: Group, parts: readonly Group[], { formed: { forms }, fusion: { materialized } }: GroupedBlock): boolean {
  const own = new Set<Node>(parts.flatMap(({ members }) => members.map(({ node }) => node)));
  return group.members.every((member) => {
    const taken = [...memberReads(member, group, materialized, forms)].flatMap(([node, accesses]) => (own.has(node) ? accesses : []));
    return taken.length <= (member.role === 'matmul' ? 1 : 0);
  });
}

function readersOf({ groups }: Fusion): ReadonlyMap<Node, ReadonlySet<Group>> {
  const readers = new Map<Node, Set<Group>>();
  for (const group of groups) for (const read of group.reads) readers.set(read, (readers.get(read) ?? new Set<Group>()).add(group));
  return readers;
}

function withParts(group: Group, parts: readonly Group[]): Group {
  const all = [...parts, group];
  const members = all.flatMap((one) => one.members);
  const own = new Set<Node>(members.map(({ node }) => node));
  const others = (nodes: (one: Group) => Iterable<Node>): Set<Node> =>
    new Set(all.flatMap((one) => [...nodes(one)]).filter((node) => !own.has(node)));
  return {
    id: group.id,
    mode: 'flash',
    outer: group.outer,
    members,
    reads: others(({ reads }) => reads),
    along: others(({ along }) => along),
  };
}

function withJoined({ formed: { forms }, fusion }: GroupedBlock, joined: ReadonlyMap<Group, Group>): Fusion {
  const groups = [...new Set(fusion.groups.map((group) => joined.get(group) ?? group))];
  const groupOf = new Map(groups.flatMap((group) => group.members.map(({ node }) => [node as Node, group] as const)));
  const order = new Precedence<Group>();
  for (const group of groups) order.add(group);
  for (const group of groups)
    for (const read of group.reads) {
      const other = groupOf.get(producer(read, forms));
      if (other !== undefined && other !== group) order.put(other, group);
    }
  // Neighbours that are one kernel now did not stay apart.
  const notes = fusion.notes.filter(({ node, neighbour }) => groupOf.get(node) !== groupOf.get(neighbour) || !groupOf.has(node));
  return { ...fusion, groups, groupOf, order, notes };
}

/* Note: scores that nobody stores.
   softmax(q kᵀ) v is a product, a row reduction and a product; scores and weights, a row for each query and a column for each key, go to
   memory in between. The group `flash` has all of them as members:

     group 2 flash [H, T, 64] reads %5, %7, %25
       matmul %10: f32[H, T, T]            s = q · k
       elementwise %16: f32[H, T, T]
       reduce %17: f32[H, T]               m = max s
       reduce %21: f32[H, T]               l = Σ exp(s − m)
       elementwise %23: f32[H, T, T]
       matmul %27: f32[H, T, 64]           Σ exp(s − m) / l · v

   and computes them tile of keys by tile of keys, with the maximum so far in the place of m: where a tile has a larger one, m', what was
   summed up is multiplied by exp(m − m'). The sum l is known at the end alone, so it divides the second product instead of the weights.
   Numerators are rounded where weights would be. All of that rounds otherwise than the three kernels do; the kernel IR that the schedule
   writes (`schedule/cuda/attention`) is what such a group means, and the kernel interpreter computes it. */
