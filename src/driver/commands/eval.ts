// `tfc eval FILE [ENTRY] --data PATH --restore F`: the metrics of a trained program, as means over a data set.

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
} from './options.js';
import { restOf, takesFlags } from './rest.js';

export interface EvaluationOptions extends ProgramOptions, DataOptions {
  readonly restore: string;
  readonly batch: string;
  readonly feed: readonly string[];
  readonly with?: string;
  readonly threads: string;
  readonly device: DeviceName;
  readonly cpu: string;
  readonly json?: boolean;
}

export function addEval(program: Command): void {
  const command = program.command('eval').description('compute the metrics of a trained program on a data set');
  takesFlags(addDataOptions(addProgramOptions(command)))
    .argument('<file>', 'program (.tdsl)')
    .argument('[entry]', 'exported function that returns numbers, or the step whose metrics are meant; may be left out when there is one')
    .requiredOption('--restore <path>', 'variables: a .safetensors file, or DIR[/latest|/best] of checkpoints')
    .option('--batch <n>', 'rows per call', '256')
    .addOption(feedOption('call'))
    .option('--with <name>', 'exported function that computes the metrics of a step; may be left out when one fits')
    .addOption(threadsOption())
    .addOption(deviceOption())
    .addOption(cpuOption())
    .option('--json', 'print one JSON object, also for errors')
    .action((_file: string, _entry: string | undefined, options: EvaluationOptions) =>
      perform(options.json, async () => {
        const rest = restOf(command);
        requireRestorable(options.restore);
        const [batch, threads] = [parseCount(options.batch, '--batch', 1), parseCount(options.threads, '--threads', 1)];
        const { evaluateFile } = await import('./eval-file.js');
        await evaluateFile(rest, options, { batch, threads }, command);
      }),
    );
}
