// Logistic regression on two moons, with all that belongs to a training run. In: options; the moons are drawn. Out: losses and accuracies,
// and in a directory checkpoints, records for TensorBoard and for `tfc report`, a page, the variables. Holds: a run that was interrupted
// and is started again ends with the bits of one that was not.

import { join } from 'node:path';
import { Command } from 'commander';
import { compile, type Dataset, inMemory, type Recorder, type Session, type StepProgress } from '@tdsl/tfc';
import { count, isMain, positive, report, untilInterrupted } from '../command.js';
import { exampleFile, resultFile } from '../place.js';
import { recordedRun, recordsIn, reportIn, saidOfStop, type Say } from '../recorded-run.js';
import { moons, type Points } from './moons.js';

const [trainingRows, validationRows, testRows, noise] = [1000, 300, 1000, 0.15];

export interface Options {
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  readonly every: number;
  readonly seed: number;
  readonly out: string;
  readonly json?: boolean;
}

/** Of the curve, and of the line. */
export interface Metrics {
  readonly loss: number;
  readonly lineLoss: number;
  readonly accuracy: number;
  readonly lineAccuracy: number;
}

/** Trains to the end, or until `signal`; the metrics are those of points that training has not seen. */
export async function run(options: Options, signal: AbortSignal, say: Say): Promise<Metrics | undefined> {
  const { out, every, rate, batch, epochs, seed } = options;
  using module = await compile(exampleFile('moons/moons.tdsl'));
  using session = module.session({ seed, threads: 1, summaries: true });
  const metricsOf = ({ X, y }: Points): Metrics => session.run('metrics', { X, y }) as unknown as Metrics;
  const validation = moons(validationRows, noise, seed + 1);
  const training = await recordedRun(
    module,
    session,
    'train',
    {
      name: 'moons',
      out,
      data: datasetOf(moons(trainingRows, noise, seed)),
      batch,
      epochs,
      seed,
      constant: { lr: rate },
      signal,
      checkpoints: { every: { count: every, unit: 'steps' } },
      resume: true,
      validate: () => ({ ...metricsOf(validation) }),
      hparams: { rate, batch },
      metrics: ['validation/loss', 'validation/accuracy'],
      onStep: recordSummaries(session, every),
      onEpoch: ({ epoch, means }) =>
        say(`epoch ${epoch}: loss ${means['loss']?.toFixed(4)}, validation ${means['validation/loss']?.toFixed(4)}`, { epoch, ...means }),
    },
    say,
  );
  if (signal.aborted) return void saidOfStop(training, say, 'the same command');
  session.save(join(out, 'moons.safetensors'));
  return metricsOf(moons(testRows, noise, seed + 2));
}

/** What the program summarizes; histograms only every so many steps. */
const recordSummaries =
  (session: Session, every: number) =>
  ({ step, wallTime }: StepProgress, recorder: Recorder): void => {
    for (const { kind, name, value } of session.summaries()) {
      if (kind === 'scalar') recorder.scalars(step, wallTime, { [name]: Number(value) });
      else if (step % every === 0) recorder.histogram(step, wallTime, name, (value as { data: Float32Array }).data);
    }
  };

const datasetOf = ({ rows, X, y }: Points): Dataset =>
  inMemory([
    { name: 'X', data: X.data, rows, rowShape: [2] },
    { name: 'y', data: y.data, rows, rowShape: [1] },
  ]);

const program = new Command('moons')
  .description('tells two moons apart by logistic regression; an interrupted run goes on when it is started again')
  .option('--epochs <n>', 'how often to go through the training points', count, 100)
  .option('--batch <n>', 'points per step', count, 50)
  .option('--rate <x>', 'learning rate', positive, 0.05)
  .option('--every <n>', 'steps from one checkpoint to the next', count, 100)
  .option('--seed <n>', 'seed of the points and of their order', count, 42)
  .option('--out <dir>', 'directory for checkpoints, records, a report and the variables', resultFile('moons'))
  .option('--json', 'print JSON lines; the last one holds what the test gives');

if (isMain(import.meta.url)) {
  await report(async () => {
    const options = program.parse().opts<Options>();
    const json = options.json === true;
    const say = (text: string, value: object): void => void process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
    const metrics = await run(options, untilInterrupted(), say);
    if (metrics === undefined) return undefined;
    if (json) return JSON.stringify(metrics);
    const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
    return `test accuracy: curve ${percent(metrics.accuracy)}, line ${percent(metrics.lineAccuracy)}
report: ${reportIn(options.out)}
curves: tensorboard --logdir ${recordsIn(options.out)}`;
  });
}
