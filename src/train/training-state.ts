// What a checkpoint says beside its variables. In: a place in a run, what the run is. Out: texts for the file's `__metadata__`, and back.
// Holds: what is read back is exactly what was written, NaN and infinities included; a file that no run wrote is refused.

import { type JsonValue, SafetensorsFile, TfcError, toJson } from '../../runtime/index.js';
import type { Position } from './observer.js';
import type { Scalars } from './scalars.js';

/**
 * Whatever changes batches or what is computed from them, by name: two runs with the same ones compute the same bits.
 * @example
 * ```ts
 * const identity: RunIdentity = { data: '2026-11-29', augmented: true };
 * ```
 */
export type RunIdentity = Readonly<Record<string, string | number | boolean>>;

/** How long early stopping has waited for a better epoch. */
export interface Patience {
  readonly best: number;
  readonly waited: number;
}

export interface TrainingState {
  readonly position: Position;
  readonly run: RunIdentity;
  /** Of the epoch that ends here; empty within an epoch. */
  readonly metrics: Scalars;
  /** By which the best checkpoint is chosen: `min:validation/loss`. */
  readonly best?: string;
  readonly patience?: Patience;
  /** What predictions need of the training data, as its reader has it: how numbers were scaled, which words have which numbers. */
  readonly normalization?: JsonValue;
  readonly vocabularies?: JsonValue;
  /** The name of the directory in which the run is recorded, below that of all runs. */
  readonly recordedIn?: string;
}

export function toMetadata({ position, run, metrics, ...more }: TrainingState): Record<string, string> {
  const { step, epoch, batch, rows, sums } = position;
  const { best, patience, normalization, vocabularies, recordedIn } = more;
  const optional = { best, patience, normalization, vocabularies, recordedIn };
  return {
    step: String(step),
    epoch: String(epoch),
    batch: String(batch),
    seed: String(run['seed'] ?? 0),
    run: JSON.stringify(run),
    progress: JSON.stringify(toJson({ rows, sums })),
    metrics: JSON.stringify(toJson(metrics)),
    ...Object.fromEntries(
      Object.entries(optional).flatMap(([name, value]) => (value === undefined ? [] : [[name, JSON.stringify(toJson(value))]])),
    ),
  };
}

/** The state that a checkpoint has. @throws TfcError file-not-found, bad-data for a file that no run wrote. */
export function readState(path: string): TrainingState {
  using file = new SafetensorsFile(path);
  try {
    return fromMetadata(file.metadata);
  } catch (cause) {
    throw new TfcError(
      'bad-data',
      `${path} says nothing of a run that could go on${cause instanceof Misread ? `: ${cause.message}` : ''}.`,
      {
        cause,
        hint: 'A run goes on from what tfc train --checkpoint wrote; other files give variables their values by --restore.',
      },
    );
  }
}

class Misread extends Error {}

function fromMetadata(texts: Readonly<Record<string, string>>): TrainingState {
  const value = (name: string): unknown => {
    const text = Object.hasOwn(texts, name) ? texts[name] : undefined;
    if (text === undefined) throw new Misread(`it has no ${name}`);
    return JSON.parse(text);
  };
  const optional = (name: string): unknown => (Object.hasOwn(texts, name) ? value(name) : undefined);
  const progress = record(value('progress'), 'progress');
  const best = optional('best');
  if (best !== undefined && typeof best !== 'string') throw new Misread('best is no text');
  const recordedIn = optional('recordedIn');
  if (recordedIn !== undefined && typeof recordedIn !== 'string') throw new Misread('recordedIn is no text');
  const patience = optional('patience');
  const [normalization, vocabularies] = [optional('normalization'), optional('vocabularies')] as [JsonValue?, JsonValue?];
  return {
    position: {
      epoch: count(value('epoch'), 'epoch', 1),
      batch: count(value('batch'), 'batch'),
      step: count(value('step'), 'step'),
      rows: count(progress['rows'], 'rows'),
      sums: numbers(progress['sums'], 'sums'),
    },
    run: record(value('run'), 'run') as RunIdentity,
    metrics: numbers(value('metrics'), 'metrics'),
    ...(best === undefined ? {} : { best }),
    ...(patience === undefined ? {} : { patience: patienceOf(record(patience, 'patience')) }),
    ...(normalization === undefined ? {} : { normalization }),
    ...(vocabularies === undefined ? {} : { vocabularies }),
    ...(recordedIn === undefined ? {} : { recordedIn }),
  };
}

const patienceOf = ({ best, waited }: Readonly<Record<string, unknown>>): Patience => ({
  best: number(best, 'best'),
  waited: count(waited, 'waited'),
});

function record(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Misread(`${name} is no object`);
  return value as Readonly<Record<string, unknown>>;
}

function count(value: unknown, name: string, least = 0): number {
  if (!Number.isSafeInteger(value) || (value as number) < least) throw new Misread(`${name} is no whole number of at least ${least}`);
  return value as number;
}

/** What toJson makes of numbers: NaN and infinities are texts. */
function number(value: unknown, name: string): number {
  if (typeof value === 'number') return value;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  throw new Misread(`${name} is no number`);
}

const numbers = (value: unknown, name: string): Scalars =>
  Object.fromEntries(Object.entries(record(value, name)).map(([key, one]) => [key, number(one, key)]));

/** @throws TfcError other-run that says what differs. */
export function requireSameRun(path: string, before: RunIdentity, now: RunIdentity): void {
  const differences = [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .filter((name) => before[name] !== now[name])
    .map((name) => differenceOf(name, before[name], now[name]));
  // Another compiler or processor makes other code of the same program.
  const compiled = differences.filter((one) => /^(?:tfc|cpu) /.test(one));
  const told = compiled.length === 0 ? differences : differences.filter((one) => one !== hashed.program);
  if (told.length === 0) return;
  throw new TfcError('other-run', `${path} is of another run: ${told.join('; ')}.`, {
    hint: 'Go on with what it was started with, or start a new run in another directory; --restore, or session.restore, takes the variables alone.',
  });
}

/** Names of what only a hash is kept of. */
const hashed = { program: 'the program is another one', data: 'the data is other data' } as const;

function differenceOf(name: string, before: unknown, now: unknown): string {
  if (name === 'program' || name === 'data') return hashed[name];
  const told = (value: unknown): string =>
    value === undefined ? 'not given' : typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? 'something else' : String(value);
  return `${name} was ${told(before)} and is ${told(now)}`;
}
