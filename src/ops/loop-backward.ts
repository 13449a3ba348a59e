// Reverse mode through a loop. In: cotangents of the results. Out: cotangents of the initial values and captures. A forward loop stacks the
// carries that the way back needs; a backward loop walks the iterations in reverse, carrying the cotangents of the carries and the sums
// over iterations for the captures. Where a capture's part is a scatter (a row of it was read), its updates are stacked and scattered once,
// after the loop.
// Holds: cotangents of the body are built over placeholders, so equal values of two carries are never confused.

import type { Dim } from '../base/index.js';
import { type GraphBuilder, type Node, type Region, tensor, type TensorNode, type TensorType } from '../graph/index.js';
import { apply, applyTensor, isNodeOf, tensorOf } from './apply.js';
import type { Modes } from './define.js';
import { elementwise } from './elementwise.js';
import { gather, scatterAdd } from './gather.js';
import { isDifferentiable, item, scalar, sizeAs, zeros } from './make.js';
import { loop, type LoopAttrs } from './loop.js';
import { closeRegion, inlineRegion, placeholder, usedParameters } from './region.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);
const sum = (build: GraphBuilder, a: TensorNode, b: TensorNode): TensorNode => applyTensor(build, elementwise.add, [a, b], {});

/**
 * One iteration backwards, as a region over (i, carries…, captures…, cotangents of the active carries…, cotangents of the used ys…,
 * constants…).
 */
interface Pull {
  readonly region: Region;
  /** Carries that have a cotangent, in order. */
  readonly active: readonly number[];
  /** Results beyond the carries whose cotangent flows in. */
  readonly ys: readonly number[];
  /** Captures that get a cotangent. */
  readonly captures: readonly number[];
  /** What depends on no parameter (a slope of constants): computed outside. */
  readonly constants: readonly TensorNode[];
}

function pullBody({ carries, body }: LoopAttrs, cotangents: readonly (TensorNode | undefined)[], build: GraphBuilder, modes: Modes): Pull {
  const params = body.params.map((type) => placeholder(build, type));
  const results = inlineRegion(build, body, params);
  const wanted = params.slice(1).filter((param) => isDifferentiable(param.type));
  const incoming = results.map((result) => placeholder(build, result.type));
  const active = new Set(numbers(carries).filter((at) => cotangents[at] !== undefined));
  const ys = numbers(results.length).filter((at) => at >= carries && cotangents[at] !== undefined);
  let pulled = new Map<TensorNode, TensorNode | undefined>();
  // A carry that the body hands a cotangent has one in the iteration before: until no more do.
  for (let grown = true; grown;) {
    const found = modes.vjp(
      results,
      results.map((_, at) => (active.has(at) || ys.includes(at) ? incoming[at] : undefined)),
      wanted,
    );
    pulled = new Map(wanted.map((param, at) => [param, found[at]]));
    grown = false;
    for (const at of numbers(carries)) {
      if (pulled.get(params[at + 1] as TensorNode) !== undefined && !active.has(at)) {
        active.add(at);
        grown = true;
      }
    }
  }
  const order = [...active].sort((a, b) => a - b);
  const captures = numbers(params.length - 1 - carries).filter((at) => pulled.get(params[1 + carries + at] as TensorNode) !== undefined);
  const outgoing = [
    ...order.map((at) => pulled.get(params[at + 1] as TensorNode) ?? zeros(build, body.params[at + 1] as TensorType)),
    ...captures.map((at) => pulled.get(params[1 + carries + at] as TensorNode) as TensorNode),
  ];
  const closed = closeRegion(
    build,
    [...params, ...order.map((at) => incoming[at] as TensorNode), ...ys.map((at) => incoming[at] as TensorNode)],
    outgoing,
  );
  return { region: closed.region, active: order, ys, captures, constants: closed.captures };
}

/** The loop once more, with the values of `stacked` carries before each iteration as further results. */
function stackCarries(build: GraphBuilder, node: Node<LoopAttrs>, stacked: readonly number[]): (carry: number) => TensorNode {
  const { trip, carries, body } = node.attrs;
  const params = body.params.map((type) => placeholder(build, type));
  const results = [...inlineRegion(build, body, params).slice(0, carries), ...stacked.map((at) => params[at + 1] as TensorNode)];
  const { region, captures } = closeRegion(build, params, results);
  const made = stacked.length === 0 ? node : apply(build, loop, [...node.args, ...captures], { trip, carries, body: region });
  return (carry) => item(build, made, carries + stacked.indexOf(carry));
}

/** The terms of a sum. */
function termsOf(node: Node): readonly Node[] {
  return isNodeOf(node, elementwise.add) ? node.args.flatMap(termsOf) : [node];
}

/** What one iteration adds to a capture: a dense part, and scatters into its rows. */
interface Contribution {
  readonly capture: number;
  readonly dense: TensorNode | undefined;
  readonly scatters: readonly { readonly ids: TensorNode; readonly updates: TensorNode }[];
}

function contributionOf(build: GraphBuilder, capture: number, pulled: TensorNode): Contribution {
  let dense: TensorNode | undefined;
  const scatters: { ids: TensorNode; updates: TensorNode }[] = [];
  for (const term of termsOf(pulled)) {
    const [ids, updates] = term.args;
    if (isNodeOf(term, scatterAdd) && ids !== undefined && updates !== undefined)
      scatters.push({ ids: tensorOf(ids), updates: tensorOf(updates) });
    else dense = dense === undefined ? tensorOf(term) : sum(build, dense, tensorOf(term));
  }
  return { capture, dense, scatters };
}

export function loopVjp(
  node: Node<LoopAttrs>,
  cotangents: readonly (TensorNode | undefined)[],
  build: GraphBuilder,
  modes: Modes,
): readonly (TensorNode | undefined)[] {
  const { trip, carries, body } = node.attrs;
  const args = node.args.map(tensorOf);
  // A loop that is known not to run hands its initial values on.
  if (trip.constant === 0) return args.map((_, at) => (at < carries ? cotangents[at] : undefined));
  const pull = pullBody(node.attrs, cotangents, build, modes);
  const used = usedParameters(pull.region.results);
  const stacked = numbers(carries).filter((at) => used.has(at + 1));
  const stackOf = stackCarries(build, node, stacked);

  // The body of the backward loop, over its own counter.
  const counter = placeholder(build, tensor('i32'));
  const at = applyTensor(
    build,
    elementwise.sub,
    [applyTensor(build, elementwise.sub, [sizeAs(build, trip, 'i32'), scalar(build, 'i32', 1)], {}), counter],
    {},
  );
  const row = (stack: TensorNode): TensorNode => applyTensor(build, gather, [stack, at], {});
  const carried = pull.active.map((one) => placeholder(build, (args[one] as TensorNode).type));
  const values = numbers(carries).map((one) =>
    stacked.includes(one) ? row(stackOf(one)) : zeros(build, body.params[one + 1] as TensorType),
  );
  const arriving = pull.ys.map((one) => row(cotangents[one] as TensorNode));
  const pulled = inlineRegion(build, pull.region, [at, ...values, ...args.slice(carries), ...carried, ...arriving, ...pull.constants]);
  const contributions = pull.captures.map((capture, place) =>
    contributionOf(build, capture, pulled[pull.active.length + place] as TensorNode),
  );
  const dense = contributions.filter((one) => one.dense !== undefined);
  const sums = dense.map((one) => placeholder(build, (args[carries + one.capture] as TensorNode).type));
  const next = [
    ...pulled.slice(0, pull.active.length),
    ...dense.map((one, place) => sum(build, sums[place] as TensorNode, one.dense as TensorNode)),
    ...contributions.flatMap((one) => one.scatters.flatMap(({ ids, updates }) => [ids, updates])),
  ];
  const { region, captures } = closeRegion(build, [counter, ...carried, ...sums], next);
  const starts = [
    ...pull.active.map((one) => cotangents[one] ?? zeros(build, (args[one] as TensorNode).type)),
    ...sums.map((one) => zeros(build, one.type)),
  ];
  const backward = apply(build, loop, [...starts, ...captures], { trip, carries: starts.length, body: region });

  let stack = starts.length;
  const totals = new Map(
    contributions.map((one) => {
      const rows = args[carries + one.capture] as TensorNode;
      let total = one.dense === undefined ? undefined : item(build, backward, pull.active.length + dense.indexOf(one));
      for (let pair = 0; pair < one.scatters.length; pair++) {
        const [ids, updates] = [item(build, backward, stack++), item(build, backward, stack++)];
        const scattered = applyTensor(build, scatterAdd, [ids, updates], { rows: rows.type.shape[0] as Dim });
        total = total === undefined ? scattered : sum(build, total, scattered);
      }
      return [one.capture, total] as const;
    }),
  );
  return args.map((_, place) => {
    if (place >= carries) return totals.get(place - carries);
    const position = pull.active.indexOf(place);
    return position < 0 ? undefined : item(build, backward, position);
  });
}
