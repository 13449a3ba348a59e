// `tfc sweep FILE … --lr 1e-4..1e-1:log --batch 32,64`: trains once for every combination of values, and holds the runs side by side.

import type { Command } from 'commander';
import { perform } from './command.js';
import { parseCount } from './options.js';
import { combinationsOf } from './sweep-axes.js';

export interface SweepOptions {
  readonly logdir: string;
  readonly out?: string;
  readonly jobs?: string;
  readonly metric?: string;
  readonly json?: boolean;
}

/** What a project's configuration says of `tfc train` that every run has to have for itself. */
function configured(program: Command, words: readonly string[]): readonly string[] {
  const train = program.commands.find((one) => one.name() === 'train');
  return ['checkpoint', 'save'].flatMap((name) => {
    const value: unknown = train?.getOptionValue(name);
    const isGiven = words.some((word) => word === `--${name}` || word.startsWith(`--${name}=`));
    return typeof value === 'string' && !isGiven ? [`--${name}`, value] : [];
  });
}

export function addSweep(program: Command): void {
  const command = program
    .command('sweep')
    .description('train a program once for every combination of values: --lr 1e-4..1e-1:log --batch 32,64');
  command
    .argument('<file>', 'program (.tdsl)')
    .argument('[entry]', 'exported step; may be left out when there is one')
    .allowUnknownOption()
    .allowExcessArguments()
    .option('--logdir <dir>', 'where the runs are recorded, each in a directory of its own', 'runs')
    .option('-o, --out <path>', 'page with all runs (.html); default: sweep.html in the directory of the runs')
    .option('--jobs <n>', 'how many run at the same time; default: half the processors')
    .option('--metric <name>', 'by which they are ordered: validation/loss, max:score; default: the first that validates, or the first')
    .option('--json', 'print one JSON object per run, then the path of the page')
    .addHelpText(
      'after',
      '\nAll else is what `tfc train` takes. Lists (32,64) and ranges (0.1..0.5, 1e-4..1e-1:log, 0..1:11) are tried value by value.',
    )
    .action((_file: string, _entry: string | undefined, options: SweepOptions) =>
      perform(options.json, async () => {
        const combinations = combinationsOf([...command.args, ...configured(program, command.args)]);
        const jobs = options.jobs === undefined ? undefined : parseCount(options.jobs, '--jobs', 1);
        const { sweep } = await import('./sweep-runs.js');
        await sweep(combinations, options, jobs);
      }),
    );
}
