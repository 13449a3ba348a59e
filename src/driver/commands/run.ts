// `tfc run FILE ENTRY`: runs an entry once or many times, one JSON value per step and line.

import type { Command } from 'commander';
import { isRead, perform, print } from './command.js';
import { openProgram } from './open.js';
import {
  addProgramOptions,
  collect,
  cpuOption,
  deviceOption,
  parseCount,
  type DeviceName,
  type ProgramOptions,
  requireRestorable,
  threadsOption,
} from './options.js';

interface Options extends ProgramOptions {
  readonly feed: readonly string[];
  readonly feeds?: string;
  readonly steps: string;
  readonly restore?: string;
  readonly trapNan?: boolean;
  readonly seed: string;
  readonly threads: string;
  readonly device: DeviceName;
  readonly cpu: string;
  readonly json?: boolean;
}

export function addRun(commands: Command): void {
  addProgramOptions(commands.command('run').description('run an entry of a program and print its results as JSON, one line per step'))
    .argument('<file>', 'program (.tdsl)')
    .argument('<entry>', 'exported function or step')
    .option('--feed <name=value>', 'value of an argument: JSON, or @file.npy; may be repeated', collect, [])
    .option('--feeds <file>', 'JSON file with an object of feeds')
    .option('--steps <n>', 'how often to run it', '1')
    .option('--restore <path>', 'give the variables that it reads their values: a .safetensors file, or DIR[/latest|/best] of checkpoints')
    .option('--trap-nan', 'name the line that first makes a NaN or an infinity; slower')
    .option('--seed <n>', 'seed of the initial values', '0')
    .addOption(threadsOption())
    .addOption(deviceOption())
    .addOption(cpuOption())
    .option('--json', 'print errors as JSON too')
    .action((file: string, entry: string, options: Options) =>
      perform(options.json, async () => {
        const steps = parseCount(options.steps, '--steps', 0);
        const seed = parseCount(options.seed, '--seed', 0);
        const threads = parseCount(options.threads, '--threads', 1);
        if (options.restore !== undefined) requireRestorable(options.restore);
        const { readFeeds } = await import('./feeds.js');
        const { toJson } = await import('../../../runtime/index.js');
        const { requirePrintable, tooLong } = await import('./printable.js');
        const line = (result: unknown): string => {
          try {
            return JSON.stringify(toJson(result));
          } catch (cause) {
            // No string is longer than half a gigabyte.
            if (cause instanceof RangeError) throw tooLong(entry, cause);
            throw cause;
          }
        };
        const feeds = readFeeds(options.feed, options.feeds);
        using model = await openProgram(file, options);
        using session = model.session({ seed, threads, trapNan: options.trapNan === true, device: options.device });
        if (steps > 0) requirePrintable(model.manifest, session, entry.normalize(), feeds);
        if (options.restore !== undefined) {
          const { restoreFor } = await import('./restore.js');
          const { readsOf } = await import('./entries.js');
          restoreFor(session, options.restore, readsOf(model.manifest, entry.normalize()));
        }
        for (let step = 0; step < steps && isRead(); step++) print(line(session.run(entry.normalize(), feeds)));
      }),
    );
}
