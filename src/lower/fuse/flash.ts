// Which products and softmaxes become one kernel that never stores scores, and what becomes of their derivatives. In: a block in groups.
// Out: the same with groups joined. Holds: what lies between the members of joined groups is computed wherever they read it, and nobody
// else reads it; sums of the joined groups are taken in another order, and weights are divided by their sum behind the second product,
// which their modes say: see the note at the end.
// Source: T. Dao, FlashAttention-2, 2023; M. Milakov, N. Gimelshein, Online normalizer calculation for softmax, 2018.

import type { Node } from '../../graph/index.js';
import { type Attention, attentionOf } from './attention.js';
import { type AttentionBackward, backwardOf } from './attention-backward.js';
import { type AttentionParts, partsOfAttention, Users } from './attention-parts.js';
import type { Fusion, Group, GroupedBlock, Member } from './groups.js';
import { Precedence } from './precedence.js';
import { memberReads, producer } from './reads.js';

/** Whether a schedule takes them; `stored`: what has storage while they are asked. */
export interface ScoreKeeper {
  keeps(attention: Attention, stored: ReadonlySet<Node>): boolean;
  keepsBackward(backward: AttentionBackward, stored: ReadonlySet<Node>): boolean;
}

export function joinAttention(block: GroupedBlock, keeper: ScoreKeeper): GroupedBlock {
  const { formed } = block;
  let { fusion } = block;
  let users: Users | undefined;
  for (const { mode, members } of block.fusion.groups) {
    const product = mode === 'matmul' ? members.find((member) => member.role === 'matmul') : undefined;
    // Another one's derivative may have taken it.
    if (product === undefined || fusion.groupOf.get(product.node)?.mode !== 'matmul') continue;
    for (const parts of partsOfAttention(product.form, formed, (users ??= new Users(formed)))) {
      const joined = new Joiner(parts, { formed, fusion }, keeper).joined();
      if (joined === undefined) continue;
      fusion = joined;
      break;
    }
  }
  return { formed, fusion };
}

/** Of one attention. */
class Joiner {
  readonly #parts: AttentionParts;
  readonly #block: GroupedBlock;
  readonly #keeper: ScoreKeeper;
  /** Without what is not stored any more. */
  readonly #materialized: ReadonlySet<Node>;

  constructor(parts: AttentionParts, block: GroupedBlock, keeper: ScoreKeeper) {
    this.#parts = parts;
    this.#block = block;
    this.#keeper = keeper;
    this.#materialized = new Set([...block.fusion.materialized].filter((node) => !parts.between.has(node)));
  }

  joined(): Fusion | undefined {
    const {
      formed: { forms },
    } = this.#block;
    const { scores, most, total, mixed, cotangents, sums, takers } = this.#parts;
    const isDerived = cotangents.length + sums.length + takers.length > 0;
    const asProduct = (form: typeof scores): Member => ({ role: 'matmul', node: form.node, form });
    const asSum = (form: typeof most): Member => ({ role: 'reduce', node: form.node, form });
    const forward = [asProduct(scores), asSum(most), asSum(total), asProduct(mixed)];
    const backward = isDerived
      ? [
          { role: 'again', node: scores.node, form: scores } as const,
          ...cotangents.map(asProduct),
          ...sums.map(asSum),
          ...takers.map(asProduct),
        ]
      : [];
    const old = this.#groupsOf([...forward, ...backward]);
    if (old === undefined) return undefined;
    const first = this.#group('flash', forward);
    const attention = first === undefined ? undefined : attentionOf(first, forms);
    if (first === undefined || attention === undefined || !this.#keeper.keeps(attention, this.#materialized)) return undefined;
    if (!isDerived) return this.#fusionWith(old, [first]);
    const second = this.#group('flash-backward', backward);
    const derivative = second === undefined ? undefined : backwardOf(second, attention, forms);
    // The sum of each row is that of results times their cotangents.
    if (derivative?.rowSum !== undefined) second?.reads.add(mixed.node);
    if (second === undefined || derivative === undefined || !this.#keeper.keepsBackward(derivative, this.#materialized)) return undefined;
    return this.#fusionWith(old, [first, second]);
  }

  /** The groups that these members and what lies between them come from; undefined where those compute something else as well. */
  #groupsOf(members: readonly Member[]): ReadonlySet<Group> | undefined {
    const { groupOf } = this.#block.fusion;
    const own = new Set<Node>([...members.map(({ node }) => node), ...this.#parts.between]);
    const groups = new Set([...own].flatMap((node) => groupOf.get(node) ?? []));
    const results = new Set<Node>([this.#parts.mixed, ...this.#parts.takers].map(({ node }) => node));
    for (const group of groups) {
      const ends = group.members.some(({ node }) => results.has(node));
      if (!group.members.every(({ role, node }) => own.has(node) || (ends && role === 'elementwise'))) return undefined;
    }
    return groups;
  }

  /** Members with what follows the products among them; undefined where one reads what another one computes and is not to be had. */
  #group(mode: 'flash' | 'flash-backward', core: readonly Member[]): Group | undefined {
    const { fusion, formed } = this.#block;
    const results = new Set<Node>([this.#parts.mixed, ...this.#parts.takers].map(({ node }) => node));
    const ends = core.filter(({ node }) => results.has(node)).map(({ node }) => fusion.groupOf.get(node) as Group);
    const last = ends.reduce((a, b) => (a.id > b.id ? a : b));
    const members = [...core, ...ends.flatMap((group) => group.members.filter(({ role }) => role === 'elementwise'))];
    const group: Group = { id: last.id, mode, outer: last.outer, members, reads: new Set(), along: new Set() };
    const own = new Set<Node>(core.map(({ node }) => node));
    for (const member of members) {
      const isAfter = member.role === 'elementwise';
      for (const [node, accesses] of memberReads(member, group, this.#materialized, formed.forms)) {
        if (!own.has(node)) group.reads.add(node);
        // An element of what the group has in registers, where it is; what follows a product has that one's result and no more.
        else if (accesses.length > 1 || (isAfter ? fusion.groupOf.get(node) !== fusion.groupOf.get(member.node) : results.has(node)))
          return undefined;
      }
    }
    const along = new Set(ends.flatMap((one) => [...one.along]));
    for (const node of group.reads) if (along.has(node)) group.along.add(node);
    return group;
  }

  /** `undefined` where groups would wait for each other. */
  #fusionWith(old: ReadonlySet<Group>, joined: readonly Group[]): Fusion | undefined {
    const { formed, fusion } = this.#block;
    const groups = fusion.groups.flatMap((group) => (old.has(group) ? joined.filter(({ id }) => id === group.id) : [group]));
    const groupOf = new Map(fusion.groupOf);
    for (const node of this.#parts.between) groupOf.delete(node);
    for (const group of joined) for (const { role, node } of group.members) if (role !== 'again') groupOf.set(node, group);
    const order = new Precedence<Group>();
    for (const group of groups) order.add(group);
    for (const group of groups)
      for (const read of group.reads) {
        const other = groupOf.get(producer(read, formed.forms));
        if (other === undefined || other === group) continue;
        if (order.follows(other, group)) return undefined;
        order.put(other, group);
      }
    // Neighbours that are one kernel now did not stay apart.
    const notes = fusion.notes.filter(({ node, neighbour }) => groupOf.get(node) !== groupOf.get(neighbour) || !groupOf.has(node));
    return { groups, groupOf, materialized: this.#materialized, notes, order };
  }
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
