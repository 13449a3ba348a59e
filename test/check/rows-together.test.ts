// Loops over rows: of several tensors at once, and with their numbers. In: small programs. Out: values, derivatives, mistakes.

import { describe, expect, test } from 'vitest';
import { check, type Json, render, runEntry } from './support.js';

const run = (text: string, feeds: Readonly<Record<string, Json>> = {}): Json => runEntry(text, 'f', feeds)[0] as Json;
const x = [1, 2, 3];
const y = [10, 20, 30];

describe('rows of several tensors', () => {
  test('come together, as deep as the names', () => {
    expect(run('export fn f<N>(x: f64[N], y: f64[N]): f64 = fold (a, b) in (x, y) with s = 0.0 { s + a * b }', { x, y })).toBe(140);
    expect(
      run('export fn f<N>(x: f64[N], y: f64[N]) = scan ((a, b), c) in ((x, y), x) with s = 0.0 { yield (s + a, b - c) }', { x, y }),
    ).toEqual([6, [9, 18, 27]]);
    expect(
      run('export fn f<N>(x: f64[N]): f64 {\n  let both = (x, x * 2)\n  return fold (a, b) in both with s = 0.0 { s + a * b }\n}', { x }),
    ).toBe(28);
  });
  test('have derivatives in each', () => {
    expect(
      run(
        'export fn f<N>(x: f64[N], y: f64[N]) {\n  let s = fold (a, b) in (x, y) with s = 0.0 { s + a * b }\n  return grad(s, [x, y])\n}',
        {
          x,
          y,
        },
      ),
    ).toEqual([y, x]);
  });
  test('may be variables', () => {
    expect(run('state v: f64[2] = [3, 4]\nexport fn f(): f64 = fold (a, b) in (v, v) with s = 0.0 { s + a * b }')).toBe(25);
  });
  test('are as many, by the facts of the entry', () => {
    expect(
      run('export fn f<N, M>(x: f64[N], y: f64[M]): f64 where N == M = fold (a, b) in (x, y) with s = 0.0 { s + a * b }', { x, y }),
    ).toBe(140);
    const text = render(check('export fn f<N, M>(x: f64[N], y: f64[M]): f64 = fold (a, b) in (x, y) with s = 0.0 { s + a * b }'));
    expect(text).toContain('shape-mismatch');
    expect(text).toContain('`x` is f64[N] and `y` is f64[M]');
    expect(text).toContain('where N == M');
    expect(render(check('export fn f(x: f64[3], y: f64[4]): f64 = fold (a, b) in (x, y) with s = 0.0 { s + a * b }'))).toContain(
      '`x` is f64[3] and `y` is f64[4], of 3 and 4 rows',
    );
  });
  test('of tuples go on being elements where the names do not say otherwise', () => {
    expect(run('export fn f(x: f64[3], y: f64[3]): f64[3] = fold one in (x, y) with s = x * 0 { s + one }', { x, y })).toEqual([
      11, 22, 33,
    ]);
    expect(run('export fn f(): f64 = fold (a, b) in ((1, 2), (3, 4)) with s = 0.0 { s + a * b }')).toBe(14);
    expect(render(check('export fn f(x: f64[3]): f64 = fold (a, b) in (x, 2) with s = 0.0 { s + a * b }'))).toContain('type-mismatch');
  });
});

describe('rows with their numbers', () => {
  test('are those of `enumerate`', () => {
    expect(run('export fn f<N>(x: f64[N]): f64 = fold (i, a) in enumerate(x) with s = 0.0 { s + f64(i) * a }', { x })).toBe(8);
    expect(run('export fn f<N>(x: f64[N]) = scan (i, a) in enumerate(x) with s = 0 { yield (s + i, a * f64(i)) }', { x })).toEqual([
      3,
      [0, 2, 6],
    ]);
    expect(
      run('export fn f<N>(x: f64[N], y: f64[N]): f64 = fold ((i, a), b) in (enumerate(x), y) with s = 0.0 { s + f64(i) * a * b }', {
        x,
        y,
      }),
    ).toBe(220);
  });
  test('are for loops alone', () => {
    for (const text of [
      'export fn f(x: f64[3]): f64 = sum(enumerate(x))',
      'export fn f(x: f64[3]) = [a for (i, a) in enumerate(x)]',
      'export fn f(x: f64[3]) = enumerate(x)',
      'export fn f(x: f64) = fold (i, a) in enumerate(x) with s = 0.0 { s + a }',
      'export fn f(x: f64) = fold (i, a) in enumerate(3) with s = 0.0 { s + a }',
    ])
      expect(render(check(text)), text).toMatch(/^(type|shape)-mismatch/);
  });
});
