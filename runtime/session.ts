// Sessions: variables of a module and everything that runs on them. In: feeds, paths, values. Out: results. Holds: two sessions share
// nothing; after closing, every use fails with session-closed and the memory is free. Entries are methods by their names, unless a name is
// taken by a method of the session itself: then `run(name, feeds)` reaches them.
import { availableParallelism } from 'node:os';
import type { VariableSpec } from './abi/manifest.js';
import { type Artifact, findEntry, isExported, ranksKey } from './artifact.js';
import { BoundEntry } from './bound-entry.js';
import { type RestoreOptions, type RestoreReport, restoreVariables, type SaveOptions, saveVariables } from './checkpoint.js';
import type { FeedValue } from './convert.js';
import { TfcError, reading, suggestion } from './error.js';
import { type Feeds, requireFeeds } from './feed-slots.js';
import { type FetchRequest, readFetches } from './fetches.js';
import { type Host, closed, requireIdle } from './host.js';
import { initialize } from './initialize.js';
import { type Handle, type Native, translating } from './native.js';
import type {
  AnyEntries,
  AnyModule,
  FetchBranch,
  FetchTree,
  FetchName,
  Fetched,
  Gives,
  KnownNames,
  NodeFeeds,
  Takes,
} from './module-types.js';
import { ranksOf, ranksOfNamed } from './open-rank.js';
import { readNames, readOptions, requireBoolean } from './options.js';
import type { Result } from './result.js';
import { shown } from './shown.js';
import type { StepsOptions, StepsResult } from './steps.js';
import { mostAxes } from './tensor.js';
import { type Batches, type TrainAsyncOptions, type TrainAsyncResult, readTrainAsync, trainAsync } from './train-async.js';
import { Turns } from './turns.js';
import { RecordedEntry, type SummaryRecord } from './recorded-entry.js';
import { Variables } from './variables.js';

export interface SessionOptions {
  /** Seed of random initial values: an integer that fits 64 bits. Default 0. */
  readonly seed?: number | bigint;
  /** Threads that compute, the caller included. Default: as many as there are processors for this process. Results do not depend on it. */
  readonly threads?: number;
  /** Whether variables get their declared initial values now. Default true. */
  readonly initialize?: boolean;
  /** Whether what `summary` statements of steps say is recorded, for `summaries()`. Default false: then they cost nothing. */
  readonly summaries?: boolean;
  /**
   * Whether entries look for NaNs and infinities: one that is made of numbers which are none is `not-finite`, names the line, and leaves
   * variables as they were. Such entries are compiled when they are first run, and are slower. Default false.
   */
  readonly trapNan?: boolean;
}

/** What a session needs of its module. */
export interface SessionSource {
  readonly native: Native;
  readonly artifact: Artifact;
  /** The artifact that has an open-rank entry with these ranks. */
  readonly openRank: (name: string, ranks: Readonly<Record<string, number>>) => Artifact;
  /** The artifact that has an entry with these ranks which looks for NaNs; undefined where nobody can compile it. */
  readonly trapped: ((name: string, ranks: Readonly<Record<string, number>>) => Artifact) | undefined;
  /** The artifact and the entry that compute these nodes from these feeds. */
  readonly fetches: (request: FetchRequest) => { readonly artifact: Artifact; readonly entry: string };
  /** Whether nodes can be compiled that the artifact has no entry for. */
  readonly canFetch: boolean;
  /** Called once, when the session has been closed. */
  readonly closed: () => void;
}

/**
 * Feeds and result per entry: what generated types say about a module. An interface will do: `interface Mnist { train: { feeds: { X:
 * Float32Array }; result: { loss: number } } }`.
 */
export type EntryTypes<Entries> = { readonly [Name in keyof Entries]: { readonly feeds: object; readonly result: unknown } };

/** Feeds may be left out altogether when none of them is required. */
type Arguments<Fed> = Record<never, never> extends Fed ? [feeds?: Fed] : [feeds: Fed];

/** Methods that JavaScript itself calls, as `await session` does: entries of these names are reached by `run` alone. */
const calledByLanguage = ['then', 'toJSON'] as const;
type CalledByLanguage = (typeof calledByLanguage)[number];

/** Whether an entry of this name is reached by `run` alone: a session has such a member itself, or the language calls it. */
export const isReserved = (name: string): boolean =>
  name === 'threads' || name in SessionMethods.prototype || (calledByLanguage as readonly string[]).includes(name);

/** `Names` is a parameter so that each method keeps the documentation and the place of its entry. */
export type EntryMethods<
  Entries extends EntryTypes<Entries>,
  Names extends keyof Entries = Exclude<keyof Entries, keyof SessionMethods | keyof ObjectConstructor['prototype'] | CalledByLanguage>,
> = {
  readonly [Name in Names]: (...args: Arguments<Entries[Name]['feeds']>) => Entries[Name]['result'];
};

/** `Known`: named nodes and variables, where they are known. */
export type Session<Entries extends EntryTypes<Entries> = AnyEntries, Known extends KnownNames = AnyModule> = SessionMethods<
  Entries,
  Known
> &
  EntryMethods<Entries>;

/** One name that is no entry's, which needs all of its feeds; or names in arrays and objects. */
type Fetches<Entries, Known extends KnownNames> =
  Exclude<FetchName<Entries, Known>, keyof Entries> | FetchBranch<FetchName<Entries, Known>>;
type Paths<Known extends KnownNames> = keyof Known['variables'] & string;

export class SessionMethods<Entries extends EntryTypes<Entries> = AnyEntries, Known extends KnownNames = AnyModule> {
  readonly #source: SessionSource;
  readonly #host: { -readonly [Key in keyof Host]: Host[Key] };
  readonly #bound = new Map<string, BoundEntry>();
  readonly #all: BoundEntry[] = [];
  readonly #seed: bigint;
  readonly #recording: boolean;
  readonly #entryNames: ReadonlySet<string>;
  #summaries: readonly SummaryRecord[] = [];
  readonly #trapped: SessionSource['trapped'];
  /** Threads that compute, the caller included. */
  readonly threads: number;

  /** Use `module.session()`, which also adds the entries as methods. */
  constructor(source: SessionSource, options: SessionOptions = {}) {
    const { native, artifact } = source;
    const {
      threads = availableParallelism(),
      initialize: now = true,
      seed = 0,
      summaries = false,
      trapNan = false,
    } = readOptions(options, 'session', ['threads', 'initialize', 'seed', 'summaries', 'trapNan']);
    requireBoolean(now, 'initialize');
    requireBoolean(summaries, 'summaries');
    requireBoolean(trapNan, 'trapNan');
    if ((summaries && !source.canFetch) || (trapNan && source.trapped === undefined))
      throw new TfcError(
        'source-missing',
        `${artifact.manifest.module} was opened without its source, and has no code that ${summaries ? 'records summaries' : 'looks for NaNs'}.`,
        { hint: 'Compile the source instead: compile("model.tdsl").' },
      );
    this.#trapped = trapNan ? source.trapped : undefined;
    if (!Number.isSafeInteger(threads) || threads < 1 || threads > 1024)
      throw new TfcError('invalid-value', `A session has 1 to 1024 threads, not ${shown(threads)}.`);
    this.#source = source;
    this.#seed = seedOf(seed);
    this.#recording = summaries;
    this.#entryNames = new Set(entryNames(artifact));
    this.threads = threads;
    const specs = artifact.manifest.variables;
    const handle: Handle<'session'> = translating(() =>
      native.createSession(threads, Float64Array.from(specs.flatMap((spec) => Variables.rows(spec)))),
    );
    this.#host = { native, handle, variables: new Variables(native, handle, specs), closed: false, busy: false, turns: new Turns() };
    if (now) this.initialize();
  }

  /** Runs an exported entry once. @throws TfcError; see BoundEntry.run. */
  run<Name extends keyof Entries & string>(name: Name, ...args: Arguments<Entries[Name]['feeds']>): Entries[Name]['result'];
  /**
   * Computes what is named, once each, and gives the values in the places of the names: an array for an array, an object for an object.
   * Feeds are arguments of the entries that it lies in, and named nodes, which are then not computed. What is not needed is not run: a
   * step makes its updates only if the step itself is fetched. Variables have their values of before the run.
   * @throws TfcError unknown-fetch, unknown-feed, missing-feed, ambiguous-name, ambiguous-size, invalid-value; see BoundEntry.run.
   */
  run<const Tree extends Fetches<Entries, Known>>(
    fetches: Tree,
    ...args: Tree extends keyof Entries ? [never] : [feeds?: NodeFeeds<Known['nodes'] & Known['variables']>]
  ): Fetched<Entries, Known, Tree>;
  run(what: FetchTree, feeds?: object): unknown {
    const fed = (feeds ?? {}) as Feeds;
    return typeof what === 'string' ? this.#runNamed(what, fed) : this.#runFetches(what, fed);
  }

  /**
   * Runs an exported entry once on another thread, after all that was asked before; meanwhile nothing blocks. Feeds are copied now.
   * Everything that does not wait is refused as `session-busy` while a step runs.
   * @throws TfcError, by rejecting the promise; see BoundEntry.run.
   */
  async runAsync<Name extends keyof Entries & string>(
    name: Name,
    ...args: Arguments<Entries[Name]['feeds']>
  ): Promise<Entries[Name]['result']> {
    const fed = (args[0] ?? {}) as Feeds;
    return this.#resolve(name, fed).runAsync(fed);
  }

  /**
   * Runs a step on another thread for every batch. Variables are those after the last whole step, however it ends. Other asynchronous calls
   * come between two steps, in the order of the calls.
   * @throws TfcError, by rejecting the promise; the signal's reason; what a callback throws.
   */
  async trainAsync<Name extends keyof Entries & string = 'train' & keyof Entries>(
    batches: Batches<Partial<Entries[Name]['feeds']>>,
    options: TrainAsyncOptions<Name, Entries[Name]['feeds'], Entries[Name]['result']> = {},
  ): Promise<TrainAsyncResult<Entries[Name]['result']>> {
    const read = readTrainAsync(batches, options as TrainAsyncOptions);
    const result = await trainAsync(read, {
      run: (feeds, after) => this.#resolve(read.entry, feeds).runThen(feeds, after),
      inTurn: (body) => this.whenIdle(body),
    });
    return result as TrainAsyncResult<Entries[Name]['result']>;
  }

  /**
   * Calls `body` after all that was asked before, between two steps: there nothing is `session-busy`. The next step begins when `body` has
   * returned, and waits for no promise.
   */
  async whenIdle<Value>(body: () => Value): Promise<Awaited<Value>> {
    const { value } = await this.#host.turns.take(() => {
      if (this.#host.closed) throw closed();
      return { value: body() };
    });
    return await value;
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
  get<Path extends Paths<Known>>(path: Path): Gives<Known['variables'][Path]> {
    // What declarations say of the module's variables.
    return this.#requireOpen().variables.get(path) as Gives<Known['variables'][Path]>;
  }

  /**
   * What the last run of a step recorded, in the order of the program; empty when it failed, and after `runSteps`, whose steps run without
   * pause. Only with `module.session({ summaries: true })`. @throws TfcError session-closed.
   */
  summaries(): readonly SummaryRecord[] {
    this.#requireOpen();
    return this.#summaries;
  }

  /** Gives a variable a value. @throws TfcError unknown-variable, shape-mismatch, dtype-mismatch, bad-data. */
  set<Path extends Paths<Known>>(path: Path, value: Takes<Known['variables'][Path]>): void {
    this.#requireOpen().variables.set(path, value as FeedValue);
  }

  isInitialized(path: Paths<Known>): boolean {
    const { variables } = this.#requireOpen();
    return variables.isInitialized(variables.position(path));
  }

  /**
   * Gives variables their declared initial values, again if they had them: all that declare one, or those at `paths`.
   * @throws TfcError unknown-variable, uninitialized-variable for a path that declares none.
   */
  initialize(paths?: readonly Paths<Known>[], seed: number | bigint = this.#seed): void {
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
  save(path: string, what: readonly Paths<Known>[] | SaveOptions = {}): void {
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

  /**
   * Frees everything: now or, while a step runs on another thread, after it, which still gives its result; what waits for its turn is
   * refused as `session-closed`. Closing twice is fine.
   */
  close(): void {
    if (this.#host.closed) return;
    this.#host.closed = true;
    if (this.#host.busy) void this.#host.turns.take(() => this.#free());
    else this.#free();
  }

  #free(): void {
    for (const bound of this.#all) bound.close();
    this.#host.native.close(this.#host.handle);
    this.#source.closed();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #requireOpen(): Host {
    return requireIdle(this.#host);
  }

  /** Also while a step runs: making another entry is no call of this one. */
  #resolve(name: string, feeds: Feeds): BoundEntry {
    if (this.#host.closed) throw closed();
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
    if (at !== undefined && isExported(artifact.manifest.entries[at] ?? unknownPosition(at)))
      return this.#trapped === undefined ? this.#make(artifact, at, reuse) : this.#attached(this.#trapped, name, ranks, reuse);
    const open = artifact.manifest.open.find((entry) => entry.name === name);
    if (open === undefined) throw unknownEntry(artifact, name);
    const missing = open.packs.filter((pack) => !Object.hasOwn(ranks, pack));
    if (missing.length > 0)
      throw new TfcError('unknown-entry', `${name} needs a rank for ${missing.join(', ')}.`, {
        hint: `Ask for entry("${name}", { ranks: { ${missing.join(': 1, ')}: 1 } }).`,
      });
    return this.#attached(this.#trapped ?? openRank, name, ranks, reuse);
  }

  /** An entry of an artifact beside the module's own. */
  #attached(resolve: SessionSource['openRank'], name: string, ranks: Readonly<Record<string, number>>, reuse: boolean): BoundEntry {
    const attached = resolve(name, ranks);
    const position = findEntry(attached, name, ranks);
    if (position === undefined) throw new TfcError('bad-artifact', `${attached.path} does not have ${ranksKey(name, ranks)}.`);
    return this.#make(attached, position, reuse);
  }

  /** An entry, or else a node; also an entry that is fed more than its arguments. */
  #runNamed(name: string, feeds: Feeds): unknown {
    this.#requireOpen();
    const { artifact, canFetch } = this.#source;
    if (!canFetch) return this.#resolve(name, feeds).run(feeds);
    const isEntry = this.#entryNames.has(name);
    try {
      return isEntry ? this.#resolve(name, feeds).run(feeds) : this.#runFetches(name, feeds);
    } catch (error) {
      if (!(error instanceof TfcError)) throw error;
      if (isEntry && error.code === 'unknown-feed') return this.#runFetches(name, feeds);
      if (isEntry || error.code !== 'unknown-fetch' || name.includes('/')) throw error;
      throw new TfcError('unknown-entry', `${artifact.manifest.module} exports no ${name}, and no node is called so.`, {
        hint: error.hint ?? namesHint(artifact),
      });
    }
  }

  #runFetches(what: unknown, feeds: Feeds): unknown {
    this.#requireOpen();
    const { names, build } = readFetches(what);
    requireFeeds(feeds);
    const fed = reading('The names of feeds', () => Object.keys(feeds).filter((name) => name !== '')).sort();
    const ranks = ranksOfNamed(this.#source.artifact.manifest.open, names, feeds);
    const key = JSON.stringify([names, fed, ranks]);
    let bound = this.#bound.get(key);
    if (bound === undefined) {
      bound = this.#fetch({ fetches: names, fed, ranks, give: 'values' });
      this.#bound.set(key, bound);
    }
    return build(bound.run(feeds) as readonly Result[]);
  }

  #fetch(request: FetchRequest): BoundEntry {
    const { artifact, entry } = this.#source.fetches(request);
    const at = artifact.manifest.entries.findIndex((spec) => spec.name === entry);
    if (at < 0) throw new TfcError('bad-artifact', `${artifact.path} does not have ${entry}.`);
    const result = artifact.manifest.entries[at]?.result;
    if (result?.kind !== 'tuple' || (request.give === 'values' && result.items.length !== request.fetches.length))
      throw new TfcError('bad-artifact', `${artifact.path}: ${entry} does not give one value per fetch.`);
    return this.#make(artifact, at, false, request);
  }

  /** `recorded`: what to ask for to have the summaries of the entry. */
  #make(artifact: Artifact, at: number, reuse: boolean, recorded?: FetchRequest): BoundEntry {
    const spec = artifact.manifest.entries[at] ?? unknownPosition(at);
    const isRecorded = this.#recording && spec.kind === 'step';
    const bound = translating(() => new (isRecorded ? RecordedEntry : BoundEntry)(this.#host, artifact.handle, at, spec, reuse));
    this.#all.push(bound);
    if (!(bound instanceof RecordedEntry)) return bound;
    const fed = spec.feeds.map(({ name }) => name).sort();
    const { name, ranks } = spec;
    const request = recorded ?? { fetches: [name], fed, ranks: Object.keys(ranks).length === 0 ? {} : { [name]: ranks } };
    let summaries: BoundEntry | undefined;
    return bound.record(
      () => (summaries ??= this.#fetch({ ...request, give: 'summaries' })),
      (records) => {
        this.#summaries = records;
      },
    );
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
