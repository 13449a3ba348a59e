// Linear regression four ways. In: California housing by path (`--data housing.csv`), or made-up houses. Out: mean squared errors.

import { Command } from 'commander';
import { compile, readCsv, TfcError } from 'tfc';
import { exampleFile } from '../place.js';
import { random } from '../random.js';

interface Data {
  readonly X: { readonly data: Float32Array; readonly shape: readonly number[] };
  readonly y: { readonly data: Float32Array; readonly shape: readonly number[] };
}

const features = 8;

/** Eight numeric columns, scaled to mean 0 and deviation 1, and a column of ones; the target in units of 100,000. Blanks take the column's median. */
export function readHousing(path: string): Data {
  const columns = readCsv(path).flatMap(({ name, numbers }) => (numbers === undefined ? [] : [{ name, numbers }]));
  const target = columns.find(({ name }) => name === 'median_house_value');
  const inputs = columns.filter((column) => column !== target);
  if (target === undefined || inputs.length !== features) throw new TfcError('bad-data', `${path}: expected median_house_value and ${features} other columns of numbers`);
  return prepare(
    inputs.map(({ numbers }) => filled(numbers)),
    target.numbers.map((value) => value / 1e5),
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
  const target = Float64Array.from({ length: rows }, (_, row) => 2 + inputs.reduce((sum, column, at) => sum + ((at % 3) - 0.8) * 0.4 * (column[row] as number), 0) + Math.sqrt(0.5) * source.normal());
  return prepare(inputs, target);
}

function prepare(inputs: readonly Float64Array[], target: Float64Array): Data {
  const rows = target.length;
  const X = new Float32Array(rows * (features + 1));
  for (const [at, column] of inputs.entries()) {
    const mean = column.reduce((sum, value) => sum + value, 0) / rows;
    const deviation = Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows);
    for (let row = 0; row < rows; row++) X[row * (features + 1) + at + 1] = ((column[row] as number) - mean) / deviation;
  }
  for (let row = 0; row < rows; row++) X[row * (features + 1)] = 1;
  return { X: { data: X, shape: [rows, features + 1] }, y: { data: Float32Array.from(target), shape: [rows, 1] } };
}

export interface Errors {
  readonly normalEquation: number;
  readonly byHand: number;
  readonly byGrad: number;
  readonly byOptimizer: number;
}

export async function run(path: string | undefined, epochs: number): Promise<Errors> {
  const model = await compile(exampleFile('linear-regression/housing.tdsl'));
  const data = path === undefined ? makeHousing(20640, 7) : readHousing(path);
  using session = model.session({ seed: 42 });
  const lr = 0.01;
  const last = { byHand: 0, byGrad: 0, byOptimizer: 0 };
  for (let epoch = 0; epoch < epochs; epoch++) {
    last.byHand = mseOf(session.run('byHand', { ...data, lr }));
    last.byGrad = mseOf(session.run('byGrad', { ...data, lr }));
    last.byOptimizer = mseOf(session.run('train', { ...data, lr }));
  }
  const weights = session.run('normalEquation', { ...data });
  const normalEquation = session.run('error', { ...data, weights: weights as never }) as number;
  return { normalEquation, ...last };
}

const mseOf = (result: unknown): number => (result as { readonly mse: number }).mse;

if (process.argv[1] !== undefined && /examples[\\/]linear-regression[\\/]main\.js$/.test(process.argv[1])) {
  const options = new Command('linear-regression').option('--data <csv>', 'California housing').option('--epochs <n>', 'steps of gradient descent', Number, 1000).option('--json', 'print one JSON object').parse().opts<{ data?: string; epochs: number; json?: boolean }>();
  const errors = await run(options.data, options.epochs);
  if (options.json === true) process.stdout.write(`${JSON.stringify(errors)}\n`);
  else for (const [way, value] of Object.entries(errors)) process.stdout.write(`${way.padEnd(16)} mean squared error ${(value as number).toFixed(6)}\n`);
}
