// Ops for axes more. In: every sample of every op that has such a form. Out: over stacks of arguments it computes what the op does of each.

import { expect, it } from 'vitest';
import { Dim, type Shape } from '../../src/base/index.js';
import { evaluateNodes } from '../../src/eval/index.js';
import { GraphBuilder, type Node, type Type } from '../../src/graph/index.js';
import { apply, argument, item, opOf, type TensorValue, tensorOf, tensorValue } from '../../src/ops/index.js';
import { built, type Case, cases, numbers, sampled, valueOf } from './samples.js';

const itemsOf = (type: Type): readonly Type[] => (type.kind === 'tuple' ? type.items : [type]);

/** All results of a node, which is made of arguments of these values. */
function results(build: GraphBuilder, made: Node, args: readonly TensorValue[]): TensorValue[] {
  const nodes = itemsOf(made.type).map((_, at) => (made.type.kind === 'tuple' ? item(build, made, at) : tensorOf(made)));
  return evaluateNodes(nodes, { args: [...args] });
}

const argumentsOf = (build: GraphBuilder, values: readonly TensorValue[]): Node[] =>
  values.map(({ dtype, shape }, index) => apply(build, argument, [], { index, dtype, shape: shape.map(Dim.of) }));

/** As many values behind each other, along axes `prefix`. */
function stacked(prefix: readonly number[], values: readonly TensorValue[]): TensorValue {
  const [{ dtype, shape }] = values as [TensorValue];
  return tensorValue(
    dtype,
    [...prefix, ...shape],
    values.flatMap(({ data }) => [...data] as (number | bigint)[]),
  );
}

const prefix = [2, 3];

function check({ op, sample }: Case): void {
  const next = numbers(11);
  const each = prefix.reduce((product, size) => product * size, 1);
  const rounds = Array.from({ length: each }, () => {
    const build = new GraphBuilder();
    const values = sample.args.map((one) => valueOf(one, next));
    const args = argumentsOf(build, values).map(tensorOf);
    const made = sampled(build, op, sample, args);
    // What the op itself is applied to: a sample may make it of its arguments first.
    const own = evaluateNodes(made.args.map(tensorOf), { args: values });
    return { own, attrs: made.attrs, results: results(build, made, values) };
  });
  const [first] = rounds as [(typeof rounds)[number]];
  const build = new GraphBuilder();
  const whole = first.own.map((_, at) =>
    stacked(
      prefix,
      rounds.map(({ own }) => own[at] as TensorValue),
    ),
  );
  const attrs = op.batched?.(first.attrs, prefix.map(Dim.of) as Shape);
  const found = results(build, apply(build, op, argumentsOf(build, whole), attrs ?? {}), whole);
  expect(found).toEqual(
    first.results.map((_, at) =>
      stacked(
        prefix,
        rounds.map((round) => round.results[at] as TensorValue),
      ),
    ),
  );
}

const having = cases.filter(
  ({ op, sample }) => op.batched !== undefined && sample.args.length > 0 && opOf(built({ op, sample, text: '' }).made) === op,
);

it.each(having.map((one) => [one.text, one] as const))('%s', (_, one) => {
  check(one);
});
