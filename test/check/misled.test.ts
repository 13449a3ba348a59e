// Programs whose writers were once told something that misled them, and which mean something. In: programs as a new user would write them.
// Out: what they compute, and what they ask of sizes.

import { describe, expect, test } from 'vitest';
import { check, moduleOf, render, runEntry } from './support.js';

const facts = (text: string): string[] =>
  moduleOf(text).module.entries.flatMap(({ facts }) => facts.map(({ left, relation, right }) => `${left} ${relation} ${right}`));

describe('functions of the library in loops', () => {
  test.each(['softmax(z)', 'logSoftmax(z)', 'logSumExp(z) + z', 'normalized(z)'])('%s', (call) => {
    const text = `fn normalized<N>(x: f32[N]): f32[N] { let n = norm(x)
      return x / n }
      export fn f(x: f32[3]): f32[3] = fold i in 0..3 with z = x { ${call} }
      export fn g(x: f32[3]): f32[3] { let a = one(x)
        let b = one(a)
        return one(b) }
      fn one(z: f32[3]): f32[3] = ${call}`;
    expect(runEntry(text, 'f', { x: [1, 2, 3] })).toEqual(runEntry(text, 'g', { x: [1, 2, 3] }));
  });
});

test('an index that is computed from a size asks for what it needs', () => {
  expect(facts('export fn f<N>(x: f32[N]): f32 = x[size(x, 0) - 1]')).toEqual(['N >= 1']);
  expect(facts('export fn f<N>(x: f32[N, 2]): f32[2] = x[x.shape[0] - 3]')).toEqual(['N >= 3']);
});

describe('a quotient of sizes beside a float is a number', () => {
  const values = (expression: string, more = '', x = [1, 2, 4, 9]): unknown =>
    runEntry(`${more}\nexport fn f<N>(x: f32[N]) = ${expression}`, 'f', { x })[0];
  test.each([
    ['sum(x) ** (1 / N)', 2],
    ['(1 / N) * sum(x)', 4],
    ['1 / N * sum(x)', 4],
    ['sum(x) * (1 / N)', 4],
    ['1 / N * 2 * sum(x)', 8],
    ['2 * (1 / N) * sum(x)', 8],
    ['-(1 / N) + sum(x)', 15.75],
    ['(1 - 1 / N) * sum(x)', 12],
    ['if 1 / N < 0.5 then sum(x) else 0.0', 16],
    ['if sum(x) > 1 / N then 1.0 else 0.0', 1],
    ['max(1 / N, 0.125)', 0.25],
    ['max(sum(x), 1 / N)', 16],
    ['pow(sum(x), 1 / N)', 2],
    ['pow(1 / N, sum(x) / 8)', 0.0625],
    ['where(x > 3, 1 / N, x)', [1, 2, 0.25, 0.25]],
    ['where(x > 3, x, 1 / N)', [0.25, 0.25, 4, 9]],
    ['clip(x, 0, 1 / N)', [0.25, 0.25, 0.25, 0.25]],
    ['f32(1 / N)', 0.25],
    ['sqrt(1 / N) * sum(x)', 8],
    ['scaled(x, 1 / N)', [0.25, 0.5, 1, 2.25]],
    ['sum(x) * (N % 3)', 16],
  ])('%s', (expression, value) => {
    // x adds up to 16, and N is 4.
    expect(values(expression, 'fn scaled<T: float, ...S>(x: T[...S], by: T): T[...S] = x * by')).toEqual(value);
  });
  test('of the float that it stands beside, the nearest last', () => {
    const { module } = moduleOf('export fn f<N>(x: f64[N]) = 1 / N * 0.5 * sum(x)\nexport fn g<N>(x: f64[N]) = 0.5 * (1 / N) * sum(x)');
    expect(module.entries.map(({ outputs }) => outputs[0]?.node.type.kind === 'tensor' && outputs[0].node.type.dtype)).toEqual([
      'f64',
      'f64',
    ]);
  });
  test('and a size where it divides', () => {
    expect(runEntry('export fn f<N>(x: f32[2 * N]): f32[N] = x[: size(x, 0) / 2]', 'f', { x: [1, 2, 3, 4] })[0]).toEqual([1, 2]);
  });
});

describe('a declared fact is knowledge', () => {
  test.each([
    'export fn f<D>(x: f32[D]): f32[D / 2] where D % 2 == 0 = x[: D / 2]',
    'export fn f<D>(x: f32[D]) where D % 2 == 0 = sum(reshape(x, [2, D / 2]), axis: 0) + x[: D / 2] - x[: D / 2]',
    'export fn f<D>(x: f32[D]): f32[D / 2] where D % 2 == 0 = half(x)\nfn half<D>(x: f32[D]): f32[D / 2] where D % 2 == 0 = x[: D / 2]',
  ])('%s', (text) => {
    const { diagnostics, files } = check(text);
    expect(render({ diagnostics, files })).toBe('');
  });
});

describe('a fact that a called function declares is knowledge', () => {
  const half = 'fn half<D>(x: f32[D]): f32[D / 2] where D % 2 == 0 = x[: D / 2]\n';
  const heads = `fn heads<Heads, B, D>(x: f32[B, D]): f32[B, Heads, D / Heads] where D % Heads == 0 = reshape(x, [B, Heads, D / Heads])\n`;
  test('and a precondition of the entry', () => {
    const text = `${half}export fn f<B>(x: f32[B]) = half(x)`;
    expect(runEntry(text, 'f', { x: [1, 2, 3, 4] })[0]).toEqual([1, 2]);
    const [entry] = moduleOf(text).module.entries;
    expect(
      entry?.declared?.facts.map(({ left, relation, right, inferred }) => [
        `${left} ${relation} ${right}`,
        text.slice(inferred?.start, inferred?.end),
      ]),
    ).toEqual([['2 divides B', 'half(x)']]);
  });
  test('together with others, in steps and in loops', () => {
    expect(runEntry(`${half}export fn f<B>(x: f32[B]) where B % 3 == 0 = half(x[: B / 3 * 2])`, 'f', { x: [1, 2, 3] })[0]).toEqual([1]);
    expect(runEntry(`${half}export fn f<B, C>(x: f32[B], y: f32[C]) = (half(x), half(y))`, 'f', { x: [1, 2], y: [3, 4, 5, 6] })[0]).toEqual(
      [[1], [3, 4]],
    );
    expect(
      runEntry(
        `import { sgd } from "std/optim"\n${half}param w: f32 = 3\nexport step f<B>(x: f32[B]): f32[B / 2] {\n  let h = half(x) * w\n  minimize sum(h) with sgd(lr: 1)\n  return h\n}`.replace(
          ': f32[B / 2]',
          '',
        ),
        'f',
        { x: [1, 2, 3, 4] },
        2,
      ),
    ).toEqual([
      [3, 6],
      [0, 0],
    ]);
    expect(
      runEntry(`${half}export fn f<B>(x: f32[B]): f32 = fold i in 0..2 with z = 0.0 { z + sum(half(x)) }`, 'f', { x: [1, 2, 3, 4] })[0],
    ).toBe(6);
    expect(
      runEntry(`${heads}export fn f<B, D>(x: f32[B, D]) = heads<2>(x)`, 'f', {
        x: [[1, 2, 3, 4]],
      })[0],
    ).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
    ]);
  });
  test('and what does not hold is refused', () => {
    const { diagnostics } = check(`${half}export fn f(x: f32[3]) = half(x)`);
    expect(diagnostics.map(({ code }) => code)).toEqual(['unsatisfied-fact']);
  });
});

describe('rules of derivatives', () => {
  test('take a known integer', () => {
    const text = `fn power(x: f32, n: i32): f32 = x ** f32(n) vjp (g) => g * f32(n) * x ** (f32(n) - 1.0)
      export fn f(x: f32): f32 = grad(power(x, 3), x)`;
    expect(runEntry(text, 'f', { x: 2 })[0]).toBeCloseTo(12, 4);
  });
  test('give tuples', () => {
    const text = `fn both(x: f32): (f32, f32) = (x * x, 3 * x) vjp (a, b) => 2 * a * x + 3 * b
      export fn f(x: f32): f32 { let (a, b) = both(x)
        return grad(a + b, x) }`;
    expect(runEntry(text, 'f', { x: 5 })[0]).toBe(13);
  });
});

test('positions of several axes pick pairs', () => {
  expect(
    runEntry('export fn f(t: f32[2, 3], i: i32[2], j: i32[2]): f32[2] = t[i, j]', 'f', {
      t: [
        [1, 2, 3],
        [4, 5, 6],
      ],
      i: [0, 1],
      j: [2, 0],
    })[0],
  ).toEqual([3, 4]);
});

test('`constant` is an initializer, and one value everywhere', () => {
  const text =
    'param w: f32[2] = constant(0.5)\nstate n: i64 = constant(3)\nexport fn f(): f32[2] = w\nexport fn g(): f32[2, 2] = constant(2)\nexport fn h(): i64 = n';
  expect([runEntry(text, 'f'), runEntry(text, 'g'), runEntry(text, 'h')]).toEqual([
    [[0.5, 0.5]],
    [
      [
        [2, 2],
        [2, 2],
      ],
    ],
    [3],
  ]);
});

test('what stands beside a call says nothing of the sizes in it', () => {
  const text = (body: string): string => `fn share<N>(x: f32[N]) = N / 2\nexport fn f<N>(x: f32[N], key: i64) = ${body}`;
  const codes = (body: string): string[] => check(text(body)).diagnostics.map(({ code }) => code);
  expect(codes('share(x) * sum(x)')).toEqual(['ambiguous-size']);
  expect(codes('(fold i in 0..2 with z = N / 2 { z }) * sum(x)')).toEqual(['ambiguous-size']);
  expect(codes('N / 2 * sum(x)')).toEqual([]);
});
