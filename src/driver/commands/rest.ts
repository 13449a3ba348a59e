// What the parser of arguments did not know. In: a command that takes flags of its entry. Out: a file, an entry, and flags with their
// values. Holds: every flag has a value, behind it or behind an equals sign; those of a project's configuration wait here until the entry
// is known.

import type { Command } from 'commander';
import { UsageError } from './options.js';

export interface Rest {
  readonly file: string;
  readonly entry: string | undefined;
  readonly flags: readonly (readonly [name: string, value: string])[];
  /** What a configuration says of names that no option has. */
  readonly defaults: readonly FlagDefault[];
}

export interface FlagDefault {
  readonly name: string;
  readonly value: string;
  /** `tfc.config.ts: train.lr` */
  readonly where: string;
}

const defaultsOf = new WeakMap<Command, FlagDefault[]>();

/** A command that leaves what it does not know to `restOf`. */
export function takesFlags(command: Command): Command {
  defaultsOf.set(command, []);
  return command
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText('after', '\nEvery scalar argument of the entry is an option as well: --lr 0.01');
}

/** Where a configuration puts what may be an argument of the entry; undefined for a command that takes no flags. */
export const flagDefaults = (command: Command): FlagDefault[] | undefined => defaultsOf.get(command);

/** A file, an entry, and flags in between. */
export function restOf(command: Command): Rest {
  const { args } = command;
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
  return { file, entry: entry?.normalize(), flags, defaults: defaultsOf.get(command) ?? [] };
}
