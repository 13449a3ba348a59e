// The memory plan. In: kernels in order. Out: one arena whose slots temporaries share. Holds: temporaries in one slot are never alive at
// the same time.

import type { Dim } from '../../base/index.js';
import type { ArenaPlan, ArenaSlot, Buffer, Kernel } from '../../kernel/index.js';
import { assumed } from '../fuse/cost-model.js';
import { bytesOfRows } from '../form/layout.js';

interface Lifetime {
  readonly buffer: Buffer;
  first: number;
  last: number;
}

interface Wanted extends Lifetime {
  readonly bytes: Dim;
  /** `bytes` at the sizes that the cost model assumes. */
  readonly room: number;
}

class OpenSlot {
  readonly number: number;
  readonly bytes: Dim[] = [];
  room = 0;
  /** Lifetimes of what it holds, in order. */
  readonly #taken: Lifetime[] = [];

  constructor(number: number) {
    this.number = number;
  }

  isFree({ first, last }: Lifetime): boolean {
    const next = this.#taken[this.#position(first)];
    return next === undefined || last < next.first;
  }

  take(wanted: Wanted): void {
    const { first, bytes, room } = wanted;
    if (!this.bytes.some((one) => atLeast(one, bytes))) this.bytes.push(bytes);
    this.room = Math.max(this.room, room);
    this.#taken.splice(this.#position(first), 0, wanted);
  }

  /** Of the first lifetime that ends at `kernel` or later. */
  #position(kernel: number): number {
    let [low, high] = [0, this.#taken.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#taken[middle] as Lifetime).last < kernel) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Temporaries, the largest first, take the slot that is free all their life and has to grow least, of those the smallest; a new one only
 * where none is free.
 */
export function planMemory(kernels: readonly Kernel[]): ArenaPlan {
  const lifetimes = new Map<string, Lifetime>();
  for (const [at, kernel] of kernels.entries()) {
    for (const buffer of kernel.buffers) {
      if (buffer.role.kind !== 'temporary') continue;
      const known = lifetimes.get(buffer.name);
      if (known === undefined) lifetimes.set(buffer.name, { buffer, first: at, last: at });
      else known.last = at;
    }
  }
  const slots: OpenSlot[] = [];
  const slotOf = new Map<string, number>();
  const all = [...lifetimes.values()].map((lifetime): Wanted => {
    const bytes = bytesOfRows(lifetime.buffer);
    return { ...lifetime, bytes, room: assumed(bytes) };
  });
  all.sort((a, b) => b.room - a.room || a.first - b.first || (a.buffer.name < b.buffer.name ? -1 : 1));
  for (const wanted of all) {
    const slot = best(slots, wanted) ?? open(slots);
    slot.take(wanted);
    slotOf.set(wanted.buffer.name, slot.number);
  }
  return { slots: slots.map((slot): ArenaSlot => ({ bytes: largest(slot.bytes) })), slotOf };
}

function open(slots: OpenSlot[]): OpenSlot {
  const slot = new OpenSlot(slots.length);
  slots.push(slot);
  return slot;
}

/** Every value of the names (at least 0) makes `a` at least `b`: no term of the difference is negative. */
const atLeast = (a: Dim, b: Dim): boolean => a.sub(b).isNatural;

/** Growing a slot is never more than opening one, whatever the sizes turn out to be: a slot is as large as the largest of what it holds. */
function best(slots: readonly OpenSlot[], wanted: Wanted): OpenSlot | undefined {
  let found: OpenSlot | undefined;
  const growth = ({ room }: OpenSlot): number => Math.max(0, wanted.room - room);
  for (const slot of slots) {
    const isBetter = found === undefined || growth(slot) < growth(found) || (growth(slot) === growth(found) && slot.room < found.room);
    if (isBetter && slot.isFree(wanted)) found = slot;
  }
  return found;
}

const largest = (sizes: readonly Dim[]): Dim[] =>
  sizes.filter((one, at) => !sizes.some((other, where) => where !== at && atLeast(other, one) && (!atLeast(one, other) || where < at)));

/* Note: what the plan holds.
   Lifetimes are intervals of kernels, packed by size. Unknown sizes are only partly ordered (12·M and 3072): they are compared at the size
   that the cost model assumes, and a slot is as large as the largest of what it may hold, so a plan that guessed wrong is still right, and
   never more than one slot for each. On every program and example the arena is within a tenth of the most that is alive in one kernel (or
   two kilobytes, where that is little), at sizes from 1 to 20640. An operand that dies in a kernel does not give its place to a result of
   the same kernel: generated code relies on the buffers of a kernel lying apart. */
