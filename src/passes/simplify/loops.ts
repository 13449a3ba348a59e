// Rules of loops. In: `loop` nodes and the elements taken of them. Out: loops that carry, capture and compute less.
// Holds: a loop's arguments are initial carries, then captures; its body takes the count, the carries, the captures, and gives carries,
// then stacked results.

import type { Dim } from '../../base/index.js';
import type { GraphBuilder, Node, Region, TensorNode } from '../../graph/index.js';
import { isTensorNode, tensor, topological } from '../../graph/index.js';
import { apply, argument, closeRegion, element, fill, inlineRegion, loop, placeholder, tensorOf } from '../../ops/index.js';
import { isOp, reshaped } from './match.js';
import { type Rule, ruleOf } from './rule.js';

export interface LoopParts {
  readonly trip: Dim;
  readonly body: Region;
  readonly inits: readonly TensorNode[];
  readonly captures: readonly TensorNode[];
}

export function loopPartsOf(node: Node | undefined): LoopParts | undefined {
  if (!isOp(node, loop)) return undefined;
  const { trip, carries, body } = node.attrs;
  const args = node.args.map((arg) => tensorOf(arg));
  return { trip, body, inits: args.slice(0, carries), captures: args.slice(carries) };
}

/** The loop whose body is written over nodes around it: captures are found anew, so what does not change in the loop moves out of it. */
export function closeLoop(
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
export function openLoop(
  build: GraphBuilder,
  { body, inits, captures }: LoopParts,
  carries: readonly TensorNode[],
  count: TensorNode,
): TensorNode[] {
  if (carries.length !== inits.length) return [];
  return inlineRegion(build, body, [count, ...carries, ...captures]);
}

export const takeResult = (build: GraphBuilder, from: Node, index: number): Node => apply(build, element, [from], { index });

/** Carries that the body hands on unchanged. */
const unchanged = ({ body, inits }: LoopParts): boolean[] =>
  inits.map((_, at) => {
    const result = body.results[at];
    return isOp(result, argument) && result.attrs.index === at + 1;
  });

/** The loop with some results only. `initOf` replaces a carry that is left out by a node around the loop. */
function withResults(
  build: GraphBuilder,
  parts: LoopParts,
  kept: readonly number[],
  initOf: (carry: number) => TensorNode | undefined,
): Node {
  const count = placeholder(build, tensor('i32'));
  const carries = parts.inits.map((init, at) => initOf(at) ?? placeholder(build, init.type));
  const results = openLoop(build, parts, carries, count);
  const left = kept.filter((index) => index < parts.inits.length);
  return closeLoop(
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
      const parts = loopPartsOf(node.args[0]);
      if (parts?.trip.constant !== 0 || !isTensorNode(node)) return undefined;
      return parts.inits[node.attrs.index] ?? fill(build, node.type, 0);
    },
  }),
  ruleOf({
    name: 'loop-of-one-turn',
    doc: 'a loop of 1 turn → its body',
    at: [element],
    apply: (node, { build }) => {
      const parts = loopPartsOf(node.args[0]);
      if (parts?.trip.constant !== 1 || !isTensorNode(node)) return undefined;
      const result = openLoop(build, parts, parts.inits, fill(build, tensor('i32'), 0))[node.attrs.index];
      return result === undefined ? undefined : reshaped(build, result, node.type.shape);
    },
  }),
  ruleOf({
    name: 'unchanged-carry',
    doc: 'a carry that every turn hands on as it is → its initial value, captured',
    at: [element],
    apply: (node, { build }) => {
      const parts = loopPartsOf(node.args[0]);
      if (parts === undefined) return undefined;
      const same = unchanged(parts);
      const index = node.attrs.index;
      if (!same.includes(true)) return undefined;
      if (same[index] === true) return parts.inits[index];
      const kept = parts.body.results.flatMap((_, at) => (same[at] === true ? [] : [at]));
      return takeResult(
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
      const parts = loopPartsOf(from);
      const wanted = from === undefined ? undefined : elements(from);
      const index = node.attrs.index;
      if (parts === undefined || wanted === undefined || !wanted.has(index)) return undefined;
      const kept = neededResults(parts, wanted);
      if (kept.length === parts.body.results.length) return undefined;
      // A carry that is left out is read by nothing that stays.
      return takeResult(
        build,
        withResults(build, parts, kept, (carry) => (kept.includes(carry) ? undefined : parts.inits[carry])),
        kept.indexOf(index),
      );
    },
  }),
  {
    name: 'loop-captures',
    doc: 'captures that are constant, equal, unused or combined only with one another → moved into the body or out of it',
    at: [loop],
    apply: (node, { build }) => {
      const parts = loopPartsOf(node);
      if (parts === undefined) return undefined;
      const all = parts.body.results.map((_, at) => at);
      return withResults(build, parts, all, () => undefined);
    },
  },
];

/** Results that are wanted, and the carries that those read, in turn. */
export function neededResults({ body, inits }: LoopParts, wanted: ReadonlySet<number>): number[] {
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
