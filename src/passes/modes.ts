// The two modes of differentiation over nodes. In: results, inputs, and cotangents of the results or tangents of the inputs. Out: new
// nodes.
// Holds: undefined stands for zero. An input may depend on another: its derivative is total, so it includes the way through the other one.
// Sums of cotangents are made in reverse topological order, arguments from left to right: the same graph gives the same sums.
// Reverse and forward accumulation as in Griewank and Walther, "Evaluating Derivatives", chapter 3.

import { InternalError, isFloat } from '../base/index.js';
import type { GraphBuilder, Node, Origin, TensorNode, TensorType } from '../graph/index.js';
import { isTensorNode, regionsOf, tensorEquals, typeToString } from '../graph/index.js';
import { type Modes, apply, element, elementwise, isNodeOf, loop, opOf, tensorOf, unwind, whileLoop } from '../ops/index.js';
import { activeNodes } from './active.js';
import { backwards, choosesBranches, either, forwards, guarded, leavesZeros, type Mask } from './masks.js';

type Flow = (TensorNode | undefined)[];

export interface ModesContext {
  readonly build: GraphBuilder;
  /** A derivative is asked through an op that has none. */
  refuse(node: Node, reason: string, hint?: string): void;
}

export function modesOver(context: ModesContext): Modes {
  return modesFrom(context, undefined);
}

/** `mask`: of the flows that they start with. */
function modesFrom(context: ModesContext, mask: 'zeros' | undefined): Modes {
  const modes: Modes = {
    vjp: (results, cotangents, inputs) => reverse(results, cotangents, inputs, mask, context, modes),
    jvp: (results, inputs, tangents) => forward(results, inputs, tangents, mask, context, modes),
  };
  return modes;
}

/** Modes for what is inside of a node: into a round of a loop flows what another one leaves. */
const inside = (node: Node, isMasked: boolean, modes: Modes, context: ModesContext): Modes =>
  regionsOf(node).length > 0 && (isMasked || (repeats(node) && leavesZeros(node))) ? modesFrom(context, 'zeros') : modes;

const repeats = (node: Node): boolean => isNodeOf(node, loop) || isNodeOf(node, whileLoop) || isNodeOf(node, unwind);

function reverse(
  results: readonly TensorNode[],
  cotangents: readonly (TensorNode | undefined)[],
  inputs: readonly TensorNode[],
  start: Mask,
  context: ModesContext,
  modes: Modes,
): Flow {
  const { build } = context;
  const active = activeNodes(results, inputs, build);
  const flows = new Map<Node, Flow>();
  const masks = new Map<Node, Mask[]>();
  const flow = (node: Node, index: number, cotangent: TensorNode | undefined, mask?: Mask): void => {
    if (cotangent === undefined || !active.nodes.has(node)) return;
    const type = resultTypes(node)[index];
    if (type === undefined || !isFloat(type.dtype)) return;
    if (!tensorEquals(type, cotangent.type)) {
      throw new InternalError('derivative', `a cotangent of ${node.op.name}: ${typeToString(type)} is ${typeToString(cotangent.type)}`);
    }
    const known = flows.get(node) ?? resultTypes(node).map(() => undefined);
    const before = known[index];
    known[index] = before === undefined ? cotangent : tensorOf(apply(build, elementwise.add, [before, cotangent], {}));
    flows.set(node, known);
    const marked = masks.get(node);
    if (before !== undefined) {
      if (marked !== undefined) marked[index] = either(marked[index], mask, build);
    } else if (marked !== undefined) marked[index] = mask;
    else if (mask !== undefined)
      masks.set(
        node,
        Object.assign(
          resultTypes(node).map((): Mask => undefined),
          { [index]: mask },
        ),
      );
  };
  results.forEach((result, at) => {
    flow(result, 0, cotangents[at], start);
  });
  for (const node of active.order.toReversed()) {
    const known = flows.get(node);
    if (known === undefined || !node.args.some((arg) => active.nodes.has(arg))) continue;
    const { derivative } = opOf(node);
    const tuple = node.args[0];
    if (isNodeOf(node, element) && tuple !== undefined) {
      flow(tuple, node.attrs.index, known[0], masks.get(node)?.[0]);
      continue;
    }
    if (derivative.kind === 'none') context.refuse(node, derivative.reason);
    if (derivative.kind !== 'rules') continue;
    const refused = derivative.irreversible?.(node);
    if (refused !== undefined) {
      context.refuse(node, refused.reason, refused.hint);
      continue;
    }
    build.at(backwardOrigin(node, build), () => {
      const marked = masks.get(node);
      const isMasked = marked?.some((mask) => mask !== undefined) === true;
      const back = derivative.vjp(node, known, build, inside(node, isMasked, modes, context));
      const reached =
        marked === undefined && !choosesBranches(derivative) && !leavesZeros(node)
          ? []
          : backwards(node, derivative, marked ?? [], known, build, modes);
      node.args.forEach((arg, at) => {
        flow(arg, 0, guarded(node, derivative, back[at], reached[at], known, build), reached[at]);
      });
    });
  }
  return inputs.map((input) => flows.get(input)?.[0]);
}

function forward(
  results: readonly TensorNode[],
  inputs: readonly TensorNode[],
  tangents: readonly (TensorNode | undefined)[],
  start: Mask,
  context: ModesContext,
  modes: Modes,
): Flow {
  const { build } = context;
  const active = activeNodes(results, inputs, build);
  const flows = new Map<Node, Flow>();
  const sum = (a: TensorNode | undefined, b: TensorNode | undefined): TensorNode | undefined =>
    a === undefined || b === undefined ? (a ?? b) : tensorOf(apply(build, elementwise.add, [a, b], {}));
  const masks = new Map<Node, readonly Mask[]>();
  /** Adds tangents to those that the results of a node have already. */
  const add = (node: Node, on: readonly (TensorNode | undefined)[], reached: readonly Mask[] = []): void => {
    const [before, marked] = [flows.get(node), masks.get(node)];
    const types = resultTypes(node);
    flows.set(
      node,
      types.map((type, at) => (isFloat(type.dtype) ? sum(before?.[at], on[at]) : undefined)),
    );
    const next = types.map((_, at): Mask => {
      if (on[at] === undefined) return marked?.[at];
      return before?.[at] === undefined ? reached[at] : either(marked?.[at], reached[at], build);
    });
    if (marked !== undefined || next.some((mask) => mask !== undefined)) masks.set(node, next);
  };
  inputs.forEach((input, at) => {
    const seed = tangents[at];
    if (seed !== undefined && !tensorEquals(input.type, seed.type)) {
      throw new InternalError('derivative', `a tangent of ${input.op.name}: ${typeToString(input.type)} is ${typeToString(seed.type)}`);
    }
    flows.set(input, [sum(flows.get(input)?.[0], seed)]);
    if (start !== undefined) masks.set(input, [start]);
  });
  for (const node of active.order) {
    if (!active.nodes.has(node)) continue;
    const { derivative } = opOf(node);
    const tuple = node.args[0];
    if (isNodeOf(node, element) && tuple !== undefined) {
      add(node, [flows.get(tuple)?.[node.attrs.index]], [masks.get(tuple)?.[node.attrs.index]]);
      continue;
    }
    // A flow of a tuple has no single tangent: only `element` takes one.
    const args = node.args.map((arg) => (isTensorNode(arg) ? flows.get(arg)?.[0] : undefined));
    if (args.every((arg) => arg === undefined)) continue;
    if (derivative.kind === 'none') context.refuse(node, derivative.reason);
    if (derivative.kind !== 'rules') continue;
    build.at(backwardOrigin(node, build), () => {
      const isMasked = node.args.some((arg) => masks.get(arg)?.[0] !== undefined);
      const zeros = regionsOf(node).length > 0 && (isMasked || leavesZeros(node));
      if (zeros || (!choosesBranches(derivative) && !isMasked)) {
        // Of a region all flows come at once: nobody knows which result is 0 because of which.
        const on = derivative.jvp(node, args, build, inside(node, isMasked, modes, context));
        add(node, on, zeros ? on.map(() => 'zeros') : []);
        return;
      }
      // What comes from each argument has a mask of its own.
      for (const [which, arg] of node.args.entries()) {
        const from = args[which];
        if (from === undefined) continue;
        const alone = args.map((one, at) => (at === which ? one : undefined));
        const reached = forwards(node, derivative, which, masks.get(arg)?.[0], build, modes);
        const on = derivative.jvp(node, alone, build, modes);
        add(
          node,
          on.map((one, at) => guarded(node, derivative, one, reached[at], [from], build)),
          reached,
        );
      }
    });
  }
  return results.map((result) => flows.get(result)?.[0]);
}

const resultTypes = (node: Node): readonly TensorType[] => (node.type.kind === 'tuple' ? node.type.items : [node.type]);

/** The forward node's place, marked backward; without one, the place of the derivative. */
function backwardOrigin(node: Node, build: GraphBuilder): Origin | undefined {
  const forwards = build.originsOf(node);
  const written = forwards.filter((one) => !one.backward);
  const origin = written.find((one) => one.entry === build.origin?.entry) ?? written[0] ?? forwards[0] ?? build.origin;
  return origin === undefined ? undefined : { ...origin, backward: true };
}
