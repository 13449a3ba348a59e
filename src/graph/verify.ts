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
  /** What was verified before of the same builder's nodes; more is added to it. */
  readonly sound?: SoundNodes;
}

/** Nodes without regions that fulfil all rules where they stand: as long as that is the same, nothing of them can have changed. */
export class SoundNodes {
  readonly #nodes = new NodeMap<Node>();
  readonly #places = new NodeMap<number>();
  readonly #numbers = new Map<string, number>();

  /** Equal for places that declare the same. */
  numberOf(place: string): number {
    let number = this.#numbers.get(place);
    if (number === undefined) this.#numbers.set(place, (number = this.#numbers.size));
    return number;
  }

  has(node: Node, place: number): boolean {
    return this.#places.get(node) === place && this.#nodes.get(node) === node;
  }

  add(node: Node, place: number): void {
    this.#nodes.set(node, node);
    this.#places.set(node, place);
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
  readonly #ids = new NodeMap<Node>();
  /** Initial values that were looked at, by how many streams there are: like variables have the same. */
  readonly #initials = new Map<Node, Set<number>>();
  /** All that are declared, as text. */
  #variables: string | undefined;

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
    this.#variables ??= [...variables].map(([path, type]) => `${path} ${typeKey(type)}`).join('\n');
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
    for (const node of topological(roots)) this.#node(node, place);
  }

  #node(node: Node, place: Place): void {
    const name = (): string => `${node.op.name} (node ${node.id}) in ${place.where}`;
    const known = this.#ids.get(node);
    if (known !== undefined && known !== node) this.fail('order', `${name()} and ${known.op.name} share an id`);
    this.#ids.set(node, node);
    const { sound, refuse } = this.#options;
    const isSound = place.number !== undefined && sound?.has(node, place.number) === true;
    const reason = refuse?.(node);
    if (reason !== undefined) this.fail('removed', `${name()}: ${reason}`);
    if (isSound) return;
    for (const arg of node.args)
      if (arg.id >= node.id) this.fail('order', `${name()} is older than its argument ${arg.op.name} (node ${arg.id})`);
    this.#source(node, place, name);
    if (node.type.kind === 'tensor') this.#dims(node.type.shape, place.dims, name);
    else for (const type of node.type.items) this.#dims(type.shape, place.dims, name);
    for (const key in node.attrs) this.#attr(node.attrs[key] as AttrValue, place, name);
    const inferred = this.#options.infer?.(node);
    if (typeof inferred === 'string') this.fail('types', `${name()}: ${inferred}`);
    if (inferred !== undefined && !typeEquals(inferred, node.type))
      this.fail('types', `${name()} is ${typeToString(node.type)}, its rule says ${typeToString(inferred)}`);
    const regions = regionsOf(node);
    for (const [attr, region] of regions) this.#region(region, { ...place, where: `${attr} of ${name()}` });
    if (place.number !== undefined && regions.length === 0) sound?.add(node, place.number);
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

const none: ReadonlySet<string> = new Set();
