// A counted loop. In: initial values of the carries, captures; the body over (i: i32, carries…, captures…) → (carries…, ys…).
// Out: (carries after the last iteration…, ys stacked along a new first axis…). Holds: a trip count of 0 gives the initial values and empty
// stacks.

import { Dim, limits, type Shape } from '../base/index.js';
import { type GraphBuilder, type Region, tensor, tensorEquals, type TensorNode, type TensorType, typeToString } from '../graph/index.js';
import { applyTensor } from './apply.js';
import { cast, type CastAttrs } from './cast.js';
import { defineOp, type Op } from './define.js';
import { loopJvp } from './loop-forward.js';
import { loopVjp } from './loop-backward.js';
import { writeLoop } from './loop-written.js';
import { spread } from './make.js';
import { isProblem, problem, tensors } from './problem.js';
import { closeRegion, placeholder } from './region.js';
import { scalars } from './scalars.js';
import { countOf, emptyValue, get, put, tensorAt, tensorValue } from './value.js';

export type LoopAttrs = { readonly trip: Dim; readonly carries: number; readonly body: Region };

/** The body x → sin x · a + i for samples, which stacks x as well. */
export function recurrence(build: GraphBuilder, shape: Shape): Region {
  const [i, x, a] = [tensor('i32'), tensor('f64', shape), tensor('f64', shape)].map((type) => placeholder(build, type)) as [
    TensorNode,
    TensorNode,
    TensorNode,
  ];
  const count = spread(build, applyTensor<CastAttrs>(build, cast, [i], { dtype: 'f64' }), shape);
  return closeRegion(build, [i, x, a], [scalars.add(build, scalars.mul(build, scalars.sin(build, x), a), count), x]).region;
}

export const loop: Op<LoopAttrs> = defineOp<LoopAttrs>({
  name: 'loop',
  doc: 'Repeats a region a known number of times.',
  type(types, { trip, carries, body }) {
    const args = types.length === 0 ? [] : tensors('loop', types);
    if (isProblem(args)) return args;
    if (carries < 0 || carries > args.length || body.results.length < carries)
      return problem('type-mismatch', `a loop of ${carries} carries with ${args.length} arguments and ${body.results.length} results`);
    const expected: readonly TensorType[] = [tensor('i32'), ...args];
    if (expected.length !== body.params.length || expected.some((one, at) => !tensorEquals(one, body.params[at] as TensorType))) {
      return problem(
        'type-mismatch',
        `the body of the loop takes (${body.params.map(typeToString).join(', ')}), but is given (${expected.map(typeToString).join(', ')})`,
      );
    }
    for (let at = 0; at < carries; at++) {
      const [before, after] = [args[at] as TensorType, (body.results[at] as (typeof body.results)[number]).type];
      if (!tensorEquals(before, after)) {
        return problem(
          before.dtype === after.dtype ? 'shape-mismatch' : 'dtype-mismatch',
          `the loop starts with ${typeToString(before)}, and its body gives ${typeToString(after)}`,
          [at],
        );
      }
    }
    if ((trip.constant ?? 0) < 0) return problem('invalid-value', `a loop of ${trip} iterations`);
    const stacked = body.results.slice(carries).map(({ type }) => tensor(type.dtype, [trip, ...type.shape]));
    return { kind: 'tuple', items: [...args.slice(0, carries), ...stacked] };
  },
  derivative: { kind: 'rules', vjp: loopVjp, jvp: loopJvp },
  evaluate(args, { attrs, type, shape, size, region }) {
    const values = args.map((_, at) => tensorAt(args, at));
    let carries = values.slice(0, attrs.carries);
    const captures = values.slice(attrs.carries);
    const stacks = (type.kind === 'tuple' ? type.items.slice(attrs.carries) : []).map((one) => emptyValue(one.dtype, shape(one)));
    const trip = size(attrs.trip);
    for (let i = 0; i < trip; i++) {
      const results = region(attrs.body, [tensorValue('i32', [], [i]), ...carries, ...captures]);
      carries = results.slice(0, attrs.carries);
      for (const [at, y] of results.slice(attrs.carries).entries()) {
        const stack = stacks[at] as (typeof stacks)[number];
        const width = countOf(y.shape);
        for (let one = 0; one < width; one++) put(stack, i * width + one, get(y, one));
      }
    }
    return [...carries, ...stacks];
  },
  lowering: { kind: 'loop' },
  write: writeLoop,
  counts: ({ attrs }) => ({ size: attrs.trip, most: limits.rounds }),
  samples: () =>
    [
      { trip: 3, shape: [4] },
      { trip: 1, shape: [] },
      { trip: 0, shape: [2, 2] },
    ].map(({ trip, shape }) => ({
      args: [
        { dtype: 'f64', shape },
        { dtype: 'f64', shape },
      ],
      attrs: (build) => ({ trip: Dim.of(trip), carries: 1, body: recurrence(build, shape.map(Dim.of)) }),
    })),
});
