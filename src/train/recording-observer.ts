// A recorder as an observer. In: steps and epochs of a training loop. Out: scalars of a recorder: `train/NAME`, `validation/NAME`,
// `learning rate`, `rows per second`, and arguments that are numbers.
// Holds: which steps are recorded follows from their numbers alone, so a run that was gone on with has those of one that was not; a file
// that cannot be written any more ends the recording and never the run.

import type { EpochRecord, StepProgress, TrainObserver } from './observer.js';
import type { Outcome, Recorder } from './recorder.js';
import { isLearningRate, type Scalars } from './scalars.js';

/** Up to here every step is recorded. */
const everyStepUpTo = 10_000;

/** Each step up to the 10,000th, each second up to the 20,000th, each fourth up to the 40,000th, and so on. */
export function isRecorded(step: number): boolean {
  let stride = 1;
  while (step > everyStepUpTo * stride) stride *= 2;
  return step % stride === 0;
}

export interface RecordingObserverOptions {
  /** Arguments that are the same in every step. Those that are numbers are recorded. */
  readonly constant: Readonly<Record<string, unknown>>;
  /** Called once, with the first error of the recorder. */
  readonly onFailure: (error: unknown) => void;
}

export class RecordingObserver implements TrainObserver {
  readonly #recorder: Recorder;
  readonly #onFailure: (error: unknown) => void;
  readonly #arguments: Scalars;
  /** Tags of the step's scalars by their names: steps come thousands of times a second. */
  readonly #tags = new Map<string, string>();
  /** The last step, while it is not recorded. */
  #pending: StepProgress | undefined;
  #hasFailed = false;

  constructor(recorder: Recorder, { constant, onFailure }: RecordingObserverOptions) {
    this.#recorder = recorder;
    this.#onFailure = onFailure;
    this.#arguments = Object.fromEntries(
      Object.entries(constant).filter((entry): entry is [string, number] => typeof entry[1] === 'number' && !isLearningRate(entry[0])),
    );
  }

  readonly onStep = (step: StepProgress): void => {
    if (isRecorded(step.step)) this.#record(step);
    else this.#pending = step;
  };

  readonly onEpoch = ({ steps, wallTime, means }: EpochRecord): void => {
    const validated = Object.fromEntries(Object.entries(means).filter(([name]) => name.startsWith('validation/')));
    if (Object.keys(validated).length > 0) this.#try(() => this.#recorder.scalars(steps, wallTime, validated));
  };

  text(tag: string, text: string): void {
    this.#try(() => this.#recorder.text(tag, text));
  }

  /** Records the last step, whatever its number, and makes everything durable. */
  async close(outcome: Outcome): Promise<void> {
    if (this.#pending !== undefined) this.#record(this.#pending);
    try {
      await this.#recorder.close(outcome);
    } catch (error) {
      this.#fail(error);
    }
  }

  #record({ step, wallTime, scalars, learningRate, rowsPerSecond }: StepProgress): void {
    this.#pending = undefined;
    const values: Record<string, number> = {};
    for (const name in scalars) values[this.#tagOf(name)] = scalars[name] as number;
    for (const name in this.#arguments) values[name] = this.#arguments[name] as number;
    if (learningRate !== undefined) values['learning rate'] = learningRate;
    values['rows per second'] = rowsPerSecond;
    this.#try(() => this.#recorder.scalars(step, wallTime, values));
  }

  #tagOf(name: string): string {
    let tag = this.#tags.get(name);
    if (tag === undefined) this.#tags.set(name, (tag = `train/${name}`));
    return tag;
  }

  #try(body: () => void): void {
    if (this.#hasFailed) return;
    try {
      body();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (!this.#hasFailed) this.#onFailure(error);
    this.#hasFailed = true;
  }
}
