// Reverse mode through a loop with a condition. In: cotangents of the results. Out: cotangents of the initial values and captures, by
// `unwind`, which goes through the rounds that ran from the last to the first.
// Holds: only carries that the way back needs, or that those depend on, are computed again for it.

import type { GraphBuilder, Node, TensorNode, TensorType } from '../graph/index.js';
import { apply, tensorOf } from './apply.js';
import type { Modes } from './define.js';
import { pullBody } from './loop-backward.js';
import { item, zeros } from './make.js';
import { closeRegion, inlineRegion, placeholder, usedParameters } from './region.js';
import { scalars } from './scalars.js';
import { unwind } from './unwind.js';
import type { WhileAttrs } from './while.js';

/** `rounds`: how many rounds run, where that is known without running them. */
export function whileVjp(
  node: Node<WhileAttrs>,
  cotangents: readonly (TensorNode | undefined)[],
  build: GraphBuilder,
  modes: Modes,
  rounds: TensorNode = item(build, node, node.attrs.carries),
): readonly (TensorNode | undefined)[] {
  const { carries, body, limit } = node.attrs;
  const args = node.args.map(tensorOf);
  const captures = args.length - carries;
  const pull = pullBody({ carries, body }, cotangents.slice(0, carries), build, modes);
  const kept = keptCarries(node.attrs, pull);

  // Both regions over fewer carries.
  const params = body.params.map((type) => placeholder(build, type));
  const [count, values, captured] = [params[0] as TensorNode, params.slice(1, 1 + carries), params.slice(1 + carries)];
  const known = values.map((value, at) => (kept.includes(at) ? value : zeros(build, value.type)));
  const remaining = kept.map((at) => values[at] as TensorNode);
  const results = inlineRegion(build, body, [count, ...known, ...captured]);
  // What a round computes of constants alone, as a derivative of what does not move, is computed outside, and captured too.
  const forward = closeRegion(
    build,
    [count, ...remaining, ...captured],
    kept.map((at) => results[at] as TensorNode),
  );
  const arriving = pull.active.map((at) => placeholder(build, body.params[at + 1] as TensorType));
  const sums = pull.captures.map((at) => placeholder(build, body.params[1 + carries + at] as TensorType));
  const constants = pull.constants.map((one) => placeholder(build, one.type));
  const pulled = inlineRegion(build, pull.region, [count, ...known, ...captured, ...arriving, ...constants]);
  const back = closeRegion(
    build,
    [count, ...remaining, ...captured, ...forward.captures, ...arriving, ...sums, ...constants],
    [...pulled.slice(0, arriving.length), ...sums.map((sum, at) => scalars.add(build, sum, pulled[arriving.length + at] as TensorNode))],
  );
  const made = apply(
    build,
    unwind,
    [
      rounds,
      ...kept.map((at) => args[at] as TensorNode),
      ...args.slice(carries),
      ...forward.captures,
      ...pull.active.map((at) => cotangents[at] ?? zeros(build, (args[at] as TensorNode).type)),
      ...sums.map(({ type }) => zeros(build, type)),
      ...pull.constants,
      ...back.captures,
    ],
    {
      carries: kept.length,
      captures: captures + forward.captures.length,
      forward: forward.region,
      back: back.region,
      active: pull.active.map((at) => kept.indexOf(at)),
      sums: pull.captures,
      limit,
    },
  );
  return args.map((_, place) => {
    const at = place < carries ? pull.active.indexOf(place) : pull.captures.indexOf(place - carries);
    return at < 0 ? undefined : item(build, made, place < carries ? at : pull.active.length + at);
  });
}

/** Carries that have a cotangent, or whose values the way back reads, and those that these are computed from. */
function keptCarries(
  { carries, body }: WhileAttrs,
  pull: { readonly active: readonly number[]; readonly region: { readonly results: readonly TensorNode[] } },
): number[] {
  const kept = new Set(pull.active);
  for (const index of usedParameters(pull.region.results)) if (index > 0 && index <= carries) kept.add(index - 1);
  // A set's iteration also visits what is added meanwhile.
  for (const at of kept)
    for (const index of usedParameters([body.results[at] as TensorNode])) if (index > 0 && index <= carries) kept.add(index - 1);
  return [...kept].sort((a, b) => a - b);
}
