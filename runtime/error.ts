// Failures that users of a compiled module see. In: a code, a sentence, what was expected. Out: an Error with these as properties.
// Holds: every failure that a caller can cause is one of these; its code says what kind it is and does not change with the wording;
// `internal-error` alone is ours.

import { editDistance } from './edit-distance.js';

/**
 * Codes of what goes wrong at run time.
 * @example
 * ```ts
 * const mine: readonly RuntimeCode[] = ['missing-feed', 'shape-mismatch', 'dtype-mismatch'];
 * ```
 */
export type RuntimeCode =
  | 'missing-feed'
  | 'unknown-feed'
  | 'unknown-fetch'
  | 'ambiguous-name'
  | 'ambiguous-size'
  | 'source-missing'
  | 'shape-mismatch'
  | 'dtype-mismatch'
  | 'unsatisfied-fact'
  | 'uninitialized-variable'
  | 'unknown-entry'
  | 'unknown-variable'
  | 'unknown-dim'
  | 'session-closed'
  | 'session-busy'
  | 'bad-artifact'
  | 'unsupported-processor'
  | 'bad-data'
  | 'invalid-value'
  | 'file-not-found'
  | 'file-not-written'
  | 'toolchain-missing'
  | 'out-of-memory'
  | 'no-device'
  | 'device-failed'
  | 'entry-failed'
  | 'index-out-of-range'
  | 'loop-limit'
  | 'not-finite'
  | 'other-run'
  | 'internal-error';

/**
 * What else a TfcError knows.
 * @example
 * ```ts
 * const details: ErrorDetails = { hint: 'Give an array of rows.', feed: 'x', expected: 'f32[B, 4]', actual: 'f32[4]' };
 * const mistake = new TfcError('shape-mismatch', 'Feed x is f32[4], expected f32[B, 4].', details);
 * ```
 */
export interface ErrorDetails {
  /** What the caller can do about it. */
  readonly hint?: string;
  /** Name of the feed in question. */
  readonly feed?: string;
  /** Path of the variable in question. */
  readonly variable?: string;
  /** What the entry declares, e.g. `f32[B, 784]`. */
  readonly expected?: string;
  /** What was given, e.g. `f32[32, 100]`. */
  readonly actual?: string;
  readonly cause?: unknown;
}

/**
 * A failure with a code. `message` is one sentence or two; `hint` is not part of it.
 * @example
 * ```ts
 * try {
 *   session.run('predict', { x: [[1, 2, 3]] });
 * } catch (error) {
 *   if (error instanceof TfcError) console.error(error.code, error.message, error.hint); // shape-mismatch …
 * }
 * ```
 */
export class TfcError extends Error {
  override readonly name: string = 'TfcError';
  /** One of the runtime's, or of the compiler's (src/base/codes.ts). */
  readonly code: RuntimeCode | (string & Record<never, never>);
  readonly hint: string | undefined;
  readonly feed: string | undefined;
  readonly variable: string | undefined;
  readonly expected: string | undefined;
  readonly actual: string | undefined;

  constructor(code: RuntimeCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.feed = details.feed;
    this.variable = details.variable;
    this.expected = details.expected;
    this.actual = details.actual;
  }
}

/** ` Did you mean …?` for a name that is close to one of `known`, else undefined. Closeness: at most a third of the letters differ. */
export function suggestion(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.ceil(name.length / 3) + 1;
  // Names of one letter are all near one another: only the other case may be meant.
  const candidates = name.length > 1 ? known : known.filter((candidate) => candidate.toLowerCase() === name.toLowerCase());
  for (const candidate of candidates) {
    if (Math.abs(name.length - candidate.length) >= least) continue;
    const distance = editDistance(name, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best === undefined ? undefined : `Did you mean ${best}?`;
}

/** Whether a value can name something to the system: text, not empty, without a zero in it. */
export const isText = (value: unknown): value is string => typeof value === 'string' && value !== '' && !value.includes('\0');

/**
 * Reads what a caller gave; what its getters and traps throw is the caller's mistake. @throws TfcError invalid-value, and those of `body`.
 */
export function reading<T>(what: string, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    if (cause instanceof TfcError) throw cause;
    throw new TfcError('invalid-value', `${what} cannot be read${cause instanceof Error ? `: ${cause.message}` : ''}.`, { cause });
  }
}
