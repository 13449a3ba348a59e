// Checkpoints: variables in safetensors files. In: a path, the variables of a session. Out: a file, or variables with its values and what
// became of each. Holds: restoring changes everything that was asked for or nothing, unless parts are asked for; a name in the file is a
// variable's path, or what `rename` makes of it, in both directions.
import { type NewTensor, SafetensorsFile, writeSafetensors } from './safetensors.js';
import { TfcError, reading, suggestion } from './error.js';
import { composedMembers } from './names.js';
import { readNames, readOptions, requireBoolean } from './options.js';
import { shown } from './shown.js';
import { specToString } from './size.js';
import { becomes, readAs } from './stored-values.js';
import type { TypedArray } from './element.js';
import type { Variables } from './variables.js';

/**
 * The path of a variable → its name in the file. Paths without an entry keep their name.
 * @example
 * ```ts
 * const rename: Renaming = (path) => path.replaceAll('/', '.');
 * session.save('torch.safetensors', { rename });
 * session.restore('torch.safetensors', { rename });
 * ```
 */
export type Renaming = Readonly<Record<string, string>> | ((path: string) => string);

/**
 * What is saved, and under which names.
 * @example
 * ```ts
 * const options: SaveOptions = { only: ['net/w'], rename: { 'net/w': 'encoder.weight' }, metadata: { epoch: '3' } };
 * session.save('encoder.safetensors', options);
 * ```
 */
export interface SaveOptions {
  /** Paths of the variables to save. Default: all that have a value. */
  readonly only?: readonly string[];
  /** The names that they get in the file: `{ 'net/hidden1/w': 'encoder.weight' }`. */
  readonly rename?: Renaming;
  /** Texts in the file's `__metadata__`, beside the name of the module and the version of tfc. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * What is restored, and how strictly.
 * @example
 * ```ts
 * const options: RestoreOptions = { only: ['net/w'], partial: true, convert: true };
 * session.restore('weights.safetensors', options);
 * ```
 */
export interface RestoreOptions {
  /** Paths of the variables to restore; all others keep what they have, and other tensors of the file are passed over. Default: all. */
  readonly only?: readonly string[];
  /** The names that they have in the file: `{ 'net/hidden1/w': 'encoder.weight' }`. */
  readonly rename?: Renaming;
  /** Restore what fits, and leave the rest as it is. Default false: everything that is asked for, or nothing and an error. */
  readonly partial?: boolean;
  /**
   * Round floats to the variable's type (nearest, ties to even) where it holds fewer of them, as f32 does of f64. Default false: only types
   * whose every value the variable's type has are converted, such as f16 and bf16 to f32.
   */
  readonly convert?: boolean;
}

/**
 * What became of the variables that were asked for, and of the tensors in the file.
 * @example
 * ```ts
 * const { restored, missing, unused }: RestoreReport = session.restore('weights.safetensors', { partial: true });
 * ```
 */
export interface RestoreReport {
  /** Paths of the variables that have their value from the file. */
  readonly restored: readonly string[];
  /** Paths of the variables that the file has nothing for. */
  readonly missing: readonly string[];
  /** Names of the tensors in the file that no variable took. */
  readonly unused: readonly string[];
  /** Variables whose tensor has another shape or element type. */
  readonly mismatched: readonly Mismatch[];
}

/**
 * A variable that a file has otherwise.
 * @example
 * ```ts
 * const { mismatched } = session.restore('weights.safetensors', { partial: true });
 * console.log(mismatched.map(({ variable, expected, actual }: Mismatch) => `${variable}: ${expected}, not ${actual}`));
 * ```
 */
export interface Mismatch {
  /** What is in the way first: an element type that does not become the variable's, or the shape. */
  readonly code: 'dtype-mismatch' | 'shape-mismatch';
  readonly variable: string;
  /** Its name in the file. */
  readonly name: string;
  /** As the module declares it: `f32[784, 300]`. */
  readonly expected: string;
  /** As the file has it: `f64[784, 300]`. */
  readonly actual: string;
}

/**
 * Writes variables. @throws TfcError unknown-variable, uninitialized-variable, file-not-written; invalid-value for two of one name.
 */
export function saveVariables(variables: Variables, path: string, options: SaveOptions, metadata: Readonly<Record<string, string>>): void {
  const { only, rename, metadata: more = {} } = readOptions(options, 'save', ['only', 'rename', 'metadata']);
  const naming = readRenaming(variables, rename, 'save');
  const positions =
    only === undefined
      ? variables.specs.map((_, at) => at).filter((at) => variables.isInitialized(at))
      : readNames(only, 'Paths of variables').map((name) => variables.position(name));
  const tensors = [...new Set(positions)].map((at): NewTensor => {
    const { path: own, dtype, shape } = variables.spec(at);
    if (!variables.isInitialized(at))
      throw new TfcError('uninitialized-variable', `${own} has no value that could be saved.`, { variable: own });
    return { name: naming(own), dtype, shape, read: () => variables.read(at) };
  });
  const texts = readOptions(
    more,
    'save, metadata,',
    reading('metadata', () => Object.keys(more)),
  );
  writeSafetensors(path, tensors, { ...metadata, ...texts });
}

/**
 * Restores variables from a file.
 * @throws TfcError file-not-found, bad-data (not intact, or a variable that is asked for is missing), unknown-variable (one that is asked
 * for, or of the file), shape-mismatch, dtype-mismatch, invalid-value; its message lists all that does not fit.
 */
export function restoreVariables(variables: Variables, path: string, options: RestoreOptions): RestoreReport {
  const {
    only: some,
    rename,
    partial = false,
    convert = false,
  } = readOptions(options, 'restore', ['only', 'rename', 'partial', 'convert']);
  requireBoolean(partial, 'partial');
  requireBoolean(convert, 'convert');
  const only = some === undefined ? undefined : readNames(some, 'Paths of variables');
  const naming = readRenaming(variables, rename, 'restore');
  const wanted = [...new Set((only ?? variables.specs.map((spec) => spec.path)).map((name) => variables.position(name)))].map((at) => ({
    at,
    name: naming(variables.spec(at).path),
  }));
  using file = new SafetensorsFile(path);
  const { found, report } = compare(variables, file, wanted, convert);
  if (!partial) requireWhole(variables, path, report, only === undefined);
  const values = found.map(({ at, name }): readonly [at: number, data: TypedArray] => [at, readAs(file, name, variables.spec(at).dtype)]);
  for (const [at, data] of values) variables.write(at, data);
  return report;
}

interface Wanted {
  readonly at: number;
  /** In the file. */
  readonly name: string;
}

/** Nothing of the data is read for this. */
function compare(
  variables: Variables,
  file: SafetensorsFile,
  wanted: readonly Wanted[],
  convert: boolean,
): { readonly found: readonly Wanted[]; readonly report: RestoreReport } {
  const [found, missing, mismatched]: [Wanted[], string[], Mismatch[]] = [[], [], []];
  for (const one of wanted) {
    const { path, dtype, shape } = variables.spec(one.at);
    const stored = file.tensors.get(one.name);
    if (stored === undefined) missing.push(path);
    else if (becomes(stored, dtype, convert) && sameShape(shape, stored.shape)) found.push(one);
    else
      mismatched.push({
        code: becomes(stored, dtype, convert) ? 'shape-mismatch' : 'dtype-mismatch',
        variable: path,
        name: one.name,
        expected: specToString(dtype, shape),
        actual: specToString(stored.dtype ?? stored.stored, stored.shape),
      });
  }
  const asked = new Set(wanted.map(({ name }) => name));
  const unused = [...file.tensors.keys()].filter((name) => !asked.has(name));
  return { found, report: { restored: found.map(({ at }) => variables.spec(at).path), missing, unused, mismatched } };
}

const sameShape = (one: readonly number[], other: readonly number[]): boolean =>
  one.length === other.length && one.every((size, axis) => size === other[axis]);

/** More names make no message clearer. */
const mostNamed = 5;

const listed = (names: readonly string[]): string =>
  names.length <= mostNamed + 1 ? names.join(', ') : `${names.slice(0, mostNamed).join(', ')} and ${names.length - mostNamed} more`;

/** `strict`: tensors that no variable takes are a mistake as well. The code is that of the first kind of problem. */
function requireWhole(variables: Variables, path: string, { missing, unused, mismatched }: RestoreReport, strict: boolean): void {
  const [extra, misfit, absent] = [strict ? unused[0] : undefined, mismatched[0], missing[0]];
  const said = [
    extra === undefined ? [] : `it holds ${listed(unused)}, and the module has no such variable${unused.length === 1 ? '' : 's'}`,
    misfit === undefined
      ? []
      : listed(mismatched.map(({ variable, expected, actual }) => `${variable} is ${expected}, and it holds ${actual}`)),
    absent === undefined ? [] : `it does not hold ${listed(missing)}`,
  ].flat();
  const variable = extra ?? misfit?.variable ?? absent;
  if (variable === undefined) return;
  const code = extra !== undefined ? 'unknown-variable' : (misfit?.code ?? 'bad-data');
  throw new TfcError(code, `${path} does not fit the variables: ${said.join('; ')}.`, {
    variable,
    ...(extra !== undefined || misfit === undefined ? {} : { expected: misfit.expected, actual: misfit.actual }),
    hint:
      (extra === undefined
        ? undefined
        : suggestion(
            extra,
            variables.specs.map((spec) => spec.path),
          )) ??
      (extra === undefined && absent === undefined && mismatched.every(isRounding)
        ? 'With convert: true floats are rounded to the type of the variable.'
        : 'Say which variables you want with only, map names with rename, or take what fits with partial: true.'),
  });
}

/** Whether rounding would do. */
function isRounding({ expected, actual }: Mismatch): boolean {
  const [, ...one] = /^b?f\d+(.*)$/.exec(expected) ?? [];
  const [, ...other] = /^b?f\d+(.*)$/.exec(actual) ?? [];
  return one.length > 0 && one[0] === other[0];
}

/** What `rename` makes of paths. @throws TfcError invalid-value for what maps no names; unknown-variable for what is no variable. */
function readRenaming(variables: Variables, given: unknown, call: string): (path: string) => string {
  if (given === undefined) return (path) => path;
  const map =
    typeof given === 'function'
      ? undefined
      : composedMembers(
          readOptions(
            given as Readonly<Record<string, unknown>>,
            `${call}, rename,`,
            reading('rename', () => Object.keys(given as object)),
          ),
        );
  for (const [path, name] of Object.entries(map ?? {})) {
    if (variables.has(path)) continue;
    const known = variables.specs.map((spec) => spec.path);
    const hint =
      typeof name === 'string' && variables.has(name)
        ? `rename maps paths of variables to names in the file: { ${shown(name)}: ${shown(path)} }.`
        : suggestion(path, known);
    throw new TfcError('unknown-variable', `rename names ${path}, and the module has no such variable.`, {
      variable: path,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  return (path) => {
    const name: unknown =
      map === undefined ? reading('rename', () => (given as (path: string) => unknown)(path)) : Object.hasOwn(map, path) ? map[path] : path;
    if (typeof name !== 'string') throw new TfcError('invalid-value', `rename maps ${path} to a name in the file, not to ${shown(name)}.`);
    return name;
  };
}
