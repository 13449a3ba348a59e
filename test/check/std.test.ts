// The standard library. In: every function, layer, loss and optimizer of it. Out: values against formulas written here in TypeScript.

import { describe, expect, test } from 'vitest';
import { philoxBlock } from '../../src/ops/index.js';
import { stdNames } from '../../src/std/load.js';
import { check, distance, moduleOf, render, runEntry, std, variableTexts, type Json } from './support.js';

/** The value of an expression of `x: f64[2, 3]` and `v: f64[3]`. */
function value(expression: string, imports = ''): Json {
  const text = `${imports}\nexport fn f(x: f64[2, 3], v: f64[3]) = ${expression}`;
  return runEntry(text, 'f', {
    x: [
      [1, -2, 3],
      [0.5, 0.25, -1],
    ],
    v: [2, -1, 0.5],
  })[0] as Json;
}

const x = [
  [1, -2, 3],
  [0.5, 0.25, -1],
];
const rows = (f: (row: number[]) => Json): Json => x.map(f);
const each = (f: (value: number) => number): Json => x.map((row) => row.map(f));
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const softmax = (row: readonly number[]): number[] => row.map((one) => Math.exp(one) / sum(row.map(Math.exp)));
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

describe('texts', () => {
  test.each(stdNames)('%s has no mistake in what nobody calls', (name) => {
    const result = check(std(name) ?? '', { path: `${name.slice(4)}.tdsl` });
    expect([render(result), result.warnings]).toEqual(['', []]);
  });
  test('there is nothing else', () => expect(std('std/everything')).toBeUndefined());
});

describe('prelude', () => {
  test.each<[string, Json]>([
    ['mean(x)', mean(x.flat())],
    ['mean(x, axis: 1)', rows(mean)],
    ['mean(x, axis: [0, 1], keepDims: true)', [[mean(x.flat())]]],
    ['sum(x, axis: -1, keepDims: true)', rows((row) => [sum(row)])],
    ['max(x, axis: 0)', [1, 0.25, 3]],
    ['max(x, 0)', each((one) => Math.max(one, 0))],
    ['min(x, axis: 1)', [-2, -1]],
    ['product(x, axis: 1)', [-6, -0.125]],
    ['variance(x, axis: 1)', rows((row) => mean(row.map((one) => (one - mean(row)) ** 2)))],
    ['std(v)', Math.sqrt(mean([2, -1, 0.5].map((one) => (one - 0.5) ** 2)))],
    ['norm(x, axis: 1)', rows((row) => Math.hypot(...row))],
    ['argmax(x, axis: 1)', [2, 0]],
    ['argmin(x, axis: -1)', [1, 2]],
    ['argmax(x / 0 * 0, axis: 1)', [0, 0]],
    ['logSumExp(x, axis: 1)', rows((row) => Math.log(sum(row.map(Math.exp))))],
    ['logSumExp(1000 * v)', 2000],
    ['softmax(x)', rows(softmax)],
    ['logSoftmax(x, axis: 1)', rows((row) => softmax(row).map(Math.log))],
    ['clip(x, -1, 1)', each((one) => Math.min(Math.max(one, -1), 1))],
    ['dot(v, v)', 5.25],
    [
      'outer(v, v)',
      [
        [4, -2, 1],
        [-2, 1, -0.5],
        [1, -0.5, 0.25],
      ],
    ],
    ['trace(outer(v, v))', 5.25],
    [
      'oneHot(i32([0, 2]), 3)',
      [
        [1, 0, 0],
        [0, 0, 1],
      ],
    ],
    ['flatten(x)', x.flat()],
    ['f64(arange(3)) * v', [0, -1, 1]],
    [
      'zerosLike(x) + onesLike(v)',
      [
        [1, 1, 1],
        [1, 1, 1],
      ],
    ],
    ['where(x > 0, x, 0)', each((one) => Math.max(one, 0))],
    ['x @ v', rows((row) => 2 * (row[0] ?? 0) - (row[1] ?? 0) + 0.5 * (row[2] ?? 0))],
    ['addN([v, v, v])', [6, -3, 1.5]],
    ['concat([x, x], axis: 1)', rows((row) => [...row, ...row])],
    [
      'stack([v, 2 * v], axis: 1)',
      [
        [2, 4],
        [-1, -2],
        [0.5, 1],
      ],
    ],
    ['pad(v, [1], [2])', [0, 2, -1, 0.5, 0, 0]],
    ['take(x, tensor([2, 0]), axis: 1)', rows((row) => [row[2] ?? 0, row[0] ?? 0])],
    ['scatterAdd(tensor([1, 1, 0]), v, rows: 3)', [0.5, 1, 0]],
    ['inverse(outer(v, v) + [[1, 0, 0], [0, 1, 0], [0, 0, 1]]) @ (outer(v, v) + [[1, 0, 0], [0, 1, 0], [0, 0, 1]]) @ v', [2, -1, 0.5]],
  ])('%s', (expression, expected) => expect(distance(value(expression), expected)).toBeLessThan(1e-12));

  test('eye, full, ones and zeros take the expected type', () => {
    const text = 'export fn f(): (f64[2, 2], f32[2], i32[3], f32[2, 1]) = (eye(), full(0.5), ones(), zeros())';
    expect(runEntry(text, 'f')[0]).toEqual([
      [
        [1, 0],
        [0, 1],
      ],
      [0.5, 0.5],
      [1, 1, 1],
      [[0], [0]],
    ]);
  });

  test('initial values depend on the seed and the path alone', () => {
    const text = (first: string): string =>
      `${first}param w: f64[100, 50] = normal(1, 2)\nparam u: f64[1000] = uniform(-3, 5)\nparam g: f32[30, 70] = glorotUniform()\nexport fn f() = (w, u, g)`;
    const [w, u, g] = runEntry(text(''), 'f')[0] as [number[][], number[], number[][]];
    const all = w.flat();
    expect(Math.abs(mean(all) - 1)).toBeLessThan(0.1);
    expect(Math.abs(Math.sqrt(mean(all.map((one) => (one - 1) ** 2))) - 2)).toBeLessThan(0.1);
    expect(Math.min(...u)).toBeGreaterThanOrEqual(-3);
    expect(Math.max(...u)).toBeLessThan(5);
    expect(Math.abs(mean(u) - 1)).toBeLessThan(0.3);
    expect(Math.max(...g.flat().map(Math.abs))).toBeLessThanOrEqual(Math.sqrt(6 / 100));
    expect(new Set(all).size).toBeGreaterThan(4990);
    expect(runEntry(text('param other: f32[7] = normal()\n'), 'f')[0]).toEqual([w, u, g]);
  });

  test('a stream that is given separates uses of a key; else the place does', () => {
    const bits = (more: string): string => `randomBits([4], key: key${more})`;
    const all = [', stream: 7', ', stream: 7', ', stream: -8', '', ''].map(bits).join(', ');
    const text = `export fn f(key: i64) = (${all})`;
    const [first, again, other, ...placed] = runEntry(text, 'f', { key: 42 })[0] as number[][];
    expect(first).toEqual([0, 1, 2, 3].map((at) => philoxBlock([at, 0, 7, 0], [42, 0])[0]));
    expect(again).toEqual(first);
    expect(other).toEqual([0, 1, 2, 3].map((at) => philoxBlock([at, 0, -8, 0], [42, 0])[0]));
    expect(new Set([first, other, ...placed].map(String)).size).toBe(4);
    const refused = (stream: string): string => render(check(`export fn f(key: i64, s: i64) = ${bits(`, stream: ${stream}`)}`));
    expect(refused('s')).toContain('dtype-mismatch');
    expect(refused('[1, 2]')).toContain('a stream is one i32, and this is i32[2]');
  });

  test.each(['f16', 'bf16', 'f32', 'f64'])(
    'initial values of %s are spread like those of others, and need no number that it cannot hold',
    (dtype) => {
      const text = `param u: ${dtype}[1000] = uniform(-1, 1)\nparam w: ${dtype}[1000] = normal()\nparam g: ${dtype}[30, 30] = glorotUniform()\nparam h: ${dtype}[30, 30] = heNormal()\nexport fn f(): (f64[1000], f64[1000], f64[900]) = (f64(u), f64(w), f64(reshape(g + h, [900])))`;
      expect(check(text).warnings).toEqual([]);
      const [u, w, both] = runEntry(text, 'f')[0] as [number[], number[], number[]];
      for (const [values, deviation] of [
        [u, 1 / Math.sqrt(3)],
        [w, 1],
        [both, Math.sqrt(2 / 60 + 2 / 30)],
      ] as const) {
        expect(Math.abs(mean(values))).toBeLessThan(0.1 * deviation);
        expect(Math.abs(Math.sqrt(mean(values.map((one) => one ** 2))) / deviation - 1)).toBeLessThan(0.1);
      }
    },
  );
});

describe('nn', () => {
  const nn = (names: string): string => `import { ${names} } from "std/nn"`;
  test.each<[string, string, (z: number) => number]>([
    ['identity', 'identity(x)', (z) => z],
    ['relu', 'relu(x)', (z) => Math.max(z, 0)],
    ['leakyRelu', 'leakyRelu(x, slope: 0.1)', (z) => (z > 0 ? z : 0.1 * z)],
    ['elu', 'elu(x)', (z) => (z > 0 ? z : Math.expm1(z))],
    ['softplus', 'softplus(x)', (z) => Math.log1p(Math.exp(z))],
    ['silu', 'silu(x)', (z) => z * sigmoid(z)],
    ['mish', 'mish(x)', (z) => z * Math.tanh(Math.log1p(Math.exp(z)))],
    ['softsign', 'softsign(x)', (z) => z / (1 + Math.abs(z))],
    ['sigmoid', 'sigmoid(x)', sigmoid],
    ['tanh', 'tanh(x)', Math.tanh],
  ])('%s', (name, expression, f) => expect(distance(value(expression, nn(name)), each(f))).toBeLessThan(1e-12));

  test('gelu', () => {
    const [[one]] = value('gelu(x)', nn('gelu')) as [[number]];
    expect(one).toBeCloseTo(0.8413447460685429, 9);
  });

  test('layers own their params, and take any number of leading axes', () => {
    const text = `${nn('Dense, LayerNorm, Embedding, relu')}
      net = Dense<3, 2>(act: relu)
      normed = LayerNorm<3>()
      words = Embedding<5, 3>()
      export fn dense<A, B>(x: f32[A, B, 3]): f32[A, B, 2] = net(x)
      export fn norm<B>(x: f32[B, 3]): f32[B, 3] = normed(x)
      export fn word(i: i32): f32[3] = words(i)`;
    expect(variableTexts(moduleOf(text).module)).toEqual([
      'param net/w: f32[3, 2]',
      'param net/b: f32[2]',
      'param normed/scale: f32[3]',
      'param normed/shift: f32[3]',
      'param words/table: f32[5, 3]',
    ]);
    const [row] = runEntry(text, 'norm', { x: [[1, 2, 3]] })[0] as number[][];
    expect(
      distance(
        row ?? [],
        [-1, 0, 1].map((one) => one / Math.sqrt(2 / 3 + 1e-5)),
      ),
    ).toBeLessThan(1e-6);
  });

  test('dropout keeps the mean', () => {
    const text = `${nn('dropout')}\nexport fn f(x: f64[4000], key: i64): f64[4000] = dropout(x, 0.25, key)`;
    const found = runEntry(text, 'f', { x: Array.from({ length: 4000 }, () => 3), key: 5 })[0] as number[];
    expect(new Set(found)).toEqual(new Set([0, 4]));
    expect(Math.abs(mean(found) - 3)).toBeLessThan(0.15);
  });
});

describe('loss', () => {
  const loss = (names: string): string => `import { ${names} } from "std/loss"`;
  test.each<[string, string, Json]>([
    ['softmaxCrossEntropy', 'softmaxCrossEntropy(x, i32([2, 0]))', rows((row) => -Math.log(softmax(row)[row[0] === 1 ? 2 : 0] ?? 0))],
    ['softmaxCrossEntropy', 'softmaxCrossEntropy(1000 * x, i32([2, 0]))', [0, 0]],
    [
      'binaryCrossEntropy',
      'binaryCrossEntropy(logits: x, labels: sigmoid(x))',
      each((z) => -sigmoid(z) * Math.log(sigmoid(z)) - (1 - sigmoid(z)) * Math.log(1 - sigmoid(z))),
    ],
    ['mse', 'mse(v, [1, 1, 1])', mean([1, 4, 0.25])],
    ['mae', 'mae(v, [1, 1, 1])', mean([1, 2, 0.5])],
    ['huber', 'huber(v, [1, 1, 1])', [0.5, 1.5, 0.125]],
    ['hinge', 'hinge(v, [1, 1, -1])', [0, 2, 1.5]],
    ['klDivergence', 'klDivergence(log(softmax(x)), log(softmax(x)))', [0, 0]],
    ['accuracy', 'accuracy(x, i32([2, 1]))', 0.5],
    ['binaryAccuracy', 'binaryAccuracy(v, [1, 1, 1])', 2 / 3],
  ])('%s: %s', (name, expression, expected) => expect(distance(value(expression, loss(name)), expected)).toBeLessThan(1e-9));

  test('binaryCrossEntropy and softplus are smooth, at 0 as well', () => {
    const text = `${loss('binaryCrossEntropy')}
      import { softplus } from "std/nn"
      export fn f(x: f64[3], y: f64[3]) {
        let g = grad(binaryCrossEntropy(x, y), x)
        let s = softplus(x)
        return (g, grad(g, x), grad(s, x), jvp(s, x, 2), grad(binaryCrossEntropy(x, 1), x))
      }`;
    const [x, y] = [
      [0, -3, 50],
      [1, 0, 0.25],
    ];
    const slope = x.map(sigmoid);
    const expected = [
      slope.map((one, at) => one - (y[at] ?? 0)),
      slope.map((one) => one * (1 - one)),
      slope,
      slope.map((one) => 2 * one),
      slope.map((one) => one - 1),
    ];
    const found = runEntry(text, 'f', { x, y })[0] as number[][];
    found.forEach((row, at) => row.forEach((one, element) => expect(one).toBeCloseTo(expected[at]?.[element] ?? Number.NaN, 12)));
  });

  test('the derivative of softmaxCrossEntropy is softmax minus one-hot', () => {
    const found = value('grad(mean(softmaxCrossEntropy(x, i32([2, 0]))), x)', loss('softmaxCrossEntropy'));
    expect(
      distance(
        found,
        rows((row) => softmax(row).map((one, at) => (one - (at === (row[0] === 1 ? 2 : 0) ? 1 : 0)) / 2)),
      ),
    ).toBeLessThan(1e-12);
  });
});

describe('optim', () => {
  /** Three steps on ½·x², whose gradient is x, from x = 2. */
  const path = (optimizer: string): number[] => {
    const name = optimizer.slice(0, optimizer.indexOf('('));
    return runEntry(
      `import { ${name} } from "std/optim"\nparam x: f64 = 2\nexport step train(): f64 { minimize 0.5 * x * x with ${optimizer} return x }`,
      'train',
      {},
      3,
    ) as number[];
  };
  const steps = (advance: (x: number, t: number) => number): number[] => {
    let at = 2;
    return [1, 2, 3].map((t) => (at = advance(at, t)));
  };
  let [m, v] = [0, 0];
  const fresh = (advance: (x: number, t: number) => number): number[] => {
    [m, v] = [0, 0];
    return steps(advance);
  };
  test.each<[string, () => number[]]>([
    ['sgd(0.1)', () => steps((x) => x - 0.1 * x)],
    ['momentum(lr: 0.1)', () => fresh((x) => ((m = 0.9 * m + x), x - 0.1 * m))],
    ['nesterov(lr: 0.1)', () => fresh((x) => ((m = 0.9 * m + x), x - 0.1 * (x + 0.9 * m)))],
    [
      'adam(lr: 0.1)',
      () =>
        fresh(
          (x, t) => (
            (m = 0.9 * m + 0.1 * x),
            (v = 0.999 * v + 0.001 * x * x),
            x - (0.1 * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8)
          ),
        ),
    ],
    [
      'adamW(lr: 0.1)',
      () =>
        fresh(
          (x, t) => (
            (m = 0.9 * m + 0.1 * x),
            (v = 0.999 * v + 0.001 * x * x),
            x - 0.1 * (m / (1 - 0.9 ** t) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8) + 0.01 * x)
          ),
        ),
    ],
    ['adagrad(lr: 0.1)', () => fresh((x) => ((v += x * x), x - (0.1 * x) / (Math.sqrt(v) + 1e-10)))],
    [
      'adadelta()',
      () =>
        fresh((x) => {
          v = 0.95 * v + 0.05 * x * x;
          const change = (x * Math.sqrt(m + 1e-6)) / Math.sqrt(v + 1e-6);
          m = 0.95 * m + 0.05 * change * change;
          return x - change;
        }),
    ],
    ['rmsprop(lr: 0.1)', () => fresh((x) => ((v = 0.9 * v + 0.1 * x * x), x - (0.1 * x) / (Math.sqrt(v) + 1e-7)))],
    [
      'ftrl(lr: 0.1, l1: 0.5, l2: 0.25)',
      () =>
        fresh((x) => {
          const sigma = (Math.sqrt(v + x * x) - Math.sqrt(v)) / 0.1;
          m += x - sigma * x;
          v += x * x;
          return Math.abs(m) <= 0.5 ? 0 : (Math.sign(m) * 0.5 - m) / ((1 + Math.sqrt(v)) / 0.1 + 0.25);
        }),
    ],
  ])('%s', (optimizer, expected) => expect(distance(path(optimizer), expected())).toBeLessThan(1e-9));

  test('schedules', () => {
    const text = `import { exponentialDecay, cosineDecay, warmUp, inverseTimeDecay } from "std/optim"
      export fn f(s: f32) = (exponentialDecay(0.1, s, 0.5, 10), cosineDecay(0.1, s, 20), warmUp(0.1, s, 100), inverseTimeDecay(0.1, s, 0.1))`;
    expect(distance(runEntry(text, 'f', { s: 10 })[0] as Json, [0.05, 0.05, 0.011, 0.05])).toBeLessThan(1e-6);
  });
});
