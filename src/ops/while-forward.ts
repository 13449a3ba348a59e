// Forward mode through a loop with a condition. In: tangents of the initial values and captures. Out: tangents of the results.
// Holds: one loop carries each value together with its tangent; the condition asks values alone, so the rounds are those of the loop
// itself.

import type { GraphBuilder, Node, TensorNode } from '../graph/index.js';
import { apply, tensorOf } from './apply.js';
import type { Modes } from './define.js';
import { item, zeros } from './make.js';
import { movingCarries } from './moving-carries.js';
import { closeTogether, inlineRegion, placeholder } from './region.js';
import { whileLoop, type WhileAttrs } from './while.js';

export interface Pushed {
  /** Its arguments: initial values, tangents of those that move, captures, and the rest. */
  readonly loop: Node<WhileAttrs>;
  /** Carries that have a tangent, in order: these tangents are its carries behind those of the loop itself. */
  readonly moving: readonly number[];
}

/** The loop that carries tangents as well; undefined where nothing moves. */
export function pushed(
  node: Node<WhileAttrs>,
  tangents: readonly (TensorNode | undefined)[],
  build: GraphBuilder,
  modes: Modes,
): Pushed | undefined {
  const { carries, condition, body } = node.attrs;
  const args = node.args.map(tensorOf);
  const params = body.params.map((type) => placeholder(build, type));
  const results = inlineRegion(build, body, params);
  const { tangents: found, moving, fixed, direction, known } = movingCarries({ args, carries, params, results }, tangents, build, modes);
  if (moving.length === 0) return undefined;
  const inner = [...params.slice(0, 1 + carries), ...moving.map(direction), ...params.slice(1 + carries), ...fixed.map(direction)];
  const next = [...results, ...moving.map((at) => found[at] ?? zeros(build, (args[at] as TensorNode).type))];
  const { regions, captures } = closeTogether(build, inner, [inlineRegion(build, condition, params), next]);
  const [asked, both] = regions as [WhileAttrs['condition'], WhileAttrs['body']];
  const loop = apply(
    build,
    whileLoop,
    [...args.slice(0, carries), ...moving.map(known), ...args.slice(carries), ...fixed.map(known), ...captures],
    { ...node.attrs, carries: carries + moving.length, condition: asked, body: both },
  );
  return { loop, moving };
}

export function whileJvp(
  node: Node<WhileAttrs>,
  tangents: readonly (TensorNode | undefined)[],
  build: GraphBuilder,
  modes: Modes,
): readonly (TensorNode | undefined)[] {
  const { carries } = node.attrs;
  const made = pushed(node, tangents, build, modes);
  const results = node.type.kind === 'tuple' ? node.type.items : [node.type];
  return results.map((_, at) => {
    const place = made === undefined || at >= carries ? -1 : made.moving.indexOf(at);
    return place < 0 ? undefined : item(build, (made as Pushed).loop, carries + place);
  });
}
