// Rules of loops that run time counts, of ways back through them, of branches and of what is computed again. In: such nodes and the
// elements taken of them. Out: ones that carry, capture and compute less.
// Holds: how often a loop runs stays as it is; a side of a branch stays inside of it.

import type { GraphBuilder, Node, Region, TensorNode, TensorType } from '../../graph/index.js';
import { isTensorNode, topological } from '../../graph/index.js';
import {
  apply,
  argument,
  branch,
  type BranchAttrs,
  type CheckpointAttrs,
  closeRegion,
  closeTogether,
  constant,
  element,
  inlineRegion,
  opOf,
  placeholder,
  recompute,
  tensorOf,
  unwind,
  type UnwindAttrs,
  whileLoop,
  type WhileAttrs,
} from '../../ops/index.js';
import { isOp } from './match.js';
import { type Rule, ruleOf } from './rule.js';

const take = (build: GraphBuilder, from: Node, index: number): Node => apply(build, element, [from], { index });
const placeholdersOf = (build: GraphBuilder, types: readonly TensorType[]): TensorNode[] => types.map((type) => placeholder(build, type));
const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

/** The branch with some results only, over what its sides take. */
function branchOf(build: GraphBuilder, node: Node<BranchAttrs>, kept: readonly number[]): Node {
  const [condition, ...captures] = node.args.map(tensorOf) as [TensorNode, ...TensorNode[]];
  const outside = new Set<Node>(captures);
  const sides = [node.attrs.whenTrue, node.attrs.whenFalse].map((region) => {
    const results = inlineRegion(build, region, captures);
    return kept.map((index) => results[index] as TensorNode);
  });
  // What stands in a side, although it depends on nothing that changes.
  const inside = new Set(topological(sides.flat(), (one) => !outside.has(one)));
  const closed = closeTogether(build, [], sides, (one) => inside.has(one));
  const [whenTrue, whenFalse] = closed.regions as [Region, Region];
  return apply(build, branch, [condition, ...closed.captures], { whenTrue, whenFalse });
}

/**
 * What is computed again with some results only, over what those take. Its arguments stay apart from what is inside, which may be computed
 * outside as well: where both became the same nodes, all that lies between would come inside.
 */
function recomputeOf(build: GraphBuilder, node: Node<CheckpointAttrs>, kept: readonly number[]): Node {
  const args = node.args.map(tensorOf);
  const params = new Map<TensorNode, TensorNode>();
  for (const arg of args) if (!isCheap(arg) && !params.has(arg)) params.set(arg, placeholder(build, arg.type));
  const results = inlineRegion(
    build,
    node.attrs.body,
    args.map((arg) => params.get(arg) ?? arg),
  );
  const wanted = kept.map((index) => results[index] as TensorNode);
  const used = new Set(topological(wanted));
  const taken = [...params].filter(([, param]) => used.has(param));
  const closed = closeRegion(
    build,
    taken.map(([, param]) => param),
    wanted,
  );
  return apply(build, recompute, [...taken.map(([arg]) => arg), ...closed.captures], { body: closed.region });
}

/** What costs nothing to have twice: regions get it as a copy. */
function isCheap(node: Node): boolean {
  const { lowering, repeats } = opOf(node);
  return (lowering.kind === 'element' && node.args.length === 0) || (repeats === true && node.args.every(isCheap));
}

/** The loop with some carries only; nothing reads the others. */
function whileOf(build: GraphBuilder, node: Node<WhileAttrs>, kept: readonly number[]): Node {
  const { carries, condition, body } = node.attrs;
  const args = node.args.map(tensorOf);
  const [count, ...values] = placeholdersOf(build, body.params.slice(0, 1 + carries)) as [TensorNode, ...TensorNode[]];
  const given = [count, ...values.map((value, at) => (kept.includes(at) ? value : (args[at] as TensorNode))), ...args.slice(carries)];
  const results = inlineRegion(build, body, given);
  const { regions, captures } = closeTogether(
    build,
    [count, ...kept.map((at) => values[at] as TensorNode)],
    [inlineRegion(build, condition, given), kept.map((at) => results[at] as TensorNode)],
  );
  const [asked, next] = regions as [Region, Region];
  const attrs = { ...node.attrs, carries: kept.length, condition: asked, body: next };
  return apply(build, whileLoop, [...kept.map((at) => args[at] as TensorNode), ...captures], attrs);
}

/** The way back with some states only; those that are kept read no other ones. */
function unwindOf(build: GraphBuilder, node: Node<UnwindAttrs>, kept: readonly number[]): Node {
  const { carries, captures, active, sums, back } = node.attrs;
  const args = node.args.map(tensorOf);
  const first = 1 + carries + captures;
  const states = active.length + sums.length;
  const params = placeholdersOf(build, back.params);
  const isKept = (place: number): boolean => place < first || place >= first + states || kept.includes(place - first);
  const results = inlineRegion(
    build,
    back,
    params.map((param, place) => (isKept(place) ? param : (args[place] as TensorNode))),
  );
  const inner = closeRegion(
    build,
    params.filter((_, place) => isKept(place)),
    kept.map((at) => results[at] as TensorNode),
  );
  return apply(build, unwind, [...args.filter((_, place) => isKept(place)), ...inner.captures], {
    ...node.attrs,
    back: inner.region,
    active: active.filter((_, at) => kept.includes(at)),
    sums: sums.filter((_, at) => kept.includes(active.length + at)),
  });
}

/** Results that are wanted, and those that they read as parameters from `first` on, in turn. */
function neededOf(results: readonly TensorNode[], wanted: Iterable<number>, first: number, also: readonly TensorNode[] = []): number[] {
  const needed = new Set(wanted);
  const read = (nodes: readonly TensorNode[]): void => {
    for (const node of topological(nodes)) {
      const at = isOp(node, argument) ? node.attrs.index - first : -1;
      if (at >= 0 && at < results.length) needed.add(at);
    }
  };
  read(also);
  // A set's iteration also visits what is added meanwhile.
  for (const index of needed) read([results[index] as TensorNode]);
  return [...needed].sort((a, b) => a - b);
}

export const regionRules: readonly Rule[] = [
  ruleOf({
    name: 'known-branch',
    doc: 'a branch whose condition is known → the side that is taken',
    at: [element],
    apply: (node, { build }) => {
      const from = node.args[0];
      if (!isOp(from, branch) || !isTensorNode(node)) return undefined;
      const [condition, ...captures] = from.args;
      if (!isOp(condition, constant)) return undefined;
      const side = Number(condition.attrs.value) === 0 ? from.attrs.whenFalse : from.attrs.whenTrue;
      return inlineRegion(build, side, captures.map(tensorOf))[node.attrs.index];
    },
  }),
  ruleOf({
    name: 'unused-branch-result',
    doc: 'a result of a branch that nothing takes → left out on both sides',
    at: [element],
    apply: (node, { build, elements }) => {
      const from = node.args[0];
      if (!isOp(from, branch)) return undefined;
      const wanted = elements(from);
      if (wanted === undefined || !wanted.has(node.attrs.index) || wanted.size === from.attrs.whenTrue.results.length) return undefined;
      const kept = [...wanted].sort((a, b) => a - b);
      return take(build, branchOf(build, from, kept), kept.indexOf(node.attrs.index));
    },
  }),
  ruleOf({
    name: 'unused-recomputed-result',
    doc: 'a result of what is computed again that nothing takes → left out',
    at: [element],
    apply: (node, { build, elements }) => {
      const from = node.args[0];
      if (!isOp(from, recompute)) return undefined;
      const wanted = elements(from);
      if (wanted === undefined || !wanted.has(node.attrs.index) || wanted.size === from.attrs.body.results.length) return undefined;
      const kept = [...wanted].sort((a, b) => a - b);
      return take(build, recomputeOf(build, from, kept), kept.indexOf(node.attrs.index));
    },
  }),
  ruleOf({
    name: 'unused-carry',
    doc: 'a carry of a loop with a condition that nothing depends on → left out',
    at: [element],
    apply: (node, { build, elements }) => {
      const from = node.args[0];
      if (!isOp(from, whileLoop)) return undefined;
      const wanted = elements(from);
      const { index } = node.attrs;
      const { carries, condition, body } = from.attrs;
      if (wanted === undefined || !wanted.has(index)) return undefined;
      const kept = neededOf(
        body.results,
        [...wanted].filter((at) => at < carries),
        1,
        condition.results,
      );
      if (kept.length === carries) return undefined;
      return take(build, whileOf(build, from, kept), index < carries ? kept.indexOf(index) : index - carries + kept.length);
    },
  }),
  ruleOf({
    name: 'unused-state',
    doc: 'a state of a way back through a loop that nothing depends on → left out',
    at: [element],
    apply: (node, { build, elements }) => {
      const from = node.args[0];
      if (!isOp(from, unwind)) return undefined;
      const wanted = elements(from);
      if (wanted === undefined || !wanted.has(node.attrs.index)) return undefined;
      const { carries, captures, back } = from.attrs;
      const kept = neededOf(back.results, wanted, 1 + carries + captures);
      return kept.length === back.results.length ? undefined : take(build, unwindOf(build, from, kept), kept.indexOf(node.attrs.index));
    },
  }),
  ruleOf({
    name: 'branch-captures',
    doc: 'what both sides of a branch take and is constant, equal or unused → moved into it, or left out',
    at: [branch],
    apply: (node, { build }) => branchOf(build, node, numbers(node.attrs.whenTrue.results.length)),
  }),
  ruleOf({
    name: 'recompute-captures',
    doc: 'what a region that is computed again takes and is constant, equal or unused → moved into it, or left out',
    at: [recompute],
    apply: (node, { build }) => recomputeOf(build, node, numbers(node.attrs.body.results.length)),
  }),
  ruleOf({
    name: 'round-captures',
    doc: 'captures of a loop with a condition that are constant, equal, unused or combined only with one another → moved into it or out of it',
    at: [whileLoop],
    apply: (node, { build }) => whileOf(build, node, numbers(node.attrs.carries)),
  }),
];
