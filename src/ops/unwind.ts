// The way back through a loop whose rounds only run time counts. In: how many rounds ran; initial values of the carries, captures; states
// (cotangents of the active carries, then sums), further captures of the way back. `forward` is one round over (i, carries…, captures…) →
// (carries…), `back` one round backwards over (i, carries…, captures…, states…, further captures…) → (states…). Out: the states.
// Holds: `back` sees the carries before round i, for i from the last round to the first. How many rounds are recorded is the lowering's
// affair: between those that are, carries are computed again, so memory does not grow with the rounds.

import { Dim, limits, type Shape } from '../base/index.js';
import { type GraphBuilder, type Region, tensor, tensorEquals, type TensorNode, type TensorType, typeToString } from '../graph/index.js';
import { defineOp, type Op } from './define.js';
import { writeUnwind } from './loop-written.js';
import { zeros } from './make.js';
import { isProblem, problem, tensors } from './problem.js';
import { closeRegion, placeholder } from './region.js';
import { scalars } from './scalars.js';
import { unwindJvp, unwindVjp } from './unwind-derivative.js';
import { get, tensorAt, tensorValue } from './value.js';

export type UnwindAttrs = {
  readonly carries: number;
  /** Captures of `forward`. */
  readonly captures: number;
  readonly forward: Region;
  readonly back: Region;
  /** Carries that have a cotangent, in order: the first states. */
  readonly active: readonly number[];
  /** Captures of `forward` whose cotangents are summed, in order: the other states, which start as 0. */
  readonly sums: readonly number[];
  /** Most rounds. */
  readonly limit: number;
};

export const unwind: Op<UnwindAttrs> = defineOp<UnwindAttrs>({
  name: 'unwind',
  doc: 'Goes through the rounds of a loop from the last to the first.',
  type(types, { carries, captures, forward, back, active, sums, limit }) {
    const args = types.length === 0 ? [] : tensors('unwind', types);
    if (isProblem(args)) return args;
    const [count, ...rest] = args;
    const states = active.length + sums.length;
    if (count === undefined || !tensorEquals(count, tensor('i32'))) return problem('type-mismatch', 'the rounds are one i32', [0]);
    const given = [tensor('i32'), ...rest];
    for (const [region, takes, gives] of [
      [forward, given.slice(0, 1 + carries + captures), given.slice(1, 1 + carries)],
      [back, given, given.slice(1 + carries + captures, 1 + carries + captures + states)],
    ] as const) {
      if (!sameTypes(takes, region.params))
        return problem('type-mismatch', `a region of the loop takes (${listed(region.params)}), but is given (${listed(takes)})`);
      const found = region.results.map(({ type }) => type);
      if (!sameTypes(found, gives))
        return problem('type-mismatch', `a region of the loop gives (${listed(found)}), not (${listed(gives)})`);
    }
    if (active.some((at) => at >= carries) || sums.some((at) => at >= captures))
      return problem('type-mismatch', `cotangents of carries that a loop of ${carries} carries and ${captures} captures does not have`);
    if (!Number.isInteger(limit) || limit < 0 || limit > limits.rounds)
      return problem('invalid-value', `a loop of at most ${limit} rounds`);
    return { kind: 'tuple', items: given.slice(1 + carries + captures, 1 + carries + captures + states) };
  },
  derivative: { kind: 'rules', vjp: unwindVjp, jvp: unwindJvp },
  evaluate(args, { attrs, region }) {
    const values = args.slice(1).map((_, at) => tensorAt(args, at + 1));
    const { carries, captures } = attrs;
    const states = attrs.active.length + attrs.sums.length;
    const captured = values.slice(carries, carries + captures);
    const counter = (i: number) => tensorValue('i32', [], [i]);
    const rounds = Number(get(tensorAt(args, 0), 0));
    const before = [values.slice(0, carries)];
    for (let i = 0; i + 1 < rounds; i++) before.push(region(attrs.forward, [counter(i), ...(before[i] ?? []), ...captured]));
    let state = values.slice(carries + captures, carries + captures + states);
    const others = values.slice(carries + captures + states);
    for (let i = rounds - 1; i >= 0; i--) state = region(attrs.back, [counter(i), ...(before[i] ?? []), ...captured, ...state, ...others]);
    return state;
  },
  lowering: { kind: 'loop' },
  write: writeUnwind,
  samples: () =>
    [
      { rounds: 3, limit: 2 ** 31 - 1, shape: [4] },
      { rounds: 2, limit: 2, shape: [] },
      { rounds: 0, limit: 8, shape: [2, 2] },
      // More rounds than are recorded.
      { rounds: 700, limit: 2 ** 31 - 1, shape: [] },
    ].map(({ rounds, limit, shape }) => ({
      args: [{ dtype: 'i32', shape: [], values: [rounds] }, ...[0, 1, 2].map(() => ({ dtype: 'f64', shape, range: [0.2, 0.9] }) as const)],
      on: (build, [count, x, a, w]) => [count, x, a, w, zero(build, shape.map(Dim.of))] as TensorNode[],
      attrs: (build) => ({ carries: 1, captures: 1, ...recurrenceBack(build, shape.map(Dim.of)), active: [0], sums: [0], limit }),
    })),
});

const listed = (types: readonly TensorType[]): string => types.map(typeToString).join(', ');
const sameTypes = (some: readonly TensorType[], others: readonly TensorType[]): boolean =>
  some.length === others.length && some.every((one, at) => tensorEquals(one, others[at] as TensorType));

const zero = (build: GraphBuilder, shape: Shape): TensorNode => zeros(build, tensor('f64', shape));

/** The round x → sin x · a and the one back, for samples. */
export function recurrenceBack(build: GraphBuilder, shape: Shape): Pick<UnwindAttrs, 'forward' | 'back'> {
  const [i, x, a, w, sum] = [tensor('i32'), ...Array.from({ length: 4 }, () => tensor('f64', shape))].map((type) =>
    placeholder(build, type),
  ) as [TensorNode, TensorNode, TensorNode, TensorNode, TensorNode];
  const sin = scalars.sin(build, x);
  return {
    forward: closeRegion(build, [i, x, a], [scalars.mul(build, sin, a)]).region,
    back: closeRegion(
      build,
      [i, x, a, w, sum],
      [scalars.mul(build, scalars.mul(build, w, a), scalars.cos(build, x)), scalars.add(build, sum, scalars.mul(build, w, sin))],
    ).region,
  };
}
