// What every graph fulfils, whoever made it. In: a module. Out: nothing, or an InternalError that names the pass, the rule and the node.
// Holds afterwards:
//   order      a node's id is larger than the ids of its arguments (hence no cycles), and one id stands for one node
//   types      every node has the type that its op's type rule gives (when `infer` is passed)
//   regions    closed: inside, `argument` nodes count within the parameters and have their types; no feed, no variable
//   arguments  no `argument` node outside of a region
//   feeds every feed node is declared by its entry (an initializer: the seed, i64, and as many streams, i32, as the variable has) with
//   that type
//   variables every variable node and every update is declared with that type; each variable is updated at most once; an initializer reads
//   none
//   sizes      every size that occurs is declared by the entry; an initializer has none
//   results    the result's tree takes every output exactly once; scalar summaries are scalars
//   removed    no op that an earlier pass removes for good

import { Dim, InternalError } from '../base/index.js';
import { entryRoots } from './entry.js';
import {
  type AttrValue,
  type Entry,
  type ModuleGraph,
  type Node,
  type Region,
  type ResultTree,
  seedName,
  sourceOf,
  streamName,
  type TensorNode,
  type Variable,
} from './node.js';
import { NodeMap } from './node-map.js';
import { isRegion, regionsOf } from './region.js';
import { type TensorType, type Type, tensorEquals, typeEquals, typeKey, typeToString } from './type.js';
import { topological } from './walk.js';

export interface VerifyOptions {
  /** The pass to blame. */
  readonly pass: string;
  /** The type by the op's rule, or what is wrong. */
  infer?(node: Node): Type | string;
  /** Why a node must not be there (anymore), if so. */
  refuse?(node: Node): string | undefined;
  /** Whether a node may ever be refused. */
  mayRefuse?(node: Node): boolean;
  /** What was verified before of the same builder's nodes; more is added to it. */
  readonly sound?: SoundNodes;
}

/**
 * Nodes without regions that fulfil all rules where they stand: as long as that is the same, nothing of them can have changed, nor of what
 * they are computed from.
 */
export class SoundNodes {
  readonly #nodes = new NodeMap<Node>();
  /** Twice the number of the place, one more where a pass may have to remove something of what the node is computed from, or the node. */
  readonly #places = new NodeMap<number>();
  /** The last one of a type, by the place: nodes that a pass makes anew over other arguments have the type, and the attributes. */
  readonly #ofType = new Map<Type, { readonly node: Node; readonly place: number }>();
  readonly #numbers = new Map<string, number>();

  /** Equal for places that declare the same. */
  numberOf(place: string): number {
    let number = this.#numbers.get(place);
    if (number === undefined) this.#numbers.set(place, (number = this.#numbers.size));
    return number;
  }

  has(node: Node, place: number): boolean {
    const known = this.#places.get(node);
    return known !== undefined && known >> 1 === place && this.#nodes.get(node) === node;
  }

  /** Whether it is one of them, and no pass removes anything of it: there is nothing to look at below. */
  isFinal(node: Node, place: number): boolean {
    return this.#places.get(node) === 2 * place && this.#nodes.get(node) === node;
  }

  /** Another node that has the same id. */
  twinOf(node: Node): Node | undefined {
    const known = this.#nodes.get(node);
    return known === node ? undefined : known;
  }

  /** Whether one of them is this node over other arguments of the same types: apart from its arguments, it fulfils all rules as well. */
  hasLike({ op, args, attrs, type }: Node, place: number): boolean {
    const known = this.#ofType.get(type);
    if (known?.place !== place || known.node.op !== op || known.node.attrs !== attrs || known.node.args.length !== args.length)
      return false;
    for (let at = 0; at < args.length; at++) if (!typeEquals((args[at] as Node).type, (known.node.args[at] as Node).type)) return false;
    return true;
  }

  add(node: Node, place: number, isFinal: boolean): void {
    this.#nodes.set(node, node);
    this.#places.set(node, 2 * place + (isFinal ? 0 : 1));
    this.#ofType.set(node.type, { node, place });
  }
}

interface Place {
  readonly where: string;
  readonly feeds: ReadonlyMap<string, TensorType>;
  readonly variables: ReadonlyMap<string, TensorType>;
  readonly dims: ReadonlySet<string>;
  /** Parameters of the innermost region. */
  readonly params: readonly TensorType[] | undefined;
  /** Of `SoundNodes`; undefined inside of regions, and where nothing is kept. */
  readonly number?: number | undefined;
}

export function verifyModule(module: ModuleGraph, options: VerifyOptions): void {
  const check = new Verifier(options);
  const variables = new Map<string, TensorType>();
  for (const variable of module.variables) {
    if (variables.has(variable.path)) check.fail('variables', `${variable.path} is declared twice`);
    variables.set(variable.path, variable.type);
  }
  for (const variable of module.variables) check.variable(variable);
  for (const entry of module.entries) check.entry(entry, variables);
}

class Verifier {
  readonly #options: VerifyOptions;
  /** Of nodes that are not to become `SoundNodes`. */
  readonly #ids = new NodeMap<Node>();
  /** Initial values that were looked at, by how many streams there are: like variables have the same. */
  readonly #initials = new Map<Node, Set<number>>();
  /** Of `SoundNodes`, by all that are declared. */
  #variables: number | undefined;

  constructor(options: VerifyOptions) {
    this.#options = options;
  }

  fail(rule: string, message: string): never {
    throw new InternalError(this.#options.pass, `the graph breaks the rule "${rule}": ${message}`);
  }

  variable(variable: Variable): void {
    const where = `the initializer of ${variable.path}`;
    this.#dims(variable.type.shape, none, () => where);
    if (variable.initial === undefined) return;
    if (!tensorEquals(variable.initial.type, variable.type))
      this.fail('variables', `${where} is ${typeToString(variable.initial.type)}, not ${typeToString(variable.type)}`);
    const known = this.#initials.get(variable.initial);
    if (known?.has(variable.streams.length) === true) return;
    this.#initials.set(variable.initial, (known ?? new Set()).add(variable.streams.length));
    const feeds = new Map<string, TensorType>([[seedName, { kind: 'tensor', dtype: 'i64', shape: [] }]]);
    for (const at of variable.streams.keys()) feeds.set(streamName(at), { kind: 'tensor', dtype: 'i32', shape: [] });
    this.#nodes([variable.initial], { where, feeds, variables: new Map(), dims: new Set(), params: undefined });
  }

  entry(entry: Entry, variables: ReadonlyMap<string, TensorType>): void {
    const where = `entry ${entry.name}`;
    const feeds = new Map(entry.feeds.map((feed) => [feed.name, feed.type]));
    if (feeds.size !== entry.feeds.length) this.fail('feeds', `two feeds of ${where} have one name`);
    const dims = new Set(entry.dims);
    for (const feed of entry.feeds) this.#dims(feed.type.shape, dims, () => `feed ${feed.name} of ${where}`);
    for (const fact of entry.facts) this.#dims([fact.left, fact.right], dims, () => `a fact of ${where}`);
    this.#nodes(entryRoots(entry), { where, feeds, variables, dims, params: undefined, number: this.#numberOf(entry, variables) });
    this.#result(entry, where);
    const updated = new Set<string>();
    for (const { variable, node } of entry.updates) {
      const type = variables.get(variable);
      if (type === undefined) this.fail('variables', `${where} updates ${variable}, which nothing declares`);
      if (updated.has(variable)) this.fail('variables', `${where} updates ${variable} twice`);
      updated.add(variable);
      if (!tensorEquals(type, node.type))
        this.fail('variables', `${where} updates ${variable}: ${typeToString(type)} with ${typeToString(node.type)}`);
    }
    for (const { kind, name, node } of entry.summaries) {
      if (kind === 'scalar' && node.type.shape.length > 0)
        this.fail('results', `the scalar summary ${name} of ${where} is ${typeToString(node.type)}`);
    }
  }

  #numberOf({ name, feeds, dims }: Entry, variables: ReadonlyMap<string, TensorType>): number | undefined {
    const { sound } = this.#options;
    if (sound === undefined) return undefined;
    this.#variables ??= sound.numberOf([...variables].map(([path, type]) => `${path} ${typeKey(type)}`).join('\n'));
    const declared = [name, dims.join(), ...feeds.map((feed) => `${feed.name} ${typeKey(feed.type)}`)].join('\n');
    return sound.numberOf(`${declared}\n\n${this.#variables}`);
  }

  #result(entry: Entry, where: string): void {
    const taken = entry.outputs.map(() => 0);
    const walk = (tree: ResultTree): void => {
      switch (tree.kind) {
        case 'output':
          if (taken[tree.index] === undefined) this.fail('results', `${where} has no output ${tree.index}`);
          taken[tree.index] = (taken[tree.index] as number) + 1;
          return;
        case 'record':
          for (const [, field] of tree.fields) walk(field);
          return;
        case 'tuple':
          for (const item of tree.items) walk(item);
      }
    };
    walk(entry.result);
    // What checks and traps say stands beside the result.
    const beside = new Set([entry.trap?.output, entry.checks?.status, entry.checks?.said]);
    const wrong = taken.findIndex((times, at) => times !== (beside.has(at) ? 0 : 1));
    if (wrong >= 0) this.fail('results', `the result of ${where} takes output ${wrong} ${taken[wrong]} times`);
  }

  #nodes(roots: readonly Node[], place: Place): void {
    const { sound } = this.#options;
    const { number } = place;
    const isOpen = sound === undefined || number === undefined ? undefined : (node: Node): boolean => !sound.isFinal(node, number);
    for (const node of topological(roots, isOpen)) this.#node(node, place);
  }

  #node(node: Node, place: Place): void {
    const { sound, refuse } = this.#options;
    const { number } = place;
    const known = this.#ids.get(node) ?? sound?.twinOf(node);
    if (known !== undefined && known !== node) this.fail('order', `${nameIn(node, place)} and ${known.op.name} share an id`);
    // The others are sound when this is done.
    if (number === undefined) this.#ids.set(node, node);
    const reason = refuse?.(node);
    if (reason !== undefined) this.fail('removed', `${nameIn(node, place)}: ${reason}`);
    if (number === undefined || sound === undefined) {
      this.#alone(node, place);
      this.#regions(node, place);
      return;
    }
    if (sound.has(node, number)) return;
    if (sound.hasLike(node, number)) this.#arguments(node, place);
    else {
      this.#alone(node, place);
      if (this.#regions(node, place)) return;
    }
    sound.add(node, number, this.#options.mayRefuse?.(node) === false && node.args.every((arg) => sound.isFinal(arg, number)));
  }

  #arguments(node: Node, place: Place): void {
    for (const arg of node.args)
      if (arg.id >= node.id) this.fail('order', `${nameIn(node, place)} is older than its argument ${arg.op.name} (node ${arg.id})`);
  }

  /** All but what is in its regions. */
  #alone(node: Node, place: Place): void {
    const name = (): string => nameIn(node, place);
    this.#arguments(node, place);
    this.#source(node, place, name);
    if (node.type.kind === 'tensor') this.#dims(node.type.shape, place.dims, name);
    else for (const type of node.type.items) this.#dims(type.shape, place.dims, name);
    for (const key in node.attrs) this.#attr(node.attrs[key] as AttrValue, place, name);
    const inferred = this.#options.infer?.(node);
    if (typeof inferred === 'string') this.fail('types', `${name()}: ${inferred}`);
    if (inferred !== undefined && !typeEquals(inferred, node.type))
      this.fail('types', `${name()} is ${typeToString(node.type)}, its rule says ${typeToString(inferred)}`);
  }

  /** Whether it has any. */
  #regions(node: Node, place: Place): boolean {
    const regions = regionsOf(node);
    for (const [attr, region] of regions) this.#region(region, { ...place, where: `${attr} of ${nameIn(node, place)}` });
    return regions.length > 0;
  }

  #source(node: Node, place: Place, name: () => string): void {
    const source = sourceOf(node);
    switch (source?.kind) {
      case 'argument': {
        const param = place.params?.[source.index];
        if (place.params === undefined) this.fail('arguments', `${name()} stands outside of a region`);
        if (param === undefined) this.fail('regions', `${name()} counts ${source.index}, of ${place.params.length} parameters`);
        if (!typeEquals(param, node.type))
          this.fail('regions', `${name()} is ${typeToString(node.type)}, the parameter is ${typeToString(param)}`);
        return;
      }
      case 'feed':
        return this.#declared(node, source.name, place.feeds, 'feeds', place, name);
      case 'variable':
        return this.#declared(node, source.path, place.variables, 'variables', place, name);
      case undefined:
    }
  }

  #declared(node: Node, key: string, known: ReadonlyMap<string, TensorType>, rule: string, place: Place, name: () => string): void {
    if (place.params !== undefined) this.fail('regions', `${name()} reaches out of a region`);
    const type = known.get(key);
    if (type === undefined) this.fail(rule, `${name()} reads ${key}, which nothing declares`);
    if (!typeEquals(type, node.type)) this.fail(rule, `${name()} reads ${key} as ${typeToString(node.type)}, it is ${typeToString(type)}`);
  }

  #region(region: Region, place: Place): void {
    for (const param of region.params) this.#dims(param.shape, place.dims, () => place.where);
    this.#nodes(region.results as readonly TensorNode[], { ...place, params: region.params, number: undefined });
  }

  #attr(value: AttrValue, place: Place, where: () => string): void {
    if (value instanceof Dim) this.#dims([value], place.dims, where);
    else if (typeof value === 'object' && !isRegion(value)) for (const item of value) this.#attr(item, place, where);
  }

  #dims(dims: readonly Dim[], declared: ReadonlySet<string>, where: () => string): void {
    for (const dim of dims)
      for (const name of dim.names) if (!declared.has(name)) this.fail('sizes', `${where()} uses the size ${name}, which nothing declares`);
  }
}

const nameIn = (node: Node, { where }: Place): string => `${node.op.name} (node ${node.id}) in ${where}`;

const none: ReadonlySet<string> = new Set();
