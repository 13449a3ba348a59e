// Functions with blocks, wherever they may be called. In: programs that call them in loops, in scans, in each other and behind rules of
// their own. Out: values and derivatives like those of the same formulas written in place; mistakes with their codes.

import { describe, expect, test } from 'vitest';
import { check, distance, runEntry, type Json } from './support.js';

const run = (text: string, feeds: Readonly<Record<string, Json>> = {}): Json => runEntry(text, 'f', feeds)[0] as Json;
const same = (text: string, other: string, feeds: Readonly<Record<string, Json>>): void => {
  expect(distance(run(text, feeds), run(other, feeds))).toBeLessThan(1e-12);
};
const codes = (text: string): string[] => check(text).diagnostics.map((one) => `${one.code}: ${one.message}`);

const x = { x: [0.5, -1.5, 2] };

describe('a function with a block', () => {
  const squash = 'fn squash<N>(x: f64[N]): f64[N] {\n  let e = exp(-x)\n  return x / (1 + e)\n}\n';
  const inPlace = '(z / (1 + exp(-z)))';

  test('is called in a loop, and differentiated through it', () => {
    const around = (body: string): string =>
      `export fn f(x: f64[3]): (f64[3], f64[3]) {\n  let y = fold i in 0..4 with z = x { ${body} + f64(i) }\n  return (y, grad(y, x))\n}`;
    same(squash + around('squash(z)'), around(inPlace), x);
  });
  test('is called in a scan, in a loop over a list, in a lambda and in another one', () => {
    const around = (body: string): string =>
      `export fn f(x: f64[3]): (f64[3], f64[3, 3]) {
        let (y, ys) = scan i in 0..3 with z = x { yield (${body}, z) }
        let total = sum(y) + sum(ys * ys)
        let w = fold factor in [2.0, 3.0] with z = y { factor * ${body} }
        return (grad(total, x) + w, ys)
      }`;
    const nested = `${squash}fn twice<N>(x: f64[N]): f64[N] {\n  let y = fold i in 0..1 with z = x { squash(z) }\n  return (v => squash(v) - squash(v) + v)(y)\n}\n`;
    same(nested + around('twice(z)'), around(inPlace), x);
  });
  test('of the library and of models is called in a loop', () => {
    const library = `import { LayerNorm, dropout } from "std/nn"
      norm = LayerNorm<3>()
      export fn f(x: f32[2, 3], key: i64): (f32[2, 3], f32[2, 3]) {
        let y = fold i in 0..2 with z = x { norm(softmax(z, axis: 1)) + logSoftmax(z) + dropout(z, 0.5, key: key + i64(i)) }
        return (y, grad(y, x))
      }`;
    expect(
      JSON.stringify(
        run(library, {
          x: [
            [1, 2, 3],
            [0, 1, -1],
          ],
          key: 7,
        }),
      ),
    ).not.toMatch(/null/);
    const normal =
      'export fn f(key: i64): f64[2] = fold i in 0..3 with z = f64(0) * [1.0, 1.0] { let e: f64[2] = normal(key: key + i64(i))\n z + e }';
    expect((run(normal, { key: 3 }) as number[]).every((one) => one !== 0 && Number.isFinite(one))).toBe(true);
  });
  test('a loop itself still does not return', () => {
    expect(codes('export fn f(x: f32): f32 = fold i in 0..3 with z = x { return z }')).toEqual(['syntax-error: a loop does not return']);
    expect(
      codes('fn g(x: f32): f32 {\n  let y = fold i in 0..3 with z = x { return z }\n  return y\n}\nexport fn f(x: f32): f32 = g(x)'),
    ).toEqual(['syntax-error: a loop does not return']);
  });
});

describe('a function with a derivative of its own', () => {
  test('has blocks, named constants and a rule that is a block', () => {
    const text = `fn f1(x: f32[3]): f32[3] {
        let half = 0.5 * sqrt(4.0)
        let y = x * half
        return y * y
      } vjp (g) => {
        let twice = 2 * g
        return twice * x
      }
      export fn f(x: f32[3]): (f32[3], f32[3], f32[3]) {
        let y = f1(x)
        return (y, grad(y, x), jvp(y, x, x))
      }`;
    expect(run(text, x)).toEqual([
      [0.25, 2.25, 4],
      [1, -3, 4],
      [0.5, 4.5, 8],
    ]);
  });
  test('takes integers that are known or not, and says nothing about them', () => {
    const text = (call: string): string => `fn power(x: f64[3], n: i32): f64[3] = x ** f64(n) vjp (g) => g * f64(n) * x ** f64(n - 1)
      export fn f(x: f64[3], n: i32): f64[3] {\n  let y = ${call}\n  return grad(y, x)\n}`;
    for (const call of ['power(x, 3)', 'power(x, n)', 'fold i in 0..1 with z = x { power(z, n) }'])
      expect(distance(run(text(call), { ...x, n: 3 }), [0.75, 6.75, 12])).toBeLessThan(1e-12);
  });
  test('gives a tuple: one name per cotangent, or one for all', () => {
    const text = (rule: string): string => `fn both(x: f64[3], i: i32): (f64, f64[3]) = (sum(x), x * 2) vjp ${rule}
      export fn f(x: f64[3]): (f64[3], f64[3], f64[3]) {
        let (a, b) = both(x, 1)
        let (c, d) = both(x, 2)
        let (e, ys) = scan i in 0..2 with h = x {
          let (s, r) = both(h, i)
          yield (s * r, s)
        }
        let last = sum(e)
        return (grad(a * sum(b), x), grad(d, x), grad(last, x))
      }`;
    const plain = text('(a, b) => a + 2 * b').replace(/ vjp .*/, '');
    for (const rule of ['(a, b) => a + 2 * b', '(g) => g[0] + 2 * g[1]', '(g) => {\n let (a, b) = g\n return a + 2 * b\n}'])
      same(text(rule), plain, x);
  });
  test('takes and gives records, and leaves out what is no float', () => {
    const text = `fn ends(p: { a: f64[3], b: f64 }, k: f64): { first: f64, count: i32 } = { first: p.a[0] * p.b * k, count: 3 }
        vjp (g) => ({ a: [g * p.b * k, 0, 0], b: g * p.a[0] * k }, g * p.a[0] * p.b)
      export fn f(x: f64[3]): (f64[3], i32) {
        let b = x[1]
        let r = ends({ a: x, b }, 2)
        let y = r.first
        return (grad(y, x), r.count)
      }`;
    expect(run(text, x)).toEqual([[-3, 1, 0], 3]);
  });
  test('has no rule where its values are integers', () => {
    expect(run('import { relu } from "std/nn"\nexport fn f(k: i32[3]): i32[3] = relu(k)', { k: [-1, 0, 2] })).toEqual([0, 0, 2]);
  });
  test('mistakes of its rule are named', () => {
    const rule = (result: string, text: string): string =>
      `fn g(x: f32[3], y: f32): ${result} ${text}\nexport fn f(x: f32[3], y: f32): f32[3] {\n  let z = g(x, y)\n  return x\n}`;
    expect(codes(rule('f32', '= sum(x) * y vjp (a, b) => (a, b)'))).toEqual(['type-mismatch: the rule of `g` takes one cotangent']);
    expect(codes(rule('(f32, f32)', '= (y, y) vjp (a, b, c) => (a, b)'))).toEqual([
      'type-mismatch: the rule of `g` takes 2 cotangents, one per float result, or one name for all of them',
    ]);
    expect(codes(rule('(f32, f32)', '= (y, y) vjp (a, a) => (a, a)'))).toEqual(['duplicate-name: the rule of `g` has two cotangents `a`']);
    expect(codes(rule('f32', '= sum(x) * y vjp (a) => a'))).toEqual([
      'type-mismatch: the rule of `g` gives f32, and `g` has 2 float arguments: `x`, `y`',
    ]);
    expect(codes(rule('f32', '= sum(x) * y vjp (a) => ([a, a], a)'))).toEqual([
      'shape-mismatch: the cotangent of `x` is f32[2], and `x` is f32[3]',
    ]);
    expect(codes('param w: f32 = 1\nfn g(x: f32): f32 = x * w vjp (a) => a * w\nexport fn f(x: f32): f32 = g(x)')).toEqual([
      'unsupported-feature: `g` has a derivative of its own, and uses more than its arguments',
    ]);
  });
});

test('`split` cuts into equal parts', () => {
  expect(
    run('export fn f(x: f64[2, 6]) = split(x, 3, axis: 1)', {
      x: [
        [1, 2, 3, 4, 5, 6],
        [7, 8, 9, 10, 11, 12],
      ],
    }),
  ).toEqual([
    [
      [1, 2],
      [7, 8],
    ],
    [
      [3, 4],
      [9, 10],
    ],
    [
      [5, 6],
      [11, 12],
    ],
  ]);
  expect(codes('export fn f(x: f32[6]) = split(x, 4)')).toEqual([
    'shape-mismatch: axis 0 of f32[6] has size 6, which is not a multiple of 4',
  ]);
  expect(codes('export fn f<N>(x: f32[N]) = split(x, 2)')).toEqual([
    'ambiguous-size: axis 0 of f32[N] has size N, which may not be a multiple of 2',
  ]);
  expect(codes('export fn f(x: f32[6], n: i32) = split(x, n)')).toEqual([
    'not-constant: the number of parts is an integer known when compiling, and this is i32',
  ]);
});

describe('what a function is given is differentiated by', () => {
  const d = 'fn d(x: f64): f64 {\n let e = x * x\n return grad(e, x)\n}\n';
  test.each<[string, string, unknown]>([
    ['a number', `${d}export fn f(): f64 = d(2.0)`, 4],
    ['a number that is half of a product', 'fn d(x: f64): f64 = jvp(x * x * 2, x, 1)\nexport fn f(): f64 = d(3)', 12],
    [
      'a number among the arguments of a rule',
      'fn w(x: f64, y: f64): f64 = x * y * y vjp (g) => {\n let e = g * x * y * y\n return grad(e, [x, y])\n}\nexport fn f(): f64 {\n let v = f64(2)\n let u = w(v, 3.0)\n return grad(u, v)\n}',
      9,
    ],
    [
      'a part of a tuple',
      'fn d(p: (f64, f64)): f64 {\n let e = p[0] * p[0] * p[1]\n return grad(e, p[0])\n}\nexport fn f(): f64 = d((2.0, 3.0))',
      12,
    ],
    [
      'what a lambda is given',
      'fn applied(g: fn, x: f64): f64 = g(x * 2)\nexport fn f(): f64 = applied(v => {\n let e = v * v\n return grad(e, v)\n}, 1.5)',
      6,
    ],
  ])('%s', (_, text, expected) => {
    expect(runEntry(text, 'f')[0]).toBe(expected);
  });
});
