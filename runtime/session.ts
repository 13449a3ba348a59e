// Sessions: variables of a module and everything that runs on them. In: feeds, paths, values. Out: results. Holds: two sessions share
// nothing; after closing, every use fails with session-closed and the memory is free. Entries are methods by their names, unless a name is
// taken by a method of the session itself: then `run(name, feeds)` reaches them.
import { availableParallelism } from 'node:os';
import type { VariableSpec } from './abi/manifest.js';
import { type Artifact, findEntry, isExported, ranksKey } from './artifact.js';
import { BoundEntry, type Host, type StepsOptions, type StepsResult } from './bound-entry.js';
import { type RestoreOptions, type RestoreReport, restoreVariables, type SaveOptions, saveVariables } from './checkpoint.js';
import type { FeedValue } from './convert.js';
import { TfcError, reading, suggestion } from './error.js';
import { type Feeds, requireFeeds } from './feed-slots.js';
import { initialize } from './initialize.js';
import { type Handle, type Native, translating } from './native.js';
import { ranksOf } from './open-rank.js';
import { readNames, readOptions, requireBoolean } from './options.js';
import type { Result } from './result.js';
import { shown } from './shown.js';
import { type Tensor, mostAxes } from './tensor.js';
import { Variables } from './variables.js';

export interface SessionOptions {
  /** Seed of random initial values: an integer that fits 64 bits. Default 0. */
  readonly seed?: number | bigint;
  /** Threads that compute, the caller included. Default: as many as there are processors for this process. Results do not depend on it. */
  readonly threads?: number;
  /** Whether variables get their declared initial values now. Default true. */
  readonly initialize?: boolean;
}

/** What a session needs of its module. */
export interface SessionSource {
  readonly native: Native;
  readonly artifact: Artifact;
  /** The artifact that has an open-rank entry with these ranks. */
  readonly openRank: (name: string, ranks: Readonly<Record<string, number>>) => Artifact;
  /** The artifact and the entry that compute these nodes from these feeds. */
  readonly fetches: (fetches: readonly string[], fed: readonly string[]) => { readonly artifact: Artifact; readonly entry: string };
  /** Called once, when the session has been closed. */
  readonly closed: () => void;
}

/**
 * Feeds and result per entry: what generated types say about a module. An interface will do: `interface Mnist { train: { feeds: { X:
 * Float32Array }; result: { loss: number } } }`.
 */
export type EntryTypes<Entries> = { readonly [Name in keyof Entries]: { readonly feeds: object; readonly result: unknown } };

/** Entries of a module that TypeScript knows nothing about. */
export interface AnyEntries {
  readonly [name: string]: { readonly feeds: Feeds; readonly result: Result };
}

/** Feeds may be left out altogether when none of them is required. */
type Arguments<Fed> = Record<never, never> extends Fed ? [feeds?: Fed] : [feeds: Fed];

/** Methods that JavaScript itself calls, as `await session` does: entries of these names are reached by `run` alone. */
export const calledByLanguage = ['then', 'toJSON'] as const;
type CalledByLanguage = (typeof calledByLanguage)[number];

export type EntryMethods<Entries extends EntryTypes<Entries>> = {
  readonly [Name in Exclude<keyof Entries, keyof SessionMethods | CalledByLanguage>]: (
    ...args: Arguments<Entries[Name]['feeds']>
  ) => Entries[Name]['result'];
};

export type Session<Entries extends EntryTypes<Entries> = AnyEntries> = SessionMethods<Entries> & EntryMethods<Entries>;

export class SessionMethods<Entries extends EntryTypes<Entries> = AnyEntries> {
  readonly #source: SessionSource;
  readonly #host: { -readonly [Key in keyof Host]: Host[Key] };
  readonly #bound = new Map<string, BoundEntry>();
  readonly #all: BoundEntry[] = [];
  readonly #seed: bigint;
  /** Threads that compute, the caller included. */
  readonly threads: number;

  /** Use `module.session()`, which also adds the entries as methods. */
  constructor(source: SessionSource, options: SessionOptions = {}) {
    const { native, artifact } = source;
    const {
      threads = availableParallelism(),
      initialize: now = true,
      seed = 0,
    } = readOptions(options, 'session', ['threads', 'initialize', 'seed']);
    requireBoolean(now, 'initialize');
    if (!Number.isSafeInteger(threads) || threads < 1 || threads > 1024)
      throw new TfcError('invalid-value', `A session has 1 to 1024 threads, not ${shown(threads)}.`);
    this.#source = source;
    this.#seed = seedOf(seed);
    this.threads = threads;
    const specs = artifact.manifest.variables;
    const handle: Handle<'session'> = translating(() =>
      native.createSession(threads, Float64Array.from(specs.flatMap((spec) => Variables.rows(spec)))),
    );
    this.#host = { native, handle, variables: new Variables(native, handle, specs), closed: false };
    if (now) this.initialize();
  }

  /** Runs an exported entry once. @throws TfcError; see BoundEntry.run. */
  run<Name extends keyof Entries & string>(name: Name, ...args: Arguments<Entries[Name]['feeds']>): Entries[Name]['result'];
  /** Computes named nodes, once each; feeds may also be named nodes. The result has one item per name. */
  run(fetches: readonly string[], feeds?: Feeds): readonly Result[];
  run(what: string | readonly string[], feeds?: object): unknown {
    const fed = (feeds ?? {}) as Feeds;
    if (typeof what === 'string') return this.#resolve(what, fed).run(fed);
    this.#requireOpen();
    if (typeof (what as unknown) !== 'object')
      throw new TfcError('invalid-value', `run takes the name of an entry or an array of names to fetch, not ${shown(what)}.`, {
        hint: namesHint(this.#source.artifact),
      });
    requireFeeds(fed);
    return this.#runFetches(readNames(what, 'Names to fetch'), fed);
  }

  /** Runs an entry many times within native code. @throws TfcError; see BoundEntry.runSteps. */
  runSteps<Name extends keyof Entries & string>(name: Name, feeds: Entries[Name]['feeds'], options?: StepsOptions): StepsResult {
    const fed = feeds as Feeds;
    return this.#resolve(name, fed).runSteps(fed, options);
  }

  /**
   * An entry for hot loops, found once. With `reuse`, tensors of a result are overwritten by the next run.
   * @throws TfcError unknown-entry; an entry with open ranks needs `ranks`.
   */
  entry(
    name: keyof Entries & string,
    options: { readonly reuse?: boolean; readonly ranks?: Readonly<Record<string, number>> } = {},
  ): BoundEntry {
    this.#requireOpen();
    const { reuse = false, ranks: given = {} } = readOptions(options, 'entry', ['reuse', 'ranks']);
    if (typeof (name as unknown) !== 'string') throw unknownEntry(this.#source.artifact, name);
    requireBoolean(reuse, 'reuse');
    const ranks = readRanks(given);
    return reuse ? this.#bind(name, ranks, true) : this.#cached(name, ranks);
  }

  /** The variables that the module declares, in the order of its manifest. */
  get variables(): readonly VariableSpec[] {
    return this.#source.artifact.manifest.variables;
  }

  get closed(): boolean {
    return this.#host.closed;
  }

  /** Bytes of memory that entries share as working space, as large as the largest call so far needed. */
  get arenaBytes(): number {
    return this.#host.native.arenaBytes(this.#requireOpen().handle);
  }

  /**
   * A copy of a variable: a tensor, or a number, bigint or boolean when it is a scalar. @throws TfcError unknown-variable,
   * uninitialized-variable.
   */
  get(path: string): Tensor | number | bigint | boolean {
    return this.#requireOpen().variables.get(path);
  }

  /** Gives a variable a value. @throws TfcError unknown-variable, shape-mismatch, dtype-mismatch, bad-data. */
  set(path: string, value: FeedValue): void {
    this.#requireOpen().variables.set(path, value);
  }

  isInitialized(path: string): boolean {
    const { variables } = this.#requireOpen();
    return variables.isInitialized(variables.position(path));
  }

  /**
   * Gives variables their declared initial values, again if they had them: all that declare one, or those at `paths`.
   * @throws TfcError unknown-variable, uninitialized-variable for a path that declares none.
   */
  initialize(paths?: readonly string[], seed: number | bigint = this.#seed): void {
    const { variables } = this.#requireOpen();
    const { artifact } = this.#source;
    const positions =
      (paths === undefined ? undefined : readNames(paths, 'Paths of variables'))?.map((path) => variables.position(path)) ??
      variables.specs.flatMap((spec, at) => (spec.initial.kind === 'none' ? [] : [at]));
    const { native, handle } = this.#host;
    const read = seedOf(seed);
    initialize(variables, positions, (which, streams, at) => {
      const entry = artifact.manifest.entries[which] ?? unknownPosition(which);
      const [seedFeed, ...streamFeeds] = entry.feeds.map(({ name }) => name);
      const fed = Object.fromEntries([[seedFeed, read], ...streamFeeds.map((name, index) => [name, streams[index]])]) as Feeds;
      const own = entry.writes[0] ?? at;
      const bound = translating(() => new BoundEntry(this.#host, artifact.handle, which, { ...entry, writes: [at] }, false));
      translating(() => native.swapVariables(handle, own, at));
      try {
        bound.run(fed);
      } finally {
        native.swapVariables(handle, own, at);
        bound.close();
      }
    });
  }

  /**
   * Writes variables as a safetensors file: all that have a value, or those at the paths of an array. The file is complete or not there.
   * @throws TfcError unknown-variable, uninitialized-variable, file-not-written, invalid-value.
   */
  save(path: string, what: readonly string[] | SaveOptions = {}): void {
    const { module, version } = this.#source.artifact.manifest;
    const options = reading('The options of save', () =>
      Array.isArray(what) ? { only: what as readonly string[] } : (what as SaveOptions),
    );
    saveVariables(this.#requireOpen().variables, path, options, { module, tfc: version });
  }

  /**
   * Reads variables from a safetensors file: everything that is asked for, or nothing and an error that lists what is missing, too much or
   * of another shape; with `partial` what fits.
   * @throws TfcError file-not-found, bad-data, unknown-variable, shape-mismatch, dtype-mismatch, invalid-value.
   */
  restore(path: string, options: RestoreOptions = {}): RestoreReport {
    return restoreVariables(this.#requireOpen().variables, path, options);
  }

  /** Frees everything. Closing twice is fine. */
  close(): void {
    if (this.#host.closed) return;
    this.#host.closed = true;
    for (const bound of this.#all) bound.close();
    this.#host.native.close(this.#host.handle);
    this.#source.closed();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #requireOpen(): Host {
    if (this.#host.closed) throw new TfcError('session-closed', 'The session is closed.');
    return this.#host;
  }

  #resolve(name: string, feeds: Feeds): BoundEntry {
    this.#requireOpen();
    if (typeof (name as unknown) !== 'string') throw unknownEntry(this.#source.artifact, name);
    const known = this.#bound.get(name);
    if (known !== undefined) return known;
    const open = this.#source.artifact.manifest.open.find((entry) => entry.name === name);
    return this.#cached(name, open === undefined ? {} : ranksOf(open, feeds));
  }

  #cached(name: string, ranks: Readonly<Record<string, number>>): BoundEntry {
    const key = ranksKey(name, ranks);
    const known = this.#bound.get(key);
    if (known !== undefined) return known;
    const bound = this.#bind(name, ranks, false);
    this.#bound.set(key, bound);
    return bound;
  }

  #bind(name: string, ranks: Readonly<Record<string, number>>, reuse: boolean): BoundEntry {
    const { artifact, openRank } = this.#source;
    const at = findEntry(artifact, name, ranks);
    if (at !== undefined && isExported(artifact.manifest.entries[at] ?? unknownPosition(at))) return this.#make(artifact, at, reuse);
    const open = artifact.manifest.open.find((entry) => entry.name === name);
    if (open === undefined) throw unknownEntry(artifact, name);
    const missing = open.packs.filter((pack) => !Object.hasOwn(ranks, pack));
    if (missing.length > 0)
      throw new TfcError('unknown-entry', `${name} needs a rank for ${missing.join(', ')}.`, {
        hint: `Ask for entry("${name}", { ranks: { ${missing.join(': 1, ')}: 1 } }).`,
      });
    const attached = openRank(name, ranks);
    const position = findEntry(attached, name, ranks);
    if (position === undefined) throw new TfcError('bad-artifact', `${attached.path} does not have ${ranksKey(name, ranks)}.`);
    return this.#make(attached, position, reuse);
  }

  #runFetches(fetches: readonly string[], feeds: Feeds): unknown {
    this.#requireOpen();
    const fed = Object.keys(feeds).sort();
    const key = JSON.stringify([fetches, fed]);
    let bound = this.#bound.get(key);
    if (bound === undefined) {
      const { artifact, entry } = this.#source.fetches(fetches, fed);
      const at = artifact.manifest.entries.findIndex((spec) => spec.name === entry);
      if (at < 0) throw new TfcError('bad-artifact', `${artifact.path} does not have ${entry}.`);
      bound = this.#make(artifact, at, false);
      this.#bound.set(key, bound);
    }
    return bound.run(feeds);
  }

  #make(artifact: Artifact, at: number, reuse: boolean): BoundEntry {
    const spec = artifact.manifest.entries[at] ?? unknownPosition(at);
    const bound = translating(() => new BoundEntry(this.#host, artifact.handle, at, spec, reuse));
    this.#all.push(bound);
    return bound;
  }
}

/** @throws TfcError invalid-value. */
function readRanks(given: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const ranks = readOptions(
    given,
    'entry, ranks,',
    reading('The ranks of an entry', () => Object.keys(given)),
  );
  for (const [pack, rank] of Object.entries(ranks)) {
    if (!Number.isSafeInteger(rank) || rank < 0 || rank > mostAxes)
      throw new TfcError('invalid-value', `The rank of ${pack} is a whole number from 0 to ${mostAxes}, not ${shown(rank)}.`);
  }
  return ranks;
}

/** @throws TfcError invalid-value for anything but an integer of 64 bits. */
function seedOf(seed: unknown): bigint {
  const integer = typeof seed === 'number' && Number.isSafeInteger(seed) ? BigInt(seed) : typeof seed === 'bigint' ? seed : undefined;
  if (integer === undefined || integer < -(2n ** 63n) || integer >= 2n ** 64n)
    throw new TfcError('invalid-value', `A seed is an integer of at most 64 bits, not ${shown(seed)}.`);
  return BigInt.asIntN(64, integer);
}

function unknownPosition(at: number): never {
  throw new TfcError('bad-artifact', `The manifest has no entry ${at}.`);
}

function unknownEntry(artifact: Artifact, name: string): TfcError {
  const text: unknown = name;
  if (typeof text !== 'string')
    return new TfcError('invalid-value', `The name of an entry is a string, not ${shown(text)}.`, { hint: namesHint(artifact) });
  return new TfcError('unknown-entry', `${artifact.manifest.module} exports no ${name}.`, {
    hint: suggestion(name, entryNames(artifact)) ?? namesHint(artifact),
  });
}

function namesHint(artifact: Artifact): string {
  const names = entryNames(artifact);
  return names.length === 0 ? 'It exports none.' : `It exports ${names.join(', ')}.`;
}

/** Names of everything that can be called, each once. */
export function entryNames(artifact: Artifact): readonly string[] {
  return [...new Set([...artifact.manifest.entries.filter(isExported), ...artifact.manifest.open].map((entry) => entry.name))];
}
