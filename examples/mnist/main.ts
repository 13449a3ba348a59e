// Trains a perceptron on digits. In: options; MNIST's files with --data, drawn digits without. Out: progress, test accuracy, a loss curve, an artifact and a checkpoint.

import { mkdirSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import asciichart from 'asciichart';
import { Command } from 'commander';
import { compile, DiagnosticsError, progressBar, readDigits, TfcError, train, type Column, type Module } from 'tfc';
import { exampleFile, resultFile } from '../place.js';
import { drawDigits, type Digits } from './digits.js';

interface Options {
  readonly data?: string;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  readonly threads: number;
  readonly json?: boolean;
}

interface Split {
  readonly training: Digits;
  readonly test: Digits;
}

const pixels = 784;

/** MNIST's training and test files where both are there; else the last fifth of the one set is for the test. */
function load(directory: string): Split {
  const whole = readDigits(directory);
  if (whole.pixels !== pixels) throw new TfcError('bad-data', `${directory}: images of ${whole.pixels} pixels, expected ${pixels}`);
  try {
    return { training: readDigits(directory, 'train'), test: readDigits(directory, 't10k') };
  } catch (error) {
    if (!(error instanceof DiagnosticsError) || error.diagnostics[0]?.code !== 'file-not-found') throw error;
  }
  const cut = Math.floor(whole.count * 0.8);
  return { training: part(whole, 0, cut), test: part(whole, cut, whole.count) };
}

const part = ({ images, labels }: Digits, from: number, to: number): Digits => ({ images: images.subarray(from * pixels, to * pixels), labels: labels.subarray(from, to), count: to - from });

const columnsOf = ({ images, labels, count }: Digits): Column[] => [
  { name: 'x', data: images, rows: count, rowShape: [pixels] },
  { name: 'y', data: labels, rows: count, rowShape: [] },
];

export async function run(options: Options): Promise<number> {
  const say = (text: string): void => void (options.json === true || process.stdout.write(`${text}\n`));
  const model: Module = await compile(exampleFile('mnist/mnist.tdsl'));
  say(options.data === undefined ? 'Drawing 10,000 digits …' : `Reading ${options.data} …`);
  const { training, test } = options.data === undefined ? { training: drawDigits(8000, 1), test: drawDigits(2000, 2) } : load(options.data);
  say(`${training.count} digits for training, ${test.count} for the test; a perceptron 784-300-100-10, Adam, batches of ${options.batch}.`);
  using session = model.session({ seed: options.seed, threads: options.threads });
  const losses: number[] = [];
  const bar = options.json === true || !process.stderr.isTTY ? undefined : progressBar(options.epochs);
  const onStep = (progress: Parameters<NonNullable<typeof bar>['step']>[0]): void => {
    losses.push(progress.scalars['loss'] ?? Number.NaN);
    bar?.step(progress);
  };
  for (const { epoch, means, seconds } of train((feeds) => session.run('train', feeds), { columns: columnsOf(training), rows: training.count, batch: options.batch, epochs: options.epochs, seed: options.seed, onStep })) {
    if (options.json === true) process.stdout.write(`${JSON.stringify({ epoch, ...means, seconds })}\n`);
    else if (bar === undefined) say(`epoch ${epoch}: loss ${means['loss']?.toFixed(4)}, accuracy ${((means['accuracy'] ?? 0) * 100).toFixed(2)} % (${seconds.toFixed(2)} s)`);
  }
  bar?.stop();
  const predicted = session.run('predict', { x: { data: test.images, shape: [test.count, pixels] } }) as { readonly data: ArrayLike<number> };
  let right = 0;
  for (let at = 0; at < test.count; at++) if (predicted.data[at] === test.labels[at]) right += 1;
  const accuracy = right / test.count;
  const checkpoint = resultFile('mnist.safetensors');
  mkdirSync(dirname(checkpoint), { recursive: true });
  session.save(checkpoint);
  say(`\nLoss per step (${losses.length} steps):\n${asciichart.plot(smooth(losses, 72), { height: 10, format: (value: number) => value.toFixed(3).padStart(8) })}\n`);
  say(`Test accuracy: ${(accuracy * 100).toFixed(2)} % of ${test.count} digits`);
  say(`Artifact:      ${model.path}`);
  say(`Checkpoint:    ${relative(process.cwd(), checkpoint)}`);
  if (options.json === true) process.stdout.write(`${JSON.stringify({ testAccuracy: accuracy })}\n`);
  return accuracy;
}

/** Means of as many pieces as the terminal has columns. */
function smooth(values: readonly number[], width: number): number[] {
  const size = Math.max(1, Math.ceil(values.length / width));
  return Array.from({ length: Math.ceil(values.length / size) }, (_, at) => {
    const piece = values.slice(at * size, (at + 1) * size);
    return piece.reduce((sum, value) => sum + value, 0) / piece.length;
  });
}

const count = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`expected a whole number, got ${text}`);
  return value;
};

const program = new Command('demo')
  .description('trains a perceptron on digits')
  .option('--data <dir>', "directory with MNIST's IDX files, plain or gzipped; without it digits are drawn")
  .option('--epochs <n>', 'how often to go through the training data', count, 8)
  .option('--batch <n>', 'digits per step', count, 50)
  .option('--seed <n>', 'seed of the initial values and of the order of the data', count, 42)
  .option('--threads <n>', 'threads to use', count, 1)
  .option('--json', 'print JSON lines; the last one holds testAccuracy');

if (process.argv[1] !== undefined && /examples[\\/]mnist[\\/]main\.js$/.test(process.argv[1])) {
  try {
    await run(program.parse().opts<Options>());
  } catch (error) {
    if (!(error instanceof DiagnosticsError) && !(error instanceof TfcError) && !(error instanceof TypeError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 1;
  }
}
