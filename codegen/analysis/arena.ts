// Where the slots of an arena lie. In: an arena plan. Out: the kinds of slots, and of each slot its kind and its number among those.
// Holds: slots of one size follow each other, so an address takes one product and one sum however many slots there are.

import type { ArenaPlan } from '../../src/kernel/index.js';

export interface SlotKind {
  /** The largest of these, rounded up to 64, is the size of each. */
  readonly bytes: ArenaPlan['slots'][number]['bytes'];
  count: number;
}

export interface ArenaLayout {
  readonly kinds: readonly SlotKind[];
  readonly slots: readonly { readonly kind: number; readonly number: number }[];
}

export function layArena({ slots }: ArenaPlan): ArenaLayout {
  const kinds: SlotKind[] = [];
  const known = new Map<string, number>();
  const laid = slots.map(({ bytes }) => {
    const key = bytes.map((size) => size.key).join();
    let kind = known.get(key);
    if (kind === undefined) {
      known.set(key, (kind = kinds.length));
      kinds.push({ bytes, count: 0 });
    }
    return { kind, number: (kinds[kind] as SlotKind).count++ };
  });
  return { kinds, slots: laid };
}
