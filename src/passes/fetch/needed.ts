// Which feeds a fetch needs. In: what is computed; what is fed. Out: the feeds that the entry has.
// Holds: a feed that the entry lacks, and one that nothing needs, is refused in words that say who asks for it; every size is found from
// the feeds.

import { Dim, solvableNames } from '../../base/index.js';
import { type AttrValue, type Entry, type Node, sourceOf, type TensorNode, topological } from '../../graph/index.js';
import { type Fed, unneeded } from './feeds.js';
import type { Meaning } from './names.js';
import type { Parts } from './parts.js';
import { FetchRefused, listed } from './refused.js';
import type { FetchRequest } from './request.js';

export interface Picked {
  /** One per fetch. */
  readonly meanings: readonly Meaning[];
  readonly whole: readonly Entry[];
  readonly fed: readonly Fed[];
  readonly parts: Parts;
}

/**
 * Names of the feeds that the entry has: those that are computed with, those that say a size which is, and arguments of entries that are
 * fetched whole. Throws FetchRefused: missing-feed, unknown-feed, ambiguous-size.
 */
export function neededFeeds(roots: readonly TensorNode[], request: FetchRequest, picked: Picked): ReadonlySet<string> {
  const { whole, fed, parts } = picked;
  const reached = topological(roots);
  const needed = new Set<string>();
  for (const node of reached) {
    const source = sourceOf(node);
    if (source?.kind !== 'feed') continue;
    if (parts.feed(source.name) !== node) throw missing(node, source.name, request, picked);
    needed.add(source.name);
  }
  const ofWhole = ({ targets }: Fed): boolean =>
    targets.some(({ entry, kind }) => kind === 'argument' && entry !== undefined && whole.includes(entry));
  for (const one of fed) if (request.give === 'summaries' || ofWhole(one)) needed.add(one.name);
  const shapes = (): Dim[] => [...needed].flatMap((name) => [...(parts.feed(name)?.type.shape ?? [])]);
  const unknown = (): string[] => {
    const sizes = shapes();
    const solved = solvableNames(sizes);
    return [...new Set([...sizesOf(reached), ...sizes.flatMap((size) => [...size.names])])].filter((name) => !solved.has(name));
  };
  for (let open = unknown(); open.length > 0; open = unknown()) {
    const says = fed.find(
      ({ name }) => !needed.has(name) && parts.feed(name)?.type.shape.some((dim) => open.some((one) => dim.names.has(one))),
    );
    if (says === undefined) throw undetermined(open, request, picked);
    needed.add(says.name);
  }
  const idle = fed.find(({ name }) => !needed.has(name));
  if (idle !== undefined) throw unneeded(idle.name, request.fetches);
  return needed;
}

/** Names of sizes in types and attributes of nodes, also of those in regions. */
export function sizesOf(order: readonly Node[]): ReadonlySet<string> {
  const names = new Set<string>();
  const seen = new Set<Node>();
  const see = (value: AttrValue): void => {
    if (value instanceof Dim) for (const name of value.names) names.add(name);
    else if (typeof value === 'object') {
      if ('kind' in value) visit(topological(value.results));
      else value.forEach(see);
    }
  };
  const visit = (nodes: readonly Node[]): void => {
    for (const node of nodes) {
      if (seen.has(node)) continue;
      seen.add(node);
      for (const type of node.type.kind === 'tensor' ? [node.type] : node.type.items) type.shape.forEach(see);
      Object.values(node.attrs).forEach(see);
    }
  };
  visit(order);
  return names;
}

/** An argument that is computed with, and not fed. */
function missing(node: Node, name: string, { fetches }: FetchRequest, { meanings, parts }: Picked): FetchRefused {
  const users = fetches.filter((_, at) => topological(parts.rootsOf(meanings[at] as Meaning)).includes(node));
  const argument = parts.arguments.get(node as TensorNode);
  return new FetchRefused({
    code: 'missing-feed',
    message: `${listed(users.length > 0 ? users : fetches)} ${users.length > 1 ? 'need' : 'needs'} the argument ${name}${argument === undefined ? '' : ` of ${argument.entry.name}`}, and it is not fed.`,
    hint: `Feed ${name}, or named nodes in the places of all that read it.`,
    feed: name,
  });
}

/** A size that is computed with, and that no feed says. */
function undetermined(open: readonly string[], { fetches }: FetchRequest, { parts }: Picked): FetchRefused {
  const says = [...parts.arguments].find(([node]) =>
    node.type.shape.some((dim) => dim.names.size === 1 && open.some((name) => dim.names.has(name))),
  );
  if (says !== undefined) {
    const [, { entry, name }] = says;
    return new FetchRefused({
      code: 'missing-feed',
      message: `${listed(fetches)} ${fetches.length > 1 ? 'need' : 'needs'} the size ${listed(open)}, which the argument ${name} of ${entry.name} says, and it is not fed.`,
      hint: `Feed ${name} as well.`,
      feed: name,
    });
  }
  return new FetchRefused({
    code: 'ambiguous-size',
    message: `The feeds do not say what the size ${listed(open)} is.`,
    hint: 'Feed an argument that has it as a size of its own.',
  });
}
