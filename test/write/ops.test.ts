// Every op as TDSL: what it computes for each of its samples, and its derivatives, written down, compiled again, and evaluated.

import { describe, expect, it } from 'vitest';
import { Dim, isFloat } from '../../src/base/index.js';
import { evaluateNodes } from '../../src/eval/index.js';
import { GraphBuilder, type Node, sourceOf, type TensorNode } from '../../src/graph/index.js';
import { apply, feed, isDifferentiable, item, registry, type TensorValue, tensorOf } from '../../src/ops/index.js';
import { writeFunction } from '../../src/write/index.js';
import { modesFor } from '../ops/derivatives.js';
import { type Case, cases, numbers, sampled, valueOf } from '../ops/samples.js';
import { difference, entryOf, valuesOf } from './agree.js';

interface Fed {
  readonly build: GraphBuilder;
  readonly feeds: readonly TensorNode[];
  readonly values: ReadonlyMap<string, TensorValue>;
  readonly results: readonly TensorNode[];
}

const feedNode = (build: GraphBuilder, name: string, { dtype, shape }: TensorNode['type']): TensorNode =>
  tensorOf(apply(build, feed, [], { name, dtype, shape }));

const itemsOf = (build: GraphBuilder, node: Node): readonly TensorNode[] =>
  node.type.kind === 'tuple' ? node.type.items.map((_, index) => item(build, node, index)) : [tensorOf(node)];

function fed({ op, sample }: Case): Fed {
  const build = new GraphBuilder();
  const next = numbers(5);
  const feeds = sample.args.map(({ dtype, shape }, at) => feedNode(build, `x${at}`, { kind: 'tensor', dtype, shape: shape.map(Dim.of) }));
  const values = new Map(sample.args.map((arg, at) => [`x${at}`, valueOf(arg, next)]));
  return { build, feeds, values, results: itemsOf(build, sampled(build, op, sample, feeds)) };
}

/** Ops that are there after derivatives are written out, of what a program can feed. */
const written = cases.filter(({ op }) => op.lowering.kind !== 'removed' && op.lowering.kind !== 'source');

describe('ops as TDSL', () => {
  it('covers every op that computes something', () => {
    const missing = [...registry.values()].filter(
      ({ lowering, write, check }) => lowering.kind !== 'source' && (lowering.kind !== 'removed' || check !== undefined) && write === undefined,
    );
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it.each(written.map((one) => [one.text, one] as const))('%s', (_, one) => {
    expectSame(fed(one));
  });

  const smooth = written.filter(
    ({ op, sample }) => op.derivative.kind === 'rules' && sample.args.some(({ dtype }) => isFloat(dtype)),
  );
  it.each(smooth.map((one) => [one.text, one] as const))('the derivative of %s', (_, one) => {
    const { build, feeds, values, results } = fed(one);
    const moving = results.filter(({ type }) => isDifferentiable(type));
    const cotangents = moving.map(({ type }, at) => feedNode(build, `g${at}`, type));
    const inputs = feeds.filter(({ type }) => isDifferentiable(type));
    const found = modesFor(build).vjp(moving, cotangents, inputs);
    const pulled = found.filter((node) => node !== undefined);
    if (pulled.length === 0) return;
    const next = numbers(3);
    const all = new Map([
      ...values,
      ...cotangents.map(({ type: { dtype, shape } }, at) => {
        return [`g${at}`, valueOf({ dtype, shape: shape.map((dim) => dim.constant ?? 0), range: [-1, 1] }, next)] as const;
      }),
    ]);
    expectSame({ build, feeds: [...feeds, ...cotangents], values: all, results: pulled });
  });
});

function expectSame({ build, feeds, values, results }: Fed): void {
  const names = feeds.map((node) => {
    const source = sourceOf(node);
    return source?.kind === 'feed' ? source.name : '';
  });
  const { text } = writeFunction({
    name: 'f',
    doc: ['What a sample computes.'],
    build,
    parameters: feeds.map((node, at) => ({ node, path: names[at] as string, shape: node.type.shape })),
    facts: [],
    known: [],
    quotients: [],
    results: results.map((node, at) => ({ name: `y${at}`, node })),
    paths: new Map(),
    entry: 'f',
    file: 'f.tdsl',
    texts: new Map(),
  });
  const expected = evaluateNodes(results, { feeds: values, fails: () => undefined });
  const actual = valuesOf(entryOf(text), values);
  const differences = expected.flatMap((value, at) => difference(actual[at] as TensorValue, value) ?? []);
  expect(differences, text).toEqual([]);
}
