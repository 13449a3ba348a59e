// Training over a data set. In: what runs a step, data, batch size, epochs, where to start. Out: one record per epoch: means of the step's
// scalar results, weighted by rows; observers hear of every step. Holds: the same seed gives the same batches, wherever the run started;
// signals are heard between steps, because the loop pauses every few milliseconds.

import { reading } from '../../runtime/error.js';
import { type FeedValue, type Result, type Signal, TfcError } from '../../runtime/index.js';
import type { Batch } from './data/batches.js';
import type { Dataset, Pass } from './data/dataset.js';
import { beginning, type EpochRecord, type Position, type TrainEnd, type TrainObserver } from './observer.js';
import { Pauses } from './pauses.js';
import { learningRateOf, Means, requireFiniteLoss, type Scalars, scalarsOf } from './scalars.js';
import { requireOptions } from './train-options.js';

/**
 * What a step's runner is: `feeds => session.run(entry, feeds)`, or a bound entry.
 * @example
 * ```ts
 * const step: RunStep = (feeds) => session.run('train', { ...feeds, lr: 0.1 });
 * ```
 */
export type RunStep = (feeds: Readonly<Record<string, FeedValue>>) => Result | Promise<Result>;

/**
 * What `train` takes.
 * @example
 * ```ts
 * const options: TrainOptions = { data, batch: 50, epochs: 3, seed: 42, constant: { lr: 0.1 }, signal: AbortSignal.timeout(60_000) };
 * ```
 */
export interface TrainOptions {
  readonly data: Dataset;
  /** Rows per step. */
  readonly batch: number;
  readonly epochs: number;
  /** Of the order of the data. */
  readonly seed: number;
  /** Whether every epoch has an order of its own. Default true. */
  readonly shuffle?: boolean;
  /** What becomes of rows that fill no batch: a smaller last batch, or nothing. Default keep. */
  readonly rest?: Pass['rest'];
  /** Feeds that are the same in every step: a learning rate. */
  readonly constant?: Readonly<Record<string, FeedValue>>;
  /** Where an earlier run stopped. Default: the beginning. */
  readonly start?: Position;
  /** When aborted, the run ends after the step that is in progress. */
  readonly signal?: Signal;
  /** Whether a loss that is NaN or infinite is an error. Default true. */
  readonly stopOnNan?: boolean;
  /**
   * Called after every epoch; what it gives joins the means as `validation/NAME`. When `signal` is aborted meanwhile, the run ends before
   * this epoch does, and whoever goes on with it validates first.
   */
  readonly validate?: (epoch: number) => Scalars | Promise<Scalars>;
  readonly observers?: readonly TrainObserver[];
}

/**
 * Trains as its epochs are asked for.
 * @throws TfcError invalid-value for options that make no sense, at once; later not-finite, and what `run`, the data and observers throw.
 * @example
 * ```ts
 * const step = session.entry('train');
 * for await (const { epoch, means } of train((feeds) => step.run(feeds), { data, batch: 50, epochs: 3, seed: 42, constant: { lr: 0.1 } }))
 *   console.log(epoch, means['loss']);
 * ```
 */
export function train(run: RunStep, options: TrainOptions): AsyncGenerator<EpochRecord> {
  reading('The options of train', () => requireOptions(run, options));
  return new Loop(run, options).epochs();
}

class Loop {
  readonly #run: RunStep;
  readonly #options: TrainOptions;
  readonly #observers: readonly TrainObserver[];
  readonly #begin = performance.now();
  readonly #pauses = new Pauses();
  #steps: number | undefined;
  // The place behind the last step that is done: `#means` has what its epoch has so far.
  #epoch: number;
  #batch: number;
  #step: number;
  #means: Means;

  constructor(run: RunStep, options: TrainOptions) {
    const { data, batch, epochs, rest, observers = [], start = beginning } = options;
    this.#run = run;
    this.#options = options;
    this.#observers = observers;
    const perEpoch = data.rows === undefined ? undefined : rest === 'drop' ? Math.floor(data.rows / batch) : Math.ceil(data.rows / batch);
    this.#steps = perEpoch === undefined ? undefined : perEpoch * epochs;
    ({ epoch: this.#epoch, batch: this.#batch, step: this.#step } = start);
    this.#means = new Means(start);
  }

  async *epochs(): AsyncGenerator<EpochRecord> {
    let reason: TrainEnd['reason'] = 'stopped';
    try {
      while (this.#epoch <= this.#options.epochs) {
        const record = await this.#runEpoch();
        if (record === undefined) return;
        for (const { onEpoch } of this.#observers) onEpoch?.(record);
        yield record;
      }
      reason = 'done';
    } catch (error) {
      reason = 'failed';
      throw error;
    } finally {
      const end = { reason, position: this.#position(), wallTime: Date.now() / 1000, seconds: (performance.now() - this.#begin) / 1000 };
      for (const { onEnd } of this.#observers) onEnd?.(end);
    }
  }

  /** Undefined when the run shall end before the epoch does. */
  async #runEpoch(): Promise<EpochRecord | undefined> {
    const { data, batch, seed, shuffle = true, rest = 'keep', constant = {}, validate } = this.#options;
    const [epoch, from, before, begin] = [this.#epoch, this.#batch, this.#means.rows, performance.now()];
    let learningRate: number | undefined;
    const source = iteratorOf(data.batches({ epoch, seed, batch, shuffle, rest, from }));
    try {
      for (;;) {
        // A turn through the queue of promises takes longer than a small step: only what is not there yet is waited for.
        const given = source.next();
        const next = given instanceof Promise ? await given : given;
        if (next.done === true) break;
        if (this.#isStopped) return undefined;
        const result = this.#run({ ...constant, ...next.value.feeds });
        const scalars = this.#account(next.value, result instanceof Promise ? await result : result);
        learningRate = learningRateOf(scalars, constant);
        const now = performance.now();
        this.#tell(next.value, scalars, learningRate, now, perSecond(this.#means.rows - before, now - begin));
        if (this.#pauses.areDue(now)) await this.#pauses.pause();
      }
    } finally {
      const ended = source.return?.();
      if (ended instanceof Promise) await ended;
    }
    if (this.#isStopped) return undefined;
    if (this.#batch === 0)
      throw new TfcError('invalid-value', `There is no batch of ${batch} rows in the data.`, {
        hint: rest === 'drop' ? 'Rows that fill no batch are dropped: choose a smaller batch, or keep them.' : 'The data has no rows.',
      });
    this.#steps ??= (this.#step / epoch) * this.#options.epochs;
    const seconds = (performance.now() - begin) / 1000;
    const rows = this.#means.rows;
    const means = { ...this.#means.means(), ...prefixed(await validate?.(epoch)) };
    if (this.#isStopped) return undefined;
    [this.#epoch, this.#batch, this.#means] = [epoch + 1, 0, new Means()];
    return {
      epoch,
      steps: this.#step,
      seconds,
      rows,
      rowsPerSecond: perSecond(rows - before, seconds * 1000),
      learningRate,
      wallTime: Date.now() / 1000,
      means,
      position: this.#position(),
    };
  }

  /** It may become true while anything is waited for. */
  get #isStopped(): boolean {
    return this.#options.signal?.aborted === true;
  }

  #account({ rows }: Batch, result: Result): Scalars {
    const scalars = scalarsOf(result);
    if (this.#options.stopOnNan ?? true) requireFiniteLoss(scalars, this.#step + 1, this.#epoch);
    this.#step += 1;
    this.#batch += 1;
    this.#means.add(scalars, rows);
    return scalars;
  }

  #tell({ rows }: Batch, scalars: Scalars, learningRate: number | undefined, now: number, rowsPerSecond: number): void {
    for (const { onStep } of this.#observers)
      onStep?.({
        epoch: this.#epoch,
        step: this.#step,
        steps: this.#steps,
        rows,
        rowsPerSecond,
        scalars,
        learningRate,
        wallTime: Date.now() / 1000,
        seconds: (now - this.#begin) / 1000,
        position: () => this.#position(),
      });
  }

  #position(): Position {
    return { epoch: this.#epoch, batch: this.#batch, step: this.#step, rows: this.#means.rows, sums: this.#means.sums };
  }
}

const iteratorOf = (source: AsyncIterable<Batch> | Iterable<Batch>): AsyncIterator<Batch> | Iterator<Batch> =>
  Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();

const perSecond = (count: number, milliseconds: number): number => (milliseconds > 0 ? (count * 1000) / milliseconds : 0);

const prefixed = (scalars: Scalars = {}): Scalars =>
  Object.fromEntries(Object.entries(scalars).map(([name, value]) => [`validation/${name}`, value]));
