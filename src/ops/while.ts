// A loop that runs as long as a condition holds. In: initial values of the carries, captures; the condition and the body, both over
// (i: i32, carries…, captures…), where i counts rounds. Out: (carries behind the last round…, how many rounds ran: i32, whether `limit`
// rounds ran and the condition still holds: bool).
// Holds: condition and body have the same parameters; a loop whose condition is false at once hands its initial values on. A `fold` whose
// bound is a value has the condition i < bound.

import { Dim, limits, type Shape } from '../base/index.js';
import { type GraphBuilder, type Region, tensor, tensorEquals, type TensorNode, type TensorType, typeToString } from '../graph/index.js';
import { defineOp, type Op } from './define.js';
import { recurrence } from './loop.js';
import { writeWhile } from './loop-written.js';
import { isProblem, problem, tensors } from './problem.js';
import { closeTogether, inlineRegion, placeholder } from './region.js';
import { scalars } from './scalars.js';
import { get, tensorAt, tensorValue } from './value.js';
import { whileVjp } from './while-backward.js';
import { whileJvp } from './while-forward.js';

export type WhileAttrs = {
  readonly carries: number;
  readonly condition: Region;
  readonly body: Region;
  /** Most rounds. */
  readonly limit: number;
  /** Whether the limit is the program's, or the bound that a fold has: reverse mode records the rounds. */
  readonly limited: boolean;
};

export const whileLoop: Op<WhileAttrs> = defineOp<WhileAttrs>({
  name: 'while',
  doc: 'Repeats a region as long as a condition holds.',
  type(types, { carries, condition, body, limit }) {
    const args = types.length === 0 ? [] : tensors('while', types);
    if (isProblem(args)) return args;
    if (carries < 0 || carries > args.length || body.results.length !== carries || condition.results.length !== 1)
      return problem('type-mismatch', `a loop of ${carries} carries with ${args.length} arguments and ${body.results.length} results`);
    const expected: readonly TensorType[] = [tensor('i32'), ...args];
    for (const region of [condition, body])
      if (expected.length !== region.params.length || expected.some((one, at) => !tensorEquals(one, region.params[at] as TensorType)))
        return problem(
          'type-mismatch',
          `a region of the loop takes (${region.params.map(typeToString).join(', ')}), but is given (${expected.map(typeToString).join(', ')})`,
        );
    const asked = (condition.results[0] as TensorNode).type;
    if (!tensorEquals(asked, tensor('bool')))
      return problem('type-mismatch', `the loop asks ${typeToString(asked)}, which is not one bool`);
    for (let at = 0; at < carries; at++) {
      const [before, after] = [args[at] as TensorType, (body.results[at] as TensorNode).type];
      if (!tensorEquals(before, after))
        return problem(
          before.dtype === after.dtype ? 'shape-mismatch' : 'dtype-mismatch',
          `the loop starts with ${typeToString(before)}, and its body gives ${typeToString(after)}`,
          [at],
        );
    }
    if (!Number.isInteger(limit) || limit < 0 || limit > limits.rounds)
      return problem('invalid-value', `a loop of at most ${limit} rounds`);
    return { kind: 'tuple', items: [...args.slice(0, carries), tensor('i32'), tensor('bool')] };
  },
  derivative: {
    kind: 'rules',
    vjp: whileVjp,
    jvp: whileJvp,
    irreversible: ({ attrs }) =>
      attrs.limited
        ? undefined
        : {
            reason: 'reverse mode records every round, and without a limit nobody knows how many there may be',
            hint: 'bound the rounds (`while … with z = a limit 100 { … }`), or write a `vjp` rule for the function',
          },
  },
  evaluate(args, { attrs, region }) {
    const values = args.map((_, at) => tensorAt(args, at));
    const captures = values.slice(attrs.carries);
    let carries = values.slice(0, attrs.carries);
    let rounds = 0;
    let goesOn = true;
    for (; ; rounds++) {
      const given = [tensorValue('i32', [], [rounds]), ...carries, ...captures];
      const [asked] = region(attrs.condition, given);
      goesOn = asked !== undefined && Number(get(asked, 0)) !== 0;
      if (!goesOn || rounds >= attrs.limit) break;
      carries = region(attrs.body, given);
    }
    return [...carries, tensorValue('i32', [], [rounds]), tensorValue('bool', [], [goesOn ? 1 : 0])];
  },
  lowering: { kind: 'loop' },
  write: writeWhile,
  samples: () =>
    [
      { rounds: 3, limit: 8, shape: [4] },
      { rounds: 5, limit: 2, shape: [] },
      { rounds: 0, limit: 8, shape: [2, 2] },
    ].map(({ rounds, limit, shape }) => ({
      args: [
        { dtype: 'f64', shape },
        { dtype: 'f64', shape },
        { dtype: 'i32', shape: [], values: [rounds] },
      ],
      attrs: (build) => ({ carries: 1, ...boundedRecurrence(build, shape.map(Dim.of)), limit, limited: true }),
    })),
});

/** x → sin x · a + i while i < bound, over (i, x, a, bound), for samples. */
export function boundedRecurrence(build: GraphBuilder, shape: Shape): Pick<WhileAttrs, 'condition' | 'body'> {
  const params = [tensor('i32'), tensor('f64', shape), tensor('f64', shape), tensor('i32')].map((type) => placeholder(build, type));
  const [i, x, a, bound] = params as [TensorNode, TensorNode, TensorNode, TensorNode];
  const next = inlineRegion(build, recurrence(build, shape), [i, x, a])[0] as TensorNode;
  const [condition, body] = closeTogether(build, params, [[scalars.lt(build, i, bound)], [next]]).regions as [Region, Region];
  return { condition, body };
}
