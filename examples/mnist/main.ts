// Trains a perceptron on digits. In: options; MNIST's files with --data, drawn digits without. Out: progress, test accuracy, a loss curve,
// an artifact and a checkpoint.

import { mkdirSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import asciichart from 'asciichart';
import { Command } from 'commander';
import { compile, type Dataset, inMemory, progressBar, type Session, type StepProgress, type Tensor, train } from '@tdsl/tfc';
import { count, isMain, report } from '../command.js';
import { exampleFile, resultFile } from '../place.js';
import type { Digits } from './digits.js';
import { drawnDigits, loadDigits, pixels } from './load.js';

export interface Options {
  readonly data?: string;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  readonly threads: number;
  readonly json?: boolean;
}

/** Trains, prints what happens, and returns the part of the test digits that it reads right. */
export async function run(options: Options): Promise<number> {
  const json = options.json === true;
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  if (!json) say('Compiling examples/mnist/mnist.tdsl …');
  using model = await compile(exampleFile('mnist/mnist.tdsl'));
  if (!json) say(options.data === undefined ? 'Drawing 10,000 digits …' : `Reading ${options.data} …`);
  const { training, test } = options.data === undefined ? drawnDigits() : loadDigits(options.data);
  if (!json)
    say(
      `${training.count} digits for training, ${test.count} for the test; a perceptron 784-300-100-10, Adam, batches of ${options.batch}.`,
    );
  using session = model.session({ seed: options.seed, threads: options.threads });
  const losses = await trainSession(session, training, options, say);
  const accuracy = accuracyOf(session, test);
  const checkpoint = resultFile('mnist.safetensors');
  mkdirSync(dirname(checkpoint), { recursive: true });
  session.save(checkpoint);
  if (json) {
    say(JSON.stringify({ testAccuracy: accuracy }));
    return accuracy;
  }
  say(
    `\nLoss over ${losses.length} steps:\n${asciichart.plot(smooth(losses, 72), { height: 10, format: (value: number) => value.toFixed(3).padStart(8) })}\n`,
  );
  say(`Test accuracy: ${percent(accuracy)} of ${test.count} digits`);
  say(`Artifact:      ${model.path}`);
  say(`Checkpoint:    ${relative(process.cwd(), checkpoint)}`);
  return accuracy;
}

/** The loss of every step. */
async function trainSession(
  session: Session,
  training: Digits,
  { epochs, batch, seed, json }: Options,
  say: (text: string) => void,
): Promise<number[]> {
  const losses: number[] = [];
  const bar = json === true || !process.stderr.isTTY ? undefined : progressBar(epochs);
  const onStep = (progress: StepProgress): void => {
    losses.push(progress.scalars['loss'] ?? Number.NaN);
    bar?.step(progress);
  };
  const step = session.entry('train');
  for await (const { epoch, means, seconds } of train((feeds) => step.run(feeds), {
    data: datasetOf(training),
    batch,
    epochs,
    seed,
    observers: [{ onStep }],
  })) {
    if (json === true) say(JSON.stringify({ epoch, ...means, seconds }));
    else if (bar === undefined)
      say(`epoch ${epoch}: loss ${means['loss']?.toFixed(4)}, accuracy ${percent(means['accuracy'] ?? 0)} (${seconds.toFixed(2)} s)`);
  }
  bar?.stop();
  return losses;
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
  .option('--json', 'print JSON lines; the last one holds testAccuracy');

if (isMain(import.meta.url)) await report(() => run(program.parse().opts<Options>()));
