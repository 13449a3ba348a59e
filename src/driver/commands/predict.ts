// `tfc predict FILE ENTRY --data PATH --restore F --out preds.npy`: what a trained program says of every row of a data set.

import type { Command } from 'commander';
import { perform } from './command.js';
import { addDataOptions, type DataOptions } from './data-options.js';
import {
  addProgramOptions,
  cpuOption,
  deviceOption,
  feedOption,
  parseCount,
  type DeviceName,
  type ProgramOptions,
  requireRestorable,
  threadsOption,
  UsageError,
} from './options.js';
import { restOf, takesFlags } from './rest.js';

export interface PredictionOptions extends ProgramOptions, DataOptions {
  readonly restore: string;
  readonly out: string;
  readonly batch: string;
  readonly feed: readonly string[];
  readonly threads: string;
  readonly device: DeviceName;
  readonly cpu: string;
  readonly json?: boolean;
}

export function addPredict(program: Command): void {
  const command = program.command('predict').description('write what a trained program says of every row of a data set');
  takesFlags(addDataOptions(addProgramOptions(command)))
    .argument('<file>', 'program (.tdsl)')
    .argument('<entry>', 'exported function that returns a row per row')
    .requiredOption('--restore <path>', 'variables: a .safetensors file, or DIR[/latest|/best] of checkpoints')
    .requiredOption('--out <path>', 'where to write: .npy for one result, .npz, .csv or .json for any number')
    .option('--batch <n>', 'rows per call', '256')
    .addOption(feedOption('call'))
    .addOption(threadsOption())
    .addOption(deviceOption())
    .addOption(cpuOption())
    .option('--json', 'print one JSON object, also for errors')
    .action((_file: string, _entry: string, options: PredictionOptions) =>
      perform(options.json, async () => {
        const rest = restOf(command);
        if (rest.entry === undefined) throw new UsageError("missing required argument 'entry'");
        requireRestorable(options.restore);
        const [batch, threads] = [parseCount(options.batch, '--batch', 1), parseCount(options.threads, '--threads', 1)];
        const { predictFile } = await import('./predict-file.js');
        await predictFile(rest, rest.entry, options, { batch, threads }, command);
      }),
    );
}
