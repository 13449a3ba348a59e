// Training over a data set. In: a session, an entry, data, batch size, epochs. Out: one record per epoch: means of the step's scalar
// results, weighted by rows. Holds: the same seed gives the same batches.

import { reading } from '../../runtime/error.js';
import { shown } from '../../runtime/shown.js';
import { type FeedValue, type Result, TfcError } from '../../runtime/index.js';
import { batches, permutation } from './data/batches.js';
import { type Column, countOf } from './data/table.js';

/** What a step's runner is: `feeds => session.run(entry, feeds)`, or a bound entry. */
export type RunStep = (feeds: Readonly<Record<string, FeedValue>>) => Result;

export interface TrainOptions {
  readonly columns: readonly Column[];
  readonly rows: number;
  readonly batch: number;
  readonly epochs: number;
  readonly seed: number;
  /** Feeds that are the same in every step: a learning rate. */
  readonly constant?: Readonly<Record<string, FeedValue>>;
  onStep?(progress: StepProgress): void;
}

export interface StepProgress {
  /** From 1. */
  readonly epoch: number;
  /** Steps done, over all epochs. */
  readonly step: number;
  readonly steps: number;
  readonly scalars: Readonly<Record<string, number>>;
}

export interface EpochRecord {
  readonly epoch: number;
  readonly steps: number;
  readonly seconds: number;
  /** Means over the epoch by name (`loss`, `accuracy`; `result` for a step that returns one number). */
  readonly means: Readonly<Record<string, number>>;
}

/** Trains as its epochs are asked for. @throws TfcError invalid-value for options that make no sense, at once; later what `run` throws. */
export function train(run: RunStep, options: TrainOptions): Generator<EpochRecord> {
  reading('The options of train', () => requireOptions(run, options));
  return epochsOf(run, options);
}

function requireOptions(run: unknown, options: unknown): void {
  if (typeof run !== 'function')
    throw new TfcError('invalid-value', `train calls a function for every step, not ${shown(run)}.`, {
      hint: 'train((feeds) => session.run("train", feeds), { … })',
    });
  if (typeof options !== 'object' || options === null)
    throw new TfcError('invalid-value', `The options of train are an object, not ${shown(options)}.`);
  const { columns, rows, batch, epochs, seed, constant = {} } = options as { readonly [Name in keyof TrainOptions]?: unknown };
  for (const [name, value, least] of [
    ['rows', rows, 1],
    ['batch', batch, 1],
    ['epochs', epochs, 0],
    ['seed', seed, Number.MIN_SAFE_INTEGER],
  ] as const) {
    if (!Number.isSafeInteger(value) || (value as number) < least)
      throw new TfcError(
        'invalid-value',
        `${name} is a whole number${name === 'seed' ? '' : ` of at least ${least}`}, not ${shown(value)}.`,
      );
  }
  if (!Array.isArray(columns)) throw new TfcError('invalid-value', `columns is an array, not ${shown(columns)}.`);
  if (typeof constant !== 'object' || constant === null)
    throw new TfcError('invalid-value', `constant is an object of feeds, not ${shown(constant)}.`);
  Object.keys(constant);
  for (const column of columns as readonly unknown[]) requireColumn(column, rows as number);
}

function requireColumn(column: unknown, rows: number): void {
  const {
    name,
    data,
    rows: own,
    rowShape,
  } = (typeof column === 'object' && column !== null ? column : {}) as { readonly [Name in keyof Column]?: unknown };
  const numbers = data instanceof Float32Array || data instanceof Float64Array || data instanceof Int32Array || data instanceof Uint8Array;
  const isCount = (size: unknown): boolean => Number.isSafeInteger(size) && (size as number) >= 0;
  if (typeof name !== 'string' || !numbers || !Array.isArray(rowShape) || !rowShape.every(isCount))
    throw new TfcError(
      'invalid-value',
      `A column has a name, data, rows and rowShape; ${typeof name === 'string' ? name : shown(column)} does not.`,
    );
  if (own !== rows || data.length !== rows * countOf(rowShape as number[]))
    throw new TfcError(
      'invalid-value',
      `${name} has ${data.length} numbers, and ${rows} rows of [${rowShape.join(', ')}] are ${rows * countOf(rowShape as number[])}.`,
    );
}

function* epochsOf(run: RunStep, options: TrainOptions): Generator<EpochRecord> {
  const { columns, rows, batch, epochs, seed, constant = {} } = options;
  const perEpoch = Math.ceil(rows / batch);
  let step = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const start = performance.now();
    const sums = new Map<string, number>();
    for (const { feeds, rows: count } of batches(columns, permutation(rows, seed, epoch), batch)) {
      const scalars = scalarsOf(run({ ...constant, ...feeds }));
      for (const [name, value] of Object.entries(scalars)) sums.set(name, (sums.get(name) ?? 0) + value * count);
      step += 1;
      options.onStep?.({ epoch, step, steps: perEpoch * epochs, scalars });
    }
    yield {
      epoch,
      steps: step,
      seconds: (performance.now() - start) / 1000,
      means: Object.fromEntries([...sums].map(([name, sum]) => [name, sum / rows])),
    };
  }
}

/** The numbers among a step's results, by name. */
export function scalarsOf(result: Result): Record<string, number> {
  if (typeof result === 'number') return { result };
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return {};
  return Object.fromEntries(Object.entries(result).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}
