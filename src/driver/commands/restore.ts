// `--restore`: variables from a file or a directory of checkpoints. In: a session, a path, what is about to run. Out: the file that was
// read. Holds: whatever is about to be read has its value from the file, or nothing was restored.

import { type EntrySpec, SafetensorsFile, type Session } from '../../../runtime/index.js';
import { requireNormalization } from '../../train/data/normalize.js';
import { requireVocabulary } from '../../train/data/vocabulary.js';
import { badData } from '../../input/json.js';
import type { Fitted } from './data.js';
import { resolveCheckpoint } from '../../train/checkpoints.js';
import { requireRestorable } from './options.js';

/** Metadata of a file of variables that say what training found in its data. */
export const fittedMetadata = (fitted: Fitted): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ normalization: fitted.normalization, vocabularies: fitted.vocabularies }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, JSON.stringify(value)]],
    ),
  );

/** What the variables' file, or checkpoint, says of the data that they were trained on. Errors: bad-data, file-not-found. */
export function fittedOf(path: string): Fitted {
  requireRestorable(path);
  const found = resolveCheckpoint(path);
  using file = new SafetensorsFile(found);
  const { normalization, vocabularies } = file.metadata;
  try {
    const words = vocabularies === undefined ? undefined : (JSON.parse(vocabularies) as Readonly<Record<string, unknown>>);
    return {
      ...(normalization === undefined ? {} : { normalization: requireNormalization(JSON.parse(normalization)) }),
      ...(words === undefined
        ? {}
        : { vocabularies: Object.fromEntries(Object.entries(words).map(([feed, one]) => [feed, requireVocabulary(one, feed)])) }),
    };
  } catch {
    throw badData(`${found}: what it says of the data that its variables were trained on cannot be read`);
  }
}

/**
 * What entries read, or all there is when that is not known yet: an entry with open ranks has no code. Other tensors of the file are passed
 * over. Errors: those of `session.restore`.
 */
export function restoreFor(session: Session, path: string, entries: readonly EntrySpec[]): string {
  requireRestorable(path);
  const file = resolveCheckpoint(path);
  const read = new Set(entries.flatMap(({ reads }) => reads));
  session.restore(file, { only: session.variables.filter((_, at) => entries.length === 0 || read.has(at)).map((one) => one.path) });
  return file;
}

/**
 * Everything that is trained: params and states; what optimizers keep as well when the file has any of it, else it starts at its initial
 * values. Errors: those of `session.restore`.
 */
export function restoreToTrain(session: Session, path: string): string {
  requireRestorable(path);
  const found = resolveCheckpoint(path);
  using file = new SafetensorsFile(found);
  const hasSlots = session.variables.some((one) => one.kind === 'slot' && file.tensors.has(one.path));
  if (hasSlots) session.restore(found);
  else session.restore(found, { only: session.variables.filter(({ kind }) => kind !== 'slot').map((one) => one.path) });
  return found;
}
