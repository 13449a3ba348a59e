// Arguments of an entry as options of a command: `--lr 0.01`. In: flags that the command does not have, an entry. Out: feeds. Holds: every
// scalar argument is a flag, unless an option of the command has its name; a flag that the entry does not have is wrong usage, with a
// suggestion.

import type { Command } from 'commander';
import { suggestion } from '../../../runtime/error.js';
import type { EntrySpec, FeedValue } from '../../../runtime/index.js';
import { type Feeds, parseValue } from './feeds.js';
import { UsageError } from './options.js';
import type { Rest } from './rest.js';

/** Feeds that flags give. @throws UsageError; errors: bad-data for what is no value. */
export function feedsOf(flags: Rest['flags'], { name: entry, feeds }: EntrySpec, command: Command): Feeds {
  const scalars = feeds.filter(({ shape }) => shape.length === 0).map(({ name }) => name);
  const own = command.options.map(({ long }) => (long ?? '').replace(/^--/, ''));
  return Object.fromEntries(
    flags.map(([flag, text]): [string, FeedValue] => {
      const wanted = flag.normalize();
      const found = scalars.find((name) => name === wanted || kebab(name) === wanted);
      if (found === undefined) {
        const matrix = feeds.find(({ name }) => name === wanted);
        throw new UsageError(
          `unknown option '--${flag}'`,
          matrix === undefined
            ? (dashed(suggestion(flag, [...scalars, ...own])) ??
                `${entry} takes ${scalars.length === 0 ? 'no scalar arguments' : `--${scalars.join(', --')}`}.`)
            : `${flag} is no scalar: give it by --feed ${flag}=@file.npy.`,
        );
      }
      if (text === '') throw new UsageError(`option '--${flag}' needs a value`);
      return [found, valueOf(text, `--${flag}`)];
    }),
  );
}

/** JSON has neither .5 nor 1. nor +1; of integers beyond 2⁵³ the digits are the value. */
function valueOf(text: string, what: string): FeedValue {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return parseValue(text, what);
  const value = Number(text);
  if (!Number.isFinite(value)) return parseValue(text, what);
  return /^[+-]?\d+$/.test(text) && !Number.isSafeInteger(value) ? text.replace(/^\+/, '') : value;
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll('_', '-');

const dashed = (hint: string | undefined): string | undefined => hint?.replace(/^Did you mean /, 'Did you mean --');
