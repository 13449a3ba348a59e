// What is fed for a fetch. In: names that a caller feeds; the entries that what is fetched lies in. Out: the nodes in whose places the
// values stand.
// Holds: a bare name is the argument of every entry that has one of that name, else a variable, else a named node; a name that is qualified
// by an entry goes before a bare one.

import { typeToString, type Entry, type TensorNode } from '../../graph/index.js';
import { hiddenHint, type Names } from './names.js';
import { FetchRefused, listed, written } from './refused.js';

/** A node that a value stands for; without an entry: a variable, in all of them. */
export interface Target {
  readonly entry: Entry | undefined;
  readonly node: TensorNode;
  readonly kind: 'argument' | 'variable' | 'named';
}

export interface Fed {
  /** As the caller wrote it; the feed is called so. */
  readonly name: string;
  /** At least one. */
  readonly targets: readonly Target[];
}

/** Throws FetchRefused: unknown-feed, ambiguous-name. */
export function readFeeds(names: Names, involved: readonly Entry[], fed: readonly string[], fetches: readonly string[]): readonly Fed[] {
  const claimed = new Map<Entry | undefined, Set<TensorNode>>();
  const found = fed.map((name) => ({ name, ...targetsOf(names, involved, name) }));
  for (const { rank, targets } of found) {
    if (rank === 'bare') continue;
    for (const { entry, node } of targets) {
      const known = claimed.get(entry);
      if (known === undefined) claimed.set(entry, new Set([node]));
      else known.add(node);
    }
  }
  return found.map(({ name, rank, targets }) => {
    const left = rank === 'bare' ? targets.filter(({ entry, node }) => claimed.get(entry)?.has(node) !== true) : targets;
    if (left.length > 0) return { name, targets: left };
    if (targets.length > 0)
      throw new FetchRefused({
        code: 'unknown-feed',
        message: `What ${name} stands for is fed by its whole name as well.`,
        hint: `Leave ${name} out.`,
        feed: name,
      });
    throw names.canBeFed(name) ? unneeded(name, fetches) : unknown(name, names, involved);
  });
}

/** A feed that changes nothing is a mistake: the caller expected that it does. */
export const unneeded = (feed: string, fetches: readonly string[]): FetchRefused =>
  new FetchRefused({
    code: 'unknown-feed',
    message: `Nothing that is fetched needs the feed ${feed}.`,
    hint: `${listed(fetches)} ${fetches.length === 1 ? 'does' : 'do'} not depend on it: leave it out.`,
    feed,
  });

/** For a name that several entries take, and that cannot be one value for all of them. */
export const unlike = ({ name, targets }: Fed): FetchRefused =>
  new FetchRefused({
    code: 'ambiguous-name',
    message: `${name} is ${listed(
      targets.map(({ entry, node }) => `${typeToString(node.type)}${entry === undefined ? '' : ` in ${entry.name}`}`),
    )}: one value cannot be all of them.`,
    hint: `Feed them apart: ${listed(targets.map(({ entry }) => `${entry?.name ?? ''}/${name}`))}.`,
    feed: name,
  });

function unknown(name: string, names: Names, involved: readonly Entry[]): FetchRefused {
  const hidden = names.hidden(name);
  return new FetchRefused({
    code: 'unknown-feed',
    message: hidden ?? `Nothing that could be fed is called ${written(name)}.`,
    hint: hidden === undefined ? names.hint(name, involved, 'feeds') : hiddenHint,
    feed: name,
  });
}

interface Targets {
  readonly rank: 'qualified' | 'bare';
  readonly targets: readonly Target[];
}

function targetsOf(names: Names, involved: readonly Entry[], name: string): Targets {
  const argumentsOf = (how: 'qualified' | 'bare'): Target[] =>
    involved.flatMap((entry): Target[] => {
      const node = names.argument(entry, name, how);
      return node === undefined ? [] : [{ entry, node, kind: 'argument' }];
    });
  for (const rank of ['bare', 'qualified'] as const) {
    const targets = argumentsOf(rank);
    if (targets.length > 0) return { rank, targets };
  }
  const variable = names.variable(name);
  if (variable !== undefined) return { rank: 'qualified', targets: [{ entry: undefined, node: variable, kind: 'variable' }] };
  const nodes = names.named(name, involved);
  return { rank: 'qualified', targets: nodes.map(({ entry, node }) => ({ entry, node, kind: 'named' })) };
}
