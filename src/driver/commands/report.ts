// `tfc report DIRECTORY… [-o report.html]`: what was recorded of training runs, as a page or on the terminal.

import { extname } from 'node:path';
import type { Command } from 'commander';
import { requireWritable } from '../../../runtime/atomic-file.js';
import { toJson } from '../../../runtime/json.js';
import type { RunRecord } from '../../train/read-run.js';
import { perform, print } from './command.js';
import { UsageError } from './options.js';

interface Options {
  readonly out?: string;
  readonly json?: boolean;
}

export function addReport(program: Command): void {
  program
    .command('report')
    .description('show what was recorded of training runs: curves, numbers, options, variables, kernels, the graph')
    .argument('<directory...>', 'directory of a run, or of several runs (that of --logdir)')
    .option('-o, --out <path>', 'page to write (.html); without it curves are drawn on the terminal')
    .option('--json', 'print the result and errors as JSON')
    .action((directories: readonly string[], options: Options) => perform(options.json, () => reportRuns(directories, options)));
}

async function reportRuns(directories: readonly string[], { out, json }: Options): Promise<void> {
  if (out !== undefined) {
    if (extname(out) !== '.html') throw new UsageError(`-o takes a path that ends in .html; got ${JSON.stringify(out)}`);
    requireWritable(out);
  }
  const { readRun, runsIn } = await import('../../train/read-run.js');
  const runs = [...new Set(directories.flatMap((directory) => runsIn(directory)))].map(readRun);
  if (out !== undefined) {
    const { writeReport } = await import('../report/run-report.js');
    await writeReport(runs, out);
  }
  if (json === true) print(JSON.stringify(toJson({ ...(out === undefined ? {} : { path: out }), runs: runs.map(summaryOf) })));
  else if (out !== undefined) print(`${out}: ${runs.length} run${runs.length === 1 ? '' : 's'}`);
  else {
    const { terminalCurves } = await import('../../train/report/terminal.js');
    const width = Math.min(process.stdout.columns ?? 80, 120);
    print(runs.map((run) => [heading(run), terminalCurves(run, width)].filter((text) => text !== '').join('\n')).join('\n\n'));
  }
}

const lastValues = ({ curves }: RunRecord): Record<string, number> =>
  Object.fromEntries([...curves].flatMap(([tag, { values }]) => values.slice(-1).map((value) => [tag, value])));

function heading(run: RunRecord): string {
  const last = Object.entries(lastValues(run)).map(([tag, value]) => `  ${tag} ${Number(value.toPrecision(5))}`);
  return [`${run.directory}: ${run.outcome === 'running' ? 'not ended' : run.outcome}`, ...last].join('\n');
}

const summaryOf = (run: RunRecord) => ({
  name: run.name,
  directory: run.directory,
  outcome: run.outcome,
  started: run.started,
  seconds: run.ended - run.started,
  resumedAt: run.resumedAt,
  hparams: run.hparams,
  last: lastValues(run),
});
