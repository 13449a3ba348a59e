// Training over a data set. In: a session, an entry, data, batch size, epochs. Out: one record per epoch: means of the step's scalar results, weighted by rows. Holds: the same seed gives the same batches.

import type { FeedValue, Result } from '../../runtime/index.js';
import { batches, permutation } from './data/batches.js';
import type { Column } from './data/table.js';

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

export function* train(run: RunStep, options: TrainOptions): Generator<EpochRecord> {
  const { columns, rows, batch, epochs, seed, constant = {} } = options;
  const perEpoch = Math.ceil(rows / batch);
  let step = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const start = performance.now();
    const sums = new Map<string, number>();
    for (const { feeds, rows: count } of batches(columns, rows, batch, permutation(rows, seed, epoch))) {
      const scalars = scalarsOf(run({ ...constant, ...feeds }));
      for (const [name, value] of Object.entries(scalars)) sums.set(name, (sums.get(name) ?? 0) + value * count);
      step += 1;
      options.onStep?.({ epoch, step, steps: perEpoch * epochs, scalars });
    }
    yield { epoch, steps: step, seconds: (performance.now() - start) / 1000, means: Object.fromEntries([...sums].map(([name, sum]) => [name, sum / rows])) };
  }
}

/** The numbers among a step's results, by name. */
export function scalarsOf(result: Result): Record<string, number> {
  if (typeof result === 'number') return { result };
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return {};
  return Object.fromEntries(Object.entries(result).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}
