// Where the slots of an arena lie: slots of one size follow each other, so an address takes one product and one sum however many slots
// there are (see the note at the end). In: an arena plan. Out: the kinds of slots, and of each slot its kind and its number among those.
// Holds: every slot has a place of its own; one size is one kind.

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

/* Note: kinds of slots.
   Slots of a program, and where they lie:

     slot 0: 28672                      kind 0, number 0: at 0
     slot 1: 4*N                        kind 1, number 0: at 2 * 28672
     slot 2: 28672                      kind 0, number 1: at 28672

   A deep model has hundreds of slots of few sizes; sums over all slots before one would be computed in every call. Shown by "sizes
   polynomials and slots shared by several temporaries" in test/codegen/control.test.ts. */
