// The state of a running program. In: memories. Out: what generated source asks of it. Holds: numbers of loop iterations only grow, and
// start above 0; a slot of the arena belongs to the temporary that was stored last, and what the one before held is gone.

import type { Place, Memory } from './memory.js';
import { trouble } from './memory.js';

export type Mark = `${'parallel' | 'warps' | 'vector' | 'touched'} ${'writers' | 'readers'}`;

export class KernelState {
  readonly memories: readonly Memory[];
  /** The number of the next iteration of a checked loop. */
  clock = 1;
  /** The number of the first iteration behind the last barrier. */
  behind = 1;
  /** Elements that copies are on the way to, in groups: the id of their memory, and where. */
  #copies: { readonly id: number; readonly at: number }[][] = [[]];
  /** What products under way read, in groups: the id of its memory, where, and when. */
  #products: { readonly id: number; readonly places: Int32Array; readonly since: number }[][] = [[]];
  /** The number of the kernel that is running, from 1 on. */
  kernel = 0;
  /** Slot → id of the memory that has it. */
  readonly owners: (number | undefined)[] = [];
  readonly #places: readonly Place[];
  readonly #marks = new Map<string, Float64Array>();
  /** Id of a memory that lost its slot → id of the one that took it. */
  readonly #lost = new Map<number, number>();

  constructor(places: readonly Place[], memories: readonly Memory[]) {
    this.#places = places;
    this.memories = memories;
  }

  /** Per element of a memory the iteration that last wrote or read it. */
  marks(kind: Mark, id: number): Float64Array {
    const key = `${kind} ${id}`;
    const marks = this.#marks.get(key) ?? new Float64Array(this.memories[id]?.data.length ?? 0);
    this.#marks.set(key, marks);
    return marks;
  }

  /** Shared memory of a block that begins. */
  share(id: number): void {
    this.memories[id]?.written?.fill(0);
    this.#copies = [[]];
    this.#products = [[]];
    this.barrier();
  }

  barrier(): void {
    this.behind = this.clock;
  }

  copied(id: number, at: number): void {
    (this.memories[id]?.written as Uint8Array)[at] = 0;
    this.#copies.at(-1)?.push({ id, at });
  }

  commit(): void {
    this.#copies.push([]);
  }

  /** What was waited for is as if it were written now: others see it behind a barrier. */
  wait(open: number): void {
    const done = this.#copies.splice(0, Math.max(0, this.#copies.length - 1 - open));
    const now = this.clock++;
    for (const { id, at } of done.flat()) {
      (this.memories[id]?.written as Uint8Array)[at] = 1;
      this.marks('vector writers', id)[at] = now;
    }
  }

  /** A product has begun to read these elements. */
  multiplying(id: number, places: Int32Array, since: number): void {
    this.#products.at(-1)?.push({ id, places, since });
  }

  /** What products read that are done now is as if it were read now: others may change it behind a barrier, and not before. */
  settle(open: number, site: string): void {
    this.#products.push([]);
    const done = this.#products.splice(0, Math.max(0, this.#products.length - 1 - open));
    const now = this.clock++;
    for (const { id, places, since } of done.flat()) {
      const [writers, readers] = [this.marks('vector writers', id), this.marks('vector readers', id)];
      for (const at of places) {
        if ((writers[at] as number) > since) throw trouble(`element ${at} of ${this.#name(id)} is written while it is multiplied; ${site}`);
        readers[at] = now;
      }
    }
  }

  takeOver(slot: number, id: number): void {
    const before = this.owners[slot];
    this.owners[slot] = id;
    this.#lost.delete(id);
    if (before === undefined) return;
    this.memories[before]?.written?.fill(0);
    this.#lost.set(before, id);
  }

  outOfBounds(site: string, access: string, axis: number, at: number, size: number): never {
    throw trouble(`${access} is out of bounds: axis ${axis} is ${at} and has ${size} elements; ${site}`);
  }

  overLimit(site: string, extent: number, limit: number): never {
    throw trouble(`the extent ${extent} is above the limit ${limit}; ${site}`);
  }

  belowLeast(site: string, extent: number, least: number): never {
    throw trouble(`the extent ${extent} is below the least ${least}; ${site}`);
  }

  unwritten(site: string, id: number, at: number): never {
    const taker = this.#lost.get(id);
    const why = taker === undefined ? 'that nothing wrote' : `that is gone since ${this.#name(taker)} took its slot of the arena`;
    throw trouble(`element ${at} of ${this.#name(id)} is read ${why}; ${site}`);
  }

  race(site: string, level: 'parallel' | 'warps' | 'vector', how: 'written' | 'read'): never {
    throw trouble(`an element is ${how} by another iteration of the ${level} loop; ${site}`);
  }

  #name(id: number): string {
    return this.#places.find((place) => place.id === id)?.buffer.name ?? `memory ${id}`;
  }
}
