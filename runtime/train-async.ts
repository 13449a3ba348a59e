// Training while everything else goes on. In: batches as they come, what to do with each. Out: how many steps were run, and the last
// result. Holds: no step begins before the one before has ended and what is called after it has returned; whatever ends it ends it between
// two steps; batches that are not read to their end are told so.
import { TfcError, reading } from './error.js';
import { type Feeds, requireFeeds } from './feed-slots.js';
import { readOptions, requireBoolean } from './options.js';
import { type Result, findNotFinite } from './result.js';
import { shown } from './shown.js';

/**
 * Feeds of one step after the other: an array of them, a generator, a stream.
 * @example
 * ```ts
 * async function* stream(): AsyncGenerator<Feeds> {
 *   for (let at = 0; at < 10; at++) yield { x, y, lr: 0.1 };
 * }
 * const batches: BatchesOfEpoch = stream();
 * await session.trainAsync(batches);
 * ```
 */
export type BatchesOfEpoch<Fed = Feeds> = Iterable<Fed> | AsyncIterable<Fed>;

/**
 * Batches of one epoch, or a function that is called for each epoch, counted from 1.
 * @example
 * ```ts
 * const batches: Batches = (epoch) => Array.from({ length: 10 }, () => ({ x, y, lr: 0.1 / epoch }));
 * await session.trainAsync(batches, { epochs: 3 });
 * ```
 */
export type Batches<Fed = Feeds> = BatchesOfEpoch<Fed> | ((epoch: number) => BatchesOfEpoch<Fed>);

/**
 * What is told of a step of `trainAsync`.
 * @example
 * ```ts
 * const onStep = ({ step, result }: TrainAsyncStep): void => console.log(step, result);
 * await session.trainAsync([{ x, y, lr: 0.1 }], { onStep });
 * ```
 */
export interface TrainAsyncStep<Value = Result> {
  /** From 1. */
  readonly epoch: number;
  /** From 1, over all epochs. */
  readonly step: number;
  readonly result: Value;
}

/**
 * What is told of an epoch of `trainAsync`.
 * @example
 * ```ts
 * const onEpoch = ({ epoch, steps, last }: TrainAsyncEpoch): void => console.log(epoch, steps, last);
 * await session.trainAsync([{ x, y, lr: 0.1 }], { onEpoch });
 * ```
 */
export interface TrainAsyncEpoch<Value = Result> {
  /** From 1. */
  readonly epoch: number;
  /** Steps of this epoch. */
  readonly steps: number;
  /** The result of its last step; undefined when it had none. */
  readonly last: Value | undefined;
}

/**
 * What training needs of an AbortSignal, whose own type programs may lack.
 * @example
 * ```ts
 * const signal: Signal = new AbortController().signal;
 * await session.trainAsync([{ x, y, lr: 0.1 }], { signal });
 * ```
 */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * What `trainAsync` takes.
 * @example
 * ```ts
 * const options: TrainAsyncOptions = { constant: { lr: 0.1 }, stopOnNan: true, onStep: ({ step, result }) => console.log(step, result) };
 * await session.trainAsync([{ x, y }], options);
 * ```
 */
export interface TrainAsyncOptions<Name extends string = string, Fed = Feeds, Value = Result> {
  /** The step to run. Default `train`. */
  readonly entry?: Name;
  /** Feeds that are the same in every step: a learning rate. What a batch feeds under the same name goes before. */
  readonly constant?: Partial<Fed>;
  /** How often `batches` is called. Default 1; more only where it is a function. */
  readonly epochs?: number;
  /** Ends training after the step that runs, or at once while a batch is awaited; the promise is rejected with its reason. */
  readonly signal?: Signal;
  /** Ends training with `not-finite` after a step whose result has a NaN or an infinity in it. Default false. */
  readonly stopOnNan?: boolean;
  /**
   * Called after each step, before anything else of the session begins, so that it may read and write variables. A promise is awaited
   * before the next step.
   */
  readonly onStep?: (step: TrainAsyncStep<Value>) => unknown;
  /** The same after each epoch. */
  readonly onEpoch?: (epoch: TrainAsyncEpoch<Value>) => unknown;
}

/**
 * What `trainAsync` gives.
 * @example
 * ```ts
 * const { steps, last }: TrainAsyncResult = await session.trainAsync([{ x, y }], { constant: { lr: 0.1 } });
 * ```
 */
export interface TrainAsyncResult<Value = Result> {
  /** Steps that were run, over all epochs. */
  readonly steps: number;
  /** The last step's result; undefined when no step was run. */
  readonly last: Value | undefined;
}

/** What training needs of its session. */
export interface Trainer {
  readonly run: <Value>(feeds: Feeds, after: (result: Result) => Value) => Promise<Awaited<Value>>;
  readonly inTurn: (body: () => unknown) => Promise<unknown>;
}

interface Training {
  readonly entry: string;
  readonly batchesOf: (epoch: number) => unknown;
  readonly constant: Feeds | undefined;
  readonly epochs: number;
  readonly signal: Signal | undefined;
  readonly stopOnNan: boolean;
  readonly onStep: TrainAsyncOptions['onStep'];
  readonly onEpoch: TrainAsyncOptions['onEpoch'];
}

/** @throws TfcError invalid-value, bad-data. */
export function readTrainAsync(batches: unknown, options: TrainAsyncOptions): Training {
  const {
    entry = 'train',
    constant,
    epochs = 1,
    signal,
    stopOnNan = false,
    onStep,
    onEpoch,
  } = readOptions(options, 'trainAsync', ['entry', 'constant', 'epochs', 'signal', 'stopOnNan', 'onStep', 'onEpoch']);
  requireBoolean(stopOnNan, 'stopOnNan');
  if (!Number.isSafeInteger(epochs) || epochs < 0)
    throw new TfcError('invalid-value', `epochs is a whole number of at least 0, not ${shown(epochs)}.`);
  if (typeof batches !== 'function' && epochs > 1)
    throw new TfcError('invalid-value', `${epochs} epochs need batches for each of them.`, {
      hint: 'Give a function: trainAsync((epoch) => batches, { epochs }).',
    });
  for (const [name, callback] of [
    ['onStep', onStep],
    ['onEpoch', onEpoch],
  ] as const) {
    if (callback !== undefined && typeof (callback as unknown) !== 'function')
      throw new TfcError('invalid-value', `${name} is a function, not ${shown(callback)}.`);
  }
  if (signal !== undefined && !isSignal(signal))
    throw new TfcError('invalid-value', `signal is an AbortSignal, not ${shown(signal)}.`, { hint: 'new AbortController().signal' });
  if (constant !== undefined) requireFeeds(constant);
  const batchesOf = typeof batches === 'function' ? (batches as (epoch: number) => unknown) : () => batches;
  return { entry, batchesOf, constant: constant as Feeds | undefined, epochs, signal, stopOnNan, onStep, onEpoch };
}

const isSignal = (signal: unknown): signal is Signal =>
  reading('The signal', () => typeof signal === 'object' && signal !== null && 'aborted' in signal && 'addEventListener' in signal);

export async function trainAsync(training: Training, trainer: Trainer): Promise<TrainAsyncResult> {
  let steps = 0;
  let last: Result | undefined;
  for (let epoch = 1; epoch <= training.epochs; epoch += 1) {
    const before = steps;
    let lastOfEpoch: Result | undefined;
    for await (const feeds of new Reader(training, epoch)) {
      steps += 1;
      lastOfEpoch = await runStep(training, trainer, feeds, epoch, steps);
    }
    if (steps > before) last = lastOfEpoch;
    const { onEpoch } = training;
    if (onEpoch !== undefined) await trainer.inTurn(() => onEpoch({ epoch, steps: steps - before, last: lastOfEpoch }));
    training.signal?.throwIfAborted();
  }
  return { steps, last };
}

async function runStep({ onStep, stopOnNan }: Training, trainer: Trainer, feeds: Feeds, epoch: number, step: number): Promise<Result> {
  // A promise of the callback is not awaited before the session may go on: what it waits for may be the session.
  const { result, called } = await trainer.run(feeds, (value) => ({ result: value, called: [onStep?.({ epoch, step, result: value })] }));
  await called[0];
  const found = stopOnNan ? findNotFinite(result) : undefined;
  if (found !== undefined)
    throw new TfcError('not-finite', `Step ${step}, in epoch ${epoch}: ${found.path || 'the result'} is ${found.value}.`, {
      actual: String(found.value),
    });
  return result;
}

/** Batches of one epoch, with what is constant; nothing of the caller's is waited for once the signal says so. */
class Reader implements AsyncIterable<Feeds> {
  readonly #training: Training;
  readonly #epoch: number;

  constructor(training: Training, epoch: number) {
    this.#training = training;
    this.#epoch = epoch;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Feeds> {
    const { batchesOf, signal } = this.#training;
    signal?.throwIfAborted();
    const iterator = await this.#reading(() => iteratorOf(batchesOf(this.#epoch)));
    let place: 'asked' | 'given' | 'ended' = 'asked';
    try {
      for (;;) {
        place = 'asked';
        const next = await this.#reading(() => iterator.next());
        place = next.done === true ? 'ended' : 'given';
        if (next.done === true) return;
        yield this.#withConstant(next.value);
        signal?.throwIfAborted();
      }
    } finally {
      if (place === 'given') await close(iterator);
      // Whoever is at work on a batch that nobody wants any more need not be waited for. Without the signal he failed.
      else if (place === 'asked' && signal?.aborted === true) void close(iterator);
    }
  }

  #withConstant(batch: unknown): Feeds {
    requireFeeds(batch);
    const { constant } = this.#training;
    return constant === undefined ? batch : reading('A batch', () => ({ ...constant, ...batch }));
  }

  /** @throws TfcError bad-data for what the caller's code throws, then as the cause; the signal's reason. */
  async #reading<Value>(body: () => Value): Promise<Awaited<Value>> {
    const { signal } = this.#training;
    try {
      const value = body();
      return await (signal === undefined ? value : orAborted(signal, value));
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof TfcError) throw cause;
      throw new TfcError('bad-data', `The batches cannot be read${cause instanceof Error ? `: ${cause.message}` : ''}.`, { cause });
    }
  }
}

type SomeIterator = Iterator<unknown> | AsyncIterator<unknown>;

function iteratorOf(batches: unknown): SomeIterator {
  const iterable = (typeof batches === 'object' && batches !== null ? batches : {}) as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  const iterator: unknown = iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]?.();
  if (typeof iterator === 'object' && iterator !== null && 'next' in iterator) return iterator as SomeIterator;
  throw new TfcError('invalid-value', `Batches are something to iterate over, or a function that gives it, not ${shown(batches)}.`, {
    hint: 'An array of feeds, a generator, a stream: trainAsync([{ x, y }]).',
  });
}

/** Tells who makes the batches that no more are wanted. What he fails at then is his own affair: there is an error already. */
async function close(iterator: SomeIterator): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // As said.
  }
}

/** What is awaited, unless the signal is aborted before: then its reason is thrown. */
async function orAborted<Value>(signal: Signal, value: Value): Promise<Awaited<Value>> {
  signal.throwIfAborted();
  if (!(value instanceof Promise)) return await value;
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      // The reason is the caller's and may be anything.

      reject(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([value, aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}
