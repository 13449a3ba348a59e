// Many runs in one call. In: options as callers give them. Out: how often, and how feeds are cut into batches. Holds: reading options may
// run code of the caller's, so it is over before feeds are taken.
import type { EntrySpec, TensorSpec } from './abi/manifest.js';
import { TfcError, reading } from './error.js';
import { composed } from './names.js';
import type { Result } from './result.js';
import { shown } from './shown.js';

/**
 * How often, and on which rows of the feeds.
 * @example
 * ```ts
 * const options: StepsOptions = { batch: { B: 10 }, epochs: 3 };
 * const { series } = session.runSteps('train', { x, y, lr: 0.1 }, options);
 * ```
 */
export interface StepsOptions {
  /** How often the entry runs with the same feeds, at most 2²⁸ times. Default 1; not together with `batch`. */
  readonly steps?: number;
  /**
   * One free size and the value that it has in every step, e.g. `{ B: 50 }`: feeds whose first axis is that size are cut into pieces of so
   * many rows, one per step, the last one with what is left.
   */
  readonly batch?: Readonly<Record<string, number>>;
  /** How often all rows are gone through. Default 1; only with `batch`. */
  readonly epochs?: number;
}

/**
 * What steps gave that ran one after the other.
 * @example
 * ```ts
 * const { steps, series, last }: StepsResult = session.runSteps('train', { x, y, lr: 0.1 }, { steps: 100 });
 * console.log(steps, series['loss']?.at(-1), last);
 * ```
 */
export interface StepsResult {
  /** Steps that were run. */
  readonly steps: number;
  /** One value per step for every scalar output, by its path (`''` for a single result). */
  readonly series: Readonly<Record<string, Float64Array>>;
  /** The last step's result; undefined when no step was run. */
  readonly last: Result | undefined;
}

/** One size, and the value that it has in every step. */
export interface Cut {
  readonly name: string;
  readonly rows: number;
}

/** The size that is cut, and its rows per step. @throws TfcError invalid-value, unknown-dim. */
export function readBatch(entry: EntrySpec, batch: unknown): Cut {
  const [first, ...more] = reading('batch', () =>
    typeof batch === 'object' && batch !== null ? Object.entries(batch as Readonly<Record<string, unknown>>) : [],
  );
  if (first === undefined || more.length > 0) throw new TfcError('invalid-value', 'batch names one size, e.g. { B: 50 }.');
  const [name, rows] = [composed(first[0]), first[1]];
  const isFed = ({ shape }: TensorSpec): boolean =>
    shape.some((size) => typeof size !== 'number' && size.some(([, names]) => names.includes(name)));
  if (!entry.dims.includes(name) && !entry.feeds.some(isFed)) {
    throw new TfcError('unknown-dim', `${entry.name} has no free size ${name}.`, {
      hint: `It has ${entry.dims.join(', ') || 'none'}.`,
    });
  }
  if (typeof rows !== 'number' || !Number.isSafeInteger(rows) || rows < 1)
    throw new TfcError('invalid-value', `A batch has a positive whole number of rows, not ${shown(rows)}.`);
  const mixed = entry.feeds.find((feed) =>
    feed.shape.some(
      (size, axis) => typeof size !== 'number' && size.some(([, names]) => names.includes(name)) && !(axis === 0 && leads(feed, name)),
    ),
  );
  if (mixed !== undefined) {
    throw new TfcError(
      'invalid-value',
      `${name} cannot be cut into batches: feed ${mixed.name} uses it in another place than its first axis.`,
      { feed: mixed.name },
    );
  }
  return { name, rows };
}

/** True when the first axis of a feed is exactly the size `name`. */
export function leads(spec: TensorSpec, name: string): boolean {
  const first = spec.shape[0];
  if (first === undefined || typeof first === 'number' || first.length !== 1) return false;
  const [term] = first;
  return term !== undefined && term[0] === 1 && term[1].length === 1 && term[1][0] === name;
}

/** A count of steps or epochs. @throws TfcError invalid-value. */
export function requireCount(name: string, count: unknown): number {
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 && count <= mostSteps) return count;
  throw new TfcError('invalid-value', `${name} is a whole number from 0 to ${mostSteps}, not ${shown(count)}.`);
}

/** Nothing interrupts steps within native code, and every one leaves its scalar results: some seconds and gigabytes for the smallest. */
const mostSteps = 2 ** 28;
