// Forward mode through a loop. In: tangents of the initial values and captures. Out: tangents of the results.
// Holds: one loop carries each value together with its tangent; carries that no tangent reaches have none.

import type { GraphBuilder, Node, TensorNode, TensorType } from '../graph/index.js';
import { apply, tensorOf } from './apply.js';
import type { Modes } from './define.js';
import { isDifferentiable, item, zeros } from './make.js';
import { loop, type LoopAttrs } from './loop.js';
import { closeRegion, inlineRegion, placeholder } from './region.js';

export function loopJvp(
  node: Node<LoopAttrs>,
  tangents: readonly (TensorNode | undefined)[],
  build: GraphBuilder,
  modes: Modes,
): readonly (TensorNode | undefined)[] {
  const { trip, carries, body } = node.attrs;
  const args = node.args.map(tensorOf);
  const active = new Set<number>(
    [...tangents.keys()].filter((at) => tangents[at] !== undefined && isDifferentiable((args[at] as TensorNode).type)),
  );
  const params = body.params.map((type) => placeholder(build, type));
  const directions = args.map((arg) => placeholder(build, arg.type));
  const results = inlineRegion(build, body, params);
  let pushed: readonly (TensorNode | undefined)[] = [];
  // A carry that gets a tangent inside has one in the next iteration: until no more do.
  for (let grown = true; grown;) {
    pushed = modes.jvp(
      results,
      params,
      params.map((_, at) => (at > 0 && active.has(at - 1) ? directions[at - 1] : undefined)),
    );
    grown = false;
    for (let at = 0; at < carries; at++) {
      if (pushed[at] !== undefined && !active.has(at)) {
        active.add(at);
        grown = true;
      }
    }
  }
  const moving = [...active].filter((at) => at < carries).sort((a, b) => a - b);
  const fixed = [...active].filter((at) => at >= carries).sort((a, b) => a - b);
  const known = (at: number): TensorNode => tangents[at] ?? zeros(build, (args[at] as TensorNode).type);
  const direction = (at: number): TensorNode => directions[at] as TensorNode;

  const inner = [...params.slice(0, 1 + carries), ...moving.map(direction), ...params.slice(1 + carries), ...fixed.map(direction)];
  const ys = results.slice(carries);
  const stackedTangents = ys.map((_, at) => at).filter((at) => pushed[carries + at] !== undefined);
  const next = [
    ...results.slice(0, carries),
    ...moving.map((at) => pushed[at] ?? zeros(build, body.params[at + 1] as TensorType)),
    ...stackedTangents.map((at) => pushed[carries + at] as TensorNode),
  ];
  // What depends on no parameter (a slope of constants) is captured anew.
  const closed = closeRegion(build, inner, next);
  const made = apply(
    build,
    loop,
    [...args.slice(0, carries), ...moving.map(known), ...args.slice(carries), ...fixed.map(known), ...closed.captures],
    { trip, carries: carries + moving.length, body: closed.region },
  );
  const tangentOf = (at: number): TensorNode | undefined => {
    if (at < carries) return active.has(at) ? item(build, made, carries + moving.indexOf(at)) : undefined;
    const place = stackedTangents.indexOf(at - carries);
    return place < 0 ? undefined : item(build, made, carries + moving.length + place);
  };
  return body.results.map((_, at) => tangentOf(at));
}
