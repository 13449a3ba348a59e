// What the parser of arguments did not know. In: a command that takes flags of its entry. Out: a file, an entry, and flags with their
// values. Holds: every flag has a value, behind it or behind an equals sign.

import type { Command } from 'commander';
import { UsageError } from './options.js';

export interface Rest {
  readonly file: string;
  readonly entry: string | undefined;
  readonly flags: readonly (readonly [name: string, value: string])[];
}

/** A command that leaves what it does not know to `restOf`. */
export const takesFlags = (command: Command): Command =>
  command
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText('after', '\nEvery scalar argument of the entry is an option as well: --lr 0.01');

/** A file, an entry, and flags in between. */
export function restOf({ args }: Command): Rest {
  const names: string[] = [];
  const flags: (readonly [name: string, value: string])[] = [];
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] as string;
    const [, name, , value] = /^--?([^=]+)(=([^]*))?$/.exec(argument) ?? [];
    if (name === undefined) names.push(argument);
    else {
      at += value === undefined ? 1 : 0;
      // Without a value it is told apart from a mistake when the entry is known.
      flags.push([name, value ?? args[at] ?? '']);
    }
  }
  const [file, entry, ...more] = names;
  if (file === undefined) throw new UsageError("missing required argument 'file'");
  if (more.length > 0) throw new UsageError(`too many arguments: ${more.join(' ')}`);
  return { file, entry: entry?.normalize(), flags };
}
