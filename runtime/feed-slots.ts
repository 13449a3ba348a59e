// Feeds of a bound entry. In: what callers feed. Out: arrays bound to the native step, and what is known of their sizes. Holds: nothing is
// bound while code of the caller's may still run (getters, proxies, properties of its tensors); from then until the step has run, only the
// engine is asked about an array, so its memory is there and as long as it says. Where the caller's code may run during the step, what is
// bound are copies that nobody else has.
import type { EntrySpec, FeedSpec, TensorSpec } from './abi/manifest.js';
import { type FeedRecord, type FeedValue, type Target, convert, exact } from './convert.js';
import { type TypedArray, isWide, lengthOf, part } from './element.js';
import { TfcError, suggestion } from './error.js';
import { composed, composedMembers } from './names.js';
import { type Handle, type Native, translate } from './native.js';
import { shown } from './shown.js';
import { Tensor } from './tensor.js';
import { placed } from './zeros.js';

/**
 * What an entry is given, by names of its arguments.
 * @example
 * ```ts
 * const feeds: Feeds = { x, y, lr: 0.1 };
 * session.run('train', feeds);
 * ```
 */
export type Feeds = Readonly<Record<string, FeedValue | FeedRecord>>;

/** Feeds with the fields of records in the place of the records: `batch/x` for the x of `batch`. */
export function flattened(feeds: Feeds, specs: readonly { readonly name: string }[]): Feeds {
  const isRecord = (path: string): boolean => specs.some(({ name }) => name.startsWith(`${path}/`));
  const flat = new Map<string, FeedValue>();
  const add = (path: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Array.isArray(value) || !isRecord(path))
      flat.set(path, value as FeedValue);
    else for (const [name, field] of Object.entries(value)) add(`${path}/${composed(name)}`, field);
  };
  for (const [name, value] of Object.entries(feeds)) add(composed(name), value);
  return Object.fromEntries(flat);
}

export interface FeedSlot {
  readonly spec: FeedSpec;
  readonly target: Target;
  /** Where a scalar lies: bound once. Undefined for tensors. */
  readonly cell: TypedArray | undefined;
  /** What is bound; kept alive here. */
  data: TypedArray | undefined;
  length: number;
  /** Undefined: flat. */
  shape: readonly number[] | undefined;
  /** The caller's array or tensor that is bound as it stands. */
  fed: unknown;
  /** Of a run that is over: memory for the next copy. */
  spare: TypedArray | undefined;
}

/** Feeds that nobody else can change: one per slot. */
export interface CopiedFeeds {
  readonly taken: readonly Taken[];
}

/** What was fed for one slot, with no code of the caller's in it. */
interface Taken {
  readonly value: unknown;
  /** An array or a tensor, whose elements are bound. */
  asItStands: boolean;
  data: TypedArray | undefined;
  shape: readonly number[] | undefined;
}

export class FeedSlots {
  readonly slots: readonly FeedSlot[];
  readonly #entry: EntrySpec;
  readonly #native: Native;
  readonly #step: Handle<'step'>;
  /** Whether arguments are records, whose fields are slots. */
  readonly #hasRecords: boolean;
  /** Whether other arrays, or ones of other sizes, are bound than when this was last set to false. */
  rebound = true;
  resized = true;
  /** Calls of `take`: a getter may run the entry again. */
  #calls = 0;

  /** `cells`: one per scalar feed, by position. */
  constructor(native: Native, step: Handle<'step'>, entry: EntrySpec, cells: readonly (TypedArray | undefined)[]) {
    this.#native = native;
    this.#step = step;
    this.#entry = entry;
    this.#hasRecords = entry.feeds.some(({ name }) => name.includes('/'));
    this.slots = entry.feeds.map((feed, at) => ({
      spec: feed,
      target: { kind: 'feed', name: feed.name, dtype: feed.dtype, shape: feed.shape },
      cell: cells[at],
      data: undefined,
      length: -1,
      shape: undefined,
      fed: undefined,
      spare: undefined,
    }));
    this.slots.forEach(({ cell }, at) => cell !== undefined && native.bindFeed(step, at, cell));
  }

  /**
   * Takes values for all slots: reads them all, then converts what has to be converted, then binds.
   * @throws TfcError missing-feed, unknown-feed, dtype-mismatch, shape-mismatch, bad-data (also for what the caller's own code throws, then
   * as the cause), out-of-memory.
   */
  take(feeds: Feeds): void {
    this.#reading(() => {
      if (!this.#isBound(feeds)) this.#bindAll(this.#convertAll(feeds));
    });
  }

  /** Values for all slots as they are now, for a run that comes later; nothing is bound. @throws TfcError as `take`. */
  copy(feeds: Feeds): CopiedFeeds {
    return this.#reading(() => {
      const taken = this.#convertAll(feeds);
      // As in #bind, none of the caller's code may run from here on.
      this.slots.forEach((slot, at) => this.#copyInto(slot, taken[at] as Taken));
      return { taken };
    });
  }

  /** Binds what was copied. @throws TfcError bad-data for a bool that was neither 0 nor 1. */
  bindCopied({ taken }: CopiedFeeds): void {
    this.#bindAll(taken);
  }

  /** The run is over: copies that come later may take the place of these. */
  release({ taken }: CopiedFeeds): void {
    this.slots.forEach((slot, at) => {
      if (slot.cell === undefined) slot.spare = taken[at]?.data;
    });
  }

  #reading<Value>(body: () => Value): Value {
    try {
      return body();
    } catch (cause) {
      const error = translate(cause);
      if (error instanceof TfcError) throw error;
      throw new TfcError(
        'bad-data',
        `The feeds of ${this.#entry.name} cannot be read${cause instanceof Error ? `: ${cause.message}` : ''}.`,
        { cause },
      );
    }
  }

  /** Reads everything, and converts what has to be converted. */
  #convertAll(feeds: Feeds): readonly Taken[] {
    requireFeeds(feeds);
    const { slots } = this;
    const flat = this.#hasRecords ? flattened(feeds, this.#entry.feeds) : composedMembers(feeds);
    const taken = slots.map(({ spec }): Taken => {
      const value = flat[spec.name];
      return { value: value === undefined ? spec.initial : value, asItStands: false, data: undefined, shape: undefined };
    });
    this.#refuseUnknown(flat);
    slots.forEach((slot, at) => this.#prepare(slot, taken[at] as Taken, flat));
    return taken;
  }

  #bindAll(taken: readonly Taken[]): void {
    this.slots.forEach((slot, at) => this.#bind(slot, at, taken[at] as Taken));
  }

  #copyInto(slot: FeedSlot, taken: Taken): void {
    const { data, value } = taken;
    taken.asItStands = false;
    // What was made of numbers and nested arrays is nobody else's.
    if (data === undefined || typeof value !== 'object' || Array.isArray(value)) return;
    exact(slot.target, data);
    const { spare } = slot;
    slot.spare = undefined;
    const length = lengthOf(data);
    const copy = spare !== undefined && spare.length === length ? spare : placed(this.#native, slot.spec.dtype, length);
    // Both hold the slot's dtype.
    (copy as Float64Array).set(data as Float64Array);
    taken.data = copy;
  }

  /** The hot path: the arrays and tensors of the last call, and numbers. */
  #isBound(feeds: Feeds): boolean {
    if (typeof feeds !== 'object' || feeds === null) return false;
    const call = ++this.#calls;
    const { slots } = this;
    let omitted = 0;
    for (let at = 0; at < slots.length; at += 1) {
      const slot = slots[at] as FeedSlot;
      const fed: unknown = feeds[slot.spec.name];
      const value = fed === undefined ? slot.spec.initial : fed;
      if (fed === undefined && value !== undefined) omitted += 1;
      if (typeof value === 'number') {
        if (!takesNumbers(slot.cell) || slot.length !== 1 || slot.shape?.length !== 0) return false;
        slot.cell[0] = value;
      } else if (value === undefined || value !== slot.fed || (slot.shape !== undefined && !isSameTensor(value as Tensor, slot)))
        return false;
    }
    let count = 0;
    for (const name in feeds) count += name === '' ? 0 : 1;
    if (count + omitted !== slots.length || call !== this.#calls) return false;
    for (let at = 0; at < slots.length; at += 1) {
      const { data, length } = slots[at] as FeedSlot;
      if (data !== undefined && (length === 0 || lengthOf(data) !== length)) return false;
    }
    return true;
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
  #prepare({ spec, target }: FeedSlot, taken: Taken, feeds: Feeds): void {
    const { value } = taken;
    if (value === undefined || (spec.initial === undefined && !Object.hasOwn(feeds, spec.name))) {
      const known = this.#entry.feeds.map((feed) => feed.name).join(', ');
      throw new TfcError('missing-feed', `${this.#entry.name} needs a feed ${spec.name}.`, { feed: spec.name, hint: `It takes ${known}.` });
    }
    const { data, shape } = convert(target, value);
    // A proxy is asked for its prototype here, and not when it is too late.
    taken.asItStands = data === value || value instanceof Tensor;
    taken.data = data;
    taken.shape = shape;
  }

  /** None of the caller's code may run from here on. */
  #bind(slot: FeedSlot, at: number, { value, asItStands, data, shape }: Taken): void {
    if (data === undefined) return;
    // Since it was converted it may have lost its memory.
    exact(slot.target, data);
    const length = lengthOf(data);
    this.#size(slot, length, shape);
    if (slot.cell !== undefined) {
      if (length === 1) copyFirst(slot.cell, data);
      return;
    }
    // Elements of bool have to be 0 or 1: they are looked at every time.
    slot.fed = asItStands && slot.spec.dtype !== 'bool' ? value : undefined;
    if (data === slot.data) return;
    this.#native.bindFeed(this.#step, at, data);
    slot.data = data;
    this.rebound = true;
  }

  #size(slot: FeedSlot, length: number, shape: readonly number[] | undefined): void {
    if (length === slot.length && (shape === undefined ? slot.shape === undefined : slot.shape !== undefined && equal(shape, slot.shape)))
      return;
    slot.length = length;
    slot.shape = shape;
    this.resized = true;
  }

  #refuseUnknown(feeds: Feeds): void {
    const known = this.#entry.feeds.map((feed) => feed.name);
    const unknown = Object.keys(feeds).find((name) => name !== '' && !known.includes(name));
    if (unknown === undefined) return;
    const list = known.length === 0 ? 'It takes no feeds.' : `It takes ${known.join(', ')}.`;
    throw new TfcError('unknown-feed', `${this.#entry.name} has no feed ${unknown}.`, {
      feed: unknown,
      hint: suggestion(unknown, known) ?? list,
    });
  }
}

/** @throws TfcError bad-data for what has no names. */
export function requireFeeds(feeds: unknown): asserts feeds is Feeds {
  if (typeof feeds === 'object' && feeds !== null && !Array.isArray(feeds) && !ArrayBuffer.isView(feeds)) return;
  throw new TfcError(
    'bad-data',
    `Feeds are an object with a value per name, not ${ArrayBuffer.isView(feeds) ? 'an array' : shown(feeds)}.`,
    { hint: 'Call it with { x: …, y: … }.' },
  );
}

/** Reading its properties may run code of the caller's, too. */
const isSameTensor = (value: Tensor, { data, spec, shape = [] }: FeedSlot): boolean =>
  value.data === data && value.dtype === spec.dtype && Array.isArray(value.shape) && equal(value.shape, shape);

const takesNumbers = (cell: TypedArray | undefined): cell is Float32Array | Float64Array =>
  cell instanceof Float32Array || cell instanceof Float64Array;

function equal(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < b.length; axis += 1) if (a[axis] !== b[axis]) return false;
  return true;
}

function copyFirst(into: TypedArray, from: TypedArray): void {
  const value = from[0];
  if (isWide(into)) into[0] = typeof value === 'bigint' ? value : 0n;
  else into[0] = Number(value);
}
