// Compiled modules. In: the path of an artifact, or of its directory. Out: its manifest and sessions. Holds: nothing is compiled here; what
// has no code yet is asked of whoever opened the module.
import type { EntrySpec, Manifest } from './abi/manifest.js';
import { type Artifact, isExported, openArtifact, ranksKey, requireSameVariables } from './artifact.js';
import type { EntryGraph } from './entry-graph.js';
import { TfcError, isText } from './error.js';
import type { FetchRequest } from './fetches.js';
import { type Native, loadNative } from './native.js';
import type { AnyModule, ModuleTypes } from './module-types.js';
import { readOptions } from './options.js';
import { entryNames } from './entry-names.js';
import type { SessionSource } from './session-entries.js';
import { pathTree } from './path-tree.js';
import { shown } from './shown.js';
import { type EntryTypes, type Session, SessionMethods, isReserved } from './session.js';
import type { SessionOptions } from './session-options.js';

/**
 * How a module is opened.
 * @example
 * ```ts
 * const options: ModuleOptions = {};
 * const model = openModule('compiled', options);
 * ```
 */
export interface ModuleOptions {
  /**
   * Path of the runtime's native half, `runtime.node`, when it is neither where set-up puts it nor in `node_modules/@tdsl`. The first
   * module that is opened decides for the process.
   */
  readonly addon?: string;
  /**
   * Compiles an entry with open ranks for these ranks and returns the path of an artifact that has it, with the same variables as the
   * module's own.
   */
  readonly resolveOpen?: (name: string, ranks: Readonly<Record<string, number>>) => string;
  /** Compiles an entry, with these ranks, that looks for NaNs and infinities (`trapNan` of a session). */
  readonly resolveTrap?: (name: string, ranks: Readonly<Record<string, number>>) => string;
  /** Compiles an entry that computes named nodes, with the same variables as the module's own. */
  readonly resolveFetches?: (request: FetchRequest) => { readonly path: string; readonly entry: string };
  /** The graphs of all exported entries. */
  readonly readGraph?: () => readonly EntryGraph[];
}

/** TypeScript wants to see that every entry has feeds and a result. */
type EntriesOf<Types extends ModuleTypes> = Types['entries'] extends EntryTypes<Types['entries']> ? Types['entries'] : never;

/**
 * `Types`: what is known of the program; imports of `.tdsl` files bring it with them.
 * @example
 * ```ts
 * const model: Module = openModule('compiled');
 * using session = model.session({ seed: 42, threads: 2 });
 * model.close();
 * ```
 */
export class Module<Types extends ModuleTypes = AnyModule> {
  /** Of the library. */
  readonly path: string;
  readonly manifest: Manifest;
  readonly #native: Native;
  readonly #artifact: Artifact;
  readonly #resolveOpen: ModuleOptions['resolveOpen'];
  readonly #resolveTrap: ModuleOptions['resolveTrap'];
  readonly #resolveFetches: ModuleOptions['resolveFetches'];
  readonly #readGraph: ModuleOptions['readGraph'];
  #graph: readonly EntryGraph[] | undefined;
  readonly #attached = new Map<string, Artifact>();
  #closed = false;
  #sessions = 0;

  /** @throws TfcError file-not-found, bad-artifact, toolchain-missing. */
  constructor(path: string, options: ModuleOptions = {}) {
    const { addon, resolveOpen, resolveTrap, resolveFetches, readGraph } = readOptions(options, 'openModule', [
      'addon',
      'resolveOpen',
      'resolveTrap',
      'resolveFetches',
      'readGraph',
    ]);
    if (addon !== undefined && !isText(addon)) throw new TfcError('invalid-value', `addon is a path, not ${shown(addon)}.`);
    this.#native = loadNative(addon);
    this.#artifact = openArtifact(this.#native, path);
    this.#resolveOpen = resolveOpen;
    this.#resolveTrap = resolveTrap;
    this.#resolveFetches = resolveFetches;
    this.#readGraph = readGraph;
    this.path = this.#artifact.path;
    this.manifest = this.#artifact.manifest;
  }

  /** Exported entries that have code in the module's own artifact. */
  get entries(): readonly EntrySpec[] {
    return this.manifest.entries.filter(isExported);
  }

  /** Paths of its variables as a tree: `paths.net.hidden1.w` is `'net/hidden1/w'`, which `get`, `set`, `save` and `restore` take. */
  get paths(): Types['paths'] {
    return pathTree(this.manifest.variables.map(({ path }) => path)) as Types['paths'];
  }

  /** Variables of its own, and entries as methods. @throws TfcError out-of-memory, invalid-value. */
  session<Entries extends EntryTypes<Entries> = EntriesOf<Types>>(options: SessionOptions = {}): Session<Entries, Types> {
    if (this.#closed) throw new TfcError('session-closed', `The module ${this.path} is closed.`);
    const resolveTrap = this.#resolveTrap;
    const source: SessionSource = {
      native: this.#native,
      artifact: this.#artifact,
      openRank: (name, ranks) => this.#openRank(name, ranks),
      trapped: resolveTrap === undefined ? undefined : (name, ranks) => this.#attach(resolveTrap(name, ranks)),
      fetches: (request) => this.#fetches(request),
      canFetch: this.#resolveFetches !== undefined,
      closed: () => {
        this.#sessions -= 1;
        this.#unmap();
      },
    };
    const session = new SessionMethods<Entries, Types>(source, options);
    this.#sessions += 1;
    const run = session.run.bind(session) as (name: string, feeds: unknown) => unknown;
    for (const name of entryNames(this.#artifact)) {
      if (isReserved(name)) continue;
      Object.defineProperty(session, name, { enumerable: true, value: (feeds: unknown) => run(name, feeds) });
    }
    // The properties that the type adds were defined just now.
    return session as Session<Entries, Types>;
  }

  /**
   * The operations of all exported entries as the program says them, before derivatives are written out; entries with open ranks are not
   * among them. The texts that the module was compiled from are read once, in the compiling process. @throws TfcError source-missing for a
   * module that was opened without its source.
   */
  graph(): readonly EntryGraph[] {
    const read = this.#readGraph;
    if (read === undefined)
      throw new TfcError('source-missing', `${this.manifest.module} was opened without its source, and the artifact has no graph.`, {
        hint: 'Compile the source instead: compile("model.tdsl"), or draw it: tfc graph model.tdsl -o graph.json.',
      });
    return (this.#graph ??= read());
  }

  /** Sessions that are open go on; the artifact is unmapped after the last of them. */
  close(): void {
    this.#closed = true;
    this.#unmap();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #unmap(): void {
    if (!this.#closed || this.#sessions > 0) return;
    for (const artifact of [this.#artifact, ...this.#attached.values()]) this.#native.close(artifact.handle);
  }

  #openRank(name: string, ranks: Readonly<Record<string, number>>): Artifact {
    const resolve = this.#resolveOpen;
    if (resolve === undefined) {
      throw new TfcError('unknown-entry', `${this.manifest.module} has no code for ${ranksKey(name, ranks)}.`, {
        hint: 'Compile the module with these ranks, or open its source.',
      });
    }
    return this.#attach(resolve(name, ranks));
  }

  #fetches(request: FetchRequest): { readonly artifact: Artifact; readonly entry: string } {
    const resolve = this.#resolveFetches;
    if (resolve === undefined) {
      throw new TfcError('unknown-fetch', `${this.manifest.module} has no code that fetches ${request.fetches.join(', ')}.`, {
        hint: 'It was opened without its source, and has entries alone. Compile the source instead: compile("model.tdsl").',
      });
    }
    const { path, entry } = resolve(request);
    return { artifact: this.#attach(path), entry };
  }

  #attach(path: string): Artifact {
    const known = this.#attached.get(path);
    if (known !== undefined) return known;
    const artifact = openArtifact(this.#native, path);
    try {
      requireSameVariables(this.#artifact, artifact);
    } catch (error) {
      this.#native.close(artifact.handle);
      throw error;
    }
    this.#attached.set(path, artifact);
    return artifact;
  }
}

/**
 * Opens a compiled module: the library, or the directory that `tfc compile -o` filled. @throws TfcError file-not-found, bad-artifact,
 * toolchain-missing.
 * @example
 * ```ts
 * const model = openModule('compiled'); // what `tfc compile model.tdsl -o compiled` wrote
 * console.log(model.entries.map(({ name }) => name));
 * ```
 */
export const openModule = (path: string, options: ModuleOptions = {}): Module => new Module(path, options);
