// Forward mode through a loop. In: tangents of the initial values and captures. Out: tangents of the results.
// Holds: one loop carries each value together with its tangent; carries that no tangent reaches have none.

import type { GraphBuilder, Node, TensorNode, TensorType } from '../graph/index.js';
import { apply, tensorOf } from './apply.js';
import type { Modes } from './define.js';
import { item, zeros } from './make.js';
import { loop, type LoopAttrs } from './loop.js';
import { movingCarries } from './moving-carries.js';
import { closeRegion, inlineRegion, placeholder } from './region.js';

export function loopJvp(
  node: Node<LoopAttrs>,
  tangents: readonly (TensorNode | undefined)[],
  build: GraphBuilder,
  modes: Modes,
): readonly (TensorNode | undefined)[] {
  const { trip, carries, body } = node.attrs;
  const args = node.args.map(tensorOf);
  const params = body.params.map((type) => placeholder(build, type));
  const results = inlineRegion(build, body, params);
  const { tangents: pushed, moving, fixed, direction, known } = movingCarries({ args, carries, params, results }, tangents, build, modes);
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
    if (at < carries) return moving.includes(at) ? item(build, made, carries + moving.indexOf(at)) : undefined;
    const place = stackedTangents.indexOf(at - carries);
    return place < 0 ? undefined : item(build, made, carries + moving.length + place);
  };
  return body.results.map((_, at) => tangentOf(at));
}
