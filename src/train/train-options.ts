// What `train` was given. In: anything. Out: nothing, or what is wrong with it. Holds: what passes here makes sense to the loop; data that
// others implement is asked for its members only.

import { namesOf, requireKnown } from '../../runtime/options.js';
import { shown } from '../../runtime/shown.js';
import { TfcError } from '../../runtime/index.js';
import { beginning } from './observer.js';
import type { TrainOptions } from './train.js';

/** What `train` takes. */
export const trainNames = namesOf<TrainOptions>({
  data: true,
  batch: true,
  epochs: true,
  seed: true,
  shuffle: true,
  rest: true,
  constant: true,
  start: true,
  signal: true,
  stopOnNan: true,
  validate: true,
  observers: true,
});

/** What `train` takes of what a run was given. */
export const trainOptionsOf = (options: TrainOptions): TrainOptions =>
  Object.fromEntries(Object.entries(options).filter(([name]) => trainNames.includes(name))) as unknown as TrainOptions;

type Given = { readonly [Name in keyof TrainOptions]?: unknown };

const wrong = (message: string, hint?: string): TfcError => new TfcError('invalid-value', message, hint === undefined ? {} : { hint });

/** @throws TfcError invalid-value. */
export function requireOptions(run: unknown, options: unknown, call = 'train', names = trainNames): void {
  if (typeof run !== 'function')
    throw wrong(`train calls a function for every step, not ${shown(run)}.`, 'train((feeds) => session.run("train", feeds), { … })');
  if (typeof options !== 'object' || options === null) throw wrong(`The options of train are an object, not ${shown(options)}.`);
  requireKnown(options, call, names);
  const given = options as Given;
  requireCount('batch', given.batch, 1);
  requireCount('epochs', given.epochs, 0);
  requireCount('seed', given.seed, Number.MIN_SAFE_INTEGER);
  for (const name of ['shuffle', 'stopOnNan'] as const)
    if (given[name] !== undefined && typeof given[name] !== 'boolean') throw wrong(`${name} is true or false, not ${shown(given[name])}.`);
  if (given.rest !== undefined && given.rest !== 'keep' && given.rest !== 'drop')
    throw wrong(`rest is "keep" or "drop", not ${shown(given.rest)}.`);
  if (given.validate !== undefined && typeof given.validate !== 'function')
    throw wrong(`validate is a function, not ${shown(given.validate)}.`);
  if (given.signal !== undefined && !(given.signal instanceof AbortSignal))
    throw wrong(`signal is an AbortSignal, not ${shown(given.signal)}.`);
  requireObject('constant is an object of feeds', given.constant ?? {});
  requireObservers(given.observers ?? []);
  requireData(given.data);
  requirePosition(given.start ?? beginning);
}

function requireCount(name: string, value: unknown, least: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < least)
    throw wrong(`${name} is a whole number${name === 'seed' ? '' : ` of at least ${least}`}, not ${shown(value)}.`);
}

function requireObject(what: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) throw wrong(`${what}, not ${shown(value)}.`);
  // Whoever cannot list its names cannot be copied either.
  Object.keys(value);
}

function requireObservers(observers: unknown): void {
  if (!Array.isArray(observers)) throw wrong(`observers is an array, not ${shown(observers)}.`);
  for (const observer of observers as readonly unknown[]) {
    requireObject('An observer is an object', observer);
    for (const name of ['onStep', 'onEpoch', 'onEnd'] as const) {
      const heard = (observer as Readonly<Record<string, unknown>>)[name];
      if (heard !== undefined && typeof heard !== 'function') throw wrong(`${name} is a function, not ${shown(heard)}.`);
    }
  }
}

function requireData(data: unknown): void {
  const { columns, rows, batches } = (typeof data === 'object' && data !== null ? data : {}) as Readonly<Record<string, unknown>>;
  if (!Array.isArray(columns) || typeof batches !== 'function')
    throw wrong(`data is a data set, not ${shown(data)}.`, 'inMemory([{ name: "x", data: images, rows: 1000, rowShape: [784] }])');
  if (rows !== undefined) requireCount('The number of rows', rows, 1);
}

function requirePosition(start: unknown): void {
  requireObject('start is a position', start);
  const { epoch, batch, step, rows, sums } = start as Readonly<Record<string, unknown>>;
  requireCount('The epoch to start with', epoch, 1);
  for (const [name, value] of Object.entries({ batch, step, rows })) requireCount(`The ${name} to start with`, value, 0);
  requireObject('The sums to start with are an object', sums);
  for (const [name, sum] of Object.entries(sums as object))
    if (typeof sum !== 'number') throw wrong(`The sum of ${name} is a number, not ${shown(sum)}.`);
}
