// What a training run is known by. In: a module, a step, the data, options. Out: names and values that decide every bit that it computes.
// Holds: what changes nothing (threads, how many epochs, where checkpoints go) is not among them.

import type { EntrySpec, Module } from '../../../runtime/index.js';
import { batchedFeeds } from '../../train/data/batch-size.js';
import { dataFingerprint } from '../../train/fingerprint.js';
import type { RunIdentity } from '../../train/training-state.js';
import { constantIdentity, moduleIdentity } from '../module-identity.js';
import type { Feeds } from './feeds.js';
import type { TrainingOptions, TrainingSettings } from './train-options.js';

/** Errors: file-not-found when the data cannot be read. */
export function identityOf(
  module: Module,
  entry: EntrySpec,
  constant: Feeds,
  { data, shuffle }: TrainingOptions,
  { batch, seed, rest, validateOn, normalize, reading }: TrainingSettings,
): RunIdentity {
  return {
    ...moduleIdentity(module, entry, { batch, seed, shuffle, rest }),
    data: dataFingerprint(
      data,
      batchedFeeds(entry).map(({ name }) => name),
    ),
    ...(normalize === undefined ? {} : { normalize }),
    ...(Object.keys(reading).length === 0 ? {} : { 'reading of the data': JSON.stringify(reading) }),
    // Other data that validates is not trained on; a part of it is taken from what is.
    ...(typeof validateOn === 'number' ? { validate: validateOn } : {}),
    ...constantIdentity(constant),
  };
}
