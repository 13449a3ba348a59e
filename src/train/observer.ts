// What a training loop tells whoever watches. In: nothing. Out: the shapes of steps, epochs, ends, and of places in a run. Holds: observers
// change nothing; they are called in order, and what one throws ends the run.

/**
 * A place in a run, from which it can go on: what is done, and what the epoch has so far.
 * @example
 * ```ts
 * let place: Position | undefined;
 * const options = { data, batch: 50, seed: 42, constant: { lr: 0.1 } };
 * for await (const { position } of train((feeds) => session.run('train', feeds), { ...options, epochs: 1 })) place = position;
 * for await (const { epoch } of train((feeds) => session.run('train', feeds), { ...options, epochs: 2, ...(place && { start: place }) }))
 *   console.log(epoch); // 2
 * ```
 */
export interface Position {
  /** From 1: the epoch that is in progress, or the one that comes next. */
  readonly epoch: number;
  /** Batches of that epoch that are done. */
  readonly batch: number;
  /** Steps that are done, over all epochs. */
  readonly step: number;
  /** Rows of that epoch that are done. */
  readonly rows: number;
  /** Sums of the step's scalars over these rows, by name. */
  readonly sums: Readonly<Record<string, number>>;
}

export const beginning: Position = { epoch: 1, batch: 0, step: 0, rows: 0, sums: {} };

/** What steps, epochs and ends have in common. */
interface Moment {
  /** Seconds since 1970, as files of TensorBoard have it. */
  readonly wallTime: number;
  /** Seconds since the run started or went on in this process. */
  readonly seconds: number;
}

/**
 * What is told of a step.
 * @example
 * ```ts
 * const onStep = ({ step, scalars, rowsPerSecond }: StepProgress): void => console.log(step, scalars['loss'], rowsPerSecond);
 * ```
 */
export interface StepProgress extends Moment {
  /** From 1. */
  readonly epoch: number;
  /** Steps done, over all epochs. */
  readonly step: number;
  /** Steps of the whole run; undefined while the number of rows is not known. */
  readonly steps: number | undefined;
  /** Rows of this step. */
  readonly rows: number;
  /** Over this epoch so far. */
  readonly rowsPerSecond: number;
  readonly scalars: Readonly<Record<string, number>>;
  /** The step's scalar, else the constant feed, that is called `lr`, `learningRate` or `learning_rate`. */
  readonly learningRate: number | undefined;
  /** The place behind this step. */
  readonly position: () => Position;
}

/**
 * What an epoch gave.
 * @example
 * ```ts
 * const show = ({ epoch, means, seconds }: EpochRecord): void => console.log(epoch, means['loss'], means['validation/loss'], seconds);
 * ```
 */
export interface EpochRecord extends Omit<Moment, 'seconds'> {
  readonly epoch: number;
  /** Steps done, over all epochs. */
  readonly steps: number;
  /** Of this epoch, in this process. */
  readonly seconds: number;
  /** Rows of the epoch. */
  readonly rows: number;
  readonly rowsPerSecond: number;
  readonly learningRate: number | undefined;
  /**
   * Means over the rows of the epoch by name (`loss`, `accuracy`; `result` for a step that returns one number), and what validation gave
   * (`validation/loss`).
   */
  readonly means: Readonly<Record<string, number>>;
  /** The place behind this epoch. */
  readonly position: Position;
}

/**
 * What is told at the end.
 * @example
 * ```ts
 * const onEnd = ({ reason, position }: TrainEnd): void => console.log(reason, position.step);
 * ```
 */
export interface TrainEnd extends Moment {
  /** done: all epochs; stopped: before, as was asked for; failed: by an error. */
  readonly reason: 'done' | 'stopped' | 'failed';
  readonly position: Position;
}

/**
 * Hears of steps, epochs and the end.
 * @example
 * ```ts
 * const observer: TrainObserver = {
 *   onStep: ({ step, scalars }) => console.log(step, scalars['loss']),
 *   onEnd: ({ reason }) => console.log(reason),
 * };
 * ```
 */
export interface TrainObserver {
  readonly onStep?: (step: StepProgress) => void;
  readonly onEpoch?: (epoch: EpochRecord) => void;
  /** Called once, also after an error. */
  readonly onEnd?: (end: TrainEnd) => void;
}
