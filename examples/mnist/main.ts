// Trains a perceptron on digits. In: options; MNIST's files with --data, drawn digits without. Out: progress, test accuracy, a loss curve,
// an artifact; in a directory checkpoints, the best one kept, records, a report, the variables. Holds: no digit that training sees is one
// of validation or of the test.

import { join, relative } from 'node:path';
import asciichart from 'asciichart';
import { Command } from 'commander';
import {
  compile,
  type Dataset,
  type EpochRecord,
  inMemory,
  type Module,
  progressBar,
  resolveCheckpoint,
  type Session,
  type StepProgress,
  type Tensor,
} from '@tdsl/tfc';
import { count, isMain, report, untilInterrupted } from '../command.js';
import { exampleFile, resultFile } from '../place.js';
import { recordedRun, recordsIn, reportIn, saidOfStop, type Say, startAnew } from '../recorded-run.js';
import type { Digits } from './digits.js';
import { drawnDigits, loadDigits, pixels, type Split } from './load.js';

export interface Options {
  readonly data?: string;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  readonly threads: number;
  readonly out?: string;
  readonly resume?: boolean;
  readonly json?: boolean;
}

/** Trains, prints what happens, and returns the part of the test digits that it reads right; nothing when `signal` ended it. */
export async function run(options: Options, signal: AbortSignal): Promise<number | undefined> {
  const json = options.json === true;
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const say: Say = (text, value) => print(json ? JSON.stringify(value) : text);
  const tell = (text: string): void => void (json || print(text));
  const out = options.out ?? ownDirectory;
  if (options.out === undefined && options.resume !== true) startAnew(out);
  tell('Compiling examples/mnist/mnist.tdsl …');
  using model = await compile(exampleFile('mnist/mnist.tdsl'));
  tell(options.data === undefined ? 'Drawing 11,000 digits …' : `Reading ${options.data} …`);
  const digits = options.data === undefined ? drawnDigits() : loadDigits(options.data);
  const { training, validation, test } = digits;
  tell(`${training.count} digits for training, ${validation.count} for validation, ${test.count} for the test;`);
  tell(`a perceptron 784-300-100-10, Adam, batches of ${options.batch}.`);
  using session = model.session({ seed: options.seed, threads: options.threads });
  const losses = await trained(model, session, digits, { ...options, out }, signal, say);
  if (losses === undefined) return undefined;
  // The best of all epochs, by validation, is what is kept.
  session.restore(resolveCheckpoint(join(out, 'checkpoints', 'best')));
  const accuracy = accuracyOf(session, test);
  const variables = join(out, 'mnist.safetensors');
  session.save(variables);
  if (json) {
    say('', { testAccuracy: accuracy });
    return accuracy;
  }
  if (losses.length > 0) {
    const curve = asciichart.plot(smooth(losses, 72), { height: 10, format: (value: number) => value.toFixed(3).padStart(8) });
    tell(`\nLoss over ${losses.length} steps:\n${curve}\n`);
  }
  const shown = (path: string): string => relative(process.cwd(), path);
  tell(`Test accuracy: ${percent(accuracy)} of ${test.count} digits`);
  tell(`Artifact:      ${model.path}`);
  tell(`Variables:     ${shown(variables)}`);
  tell(`Report:        ${shown(reportIn(out))}`);
  tell(`Curves:        tensorboard --logdir ${shown(recordsIn(out))}`);
  return accuracy;
}

const ownDirectory = resultFile('mnist');

/** The loss of every step of this process; nothing when `signal` ended it. */
async function trained(
  model: Module,
  session: Session,
  { training, validation }: Split,
  { epochs, batch, seed, json, resume, out }: Options & { readonly out: string },
  signal: AbortSignal,
  say: Say,
): Promise<number[] | undefined> {
  const losses: number[] = [];
  const bar = json === true || !process.stderr.isTTY ? undefined : progressBar(epochs);
  const onStep = (progress: StepProgress): void => {
    losses.push(progress.scalars['loss'] ?? Number.NaN);
    bar?.step(progress);
  };
  const onEpoch = ({ epoch, means, seconds }: EpochRecord): void => {
    const part = (name: string): string => percent(means[name] ?? Number.NaN);
    const text = `epoch ${epoch}: loss ${means['loss']?.toFixed(4)}, accuracy ${part('accuracy')}, validation ${part('validation/accuracy')}`;
    if (json === true || bar === undefined) say(`${text} (${seconds.toFixed(2)} s)`, { epoch, ...means, seconds });
  };
  try {
    const run = await recordedRun(
      model,
      session,
      'train',
      {
        name: 'mnist',
        out,
        data: datasetOf(training),
        batch,
        epochs,
        seed,
        signal,
        checkpoints: { keep: 2, best: 'validation/accuracy' },
        resume: resume === true,
        validate: () => ({ accuracy: accuracyOf(session, validation) }),
        hparams: { batch, seed },
        metrics: ['validation/accuracy'],
        onStep,
        onEpoch,
      },
      say,
    );
    if (!signal.aborted) return losses;
    saidOfStop(run, say, '--resume');
    return undefined;
  } finally {
    bar?.stop();
  }
}

const datasetOf = ({ images, labels, count: rows }: Digits): Dataset =>
  inMemory([
    { name: 'x', data: images, rows, rowShape: [pixels] },
    { name: 'y', data: labels, rows, rowShape: [] },
  ]);

function accuracyOf(session: Session, { images, labels, count: rows }: Digits): number {
  const predicted = session.run('predict', { x: { data: images, shape: [rows, pixels] } }) as Tensor<'i32'>;
  return predicted.data.filter((label, row) => label === labels[row]).length / rows;
}

const percent = (part: number): string => `${(part * 100).toFixed(2)} %`;

/** Means of as many pieces as the chart has columns. */
function smooth(values: readonly number[], columns: number): number[] {
  const size = Math.max(1, Math.ceil(values.length / columns));
  return Array.from({ length: Math.ceil(values.length / size) }, (_, at) => {
    const piece = values.slice(at * size, (at + 1) * size);
    return piece.reduce((sum, value) => sum + value, 0) / piece.length;
  });
}

const program = new Command('demo')
  .description('trains a perceptron on digits')
  .option('--data <dir>', "directory with MNIST's IDX files, plain or gzipped; without it digits are drawn")
  .option('--epochs <n>', 'how often to go through the training data', count, 8)
  .option('--batch <n>', 'digits per step', count, 50)
  .option('--seed <n>', 'seed of the initial values and of the order of the data', count, 42)
  .option('--threads <n>', 'threads to use', count, 1)
  .option('--out <dir>', 'directory for checkpoints, records, a report and the variables; default: build/examples/mnist, emptied first')
  .option('--resume', 'go on with the run that the directory has')
  .option('--json', 'print JSON lines; the last one holds testAccuracy');

if (isMain(import.meta.url)) await report(() => run(program.parse().opts<Options>(), untilInterrupted()));
