// One opened artifact. In: the path of a library, or of the directory that it was compiled into. Out: its checked manifest and native handle. Holds: the manifest and the table of entries agree; no code of it ran but the table's getter.
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EntrySpec, Manifest, VariableSpec } from './abi/manifest.js';
import { TfcError } from './error.js';
import { type Handle, type Native, translating } from './native.js';
import { readManifest } from './read-manifest.js';
import { specToString } from './size.js';

/** The library's name in a directory that the compiler filled. */
export const libraryFile = 'module.so';

export interface Artifact {
  /** Of the library. */
  readonly path: string;
  readonly handle: Handle<'module'>;
  readonly manifest: Manifest;
}

/** @throws TfcError bad-artifact, file-not-found. */
export function openArtifact(native: Native, given: string): Artifact {
  const path = statSync(given, { throwIfNoEntry: false })?.isDirectory() === true ? join(given, libraryFile) : given;
  // With a slash in it the dynamic loader looks nowhere else.
  const absolute = resolve(path);
  const { handle, manifest: text, entries } = translating(() => native.openModule(absolute));
  try {
    const manifest = readManifest(path, text);
    const agrees = manifest.entries.length === entries.length && manifest.entries.every((entry, at) => entry.name === entries[at]);
    if (!agrees) throw new TfcError('bad-artifact', `${path}: the manifest and the table of entries disagree.`);
    return { path, handle, manifest };
  } catch (error) {
    native.close(handle);
    throw error;
  }
}

/** @throws TfcError bad-artifact when the two artifacts do not have the same variables in the same order. */
export function requireSameVariables(first: Artifact, second: Artifact): void {
  const text = (variable: VariableSpec | undefined): string => (variable === undefined ? 'nothing' : `${variable.path}: ${specToString(variable.dtype, variable.shape)}${variable.pitch === undefined ? '' : ` in rows of ${variable.pitch}`}`);
  const ours = first.manifest.variables;
  const theirs = second.manifest.variables;
  for (let at = 0; at < Math.max(ours.length, theirs.length); at += 1) {
    if (text(ours[at]) === text(theirs[at])) continue;
    throw new TfcError('bad-artifact', `${second.path} does not have the variables of ${first.path}: ${text(theirs[at])} in place of ${text(ours[at])}.`);
  }
}

/** The position of the entry with this name and these ranks, or undefined. */
export function findEntry(artifact: Artifact, name: string, ranks: Readonly<Record<string, number>>): number | undefined {
  const wanted = ranksKey(name, ranks);
  const at = artifact.manifest.entries.findIndex((entry) => ranksKey(entry.name, entry.ranks) === wanted);
  return at < 0 ? undefined : at;
}

export const ranksKey = (name: string, ranks: Readonly<Record<string, number>>): string =>
  [name, ...Object.keys(ranks).sort().map((pack) => `${pack}=${ranks[pack] ?? 0}`)].join(' ');

/** What may be called from outside. */
export const isExported = (entry: EntrySpec): boolean => entry.kind !== 'init';
