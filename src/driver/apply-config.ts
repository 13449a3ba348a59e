// Defaults of a project as values of options. In: a configuration, the commands. Out: what the command line leaves open. Holds: what stands
// on the command line wins; a name that no command knows, or a value of another kind, is an error with the file's name. What may be an
// argument of an entry is told apart from a mistake when the entry is known (`scalar-flags.ts`).

import type { Command, Option } from 'commander';
import { suggestion } from '../../runtime/error.js';
import { TfcError } from '../../runtime/index.js';
import { shown } from '../../runtime/shown.js';
import { flagDefaults } from './commands/rest.js';
import type { Config, OptionValues, Value } from './config.js';

/** Sets what the options of all commands of `program` have by default. @throws TfcError bad-data. */
export function applyConfig(program: Command, config: Config, path: string): void {
  const commands = new Map(program.commands.map((one) => [one.name(), one]));
  const all = [...new Set(program.commands.flatMap(optionsOf))];
  const isSection = (name: string, value: Config[string]): value is OptionValues => commands.has(name) && typeof value === 'object';
  const entries = Object.entries(config);
  for (const [name, value] of entries) {
    if (isSection(name, value)) continue;
    if (!all.includes(name))
      throw unknown(name, path, suggestion(name, [...all, ...commands.keys()]) ?? `${listed(all)} ${ofCommands} ${argumentsStand}`);
    for (const command of program.commands) setDefault(command, name, value as Value, name, path);
  }
  // What is said for one command counts more than what is said for all.
  for (const [name, values] of entries) {
    const section = commands.get(name);
    if (section === undefined || !isSection(name, values)) continue;
    for (const [own, value] of Object.entries(values)) {
      const [where, flags] = [`${name}.${own}`, flagDefaults(section)];
      if (optionsOf(section).includes(own)) setDefault(section, own, value, where, path);
      else if (flags !== undefined) flags.push({ name: own, value: argumentText(value, `${path}: ${where}`), where: `${path}: ${where}` });
      else throw unknown(where, path, suggestion(own, optionsOf(section)) ?? elsewhere(own, program) ?? listed(optionsOf(section)));
    }
  }
}

const optionsOf = (command: Command): string[] => [...new Set(command.options.map((option) => option.attributeName()))];

const listed = (names: readonly string[]): string => `There are ${names.join(', ')}.`;
const ofCommands = 'A command has a section of its own, by its name.';
const argumentsStand = 'Arguments of a step stand there: train: { lr: 0.01 }.';

function elsewhere(name: string, program: Command): string | undefined {
  const having = program.commands.filter((one) => optionsOf(one).includes(name)).map((one) => one.name());
  return having.length === 0 ? undefined : `It is an option of ${having.join(', ')}, and stands in a section of that name.`;
}

const unknown = (where: string, path: string, hint: string): TfcError =>
  new TfcError('bad-data', `${path}: there is no option ${shown(where)}`, { hint });

function setDefault(command: Command, name: string, value: Value, where: string, path: string): void {
  const option = command.options.find((one) => one.attributeName() === name);
  // An option whose value may be left out is not given by `false`.
  if (option === undefined || (option.optional && value === false)) return;
  const given = valueFor(option, value, `${path}: ${where}`);
  const before: unknown = command.getOptionValue(name);
  const isMore = Array.isArray(given) && Array.isArray(before);
  command.setOptionValueWithSource(name, isMore ? [...(before as unknown[]), ...given] : given, 'config');
}

/** As the command line would give it: texts, lists of texts for what may be repeated, `Name=4` for objects. */
function valueFor(option: Option, value: Value, where: string): string | boolean | readonly string[] {
  const refuse = (wanted: string): never => refused(where, wanted, value);
  if (option.optional && value === true) return true;
  if (option.isBoolean() || option.negate) return typeof value === 'boolean' ? value : refuse('true or false');
  if (Array.isArray(option.defaultValue)) {
    if (Array.isArray(value)) return (value as unknown[]).map((one) => (isText(one) ? String(one) : refuse('a list of texts and numbers')));
    if (typeof value === 'object')
      return Object.entries(value).map(([key, one]) => (isText(one) ? `${key}=${one}` : refuse('an object of texts and numbers')));
    return isText(value) ? [String(value)] : refuse('a list');
  }
  return isText(value) ? String(value) : refuse('a text or a number');
}

/** As the command line would give it. */
const argumentText = (value: Value, where: string): string =>
  isText(value) || typeof value === 'boolean' ? String(value) : refused(where, 'a number, a text, true or false', value);

const isText = (one: unknown): one is string | number => typeof one === 'string' || typeof one === 'number';

function refused(where: string, wanted: string, value: Value): never {
  throw new TfcError('bad-data', `${where} is ${wanted}, not ${shown(value)}`);
}
