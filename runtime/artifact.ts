// One opened artifact. In: the path of a library, or of the directory that it was compiled into. Out: its checked manifest and native
// handle. Holds: the manifest and the table of entries agree; no code of it ran but the table's getter; the processor can run the rest.
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EntrySpec, Manifest, VariableSpec } from './abi/manifest.js';
import { unpack } from './abi/packed.js';
import { featuresOf } from './abi/processor.js';
import { TfcError } from './error.js';
import { type Handle, type Native, translating } from './native.js';
import { readManifest } from './read-manifest.js';
import { shown } from './shown.js';
import { specToString } from './size.js';

/** The library's name in a directory that the compiler filled. */
export const libraryFile = 'module.so';

export interface Artifact {
  /** Of the library. */
  readonly path: string;
  readonly handle: Handle<'module'>;
  readonly manifest: Manifest;
}

/** @throws TfcError bad-artifact, file-not-found, unsupported-processor, invalid-value for what is no path. */
export function openArtifact(native: Native, given: string): Artifact {
  if (typeof given !== 'string' || given === '' || given.includes('\0'))
    throw new TfcError('invalid-value', `${shown(given)} is no path of a compiled module.`);
  const path = statSync(given, { throwIfNoEntry: false })?.isDirectory() === true ? join(given, libraryFile) : given;
  const { handle, manifest: packed, entries } = translating(() => native.openModule(resolve(path)));
  try {
    const text = unpack(packed);
    if (text === undefined) throw new TfcError('bad-artifact', `${path}: the manifest cannot be unpacked.`);
    const manifest = readManifest(path, text);
    const agrees = manifest.entries.length === entries.length && manifest.entries.every((entry, at) => entry.name === entries[at]);
    if (!agrees) throw new TfcError('bad-artifact', `${path}: the manifest and the table of entries disagree.`);
    requireProcessor(native, path, manifest);
    return { path, handle, manifest };
  } catch (error) {
    native.close(handle);
    throw error;
  }
}

/** Code for instructions that the processor lacks would end the process. */
function requireProcessor(native: Native, path: string, { target }: Manifest): void {
  const has = new Set(featuresOf(native.processor()));
  const missing = target.features.filter((feature) => !has.has(feature));
  if (missing.length === 0) return;
  throw new TfcError('unsupported-processor', `${path} was compiled for ${target.cpu}, and this processor lacks ${missing.join(', ')}.`, {
    hint: 'Compile it on this machine, or for an older processor: --cpu x86-64-v3.',
  });
}

/** @throws TfcError bad-artifact when the two artifacts do not have the same variables in the same order. */
export function requireSameVariables(first: Artifact, second: Artifact): void {
  const text = (variable: VariableSpec | undefined): string =>
    variable === undefined
      ? 'nothing'
      : `${variable.path}: ${specToString(variable.dtype, variable.shape)}${variable.pitch === undefined ? '' : ` in rows of ${variable.pitch}`}`;
  const ours = first.manifest.variables;
  const theirs = second.manifest.variables;
  for (let at = 0; at < Math.max(ours.length, theirs.length); at += 1) {
    if (text(ours[at]) === text(theirs[at])) continue;
    throw new TfcError(
      'bad-artifact',
      `${second.path} does not have the variables of ${first.path}: ${text(theirs[at])} in place of ${text(ours[at])}.`,
    );
  }
}

/** The position of the entry with this name and these ranks, or undefined. */
export function findEntry(artifact: Artifact, name: string, ranks: Readonly<Record<string, number>>): number | undefined {
  const wanted = ranksKey(name, ranks);
  const at = artifact.manifest.entries.findIndex((entry) => ranksKey(entry.name, entry.ranks) === wanted);
  return at < 0 ? undefined : at;
}

export const ranksKey = (name: string, ranks: Readonly<Record<string, number>>): string =>
  [
    name,
    ...Object.keys(ranks)
      .sort()
      .map((pack) => `${pack}=${ranks[pack] ?? 0}`),
  ].join(' ');

/** What may be called from outside. */
export const isExported = (entry: EntrySpec): boolean => entry.kind !== 'init';
