// A training run with all that belongs to one, as examples have it. In: a module, its session, a step, what `openTrainingRun` takes, a
// directory. Out: in that directory checkpoints, records for TensorBoard and for `tfc report`, a page. Holds: a run that was interrupted
// and goes on is recorded as one; records are closed and the page is written however it ended.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CheckpointOptions,
  type EpochRecord,
  type HyperParameter,
  type Module,
  openRun,
  openTrainingRun,
  type Recorder,
  type Session,
  type StepProgress,
  type TrainingRun,
  type TrainingRunOptions,
  writeReport,
} from '@tdsl/tfc';

/** A line for people, and the same as JSON. */
export type Say = (text: string, json: object) => void;

export interface RecordedRun extends Omit<TrainingRunOptions, 'checkpoints' | 'observers' | 'signal'> {
  /** What the run is called in records. */
  readonly name: string;
  /** Gets everything. */
  readonly out: string;
  readonly checkpoints: Omit<CheckpointOptions, 'directory'>;
  /** By which runs are compared, and in which scalars. */
  readonly hparams: Readonly<Record<string, HyperParameter>>;
  readonly metrics: readonly string[];
  readonly signal: AbortSignal;
  readonly onStep?: (step: StepProgress, recorder: Recorder) => void;
  readonly onEpoch: (epoch: EpochRecord) => void;
}

export const reportIn = (out: string): string => join(out, 'report.html');
export const recordsIn = (out: string): string => join(out, 'runs');
const checkpointsIn = (out: string): string => join(out, 'checkpoints');

/** What an earlier run left in a directory that is the example's own. */
export function startAnew(out: string): void {
  for (const made of [reportIn(out), recordsIn(out), checkpointsIn(out)]) rmSync(made, { recursive: true, force: true });
}

/** Trains to the end, or until `signal`. Its last position says which. */
export async function recordedRun(module: Module, session: Session, entry: string, run: RecordedRun, say: Say): Promise<TrainingRun> {
  const { name, out, checkpoints, hparams, metrics, onStep, onEpoch, ...options } = run;
  // Whether a run goes on is known before its records are opened.
  const watching: { recorder?: Recorder } = {};
  const training = openTrainingRun(module, session, entry, {
    ...options,
    checkpoints: { ...checkpoints, directory: checkpointsIn(out) },
    observers: [{ onStep: (step) => watching.recorder !== undefined && recordStep(watching.recorder, step, onStep) }],
  });
  const { resumed } = training;
  if (resumed !== undefined) say(`goes on from ${resumed.file.path}`, { resumed: resumed.position.step });
  const { directory, recorder } = await openRun(recordsIn(out), name, {
    program: { module, entry },
    hparams,
    metrics,
    resumedAt: resumed?.position.step,
  });
  watching.recorder = recorder;
  let isDone = false;
  try {
    for await (const record of training.epochs()) {
      const scalars = Object.entries(record.means).map(([key, value]) => [
        key.startsWith('validation/') ? key : `train epoch/${key}`,
        value,
      ]);
      recorder.scalars(record.steps, record.wallTime, Object.fromEntries(scalars) as Readonly<Record<string, number>>);
      onEpoch(record);
    }
    isDone = training.position.epoch > options.epochs;
  } finally {
    await recorder.close(isDone ? 'done' : 'failed');
    await writeReport([directory], reportIn(out));
  }
  return training;
}

function recordStep(recorder: Recorder, step: StepProgress, onStep: RecordedRun['onStep']): void {
  const { scalars, learningRate, wallTime } = step;
  const values = Object.entries(scalars).map(([key, value]) => [`train/${key}`, value] as const);
  recorder.scalars(step.step, wallTime, {
    ...Object.fromEntries(values),
    ...(learningRate === undefined ? {} : { 'learning rate': learningRate }),
  });
  onStep?.(step, recorder);
}

/** What a run says that `signal` ended. */
export function saidOfStop({ position: { step, epoch } }: TrainingRun, say: Say, how: string): void {
  say(`stopped after ${step} steps; ${how} goes on`, { stopped: step, epoch });
}
