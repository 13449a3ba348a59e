// Samples of ops as nodes and values. In: an op and a sample. Out: a node over arguments, and their values. Holds: the same numbers in
// every run.

import { Dim, isFloat, isWide } from '../../src/base/index.js';
import { type Attrs, GraphBuilder, type Node, type TensorNode } from '../../src/graph/index.js';
import {
  apply,
  argument,
  item,
  type Op,
  registry,
  type Sample,
  type SampleArgument,
  tabulate,
  type TensorValue,
  tensorOf,
  tensorValue,
} from '../../src/ops/index.js';

export interface Case {
  readonly op: Op;
  readonly sample: Sample<Node['attrs']>;
  readonly text: string;
}

/** Every sample of every op. */
export const cases: readonly Case[] = [...registry.values()].flatMap((op) =>
  op.samples().map((sample, at) => ({
    op,
    sample,
    text: `${op.name} #${at}: ${sample.args.map((arg) => `${arg.dtype}[${arg.shape.join(', ')}]`).join(', ')}`,
  })),
);

/** Numbers in [0, 1), from a multiplicative congruential generator (Park and Miller's). */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

export function valueOf({ dtype, shape, range, values }: SampleArgument, next: () => number): TensorValue {
  if (values !== undefined) return tensorValue(dtype, shape, isWide(dtype) ? values.map(BigInt) : values);
  const [low, high] = range ?? (dtype === 'bool' ? [0, 1] : [-2, 2]);
  return tabulate(dtype, shape, () => {
    const x = low + (high - low) * next();
    if (isFloat(dtype)) return x;
    const whole = Math.min(high, low + Math.floor((high - low + 1) * next()));
    return isWide(dtype) ? BigInt(whole) : whole;
  });
}

/** The node of an op by a sample, over arguments that are as the sample says. */
export function sampled(
  build: GraphBuilder,
  op: Op,
  { attrs, on }: Pick<Sample<Attrs>, 'attrs' | 'on'>,
  args: readonly TensorNode[],
): Node {
  return apply(build, op, on?.(build, args) ?? args, typeof attrs === 'function' ? attrs(build) : attrs);
}

export interface Built {
  readonly build: GraphBuilder;
  readonly args: readonly TensorNode[];
  readonly made: Node;
  /** What was made, or the first item of it. */
  readonly node: TensorNode;
  readonly values: readonly TensorValue[];
}

export function built({ op, sample }: Case, seed = 1): Built {
  const build = new GraphBuilder();
  const next = numbers(seed);
  const args = sample.args.map(({ dtype, shape }, index) =>
    tensorOf(apply(build, argument, [], { index, dtype, shape: shape.map(Dim.of) })),
  );
  const made = sampled(build, op, sample, args);
  return {
    build,
    args,
    made,
    node: made.type.kind === 'tuple' ? item(build, made, 0) : tensorOf(made),
    values: sample.args.map((arg) => valueOf(arg, next)),
  };
}
