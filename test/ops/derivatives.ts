// Checks of derivatives by numbers. In: a result over arguments, and their values. Out: differences between what must be equal.
// Holds: everything in f64; the pieces are each op's own rules, put together by the passes' two modes.

import { isFloat } from '../../src/base/index.js';
import type { GraphBuilder, TensorNode } from '../../src/graph/index.js';
import { evaluateNodes } from '../../src/eval/index.js';
import { argument, apply, tabulate, tensorOf, type TensorValue } from '../../src/ops/index.js';
import { modesOver } from '../../src/passes/modes.js';

export const modesFor = (build: GraphBuilder) =>
  modesOver({
    build,
    refuse(node, reason) {
      throw new Error(`${node.op.name}: ${reason}`);
    },
  });

const dot = (a: TensorValue, b: TensorValue): number =>
  Array.from(a.data as Float64Array).reduce((sum, x, at) => sum + x * (b.data[at] as number), 0);

const plus = (a: TensorValue, b: TensorValue, scale: number): TensorValue => ({
  ...a,
  data: (a.data as Float64Array).map((x, at) => x + scale * (b.data[at] as number)),
});

export interface Check {
  /** ⟨g, (f(x + hv) − f(x − hv)) / 2h⟩, extrapolated. */
  readonly difference: number;
  /** ⟨g, J v⟩. */
  readonly forward: number;
  /** ⟨Jᵀ g, v⟩. */
  readonly backward: number;
}

/** The derivative of `node` along one direction of all float arguments, against one cotangent, three ways. */
export function check(
  build: GraphBuilder,
  node: TensorNode,
  args: readonly TensorNode[],
  values: readonly TensorValue[],
  next: () => number,
): Check {
  const inputs = args.filter((arg) => isFloat(arg.type.dtype));
  const which = inputs.map((input) => args.indexOf(input));
  const random = (like: TensorValue): TensorValue => tabulate(like.dtype, like.shape, () => next() * 2 - 1);
  const at = (moved: readonly TensorValue[]): TensorValue => evaluateNodes([node], { args: moved })[0] as TensorValue;
  const directions = which.map((index) => random(values[index] as TensorValue));
  const cotangent = random(at(values));
  const central = (h: number): number => {
    const shifted = (scale: number) =>
      values.map((value, index) => (which.includes(index) ? plus(value, directions[which.indexOf(index)] as TensorValue, scale) : value));
    return (dot(cotangent, at(shifted(h))) - dot(cotangent, at(shifted(-h)))) / (2 * h);
  };
  const modes = modesFor(build);
  const hole = (value: TensorValue, index: number): TensorNode => {
    const shape = (index === args.length + which.length ? node.type : (args[which[index - args.length] as number] as TensorNode).type)
      .shape;
    return tensorOf(apply(build, argument, [], { index, dtype: value.dtype, shape }));
  };
  const tangents = directions.map((value, index) => hole(value, args.length + index));
  const seed = hole(cotangent, args.length + directions.length);
  const environment = { args: [...values, ...directions, cotangent] };
  const [pushed] = modes.jvp([node], inputs, tangents);
  const pulled = modes.vjp([node], [seed], inputs);
  const forward = pushed === undefined ? 0 : dot(cotangent, evaluateNodes([pushed], environment)[0] as TensorValue);
  const backward = pulled.reduce(
    (sum, one, index) =>
      sum + (one === undefined ? 0 : dot(directions[index] as TensorValue, evaluateNodes([one], environment)[0] as TensorValue)),
    0,
  );
  // Richardson's extrapolation: the error falls with the fourth power of the step.
  const h = 1e-3;
  return { difference: (4 * central(h / 2) - central(h)) / 3, forward, backward };
}
