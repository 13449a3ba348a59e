// Arguments of an entry as options of a command: `--lr 0.01`. In: flags that the command does not have, defaults of a configuration, an
// entry. Out: feeds. Holds: every scalar argument is a flag, unless an option of the command has its name; one that the entry does not have
// is wrong usage or a wrong configuration, with a suggestion.

import type { Command } from 'commander';
import { suggestion } from '../../../runtime/error.js';
import { type EntrySpec, type FeedValue, TfcError } from '../../../runtime/index.js';
import { type Feeds, parseValue } from './feeds.js';
import { UsageError } from './options.js';
import type { FlagDefault, Rest } from './rest.js';

/**
 * `given` and what flags give. What stands on the command line, as a flag or by `--feed`, wins over a configuration. @throws UsageError;
 * errors: bad-data for what is no value, and for a default that no argument takes.
 */
export function withFlags(given: Feeds, { flags, defaults }: Rest, entry: EntrySpec, command: Command): Feeds {
  const own = command.options.map(({ long }) => (long ?? '').replace(/^--/, ''));
  return {
    ...Object.fromEntries(defaults.map((one) => [defaultArgument(one, entry, command), valueOf(one.value, one.where)])),
    ...given,
    ...Object.fromEntries(
      flags.map(([flag, text]): [string, FeedValue] => {
        const found = scalarOf(flag, entry);
        if (found === undefined)
          throw new UsageError(
            `unknown option '--${flag}'`,
            isArgument(flag, entry)
              ? `${flag} is no scalar: give it by --feed ${flag}=@file.npy.`
              : (dashed(suggestion(flag, [...scalarsOf(entry), ...own])) ?? takes(entry, '--')),
          );
        if (text === '') throw new UsageError(`option '--${flag}' needs a value`);
        return [found, valueOf(text, `--${flag}`)];
      }),
    ),
  };
}

/** The argument that a configuration gives a value. @throws TfcError bad-data */
function defaultArgument({ name, where }: FlagDefault, entry: EntrySpec, command: Command): string {
  const found = scalarOf(name, entry);
  if (found !== undefined) return found;
  if (isArgument(name, entry))
    throw new TfcError('bad-data', `${where}: ${name} of ${entry.name} is no scalar`, { hint: `Give it by feed: '${name}=@file.npy'.` });
  const options = [...new Set(command.options.map((option) => option.attributeName()))];
  throw new TfcError('bad-data', `${where}: neither an option of tfc ${command.name()} nor a scalar argument of ${entry.name}`, {
    hint: suggestion(name, [...scalarsOf(entry), ...options]) ?? `${takes(entry, '')} The options are ${options.join(', ')}.`,
  });
}

const scalarsOf = ({ feeds }: EntrySpec): string[] => feeds.filter(({ shape }) => shape.length === 0).map(({ name }) => name);

function scalarOf(flag: string, entry: EntrySpec): string | undefined {
  const wanted = flag.normalize();
  return scalarsOf(entry).find((name) => name === wanted || kebab(name) === wanted);
}

const isArgument = (flag: string, { feeds }: EntrySpec): boolean => feeds.some(({ name }) => name === flag.normalize());

const takes = (entry: EntrySpec, dashes: string): string => {
  const scalars = scalarsOf(entry);
  return `${entry.name} takes ${scalars.length === 0 ? 'no scalar arguments' : scalars.map((name) => `${dashes}${name}`).join(', ')}.`;
};

/** JSON has neither .5 nor 1. nor +1; of integers beyond 2⁵³ the digits are the value. */
function valueOf(text: string, what: string): FeedValue {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return parseValue(text, what);
  const value = Number(text);
  if (!Number.isFinite(value)) return parseValue(text, what);
  return /^[+-]?\d+$/.test(text) && !Number.isSafeInteger(value) ? text.replace(/^\+/, '') : value;
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll('_', '-');

const dashed = (hint: string | undefined): string | undefined => hint?.replace(/^Did you mean /, 'Did you mean --');
