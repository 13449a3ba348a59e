// The pass that says where numbers stop being numbers. In: random programs that go wrong, loops, infinities that are meant. Out: the node
// that is to blame, as a walk over the values of all nodes finds it.

import { describe, expect, test } from 'vitest';
import { isFloat } from '../../src/base/index.js';
import { type Entry, isTensorNode, type Node, sourceOf, type TensorNode, topological } from '../../src/graph/index.js';
import { isNodeOf, loop, type TensorValue, tensorOf, tensorValue } from '../../src/ops/index.js';
import { nothingFound, Pipeline, simplify, strip, trap } from '../../src/passes/index.js';
import { type Environment, evaluateNodes } from './evaluate.js';
import { generator, Make } from './make.js';

/** The only entry of a module of these outputs, with a trap. */
function trapped(g: Make, outputs: readonly TensorNode[]): Entry {
  const { output } = Pipeline.of(strip).then(trap).run(g.module(outputs), { build: g.build });
  return output.entries[0] as Entry;
}

interface Found {
  readonly node: TensorNode;
  readonly level: number;
}

function foundBy(entry: Entry, environment: Environment): Found | undefined {
  const { output, places } = entry.trap as NonNullable<Entry['trap']>;
  const [value] = evaluateNodes([entry.outputs[output]?.node as TensorNode], environment) as [TensorValue];
  const code = Number(value.data[0]);
  return code === nothingFound ? undefined : { node: places[code >> 1] as TensorNode, level: 1 + (code & 1) };
}

const levelOf = ({ data }: TensorValue): number =>
  Array.from(data as Float64Array).reduce((level, one) => Math.max(level, Number.isNaN(one) ? 2 : Number.isFinite(one) ? 0 : 1), 0);

/** The first node of all that has something in it that is not finite. */
function firstBad(outputs: readonly TensorNode[], environment: Environment): Found | undefined {
  const nodes = topological(outputs).filter((node): node is TensorNode => isTensorNode(node) && isFloat(node.type.dtype));
  const values = evaluateNodes(nodes, environment);
  const at = values.findIndex((value) => levelOf(value) > 0);
  return at < 0 ? undefined : { node: nodes[at] as TensorNode, level: levelOf(values[at] as TensorValue) };
}

function randomProgram(g: Make, seed: number): TensorNode[] {
  const random = generator(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const matrices = [g.feed('x'), g.feed('y'), g.full(pick([0, 2, 1e200]))];
  const rows = [g.feed('r', ['N']), g.full(pick([0, 1]), ['N'])];
  const work = (pool: TensorNode[]): void => {
    const [a, b] = [pick(pool), pick(pool)];
    pool.push(
      random() < 0.5
        ? g.f(pick(['neg', 'abs', 'tanh', 'sin', 'floor', 'square', 'exp', 'log', 'sqrt', 'reciprocal']), a)
        : random() < 0.8
          ? g.f(pick(['add', 'sub', 'mul', 'max', 'min', 'div', 'pow']), a, b)
          : g.f('select', g.f(pick(['lt', 'ge']), a, b), pick(pool), pick(pool)),
    );
  };
  for (let steps = 0; steps < 20; steps += 1) {
    pick([
      () => {
        work(matrices);
      },
      () => {
        work(rows);
      },
      () => matrices.push(g.broadcast(pick(rows), ['B', 'N'], [1])),
      () => rows.push(g.sum(pick(matrices), 0)),
      () => rows.push(tensorOf(g.op('reduceMax', [pick(matrices)], { axes: [0] }))),
      () => matrices.push(g.transpose(g.transpose(pick(matrices), 1, 0), 1, 0)),
    ])();
  }
  return [matrices.at(-1), rows.at(-1)] as TensorNode[];
}

const numbers = (shape: readonly number[], ...values: readonly number[]): TensorValue => tensorValue('f64', shape, values);
const fedWith = (values: Readonly<Record<string, TensorValue>>): Environment => ({
  feeds: new Map(Object.entries(values)),
  dims: new Map(),
});

describe('a trap', () => {
  test('names the first node that goes wrong in random programs, and changes nothing', () => {
    let [wrong, right] = [0, 0];
    for (let seed = 0; seed < 300; seed += 1) {
      const g = new Make();
      const outputs = randomProgram(g, seed);
      const entry = trapped(g, outputs);
      expect(entry.outputs.slice(0, -1).map(({ node }) => node)).toEqual(outputs);
      const environment = g.environment(seed);
      const [found, expected] = [foundBy(entry, environment), firstBad(outputs, environment)];
      expect(found?.node, `seed ${seed}: ${found?.node.op.name ?? 'nothing'} for ${expected?.node.op.name ?? 'nothing'}`).toBe(
        expected?.node,
      );
      expect(found?.level).toBe(expected?.level);
      if (found === undefined) right += 1;
      else wrong += 1;
    }
    expect(wrong).toBeGreaterThan(50);
    expect(right).toBeGreaterThan(50);
  });

  test('looks into loops and loops in loops, and keeps their results where they were', () => {
    const g = new Make();
    const x = g.feed('x', [2]);
    const [outer, stacked] = g.loop(3, [x], (_, z) => {
      const [inner] = g.loop(2, [z as TensorNode], (__, y) => [g.f('square', y as TensorNode)]);
      const next = g.f('sub', inner as TensorNode, g.full(1, [2]));
      return [next, g.f('log', g.f('abs', z as TensorNode))];
    }) as [TensorNode, TensorNode];
    const outputs = [g.f('neg', outer), stacked];
    const entry = trapped(g, outputs);
    const results = (feeds: Environment): unknown => evaluateNodes(outputs, feeds);
    const kept = (feeds: Environment): unknown =>
      evaluateNodes(
        entry.outputs.slice(0, -1).map(({ node }) => node),
        feeds,
      );
    const found = (...values: number[]): string | undefined => {
      const feeds = fedWith({ x: numbers([2], ...values) });
      expect(kept(feeds)).toEqual(results(feeds));
      const { node, level } = foundBy(entry, feeds) ?? {};
      return node === undefined ? undefined : `${node.op.name} ${level}`;
    };
    expect(found(0.5, -0.3)).toBeUndefined();
    expect(found(0.5, 1e80)).toBe('square 1');
    // 1 becomes 0, whose logarithm the next turn takes.
    expect(found(0.5, 1)).toBe('log 1');
    expect(found(NaN, 1)).toBe('feed 2');
    const loops = topological(entry.outputs.map(({ node }) => node)).filter((node: Node) => isNodeOf(node, loop));
    expect(loops).toHaveLength(1);
  });

  test('blames nobody for infinities that are meant, and whoever makes NaN of them', () => {
    const g = new Make();
    const x = g.feed('x', [3]);
    const masked = g.f('select', g.f('gt', x, g.full(0, [3])), x, g.full(-Infinity, [3]));
    const top = g.broadcast(tensorOf(g.op('reduceMax', [masked], { axes: [0] })), [3], []);
    const e = g.f('exp', g.f('sub', masked, top));
    const entry = trapped(g, [e]);
    expect(foundBy(entry, fedWith({ x: numbers([3], 1, -1, 2) }))).toBeUndefined();
    expect(foundBy(entry, fedWith({ x: numbers([3], 1, Infinity, -1) }))).toMatchObject({ node: { op: { name: 'sub' } }, level: 2 });
    const none = foundBy(entry, fedWith({ x: numbers([3], -1, -1, -2) }));
    expect(none).toMatchObject({ node: { op: { name: 'sub' } }, level: 2 });
    const fed = foundBy(entry, fedWith({ x: numbers([3], -1, NaN, -2) }));
    expect(fed === undefined ? undefined : sourceOf(fed.node)).toEqual({ kind: 'feed', name: 'x' });
  });

  test('of integers alone finds nothing', () => {
    const g = new Make();
    const x = g.feed('x', [2], 'i32');
    const entry = trapped(g, [g.f('add', x, x)]);
    expect(entry.trap?.places).toEqual([]);
    expect(foundBy(entry, { feeds: new Map([['x', tensorValue('i32', [2], [1, 2])]]), dims: new Map() })).toBeUndefined();
  });

  test('says nothing of initial values', () => {
    const g = new Make();
    const module = g.module([g.f('log', g.feed('x', [2]))]);
    const init = { ...module, entries: module.entries.map((entry) => ({ ...entry, kind: 'init' as const })) };
    const { output } = Pipeline.of(simplify).then(trap).run(init, { build: g.build });
    expect(output.entries[0]?.trap).toBeUndefined();
  });
});
