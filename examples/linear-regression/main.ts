// Linear regression four ways. In: California housing by path (`--data housing.csv`), or made-up houses. Out: mean squared errors.

import { Command } from 'commander';
import { compile, type FeedValue, readCsv, type Tensor, TfcError, zeros } from '@tdsl/tfc';
import { count, isMain, report } from '../command.js';
import { exampleFile } from '../place.js';
import { random } from '../random.js';

interface Data {
  readonly X: Tensor<'f32'>;
  readonly y: Tensor<'f32'>;
}

const features = 8;

/**
 * Eight features of the districts, as means per household where the file has sums, scaled to mean 0 and deviation 1, behind a column of
 * ones; the target in units of 100,000. Blanks take the column's median.
 */
export function readHousing(path: string): Data {
  const columns = new Map(readCsv(path).map(({ name, numbers }) => [name, numbers]));
  const column = (name: string): Float64Array => {
    const numbers = columns.get(name);
    if (numbers === undefined) throw new TfcError('bad-data', `${path}: no column of numbers called ${name}`);
    return numbers;
  };
  const households = column('households');
  const perHousehold = (name: string): Float64Array => column(name).map((sum, row) => sum / (households[row] as number));
  return prepare(
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
export function makeHousing(rows: number, seed: number): Data {
  const source = random(seed);
  const inputs = Array.from({ length: features }, () => Float64Array.from({ length: rows }, () => source.normal()));
  const target = Float64Array.from(
    { length: rows },
    (_, row) =>
      2 + inputs.reduce((sum, column, at) => sum + ((at % 3) - 0.8) * 0.4 * (column[row] as number), 0) + Math.sqrt(0.5) * source.normal(),
  );
  return prepare(inputs, target);
}

function prepare(inputs: readonly Float64Array[], target: Float64Array): Data {
  const rows = target.length;
  const [X, y] = [zeros([rows, features + 1]), zeros([rows, 1])];
  for (const [at, column] of inputs.entries()) {
    const mean = column.reduce((sum, value) => sum + value, 0) / rows;
    const deviation = Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows);
    for (let row = 0; row < rows; row++) X.data[row * (features + 1) + at + 1] = ((column[row] as number) - mean) / deviation;
  }
  for (let row = 0; row < rows; row++) X.data[row * (features + 1)] = 1;
  y.data.set(target);
  return { X, y };
}

export interface Errors {
  /** Of the weights that all ways but the closed form start from. */
  readonly start: number;
  readonly normalEquation: number;
  readonly byHand: number;
  readonly byGrad: number;
  readonly byOptimizer: number;
}

export async function run(path: string | undefined, epochs: number): Promise<Errors> {
  const data = path === undefined ? makeHousing(20640, 7) : readHousing(path);
  using model = await compile(exampleFile('linear-regression/housing.tdsl'));
  using session = model.session({ seed: 42 });
  const errorOf = (weights: FeedValue): number => session.run('error', { ...data, weights }) as number;
  // The same start for all, so that their errors can be compared.
  const start = session.get('theta') as Tensor;
  for (const path of ['byHandTheta', 'byGradTheta']) session.set(path, start);
  for (const step of ['byHand', 'byGrad', 'train']) session.runSteps(step, { ...data, lr: 0.01 }, { steps: epochs });
  return {
    start: errorOf(start),
    normalEquation: errorOf(session.run('normalEquation', { ...data }) as Tensor),
    byHand: errorOf(session.get('byHandTheta')),
    byGrad: errorOf(session.get('byGradTheta')),
    byOptimizer: errorOf(session.get('theta')),
  };
}

const program = new Command('linear-regression')
  .description('fits house prices in four ways')
  .option('--data <csv>', 'California housing; without it houses are made up')
  .option('--epochs <n>', 'steps of gradient descent', count, 1000)
  .option('--json', 'print one JSON object');

if (isMain(import.meta.url)) {
  await report(async () => {
    const options = program.parse().opts<{ data?: string; epochs: number; json?: boolean }>();
    const errors = await run(options.data, options.epochs);
    if (options.json === true) return JSON.stringify(errors);
    return Object.entries(errors)
      .map(([way, value]) => `${way.padEnd(16)} mean squared error ${(value as number).toFixed(6)}`)
      .join('\n');
  });
}
