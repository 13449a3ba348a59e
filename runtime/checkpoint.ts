// Checkpoints: variables in safetensors files. In: a path, the variables of a session. Out: a file, or variables with its values. Holds:
// restoring changes everything that was asked for or nothing.
import { SafetensorsFile, writeSafetensors } from './safetensors.js';
import { TfcError, reading, suggestion } from './error.js';
import { readNames, readOptions } from './options.js';
import { shown } from './shown.js';
import { specToString } from './size.js';
import type { Tensor } from './tensor.js';
import type { Variables } from './variables.js';

export interface RestoreOptions {
  /** A name in the file → the path of a variable. Names without an entry stay as they are. */
  readonly rename?: Readonly<Record<string, string>> | ((name: string) => string);
  /** Paths of the variables to restore; all others keep what they have, and other tensors of the file are passed over. Default: all. */
  readonly only?: readonly string[];
}

/**
 * Writes the variables at `paths`, or all that have a value. @throws TfcError unknown-variable, uninitialized-variable, file-not-written.
 */
export function saveVariables(
  variables: Variables,
  path: string,
  paths: readonly string[] | undefined,
  metadata: Readonly<Record<string, string>>,
): void {
  const positions =
    paths?.map((name) => variables.position(name)) ?? variables.specs.map((_, at) => at).filter((at) => variables.isInitialized(at));
  const tensors = [...new Set(positions)].map((at) => {
    const { path: name, dtype, shape } = variables.spec(at);
    if (!variables.isInitialized(at))
      throw new TfcError('uninitialized-variable', `${name} has no value that could be saved.`, { variable: name });
    return { name, dtype, shape, read: () => variables.read(at) };
  });
  writeSafetensors(path, tensors, metadata);
}

/**
 * Restores variables from a file.
 * @throws TfcError file-not-found, bad-data (not intact, or a variable that is asked for is missing), unknown-variable, shape-mismatch,
 * dtype-mismatch, invalid-value.
 */
export function restoreVariables(variables: Variables, path: string, options: RestoreOptions): void {
  const { rename: given, only: some } = readOptions(options, 'restore', ['rename', 'only']);
  const only = some === undefined ? undefined : readNames(some, 'Paths of variables');
  const rename =
    given === undefined || typeof given === 'function'
      ? given
      : readOptions(
          given,
          'restore, rename,',
          reading('rename', () => Object.keys(given)),
        );
  const wanted = new Set((only ?? variables.specs.map((spec) => spec.path)).map((name) => variables.position(name)));
  using file = new SafetensorsFile(path);
  const found = new Map<number, Tensor>();
  for (const name of file.tensors.keys()) {
    const target =
      typeof rename === 'function' ? rename(name) : rename !== undefined && Object.hasOwn(rename, name) ? (rename[name] ?? name) : name;
    if (typeof (target as unknown) !== 'string')
      throw new TfcError('invalid-value', `rename maps ${name} to the path of a variable, not to ${shown(target)}.`);
    if (!variables.has(target)) {
      if (only !== undefined) continue;
      const known = variables.specs.map((spec) => spec.path);
      throw new TfcError('unknown-variable', `${path} holds ${target}, and the module has no such variable.`, {
        variable: target,
        hint: suggestion(target, known) ?? 'Say which variables you want with only, or map names with rename.',
      });
    }
    const at = variables.position(target);
    if (!wanted.has(at)) continue;
    if (found.has(at)) throw new TfcError('bad-data', `${path}: two tensors are to become ${target}.`, { variable: target });
    requireFit(variables, at, file, name);
    found.set(at, file.read(name));
  }
  const missing = [...wanted].filter((at) => !found.has(at)).map((at) => variables.spec(at).path);
  const [first] = missing;
  if (first !== undefined) {
    const others = missing.length === 1 ? '' : ` and ${missing.length - 1} more of the variables`;
    throw new TfcError('bad-data', `${path} does not hold ${first}${others}.`, {
      variable: first,
      hint: 'Say which variables you want with only, or map names with rename.',
    });
  }
  for (const [at, tensor] of found) variables.write(at, tensor.data);
}

function requireFit(variables: Variables, at: number, file: SafetensorsFile, name: string): void {
  const spec = variables.spec(at);
  const stored = file.tensors.get(name);
  if (stored === undefined) return;
  const expected = specToString(spec.dtype, spec.shape);
  const actual = specToString(stored.dtype ?? stored.stored, stored.shape);
  if (stored.dtype !== spec.dtype)
    throw new TfcError('dtype-mismatch', `${spec.path} is ${expected}, and ${file.path} holds ${actual}.`, {
      variable: spec.path,
      expected,
      actual,
    });
  if (expected !== actual)
    throw new TfcError('shape-mismatch', `${spec.path} is ${expected}, and ${file.path} holds ${actual}.`, {
      variable: spec.path,
      expected,
      actual,
    });
}
