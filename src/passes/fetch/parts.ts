// The entries that a fetch takes nodes from, made ready to be one. In: the entries; what is fed. Out: images of their nodes, feeds by name,
// what is not fed.
// Holds: a feed of several entries is one feed, and makes sizes of theirs the same.

import { calledRoots, type Entry, type GraphBuilder, type Node, type SizeFact, tensorEquals, type TensorNode } from '../../graph/index.js';
import { applyTensor, feed, scalar } from '../../ops/index.js';
import { EntryCopy } from './copy.js';
import { type Fed, unlike } from './feeds.js';
import type { Meaning, Names } from './names.js';
import { renameTensor, SizeNames } from './sizes.js';

interface Argument {
  readonly entry: Entry;
  readonly name: string;
}

/** The entries' nodes with feeds in their places. */
export class Parts {
  readonly #copies = new Map<Entry, EntryCopy>();
  readonly #feeds = new Map<string, TensorNode>();
  readonly #fedVariables = new Map<TensorNode, TensorNode>();
  /** Arguments that are not fed. */
  readonly arguments = new Map<TensorNode, Argument>();
  readonly #sizes: SizeNames;

  /** Throws FetchRefused: ambiguous-name, for a feed of unlike types. */
  constructor(names: Names, build: GraphBuilder, involved: readonly Entry[], fed: readonly Fed[]) {
    this.#sizes = new SizeNames(involved);
    for (const { targets } of fed) {
      const [first, ...others] = targets;
      if (first?.entry === undefined) continue;
      for (const { entry, node } of others) if (entry !== undefined) this.#sizes.join(first.entry, first.node.type, entry, node.type);
    }
    const inPlace = new Map<Entry | undefined, Map<Node, TensorNode>>([undefined, ...involved].map((entry) => [entry, new Map()]));
    for (const one of fed) {
      const node = this.#feedFor(build, one);
      this.#feeds.set(one.name, node);
      for (const target of one.targets) inPlace.get(target.entry)?.set(target.node, node);
    }
    // An argument that may be left out, and is.
    for (const entry of involved) {
      for (const { name, type, initial } of entry.feeds) {
        const argument = initial === undefined ? undefined : names.argument(entry, name, 'bare');
        const nodes = inPlace.get(entry);
        if (initial !== undefined && argument !== undefined && nodes?.has(argument) === false)
          nodes.set(argument, scalar(build, type.dtype, initial));
      }
    }
    for (const [entry, nodes] of inPlace) {
      if (entry === undefined) for (const [variable, node] of nodes) this.#fedVariables.set(variable as TensorNode, node);
      else this.#copies.set(entry, new EntryCopy(build, new Map([...this.#fedVariables, ...nodes]), this.#sizes.of(entry)));
    }
    for (const entry of involved) {
      for (const { name } of entry.feeds) {
        const argument = names.argument(entry, name, 'bare');
        const node = argument === undefined || inPlace.get(entry)?.has(argument) === true ? undefined : this.image(entry, argument);
        if (node !== undefined && !this.arguments.has(node)) this.arguments.set(node, { entry, name });
      }
    }
  }

  /** What of the entry has to be computed for a fetch. */
  rootsOf(meaning: Meaning): readonly TensorNode[] {
    switch (meaning.kind) {
      case 'entry':
        return calledRoots(meaning.entry).map((node) => this.image(meaning.entry, node));
      case 'node':
        return [this.image(meaning.entry, meaning.node)];
      case 'variable':
        return [this.variable(meaning.node)];
    }
  }

  feed(name: string): TensorNode | undefined {
    return this.#feeds.get(name);
  }

  image(entry: Entry, node: TensorNode): TensorNode {
    return this.#copies.get(entry)?.image(node) ?? node;
  }

  variable(node: TensorNode): TensorNode {
    return this.#fedVariables.get(node) ?? node;
  }

  facts(entry: Entry): readonly SizeFact[] {
    const sizes = this.#sizes.of(entry);
    if (sizes === undefined) return entry.facts;
    return entry.facts.map((fact) => ({ ...fact, left: fact.left.substitute(sizes), right: fact.right.substitute(sizes) }));
  }

  #feedFor(build: GraphBuilder, fed: Fed): TensorNode {
    const types = fed.targets.map(({ entry, node }) => {
      const sizes = entry === undefined ? undefined : this.#sizes.of(entry);
      return sizes === undefined ? node.type : renameTensor(node.type, sizes);
    });
    const [type] = types as [TensorNode['type']];
    if (types.some((other) => !tensorEquals(type, other))) throw unlike(fed);
    return applyTensor(build, feed, [], { name: fed.name, dtype: type.dtype, shape: type.shape });
  }
}
