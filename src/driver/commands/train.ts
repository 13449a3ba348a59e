// `tfc train FILE [ENTRY] --data PATH --batch N --epochs N`: runs a step over a data set, epoch by epoch.

import type { Command } from 'commander';
import { type Module, TfcError } from '../../../runtime/index.js';
import { readDataset } from '../data/dataset.js';
import { readFeeds } from '../feeds.js';
import { compile } from '../index.js';
import { format, progressBar } from '../progress.js';
import { readSource } from '../sources.js';
import { train } from '../train.js';
import { collect, parseCount, parseSet, perform, print, UsageError } from './command.js';

interface Options {
  readonly data: string;
  readonly batch: string;
  readonly epochs: string;
  readonly feed: readonly string[];
  readonly seed: string;
  readonly threads: string;
  readonly set: readonly string[];
  readonly cpu: string;
  readonly save?: string;
  readonly json?: boolean;
}

export function addTrain(program: Command): void {
  program
    .command('train')
    .description('train a program on a data set')
    .argument('<file>', 'program (.tdsl)')
    .argument('[entry]', 'exported step; may be left out when there is one')
    .requiredOption('--data <path>', 'directory with NAME.npy per feed or with IDX files, a CSV file, or a JSON file')
    .requiredOption('--batch <n>', 'rows per step')
    .requiredOption('--epochs <n>', 'how often to go through the data')
    .option('--feed <name=value>', 'argument that is the same in every step: JSON, or @file.npy; may be repeated', collect, [])
    .option('--seed <n>', 'seed of the initial values and of the order of the data', '0')
    .option('--threads <n>', 'threads to use', '1')
    .option('--set <Name=N>', 'value for a dim; may be repeated', collect, [])
    .option('--cpu <name>', "LLVM's name of the CPU to compile for", 'native')
    .option('--save <path>', 'write the variables there at the end (.safetensors)')
    .option('--json', 'print one JSON object per epoch, and errors as JSON')
    .action(async (file: string, named: string | undefined, options: Options) => {
      const texts = new Map<string, string>();
      process.exitCode = await perform({ json: options.json === true, texts }, async () => {
        const [batch, epochs] = [parseCount(options.batch, '--batch', 1), parseCount(options.epochs, '--epochs', 1)];
        const [seed, threads] = [parseCount(options.seed, '--seed', 0), parseCount(options.threads, '--threads', 1)];
        const constant = readFeeds(options.feed, undefined);
        readSource(file);
        const model = await compile(file, { set: parseSet(options.set), cpu: options.cpu });
        const entry = stepOf(model, named);
        const { columns, rows } = readDataset(options.data, entry);
        using session = model.session({ seed, threads });
        const bar = options.json === true || !process.stderr.isTTY ? undefined : progressBar(epochs);
        try {
          for (const record of train((feeds) => session.run(entry.name, feeds), { columns, rows, batch, epochs, seed, constant, ...(bar === undefined ? {} : { onStep: (progress) => bar.step(progress) }) })) {
            if (options.json === true) print(JSON.stringify({ epoch: record.epoch, steps: record.steps, seconds: record.seconds, ...record.means }));
            else print(`epoch ${record.epoch}: ${Object.entries(record.means).map(([name, value]) => `${name} ${format(value)}`).join(', ')} (${record.seconds.toFixed(2)} s)`);
          }
        } finally {
          bar?.stop();
        }
        if (options.save !== undefined) {
          session.save(options.save);
          if (options.json !== true) print(`variables saved to ${options.save}`);
        }
      });
    });
}

function stepOf(model: Module, named: string | undefined): Module['manifest']['entries'][number] {
  const { entries } = model.manifest;
  const steps = entries.filter((entry) => entry.kind === 'step');
  if (named !== undefined) {
    const found = entries.find((entry) => entry.name === named && entry.kind !== 'init');
    if (found === undefined) throw new TfcError('unknown-entry', `the program exports no entry ${named}`, { hint: `It has: ${entries.filter((entry) => entry.kind !== 'init').map((entry) => entry.name).join(', ')}.` });
    return found;
  }
  const [only] = steps;
  if (only === undefined || steps.length > 1) throw new UsageError(steps.length === 0 ? 'the program exports no step' : `name one of the steps: ${steps.map((entry) => entry.name).join(', ')}`);
  return only;
}
