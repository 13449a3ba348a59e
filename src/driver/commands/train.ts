// `tfc train FILE [ENTRY] --data PATH --batch N --epochs N`: runs a step over a data set, epoch by epoch.

import type { Command } from 'commander';
import { requireWritable } from '../../../runtime/atomic-file.js';
import type { EntrySpec, Manifest } from '../../../runtime/index.js';
import { DiagnosticsError } from '../../base/index.js';
import type { EpochRecord } from '../../train/train.js';
import { isWatched, perform, print } from './command.js';
import { openProgram } from './open.js';
import { addProgramOptions, collect, parseCount, type ProgramOptions, UsageError } from './options.js';

interface Options extends ProgramOptions {
  readonly data: string;
  readonly batch: string;
  readonly epochs: string;
  readonly feed: readonly string[];
  readonly seed: string;
  readonly threads: string;
  readonly cpu: string;
  readonly save?: string;
  readonly json?: boolean;
}

export function addTrain(program: Command): void {
  addProgramOptions(program.command('train').description('train a program on a data set'))
    .argument('<file>', 'program (.tdsl)')
    .argument('[entry]', 'exported step; may be left out when there is one')
    .requiredOption('--data <path>', 'directory with NAME.npy per argument or with IDX files, a CSV file, or a JSON file')
    .requiredOption('--batch <n>', 'rows per step')
    .requiredOption('--epochs <n>', 'how often to go through the data')
    .option('--feed <name=value>', 'argument that is the same in every step: JSON, or @file.npy; may be repeated', collect, [])
    .option('--seed <n>', 'seed of the initial values and of the order of the data', '0')
    .option('--threads <n>', 'threads to use', '1')
    .option('--cpu <name>', "LLVM's name of the CPU to compile for", 'native')
    .option('--save <path>', 'write the variables there at the end (.safetensors)')
    .option('--json', 'print one JSON object per epoch, and errors as JSON')
    .action((file: string, named: string | undefined, options: Options) =>
      perform(options.json, () => trainFile(file, named?.normalize(), options)),
    );
}

async function trainFile(file: string, named: string | undefined, options: Options): Promise<void> {
  const json = options.json === true;
  const [batch, epochs] = [parseCount(options.batch, '--batch', 1), parseCount(options.epochs, '--epochs', 1)];
  const [seed, threads] = [parseCount(options.seed, '--seed', 0), parseCount(options.threads, '--threads', 1)];
  // Hours of training should not end with a folder that is not there.
  if (options.save !== undefined) requireWritable(options.save);
  const { readFeeds } = await import('./feeds.js');
  const { openDataset } = await import('../../train/data/open-dataset.js');
  const { progressBar, toJson, train } = await import('../index.js');
  const constant = readFeeds(options.feed, undefined);
  using model = await openProgram(file, options);
  const entry = stepOf(model.manifest, named);
  // All of it in memory, of which the loop takes batches.
  const { data: columns = [], rows = 0 } = await openDataset(options.data, entry, { memory: Infinity });
  using session = model.session({ seed, threads });
  const bound = session.entry(entry.name);
  const bar = isWatched(json) ? progressBar(epochs) : undefined;
  try {
    for (const record of train((feeds) => bound.run(feeds), {
      columns,
      rows,
      batch,
      epochs,
      seed,
      constant,
      ...(bar === undefined ? {} : { onStep: (progress) => bar.step(progress) }),
    })) {
      print(
        json
          ? JSON.stringify(toJson({ epoch: record.epoch, steps: record.steps, seconds: record.seconds, ...record.means }))
          : epochLine(record),
      );
    }
  } finally {
    bar?.stop();
  }
  if (options.save === undefined) return;
  session.save(options.save);
  if (!json) print(`variables saved to ${options.save}`);
}

const epochLine = ({ epoch, means, seconds }: EpochRecord): string =>
  `epoch ${epoch}: ${Object.entries(means)
    .map(([name, value]) => `${name} ${value.toPrecision(4)}`)
    .join(', ')} (${seconds.toFixed(2)} s)`;

function stepOf({ entries, module }: Manifest, named: string | undefined): EntrySpec {
  const steps = entries.filter((entry) => entry.kind === 'step');
  const names = steps.map((entry) => entry.name).join(', ');
  const found = named === undefined ? (steps.length === 1 ? steps[0] : undefined) : steps.find((entry) => entry.name === named);
  if (found !== undefined) return found;
  const hint = steps.length === 0 ? 'Write `export step train<B>(x: f32[B, 784], …) { … }`.' : `It has: ${names}.`;
  if (named !== undefined || steps.length === 0)
    throw new DiagnosticsError([
      { code: 'unknown-entry', message: `${module} exports no step${named === undefined ? '' : ` ${named}`}`, hint },
    ]);
  throw new UsageError(`name one of the steps: ${names}`);
}
