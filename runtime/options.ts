// Arguments of callers that are no data. In: anything. Out: plain values of the right kind. Holds: every member is read once, and what
// reading it throws, or what is of another kind, is an error with a code that names the call; so is a member that no one reads, for a
// misspelt option would say nothing.
import { TfcError, reading, suggestion } from './error.js';
import { shown } from './shown.js';

/** The members that a call knows. @throws TfcError invalid-value for what is no object, and for other members. */
export function readOptions<Options extends object, Name extends keyof Options & string>(
  options: Options,
  call: string,
  names: readonly Name[],
): Pick<Options, Name> {
  return reading(`The options of ${call}`, () => {
    if (typeof options !== 'object' || (options as object | null) === null)
      throw new TfcError('invalid-value', `The options of ${call} are an object, not ${shown(options)}.`);
    requireKnown(options, call, names);
    return Object.fromEntries(names.map((name) => [name, options[name]])) as Pick<Options, Name>;
  });
}

/** @throws TfcError invalid-value for a member that is not among `names`; it says which one is near. */
export function requireKnown(options: object, call: string, names: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new TfcError('invalid-value', `${call} has no option ${shown(unknown)}.`, {
    hint: suggestion(unknown, names) ?? `It has ${names.join(', ')}.`,
  });
}

/** The names of options, all of them: whoever adds one is told by the compiler. */
export const namesOf = <Options>(names: Readonly<Record<keyof Options, true>>): readonly string[] => Object.keys(names);

/** @throws TfcError invalid-value. */
export function requireBoolean(value: unknown, name: string): void {
  if (typeof value !== 'boolean') throw new TfcError('invalid-value', `${name} is true or false, not ${shown(value)}.`);
}

/** A copy of a list of names. @throws TfcError invalid-value. */
export function readNames(names: unknown, what: string): readonly string[] {
  return reading(what, () => {
    if (!Array.isArray(names)) throw new TfcError('invalid-value', `${what} are an array of strings, not ${shown(names)}.`);
    return Array.from(names as readonly unknown[], (name) => {
      if (typeof name !== 'string') throw new TfcError('invalid-value', `${what} are strings, not ${shown(name)}.`);
      return name;
    });
  });
}
