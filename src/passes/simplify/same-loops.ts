// Loops that carry the same values, united. In: a graph. Out: what the elements of such loops become: those of one loop with the results of
// all of them.
// Holds: in one go, however many there are. Loops are united where they stand in the very same entries and regions (only there do the same
// nodes mean the same) and on one level: every loop has a higher level than those that it depends on, so none comes to depend on itself,
// whatever else is united.

import { limits } from '../../base/index.js';
import type { GraphBuilder, Node, TensorNode } from '../../graph/index.js';
import { isTensorNode, NodeMap, tensor } from '../../graph/index.js';
import { element, isNodeOf, placeholder } from '../../ops/index.js';
import { copyOrigins } from '../rewrite.js';
import { closeLoop, loopPartsOf, type LoopParts, neededResults, openLoop, takeResult } from './loops.js';
import type { GraphRule, Places } from './rule.js';

export const sameLoops: GraphRule = {
  name: 'same-loop-twice',
  doc: 'two loops that carry the same values → one loop with the results of both',
  replace: (places, build) => {
    const families = familiesIn(places, build);
    if (families.length === 0) return [];
    const wanted = elementsIn(places);
    const level = levelsIn(places, families);
    return families.flatMap((family) =>
      inGroups(family, (one) => `${level.get(one.node) ?? 0}`)
        .flatMap(asLargeAsLoopsMayBe)
        .filter(({ length }) => length > 1)
        .flatMap((group) => united(build, group, wanted)),
    );
  },
};

/** A loop, and its body over a count and carries that it shares with loops that start alike. */
interface Opened {
  readonly node: Node;
  readonly parts: LoopParts;
  readonly count: TensorNode;
  readonly carries: readonly TensorNode[];
  readonly results: readonly TensorNode[];
}

/** Loops of one place that carry the same values, two at least, the oldest first. */
type Family = readonly Opened[];

function inGroups<T>(some: Iterable<T>, keyOf: (one: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const one of some) {
    const key = keyOf(one);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [one]);
    else known.push(one);
  }
  return [...groups.values()];
}

const idsOf = (nodes: readonly Node[]): string => nodes.map(({ id }) => id).join();

function familiesIn(places: Places, build: GraphBuilder): Family[] {
  const found: { readonly node: Node; readonly parts: LoopParts; readonly where: string }[] = [];
  for (const [node, where] of places.tuples) {
    const parts = loopPartsOf(node);
    if (parts !== undefined) found.push({ node, parts, where: where.join() });
  }
  // Bodies are opened, which makes nodes, only where loops start alike.
  return inGroups(found, ({ parts, where }) => `${where}|${parts.trip.key}|${idsOf(parts.inits)}`)
    .filter(({ length }) => length > 1)
    .flatMap((alike) => inGroups(openedTogether(build, alike), ({ results, carries }) => idsOf(results.slice(0, carries.length))))
    .filter(({ length }) => length > 1)
    .map((family) => family.sort((a, b) => a.node.id - b.node.id));
}

/** The bodies of loops that start alike, over the same count and carries. */
function openedTogether(build: GraphBuilder, alike: readonly Pick<Opened, 'node' | 'parts'>[]): Opened[] {
  const count = placeholder(build, tensor('i32'));
  const carries = (alike[0]?.parts.inits ?? []).map(({ type }) => placeholder(build, type));
  return alike.map(({ node, parts }) => ({ node, parts, count, carries, results: openLoop(build, parts, carries, count) }));
}

/** Which elements of tuples the graph takes. */
function elementsIn(places: Places): NodeMap<Node[]> {
  const elements = new NodeMap<Node[]>();
  const seen = new NodeMap<true>();
  for (const order of places.orders)
    for (const node of order) {
      const [tuple] = node.args;
      if (tuple === undefined || !isNodeOf(node, element) || seen.get(node) === true) continue;
      seen.set(node, true);
      const known = elements.get(tuple);
      if (known === undefined) elements.set(tuple, [node]);
      else known.push(node);
    }
  return elements;
}

/**
 * One more than the highest level of the loops that each depends on; members of a family are lifted to the highest of them, with what
 * depends on them.
 */
function levelsIn(places: Places, families: readonly Family[]): NodeMap<number> {
  const plain = levelled(places, () => 0);
  const least = new NodeMap<number>();
  for (const family of families) {
    const highest = family.reduce((most, { node }) => Math.max(most, plain.get(node) ?? 0), 0);
    for (const { node } of family) least.set(node, highest);
  }
  return levelled(places, (node) => least.get(node) ?? 0);
}

function levelled(places: Places, leastOf: (loop: Node) => number): NodeMap<number> {
  const levels = new NodeMap<number>();
  for (const order of places.orders)
    for (const node of order) {
      if (levels.get(node) !== undefined) continue;
      const below = node.args.reduce((most, arg) => Math.max(most, levels.get(arg) ?? 0), 0);
      levels.set(node, isTensorNode(node) ? below : Math.max(below + 1, leastOf(node)));
    }
  return levels;
}

/** Loops together have no more results than one may have. */
function asLargeAsLoopsMayBe(group: readonly Opened[]): Opened[][] {
  const parts: Opened[][] = [];
  let results = Infinity;
  for (const one of group) {
    results += one.results.length;
    if (results > limits.carries) {
      parts.push([]);
      results = one.results.length;
    }
    parts.at(-1)?.push(one);
  }
  return parts;
}

/** What becomes of the elements of these loops. */
function united(build: GraphBuilder, group: readonly Opened[], elements: NodeMap<Node[]>): (readonly [Node, Node])[] {
  const [{ parts, count, carries, results }] = group as [Opened, ...Opened[]];
  const carried = carries.length;
  const taken = group.map(({ node }) => elements.get(node) ?? []);
  const indexOf = (node: Node): number => (isNodeOf(node, element) ? node.attrs.index : 0);
  // A result that nothing needs is in no loop behind this.
  const stacked = [
    ...new Set(
      group.flatMap((one, at) =>
        neededResults(one.parts, new Set(taken[at]?.map(indexOf)))
          .filter((index) => index >= carried)
          .map((index) => one.results[index] as TensorNode),
      ),
    ),
  ];
  const all = [...results.slice(0, carried), ...stacked];
  const places = new Map(stacked.map((result, at) => [result, carried + at]));
  const whole = group.find((one) => one.results.length === all.length && one.results.every((result, at) => result === all[at]));
  const loop = whole?.node ?? closeLoop(build, parts.trip, [count, ...carries], parts.inits, all);
  for (const { node } of group) copyOrigins(build, node, loop);
  return group.flatMap((one, at) =>
    one.node === loop
      ? []
      : (taken[at] ?? []).map((node): readonly [Node, Node] => {
          const index = indexOf(node);
          return [node, takeResult(build, loop, index < carried ? index : (places.get(one.results[index] as TensorNode) as number))];
        }),
  );
}
