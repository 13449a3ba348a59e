// Linear regression four ways. In: California housing by path (`--data housing.csv`), or made-up houses. Out: mean squared errors; in a
// directory checkpoints of the optimizer's way, records and a report. Holds: what scales the features comes from the rows that train, and
// a fifth of all rows is kept from them.

import { Command } from 'commander';
import { type Column, compile, type Dataset, fit, inMemory, normalized, readCsv, split, type Tensor, tensor, TfcError } from '@tdsl/tfc';
import { count, isMain, report, untilInterrupted } from '../command.js';
import { exampleFile, resultFile } from '../place.js';
import { random } from '../random.js';
import { recordedRun, recordsIn, reportIn, saidOfStop, type Say, startAnew } from '../recorded-run.js';

const features = 8;

/**
 * Eight features of the districts, as means per household where the file has sums; the target in units of 100,000. Blanks take the column's
 * median.
 */
export function readHousing(path: string): Dataset {
  const columns = new Map(readCsv(path).map(({ name, numbers }) => [name, numbers]));
  const column = (name: string): Float64Array => {
    const numbers = columns.get(name);
    if (numbers === undefined) throw new TfcError('bad-data', `${path}: no column of numbers called ${name}`);
    return numbers;
  };
  const households = column('households');
  const perHousehold = (name: string): Float64Array => column(name).map((sum, row) => sum / (households[row] as number));
  return table(
    [
      column('median_income'),
      column('housing_median_age'),
      perHousehold('total_rooms'),
      perHousehold('total_bedrooms'),
      column('population'),
      perHousehold('population'),
      column('latitude'),
      column('longitude'),
    ].map(filled),
    column('median_house_value').map((value) => value / 1e5),
  );
}

function filled(numbers: Float64Array): Float64Array {
  const known = numbers.filter((value) => !Number.isNaN(value)).sort();
  const median = known[known.length >> 1] ?? 0;
  return numbers.map((value) => (Number.isNaN(value) ? median : value));
}

/** Made-up houses whose value is linear in their features but for noise of variance 0.5. */
export function makeHousing(rows: number, seed: number): Dataset {
  const source = random(seed);
  const inputs = Array.from({ length: features }, () => Float64Array.from({ length: rows }, () => source.normal()));
  const target = Float64Array.from(
    { length: rows },
    (_, row) =>
      2 + inputs.reduce((sum, column, at) => sum + ((at % 3) - 0.8) * 0.4 * (column[row] as number), 0) + Math.sqrt(0.5) * source.normal(),
  );
  return table(inputs, target);
}

function table(inputs: readonly Float64Array[], target: Float64Array): Dataset {
  const rows = target.length;
  const X = Float64Array.from({ length: rows * features }, (_, at) => inputs[at % features]?.[Math.floor(at / features)] as number);
  return inMemory([
    { name: 'X', data: X, rows, rowShape: [features] },
    { name: 'y', data: target, rows, rowShape: [1] },
  ]);
}

/** What an entry takes: features behind a column of ones, and targets. */
export interface Part {
  readonly rows: number;
  readonly X: Tensor<'f32'>;
  readonly y: Tensor<'f32'>;
}

/** Four fifths of the rows for training and one for validation; features have mean 0 and deviation 1 over those that train. */
export async function partsOf(data: Dataset, seed: number): Promise<{ readonly training: Part; readonly validation: Part }> {
  const { training, validation } = split(data, 0.2, seed);
  const normalization = await fit(training, ['X']);
  return {
    training: await withOnes(normalized(training, normalization)),
    validation: await withOnes(normalized(validation, normalization)),
  };
}

async function withOnes(part: Dataset): Promise<Part> {
  const rows = part.rows as number;
  for await (const { feeds } of part.batches({ epoch: 1, seed: 0, batch: rows, shuffle: false, rest: 'keep' })) {
    const numbersOf = (name: string): Float64Array => (feeds[name] as { readonly data: Float64Array }).data;
    const [X, y] = [numbersOf('X'), numbersOf('y')];
    const width = features + 1;
    const all = Float32Array.from({ length: rows * width }, (_, at) =>
      at % width === 0 ? 1 : (X[Math.floor(at / width) * features + (at % width) - 1] as number),
    );
    return { rows, X: tensor(all, [rows, width]), y: tensor(Float32Array.from(y), [rows, 1]) };
  }
  throw new TfcError('bad-data', 'no rows');
}

/** Mean squared errors over the rows that train, and of the optimizer's θ over those that do not. */
export interface Errors {
  /** Of the weights that all ways but the closed form start from. */
  readonly start: number;
  readonly normalEquation: number;
  readonly byHand: number;
  readonly byGrad: number;
  readonly byOptimizer: number;
  readonly validation: number;
}

export interface Options {
  readonly data?: string;
  readonly epochs: number;
  readonly out?: string;
  readonly resume?: boolean;
  readonly json?: boolean;
}

const [seed, lr] = [42, 0.01];
const ownDirectory = resultFile('linear-regression');

/** Nothing when `signal` ended it. */
export async function run(options: Options, signal: AbortSignal, say: Say): Promise<Errors | undefined> {
  const { data, epochs, out = ownDirectory, resume = false } = options;
  if (options.out === undefined && !resume) startAnew(out);
  const { training, validation } = await partsOf(data === undefined ? makeHousing(20640, 7) : readHousing(data), seed);
  using model = await compile(exampleFile('linear-regression/housing.tdsl'));
  using session = model.session({ seed });
  const errorOf = ({ X, y }: Part, weights: unknown): number => session.run('error', { X, y, weights: weights as Tensor }) as number;
  // The same start for all, so that their errors can be compared. A checkpoint has it as well: it is of all variables.
  for (const path of ['byHandTheta', 'byGradTheta']) session.set(path, session.get('theta') as Tensor);
  const byOptimizer = await recordedRun(
    model,
    session,
    'train',
    {
      name: 'linear-regression',
      out,
      data: inMemory([columnOf('X', training.X), columnOf('y', training.y)]),
      // All rows in one step, in the order in which they lie: then it is the arithmetic of the other ways.
      batch: training.rows,
      shuffle: false,
      epochs,
      seed,
      signal,
      constant: { lr },
      checkpoints: { every: { count: 100, unit: 'steps' }, keep: 2 },
      resume,
      validate: () => ({ mse: errorOf(validation, session.get('theta')) }),
      hparams: { lr },
      metrics: ['validation/mse'],
      onEpoch: ({ epoch, means }) => {
        if (epoch % 100 !== 0 && epoch !== epochs) return;
        const [mse, other] = [means['mse'], means['validation/mse']];
        say(`step ${epoch}: mean squared error ${mse?.toFixed(6)}, validation ${other?.toFixed(6)}`, { epoch, ...means });
      },
    },
    say,
  );
  if (signal.aborted) return void saidOfStop(byOptimizer, say, '--resume');
  const start = session.get('byHandTheta');
  const { X, y } = training;
  for (const step of ['byHand', 'byGrad']) session.runSteps(step, { X, y, lr }, { steps: epochs });
  return {
    start: errorOf(training, start),
    normalEquation: errorOf(training, session.run('normalEquation', { X, y })),
    byHand: errorOf(training, session.get('byHandTheta')),
    byGrad: errorOf(training, session.get('byGradTheta')),
    byOptimizer: errorOf(training, session.get('theta')),
    validation: errorOf(validation, session.get('theta')),
  };
}

function columnOf(name: string, { data, shape: [rows = 0, ...rowShape] }: Tensor<'f32'>): Column {
  return { name, data, rows, rowShape };
}

const program = new Command('linear-regression')
  .description('fits house prices in four ways')
  .option('--data <csv>', 'California housing; without it houses are made up')
  .option('--epochs <n>', 'steps of gradient descent', count, 1000)
  .option('--out <dir>', 'directory for checkpoints, records and a report; default: build/examples/linear-regression, emptied first')
  .option('--resume', 'go on with the run that the directory has')
  .option('--json', 'print JSON lines; the last one holds the errors');

if (isMain(import.meta.url)) {
  await report(async () => {
    const options = program.parse().opts<Options>();
    const { json, out = ownDirectory } = options;
    const say: Say = (text, value) => void process.stdout.write(`${json === true ? JSON.stringify(value) : text}\n`);
    const errors = await run(options, untilInterrupted(), say);
    if (errors === undefined) return undefined;
    if (json === true) return JSON.stringify(errors);
    const ways = Object.entries(errors).map(([way, value]) => `${way.padEnd(16)} mean squared error ${(value as number).toFixed(6)}`);
    return [...ways, `report: ${reportIn(out)}`, `curves: tensorboard --logdir ${recordsIn(out)}`].join('\n');
  });
}
