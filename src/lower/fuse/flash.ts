// Which products and softmaxes become one kernel that never stores scores, and what becomes of their derivatives. In: a block in groups.
// Out: the same with groups joined. Holds: what lies between the members of joined groups is computed wherever they read it, and nobody
// else reads it; sums of the joined groups are taken in another order, and weights are divided by their sum behind the second product,
// which their modes say: see the note at the end.
// Source: T. Dao, FlashAttention-2, 2023; M. Milakov, N. Gimelshein, Online normalizer calculation for softmax, 2018.

import type { Node, TensorNode } from '../../graph/index.js';
import type { Forms } from '../form/materialize.js';
import { type Attention, attentionOf } from './attention.js';
import { type AttentionBackward, backwardOf } from './attention-backward.js';
import { type AttentionParts, partsOfAttention, Users } from './attention-parts.js';
import type { Fusion, Group, GroupedBlock, Member } from './groups.js';
import { Precedence } from './precedence.js';
import { memberReads, producer } from './reads.js';
import { turnOf } from './turned.js';

/** Whether a schedule takes them; `stored`: what has storage while they are asked. */
export interface ScoreKeeper {
  keeps(attention: Attention, stored: ReadonlySet<Node>): boolean;
  keepsBackward(backward: AttentionBackward, stored: ReadonlySet<Node>): boolean;
}

export function joinAttention(block: GroupedBlock, keeper: ScoreKeeper): GroupedBlock {
  const { formed } = block;
  let { fusion } = block;
  const users = new Users(formed);
  for (const { mode, members } of block.fusion.groups) {
    const product = mode === 'matmul' ? members.find((member) => member.role === 'matmul') : undefined;
    // Another one's derivative may have taken it.
    if (product === undefined || fusion.groupOf.get(product.node)?.mode !== 'matmul') continue;
    for (const parts of partsOfAttention(product.form, formed, users)) {
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
  readonly #results: ReadonlySet<Node>;
  /** Without what is not stored any more. */
  readonly #materialized: ReadonlySet<Node>;

  constructor(parts: AttentionParts, block: GroupedBlock, keeper: ScoreKeeper) {
    this.#parts = parts;
    this.#block = block;
    this.#keeper = keeper;
    this.#results = new Set([parts.mixed, ...parts.takers].map(({ node }) => node));
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
    for (const group of groups) {
      const ends = group.members.some(({ node }) => this.#results.has(node));
      if (!group.members.every(({ role, node }) => own.has(node) || (ends && role === 'elementwise'))) return undefined;
    }
    return groups;
  }

  /** Members with what follows the products among them; undefined where one reads what another one computes and is not to be had. */
  #group(mode: 'flash' | 'flash-backward', core: readonly Member[]): Group | undefined {
    const { fusion, formed } = this.#block;
    const ends = core.filter(({ node }) => this.#results.has(node)).map(({ node }) => fusion.groupOf.get(node) as Group);
    const last = ends.reduce((a, b) => (a.id > b.id ? a : b));
    const members = [...core, ...ends.flatMap((group) => group.members.filter(({ role }) => role === 'elementwise'))];
    const group: Group = { id: last.id, mode, outer: last.outer, members, reads: new Set(), along: new Set() };
    const own = new Set<Node>(core.map(({ node }) => node));
    for (const member of members) {
      const isAfter = member.role === 'elementwise';
      for (const [node, accesses] of memberReads(member, group, this.#materialized, formed.forms)) {
        if (!own.has(node)) group.reads.add(node);
        // An element of what the group has in registers, where it is; what follows a product has that one's result and no more.
        else if (accesses.length > 1 || (isAfter ? fusion.groupOf.get(node) !== fusion.groupOf.get(member.node) : this.#results.has(node)))
          return undefined;
      }
    }
    const along = new Set(ends.flatMap((one) => [...one.along]));
    for (const node of group.reads) if (along.has(node)) group.along.add(node);
    return group;
  }

  #fusionWith(old: ReadonlySet<Group>, joined: readonly Group[]): Fusion | undefined {
    const { formed, fusion } = this.#block;
    const groupOf = new Map([...fusion.groupOf].filter(([node]) => !this.#parts.between.has(node)));
    const made = regrouped({ ...fusion, groupOf, materialized: this.#materialized }, old, joined, formed.forms);
    return made === undefined ? undefined : this.#withTurned(made, joined);
  }

  /** The same with what is made of results one by one, whichever way its axes lie: it need not read them from memory. */
  #withTurned(fusion: Fusion, joined: readonly Group[]): Fusion {
    const { formed } = this.#block;
    const taken = new Set<Group>();
    const larger = joined.map((group) => {
      const results = group.members.flatMap(({ role, node }) => (role === 'matmul' && this.#results.has(node) ? [node] : []));
      const turned = fusion.groups.filter((other) => results.some((node) => other.reads.has(node)) && this.#isTurned(other, group, fusion));
      if (turned.length === 0) return group;
      for (const one of [group, ...turned]) taken.add(one);
      const members = [...group.members, ...turned.flatMap((one) => one.members)];
      const own = new Set<Node>(members.map(({ node }) => node));
      const reads = [group, ...turned].flatMap((one) => [...one.reads]).filter((node) => !own.has(node));
      return { ...group, members, reads: new Set(reads) };
    });
    if (taken.size === 0) return fusion;
    return regrouped(fusion, taken, larger, formed.forms) ?? fusion;
  }

  #isTurned({ mode, members, reads }: Group, by: Group, fusion: Fusion): boolean {
    const { forms } = this.#block.formed;
    const own = new Set<Node>(by.members.map(({ node }) => node));
    const [result, ...others] = [...reads].filter((node) => own.has(node));
    if (mode !== 'elementwise' || result === undefined || others.length > 0) return false;
    for (const read of reads) {
      const other = fusion.groupOf.get(producer(read, forms));
      if (other !== undefined && other !== by && fusion.order.follows(other, by)) return false;
    }
    const isRead = (node: Node): boolean => reads.has(node);
    return members.every(({ node }) => turnOf(node as TensorNode, result as TensorNode, forms, isRead) !== undefined);
  }
}

/** `undefined` where groups would wait for each other. Each of `joined` stands where the one of its number stood. */
function regrouped(fusion: Fusion, old: ReadonlySet<Group>, joined: readonly Group[], forms: Forms): Fusion | undefined {
  const groups = fusion.groups.flatMap((group) => (old.has(group) ? joined.filter(({ id }) => id === group.id) : [group]));
  const groupOf = new Map(fusion.groupOf);
  for (const group of joined) for (const { role, node } of group.members) if (role !== 'again') groupOf.set(node, group);
  const order = new Precedence<Group>();
  for (const group of groups) order.add(group);
  for (const group of groups)
    for (const read of group.reads) {
      const other = groupOf.get(producer(read, forms));
      if (other === undefined || other === group) continue;
      if (order.follows(other, group)) return undefined;
      order.put(other, group);
    }
  // Neighbours that are one kernel now did not stay apart.
  const notes = fusion.notes.filter(({ node, neighbour }) => groupOf.get(node) !== groupOf.get(neighbour) || !groupOf.has(node));
  return { ...fusion, groups, groupOf, notes, order };
}

/* Note: scores that nobody stores.
   softmax(q kᵀ) v is a product, a row reduction and a product; scores and weights, a row for each query and a column for each key, go to
   memory in between. The group `flash` has all of them as members:

     group 2 flash [H, T, 64] reads %5, %7, %25
       matmul %10: f32[H, T, T]            s = q · k
       reduce %17: f32[H, T]               m = max s
       reduce %21: f32[H, T]               l = Σ exp(s − m)
       matmul %27: f32[H, T, 64]           y = Σ exp(s − m) / l · v

   and computes them tile of keys by tile of keys, with the maximum so far in the place of m: where a tile has a larger one, m', what was
   summed up is multiplied by exp(m − m'). The sum l is known at the end alone, so it divides the second product instead of the weights.
   Numerators are rounded where weights would be. All of that rounds otherwise than the three kernels do; the kernel IR that the schedule
   writes (`schedule/cuda/attention`) is what such a group means, and the kernel interpreter computes it.

   A derivative takes weights p = exp(s − m) / l once more, and the cotangents of scores, ds = p (dp − d), where dp = g · v are those of
   weights, g those of the result, and d is the sum of p dp over the keys of a row. All of them have the size of the scores, so the group of
   the derivative computes them again, from m and l, which the first one stores:

     group 8 flash-backward [H, T, 64] reads %5, %7, %30, %25, %17, %21, %27
       again %10: f32[H, T, T]             s
       matmul %33: f32[H, T, T]            dp
       reduce %37: f32[H, T]               d = Σ p dp, which is Σ g · y: see `RowSum`
       matmul %45: f32[H, T, 64]           ds · k
       matmul %47: f32[H, 64, T]           q · ds
       elementwise %48: f32[H, T, 64]      … as keys lie
       matmul %50: f32[H, T, 64]           pᵀ · g

   What sums over keys has blocks of queries, what sums over queries has blocks of keys. Whatever else takes weights, scores or their
   cotangents wants them stored, and all of it stays as many kernels as it was. */
