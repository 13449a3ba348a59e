// Derivatives written out. In: graphs with grad, jvp, call and loops. Out: values equal to formulas and to finite differences, and
// diagnostics where there is none.

import { describe, expect, it } from 'vitest';
import { DiagnosticsError, type Span } from '../../src/base/index.js';
import { type ModuleGraph, type Node, type TensorNode, moduleRoots, tensor, topological } from '../../src/graph/index.js';
import { defineOp, placeholder, closeRegion, tensorOf, type Op, type TensorValue } from '../../src/ops/index.js';
import { Pipeline, differentiate, simplify, strip } from '../../src/passes/index.js';
import { type Environment, evaluateNodes } from './evaluate.js';
import { Make, differs, generator } from './make.js';

const pipeline = Pipeline.of(differentiate).then(strip).then(simplify);
const run = (g: Make, module: ModuleGraph): ModuleGraph => pipeline.run(module, { build: g.build }).output;
const outputsOf = (module: ModuleGraph): TensorNode[] => module.entries[0]?.outputs.map((output) => output.node) ?? [];
const numbers = (value: TensorValue | undefined): number[] => [...(value?.data ?? [])].map(Number);

/** Values of the outputs after the whole pipeline; they must not differ from those before `simplify`. */
function valuesOf(g: Make, outputs: readonly Node[], environment: Environment): TensorValue[] {
  const plain = Pipeline.of(differentiate).run(g.module(outputs), { build: g.build }).output;
  const before = evaluateNodes(outputsOf(plain), environment);
  const after = evaluateNodes(outputsOf(run(g, g.module(outputs))), environment);
  before.forEach((value, at) => {
    expect(differs(value, after[at] as TensorValue, 1e-11)).toBeUndefined();
  });
  return after;
}

/** ∂(sum of y)/∂(element of a feed), by central differences. */
function differences(y: TensorNode, feed: string, environment: Environment): number[] {
  const value = environment.feeds.get(feed) as TensorValue;
  const step = 1e-5;
  return numbers(value).map((_, at) => {
    const moved = (by: number): number => {
      const data = Float64Array.from(numbers(value), (old, index) => (index === at ? old + by : old));
      const feeds = new Map(environment.feeds).set(feed, { ...value, data });
      return numbers(evaluateNodes([y], { ...environment, feeds })[0]).reduce((sum, one) => sum + one, 0);
    };
    return (moved(step) - moved(-step)) / (2 * step);
  });
}

function expectClose(actual: readonly number[], expected: readonly number[], tolerance = 1e-6): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, at) => {
    expect(Math.abs(value - (expected[at] as number)), `element ${at}: ${value}, not ${expected[at]}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(value)),
    );
  });
}

describe('differentiate', () => {
  it('uses the value of exp as its derivative: a tower of three with its slope has three exp', () => {
    const g = new Make();
    const x = g.feed('x', []);
    const y = g.f('exp', g.f('exp', g.f('exp', x)));
    const [slope] = g.grad(y, x);
    const module = run(g, g.module([y, slope as TensorNode]));
    expect(
      topological(moduleRoots(module))
        .map((node) => node.op.name)
        .sort(),
    ).toEqual(['exp', 'exp', 'exp', 'feed', 'mul', 'mul']);
    const environment = g.environment(1);
    const [at] = numbers(environment.feeds.get('x'));
    const e = Math.exp(at as number);
    const [, value] = evaluateNodes(outputsOf(module), environment);
    expectClose(numbers(value), [Math.exp(Math.exp(e)) * Math.exp(e) * e], 1e-12);
  });

  it('gives zeros where the result does not depend on the variable', () => {
    const g = new Make();
    const [zero] = g.grad(g.total(g.f('exp', g.feed('x'))), g.feed('y', ['N']));
    const around = g.f('stopGradient', g.feed('x'));
    const [stopped] = g.grad(g.total(around), g.feed('x'));
    const values = valuesOf(g, [zero as TensorNode, stopped as TensorNode], g.environment(1));
    expect(numbers(values[0])).toEqual([0, 0, 0, 0]);
    expect(new Set(numbers(values[1]))).toEqual(new Set([0]));
  });

  it('differentiates with respect to a let, and in total where one variable depends on another', () => {
    const g = new Make();
    const a = g.named('a', g.feed('x', []));
    const b = g.named('b', g.f('square', a));
    const y = g.f('mul', g.f('sin', a), b);
    const environment = g.environment(2);
    const [t] = numbers(environment.feeds.get('x')) as [number];
    const values = valuesOf(g, g.grad(y, a, b), environment);
    expectClose(numbers(values[0]), [Math.cos(t) * t * t + Math.sin(t) * 2 * t], 1e-12);
    expectClose(numbers(values[1]), [Math.sin(t)], 1e-12);
    const [forward] = valuesOf(g, [g.jvp(y, b, g.full(3, []))], environment);
    expectClose(numbers(forward), [3 * Math.sin(t)], 1e-12);
  });

  it('sums a result that is no scalar, and a variable that is used twice', () => {
    const g = new Make();
    const x = g.feed('x');
    const y = g.f('mul', x, g.f('exp', x));
    const environment = g.environment(3);
    const [slope] = valuesOf(g, g.grad(y, x), environment);
    expectClose(numbers(slope), differences(y, 'x', environment));
  });

  it.each(['grad of grad', 'jvp of grad', 'grad of jvp', 'jvp of jvp'])('composes: %s', (which) => {
    const g = new Make();
    const [x, v] = [g.feed('x', ['N']), g.feed('v', ['N'])];
    const f = g.total(g.f('mul', g.f('sin', x), g.f('square', x)));
    const slope = (y: TensorNode): TensorNode =>
      which.endsWith('grad') ? g.total(g.f('mul', g.grad(y, x)[0] as TensorNode, v)) : g.jvp(y, x, v);
    const second = which.startsWith('grad') ? g.total(g.f('mul', g.grad(slope(f), x)[0] as TensorNode, v)) : g.jvp(slope(f), x, v);
    const environment = g.environment(4);
    const [value] = valuesOf(g, [second], environment);
    const [xs, vs] = [numbers(environment.feeds.get('x')), numbers(environment.feeds.get('v'))];
    // (sin x · x²)″ = −x² sin x + 4 x cos x + 2 sin x, and the Hessian is diagonal.
    const expected = xs.reduce(
      (sum, at, index) => sum + (-at * at * Math.sin(at) + 4 * at * Math.cos(at) + 2 * Math.sin(at)) * (vs[index] as number) ** 2,
      0,
    );
    expectClose(numbers(value), [expected], 1e-10);
  });

  it('differentiates through loops, inside of them, and twice', () => {
    const g = new Make();
    const [x, z] = [g.feed('x', []), g.feed('z', [])];
    const through = g.loop(5, [z], (_, carry) => [g.f('sin', g.f('mul', carry as TensorNode, x))])[0] as TensorNode;
    const stacked = g.total(
      g.loop('N', [z], (_, carry) => [g.f('cos', g.f('add', carry as TensorNode, x)), g.f('mul', carry as TensorNode, x)])[1] as TensorNode,
    );
    const environment = g.environment(5);
    for (const y of [through, stacked]) {
      const [dx, dz] = g.grad(y, x, z) as [TensorNode, TensorNode];
      const values = valuesOf(g, [dx, dz, g.jvp(y, x, g.full(1, [])), ...g.grad(dx, x)], environment);
      expectClose(numbers(values[0]), differences(y, 'x', environment));
      expectClose(numbers(values[1]), differences(y, 'z', environment));
      expectClose(numbers(values[2]), numbers(values[0]), 1e-10);
      const plain = outputsOf(Pipeline.of(differentiate).run(g.module([dx]), { build: g.build }).output)[0] as TensorNode;
      expectClose(numbers(values[3]), differences(plain, 'x', environment));
    }
    // Newton's method: a slope inside of the loop, and the slope of its result.
    const root = g.loop(6, [g.full(1, [])], (_, carry) => {
      const f = g.f('sub', g.f('square', carry as TensorNode), g.f('exp', x));
      return [g.f('sub', carry as TensorNode, g.f('div', f, g.grad(f, carry as TensorNode)[0] as TensorNode))];
    })[0] as TensorNode;
    const [value, slope] = valuesOf(g, [root, ...g.grad(root, x)], environment);
    const [t] = numbers(environment.feeds.get('x')) as [number];
    expectClose(numbers(value), [Math.exp(t / 2)], 1e-9);
    expectClose(numbers(slope), [Math.exp(t / 2) / 2], 1e-6);
  });

  it("uses the author's rule of a function, in both modes, and its body for the value", () => {
    const g = new Make();
    const x = g.feed('x', ['N']);
    const [a, b, c] = [0, 1, 2].map(() => placeholder(g.build, x.type)) as [TensorNode, TensorNode, TensorNode];
    // A rule that is wrong by a factor on purpose, so that it is seen to be used.
    const body = closeRegion(g.build, [a], [g.f('square', a)]).region;
    const rule = closeRegion(g.build, [b, c], [g.f('mul', g.f('mul', g.full(10, ['N']), b), c)]).region;
    const y = tensorOf(g.op('call', [x], { body, rule }));
    const environment = g.environment(6);
    const values = valuesOf(g, [y, ...g.grad(y, x), g.jvp(y, x, g.full(1, ['N']))], environment);
    const xs = numbers(environment.feeds.get('x'));
    expectClose(
      numbers(values[0]),
      xs.map((at) => at * at),
      1e-12,
    );
    expectClose(
      numbers(values[1]),
      xs.map((at) => 10 * at),
      1e-12,
    );
    expectClose(
      numbers(values[2]),
      xs.map((at) => 10 * at),
      1e-12,
    );
  });

  it('agrees with finite differences on random programs, and jvp with grad', () => {
    for (let seed = 0; seed < 40; seed++) {
      const g = new Make();
      const random = generator(seed);
      const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
      const x = g.feed('x');
      const pool: TensorNode[] = [x, g.broadcast(g.feed('r', ['N']), ['B', 'N'], [1]), g.full(0.7)];
      for (let steps = 0; steps < 8; steps++) {
        const [p, q] = [pick(pool), pick(pool)];
        pool.push(
          pick(
            [
              () => g.f(pick(['sin', 'tanh', 'sigmoid', 'square']), p),
              () => g.f(pick(['add', 'sub', 'mul']), p, q),
              () => g.f('div', p, g.f('add', g.f('square', q), g.full(1))),
              () => g.transpose(g.f('exp', g.f('sin', g.transpose(p, 1, 0))), 1, 0),
              () => g.broadcast(g.f('tanh', g.sum(p, pick([0, 1]))), ['B', 'N'], []),
              () => g.f('select', g.f('lt', p, q), g.f('sin', q), g.f('sin', q)),
              () => g.f('tanh', tensorOf(g.op('matmul', [p, tensorOf(g.op('matmul', [g.transpose(q, 1, 0), p]))]))),
            ].map((one, at) => (at === 4 ? () => g.broadcast(g.f('tanh', g.sum(p, 0)), ['B', 'N'], [1]) : one)),
          )(),
        );
      }
      // Some way always lets the derivative through.
      const y = g.total(g.f('tanh', g.f('add', pool.at(-1) as TensorNode, g.f('mul', x, g.full(0.1)))));
      const environment = g.environment(seed);
      const v = g.feed('v');
      const [slope, along] = valuesOf(g, [...g.grad(y, x), g.jvp(y, x, v)], g.environment(seed));
      expectClose(numbers(slope), differences(y, 'x', environment), 1e-5);
      const direction = numbers(g.environment(seed).feeds.get('v'));
      expectClose(numbers(along), [numbers(slope).reduce((sum, value, at) => sum + value * (direction[at] as number), 0)], 1e-9);
    }
  });

  it('marks the nodes that it adds as backward, at the place of the forward node', () => {
    const g = new Make();
    const span: Span = { source: 'm.tdsl', start: 4, end: 10 };
    const x = g.feed('x', []);
    const y = g.build.at({ span, scope: 'loss', backward: false }, () => g.f('sin', x));
    const slope = outputsOf(run(g, g.module(g.grad(y, x))))[0] as TensorNode;
    expect(slope.op.name).toBe('cos');
    expect(g.build.originsOf(slope)).toContainEqual({ span, scope: 'loss', backward: true });
  });

  it('makes the same graph every time', () => {
    const texts = [0, 1].map(() => {
      const g = new Make();
      const x = g.feed('x');
      const y = g.total(g.f('mul', g.f('sin', x), g.f('add', x, g.f('exp', x))));
      return differentiate.to.print(run(g, g.module(g.grad(y, x))));
    });
    expect(texts[0]).toBe(texts[1]);
  });
});

describe('an op without a derivative', () => {
  const bad: Op = defineOp({
    name: 'bad',
    doc: 'For this test.',
    type: (args) => args[0] ?? tensor('f64'),
    derivative: { kind: 'none', reason: 'it is only a test' },
    evaluate: (args) => args[0] ?? [],
    lowering: { kind: 'source' },
    samples: () => [],
  });
  const [opSpan, gradSpan]: Span[] = [
    { source: 'm.tdsl', start: 4, end: 10 },
    { source: 'm.tdsl', start: 20, end: 30 },
  ];
  const at = <T>(g: Make, span: Span | undefined, build: () => T): T =>
    g.build.at(span === undefined ? undefined : { span, scope: '', backward: false }, build);

  it.each(['grad', 'jvp'])('is a diagnostic at the op, with the place of %s', (mode) => {
    const g = new Make();
    const x = g.feed('x', []);
    const y = at(g, opSpan, () => tensorOf(g.build.make(bad, [x], {}, x.type)));
    const both = g.f('add', y, g.f('exp', y));
    const slope = at(g, gradSpan, () => (mode === 'grad' ? (g.grad(both, x)[0] as TensorNode) : g.jvp(both, x, g.full(1, []))));
    try {
      run(g, g.module([slope]));
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof DiagnosticsError)) throw error;
      expect(error.diagnostics).toEqual([
        {
          code: 'not-differentiable',
          message: '`bad` has no derivative: it is only a test',
          span: opSpan,
          labels: [{ span: gradSpan, text: 'the derivative is asked for here' }],
          hint: expect.stringContaining('stopGradient') as string,
        },
      ]);
    }
  });

  it('is fine off the way from the result to the variable', () => {
    const g = new Make();
    const x = g.feed('x', []);
    const y = tensorOf(g.build.make(bad, [x], {}, x.type));
    const stopped = g.f('mul', g.f('stopGradient', y), x);
    expect(outputsOf(run(g, g.module(g.grad(stopped, x))))).toHaveLength(1);
    expect(outputsOf(run(g, g.module(g.grad(g.f('exp', y), y))))).toHaveLength(1);
  });
});
