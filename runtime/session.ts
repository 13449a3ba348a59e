// Sessions: variables of a module and everything that runs on them. In: feeds, paths, values. Out: results. Holds: two sessions share
// nothing; after closing, every use fails with session-closed and the memory is free. Entries are methods by their names, unless a name is
// taken by a method of the session itself: then `run(name, feeds)` reaches them.
import type { VariableSpec } from './abi/manifest.js';
import { BoundEntry } from './bound-entry.js';
import { type RestoreOptions, type RestoreReport, restoreVariables, type SaveOptions, saveVariables } from './checkpoint.js';
import type { FeedValue } from './convert.js';
import { unknownEntry, unknownPosition } from './entry-names.js';
import { TfcError, reading } from './error.js';
import type { Feeds } from './feed-slots.js';
import { type Host, closed, requireIdle } from './host.js';
import { initialize } from './initialize.js';
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
import { openDevice } from './device.js';
import { composed, composedMembers } from './names.js';
import { type Handle, translating } from './native.js';
import { readNames, readOptions, requireBoolean } from './options.js';
import type { SummaryRecord } from './recorded-entry.js';
import { SessionEntries, type SessionSource } from './session-entries.js';
import { readSessionOptions, seedOf, type SessionOptions } from './session-options.js';
import { shown } from './shown.js';
import type { StepsOptions, StepsResult } from './steps.js';
import { mostAxes } from './tensor.js';
import { type Batches, type TrainAsyncOptions, type TrainAsyncResult, readTrainAsync, trainAsync } from './train-async.js';
import { Turns } from './turns.js';
import { Variables } from './variables.js';

/**
 * Feeds and result per entry: what generated types say about a module. An interface will do: `interface Mnist { train: { feeds: { X:
 * Float32Array }; result: { loss: number } } }`.
 * @example
 * ```ts
 * type Entries = { readonly predict: { readonly feeds: { x: Float32Array }; readonly result: Tensor<'i32'> } };
 * type Checked = EntryTypes<Entries>;
 * const typed = model.session<Entries>({ seed: 1 });
 * console.log(typed.predict({ x: new Float32Array(8) }).data); // two labels
 * ```
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

/**
 * `Names` is a parameter so that each method keeps the documentation and the place of its entry.
 * @example
 * ```ts
 * const { train }: EntryMethods<AnyEntries> = session;
 * console.log(train?.({ x, y, lr: 0.1 }));
 * ```
 */
export type EntryMethods<
  Entries extends EntryTypes<Entries>,
  Names extends keyof Entries = Exclude<keyof Entries, keyof SessionMethods | keyof ObjectConstructor['prototype'] | CalledByLanguage>,
> = {
  readonly [Name in Names]: (...args: Arguments<Entries[Name]['feeds']>) => Entries[Name]['result'];
};

/**
 * `Known`: named nodes and variables, where they are known.
 * @example
 * ```ts
 * const session: Session = model.session({ seed: 42 });
 * session.run('train', { x, y, lr: 0.1 });
 * ```
 */
export type Session<Entries extends EntryTypes<Entries> = AnyEntries, Known extends KnownNames = AnyModule> = SessionMethods<
  Entries,
  Known
> &
  EntryMethods<Entries>;

/** One name that is no entry's, which needs all of its feeds; or names in arrays and objects. */
type Fetches<Entries, Known extends KnownNames> =
  Exclude<FetchName<Entries, Known>, keyof Entries> | FetchBranch<FetchName<Entries, Known>>;
type Paths<Known extends KnownNames> = keyof Known['variables'] & string;

/**
 * @example
 * ```ts
 * const weightsOf = (session: SessionMethods): Tensor => session.get('net/w') as Tensor;
 * console.log(weightsOf(session).shape); // [ 4, 3 ]
 * ```
 */
export class SessionMethods<Entries extends EntryTypes<Entries> = AnyEntries, Known extends KnownNames = AnyModule> {
  readonly #source: SessionSource;
  readonly #host: { -readonly [Key in keyof Host]: Host[Key] };
  readonly #entries: SessionEntries;
  readonly #seed: bigint;
  /** Threads that compute, the caller included. */
  readonly threads: number;

  /** Use `module.session()`, which also adds the entries as methods. */
  constructor(source: SessionSource, options: SessionOptions = {}) {
    const { native, artifact } = source;
    const { threads, device, initialize: now, seed, summaries, trapNan } = readSessionOptions(options);
    if ((summaries && !source.canFetch) || (trapNan && source.trapped === undefined))
      throw new TfcError(
        'source-missing',
        `${artifact.manifest.module} was opened without its source, and has no code that ${summaries ? 'records summaries' : 'looks for NaNs'}.`,
        { hint: 'Compile the source instead: compile("model.tdsl").' },
      );
    this.#source = source;
    this.#seed = seed;
    this.threads = threads;
    const specs = artifact.manifest.variables;
    const rows = Float64Array.from(specs.flatMap((spec) => Variables.rows(spec)));
    const handle: Handle<'session'> = openDevice(device, artifact.manifest.devices ?? [], (number) =>
      native.createSession(threads, number, rows),
    );
    this.#host = { native, handle, variables: new Variables(native, handle, specs), closed: false, busy: false, turns: new Turns() };
    this.#entries = new SessionEntries(source, this.#host, { summaries, trapNan });
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
    return typeof what === 'string' ? this.#entries.runNamed(what, fed) : this.#entries.runFetches(what, fed);
  }

  /**
   * Runs an exported entry once on another thread, after all that was asked before; meanwhile nothing blocks. Feeds are copied now.
   * Everything that does not wait is refused as `session-busy` while a step runs.
   * @throws TfcError, by rejecting the promise; see BoundEntry.run.
   */
  runAsync<Name extends keyof Entries & string>(name: Name, ...args: Arguments<Entries[Name]['feeds']>): Promise<Entries[Name]['result']>;
  /**
   * The same of what is named, as `run` takes it. Names that are fetched together for the first time are compiled first, which blocks.
   * @throws TfcError, by rejecting the promise; see `run`.
   */
  runAsync<const Tree extends Fetches<Entries, Known>>(
    fetches: Tree,
    ...args: Tree extends keyof Entries ? [never] : [feeds?: NodeFeeds<Known['nodes'] & Known['variables']>]
  ): Promise<Fetched<Entries, Known, Tree>>;
  async runAsync(what: FetchTree, feeds?: object): Promise<unknown> {
    return this.#entries.runLater(what, (feeds ?? {}) as Feeds);
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
      run: (feeds, after) => this.#entries.resolve(read.entry, feeds).runThen(feeds, after),
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

  /**
   * Runs an entry many times within native code, which does not come back between two steps: it takes no fetches, and records no summaries.
   * @throws TfcError; see BoundEntry.runSteps.
   */
  runSteps<Name extends keyof Entries & string>(name: Name, feeds: Entries[Name]['feeds'], options?: StepsOptions): StepsResult {
    const fed = feeds as Feeds;
    return this.#entries.resolve(name, fed).runSteps(fed, options);
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
    const own = composed(name);
    return reuse ? this.#entries.bind(own, ranks, true) : this.#entries.cached(own, ranks);
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
    return this.#entries.summaries;
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
    this.#entries.close();
    this.#host.native.close(this.#host.handle);
    this.#source.closed();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #requireOpen(): Host {
    return requireIdle(this.#host);
  }
}

/** @throws TfcError invalid-value. */
function readRanks(given: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const ranks = composedMembers(
    readOptions(
      given,
      'entry, ranks,',
      reading('The ranks of an entry', () => Object.keys(given)),
    ),
  );
  for (const [pack, rank] of Object.entries(ranks)) {
    if (!Number.isSafeInteger(rank) || rank < 0 || rank > mostAxes)
      throw new TfcError('invalid-value', `The rank of ${pack} is a whole number from 0 to ${mostAxes}, not ${shown(rank)}.`);
  }
  return ranks;
}
