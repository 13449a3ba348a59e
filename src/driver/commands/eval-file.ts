// What `tfc eval` does. In: a program, variables, a data set. Out: means of the program's numbers over all rows, on one line. Holds:
// nothing is trained: what runs is a function, or the numbers of a step without its updates.

import type { Command } from 'commander';
import { toJson } from '../../../runtime/index.js';
import { DiagnosticsError } from '../../base/index.js';
import { meansOver, metricsRunner, scalarNames } from '../../train/metrics.js';
import { print } from './command.js';
import { openDataFor } from './data.js';
import { parseData } from './data-options.js';
import { evaluatedOf } from './entries.js';
import type { EvaluationOptions } from './eval.js';
import { readFeeds } from './feeds.js';
import { openProgram } from './open.js';
import type { Rest } from './rest.js';
import { fittedOf, restoreFor } from './restore.js';
import { feedsOf } from './scalar-flags.js';
import { shownMeans } from './train-report.js';

export async function evaluateFile(
  rest: Rest,
  options: EvaluationOptions,
  { batch, threads }: { readonly batch: number; readonly threads: number },
  command: Command,
): Promise<void> {
  const given = readFeeds(options.feed, undefined);
  using module = await openProgram(rest.file, options);
  const entry = evaluatedOf(module.manifest, rest.entry);
  if (scalarNames(entry).length === 0)
    throw new DiagnosticsError([
      {
        code: 'unknown-entry',
        message: `${entry.name} returns no numbers that have a mean`,
        hint: `Rows of results are written by tfc predict.`,
      },
    ]);
  using session = module.session({ threads, device: options.device });
  const runner = metricsRunner(session, module, entry, options.with?.normalize());
  const constant = { ...given, ...feedsOf(rest.flags, runner.entry, command) };
  const data = await openDataFor(options.data, runner.entry, module.manifest, parseData(options), fittedOf(options.restore));
  restoreFor(session, options.restore, [runner.entry]);
  const { means, rows } = await meansOver(runner, data, { batch, constant });
  print(options.json === true ? JSON.stringify(toJson({ ...means, rows })) : `${shownMeans(means)} (${rows} rows)`);
}
