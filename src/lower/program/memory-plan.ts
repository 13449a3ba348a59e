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
  /** Of the first that it took, which was the largest. */
  readonly room: number;
  /** Lifetimes of what it holds, in order. */
  readonly #taken: Lifetime[] = [];

  constructor(number: number, room: number) {
    this.number = number;
    this.room = room;
  }

  /** The first lifetime that ends at `kernel` or later. */
  next(kernel: number): Lifetime | undefined {
    return this.#taken[this.#position(kernel)];
  }

  take(wanted: Wanted): void {
    const { first, bytes } = wanted;
    if (!this.bytes.some((one) => atLeast(one, bytes))) this.bytes.push(bytes);
    this.#taken.splice(this.#position(first), 0, wanted);
  }

  #position(kernel: number): number {
    return lowerBound(this.#taken, ({ last }) => last < kernel);
  }
}

/**
 * Slots for temporaries of one size, which are asked for in the order in which their lives begin: a slot that holds something then is not
 * looked at again before that has ended.
 */
class Search {
  /** The smallest first, of those the oldest. */
  readonly #ready: OpenSlot[];
  /** Those that hold something, the last to end first. */
  readonly #busy: { readonly slot: OpenSlot; readonly until: number }[] = [];

  constructor(slots: readonly OpenSlot[]) {
    this.#ready = [...slots].sort(bySize);
  }

  /** The slot that is free all that life; undefined: there is none. */
  find({ first, last }: Lifetime): OpenSlot | undefined {
    for (let top = this.#busy.at(-1); top !== undefined && top.until < first; top = this.#busy.at(-1)) {
      this.#busy.pop();
      const { slot } = top;
      this.#ready.splice(
        lowerBound(this.#ready, (one) => bySize(one, slot) < 0),
        0,
        slot,
      );
    }
    for (let at = 0; at < this.#ready.length;) {
      const slot = this.#ready[at] as OpenSlot;
      const next = slot.next(first);
      if (next === undefined || last < next.first) {
        this.#ready.splice(at, 1);
        this.hold(slot, last);
        return slot;
      }
      if (next.first > first) at++;
      else {
        this.#ready.splice(at, 1);
        this.hold(slot, next.last);
      }
    }
    return undefined;
  }

  /** The slot holds something until then. */
  hold(slot: OpenSlot, until: number): void {
    this.#busy.splice(
      lowerBound(this.#busy, (one) => one.until > until),
      0,
      { slot, until },
    );
  }
}

const bySize = (a: OpenSlot, b: OpenSlot): number => a.room - b.room || a.number - b.number;

/** Of the first of `sorted` that is not `before`. */
function lowerBound<T>(sorted: readonly T[], before: (one: T) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before(sorted[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Temporaries, the largest first, take the smallest slot that is free all their life; a new one only where none is free. */
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
  const all = [...lifetimes.values()].map((lifetime): Wanted => {
    const bytes = bytesOfRows(lifetime.buffer);
    return { ...lifetime, bytes, room: assumed(bytes) };
  });
  all.sort((a, b) => b.room - a.room || a.first - b.first || (a.buffer.name < b.buffer.name ? -1 : 1));
  const slots: OpenSlot[] = [];
  const slotOf = new Map<string, number>();
  let search = new Search(slots);
  for (const [at, wanted] of all.entries()) {
    if (wanted.room !== all[at - 1]?.room) search = new Search(slots);
    let slot = search.find(wanted);
    if (slot === undefined) {
      slot = new OpenSlot(slots.length, wanted.room);
      slots.push(slot);
      search.hold(slot, wanted.last);
    }
    slot.take(wanted);
    slotOf.set(wanted.buffer.name, slot.number);
  }
  return { slots: slots.map((one): ArenaSlot => ({ bytes: largest(one.bytes) })), slotOf };
}

/** Every value of the names (at least 0) makes `a` at least `b`: no term of the difference is negative. */
const atLeast = (a: Dim, b: Dim): boolean => a.key === b.key || a.sub(b).isNatural;

const largest = (sizes: readonly Dim[]): Dim[] =>
  sizes.filter((one, at) => !sizes.some((other, where) => where !== at && atLeast(other, one) && (!atLeast(one, other) || where < at)));

/* Note: what the plan holds.
   Lifetimes are intervals of kernels, packed by size. Unknown sizes are only partly ordered (12·M and 3072): they are compared at the size
   that the cost model assumes, and a slot is as large as the largest of what it may hold, so a plan that guessed wrong is still right, and
   never more than one slot for each. On every program and example the arena is within a tenth of the most that is alive in one kernel (or
   two kilobytes, where that is little), at sizes from 1 to 20640. An operand that dies in a kernel does not give its place to a result of
   the same kernel: generated code relies on the buffers of a kernel lying apart. */
