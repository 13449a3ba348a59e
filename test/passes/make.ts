// Short words to build graphs with in tests. In: a builder. Out: nodes of named ops, feeds with values, modules of one entry.

import { type DType, Dim, isFloat } from '../../src/base/index.js';
import {
  type Attrs,
  type Entry,
  GraphBuilder,
  type ModuleGraph,
  type Node,
  type Region,
  type TensorNode,
  type TensorType,
  tensor,
} from '../../src/graph/index.js';
import {
  type TensorValue,
  apply,
  closeRegion,
  closeTogether,
  fill,
  placeholder,
  registry,
  tensorOf,
  tensorValue,
} from '../../src/ops/index.js';
import type { Environment } from './evaluate.js';

export const sizes: ReadonlyMap<string, number> = new Map([
  ['B', 3],
  ['N', 4],
  ['K', 2],
]);

export class Make {
  readonly build = new GraphBuilder();
  readonly #feeds = new Map<string, TensorType>();

  op(name: string, args: readonly Node[], attrs: Attrs = {}): Node {
    const op = registry.get(name);
    if (op === undefined) throw new Error(`no op ${name}`);
    return apply(this.build, op, args, attrs);
  }

  /** An elementwise op, or any other without attributes. */
  f(name: string, ...args: readonly Node[]): TensorNode {
    return tensorOf(this.op(name, args));
  }

  feed(name: string, shape: readonly (number | string)[] = ['B', 'N'], dtype: DType = 'f64'): TensorNode {
    const type = tensor(
      dtype,
      shape.map((size) => Dim.of(size)),
    );
    this.#feeds.set(name, type);
    return tensorOf(this.op('feed', [], { name, dtype, shape: type.shape }));
  }

  full(value: number | bigint, shape: readonly (number | string)[] = ['B', 'N'], dtype: DType = 'f64'): TensorNode {
    return fill(
      this.build,
      tensor(
        dtype,
        shape.map((size) => Dim.of(size)),
      ),
      value,
    );
  }

  broadcast(node: Node, shape: readonly (number | string)[], axes: readonly number[]): TensorNode {
    return tensorOf(this.op('broadcast', [node], { shape: shape.map((size) => Dim.of(size)), axes }));
  }

  reshape(node: Node, shape: readonly (number | string)[]): TensorNode {
    return tensorOf(this.op('reshape', [node], { shape: shape.map((size) => Dim.of(size)) }));
  }

  transpose(node: Node, ...axes: readonly number[]): TensorNode {
    return tensorOf(this.op('transpose', [node], { axes }));
  }

  sum(node: Node, ...axes: readonly number[]): TensorNode {
    return tensorOf(this.op('reduceSum', [node], { axes }));
  }

  /** Sum of all elements. */
  total(node: TensorNode): TensorNode {
    return this.sum(node, ...node.type.shape.keys());
  }

  named(path: string, node: Node): TensorNode {
    return tensorOf(this.op('named', [node], { path }));
  }

  grad(y: Node, ...xs: readonly Node[]): TensorNode[] {
    const all = this.op('grad', [y, ...xs], { outputs: 1 });
    return xs.map((_, index) => tensorOf(this.op('element', [all], { index })));
  }

  jvp(y: Node, x: Node, v: Node): TensorNode {
    return tensorOf(this.op('jvp', [y, x, v], { inputs: 1 }));
  }

  /** Carries, then stacked results. */
  loop(
    trip: number | string,
    inits: readonly TensorNode[],
    body: (count: TensorNode, ...carries: TensorNode[]) => readonly TensorNode[],
  ): TensorNode[] {
    const count = placeholder(this.build, tensor('i32'));
    const carries = inits.map((init) => placeholder(this.build, init.type));
    const results = body(count, ...carries);
    const { region, captures } = closeRegion(this.build, [count, ...carries], results);
    const all = this.op('loop', [...inits, ...captures], { trip: Dim.of(trip), carries: inits.length, body: region });
    return results.map((_, index) => tensorOf(this.op('element', [all], { index })));
  }

  /** Carries behind the last round, how many rounds ran, whether the limit stopped them. */
  while(
    limit: number,
    inits: readonly TensorNode[],
    condition: (count: TensorNode, ...carries: TensorNode[]) => TensorNode,
    body: (count: TensorNode, ...carries: TensorNode[]) => readonly TensorNode[],
  ): TensorNode[] {
    const count = placeholder(this.build, tensor('i32'));
    const carries = inits.map((init) => placeholder(this.build, init.type));
    const results = body(count, ...carries);
    const { regions, captures } = closeTogether(this.build, [count, ...carries], [[condition(count, ...carries)], results]);
    const attrs = { carries: inits.length, condition: regions[0] as Region, body: regions[1] as Region, limit, limited: true };
    const all = this.op('while', [...inits, ...captures], attrs);
    return [...results, 0, 0].map((_, index) => tensorOf(this.op('element', [all], { index })));
  }

  /** Each side is a function of the captures. */
  branch(
    condition: TensorNode,
    captures: readonly TensorNode[],
    whenTrue: (...captures: TensorNode[]) => readonly TensorNode[],
    whenFalse: (...captures: TensorNode[]) => readonly TensorNode[],
  ): TensorNode[] {
    const params = captures.map(({ type }) => placeholder(this.build, type));
    const sides = [whenTrue(...params), whenFalse(...params)] as const;
    const closed = closeTogether(this.build, params, sides);
    const [yes, no] = closed.regions as [Region, Region];
    const all = this.op('branch', [condition, ...captures, ...closed.captures], { whenTrue: yes, whenFalse: no });
    return sides[0].map((_, index) => tensorOf(this.op('element', [all], { index })));
  }

  recompute(captures: readonly TensorNode[], body: (...captures: TensorNode[]) => readonly TensorNode[]): TensorNode[] {
    const params = captures.map(({ type }) => placeholder(this.build, type));
    const results = body(...params);
    const { region, captures: more } = closeRegion(this.build, params, results);
    const all = this.op('recompute', [...captures, ...more], { body: region });
    return results.map((_, index) => tensorOf(this.op('element', [all], { index })));
  }

  module(outputs: readonly Node[], names: readonly (readonly [string, Node])[] = []): ModuleGraph {
    const entry: Entry = {
      name: 'f',
      kind: 'fn',
      doc: undefined,
      dims: [...sizes.keys()],
      ranks: {},
      facts: [],
      feeds: [...this.#feeds].map(([name, type]) => ({ name, type, span: undefined })),
      outputs: outputs.map((node, at) => ({ path: `${at}`, node: tensorOf(node) })),
      result: { kind: 'tuple', items: outputs.map((_, index) => ({ kind: 'output', index })) },
      updates: [],
      summaries: [],
      names: new Map(names.map(([path, node]) => [path, tensorOf(node)])),
      span: undefined,
    };
    return { path: 'test.tdsl', variables: [], entries: [entry] };
  }

  /** Values for every feed, the same for the same seed. */
  environment(seed: number, special: readonly number[] = []): Environment {
    const random = generator(seed);
    const feeds = new Map<string, TensorValue>();
    for (const [name, type] of this.#feeds) {
      const shape = type.shape.map((dim) => dim.evaluate(sizes) ?? Number.NaN);
      const count = shape.reduce((product, size) => product * size, 1);
      feeds.set(
        name,
        tensorValue(
          type.dtype,
          shape,
          Array.from({ length: count }, () => valueOf(type.dtype, random, special)),
        ),
      );
    }
    return { feeds, dims: sizes };
  }
}

function valueOf(dtype: DType, random: () => number, special: readonly number[]): number | bigint {
  if (isFloat(dtype))
    return special.length > 0 && random() < 0.3 ? (special[Math.floor(random() * special.length)] as number) : random() * 4 - 2;
  if (dtype === 'bool') return Math.floor(random() * 2);
  const integer = Math.floor(random() * 4);
  return dtype === 'i64' ? BigInt(integer) : integer;
}

/** Mulberry32, a small generator in the public domain. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Equal as the language sees it: NaN is NaN, zeros have no sign, floats to within `tolerance`, relative to the larger. */
export function differs(a: TensorValue, b: TensorValue, tolerance: number): string | undefined {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return `${a.dtype}[${a.shape}] and ${b.dtype}[${b.shape}]`;
  for (let at = 0; at < a.data.length; at++) {
    const [x, y] = [Number(a.data[at]), Number(b.data[at])];
    const same = Object.is(x, y) || x === y || Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(x), Math.abs(y));
    if (!same) return `element ${at}: ${x} and ${y}`;
  }
  return undefined;
}
