// Entries of a session, each bound once. In: names, ranks, fetches. Out: bound entries, and what they give. Holds: an entry that the
// module's own artifact lacks is asked of whoever compiles; entries that record or look for NaNs stand in the place of plain ones.
import { type Artifact, findEntry, isExported, ranksKey } from './artifact.js';
import { BoundEntry } from './bound-entry.js';
import { entryNames, namesHint, unknownEntry, unknownPosition } from './entry-names.js';
import { TfcError, reading } from './error.js';
import { type Feeds, flattened, requireFeeds } from './feed-slots.js';
import { type FetchRequest, readFetches } from './fetches.js';
import { type Host, closed, requireIdle } from './host.js';
import { type Native, translating } from './native.js';
import { ranksOf, ranksOfNamed } from './open-rank.js';
import { RecordedEntry, type SummaryRecord } from './recorded-entry.js';
import type { Result } from './result.js';

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

export class SessionEntries {
  readonly #source: SessionSource;
  readonly #host: Host;
  readonly #bound = new Map<string, BoundEntry>();
  readonly #all: BoundEntry[] = [];
  readonly #recording: boolean;
  readonly #trapped: SessionSource['trapped'];
  readonly #names: ReadonlySet<string>;
  /** What the last run of a step recorded. */
  summaries: readonly SummaryRecord[] = [];

  constructor(source: SessionSource, host: Host, { summaries, trapNan }: { readonly summaries: boolean; readonly trapNan: boolean }) {
    this.#source = source;
    this.#host = host;
    this.#recording = summaries;
    this.#trapped = trapNan ? source.trapped : undefined;
    this.#names = new Set(entryNames(source.artifact));
  }

  close(): void {
    for (const bound of this.#all) bound.close();
  }

  /** Also while a step runs: making another entry is no call of this one. */
  resolve(name: string, feeds: Feeds): BoundEntry {
    if (this.#host.closed) throw closed();
    if (typeof (name as unknown) !== 'string') throw unknownEntry(this.#source.artifact, name);
    const known = this.#bound.get(name);
    if (known !== undefined) return known;
    const open = this.#source.artifact.manifest.open.find((entry) => entry.name === name);
    return this.cached(name, open === undefined ? {} : ranksOf(open, feeds));
  }

  cached(name: string, ranks: Readonly<Record<string, number>>): BoundEntry {
    const key = ranksKey(name, ranks);
    const known = this.#bound.get(key);
    if (known !== undefined) return known;
    const bound = this.bind(name, ranks, false);
    this.#bound.set(key, bound);
    return bound;
  }

  bind(name: string, ranks: Readonly<Record<string, number>>, reuse: boolean): BoundEntry {
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
  runNamed(name: string, feeds: Feeds): unknown {
    requireIdle(this.#host);
    if (!this.#source.canFetch) return this.resolve(name, feeds).run(feeds);
    const isEntry = this.#names.has(name);
    try {
      return isEntry ? this.resolve(name, feeds).run(feeds) : this.runFetches(name, feeds);
    } catch (error) {
      if (!(error instanceof TfcError)) throw error;
      if (isEntry && error.code === 'unknown-feed') return this.runFetches(name, feeds);
      throw isEntry ? error : this.#named(name, error);
    }
  }

  /** Who asked for one name may have meant an entry. */
  #named(name: string, error: unknown): unknown {
    const { artifact } = this.#source;
    if (!(error instanceof TfcError) || error.code !== 'unknown-fetch' || name.includes('/')) return error;
    // A node that is called so, and cannot be fetched, is no entry that was meant.
    if (!error.message.startsWith('Nothing is called')) return error;
    return new TfcError('unknown-entry', `${artifact.manifest.module} exports no ${name}, and no node is called so.`, {
      hint: error.hint ?? namesHint(artifact),
    });
  }

  runFetches(what: unknown, feeds: Feeds): unknown {
    requireIdle(this.#host);
    const { bound, build, fed } = this.#computed(what, feeds);
    return build(bound.run(fed) as readonly Result[]);
  }

  /** As `runNamed` and `runFetches`, on another thread. What computes it is found now: later the caller may have changed its feeds. */
  async runLater(what: unknown, feeds: Feeds): Promise<unknown> {
    if (typeof what === 'string' && this.#isCall(what, feeds)) return this.resolve(what, feeds).runAsync(feeds);
    try {
      const { bound, build, fed } = this.#computed(what, feeds);
      return await bound.runThen(fed, (values) => build(values as readonly Result[]));
    } catch (error) {
      throw typeof what === 'string' && !this.#names.has(what) ? this.#named(what, error) : error;
    }
  }

  /** Whether a name is an entry that is fed its arguments alone. */
  #isCall(name: string, feeds: Feeds): boolean {
    if (!this.#source.canFetch) return true;
    if (!this.#names.has(name)) return false;
    requireFeeds(feeds);
    const taken = new Set(this.resolve(name, feeds).spec.feeds.map((feed) => feed.name));
    return reading('The names of feeds', () => Object.keys(this.#flat(feeds))).every((fed) => taken.has(fed));
  }

  /** Feeds with the fields of records by their paths, where an entry takes a record. */
  #flat(feeds: Feeds): Feeds {
    const fields = this.#source.artifact.manifest.entries.flatMap((entry) => entry.feeds.filter(({ name }) => name.includes('/')));
    return fields.length === 0 ? feeds : reading('Feeds', () => flattened(feeds, fields));
  }

  /** What computes the fetches, and what it is fed. */
  #computed(
    what: unknown,
    given: Feeds,
  ): { readonly bound: BoundEntry; readonly build: (values: readonly Result[]) => unknown; readonly fed: Feeds } {
    if (this.#host.closed) throw closed();
    const { names, build } = readFetches(what);
    requireFeeds(given);
    const feeds = this.#flat(given);
    const fed = reading('The names of feeds', () => Object.keys(feeds).filter((name) => name !== '')).sort();
    const ranks = ranksOfNamed(this.#source.artifact.manifest.open, names, feeds);
    const key = JSON.stringify([names, fed, ranks]);
    let bound = this.#bound.get(key);
    if (bound === undefined) {
      bound = this.#fetch({ fetches: names, fed, ranks, give: 'values' });
      this.#bound.set(key, bound);
    }
    return { bound, build, fed: feeds };
  }

  #fetch(request: FetchRequest): BoundEntry {
    const trap = this.#trapped !== undefined && request.give === 'values';
    const { artifact, entry } = this.#source.fetches({ ...request, ...(trap ? { trap } : {}) });
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
        this.summaries = records;
      },
    );
  }
}
