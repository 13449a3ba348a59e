// Where flows of derivatives are 0 because a branch was not taken. In: a node, where the flow at one end of it may be other than 0. Out:
// the same of the other end, and what flows there without what 0 times infinity would make of nothing.
// Holds: a mask is false only where the flow is exactly 0; undefined says nothing. Programs without choices have no masks. Through loops
// and branches no mask is followed: behind them 'zeros' says that what is 0 may be so because a branch was not taken, and what such a 0
// has made NaN of becomes 0 again. (To leave out whatever is 0 would be wrong for derivatives of derivatives: they see what makes it 0.)

import { InternalError } from '../base/index.js';
import type { GraphBuilder, Node, OpTag, Region, TensorNode, TensorType } from '../graph/index.js';
import { isTensorNode, regionsOf, topological } from '../graph/index.js';
import {
  anywhere,
  applyTensor,
  branch,
  broadcast,
  cast,
  constant,
  type Derivative,
  elementwise,
  isNodeOf,
  type Modes,
  opOf,
  spread,
  zeros,
} from '../ops/index.js';

export type Mask = TensorNode | 'zeros' | undefined;

type Rules = Extract<Derivative<Node['attrs']>, { kind: 'rules' }>;

/** Whether what is in a node's regions, or its choice among them, leaves zeros in its derivatives where something was not taken. */
export function leavesZeros(node: Node): boolean {
  return regionsOf(node).some(([, region]) => isNodeOf(node, branch) || choosesWithin(region));
}

const choosing = new WeakMap<Region, boolean>();

function choosesWithin(region: Region): boolean {
  let known = choosing.get(region);
  if (known === undefined) {
    known = topological(region.results).some((node) => {
      const { derivative } = opOf(node);
      return (derivative.kind === 'rules' && choosesBranches(derivative)) || leavesZeros(node);
    });
    choosing.set(region, known);
  }
  return known;
}

/** Masks of the cotangents of the arguments, of those of the results. `known`: results that have a cotangent. */
export function backwards(
  node: Node,
  rules: Rules,
  masks: readonly Mask[],
  known: readonly (TensorNode | undefined)[],
  build: GraphBuilder,
  modes: Modes,
): readonly Mask[] {
  const { reach } = rules;
  if (reach === undefined && (masks.includes('zeros') || leavesZeros(node))) return node.args.map(() => 'zeros');
  if (!isTensorNode(node) || reach === undefined) return coarse(node, masks, known, build);
  if (masks[0] === 'zeros') return node.args.map(() => 'zeros');
  const [mask] = masks as readonly (TensorNode | undefined)[];
  if (reach.kind === 'rule') return node.args.map((_, which) => reach.vjp(node, which, mask, build));
  if (mask === undefined) return [];
  return rules.vjp(node, [asNumbers(build, mask, node.type)], build, modes).map((one) => asMask(build, one));
}

/** Masks of the tangents of the results, of that of argument `which`. */
export function forwards(node: Node, rules: Rules, which: number, mask: Mask, build: GraphBuilder, modes: Modes): readonly Mask[] {
  const { reach } = rules;
  const arg = node.args[which];
  if (arg === undefined || !isTensorNode(arg)) return [];
  if (mask === 'zeros' || (reach === undefined && leavesZeros(node))) return typesOf(node).map(() => 'zeros');
  if (!isTensorNode(node) || reach === undefined) {
    const any = mask === undefined ? undefined : anywhere(build, mask);
    return any === undefined ? [] : typesOf(node).map((type) => spread(build, any, type.shape));
  }
  if (reach.kind === 'rule') return [reach.jvp(node, which, mask, build)];
  if (mask === undefined) return [];
  const alone = node.args.map((_, at) => (at === which ? asNumbers(build, mask, arg.type) : undefined));
  return rules.jvp(node, alone, build, modes).map((one) => asMask(build, one));
}

/** Whether an op makes masks of nothing. */
export const choosesBranches = (rules: Rules): boolean => rules.reach?.kind === 'rule' && rules.reach.chooses === true;

/** What flows on, with 0 where nothing may: `from` is what came in. */
export function guarded(
  node: Node,
  rules: Rules,
  flow: TensorNode | undefined,
  mask: Mask,
  from: readonly (TensorNode | undefined)[],
  build: GraphBuilder,
): TensorNode | undefined {
  if (flow === undefined || mask === undefined || rules.reach?.kind === 'moves') return flow;
  if (rules.reach?.exact === true || isPlain(flow, from)) return flow;
  if (mask === 'zeros') return isElementwise(node) ? withoutNothing(flow, from, build) : flow;
  return applyTensor(build, elementwise.select, [mask, flow, zeros(build, flow.type)], {});
}

/** Of other ops it is not known what came of what. */
const isElementwise = ({ op }: Node): boolean => (elementwise as Readonly<Record<string, OpTag>>)[op.name] === op;

/** 0 where 0 came in and became NaN. */
function withoutNothing(flow: TensorNode, from: readonly (TensorNode | undefined)[], build: GraphBuilder): TensorNode {
  const came = from.find((one) => one !== undefined);
  if (came === undefined) return flow;
  const isZero = applyTensor(build, elementwise.eq, [came, zeros(build, came.type)], {});
  const isLost = applyTensor(build, elementwise.and, [isZero, applyTensor(build, elementwise.isnan, [flow], {})], {});
  return applyTensor(build, elementwise.select, [isLost, zeros(build, flow.type), flow], {});
}

/** Where a sum of two flows may be other than 0. */
export function either(a: Mask, b: Mask, build: GraphBuilder): Mask {
  if (a === 'zeros' || b === 'zeros') return 'zeros';
  if (a === undefined || b === undefined || areOpposite(a, b)) return undefined;
  if (a === b) return a;
  // The two branches of one choice, both of them below the same mask.
  const [x, y] = [a, b].map((one) => (isNodeOf(one, elementwise.and) ? one.args : undefined)) as [Pair, Pair];
  if (x !== undefined && y !== undefined && x[0] === y[0] && areOpposite(x[1], y[1])) return x[0] as TensorNode;
  return applyTensor(build, elementwise.or, [a, b], {});
}

type Pair = readonly [Node, Node] | undefined;

const areOpposite = (a: Node, b: Node): boolean =>
  (isNodeOf(a, elementwise.not) && a.args[0] === b) || (isNodeOf(b, elementwise.not) && b.args[0] === a);

/** An op that says nothing: all of it, or none. */
function coarse(node: Node, masks: readonly Mask[], known: readonly (TensorNode | undefined)[], build: GraphBuilder): readonly Mask[] {
  let any: TensorNode | undefined;
  for (const [at, one] of known.entries()) {
    if (one === undefined) continue;
    const mask = masks[at];
    if (mask === undefined || mask === 'zeros') return [];
    const here = anywhere(build, mask);
    any = any === undefined || any === here ? here : applyTensor(build, elementwise.or, [any, here], {});
  }
  if (any === undefined) return [];
  const some = any;
  return node.args.map((arg) => (isTensorNode(arg) ? spread(build, some, arg.type.shape) : undefined));
}

/** 1 where the mask is true: what rules that move elements take. */
function asNumbers(build: GraphBuilder, mask: TensorNode, { dtype }: TensorType): TensorNode {
  return applyTensor(build, cast, [mask], { dtype });
}

const asMask = (build: GraphBuilder, numbers: TensorNode | undefined): TensorNode | undefined =>
  numbers === undefined ? undefined : applyTensor(build, elementwise.ne, [numbers, zeros(build, numbers.type)], {});

/** Whether a flow is what came in, at most negated, scaled by a finite constant or chosen: 0 stays 0. */
function isPlain(flow: TensorNode, from: readonly (TensorNode | undefined)[]): boolean {
  const isKnown = (node: Node): boolean => {
    if (isNodeOf(node, constant)) return Number.isFinite(Number(node.attrs.value));
    return isNodeOf(node, broadcast) && node.args.every(isKnown);
  };
  const comesIn = (node: Node): boolean => from.some((one) => one === node);
  return comesIn(flow) || flow.args.every((arg) => comesIn(arg) || isKnown(arg) || (isTensorNode(arg) && arg.type.dtype === 'bool'));
}

function typesOf(node: Node): readonly TensorType[] {
  if (node.type.kind === 'tuple') return node.type.items;
  if (opOf(node).derivative.kind !== 'rules') throw new InternalError('derivative', `${node.op.name} lets no derivative through`);
  return [node.type];
}
