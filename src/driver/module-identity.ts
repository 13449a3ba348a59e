// What every training run is known by, however it was started. In: a module, a step, feeds that are the same in every step, the order of
// the data. Out: names and values that decide bits. Holds: arrays are told by a hash.

import { createHash } from 'node:crypto';
import { type EntrySpec, type FeedValue, type Module, toJson } from '../../runtime/index.js';
import { fileFingerprint } from '../train/fingerprint.js';
import type { TrainOptions } from '../train/train.js';
import type { RunIdentity } from '../train/training-state.js';

type Order = Pick<TrainOptions, 'batch' | 'seed' | 'shuffle' | 'rest'>;

/** Errors: file-not-found when the module's library is gone. */
export const moduleIdentity = (
  { path, manifest }: Pick<Module, 'path' | 'manifest'>,
  entry: EntrySpec,
  { batch, seed, shuffle = true, rest = 'keep' }: Order,
): RunIdentity => ({
  module: manifest.module,
  entry: entry.name,
  tfc: manifest.version,
  cpu: manifest.target.cpu,
  program: fileFingerprint(path),
  batch,
  seed,
  shuffle,
  'rows that fill no batch': rest,
});

export const constantIdentity = (constant: Readonly<Record<string, FeedValue>>): RunIdentity =>
  Object.fromEntries(Object.entries(constant).map(([name, value]) => [`argument ${name}`, told(value)]));

function told(value: FeedValue): string | number | boolean {
  const json = toJson(value);
  if (typeof json === 'number' || typeof json === 'boolean' || typeof json === 'string') return json;
  return createHash('sha256').update(JSON.stringify(json)).digest('hex');
}
