// Rules of loops. In: `loop` nodes and the elements taken of them. Out: loops that carry, capture and compute less.
// Holds: a loop's arguments are initial carries, then captures; its body takes the count, the carries, the captures, and gives carries,
// then stacked results.

import type { Dim } from '../../base/index.js';
import type { GraphBuilder, Node, Region, TensorNode } from '../../graph/index.js';
import { isTensorNode, tensor, topological, typeToString } from '../../graph/index.js';
import { apply, argument, closeRegion, element, fill, inlineRegion, loop, placeholder, tensorOf } from '../../ops/index.js';
import { isOp, reshaped } from './match.js';
import { type Rule, ruleOf } from './rule.js';

interface Parts {
  readonly trip: Dim;
  readonly body: Region;
  readonly inits: readonly TensorNode[];
  readonly captures: readonly TensorNode[];
}

function partsOf(node: Node | undefined): Parts | undefined {
  if (!isOp(node, loop)) return undefined;
  const { trip, carries, body } = node.attrs;
  const args = node.args.map((arg) => tensorOf(arg));
  return { trip, body, inits: args.slice(0, carries), captures: args.slice(carries) };
}

/** The loop whose body is written over nodes around it: captures are found anew, so what does not change in the loop moves out of it. */
function close(
  build: GraphBuilder,
  trip: Dim,
  params: readonly TensorNode[],
  inits: readonly TensorNode[],
  results: readonly TensorNode[],
): Node {
  const { region, captures } = closeRegion(build, params, results);
  return apply(build, loop, [...inits, ...captures], { trip, carries: inits.length, body: region });
}

/** The body over the count, the carries and the captured nodes themselves. */
function open(build: GraphBuilder, { body, inits, captures }: Parts, carries: readonly TensorNode[], count: TensorNode): TensorNode[] {
  if (carries.length !== inits.length) return [];
  return inlineRegion(build, body, [count, ...carries, ...captures]);
}

const take = (build: GraphBuilder, from: Node, index: number): Node => apply(build, element, [from], { index });

/** Carries that the body hands on unchanged. */
const unchanged = ({ body, inits }: Parts): boolean[] =>
  inits.map((_, at) => {
    const result = body.results[at];
    return isOp(result, argument) && result.attrs.index === at + 1;
  });

/** The loop with some results only. `initOf` replaces a carry that is left out by a node around the loop. */
function withResults(build: GraphBuilder, parts: Parts, kept: readonly number[], initOf: (carry: number) => TensorNode | undefined): Node {
  const count = placeholder(build, tensor('i32'));
  const carries = parts.inits.map((init, at) => initOf(at) ?? placeholder(build, init.type));
  const results = open(build, parts, carries, count);
  const left = kept.filter((index) => index < parts.inits.length);
  return close(
    build,
    parts.trip,
    [count, ...left.map((index) => carries[index] as TensorNode)],
    left.map((index) => parts.inits[index] as TensorNode),
    kept.map((index) => results[index] as TensorNode),
  );
}

export const loopRules: readonly Rule[] = [
  ruleOf({
    name: 'loop-without-turn',
    doc: 'a loop of 0 turns → its initial values',
    at: [element],
    apply: (node, { build }) => {
      const parts = partsOf(node.args[0]);
      if (parts?.trip.constant !== 0 || !isTensorNode(node)) return undefined;
      return parts.inits[node.attrs.index] ?? fill(build, node.type, 0);
    },
  }),
  ruleOf({
    name: 'loop-of-one-turn',
    doc: 'a loop of 1 turn → its body',
    at: [element],
    apply: (node, { build }) => {
      const parts = partsOf(node.args[0]);
      if (parts?.trip.constant !== 1 || !isTensorNode(node)) return undefined;
      const result = open(build, parts, parts.inits, fill(build, tensor('i32'), 0))[node.attrs.index];
      return result === undefined ? undefined : reshaped(build, result, node.type.shape);
    },
  }),
  ruleOf({
    name: 'unchanged-carry',
    doc: 'a carry that every turn hands on as it is → its initial value, captured',
    at: [element],
    apply: (node, { build }) => {
      const parts = partsOf(node.args[0]);
      if (parts === undefined) return undefined;
      const same = unchanged(parts);
      const index = node.attrs.index;
      if (!same.includes(true)) return undefined;
      if (same[index] === true) return parts.inits[index];
      const kept = parts.body.results.flatMap((_, at) => (same[at] === true ? [] : [at]));
      return take(
        build,
        withResults(build, parts, kept, (carry) => (same[carry] === true ? parts.inits[carry] : undefined)),
        kept.indexOf(index),
      );
    },
  }),
  ruleOf({
    name: 'unused-loop-result',
    doc: 'a carry or stacked result that nothing depends on → left out',
    at: [element],
    apply: (node, { build, elements }) => {
      const from = node.args[0];
      const parts = partsOf(from);
      const wanted = from === undefined ? undefined : elements(from);
      const index = node.attrs.index;
      if (parts === undefined || wanted === undefined || !wanted.has(index)) return undefined;
      const kept = neededResults(parts, wanted);
      if (kept.length === parts.body.results.length) return undefined;
      // A carry that is left out is read by nothing that stays.
      return take(
        build,
        withResults(build, parts, kept, (carry) => (kept.includes(carry) ? undefined : parts.inits[carry])),
        kept.indexOf(index),
      );
    },
  }),
  ruleOf({
    name: 'same-loop-twice',
    doc: 'two loops that carry the same values → one loop with the results of both',
    at: [element],
    apply: (node, { build, tuplesBeside, elements }) => {
      const from = node.args[0];
      const parts = partsOf(from);
      if (from === undefined || parts === undefined) return undefined;
      // What this round has made waits for the next one: it is in no list yet.
      for (const other of tuplesBeside(from)) {
        const both: United | undefined = other === from ? undefined : united(build, from, parts, other, elements(other));
        if (both === undefined || both.loop === from) continue;
        const index = node.attrs.index;
        return take(build, both.loop, both.places[index] as number);
      }
      return undefined;
    },
  }),
  {
    name: 'loop-captures',
    doc: 'captures that are constant, equal, unused or combined only with one another → moved into the body or out of it',
    at: [loop],
    apply: (node, { build }) => {
      const parts = partsOf(node);
      if (parts === undefined) return undefined;
      const all = parts.body.results.map((_, at) => at);
      return withResults(build, parts, all, () => undefined);
    },
  },
];

/** Results that are wanted, and the carries that those read, in turn. */
function neededResults({ body, inits }: Parts, wanted: ReadonlySet<number>): number[] {
  const needed = new Set(wanted);
  for (const index of needed) {
    const result = body.results[index];
    if (result === undefined) continue;
    for (const node of topological([result])) {
      const at = isOp(node, argument) ? node.attrs.index - 1 : -1;
      // A set's iteration also visits what is added meanwhile.
      if (at >= 0 && at < inits.length) needed.add(at);
    }
  }
  return [...needed].sort((a, b) => a - b);
}

/** Whether a loop has results that nothing wants. */
function computesMore(node: Node, wanted: ReadonlySet<number> | undefined): boolean {
  const parts = partsOf(node);
  return parts !== undefined && wanted !== undefined && neededResults(parts, wanted).length < parts.body.results.length;
}

interface United {
  readonly loop: Node;
  /** Where each result is now. */
  readonly places: readonly number[];
}

/** A loop's body over a count and carries that it shares with every loop of such carries. */
interface Opened {
  readonly count: TensorNode;
  readonly carries: readonly TensorNode[];
  readonly results: readonly TensorNode[];
}

/** By the types of what is carried. */
const shared = new WeakMap<GraphBuilder, Map<string, Omit<Opened, 'results'>>>();
/** Nodes never change, so that each is opened once however many others it is held against. */
const opened = new WeakMap<Node, Opened>();

function openedOf(build: GraphBuilder, node: Node, parts: Parts): Opened {
  const known = opened.get(node);
  if (known !== undefined) return known;
  const byTypes = shared.get(build) ?? new Map<string, Omit<Opened, 'results'>>();
  shared.set(build, byTypes);
  const key = parts.inits.map(({ type }) => typeToString(type)).join(';');
  const params = byTypes.get(key) ?? {
    count: placeholder(build, tensor('i32')),
    carries: parts.inits.map(({ type }) => placeholder(build, type)),
  };
  byTypes.set(key, params);
  const result = { ...params, results: open(build, parts, params.carries, params.count) };
  opened.set(node, result);
  return result;
}

/**
 * A loop with the results of two, and where those of `node` are in it; undefined when they carry different values, one needs the other, or
 * the other has results that nothing wants: in the next round it is another loop, and united with it, this one would lose them again.
 */
function united(build: GraphBuilder, node: Node, parts: Parts, other: Node, wanted: ReadonlySet<number> | undefined): United | undefined {
  const others = partsOf(other);
  if (others === undefined || !others.trip.equals(parts.trip)) return undefined;
  const carried = parts.inits.length;
  if (others.inits.length !== carried || !others.inits.every((init, at) => init === parts.inits[at])) return undefined;
  const { count, carries, results: mine } = openedOf(build, node, parts);
  const theirs = openedOf(build, other, others).results;
  if (!carries.every((_, at) => mine[at] === theirs[at])) return undefined;
  if (computesMore(other, wanted)) return undefined;
  if (topological([node]).includes(other) || topological([other]).includes(node)) return undefined;
  // The older one first, so that both ways of asking give the same loop.
  const [first, second] = node.id < other.id ? [mine, theirs] : [theirs, mine];
  const stacked = [...new Set([...first.slice(carried), ...second.slice(carried)])];
  const results = [...mine.slice(0, carried), ...stacked];
  const places = mine.map((result, at) => (at < carried ? at : carried + stacked.indexOf(result)));
  const sameAs = (one: readonly TensorNode[]): boolean =>
    one.length === results.length && one.every((result, at) => result === results[at]);
  if (sameAs(mine)) return { loop: node, places };
  return { loop: sameAs(theirs) ? other : close(build, parts.trip, [count, ...carries], parts.inits, results), places };
}
