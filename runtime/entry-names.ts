// Names of what can be called. In: an artifact, a name. Out: all names; what is wrong with one that is none. Holds: the error says what was
// meant, or what there is.
import { type Artifact, isExported } from './artifact.js';
import { TfcError, suggestion } from './error.js';
import { shown } from './shown.js';

export function unknownPosition(at: number): never {
  throw new TfcError('bad-artifact', `The manifest has no entry ${at}.`);
}

export function unknownEntry(artifact: Artifact, name: string): TfcError {
  const text: unknown = name;
  if (typeof text !== 'string')
    return new TfcError('invalid-value', `The name of an entry is a string, not ${shown(text)}.`, { hint: namesHint(artifact) });
  return new TfcError('unknown-entry', `${artifact.manifest.module} exports no ${name}.`, {
    hint: suggestion(name, entryNames(artifact)) ?? namesHint(artifact),
  });
}

export function namesHint(artifact: Artifact): string {
  const names = entryNames(artifact);
  return names.length === 0 ? 'It exports none.' : `It exports ${names.join(', ')}.`;
}

/** Names of everything that can be called, each once. */
export function entryNames(artifact: Artifact): readonly string[] {
  return [...new Set([...artifact.manifest.entries.filter(isExported), ...artifact.manifest.open].map((entry) => entry.name))];
}
