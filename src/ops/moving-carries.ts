// Which carries of a loop move with its tangents. In: a loop's body as nodes, tangents of its arguments. Out: tangents of what the body
// gives, and the arguments that have one. Holds: a carry that gets a tangent inside has one in the next round: until no more do.

import type { GraphBuilder, TensorNode } from '../graph/index.js';
import type { Modes } from './define.js';
import { isDifferentiable, zeros } from './make.js';
import { placeholder } from './region.js';

export interface Moving {
  /** Tangents of the body's results; undefined for those that do not move. */
  readonly tangents: readonly (TensorNode | undefined)[];
  /** Positions of carries, and of captures, that have a tangent, in order. */
  readonly moving: readonly number[];
  readonly fixed: readonly number[];
  /** The tangent of an argument inside of the body, and outside: zeros where it starts without one. */
  readonly direction: (at: number) => TensorNode;
  readonly known: (at: number) => TensorNode;
}

/** `params`: the counter, then a node for each of `args`: initial values of `carries` carries, then captures. `results`: of these. */
export function movingCarries(
  {
    args,
    carries,
    params,
    results,
  }: {
    readonly args: readonly TensorNode[];
    readonly carries: number;
    readonly params: readonly TensorNode[];
    readonly results: readonly TensorNode[];
  },
  tangents: readonly (TensorNode | undefined)[],
  build: GraphBuilder,
  modes: Modes,
): Moving {
  const active = new Set<number>(
    [...tangents.keys()].filter((at) => tangents[at] !== undefined && isDifferentiable((args[at] as TensorNode).type)),
  );
  const directions = args.map((arg) => placeholder(build, arg.type));
  let found: readonly (TensorNode | undefined)[] = [];
  for (let grown = true; grown;) {
    found = modes.jvp(
      results,
      params,
      params.map((_, at) => (at > 0 && active.has(at - 1) ? directions[at - 1] : undefined)),
    );
    grown = false;
    for (let at = 0; at < carries; at++) {
      if (found[at] === undefined || active.has(at)) continue;
      active.add(at);
      grown = true;
    }
  }
  const order = [...active].sort((a, b) => a - b);
  return {
    tangents: found,
    moving: order.filter((at) => at < carries),
    fixed: order.filter((at) => at >= carries),
    direction: (at) => directions[at] as TensorNode,
    known: (at) => tangents[at] ?? zeros(build, (args[at] as TensorNode).type),
  };
}
