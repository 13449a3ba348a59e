// How a session runs, as callers say it. In: options. Out: all of them, read. Holds: what is no option, or has no such value, is refused as
// `invalid-value`.

import { availableParallelism } from 'node:os';
import { TfcError } from './error.js';
import { readOptions, requireBoolean } from './options.js';
import { shown } from './shown.js';

/**
 * How a session runs.
 * @example
 * ```ts
 * const options: SessionOptions = { seed: 42, threads: 2, summaries: true };
 * using session = model.session(options);
 * ```
 */
export interface SessionOptions {
  /** Seed of random initial values: an integer that fits 64 bits. Default 0. */
  readonly seed?: number | bigint;
  /** Threads that compute, the caller included. Default: as many as there are processors for this process. Results do not depend on it. */
  readonly threads?: number;
  /**
   * Where entries run and variables lie: `cpu`, a GPU by its number (`cuda:0`), or `auto`: the first GPU, where the module was compiled for
   * GPUs and there is one, else this machine's processors. Default `auto`.
   */
  readonly device?: 'auto' | 'cpu' | `cuda:${number}`;
  /** Whether variables get their declared initial values now. Default true. */
  readonly initialize?: boolean;
  /** Whether what `summary` statements of steps say is recorded, for `summaries()`. Default false: then they cost nothing. */
  readonly summaries?: boolean;
  /**
   * Whether entries look for NaNs and infinities: one that is made of numbers which are none is `not-finite`, names the line, and leaves
   * variables as they were. Such entries are compiled when they are first run, and are slower. Default false.
   */
  readonly trapNan?: boolean;
}

/** @throws TfcError invalid-value. */
export function readSessionOptions(options: SessionOptions): Required<SessionOptions> & { readonly seed: bigint } {
  const {
    threads = availableParallelism(),
    initialize = true,
    seed = 0,
    summaries = false,
    trapNan = false,
    device = 'auto',
  } = readOptions(options, 'session', ['threads', 'device', 'initialize', 'seed', 'summaries', 'trapNan']);
  requireBoolean(initialize, 'initialize');
  requireBoolean(summaries, 'summaries');
  requireBoolean(trapNan, 'trapNan');
  if (!Number.isSafeInteger(threads) || threads < 1 || threads > 1024)
    throw new TfcError('invalid-value', `A session has 1 to 1024 threads, not ${shown(threads)}.`);
  return { threads, device, initialize, seed: seedOf(seed), summaries, trapNan };
}

/** @throws TfcError invalid-value for anything but an integer of 64 bits. */
export function seedOf(seed: unknown): bigint {
  const integer = typeof seed === 'number' && Number.isSafeInteger(seed) ? BigInt(seed) : typeof seed === 'bigint' ? seed : undefined;
  if (integer === undefined || integer < -(2n ** 63n) || integer >= 2n ** 64n)
    throw new TfcError('invalid-value', `A seed is an integer of at most 64 bits, not ${shown(seed)}.`);
  return BigInt.asIntN(64, integer);
}
