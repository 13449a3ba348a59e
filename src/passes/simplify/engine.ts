// Applies rules until none fits. In: a module and rules. Out: the simplified module, and how often each rule fired.
// Holds: arguments are simple before their users are looked at; every node is looked at once per round; rounds end when one changes
// nothing.

import { InternalError } from '../../base/index.js';
import type { GraphBuilder, ModuleGraph, Node, OpTag, Region, TensorNode } from '../../graph/index.js';
import {
  entryRoots,
  imageOf,
  isTensorNode,
  mapModule,
  NodeMap,
  NodeSet,
  regionsOf,
  topological,
  typeEquals,
  typeToString,
} from '../../graph/index.js';
import { element, isNodeOf } from '../../ops/index.js';
import { copyOrigins, remade } from '../rewrite.js';
import type { GraphRule, Places, Rule, RuleContext } from './rule.js';

export interface Simplified {
  readonly module: ModuleGraph;
  /** Rule → times. */
  readonly fired: ReadonlyMap<string, number>;
  readonly rounds: number;
}

/** A rule set that needs more rounds, or makes longer chains of replacements, goes in circles. */
const roundLimit = 100;
const chainLimit = 1000;

/** A node that no rule fits is settled if none looked further than what it is computed from: that stays, whatever other nodes become. */
export function simplifyModule(module: ModuleGraph, build: GraphBuilder, rules: readonly (Rule | GraphRule)[]): Simplified {
  const byOp = new Map<OpTag, Rule[]>();
  const ofGraphs: GraphRule[] = [];
  for (const rule of rules) {
    if ('replace' in rule) ofGraphs.push(rule);
    else for (const op of rule.at) byOp.set(op, [...(byOp.get(op) ?? []), rule]);
  }
  const fired = new Map<string, number>();
  const settled = new NodeMap<true>();
  let current = module;
  for (let rounds = 1; rounds <= roundLimit; rounds++) {
    const round = new Round(build, byOp, fired, settled, computedRoots(current));
    for (const rule of ofGraphs) round.replace(rule);
    const next = mapModule(current, (node) => round.tensor(node));
    if (!round.changed) return { module: next, fired, rounds };
    current = next;
  }
  throw new InternalError(
    'simplify',
    `no end after ${roundLimit} rounds: ${[...fired].map(([rule, times]) => `${rule} ${times}`).join(', ')}`,
  );
}

/** What each call computes; names alone are computed only when they are fetched, so they count as no use. */
function computedRoots(module: ModuleGraph): (readonly TensorNode[])[] {
  return [
    ...module.variables.map(({ initial }) => (initial === undefined ? [] : [initial])),
    ...module.entries.map((entry) => entryRoots(entry, 'without names')),
  ];
}

class Round {
  readonly #build: GraphBuilder;
  readonly #rules: ReadonlyMap<OpTag, readonly Rule[]>;
  readonly #fired: Map<string, number>;
  readonly #settled: NodeMap<true>;
  readonly #images = new NodeMap<Node>();
  readonly #make = (node: Node): Node => this.#replaced(node);
  readonly #imageOf = (arg: Node): Node => this.#images.get(arg) as Node;
  readonly #inRegion = (region: Region): Region => this.#region(region);
  readonly #chain: string[] = [];
  readonly #context: RuleContext;
  /** What stands for nodes of this graph from now on. */
  readonly #replacements = new NodeMap<readonly [Node]>();
  readonly #dependsOn = (node: Node): readonly Node[] => this.#replacements.get(node) ?? node.args;
  readonly #places: () => Places;
  /** The tuple of the graph that this one came of by other arguments and regions: it has the same results. */
  readonly #tuples = new NodeMap<Node>();
  /** Whether a rule has looked at more than the node and what it is computed from. */
  #lookedAround = false;
  changed = false;

  constructor(
    build: GraphBuilder,
    rules: ReadonlyMap<OpTag, readonly Rule[]>,
    fired: Map<string, number>,
    settled: NodeMap<true>,
    roots: readonly (readonly Node[])[],
  ) {
    this.#build = build;
    this.#rules = rules;
    this.#fired = fired;
    this.#settled = settled;
    this.#places = onceAsked(() => placesOf(roots));
    const uses = onceAsked(() => countUses(roots, this.#places()));
    const takers = onceAsked(() => takersOf(roots));
    this.#context = {
      build,
      uses: (node) => this.#ofGraph(uses).get(node) ?? 0,
      users: (node) => this.#ofGraph(takers).users.get(node) ?? [],
      elements: (node) => this.#ofGraph(takers).elements.get(this.#tuples.get(node) ?? node),
    };
  }

  replace(rule: GraphRule): void {
    for (const [node, other] of rule.replace(this.#places(), this.#build)) {
      this.#replacements.set(node, [other]);
      this.#fire(rule.name);
    }
  }

  #fire(rule: string): void {
    this.#fired.set(rule, (this.#fired.get(rule) ?? 0) + 1);
    this.changed = true;
  }

  tensor(node: TensorNode): TensorNode {
    const image = imageOf(node, this.#images, this.#make, this.#dependsOn);
    if (isTensorNode(image)) return image;
    throw new InternalError('simplify', `the tensor ${node.op.name} became a tuple`);
  }

  #replaced(node: Node): Node {
    const replacement = this.#replacements.get(node);
    if (replacement !== undefined) {
      const image = this.#imageOf(replacement[0]);
      copyOrigins(this.#build, node, image);
      return image;
    }
    const fresh = remade(this.#build, node, this.#imageOf, this.#inRegion);
    const known = fresh === node ? undefined : this.#images.get(fresh);
    if (known !== undefined) return known;
    const image = this.#applied(fresh);
    this.#images.set(fresh, image);
    if (!isTensorNode(image)) this.#tuples.set(image, this.#tuples.get(node) ?? node);
    return image;
  }

  #ofGraph<T>(found: () => T): T {
    this.#lookedAround = true;
    return found();
  }

  #applied(node: Node): Node {
    const rules = this.#rules.get(node.op);
    if (rules === undefined || this.#settled.get(node) === true) return node;
    this.#lookedAround = false;
    const fitting = this.#build.at(this.#build.originsOf(node)[0], () => this.#fitting(rules, node));
    if (fitting !== undefined) {
      const { rule, result } = fitting;
      if (!typeEquals(result.type, node.type)) {
        throw new InternalError(
          'simplify',
          `${rule.name} turned ${node.op.name}: ${typeToString(node.type)} into ${result.op.name}: ${typeToString(result.type)}`,
        );
      }
      this.#fire(rule.name);
      // A source stands for itself: what became of others does not belong to it.
      if (result.args.length > 0) copyOrigins(this.#build, node, result);
      this.#chain.push(rule.name);
      if (this.#chain.length > chainLimit) throw new InternalError('simplify', `no end: ${this.#chain.slice(-8).join(', ')}`);
      const simple = imageOf(result, this.#images, this.#make, this.#dependsOn);
      this.#chain.pop();
      return simple;
    }
    if (!this.#lookedAround) this.#settled.set(node, true);
    return node;
  }

  /** The first rule that fits, and what it makes of the node. */
  #fitting(rules: readonly Rule[], node: Node): { readonly rule: Rule; readonly result: Node } | undefined {
    for (const rule of rules) {
      const result = rule.apply(node, this.#context);
      if (result !== undefined && result !== node) return { rule, result };
    }
    return undefined;
  }

  #region(region: Region): Region {
    const results = region.results.map((result) => this.tensor(result));
    return results.every((result, at) => result === region.results[at]) ? region : { ...region, results };
  }
}

function placesOf(roots: readonly (readonly Node[])[]): Places {
  const orders: (readonly Node[])[] = [];
  const tuples = new Map<Node, number[]>();
  const regions = new Set<Region>();
  const visit = (some: readonly Node[]): void => {
    const order = topological(some);
    const here = orders.push(order) - 1;
    for (const node of order) {
      if (!isTensorNode(node)) {
        const known = tuples.get(node);
        if (known === undefined) tuples.set(node, [here]);
        else known.push(here);
      }
      for (const [, region] of regionsOf(node)) {
        if (regions.has(region)) continue;
        regions.add(region);
        visit(region.results);
      }
    }
  };
  for (const some of roots) visit(some);
  return { orders, tuples };
}

/** What rules seldom ask about a whole graph is found when one does. */
function onceAsked<T>(find: () => T): () => T {
  let found: { readonly value: T } | undefined;
  return () => (found ??= { value: find() }).value;
}

function countUses(roots: readonly (readonly Node[])[], { orders }: Places): NodeMap<number> {
  const uses = new NodeMap<number>();
  const use = (node: Node): void => uses.set(node, (uses.get(node) ?? 0) + 1);
  for (const some of roots) for (const root of some) use(root);
  const seen = new NodeSet();
  for (const order of orders)
    for (const node of order) {
      if (!seen.add(node)) continue;
      for (const arg of node.args) use(arg);
      for (const [, region] of regionsOf(node)) for (const result of region.results) use(result);
    }
  return uses;
}

interface Takers {
  readonly users: NodeMap<Node[]>;
  readonly elements: NodeMap<Set<number>>;
}

function takersOf(roots: readonly (readonly Node[])[]): Takers {
  const users = new NodeMap<Node[]>();
  const elements = new NodeMap<Set<number>>();
  eachNode(roots, (node) => {
    for (const arg of node.args) {
      const others = users.get(arg);
      if (others === undefined) users.set(arg, [node]);
      else others.push(node);
    }
    const tuple = node.args[0];
    if (tuple !== undefined && isNodeOf(node, element)) {
      const known = elements.get(tuple);
      if (known === undefined) elements.set(tuple, new Set([node.attrs.index]));
      else known.add(node.attrs.index);
    }
  });
  return { users, elements };
}

/** Each node once, those of regions included. */
function eachNode(roots: readonly (readonly Node[])[], see: (node: Node) => void): void {
  const seen = new NodeSet();
  const visit = (some: readonly Node[]): void => {
    for (const node of topological(some)) {
      if (!seen.add(node)) continue;
      see(node);
      for (const [, region] of regionsOf(node)) visit(region.results);
    }
  };
  roots.forEach(visit);
}
