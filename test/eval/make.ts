// Entries for tests of the interpreters, built by hand. In: nodes. Out: entries, values. Holds: feeds and variables are declared by using
// them.

import { Dim, type DType } from '../../src/base/index.js';
import {
  type Attrs,
  type Entry,
  type Feed,
  GraphBuilder,
  type Node,
  type TensorNode,
  tensor,
  type Variable,
} from '../../src/graph/index.js';
import { apply, closeRegion, element, placeholder, registry, tensorOf, type TensorValue, tensorValue } from '../../src/ops/index.js';

export type Size = number | string | Dim;
export const dimsOf = (shape: readonly Size[]): Dim[] => shape.map((size) => Dim.of(size));

export class Make {
  readonly build = new GraphBuilder();
  readonly feeds: Feed[] = [];
  readonly variables: Variable[] = [];

  op(name: string, args: readonly Node[], attrs: Attrs = {}): TensorNode {
    return tensorOf(this.node(name, args, attrs));
  }

  node(name: string, args: readonly Node[], attrs: Attrs = {}): Node {
    const op = registry.get(name);
    if (op === undefined) throw new Error(`no op ${name}`);
    return apply(this.build, op, args, attrs);
  }

  feed(name: string, shape: readonly Size[], dtype: DType = 'f32'): TensorNode {
    const type = tensor(dtype, dimsOf(shape));
    this.feeds.push({ name, type, span: undefined });
    return this.op('feed', [], { name, dtype, shape: type.shape });
  }

  variable(path: string, shape: readonly Size[], dtype: DType = 'f32', initial?: TensorNode): TensorNode {
    const type = tensor(dtype, dimsOf(shape));
    this.variables.push({ path, type, kind: 'param', initial, streams: [], span: undefined, doc: undefined });
    return this.op('variable', [], { path, dtype, shape: type.shape });
  }

  constant(value: number | bigint, dtype: DType = 'f32'): TensorNode {
    return this.op('constant', [], { value, dtype });
  }

  broadcast(node: TensorNode, shape: readonly Size[], axes: readonly number[] = []): TensorNode {
    return this.op('broadcast', [node], { shape: dimsOf(shape), axes });
  }

  sum(node: TensorNode, ...axes: readonly number[]): TensorNode {
    return this.op('reduceSum', [node], { axes });
  }

  /** Results of a loop: the carries, then what is stacked. `body` gets the index (i32) and the carries. */
  loop(
    trip: Size,
    inits: readonly TensorNode[],
    body: (index: TensorNode, ...carries: TensorNode[]) => readonly TensorNode[],
  ): TensorNode[] {
    const params = [tensor('i32'), ...inits.map((init) => init.type)].map((type) => placeholder(this.build, type));
    const results = body(...(params as [TensorNode, ...TensorNode[]]));
    const { region, captures } = closeRegion(this.build, params, results);
    const loop = this.node('loop', [...inits, ...captures], { trip: Dim.of(trip), carries: inits.length, body: region });
    return results.map((_, index) => tensorOf(apply(this.build, element, [loop], { index })));
  }

  entry(outputs: readonly TensorNode[], updates: Readonly<Record<string, TensorNode>> = {}, more: Partial<Entry> = {}): Entry {
    const dims = new Set(this.feeds.flatMap((feed) => feed.type.shape.flatMap((dim) => [...dim.names])));
    return {
      name: 'main',
      kind: 'step',
      doc: undefined,
      dims: [...dims],
      ranks: {},
      facts: [],
      feeds: this.feeds,
      outputs: outputs.map((node, at) => ({ path: `o${at}`, node })),
      result: { kind: 'tuple', items: outputs.map((_, index) => ({ kind: 'output', index })) },
      updates: Object.entries(updates).map(([variable, node]) => ({ variable, node })),
      summaries: [],
      names: new Map(),
      span: undefined,
      ...more,
    };
  }
}

/** Numbers that look random, the same in every run, in [-1, 1) and exact in f32. */
export function noise(count: number, seed = 1): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >> 8) / 2 ** 23;
  });
}

export const f32 = (shape: readonly number[], values: Iterable<number>): TensorValue =>
  tensorValue('f32', shape, [...values].map(Math.fround));
export const noisy = (shape: readonly number[], seed = 1): TensorValue =>
  f32(
    shape,
    noise(
      shape.reduce((product, size) => product * size, 1),
      seed,
    ),
  );
