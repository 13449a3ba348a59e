// A curve through noisy visits to a hospital. In: a table of days and visits by path, or made-up ones. Out: losses of the training,
// validation and test parts while it trains, and visits on a grid of days. Holds: what normalizes days is fitted on the training part
// alone.

import { Command } from 'commander';
import {
  compile,
  type Dataset,
  type EntrySpec,
  fit,
  inMemory,
  type Module,
  type Normalization,
  normalized,
  openDataset,
  type Session,
  split,
  type Tensor,
  train,
} from '@tdsl/tfc';
import { count, isMain, positive, report } from '../command.js';
import { exampleFile } from '../place.js';
import { madeUpVisits } from './visits.js';

export interface Options {
  readonly data?: string;
  readonly epochs: number;
  readonly every: number;
  readonly batch: number;
  readonly rate: number;
  readonly seed: number;
  readonly json?: boolean;
}

export interface Losses {
  readonly training: number;
  readonly validation: number;
  readonly test: number;
}

export interface Fit extends Losses {
  /** Days of the grid, and the visits that the curve has there, in hundreds. */
  readonly grid: readonly (readonly [day: number, visits: number])[];
}

/** Tells the losses every so many epochs. */
export async function run(options: Options, tell: (epoch: number, losses: Losses) => void): Promise<Fit> {
  const { epochs, every, batch, rate, seed } = options;
  using module = await compile(exampleFile('hospital/hospital.tdsl'));
  using session = module.session({ seed, threads: 1 });
  const { training, validation, test, normalization } = await readParts(options, module);
  const losses = async (): Promise<Losses> => ({
    training: await lossOf(session, training),
    validation: await lossOf(session, validation),
    test: await lossOf(session, test),
  });
  const step = session.entry('train');
  const steps = train((feeds) => step.run(feeds), { data: training, batch, epochs, seed, constant: { lr: rate } });
  for await (const { epoch } of steps) if (epoch % every === 0 || epoch === epochs) tell(epoch, await losses());
  return { ...(await losses()), grid: await predict(session, normalization) };
}

/** 70 % of the rows for training, 15 % each for validation and the test; days are scaled by those of the training part. */
async function readParts({ data, seed }: Options, { entries }: Module) {
  const entry = entries.find(({ name }) => name === 'train') as EntrySpec;
  const parts = split(await openDataset(data ?? { ...madeUpVisits(3, seed) }, entry), [0.15, 0.15], seed);
  const normalization = await fit(parts.training, ['day'], 'range');
  const scaled = (part: Dataset): Dataset => normalized(part, normalization);
  return {
    training: scaled(parts.training),
    validation: scaled(parts.validation),
    // There is one, because two fractions were kept apart.
    test: scaled(parts.test as Dataset),
    normalization,
  };
}

/** All rows, in the order in which they lie. */
const oncePass = { epoch: 1, seed: 0, batch: 256, shuffle: false, rest: 'keep' } as const;

/** The mean over the rows of a part. */
async function lossOf(session: Session, part: Dataset): Promise<number> {
  let [sum, rows] = [0, 0];
  for await (const batch of part.batches(oncePass)) {
    const { loss } = session.run('metrics', batch.feeds) as { readonly loss: number };
    [sum, rows] = [sum + loss * batch.rows, rows + batch.rows];
  }
  return sum / rows;
}

/** On every thirtieth day of a year. */
async function predict(session: Session, normalization: Normalization): Promise<Fit['grid']> {
  const days = Float32Array.from({ length: 13 }, (_, at) => 30 * at);
  const grid = normalized(inMemory([{ name: 'day', data: days, rows: days.length, rowShape: [1] }]), normalization);
  const visits: number[] = [];
  for await (const { feeds } of grid.batches(oncePass)) visits.push(...(session.run('predict', feeds) as Tensor<'f32'>).data);
  return visits.map((one, at) => [days[at] as number, one] as const);
}

const program = new Command('hospital')
  .description('fits a curve to visits by day of the year')
  .option('--data <csv>', 'table with columns day and visits; without it visits are made up')
  .option('--epochs <n>', 'how often to go through the training part', count, 200)
  .option('--every <n>', 'epochs from one line of losses to the next', count, 20)
  .option('--batch <n>', 'rows per step', count, 32)
  .option('--rate <x>', 'learning rate', positive, 0.02)
  .option('--seed <n>', 'seed of the visits, of the split and of the order', count, 42)
  .option('--json', 'print JSON lines; the last one holds the final losses and the grid');

if (isMain(import.meta.url)) {
  await report(async () => {
    const options = program.parse().opts<Options>();
    const json = options.json === true;
    const say = (text: string): void => void process.stdout.write(`${text}\n`);
    const fitted = await run(options, (epoch, losses) => {
      const { training, validation, test } = losses;
      if (json) say(JSON.stringify({ epoch, ...losses }));
      else say(`epoch ${epoch}: training ${training.toFixed(4)}, validation ${validation.toFixed(4)}, test ${test.toFixed(4)}`);
    });
    if (json) return JSON.stringify(fitted);
    return fitted.grid.map(([day, visits]) => `day ${String(day).padStart(3)}: ${(100 * visits).toFixed(0)} visits`).join('\n');
  });
}
