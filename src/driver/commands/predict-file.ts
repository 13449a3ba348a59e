// What `tfc predict` does. In: a program, variables, a data set. Out: a file with the entry's results for all rows, in the order of the
// data. Holds: the kind of file is known, and its place can be written, before anything is computed.

import type { Command } from 'commander';
import { requireWritable, writeFiles, writeFully } from '../../../runtime/atomic-file.js';
import { predictOver } from '../../train/predictions.js';
import { formatOf, predictionFormats } from '../../train/prediction-files.js';
import { print } from './command.js';
import { openDataFor } from './data.js';
import { parseData } from './data-options.js';
import { functionOf } from './entries.js';
import { readFeeds } from './feeds.js';
import { openProgram } from './open.js';
import { UsageError } from './options.js';
import type { PredictionOptions } from './predict.js';
import type { Rest } from './rest.js';
import { fittedOf, restoreFor } from './restore.js';
import { feedsOf } from './scalar-flags.js';

export async function predictFile(
  rest: Rest,
  named: string,
  options: PredictionOptions,
  { batch, threads }: { readonly batch: number; readonly threads: number },
  command: Command,
): Promise<void> {
  const format = formatOf(options.out);
  if (format === undefined)
    throw new UsageError(`--out takes a path that ends in ${predictionFormats.join(', ')}; got ${JSON.stringify(options.out)}`);
  requireWritable(options.out);
  const given = readFeeds(options.feed, undefined);
  using module = await openProgram(rest.file, options);
  const entry = functionOf(module.manifest, named);
  if (/\.npy$/i.test(options.out) && entry.outputs.length > 1)
    throw new UsageError(
      `a .npy file has one result, and ${named} returns ${entry.outputs.length}: ${entry.outputs.map(({ name }) => name).join(', ')}`,
      'Write them to .npz.',
    );
  const constant = { ...given, ...feedsOf(rest.flags, entry, command) };
  const data = await openDataFor(options.data, entry, module.manifest, parseData(options), fittedOf(options.restore));
  using session = module.session({ threads, device: options.device });
  restoreFor(session, options.restore, [entry]);
  const bound = session.entry(entry.name);
  const columns = await predictOver(entry, (feeds) => bound.run(feeds), data, { batch, constant });
  const bytes = format(columns);
  writeFiles([{ path: options.out, write: (file) => bytes.forEach((piece) => writeFully(file, piece)) }]);
  const rows = columns[0]?.shape[0] ?? 0;
  print(
    options.json === true
      ? JSON.stringify({ out: options.out, rows, results: columns.map(({ name }) => name) })
      : `${rows} rows written to ${options.out}`,
  );
}
