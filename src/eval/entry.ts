// Calls an entry of a module in the graph interpreter. In: an entry, its feeds, the variables, sizes. Out: outputs in their order, new
// values of variables.
// Holds: variables keep their values until all updates are known; inputs are not changed.

import { type Entry, type Feed, type ModuleGraph, seedName, type SizeFact, streamName, type TensorNode } from '../graph/index.js';
import { type CheckFailure, type TensorValue, tensorValue } from '../ops/index.js';
import { refuse, refuseOutputs } from './checks.js';
import { evaluateNodes } from './graph.js';
import { bindSizes, mistake } from './sizes.js';

export interface EntryInputs {
  readonly feeds?: ReadonlyMap<string, TensorValue>;
  /** By path. */
  readonly variables?: ReadonlyMap<string, TensorValue>;
  /** Sizes that no feed's shape says. */
  readonly dims?: ReadonlyMap<string, number>;
  /** Paths of named nodes whose values are wanted too; 'all' for every one. */
  readonly fetch?: readonly string[] | 'all';
}

export interface EntryResult {
  readonly outputs: readonly TensorValue[];
  /** Variables that the entry assigns, by path. */
  readonly updates: ReadonlyMap<string, TensorValue>;
  readonly names: ReadonlyMap<string, TensorValue>;
  readonly dims: ReadonlyMap<string, number>;
}

/** What is fed, and the defaults of what is left out. */
function withDefaults({ feeds }: Entry, given: ReadonlyMap<string, TensorValue>): ReadonlyMap<string, TensorValue> {
  const all = new Map(given);
  for (const { name, type, initial } of feeds)
    if (initial !== undefined && !all.has(name))
      all.set(name, tensorValue(type.dtype, [], [typeof initial === 'boolean' ? Number(initial) : initial]));
  return all;
}

/** Throws a DiagnosticsError for what a caller can do wrong: feeds, shapes, sizes, facts, uninitialized variables, indices. */
export function evaluateEntry(
  entry: Entry,
  { feeds: given = new Map(), variables = new Map(), dims: known, fetch = [] }: EntryInputs = {},
): EntryResult {
  const feeds = withDefaults(entry, given);
  checkFeeds(entry, feeds);
  const dims = bindSizes(
    entry.feeds.map((feed) => ({ what: feed.name, shape: feed.type.shape, sizes: feeds.get(feed.name)?.shape ?? [] })),
    known,
  );
  const unknown = entry.dims.filter((dim) => !dims.has(dim));
  if (unknown.length > 0)
    throw mistake('ambiguous-size', `no feed says what ${unknown.join(' and ')} is`, `give ${unknown.join(' and ')} a value`);
  for (const fact of entry.facts) checkFact(fact, dims);
  const names = fetch === 'all' ? [...entry.names.keys()] : [...fetch];
  const fetched = names.map((name): TensorNode => {
    const node = entry.names.get(name);
    if (node === undefined) throw mistake('unknown-fetch', `${entry.name} has no node named ${name}`);
    return node;
  });
  const roots = [...entry.outputs.map(({ node }) => node), ...entry.updates.map(({ node }) => node), ...fetched];
  const failures: CheckFailure[] = [];
  const values = evaluateNodes(roots, { feeds, variables, dims, fails: (failure) => failures.push(failure) });
  refuse(failures);
  refuseOutputs(entry, values, dims);
  const behindOutputs = entry.outputs.length;
  const behindUpdates = behindOutputs + entry.updates.length;
  return {
    outputs: values.slice(0, behindOutputs),
    updates: new Map(entry.updates.map(({ variable }, at) => [variable, values[behindOutputs + at] as TensorValue])),
    names: new Map(names.map((name, at) => [name, values[behindUpdates + at] as TensorValue])),
    dims,
  };
}

/**
 * First values of a module's variables; those without an initializer are left out. `seed` is what initializers read as the feed of that
 * name.
 */
export function initialValues(module: ModuleGraph, seed: bigint | number = 0n): Map<string, TensorValue> {
  return new Map(
    module.variables.flatMap(({ path, initial, streams }): [string, TensorValue][] => {
      if (initial === undefined) return [];
      const feeds = new Map([[seedName, tensorValue('i64', [], [BigInt(seed)])]]);
      for (const [at, stream] of streams.entries()) feeds.set(streamName(at), tensorValue('i32', [], [stream]));
      const [value] = evaluateNodes([initial], { feeds });
      return value === undefined ? [] : [[path, value]];
    }),
  );
}

function checkFeeds(entry: Entry, feeds: ReadonlyMap<string, TensorValue>): void {
  const declared = new Map<string, Feed>(entry.feeds.map((feed) => [feed.name, feed]));
  for (const name of feeds.keys()) {
    if (!declared.has(name))
      throw mistake('unknown-feed', `${entry.name} has no argument ${name}`, `it takes ${[...declared.keys()].join(', ') || 'none'}`);
  }
  for (const { name, type } of entry.feeds) {
    const value = feeds.get(name);
    if (value === undefined) throw mistake('missing-feed', `the argument ${name} of ${entry.name} is not fed`);
    if (value.dtype !== type.dtype)
      throw mistake('dtype-mismatch', `the argument ${name} of ${entry.name} is ${type.dtype} and is fed ${value.dtype}`);
  }
}

function checkFact(fact: SizeFact, dims: ReadonlyMap<string, number>): void {
  const { left, relation, right } = fact;
  const [a, b] = [left.evaluate(dims), right.evaluate(dims)];
  if (a === undefined || b === undefined)
    throw mistake('ambiguous-size', `the fact ${left.toString()} ${relation} ${right.toString()} has a size without a value`);
  if (!factHolds(fact, dims))
    throw mistake('unsatisfied-fact', `${left.toString()} ${relation} ${right.toString()} does not hold: ${a} and ${b}`);
}

/** Whether a fact holds for these sizes; one that is missing counts as 0. */
export function factHolds({ left, relation, right }: SizeFact, dims: ReadonlyMap<string, number>): boolean {
  const [a, b] = [left.evaluate(dims) ?? 0, right.evaluate(dims) ?? 0];
  return {
    '==': a === b,
    '!=': a !== b,
    '<': a < b,
    '<=': a <= b,
    '>': a > b,
    '>=': a >= b,
    divides: a === 0 ? b === 0 : b % a === 0,
  }[relation];
}
