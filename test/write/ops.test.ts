// Every op as TDSL: what it computes for each of its samples, and its derivatives, written down, compiled again, and evaluated.

import { describe, expect, it } from 'vitest';
import { Dim, isFloat } from '../../src/base/index.js';
import { evaluateNodes } from '../../src/eval/index.js';
import { type Entry, GraphBuilder, type Node, sourceOf, type TensorNode } from '../../src/graph/index.js';
import { apply, feed, isDifferentiable, isNodeOf, item, registry, type TensorValue, tensorOf, whileLoop } from '../../src/ops/index.js';
import { Pipeline, strip } from '../../src/passes/index.js';
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

/** Whether a result says that a loop's condition still held when its limit ended it. */
function isEnded({ values, results }: Fed): boolean {
  const asked = results.filter(({ args: [loop], type }) => loop !== undefined && isNodeOf(loop, whileLoop) && type.dtype === 'bool');
  return evaluateNodes(asked, { feeds: values }).some(({ data }) => Number(data[0]) === 1);
}

/** Without what derivatives alone know. */
function stripped(build: GraphBuilder, nodes: readonly TensorNode[]): readonly TensorNode[] {
  const outputs = nodes.map((node, at) => ({ path: `${at}`, node }));
  const entry: Entry = {
    name: 'f',
    kind: 'fn',
    doc: undefined,
    dims: [],
    ranks: {},
    facts: [],
    feeds: [],
    outputs,
    result: { kind: 'tuple', items: outputs.map((_, index) => ({ kind: 'output', index })) },
    updates: [],
    summaries: [],
    names: new Map(),
    span: undefined,
  };
  const { output } = Pipeline.of(strip).run({ path: 'f.tdsl', variables: [], entries: [entry] }, { build, verify: false });
  return (output.entries[0] as Entry).outputs.map(({ node }) => node);
}

/** Ops that are there after derivatives are written out, of what a program can feed. */
const written = cases.filter(({ op }) => op.lowering.kind !== 'removed' && op.lowering.kind !== 'source');

describe('ops as TDSL', () => {
  it('covers every op that computes something', () => {
    const missing = [...registry.values()].filter(
      ({ lowering, write, check }) =>
        lowering.kind !== 'source' && (lowering.kind !== 'removed' || check !== undefined) && write === undefined,
    );
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it.each(written.map((one) => [one.text, one] as const))('%s', (_, one) => {
    const whole = fed(one);
    expectSame(whole, isEnded(whole));
  });

  const smooth = written.filter(({ op, sample }) => op.derivative.kind === 'rules' && sample.args.some(({ dtype }) => isFloat(dtype)));
  it.each(smooth.map((one) => [one.text, one] as const))('the derivative of %s', (_, one) => {
    const { build, feeds, values, results } = fed(one);
    const moving = results.filter(({ type }) => isDifferentiable(type));
    const cotangents = moving.map(({ type }, at) => feedNode(build, `g${at}`, type));
    const inputs = feeds.filter(({ type }) => isDifferentiable(type));
    const found = modesFor(build).vjp(moving, cotangents, inputs);
    const pulled = stripped(
      build,
      found.filter((node) => node !== undefined),
    );
    if (pulled.length === 0) return;
    const next = numbers(3);
    const all = new Map([
      ...values,
      ...cotangents.map(({ type: { dtype, shape } }, at) => {
        return [`g${at}`, valueOf({ dtype, shape: shape.map((dim) => dim.constant ?? 0), range: [-1, 1] }, next)] as const;
      }),
    ]);
    expectSame({ build, feeds: [...feeds, ...cotangents], values: all, results: pulled }, isEnded({ build, feeds, values, results }));
  });
});

function expectSame({ build, feeds, values, results }: Fed, isEnded: boolean): void {
  const names = feeds.map((node) => {
    const source = sourceOf(node);
    return source?.kind === 'feed' ? source.name : '';
  });
  const { text } = writeFunction({
    name: 'f',
    doc: ['What a sample computes.'],
    build,
    parameters: feeds.map((node, at) => ({ node, path: names[at] as string, name: names[at] as string, shape: node.type.shape })),
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
  // A run that its limit ends is none in the language.
  if (isEnded) {
    expect(() => valuesOf(entryOf(text), values)).toThrow('loop-limit');
    return;
  }
  const actual = valuesOf(entryOf(text), values);
  const differences = expected.flatMap((value, at) => difference(actual[at] as TensorValue, value) ?? []);
  expect(differences, text).toEqual([]);
}
