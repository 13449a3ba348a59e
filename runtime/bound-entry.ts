// An entry bound to a session: the hot path. In: feeds. Out: results. Holds: arrays that were fed before are recognised and cost a comparison; sizes are solved only when shapes change; native code
// keeps addresses of arrays only while this object keeps the arrays, and their lengths are compared before every run, since an array whose memory was taken away has length 0.
import type { ElementType, EntrySpec, TensorSpec } from './abi/manifest.js';
import { type FeedValue, type Target, convert } from './convert.js';
import { type TypedArray, allocate, elementValue, elements, holds } from './element.js';
import { TfcError, suggestion } from './error.js';
import { type Handle, type Native, translate } from './native.js';
import { type Result, resultBuilder } from './result.js';
import { type Sizes, evaluate, sizeToString } from './size.js';
import { checkFacts, solveSizes } from './solve.js';
import { Tensor } from './tensor.js';
import type { Variables } from './variables.js';
import { placed } from './zeros.js';

export type Feeds = Readonly<Record<string, FeedValue>>;

/** Bytes from which results that are not kept lie in memory of their own, aligned for whole vectors and on huge pages; for smaller ones it takes longer to make than it gains. */
const largeResult = 2 ** 20;

/** What an entry needs of the session that it is bound to. */
export interface Host {
  readonly native: Native;
  readonly handle: Handle<'session'>;
  readonly variables: Variables;
  readonly closed: boolean;
}

export interface StepsOptions {
  /** How often the entry runs with the same feeds. Default 1; not together with `batch`. */
  readonly steps?: number;
  /**
   * One free size and the value that it has in every step, e.g. `{ B: 50 }`: feeds whose first axis is that size are cut into pieces of so many rows, one per step, the last one
   * with what is left.
   */
  readonly batch?: Readonly<Record<string, number>>;
  /** How often all rows are gone through. Default 1; only with `batch`. */
  readonly epochs?: number;
}

export interface StepsResult {
  /** Steps that were run. */
  readonly steps: number;
  /** One value per step for every scalar output, by its path (`''` for a single result). */
  readonly series: Readonly<Record<string, Float64Array>>;
  /** The last step's result; undefined when no step was run. */
  readonly last: Result | undefined;
}

interface FeedSlot {
  readonly spec: TensorSpec;
  readonly target: Target;
  /** Where a scalar lies: bound once. Undefined for tensors. */
  readonly cell: TypedArray | undefined;
  /** What is bound; kept alive here. */
  data: TypedArray | undefined;
  length: number;
  shape: readonly number[] | undefined;
  /** True when `data` is the caller's own array, alone or as a tensor's, so that it need not be looked at again. */
  direct: boolean;
}

interface OutputSlot {
  readonly spec: TensorSpec;
  readonly cell: TypedArray | undefined;
  data: TypedArray;
  shape: readonly number[];
  length: number;
}

export class BoundEntry {
  readonly spec: EntrySpec;
  readonly #host: Host;
  readonly #handle: Handle<'step'>;
  readonly #feeds: readonly FeedSlot[];
  readonly #outputs: readonly OutputSlot[];
  readonly #tensors: readonly number[];
  readonly #scalars: readonly number[];
  readonly #dims: Float64Array;
  readonly #reuse: boolean;
  readonly #build: () => Result;
  #solved = false;
  #sized = false;
  #ready = false;
  #written = false;

  /** `reuse`: tensors of every run's result share memory with those of the run before it. */
  constructor(host: Host, module: Handle<'module'>, entry: number, spec: EntrySpec, reuse: boolean) {
    this.spec = spec;
    this.#host = host;
    this.#reuse = reuse;
    this.#dims = new Float64Array(spec.dims.length);
    const cells = new ArrayBuffer(8 * (spec.feeds.length + spec.outputs.length));
    this.#feeds = spec.feeds.map((feed, at) => ({
      spec: feed,
      target: { kind: 'feed', name: feed.name, dtype: feed.dtype, shape: feed.shape },
      cell: feed.shape.length === 0 ? elements[feed.dtype].view(cells, 8 * at, 1) : undefined,
      data: undefined,
      length: -1,
      shape: undefined,
      direct: false,
    }));
    this.#outputs = spec.outputs.map((output, at) => {
      const cell = output.shape.length === 0 ? elements[output.dtype].view(cells, 8 * (spec.feeds.length + at), 1) : undefined;
      return { spec: output, cell, data: cell ?? allocate(output.dtype, 0), shape: [], length: cell === undefined ? -1 : 1 };
    });
    this.#scalars = spec.outputs.flatMap((output, at) => (output.shape.length === 0 ? [at] : []));
    this.#tensors = spec.outputs.flatMap((output, at) => (output.shape.length === 0 ? [] : [at]));
    this.#build = resultBuilder(
      spec.result,
      this.#outputs.map((output) => () => {
        const { dtype } = output.spec;
        return output.cell === undefined ? new Tensor(dtype, output.shape, output.data) : elementValue(dtype, output.cell, 0);
      }),
    );
    const { native } = host;
    const codes = this.#scalars.map((at) => elements[spec.outputs[at]?.dtype ?? 'f32'].code);
    const counts = Int32Array.of(spec.feeds.length, spec.outputs.length, spec.dims.length);
    this.#handle = native.createStep(host.handle, module, entry, counts, Int32Array.from(this.#scalars), Int32Array.from(codes));
    this.#feeds.forEach((feed, at) => feed.cell !== undefined && native.bindFeed(this.#handle, at, feed.cell));
    this.#outputs.forEach((output, at) => output.cell !== undefined && native.bindOutput(this.#handle, at, output.cell));
  }

  /**
   * One run. Denormal numbers count as zero inside.
   * @throws TfcError missing-feed, unknown-feed, shape-mismatch, dtype-mismatch, bad-data, unsatisfied-fact, uninitialized-variable, session-closed, out-of-memory, entry-failed.
   */
  run(feeds: Feeds = {}): Result {
    this.#begin(feeds);
    if (!this.#solved) this.#solve();
    this.#bindOutputs();
    let status: number;
    try {
      status = this.#host.native.run(this.#handle);
    } catch (error) {
      throw translate(error);
    }
    this.#finish(status);
    return this.#build();
  }

  /** Many runs within one call of native code; see StepsOptions. @throws as `run`, and invalid-value for options that do not fit. */
  runSteps(feeds: Feeds, options: StepsOptions = {}): StepsResult {
    const { batch, epochs = 1, steps = 1 } = options;
    if ((batch === undefined && options.epochs !== undefined) || (batch !== undefined && options.steps !== undefined)) {
      throw new TfcError('invalid-value', 'epochs goes with batch, and steps goes without it.');
    }
    for (const [name, count] of [['steps', steps], ['epochs', epochs]] as const) {
      if (!Number.isSafeInteger(count) || count < 0) throw new TfcError('invalid-value', `${name} is a whole number that is not negative, not ${count}.`);
    }
    this.#begin(feeds);
    if (batch === undefined) {
      if (!this.#solved) this.#solve();
      const series = new Float64Array(steps * this.#scalars.length);
      this.#repeat(steps, new Float64Array(this.#feeds.length), series);
      return this.#collect(steps, series);
    }
    return this.#runBatches(batch, epochs);
  }

  /** Bytes that the entry works in at the sizes of its last run, beside variables, feeds and outputs. */
  get workingBytes(): number {
    return this.#sized && !this.#host.closed ? this.#host.native.sizeStep(this.#handle, this.#dims) : 0;
  }

  close(): void {
    this.#host.native.close(this.#handle);
  }

  #begin(feeds: Feeds): void {
    if (this.#host.closed) throw new TfcError('session-closed', 'The session is closed.');
    this.#take(feeds);
    if (!this.#ready) {
      this.#host.variables.requireFor(this.spec);
      this.#ready = true;
    }
  }

  #take(feeds: Feeds): void {
    const slots = this.#feeds;
    for (let at = 0; at < slots.length; at += 1) {
      const slot = slots[at] as FeedSlot;
      const value = feeds[slot.spec.name];
      if (slot.direct && slot.data !== undefined && slot.data.length === slot.length && isBound(slot, value)) continue;
      if (slot.cell !== undefined && typeof value === 'number' && (slot.cell instanceof Float32Array || slot.cell instanceof Float64Array)) {
        slot.cell[0] = value;
        if (slot.length !== 1 || slot.shape?.length !== 0) this.#resolve(slot, 1, []);
        continue;
      }
      if (value === undefined || !Object.hasOwn(feeds, slot.spec.name)) {
        const known = this.spec.feeds.map((feed) => feed.name).join(', ');
        throw new TfcError('missing-feed', `${this.spec.name} needs a feed ${slot.spec.name}.`, { feed: slot.spec.name, hint: `It takes ${known}.` });
      }
      this.#accept(slot, at, value);
    }
    let count = 0;
    for (const name in feeds) count += name === '' ? 0 : 1;
    if (count !== slots.length) this.#refuseUnknown(feeds);
  }

  #accept(slot: FeedSlot, at: number, value: FeedValue): void {
    const { data, shape } = convert(slot.target, value);
    // The caller's array may change its shape array later: what is compared is our copy.
    const same = data.length === slot.length && (shape === undefined ? slot.shape === undefined : slot.shape !== undefined && equal(shape, slot.shape));
    if (!same) this.#resolve(slot, data.length, shape === undefined ? undefined : [...shape]);
    if (slot.cell !== undefined) {
      if (data.length === 1) copyFirst(slot.cell, data);
      return;
    }
    if (data !== slot.data || !same) this.#host.native.bindFeed(this.#handle, at, data);
    slot.data = data;
    // Flat arrays of bool are looked at every time, because each element has to be 0 or 1.
    slot.direct = (data === value || value instanceof Tensor) && holds(slot.spec.dtype, data) && slot.spec.dtype !== 'bool';
  }

  #resolve(slot: FeedSlot, length: number, shape: readonly number[] | undefined): void {
    slot.length = length;
    slot.shape = shape;
    this.#solved = false;
  }

  #refuseUnknown(feeds: Feeds): void {
    const known = this.spec.feeds.map((feed) => feed.name);
    const unknown = Object.keys(feeds).find((name) => !known.includes(name));
    if (unknown === undefined) return;
    const list = known.length === 0 ? 'It takes no feeds.' : `It takes ${known.join(', ')}.`;
    throw new TfcError('unknown-feed', `${this.spec.name} has no feed ${unknown}.`, { feed: unknown, hint: suggestion(unknown, known) ?? list });
  }

  #solve(): void {
    const sizes = solveSizes(this.spec, this.#feeds);
    this.#resize(sizes);
    this.#solved = true;
  }

  #resize(sizes: Sizes): void {
    checkFacts(this.spec, sizes);
    let changed = !this.#sized;
    this.spec.dims.forEach((name, at) => {
      const value = sizes.get(name) ?? 0;
      if (this.#dims[at] !== value) changed = true;
      this.#dims[at] = value;
    });
    if (!changed) return;
    this.#sized = false;
    for (const at of this.#tensors) {
      const output = this.#outputs[at] as OutputSlot;
      output.shape = output.spec.shape.map((size) => {
        const value = evaluate(size, sizes) ?? 0;
        if (value < 0) throw new TfcError('shape-mismatch', `${this.spec.name}: a result has the size ${sizeToString(size)}, which is ${value} here.`);
        return value;
      });
      output.length = output.shape.reduce((total, size) => total * size, 1);
    }
    try {
      this.#host.native.sizeStep(this.#handle, this.#dims);
    } catch (error) {
      throw translate(error);
    }
    this.#sized = true;
  }

  #bindOutputs(): void {
    for (const at of this.#tensors) {
      const output = this.#outputs[at] as OutputSlot;
      if (this.#reuse && output.data.length === output.length && output.length > 0) continue;
      output.data = this.#space(output.spec.dtype, output.length);
      this.#host.native.bindOutput(this.#handle, at, output.data);
    }
  }

  #space(dtype: ElementType, length: number): TypedArray {
    return this.#reuse || length * elements[dtype].bytes >= largeResult ? placed(this.#host.native, dtype, length) : allocate(dtype, length);
  }

  #finish(status: number): void {
    if (status !== 0) throw new TfcError('entry-failed', `${this.spec.name} stopped with status ${status}.`);
    if (this.#written) return;
    for (const at of this.spec.writes) this.#host.variables.markInitialized(at);
    this.#written = true;
  }

  #repeat(steps: number, strides: Float64Array, series: Float64Array): void {
    if (steps === 0) return;
    this.#bindOutputs();
    let status: number;
    try {
      status = this.#host.native.repeat(this.#handle, steps, strides, series);
    } catch (error) {
      throw translate(error);
    }
    this.#finish(status);
  }

  #runBatches(batch: Readonly<Record<string, number>>, epochs: number): StepsResult {
    const { name, rows } = this.#batchSize(batch);
    // All rows together give every other size; then the one that is cut gets its value per step.
    const whole = solveSizes(this.spec, this.#feeds);
    this.#solved = false;
    const total = whole.get(name) ?? 0;
    const full = Math.floor(total / rows);
    const rest = total - full * rows;
    const steps = (full + (rest > 0 ? 1 : 0)) * epochs;
    const width = this.#scalars.length;
    const series = new Float64Array(steps * width);
    const strides = Float64Array.from(this.#feeds, (slot) => (leads(slot.spec, name) && total > 0 ? (slot.length / total) * rows * elements[slot.spec.dtype].bytes : 0));
    const still = new Float64Array(this.#feeds.length);
    let done = 0;
    try {
      for (let epoch = 0; epoch < epochs; epoch += 1) {
        if (full > 0) {
          this.#resize(new Map([...whole, [name, rows]]));
          this.#moveFeeds(name, 0, total);
          this.#repeat(full, strides, series.subarray(done * width));
          done += full;
        }
        if (rest > 0) {
          this.#resize(new Map([...whole, [name, rest]]));
          this.#moveFeeds(name, full * rows, total);
          this.#repeat(1, still, series.subarray(done * width));
          done += 1;
        }
      }
    } finally {
      this.#moveFeeds(name, 0, total);
    }
    return this.#collect(steps, series);
  }

  /** Binds feeds that are cut so that they start at this row of so many. */
  #moveFeeds(name: string, row: number, total: number): void {
    this.#feeds.forEach((slot, at) => {
      if (slot.data === undefined || !leads(slot.spec, name)) return;
      this.#host.native.bindFeed(this.#handle, at, slot.data.subarray(total === 0 ? 0 : row * (slot.length / total)));
    });
  }

  #batchSize(batch: Readonly<Record<string, number>>): { readonly name: string; readonly rows: number } {
    const [first, ...more] = Object.entries(batch);
    if (first === undefined || more.length > 0) throw new TfcError('invalid-value', 'batch names one size, e.g. { B: 50 }.');
    const [name, rows] = first;
    if (!this.spec.dims.includes(name)) {
      throw new TfcError('unknown-dim', `${this.spec.name} has no free size ${name}.`, { hint: `It has ${this.spec.dims.join(', ') || 'none'}.` });
    }
    if (!Number.isSafeInteger(rows) || rows < 1) throw new TfcError('invalid-value', `A batch has a positive whole number of rows, not ${rows}.`);
    const mixed = this.spec.feeds.find((feed) => feed.shape.some((size, axis) => typeof size !== 'number' && size.some(([, names]) => names.includes(name)) && !(axis === 0 && leads(feed, name))));
    if (mixed !== undefined) {
      throw new TfcError('invalid-value', `${name} cannot be cut into batches: feed ${mixed.name} uses it in another place than its first axis.`, { feed: mixed.name });
    }
    return { name, rows };
  }

  #collect(steps: number, values: Float64Array): StepsResult {
    const width = this.#scalars.length;
    const series: Record<string, Float64Array> = {};
    this.#scalars.forEach((output, column) => {
      series[this.spec.outputs[output]?.name ?? ''] = width === 1 ? values : Float64Array.from({ length: steps }, (_, step) => values[step * width + column] ?? NaN);
    });
    return { steps, series, last: steps === 0 ? undefined : this.#build() };
  }
}

/** True when the first axis of a feed is exactly the size `name`. */
function leads(spec: TensorSpec, name: string): boolean {
  const first = spec.shape[0];
  if (first === undefined || typeof first === 'number' || first.length !== 1) return false;
  const [term] = first;
  return term !== undefined && term[0] === 1 && term[1].length === 1 && term[1][0] === name;
}

/** True for the array or tensor that was fed before. */
const isBound = ({ spec, data, shape }: FeedSlot, value: FeedValue | undefined): boolean =>
  shape === undefined ? value === data : value instanceof Tensor && value.data === data && value.dtype === spec.dtype && equal(value.shape, shape);

const equal = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((size, axis) => size === b[axis]);

function copyFirst(into: TypedArray, from: TypedArray): void {
  const value = from[0];
  if (into instanceof BigInt64Array) into[0] = typeof value === 'bigint' ? value : 0n;
  else into[0] = Number(value);
}
