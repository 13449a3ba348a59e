// Defaults of a project as values of options. In: a configuration, a command. Out: what the command line leaves open. Holds: what stands on
// the command line wins; a name that no command knows, or a value of another kind, is an error with the file's name.

import type { Command, Option } from 'commander';
import { suggestion } from '../../runtime/error.js';
import { TfcError } from '../../runtime/index.js';
import { shown } from '../../runtime/shown.js';
import type { Config, OptionValues, Value } from './config.js';

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

const optionsOf = (command: Command): string[] => [...new Set(command.options.map((option) => option.attributeName()))];

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
