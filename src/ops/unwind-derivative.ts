// Derivatives of the way back through a loop. In: cotangents or tangents. Out: those of the arguments, or of the results.
// Holds: they are made of the loop once more, with tangents, and of the way back through that: nothing nests with every further derivative
// (see the note).

import { type GraphBuilder, type Node, tensor, type TensorNode } from '../graph/index.js';
import { apply, tensorOf } from './apply.js';
import type { Modes } from './define.js';
import { item, zeros } from './make.js';
import { closeTogether, inlineRegion, placeholder } from './region.js';
import { scalars } from './scalars.js';
import { unwind, type UnwindAttrs } from './unwind.js';
import { whileLoop, type WhileAttrs } from './while.js';
import { whileVjp } from './while-backward.js';
import { pushed, type Pushed } from './while-forward.js';

type Flow = readonly (TensorNode | undefined)[];

interface Parts {
  readonly inits: readonly TensorNode[];
  readonly captures: readonly TensorNode[];
  /** Cotangents of the active carries. */
  readonly cotangents: readonly TensorNode[];
}

function partsOf(node: Node<UnwindAttrs>): Parts {
  const { carries, captures, active } = node.attrs;
  const args = node.args.slice(1).map(tensorOf);
  const states = carries + captures;
  return { inits: args.slice(0, carries), captures: args.slice(carries, states), cotangents: args.slice(states, states + active.length) };
}

/** The loop whose way back this is, with a tangent for some of its arguments. */
function pushedLoop(node: Node<UnwindAttrs>, tangents: Flow, build: GraphBuilder, modes: Modes): Pushed | undefined {
  const { carries, forward, limit } = node.attrs;
  const { inits, captures } = partsOf(node);
  const params = forward.params.map((type) => placeholder(build, type));
  const rounds = placeholder(build, tensor('i32'));
  const { regions, captures: more } = closeTogether(
    build,
    [...params, rounds],
    [[scalars.lt(build, params[0] as TensorNode, rounds)], inlineRegion(build, forward, params)],
  );
  const [condition, body] = regions as [WhileAttrs['condition'], WhileAttrs['body']];
  const loop = apply(build, whileLoop, [...inits, ...captures, tensorOf(node.args[0] as Node), ...more], {
    carries,
    condition,
    body,
    limit,
    limited: true,
  });
  return pushed(loop, tangents, build, modes);
}

/** What the tangents of the loop's results give back to its initial values and captures, for the cotangents of the active carries. */
function crossed(node: Node<UnwindAttrs>, made: Pushed | undefined, build: GraphBuilder, modes: Modes): { inits: Flow; captures: Flow } {
  const { carries, captures, active } = node.attrs;
  const { cotangents } = partsOf(node);
  if (made === undefined) return { inits: [], captures: [] };
  const { loop, moving } = made;
  const flow: (TensorNode | undefined)[] = Array<undefined>(loop.attrs.carries).fill(undefined);
  for (const [at, carry] of active.entries()) {
    const place = moving.indexOf(carry);
    if (place >= 0) flow[carries + place] = cotangents[at];
  }
  if (flow.every((one) => one === undefined)) return { inits: [], captures: [] };
  const back = whileVjp(loop, flow, build, modes, tensorOf(node.args[0] as Node));
  const start = carries + moving.length;
  return { inits: back.slice(0, carries), captures: back.slice(start, start + captures) };
}

export function unwindVjp(node: Node<UnwindAttrs>, cotangents: Flow, build: GraphBuilder, modes: Modes): Flow {
  const { carries, captures, active, sums } = node.attrs;
  const directions: (TensorNode | undefined)[] = Array<undefined>(carries + captures + 1).fill(undefined);
  for (const [at, carry] of active.entries()) directions[carry] = cotangents[at];
  for (const [at, capture] of sums.entries()) directions[carries + capture] = cotangents[active.length + at];
  const made = pushedLoop(node, directions, build, modes);
  const through = crossed(node, made, build, modes);
  return node.args.map((_, place) => {
    const at = place - 1;
    if (at < 0) return undefined;
    if (at < carries) return through.inits[at];
    if (at < carries + captures) return through.captures[at - carries];
    const carry = active[at - carries - captures];
    const moves = carry === undefined || made === undefined ? -1 : made.moving.indexOf(carry);
    return moves < 0 ? undefined : item(build, (made as Pushed).loop, carries + moves);
  });
}

export function unwindJvp(node: Node<UnwindAttrs>, tangents: Flow, build: GraphBuilder, modes: Modes): Flow {
  const { carries, captures, active, sums } = node.attrs;
  const first = 1 + carries + captures;
  const through = crossed(node, pushedLoop(node, [...tangents.slice(1, first), undefined], build, modes), build, modes);
  const moved = tangents.slice(first, first + active.length);
  const linear = moved.some((one) => one !== undefined)
    ? apply(
        build,
        unwind,
        node.args.map((arg, place) => {
          const at = place - first;
          return at < 0 || at >= active.length ? arg : (moved[at] ?? zeros(build, tensorOf(arg).type));
        }),
        node.attrs,
      )
    : undefined;
  return [...active.map((carry) => through.inits[carry]), ...sums.map((capture) => through.captures[capture])].map((crossing, at) => {
    const along = linear === undefined ? undefined : item(build, linear, at);
    return crossing === undefined || along === undefined ? (crossing ?? along) : scalars.add(build, crossing, along);
  });
}

/* Note: derivatives of the way back.
   The rounds map initial values z and captures p to z' = f(z, p). The way back is R(z, p, w) = the derivative of ⟨w, f(z, p)⟩ with respect
   to z and p. For directions a of z and b of p let f˙ be the tangent of f along (a, b): the loop with tangents gives it. Then

     ⟨(a, b), R(z, p, w)⟩ = ⟨w, f˙(z, p)⟩,

   so what cotangents (a, b) of R give to w is f˙, and what they give to z and p is the way back from f˙ for the cotangent w. The same loop
   with tangents (a, b) says how R changes when z and p do, since derivatives of ⟨w, f⟩ by the arguments and along (a, b) may be taken in
   either order; R is linear in w. (Griewank and Walther, "Evaluating Derivatives", chapter 5, on adjoints of tangents.) */
