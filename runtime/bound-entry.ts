// An entry bound to a session: the hot path. In: feeds. Out: results. Holds: arrays that were fed before are recognised and cost a
// comparison; sizes are solved only when shapes change; native code keeps addresses of arrays only while this object keeps the arrays, and
// no code of the caller's runs between looking at them (feed-slots.ts) and the end of the run.
import type { EntrySpec, TensorSpec } from './abi/manifest.js';
import { failedCheck } from './checked.js';
import { type TypedArray, elements, noRoom } from './element.js';
import { TfcError } from './error.js';
import { type CopiedFeeds, FeedSlots, type Feeds } from './feed-slots.js';
import { Guard } from './guard.js';
import { type Host, closed, requireIdle } from './host.js';
import { type Handle, translate, translating } from './native.js';
import { readOptions } from './options.js';
import { OutputSlots } from './output-slots.js';
import type { Result } from './result.js';
import type { Sizes } from './size.js';
import { checkFacts, solveSizes, withQuotients } from './solve.js';
import { type Cut, type StepsOptions, type StepsResult, leads, readBatch, requireCount } from './steps.js';

/**
 * An entry of a session, ready to be run again and again; `session.entry(name)` gives it.
 * @example
 * ```ts
 * const step: BoundEntry = session.entry('train');
 * for (let at = 0; at < 10; at++) step.run({ x, y, lr: 0.1 });
 * ```
 */
export class BoundEntry {
  readonly spec: EntrySpec;
  readonly #host: Host;
  readonly #handle: Handle<'step'>;
  readonly #feeds: FeedSlots;
  readonly #outputs: OutputSlots;
  /** Of an entry that looks for NaNs. */
  readonly #guard: Guard | undefined;
  /** Of an entry with checks: the number that does not fit. */
  readonly #said: TypedArray | undefined;
  /** Positions of scalar outputs. */
  readonly #scalars: readonly number[];
  readonly #dims: Float64Array;
  #sized = false;
  #ready = false;
  #written = false;

  /** `reuse`: tensors of a run's result share memory with those of an earlier run. */
  constructor(host: Host, module: Handle<'module'>, entry: number, spec: EntrySpec, reuse: boolean) {
    const { native } = host;
    this.spec = spec;
    this.#host = host;
    this.#dims = new Float64Array(spec.dims.length);
    const memory = new ArrayBuffer(8 * (spec.feeds.length + spec.outputs.length));
    const cells = [...spec.feeds, ...spec.outputs].map(({ dtype, shape }, at) =>
      shape.length === 0 ? elements[dtype].view(memory, 8 * at, 1) : undefined,
    );
    const { trap } = spec;
    const beside = new Set([trap?.output, spec.checks?.status, spec.checks?.said]);
    this.#scalars = spec.outputs.flatMap((output, at) => (output.shape.length === 0 && !beside.has(at) ? [at] : []));
    const codes = this.#scalars.map((at) => elements[spec.outputs[at]?.dtype ?? 'f32'].code);
    const counts = Int32Array.of(spec.feeds.length, spec.outputs.length, spec.dims.length);
    this.#handle = native.createStep(host.handle, module, entry, counts, Int32Array.from(this.#scalars), Int32Array.from(codes));
    this.#feeds = new FeedSlots(native, this.#handle, spec, cells);
    this.#outputs = new OutputSlots(native, this.#handle, spec, cells.slice(spec.feeds.length), reuse);
    this.#said = spec.checks === undefined ? undefined : cells[spec.feeds.length + spec.checks.said];
    const found = trap === undefined ? undefined : cells[spec.feeds.length + trap.output];
    this.#guard = trap === undefined || found === undefined ? undefined : new Guard(native, host.handle, host.variables, spec, trap, found);
  }

  /**
   * One run. Denormal numbers count as zero inside.
   * @throws TfcError missing-feed, unknown-feed, shape-mismatch, dtype-mismatch, bad-data, unsatisfied-fact, uninitialized-variable,
   * session-closed, out-of-memory, index-out-of-range, loop-limit, entry-failed.
   */
  run(feeds: Feeds = {}): Result {
    this.#begin(feeds);
    if (this.#feeds.resized) this.#solve();
    this.#bindOutputs();
    this.#guard?.remember();
    let status: number;
    try {
      status = this.#host.native.run(this.#handle);
    } catch (error) {
      throw translate(error);
    }
    this.#finish(status);
    return this.#outputs.build();
  }

  /**
   * One run on another thread, after all that was asked of the session before. Feeds are copied now; what they hold later does not matter.
   * Results are new arrays, also where they are reused otherwise.
   * @throws TfcError as `run`, by rejecting the promise.
   */
  runAsync(feeds: Feeds = {}): Promise<Result> {
    return this.runThen(feeds, (result) => result);
  }

  /** As `runAsync`; nothing else of the session begins before `after` has returned, which may call whatever does not wait. */
  async runThen<Value>(feeds: Feeds, after: (result: Result) => Value): Promise<Awaited<Value>> {
    if (this.#host.closed) throw closed();
    const copied = this.#feeds.copy(feeds);
    return this.#host.turns.take(async () => after(await this.#fly(copied)));
  }

  /** Many runs within one call of native code; see StepsOptions. @throws as `run`, and invalid-value for options that do not fit. */
  runSteps(feeds: Feeds, options: StepsOptions = {}): StepsResult {
    const { batch, epochs, steps } = readOptions(options, 'runSteps', ['batch', 'epochs', 'steps']);
    if (batch === undefined ? epochs !== undefined : steps !== undefined)
      throw new TfcError('invalid-value', 'epochs goes with batch, and steps goes without it.');
    const times = requireCount(batch === undefined ? 'steps' : 'epochs', (batch === undefined ? steps : epochs) ?? 1);
    // Reading options is over before feeds are taken: it may run code of the caller's.
    const cut = batch === undefined ? undefined : readBatch(this.spec, batch);
    this.#begin(feeds);
    if (cut !== undefined) return this.#runBatches(cut, times);
    if (this.#feeds.resized) this.#solve();
    const series = this.#series(times);
    this.#repeat(times, new Float64Array(this.spec.feeds.length), series);
    return this.#collect(times, series);
  }

  /** Bytes that the entry works in at the sizes of its last run, beside variables, feeds and outputs. */
  get workingBytes(): number {
    if (!this.#sized || this.#host.closed) return 0;
    requireIdle(this.#host);
    return this.#host.native.sizeStep(this.#handle, this.#dims);
  }

  /** @throws TfcError session-busy while it runs on another thread. */
  close(): void {
    translating(() => this.#host.native.close(this.#handle));
  }

  #begin(feeds: Feeds): void {
    requireIdle(this.#host);
    this.#feeds.take(feeds);
    // A getter of the feeds may have closed it, or may have started a step.
    requireIdle(this.#host);
    this.#requireReady();
  }

  #requireReady(): void {
    if (this.#ready) return;
    this.#host.variables.requireFor(this.spec);
    this.#ready = true;
  }

  /** One run on another thread, with what was copied. */
  async #fly(feeds: CopiedFeeds): Promise<Result> {
    const host = this.#host;
    requireIdle(host);
    this.#requireReady();
    this.#feeds.bindCopied(feeds);
    if (this.#feeds.resized) this.#solve();
    try {
      this.#outputs.bindNew();
    } catch (error) {
      throw withSizes(translate(error), this.#sizes());
    }
    this.#guard?.remember();
    let status: number;
    try {
      const landed = host.native.start(this.#handle);
      host.busy = true;
      status = await landed;
    } catch (error) {
      throw translate(error);
    } finally {
      host.busy = false;
      this.#feeds.release(feeds);
    }
    this.#finish(status);
    return this.#outputs.build();
  }

  #solve(): void {
    this.#resize(solveSizes(this.spec, this.#feeds.slots));
    this.#feeds.resized = false;
  }

  #resize(named: Sizes): void {
    checkFacts(this.spec, named);
    const sizes = withQuotients(this.spec, named);
    // Of those that speak of quotients nothing is known before there are any.
    if (sizes !== named) checkFacts(this.spec, sizes);
    let changed = !this.#sized;
    this.spec.dims.forEach((name, at) => {
      const value = sizes.get(name) ?? 0;
      if (this.#dims[at] !== value) changed = true;
      this.#dims[at] = value;
    });
    if (!changed) return;
    this.#sized = false;
    this.#outputs.resize(sizes);
    try {
      this.#host.native.sizeStep(this.#handle, this.#dims);
    } catch (error) {
      throw withSizes(translate(error), sizes);
    }
    this.#sized = true;
  }

  #bindOutputs(): void {
    try {
      this.#outputs.bind(this.#feeds.slots, this.#feeds.rebound);
    } catch (error) {
      throw withSizes(translate(error), this.#sizes());
    }
    this.#feeds.rebound = false;
  }

  #sizes(): Sizes {
    return new Map(this.spec.dims.map((name, at) => [name, this.#dims[at] ?? 0]));
  }

  #finish(status: number): void {
    if (status !== 0) throw this.#failed(status);
    this.#guard?.requireFinite();
    if (this.#written) return;
    for (const at of this.spec.writes) this.#host.variables.markInitialized(at);
    this.#written = true;
  }

  #failed(status: number): TfcError {
    const failed = failedCheck(this.spec, status, this.#said?.[0] ?? 0, this.#sizes());
    return failed ?? new TfcError('entry-failed', `${this.spec.name} stopped with status ${status}.`);
  }

  /** One value per step for every scalar output. */
  #series(steps: number): Float64Array {
    const length = steps * this.#scalars.length;
    try {
      return new Float64Array(length);
    } catch (error) {
      throw noRoom(8 * length, error);
    }
  }

  #repeat(steps: number, strides: Float64Array, series: Float64Array): void {
    if (steps === 0) return;
    this.#bindOutputs();
    const once = this.#atOnce(steps);
    for (let done = 0; done < steps; done += once) {
      this.#guard?.remember();
      let status: number;
      try {
        status = this.#host.native.repeat(this.#handle, once, strides, series.subarray(done * this.#scalars.length));
      } catch (error) {
        throw translate(error);
      }
      this.#finish(status);
    }
  }

  /** Steps after which is looked at what was found. */
  #atOnce(steps: number): number {
    return this.#guard === undefined ? steps : 1;
  }

  #runBatches({ name, rows }: Cut, epochs: number): StepsResult {
    // All rows together give every other size; then the one that is cut gets its value per step.
    const whole = solveSizes(this.spec, this.#feeds.slots);
    this.#feeds.resized = true;
    const total = whole.get(name) ?? 0;
    const full = Math.floor(total / rows);
    const rest = total - full * rows;
    const steps = requireCount('the number of steps', (full + (rest > 0 ? 1 : 0)) * epochs);
    const width = this.#scalars.length;
    const isCut = (spec: TensorSpec): boolean => leads(spec, name);
    const series = this.#series(steps);
    const strides = Float64Array.from(this.#feeds.slots, (slot) =>
      leads(slot.spec, name) && total > 0 ? (slot.length / total) * rows * elements[slot.spec.dtype].bytes : 0,
    );
    const still = new Float64Array(this.spec.feeds.length);
    let done = 0;
    try {
      for (let epoch = 0; epoch < epochs; epoch += 1) {
        if (full > 0) {
          this.#resize(new Map([...whole, [name, rows]]));
          const once = this.#atOnce(full);
          for (let at = 0; at < full; at += once) {
            this.#feeds.moveTo(isCut, at * rows, total);
            this.#repeat(once, strides, series.subarray(done * width));
            done += once;
          }
        }
        if (rest > 0) {
          this.#resize(new Map([...whole, [name, rest]]));
          this.#feeds.moveTo(isCut, full * rows, total);
          this.#repeat(1, still, series.subarray(done * width));
          done += 1;
        }
      }
    } finally {
      this.#feeds.moveTo(isCut, 0, total);
    }
    return this.#collect(steps, series);
  }

  #collect(steps: number, values: Float64Array): StepsResult {
    const width = this.#scalars.length;
    const series = this.#scalars.map(
      (output, column) =>
        [
          this.spec.outputs[output]?.name ?? '',
          width === 1 ? values : Float64Array.from({ length: steps }, (_, step) => values[step * width + column] ?? NaN),
        ] as const,
    );
    return { steps, series: Object.fromEntries(series), last: steps === 0 ? undefined : this.#outputs.build() };
  }
}

/** An error about memory, with the sizes that ask for it. */
function withSizes(error: unknown, sizes: Sizes): unknown {
  if (!(error instanceof TfcError) || error.code !== 'out-of-memory' || sizes.size === 0) return error;
  return new TfcError(
    'out-of-memory',
    `${error.message.replace(/\.$/, '')}: ${[...sizes].map(([name, value]) => `${name} = ${value}`).join(', ')}.`,
    { cause: error },
  );
}
