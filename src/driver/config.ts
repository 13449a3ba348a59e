// Defaults of a project. In: `tfc.config.ts` (or .mts, .js, .mjs, .json) of the working directory or of the package
// around it. Out: values of options that the
// command line leaves open. Holds: what stands on the command line wins; a name that no command knows, or a value of another kind, is an
// error with the file's name; the file is code of the project, which runs as the user.

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, Option } from 'commander';
import { TfcError } from '../../runtime/index.js';
import { suggestion } from '../../runtime/error.js';
import { packageAround } from '../../runtime/here.js';
import { shown } from '../../runtime/shown.js';

type Value = string | number | boolean | readonly (string | number)[] | Readonly<Record<string, string | number>>;

/**
 * Values of a command's options by their names in camel case: `{ batch: 50, dropRest: true }`.
 * @example
 * ```ts
 * const training: OptionValues = { batch: 50, dropRest: true };
 * export default defineConfig({ train: training });
 * ```
 */
export type OptionValues = Readonly<Record<string, Value>>;

/**
 * `{ threads: 2, set: { Hidden: 512 }, train: { batch: 50 } }`: for every command that has the option, or for one command.
 * @example
 * ```ts
 * const config: Config = { threads: 2, set: { Hidden: 64 }, train: { batch: 50, epochs: 10 } };
 * export default config;
 * ```
 */
export type Config = Readonly<Record<string, Value | OptionValues>>;

/**
 * Gives a configuration its type: `export default defineConfig({ threads: 2 })`.
 * @example
 * ```ts
 * export default defineConfig({ threads: 2, set: { Hidden: 64 }, train: { batch: 50, epochs: 10 } });
 * ```
 */
export const defineConfig = (config: Config): Config => config;

const names = ['tfc.config.ts', 'tfc.config.mts', 'tfc.config.js', 'tfc.config.mjs', 'tfc.config.json'];

/**
 * The one of the working directory, else of the package around it; undefined when there is none.
 * @throws TfcError bad-data when it belongs to another user.
 */
export function configFile(start: string): string | undefined {
  for (const directory of new Set([start, packageAround(start)])) {
    const found = names.map((name) => join(directory, name)).find((path) => existsSync(path));
    if (found === undefined) continue;
    const { uid } = statSync(found);
    const own = process.getuid?.();
    if (own !== undefined && uid !== own && uid !== 0)
      throw new TfcError('bad-data', `${found} belongs to somebody else, and is not run`, { hint: 'Make a copy of your own.' });
    return found;
  }
  return undefined;
}

/** @throws TfcError bad-data, with what the file itself throws as the cause. */
export async function readConfig(path: string): Promise<Config> {
  let config: unknown;
  try {
    const { createJiti } = await import('jiti');
    config = await createJiti(path, { fsCache: false }).import(path, { default: true });
  } catch (cause) {
    throw new TfcError('bad-data', `${path}: ${cause instanceof Error ? cause.message : shown(cause)}`, { cause });
  }
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config as Config;
  throw new TfcError('bad-data', `${path}: its default export is an object of options, not ${shown(config)}`, {
    hint: 'export default { threads: 2, train: { batch: 50 } }',
  });
}

/** Sets what the options of `command`, one of `program`, have by default. @throws TfcError bad-data. */
export function applyConfig(program: Command, command: Command, config: Config, path: string): void {
  const commands = new Map(program.commands.map((one) => [one.name(), one]));
  const all = [...new Set(program.commands.flatMap(optionsOf))];
  const isSection = (name: string, value: Config[string]): value is OptionValues => commands.has(name) && typeof value === 'object';
  for (const [name, value] of Object.entries(config)) {
    if (isSection(name, value)) continue;
    if (!all.includes(name)) throw unknown(name, name, [...all, ...commands.keys()], path);
    setDefault(command, name, value as Value, name, path);
  }
  // What is said for one command counts more than what is said for all.
  for (const [name, values] of Object.entries(config)) {
    const section = commands.get(name);
    if (section === undefined || !isSection(name, values)) continue;
    for (const [own, value] of Object.entries(values)) {
      if (!optionsOf(section).includes(own)) throw unknown(`${name}.${own}`, own, optionsOf(section), path);
      if (section === command) setDefault(command, own, value, `${name}.${own}`, path);
    }
  }
}

const optionsOf = (command: Command): string[] => command.options.map((option) => option.attributeName());

const unknown = (where: string, name: string, known: readonly string[], path: string): TfcError =>
  new TfcError('bad-data', `${path}: there is no option ${shown(where)}`, {
    hint: suggestion(name, known) ?? `There are ${known.join(', ')}.`,
  });

function setDefault(command: Command, name: string, value: Value, where: string, path: string): void {
  const option = command.options.find((one) => one.attributeName() === name);
  if (option !== undefined) command.setOptionValueWithSource(name, valueFor(option, value, where, path), 'config');
}

/** As the command line would give it: texts, lists of texts for what may be repeated, `Name=4` for objects. */
function valueFor(option: Option, value: Value, where: string, path: string): string | boolean | readonly string[] {
  const refuse = (wanted: string): never => {
    throw new TfcError('bad-data', `${path}: ${where} is ${wanted}, not ${shown(value)}`);
  };
  const isText = (one: unknown): one is string | number => typeof one === 'string' || typeof one === 'number';
  if (option.isBoolean() || option.negate) return typeof value === 'boolean' ? value : refuse('true or false');
  if (Array.isArray(option.defaultValue)) {
    if (Array.isArray(value)) return (value as unknown[]).map((one) => (isText(one) ? String(one) : refuse('a list of texts and numbers')));
    if (typeof value === 'object')
      return Object.entries(value).map(([key, one]) => (isText(one) ? `${key}=${one}` : refuse('an object of texts and numbers')));
    return isText(value) ? [String(value)] : refuse('a list');
  }
  return isText(value) ? String(value) : refuse('a text or a number');
}
