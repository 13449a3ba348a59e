// What commands are told of data. In: what stands on the command line. Out: options of a data set. Holds: what makes no sense is wrong
// usage, before anything is read.

import type { Command } from 'commander';
import { type BlankRule, type DatasetOptions, type Format, formats } from '../../train/data/dataset-options.js';
import { collect, UsageError } from './options.js';

/** What is said of data on the command line. */
export interface DataOptions {
  readonly data: string;
  readonly format?: string;
  readonly blanks?: readonly string[];
}

/** The options of every command that reads data. */
export const addDataOptions = (command: Command): Command =>
  command
    .requiredOption('--data <path>', 'file or directory of data, or - for standard input with --format')
    .option('--format <name>', `what the data is, where its name does not say it: ${formats.join(', ')}`)
    .option('--blanks <rule>', 'mean, median, drop or a number for blank cells, or COLUMN=rule; may be repeated', collect, []);

/** @throws UsageError */
export function parseData({ format, blanks = [] }: DataOptions): DatasetOptions {
  if (format !== undefined && !(formats as readonly string[]).includes(format))
    throw new UsageError(`--format takes one of ${formats.join(', ')}; got ${JSON.stringify(format)}`);
  const rules = blanks.map((text): readonly [string | undefined, BlankRule] => {
    const [, column, rule = text] = /^([^=]+)=(.*)$/.exec(text) ?? [];
    if (rule === 'mean' || rule === 'median' || rule === 'drop') return [column, rule];
    const number = rule.trim() === '' ? Number.NaN : Number(rule);
    if (!Number.isFinite(number)) throw new UsageError(`--blanks takes mean, median, drop or a number; got ${JSON.stringify(text)}`);
    return [column, number];
  });
  const [general, ...more] = rules.filter(([column]) => column === undefined);
  const columns = rules.filter((rule): rule is readonly [string, BlankRule] => rule[0] !== undefined);
  if (more.length > 0 || (general !== undefined && columns.length > 0))
    throw new UsageError('--blanks takes one rule for all columns, or rules by column, as in --blanks age=median');
  return {
    ...(format === undefined ? {} : { format: format as Format }),
    ...(general !== undefined ? { blanks: general[1] } : columns.length > 0 ? { blanks: Object.fromEntries(columns) } : {}),
  };
}
