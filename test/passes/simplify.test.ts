// Simplification as a whole. In: random programs and a small network. Out: the same values, no more cost, a fixed point, and the graph that
// people expect.

import { describe, expect, it } from 'vitest';
import { Dim } from '../../src/base/index.js';
import { type Node, type TensorNode, parseModule, printModule, printNodes, GraphBuilder } from '../../src/graph/index.js';
import { registry, tensorOf } from '../../src/ops/index.js';
import { Pipeline, differentiate, rules, simplify, simplifyModule, strip } from '../../src/passes/index.js';
import { costOf, evaluateNodes } from './evaluate.js';
import { Make, differs, generator, sizes } from './make.js';

/** Programs over [B, N], [N], [B] and scalars, made of whatever a rule might meet. */
function randomProgram(g: Make, seed: number): TensorNode[] {
  const random = generator(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const matrices = [g.feed('x'), g.feed('y'), g.full(pick([0, 1, 2, -1]))];
  const rows = [g.feed('r', ['N']), g.full(pick([0, 1, 0.5]), ['N'])];
  const columns = [g.feed('c', ['B'])];
  const scalars = [g.feed('s', []), g.full(pick([0, 1, -1, 3]), [])];
  const unary = ['neg', 'abs', 'square', 'sin', 'cos', 'tanh', 'sign', 'floor', 'sigmoid'];
  const binary = ['add', 'sub', 'mul', 'max', 'min', 'atan2'];
  const work = (pool: TensorNode[]): void => {
    const [a, b] = [pick(pool), pick(pool)];
    pool.push(
      random() < 0.4
        ? g.f(pick(unary), a)
        : random() < 0.8
          ? g.f(pick(binary), a, b)
          : g.f('select', g.f(pick(['lt', 'eq', 'ge']), a, b), pick(pool), pick(pool)),
    );
  };
  for (let steps = 0; steps < 25; steps++) {
    pick([
      () => {
        work(matrices);
      },
      () => {
        work(rows);
      },
      () => {
        work(scalars);
      },
      () => matrices.push(g.broadcast(pick(rows), ['B', 'N'], [1])),
      () => matrices.push(g.broadcast(pick(columns), ['B', 'N'], [0])),
      () => matrices.push(g.broadcast(g.reshape(pick(columns), ['B', 1]), ['B', 'N'], [0, 1])),
      () => matrices.push(g.broadcast(pick(scalars), ['B', 'N'], [])),
      () => rows.push(g.sum(pick(matrices), 0)),
      () => columns.push(tensorOf(g.op('reduceMax', [pick(matrices)], { axes: [1] }))),
      () => scalars.push(g.sum(pick(rows), 0)),
      () => scalars.push(g.total(pick(matrices))),
      () => matrices.push(g.transpose(g.f('neg', g.transpose(pick(matrices), 1, 0)), 1, 0)),
      () =>
        rows.push(
          tensorOf(
            g.op('slice', [tensorOf(g.op('concat', [pick(rows), pick(rows)], { axis: 0 }))], {
              starts: [Dim.of('N')],
              stops: [Dim.of('N').mul(2)],
              steps: [1],
            }),
          ),
        ),
      () =>
        matrices.push(
          tensorOf(g.op('matmul', [pick(matrices), tensorOf(g.op('matmul', [g.transpose(pick(matrices), 1, 0), pick(matrices)]))])),
        ),
      () =>
        matrices.push(
          ...g
            .loop(pick([0, 1, 2]), [pick(matrices), pick(matrices)], (_, p, q) => [
              g.f(pick(binary), p as Node, pick([q as TensorNode, pick(matrices)])),
              q as TensorNode,
            ])
            .slice(0, 1),
        ),
    ])();
  }
  return [matrices.at(-1), rows.at(-1), columns.at(-1), scalars.at(-1)] as TensorNode[];
}

describe('simplify', () => {
  it('keeps the values of random programs, never adds cost, and ends at a fixed point', () => {
    for (let seed = 0; seed < 150; seed++) {
      const g = new Make();
      const before = randomProgram(g, seed);
      const { module } = simplifyModule(g.module(before), g.build, rules);
      const after = module.entries[0]?.outputs.map((output) => output.node) ?? [];
      expect(simplifyModule(module, g.build, rules).fired.size).toBe(0);
      expect(costOf(after, sizes)).toBeLessThanOrEqual(costOf(before, sizes));
      const environment = g.environment(seed);
      const [old, now] = [evaluateNodes(before, environment), evaluateNodes(after, environment)];
      old.forEach((value, at) => {
        expect(differs(value, now[at] as typeof value, 1e-9), `seed ${seed}\n${printNodes(before)}\n${printNodes(after)}`).toBeUndefined();
      });
    }
  });

  it('leaves of a classifier’s gradient: the difference of probabilities and labels, over the batch', () => {
    const g = new Make();
    const [x, w, labels] = [g.feed('x', ['B', 4], 'f32'), g.named('w', g.feed('w', [4, 10], 'f32')), g.feed('labels', ['B'], 'i32')];
    const logits = tensorOf(g.op('matmul', [x, w]));
    const top = g.f('stopGradient', tensorOf(g.op('reduceMax', [logits], { axes: [1] })));
    const shifted = g.f('sub', logits, g.broadcast(g.reshape(top, ['B', 1]), ['B', 10], [0, 1]));
    const hot = g.f(
      'eq',
      tensorOf(g.op('iota', [], { shape: [Dim.of('B'), Dim.of(10)], axis: 1, dtype: 'i32' })),
      g.broadcast(labels, ['B', 10], [0]),
    );
    const picked = g.sum(g.f('select', hot, shifted, g.full(0, ['B', 10], 'f32')), 1);
    const each = g.f('sub', g.f('log', g.sum(g.f('exp', shifted), 1)), picked);
    const loss = g.f('div', g.sum(each, 0), tensorOf(g.op('cast', [g.op('dimension', [], { dim: Dim.of('B') })], { dtype: 'f32' })));
    const { output } = Pipeline.of(differentiate)
      .then(strip)
      .then(simplify)
      .run(g.module(g.grad(loss, w)), { build: g.build });
    const text = printModule(output);
    expect(text.slice(text.indexOf('  %0'))).toBe(`  %0 = feed {dtype="f32", name="x", shape=[<B>, <4>]} : f32[B, 4]
  %1 = transpose %0 {axes=[1, 0]} : f32[4, B]
  %2 = iota {axis=1, dtype="i32", shape=[<B>, <10>]} : i32[B, 10]
  %3 = feed {dtype="i32", name="labels", shape=[<B>]} : i32[B]
  %4 = broadcast %3 {axes=[0], shape=[<B>, <10>]} : i32[B, 10]
  %5 = eq %2, %4 : bool[B, 10]
  %6 = constant {dtype="f32", value=-1} : f32
  %7 = dimension {dim=<B>} : i32
  %8 = cast %7 {dtype="f32"} : f32
  %9 = div %6, %8 : f32
  %10 = broadcast %9 {axes=[], shape=[<B>, <10>]} : f32[B, 10]
  %11 = constant {dtype="f32", value=0} : f32
  %12 = broadcast %11 {axes=[], shape=[<B>, <10>]} : f32[B, 10]
  %13 = select %5, %10, %12 : f32[B, 10]
  %14 = constant {dtype="f32", value=1} : f32
  %15 = div %14, %8 : f32
  %16 = broadcast %15 {axes=[], shape=[<B>]} : f32[B]
  %17 = feed {dtype="f32", name="w", shape=[<4>, <10>]} : f32[4, 10]
  %18 = matmul %0, %17 : f32[B, 10]
  %19 = reduceMax %18 {axes=[1]} : f32[B]
  %20 = broadcast %19 {axes=[0], shape=[<B>, <10>]} : f32[B, 10]
  %21 = sub %18, %20 : f32[B, 10]
  %22 = exp %21 : f32[B, 10]
  %23 = reduceSum %22 {axes=[1]} : f32[B]
  %24 = div %16, %23 : f32[B]
  %25 = broadcast %24 {axes=[0], shape=[<B>, <10>]} : f32[B, 10]
  %26 = mul %25, %22 : f32[B, 10]
  %27 = add %13, %26 : f32[B, 10]
  %28 = matmul %1, %27 : f32[4, 10]
  output "0" %28
  result (#0)
}
`);
    expect(printModule(parseModule(text, { build: new GraphBuilder(), op: (name) => registry.get(name) }))).toBe(text);
  });

  it('runs the forward part of a differentiated loop once', () => {
    const g = new Make();
    const [x, z] = [g.feed('x', []), g.feed('z', [])];
    const last = g.loop('N', [z], (_, carry) => [g.f('sin', g.f('mul', carry as Node, x))])[0] as TensorNode;
    const { output } = Pipeline.of(differentiate)
      .then(strip)
      .then(simplify)
      .run(g.module([last, ...g.grad(last, x)]), { build: g.build });
    expect(printModule(output).match(/ = loop /g)).toHaveLength(2);
  });

  it('leaves powers of two where they stand in products of f16, which overflow soon', () => {
    const products = (['f32', 'bf16', 'f16'] as const).map((dtype) => {
      const g = new Make();
      const [x, y] = [g.feed('x', ['N'], dtype), g.feed('y', ['N'], dtype)];
      return simplifyModule(g.module([g.f('mul', g.f('mul', x, g.full(0.5, ['N'], dtype)), y)]), g.build, rules).fired.size;
    });
    expect(products).toEqual([1, 1, 0]);
  });

  it('does not keep alive what is only named', () => {
    const g = new Make();
    const x = g.feed('x', ['N']);
    const [last, all] = g.loop('B', [x], (_, z) => [g.f('sin', z as Node), g.f('cos', z as Node)]) as [TensorNode, TensorNode];
    const { module } = simplifyModule(g.module([last], [['all', all]]), g.build, rules);
    const [entry] = module.entries;
    expect(entry?.outputs[0]?.node.args[0]?.type).toMatchObject({ items: [{ dtype: 'f64' }] });
    expect(entry?.names.get('all')?.args[0]?.type).toMatchObject({ items: [{ dtype: 'f64' }, { dtype: 'f64' }] });
  });
});
