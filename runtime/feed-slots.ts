// Feeds of a bound entry. In: what callers feed. Out: arrays bound to the native step, and what is known of their sizes. Holds: nothing is bound while code of the caller's may still run (getters,
// proxies, properties of its tensors); from then until the step has run, only the engine is asked about an array, so its memory is there and as long as it says.
import type { EntrySpec, TensorSpec } from './abi/manifest.js';
import { type FeedValue, type Target, convert, exact } from './convert.js';
import { type TypedArray, lengthOf, part } from './element.js';
import { TfcError, suggestion } from './error.js';
import type { Handle, Native } from './native.js';
import { shown } from './shown.js';
import { Tensor } from './tensor.js';

export type Feeds = Readonly<Record<string, FeedValue>>;

export interface FeedSlot {
  readonly spec: TensorSpec;
  readonly target: Target;
  /** Where a scalar lies: bound once. Undefined for tensors. */
  readonly cell: TypedArray | undefined;
  /** What is bound; kept alive here. */
  data: TypedArray | undefined;
  length: number;
  /** Undefined: flat. */
  shape: readonly number[] | undefined;
}

/** What was fed for one slot, with no code of the caller's in it. */
interface Taken {
  value: unknown;
  /** A typed array; undefined for a number that goes into the slot's cell as it is. */
  data: TypedArray | undefined;
  shape: readonly number[] | undefined;
}

export class FeedSlots {
  readonly slots: readonly FeedSlot[];
  readonly #entry: EntrySpec;
  readonly #native: Native;
  readonly #step: Handle<'step'>;
  /** Whether other arrays, or ones of other sizes, are bound than when this was last set to false. */
  rebound = true;
  resized = true;
  /** Undefined while it is in use: a getter may run the entry again. */
  #scratch: readonly Taken[] | undefined;

  /** `cells`: one per scalar feed, by position. */
  constructor(native: Native, step: Handle<'step'>, entry: EntrySpec, cells: readonly (TypedArray | undefined)[]) {
    this.#native = native;
    this.#step = step;
    this.#entry = entry;
    this.slots = entry.feeds.map((feed, at) => ({
      spec: feed,
      target: { kind: 'feed', name: feed.name, dtype: feed.dtype, shape: feed.shape },
      cell: cells[at],
      data: undefined,
      length: -1,
      shape: undefined,
    }));
    this.slots.forEach(({ cell }, at) => cell !== undefined && native.bindFeed(step, at, cell));
  }

  /**
   * Takes values for all slots: reads them all, then converts what has to be converted, then binds.
   * @throws TfcError missing-feed, unknown-feed, dtype-mismatch, shape-mismatch, bad-data, out-of-memory; what code of the caller's throws.
   */
  take(feeds: Feeds): void {
    const { slots } = this;
    const taken = this.#scratch ?? slots.map((): Taken => ({ value: undefined, data: undefined, shape: undefined }));
    this.#scratch = undefined;
    requireFeeds(feeds);
    for (let at = 0; at < slots.length; at += 1) (taken[at] as Taken).value = feeds[(slots[at] as FeedSlot).spec.name];
    let count = 0;
    for (const name in feeds) count += name === '' ? 0 : 1;
    for (let at = 0; at < slots.length; at += 1) this.#prepare(slots[at] as FeedSlot, taken[at] as Taken, feeds);
    if (count !== slots.length) this.#refuseUnknown(feeds);
    for (let at = 0; at < slots.length; at += 1) this.#bind(slots[at] as FeedSlot, at, taken[at] as Taken);
    this.#scratch = taken;
  }

  /** Binds every cut feed from `row` on, where all of them have `total` rows. */
  moveTo(isCut: (spec: TensorSpec) => boolean, row: number, total: number): void {
    this.slots.forEach(({ data, length, spec }, at) => {
      if (data === undefined || !isCut(spec)) return;
      const width = total === 0 ? 0 : length / total;
      this.#native.bindFeed(this.#step, at, part(spec.dtype, data, row * width, length - row * width));
    });
  }

  /** Everything that may run code of the caller's. */
  #prepare(slot: FeedSlot, taken: Taken, feeds: Feeds): void {
    const { value } = taken;
    taken.data = undefined;
    taken.shape = undefined;
    if (typeof value === 'number' && takesNumbers(slot.cell)) return;
    if (value instanceof Tensor) {
      const { data, dtype, shape } = value;
      if (data === slot.data && dtype === slot.spec.dtype && slot.shape !== undefined && Array.isArray(shape) && equal(shape, slot.shape)) {
        taken.data = data;
        taken.shape = slot.shape;
        return;
      }
    } else if (ArrayBuffer.isView(value) && value === slot.data) {
      taken.data = slot.data;
      return;
    }
    if (value === undefined || !Object.hasOwn(feeds, slot.spec.name)) {
      const known = this.#entry.feeds.map((feed) => feed.name).join(', ');
      throw new TfcError('missing-feed', `${this.#entry.name} needs a feed ${slot.spec.name}.`, { feed: slot.spec.name, hint: `It takes ${known}.` });
    }
    const { data, shape } = convert(slot.target, value);
    taken.data = data;
    taken.shape = shape;
  }

  /** None of the caller's code may run from here on. */
  #bind(slot: FeedSlot, at: number, taken: Taken): void {
    const { data, shape, value } = taken;
    taken.value = undefined;
    taken.data = undefined;
    if (data === undefined) {
      if (slot.cell !== undefined && typeof value === 'number') slot.cell[0] = value;
      this.#size(slot, 1, []);
      return;
    }
    const length = lengthOf(data);
    // Since it was looked at it may have lost its memory; elements of bool have to be 0 or 1, every time.
    if (data !== slot.data || length !== slot.length || length === 0 || slot.spec.dtype === 'bool') exact(slot.target, data);
    this.#size(slot, length, shape);
    if (slot.cell !== undefined) {
      if (length === 1) copyFirst(slot.cell, data);
    } else if (data !== slot.data) {
      this.#native.bindFeed(this.#step, at, data);
      slot.data = data;
      this.rebound = true;
    }
  }

  #size(slot: FeedSlot, length: number, shape: readonly number[] | undefined): void {
    if (length === slot.length && (shape === undefined ? slot.shape === undefined : slot.shape !== undefined && equal(shape, slot.shape))) return;
    slot.length = length;
    slot.shape = shape;
    this.resized = true;
  }

  #refuseUnknown(feeds: Feeds): void {
    const known = this.#entry.feeds.map((feed) => feed.name);
    const unknown = Object.keys(feeds).find((name) => !known.includes(name));
    if (unknown === undefined) return;
    const list = known.length === 0 ? 'It takes no feeds.' : `It takes ${known.join(', ')}.`;
    throw new TfcError('unknown-feed', `${this.#entry.name} has no feed ${unknown}.`, { feed: unknown, hint: suggestion(unknown, known) ?? list });
  }
}

/** @throws TfcError bad-data for what has no names. */
export function requireFeeds(feeds: unknown): asserts feeds is Feeds {
  if (typeof feeds === 'object' && feeds !== null && !Array.isArray(feeds) && !ArrayBuffer.isView(feeds)) return;
  throw new TfcError('bad-data', `Feeds are an object with a value per name, not ${ArrayBuffer.isView(feeds) ? 'an array' : shown(feeds)}.`, { hint: 'Call it with { x: …, y: … }.' });
}

const takesNumbers = (cell: TypedArray | undefined): cell is Float32Array | Float64Array => cell instanceof Float32Array || cell instanceof Float64Array;

const equal = (a: readonly number[], b: readonly number[]): boolean => a === b || (a.length === b.length && a.every((size, axis) => size === b[axis]));

function copyFirst(into: TypedArray, from: TypedArray): void {
  const value = from[0];
  if (into instanceof BigInt64Array) into[0] = typeof value === 'bigint' ? value : 0n;
  else into[0] = Number(value);
}
