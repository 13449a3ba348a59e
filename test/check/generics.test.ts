// Generics with defaults, arguments that decide while compiling, lists, arguments of entries. In: small programs. Out: types and values as
// the language page says, and the mistakes that one can make.

import { describe, expect, test } from 'vitest';
import { check, entryTexts, moduleOf, render, runEntry, variableTexts, type Json } from './support.js';

const run = (text: string, feeds: Readonly<Record<string, Json>> = {}): Json => runEntry(text, 'f', feeds)[0] as Json;
const codes = (text: string): string[] => check(text).diagnostics.map((one) => one.code);
const variables = (text: string): string[] => variableTexts(moduleOf(text).module);

describe('generics', () => {
  const layer =
    'model Layer<In, Out = In, T: float = f32>(scale: T = 1) { param w: T[In, Out] = full(scale)\nfn call<B>(x: T[B, In]): T[B, Out] = x @ w }\n';
  test('have defaults, which may name those before them', () => {
    expect(variables(`${layer}a = Layer<2>()\nb = Layer<2, 3>()\nc = Layer<2, 3, f64>()\nd = Layer<2, 3, f64>(scale: 0.5)`)).toEqual([
      'param a/w: f32[2, 2]',
      'param b/w: f32[2, 3]',
      'param c/w: f64[2, 3]',
      'param d/w: f64[2, 3]',
    ]);
  });
  test('a default waits for what arguments say, and literals wait for it', () => {
    const text = 'model M<T: float = f64>(a: T, b: T = 1) { param w: T = a + b }\nconst c: f32 = 2\n';
    expect(variables(`${text}m = M(0.5)\nn = M(c)`)).toEqual(['param m/w: f64', 'param n/w: f32']);
    expect(
      run(`fn g<T: float = f64>(x: T): T = x\nfn h<T: float = f64>(): T = T(0.1)\nexport fn f(x: f32) = (g(x), h(), h<f32>())`, { x: 1 }),
    ).toEqual([1, 0.1, 0.1]);
    expect(entryTexts(moduleOf('fn h<T: float = f64>(): T = T(0.1)\nexport fn f(): f32 = h()\nexport fn g() = h()').module)).toEqual([
      'fn f(): f32',
      'fn g(): f64',
    ]);
  });
  test('known integers decide sizes, and may be negative', () => {
    const text = 'model M<K: int = -1> { param w: f32[3 + K] = zeros() }\n';
    expect(variables(`${text}a = M()\nb = M<2>()\nc = M< -2>()`)).toEqual(['param a/w: f32[2]', 'param b/w: f32[5]', 'param c/w: f32[1]']);
    expect(codes(`${text}a = M<f32>()`)).not.toEqual([]);
  });
  test('an entry whose dtype has a default is one of that dtype', () => {
    expect(entryTexts(moduleOf('export fn f<B, T: float = f64>(x: T[B]): T = sum(x)').module)).toEqual(['fn f(x: f64[B]): f64']);
    expect(codes('export fn f<B = 3>(x: f64[B]): f64 = sum(x)')).toEqual(['unsupported-feature']);
  });
  test('are checked', () => {
    expect(codes(`${layer}a = Layer<2, 3, i32>()`)).toEqual(['dtype-mismatch']);
    expect(codes(`${layer}a = Layer<2, f32>()`)).not.toEqual([]);
    expect(codes(`${layer}a = Layer()`)).toEqual(['ambiguous-size']);
    expect(codes('model M<T: float = i32> { param w: T = 0 }\nm = M()')).toEqual(['dtype-mismatch']);
    expect(codes('model M<T: flot = f32> { param w: T = 0 }\nm = M()')).toContain('unknown-name');
  });
  test('types of models name dtypes', () => {
    const use = (type: string): string =>
      `${layer}a = Layer<2, 2, f64>()\nfn g<T: float>(l: ${type}, x: T[1, 2]): T[1, 2] = l(x)\nexport fn f(x: f64[1, 2]) = g(a, x)`;
    expect(codes(use('Layer<2, 2, T>'))).toEqual([]);
    expect(codes(use('Layer<2, 2, f64>'))).toEqual([]);
    expect(codes(use('Layer<2, 2, f32>'))).toEqual(['dtype-mismatch']);
  });
});

describe('layers of the library', () => {
  test('have a dtype at the end', () => {
    const text = `import { BatchNorm, Dense, Embedding, LayerNorm } from "std/nn"
      a = Dense<2, 3, f64>(act: tanh)
      b = Embedding<4, 3, f64>()
      c = LayerNorm<3, f64>(epsilon: 1e-3)
      d = BatchNorm<3>()
      export fn f(x: f64[1, 2], ids: i32[1], y: f32[1, 3]) = (c(a(x) + b(ids)), d(y))`;
    expect(entryTexts(moduleOf(text).module)).toEqual(['fn f(x: f64[1, 2], ids: i32[1], y: f32[1, 3]): (f64[1, 3], f32[1, 3])']);
    expect(variables(text).slice(0, 5)).toEqual([
      'param a/w: f64[2, 3]',
      'param a/b: f64[3]',
      'param b/table: f64[4, 3]',
      'param c/scale: f64[3]',
      'param c/shift: f64[3]',
    ]);
  });
});

describe('arguments of models', () => {
  const conv = `model Conv<In, Out>(kernel: int, padding: text = "same", bias: bool = true) {
      param w: f32[kernel, kernel, In, Out] = zeros()
      fn border(): i32 = if padding == "same" then (kernel - 1) / 2 else 0
      fn call(x: f32) = if bias then x + 1 else x }\n`;
  test('integers and texts decide while compiling', () => {
    const text = `${conv}a = Conv<3, 16>(kernel: 3)\nb = Conv<3, 16>(kernel: 5, padding: "valid", bias: false)\nexport fn f() = (a.border(), b.border(), a(1.0), b(1.0))`;
    expect(variables(text)).toEqual(['param a/w: f32[3, 3, 3, 16]', 'param b/w: f32[5, 5, 3, 16]']);
    expect(run(text)).toEqual([1, 0, 2, 1]);
  });
  test('that are neither are refused', () => {
    expect(codes(`${conv}a = Conv<3, 16>(kernel: 2.5)`)).toEqual(['type-mismatch']);
    expect(codes(`${conv}a = Conv<3, 16>(kernel: 3, padding: 1)`)).toEqual(['type-mismatch']);
    expect(codes(`${conv}state k: i32 = 3\na = Conv<3, 16>(kernel: k)`)).toEqual(['not-constant']);
  });
});

describe('lists', () => {
  test('nested clauses: the last runs fastest, and sees those before it', () => {
    expect(run('export fn f() = [10 * i + j for i in 0..3 for j in 0..i]')).toEqual([10, 20, 21]);
    expect(run('const all = [[1, 2], [3]]\nexport fn f() = [x * x for one in all for x in one]')).toEqual([1, 4, 9]);
    expect(codes('export fn f() = [i for i in 0..200 for j in 0..200]')).toEqual(['too-large']);
  });
  test('enumerate gives positions', () => {
    expect(run('const all = [5, 7]\nexport fn f() = [i * x for (i, x) in enumerate(all)]')).toEqual([0, 7]);
    expect(codes('export fn f(x: f32[3]) = [i for (i, y) in enumerate(x)]')).toEqual(['type-mismatch']);
  });
  test('give sizes', () => {
    const text = `import { Dense } from "std/nn"
      const sizes = [4, 3, 2]
      model Net { layers = [Dense<sizes[i], sizes[i + 1]>() for i in 0..2] }
      net = Net()
      param last: f32[sizes[-1], sizes[0] * 2] = zeros()
      export fn f(x: f32[sizes[0]]) = x[:sizes[1]]`;
    expect(variables(text)).toEqual([
      'param net/layers/0/w: f32[4, 3]',
      'param net/layers/0/b: f32[3]',
      'param net/layers/1/w: f32[3, 2]',
      'param net/layers/1/b: f32[2]',
      'param last: f32[2, 8]',
    ]);
    expect(entryTexts(moduleOf(text).module)).toEqual(['fn f(x: f32[4]): f32[3]']);
  });
  test.each([
    ['const s = [1, 2]\nexport fn f(x: f32[s[2]]) = x', 'invalid-value'],
    ['const s = [1.5, 2]\nexport fn f(x: f32[s[0]]) = x', 'type-mismatch'],
    ['const s = 3\nexport fn f(x: f32[s[0]]) = x', 'type-mismatch'],
    ['export fn f(x: f32[s[0]]) = x', 'unknown-name'],
    ['const s = [1, 2]\nfn g<N>(x: f32[N, s[N]]) = x\nexport fn f<N>(x: f32[N, 2]) = g(x)', 'not-constant'],
  ])('%s', (text, code) => expect(codes(text)).toContain(code));
});

describe('arguments of entries', () => {
  test('may be left out', () => {
    const text =
      'const rate = 0.25\nexport fn f(x: f32, by: f32 = 2 * rate, n: i64 = 9007199254740993, on: bool = true): (f32, i64, bool) = (x * by, n, on)';
    const [entry] = moduleOf(text).module.entries;
    expect(entry?.feeds.map(({ name, initial }) => [name, initial])).toEqual([
      ['x', undefined],
      ['by', 0.5],
      ['n', 9007199254740993n],
      ['on', true],
    ]);
    expect(run(text, { x: 3 })).toEqual([1.5, '9007199254740993', true]);
    expect(run(text, { x: 3, by: 2, on: 0 })).toEqual([6, '9007199254740993', false]);
  });
  test.each([
    ['export fn f(x: f32 = 1.0, y: i32 = 1.5) = x', 'dtype-mismatch'],
    ['export fn f(y: u8 = 300) = y', 'invalid-value'],
    ['export fn f(x: f32[3] = 1.0) = x', 'unsupported-feature'],
    ['state s: f32 = 1\nexport fn f(x: f32 = s) = x', 'not-constant'],
    ['export fn f(x: f32, y: f32 = x) = x', 'not-constant'],
    ['export fn f(x: f32 = "a") = x', 'type-mismatch'],
    ['export fn f(x: f32 = unknownName) = x', 'unknown-name'],
  ])('%s', (text, code) => expect([...codes(text), ...check(text).warnings.map((one) => one.code)]).toContain(code));
  test('may be records, whose fields are fed', () => {
    const text = 'export fn f<B>(batch: { x: f64[B], inner: { y: f64[B] } }): f64 = sum(batch.x * batch.inner.y)';
    expect(entryTexts(moduleOf(text).module)).toEqual(['fn f(batch/x: f64[B], batch/inner/y: f64[B]): f64']);
    expect(run(text, { 'batch/x': [1, 2], 'batch/inner/y': [3, 4] })).toBe(11);
    expect(codes('export fn f(r: { x: f32 } = { x: 1 }) = r.x')).toEqual(['unsupported-feature']);
    expect(codes('export fn f(r: {}) = 1')).toEqual(['type-mismatch']);
    expect(codes('export fn f(r: { x: f32, x: f32 }) = r.x')).toEqual(['duplicate-name']);
    expect(codes('export fn f(r: { x: (f32, f32) }) = 1')).toEqual(['type-mismatch']);
    expect(codes('export fn f<...S>(r: { x: f32 }, y: f32[...S]) = y')).toEqual(['unsupported-feature']);
  });
});

test('a param without a type says what it needs', () => {
  const [one] = check('param w = zeros()').diagnostics;
  expect([one?.code, one?.message, one?.hint]).toEqual(['syntax-error', 'a param needs a type', 'write `param w: f32[…] = …`']);
  expect(render(check('model M { param w\n fn call() = 1 }'))).toContain('a param needs a type');
});
