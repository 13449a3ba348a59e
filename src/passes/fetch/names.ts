// What callers call things. In: a checked module; names. Out: the entry, variable or node that each stands for.
// Holds: what is declared at the top of the file comes first, so a bare name of an entry or a variable never means a node inside of an
// entry; a name that stands for two nodes is refused.

import { nearest } from '../../base/index.js';
import type { Entry, GraphBuilder, ModuleGraph, TensorNode, Variable } from '../../graph/index.js';
import { applyTensor, feed, variable } from '../../ops/index.js';
import { unnamed } from './copy.js';
import { FetchRefused, listed, written } from './refused.js';

export type Meaning =
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'variable'; readonly node: TensorNode }
  | { readonly kind: 'node'; readonly entry: Entry; readonly node: TensorNode };

interface Candidate {
  readonly entry: Entry;
  readonly node: TensorNode;
  /** Qualified by the entry. */
  readonly name: string;
}

/** Paths in an entry: those of `let`s, of results and of arguments. */
interface Paths {
  readonly arguments: ReadonlyMap<string, TensorNode>;
  readonly lets: ReadonlyMap<string, TensorNode>;
  readonly results: ReadonlyMap<string, TensorNode>;
}

export class Names {
  readonly #module: ModuleGraph;
  readonly #build: GraphBuilder;
  readonly #paths = new Map<Entry, Paths>();
  readonly #variables: ReadonlyMap<string, Variable>;

  constructor(module: ModuleGraph, build: GraphBuilder) {
    this.#module = module;
    this.#build = build;
    this.#variables = new Map(module.variables.map((one) => [one.path, one]));
    for (const entry of module.entries) this.#paths.set(entry, this.#pathsOf(entry));
  }

  /**
   * What is fetched by a name; of several entries that have the very node, one that is mentioned otherwise. Throws FetchRefused:
   * unknown-fetch, ambiguous-name.
   */
  fetched(name: string, mentioned: ReadonlySet<Entry>): Meaning {
    const entry = this.#module.entries.find((one) => one.name === name);
    if (entry !== undefined) return { kind: 'entry', entry };
    const node = this.variable(name);
    if (node !== undefined) return { kind: 'variable', node };
    const found = this.#candidates(name, ({ arguments: fed, lets, results }, path) => [
      // A literal with a name is a node of its own, and still what it is a name of.
      ...new Map(
        [results.get(path), lets.get(path), fed.get(path)].flatMap((one) => (one === undefined ? [] : [[unnamed(one), one]])),
      ).values(),
    ]);
    const one = found.find((candidate) => mentioned.has(candidate.entry)) ?? found[0];
    if (one === undefined) throw this.#unknown(name);
    if (found.some((candidate) => candidate.node !== one.node)) throw ambiguous(name, found);
    return { kind: 'node', entry: one.entry, node: one.node };
  }

  /** Named nodes of these entries, of the one that the name is qualified by or of all that have it. Throws FetchRefused: ambiguous-name. */
  named(name: string, among: readonly Entry[]): readonly Candidate[] {
    const found = this.#candidates(name, ({ lets }, path) => [lets.get(path)].filter((one) => one !== undefined)).filter(({ entry }) =>
      among.includes(entry),
    );
    if (new Set(found.map(({ node }) => node)).size > 1) throw ambiguous(name, found);
    return found;
  }

  /** The node of an argument, for a name that is qualified by the entry or not. */
  argument(entry: Entry, name: string, qualified: 'qualified' | 'bare'): TensorNode | undefined {
    const path = qualified === 'bare' ? name : within(entry, name);
    return path === undefined ? undefined : this.#of(entry).arguments.get(path);
  }

  variable(path: string): TensorNode | undefined {
    const found = this.#variables.get(path);
    return found === undefined
      ? undefined
      : applyTensor(this.#build, variable, [], { path, dtype: found.type.dtype, shape: found.type.shape });
  }

  /** Whether anything of the module may be fed by this name, needed or not. */
  canBeFed(name: string): boolean {
    const has = ({ arguments: fed, lets }: Paths, path: string): TensorNode[] =>
      [fed.get(path), lets.get(path)].filter((one) => one !== undefined);
    return this.variable(name) !== undefined || this.#candidates(name, has).length > 0;
  }

  /** The name that was meant, as a hint; else what there is. */
  hint(name: string, among: readonly Entry[] = this.#module.entries, kinds: 'all' | 'feeds' = 'all'): string {
    const inside = among.flatMap((entry): (readonly [Entry, string])[] => {
      const { arguments: fed, lets, results } = this.#of(entry);
      const paths = kinds === 'all' ? [...lets.keys(), ...results.keys(), ...fed.keys()] : [...fed.keys(), ...lets.keys()];
      return [...new Set(paths)].map((path) => [entry, path]);
    });
    const top = [...(kinds === 'all' ? among.map((entry) => entry.name) : []), ...this.#module.variables.map(({ path }) => path)];
    const bare = [...new Set(inside.map(([, path]) => path))];
    const whole = inside.map(([entry, path]) => `${entry.name}/${path}`);
    const meant = bare.find((path) => path.endsWith(`/${name}`)) ?? nearest(name, [...top, ...bare, ...whole]);
    if (meant !== undefined) return `Did you mean ${meant}?`;
    const offered = [...new Set([...(kinds === 'all' ? [...top, ...whole] : [...bare, ...top])])];
    return offered.length === 0 ? 'There is nothing.' : `There is ${listed(offered)}.`;
  }

  /** Where a name stands that can be neither fetched nor fed, as a sentence; undefined for any other. */
  hidden(name: string): string | undefined {
    for (const entry of this.#module.entries) {
      const where = [within(entry, name), name].map((path) => (path === undefined ? undefined : entry.hidden?.get(path)));
      const found = where.find((one) => one !== undefined);
      if (found !== undefined) return `${written(name)} stands ${found.replaceAll('`', '')}: it can be neither fetched nor fed.`;
    }
    return undefined;
  }

  #unknown(name: string): FetchRefused {
    const hidden = this.hidden(name);
    if (hidden !== undefined) return new FetchRefused({ code: 'unknown-fetch', message: hidden, hint: hiddenHint });
    return new FetchRefused({ code: 'unknown-fetch', message: `Nothing is called ${written(name)}.`, hint: this.hint(name) });
  }

  #of(entry: Entry): Paths {
    return this.#paths.get(entry) ?? this.#pathsOf(entry);
  }

  #pathsOf(entry: Entry): Paths {
    return {
      arguments: new Map(
        entry.feeds.map(({ name, type: { dtype, shape } }) => [name, applyTensor(this.#build, feed, [], { name, dtype, shape })]),
      ),
      lets: entry.names,
      results: new Map(entry.outputs.filter(({ path }) => path !== '').map(({ path, node }) => [path, node])),
    };
  }

  /** Everything inside of entries that the name may stand for, qualified or not; each node of an entry once. */
  #candidates(name: string, find: (paths: Paths, path: string) => readonly TensorNode[]): readonly Candidate[] {
    return this.#module.entries.flatMap((entry) => {
      const nodes = new Map<TensorNode, Candidate>();
      for (const path of [within(entry, name), name]) {
        if (path === undefined) continue;
        for (const node of find(this.#of(entry), path)) nodes.set(node, { entry, node, name: `${entry.name}/${path}` });
      }
      return [...nodes.values()];
    });
  }
}

export const hiddenHint = 'Let it be part of the value, and name that outside.';

/** What follows the name of the entry. */
const within = (entry: Entry, name: string): string | undefined =>
  name.startsWith(`${entry.name}/`) ? name.slice(entry.name.length + 1) : undefined;

function ambiguous(name: string, found: readonly Candidate[]): FetchRefused {
  const names = [...new Set(found.map((candidate) => candidate.name))];
  return new FetchRefused({
    code: 'ambiguous-name',
    message: `${name} stands for several nodes: ${listed(names)}.`,
    hint:
      names.length === found.length
        ? `Write which one: ${listed(names)}.`
        : `An argument, a let and a result of one entry are called so, and are not the same: rename the let.`,
  });
}
