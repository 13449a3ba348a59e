// Why a derivative is 0 although its value depends on something. In: values, and what they are differentiated with respect to. Out: an op
// that stops every way between.
// Holds: `stopGradient` is meant, and is no reason; neither is what a derivative rule has made (a relu's slope compares).

import { isFloat } from '../base/index.js';
import { type GraphBuilder, type Node, topological } from '../graph/index.js';
import { opOf } from './apply.js';
import { stopGradient } from './identity.js';

/** Tells of an input the op nearest to it that stops what no other way brings to the results; undefined when there is none. */
export function stopsBefore(results: readonly Node[], build: GraphBuilder): (input: Node) => Node | undefined {
  const isDerived = (node: Node): boolean => build.originsOf(node).some((origin) => origin.backward);
  let known: { readonly order: readonly Node[]; readonly all: ReadonlySet<Node>; readonly reaching: ReadonlySet<Node> } | undefined;
  const look = (): NonNullable<typeof known> => {
    const order = topological(results);
    // What the results depend on but through what is meant to stop, and through slopes: those of a choice are steps.
    const reaching = new Set<Node>(results);
    for (const node of order.toReversed())
      if (reaching.has(node) && node.op !== stopGradient && !isDerived(node)) for (const arg of node.args) reaching.add(arg);
    return { order, all: new Set(order), reaching };
  };
  return (input) => {
    known ??= look();
    const { order, all, reaching } = known;
    if (!all.has(input)) return undefined;
    build.meter.spend(order.length >> 2);
    const moving = new Set<Node>([input]);
    let first: Node | undefined;
    for (const node of order) {
      if (node === input || !node.args.some((arg) => moving.has(arg))) continue;
      if (!stops(node)) {
        if (results.includes(node)) return undefined;
        moving.add(node);
      } else if (reaching.has(node) && node.op !== stopGradient) {
        if (isDerived(node)) return undefined;
        first ??= node;
      }
    }
    return first;
  };
}

/** Nothing flows through it: its op says so, or it makes integers of floats. */
const stops = (node: Node): boolean =>
  opOf(node).derivative.kind === 'zero' || (node.type.kind === 'tensor' && !isFloat(node.type.dtype) && node.args.length > 0);

/** How programs write ops that are operators. */
const signs: ReadonlyMap<string, string> = new Map(
  Object.entries({ lt: '<', le: '<=', gt: '>', ge: '>=', eq: '==', ne: '!=', and: '&&', or: '||', not: '!', rem: '%' }),
);

/** What an op is called at its place: by the function of the library whose call it is a part of, else by its own name. */
export function calledName(build: GraphBuilder, node: Node): string {
  const origin = build.originsOf(node).find((one) => !one.backward);
  const scope = origin?.entry === undefined ? undefined : build.scopeAt(origin.entry, origin.scope);
  const isCall = scope?.kind === 'function' && scope.span.source === origin?.span.source && scope.span.start === origin.span.start;
  return isCall && scope.span.end === origin?.span.end ? scope.name : (signs.get(node.op.name) ?? node.op.name);
}

/** Why it is refused, for sentences. */
export const stopReason = 'nothing flows through it, and no way leads around it: the whole derivative would be 0';

export const stopHint = 'put `stopGradient(…)` around it if it is meant to be a constant; else use something smooth in its place';
