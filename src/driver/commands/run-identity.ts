// What a training run is known by. In: a module, a step, the data, options. Out: names and values that decide every bit that it computes.
// Holds: what changes nothing (threads, how many epochs, where checkpoints go) is not among them.

import { createHash } from 'node:crypto';
import { type EntrySpec, type FeedValue, type Module, toJson } from '../../../runtime/index.js';
import { batchedFeeds } from '../../train/data/batch-size.js';
import { dataFingerprint, fileFingerprint } from '../../train/fingerprint.js';
import type { RunIdentity } from '../../train/training-state.js';
import type { Feeds } from './feeds.js';
import type { TrainingOptions, TrainingSettings } from './train-options.js';

/** Errors: file-not-found when the data cannot be read. */
export function identityOf(
  { path, manifest }: Module,
  entry: EntrySpec,
  constant: Feeds,
  { data, shuffle }: TrainingOptions,
  { batch, seed, rest, validateOn, normalize, reading }: TrainingSettings,
): RunIdentity {
  return {
    module: manifest.module,
    entry: entry.name,
    tfc: manifest.version,
    cpu: manifest.target.cpu,
    program: fileFingerprint(path),
    data: dataFingerprint(
      data,
      batchedFeeds(entry).map(({ name }) => name),
    ),
    batch,
    seed,
    shuffle,
    'rows that fill no batch': rest,
    ...(normalize === undefined ? {} : { normalize }),
    ...(Object.keys(reading).length === 0 ? {} : { 'reading of the data': JSON.stringify(reading) }),
    // Other data that validates is not trained on; a part of it is taken from what is.
    ...(typeof validateOn === 'number' ? { validate: validateOn } : {}),
    ...Object.fromEntries(Object.entries(constant).map(([name, value]) => [`argument ${name}`, told(value)])),
  };
}

/** Arrays by a hash. */
function told(value: FeedValue): string | number | boolean {
  const json = toJson(value);
  if (typeof json === 'number' || typeof json === 'boolean' || typeof json === 'string') return json;
  return createHash('sha256').update(JSON.stringify(json)).digest('hex');
}
