// Index notation. In: small programs. Out: values as loops in plain numbers give them, types, mistakes.

import { describe, expect, test } from 'vitest';
import { check, distance, entryTexts, moduleOf, render, runEntry, type Json } from './support.js';

type Rows = number[][];

const run = (text: string, feeds: Readonly<Record<string, Json>> = {}): Json => runEntry(text, 'f', feeds)[0] as Json;
const types = (text: string): string[] => entryTexts(moduleOf(text).module);
const codes = (text: string): (readonly [string, string])[] => {
  const { diagnostics, files } = check(text);
  return diagnostics.map(({ code, span }) => [
    code,
    files.find(({ path }) => path === span?.source)?.text.slice(span?.start, span?.end) ?? '',
  ]);
};
const close = (value: Json, wanted: Json): void => expect(distance(value, wanted)).toBeLessThan(1e-12);

const range = (count: number): number[] => Array.from({ length: count }, (_, at) => at);
const vector = (count: number, step = 0.7): number[] => range(count).map((at) => Math.sin(1 + at * step));
const matrix = (rows: number, columns: number, step = 0.7): Rows => range(rows).map((row) => vector(columns, step + row * 0.31));
const at = (m: Rows, i: number, j: number): number => m[i]?.[j] ?? 0;
const total = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0);

describe('ranges', () => {
  test('come from the axes where an index stands alone, or from `in`', () => {
    expect(
      types(
        'export fn f<N, M>(x: f64[N, M], y: f64[M]) = ([j, i] => x[i, j] * y[j], [i in 1..3, j] => y[j], [i in 0..N, j in 0..2 * M + 1] => 0.0)',
      ),
    ).toEqual(['fn f(x: f64[N, M], y: f64[M]): (f64[M, N], f64[2, M], f32[N, 2*M + 1])']);
  });
  test('an index counts from where its range starts, as an i32', () => {
    expect(run('export fn f(x: f64[5]) = ([i in 1..4] => x[i] * f64(i), [i in 2..4] => i * i)', { x: [1, 2, 3, 4, 5] })).toEqual([
      [2, 6, 12],
      [4, 9],
    ]);
  });
  test('facts say that two sizes are one', () => {
    const text = (fact: string): string => `export fn f<N, M>(x: f64[N], y: f64[M]): f64 ${fact}= sum[i](x[i] * y[i])`;
    expect(codes(text(''))).toEqual([['shape-mismatch', 'i']]);
    expect(codes(text('where N == M '))).toEqual([]);
  });
  test('what the caller must fulfil is a fact of the entry', () => {
    const { module } = moduleOf('export fn f<N, K>(x: f64[N], w: f64[K]) = [t in 0..N - K + 1] => sum[k](x[t + k] * w[k])');
    expect(module.entries[0]?.facts.map(({ left, relation, right }) => `${left} ${relation} ${right}`)).toEqual(['-K + N + 1 >= 0']);
    expect(codes('export fn f(x: f64[2], w: f64[5]) = [t in 0..2 - 5] => sum[k](x[t + k] * w[k])')).toEqual([
      ['unsatisfied-fact', '2 - 5'],
    ]);
  });
  test('an empty range gives what nothing combines to', () => {
    expect(
      run(
        'export fn f(x: f64[3]) = (sum[i in 2..2](x[i]), [j] => product[i in 0..0](x[j]), all[i in 0..0](x[i] > 0), [i in 1..1] => x[i])',
        {
          x: [1, 2, 3],
        },
      ),
    ).toEqual([0, [1, 1, 1], true, []]);
  });
});

describe('reading', () => {
  test('diagonals, turns, fixed places, places from the end', () => {
    const m = matrix(3, 3);
    close(
      run('export fn f(m: f64[3, 3]) = ([i] => m[i, i], [j, i] => m[i, j], [i] => m[i, 1], [i] => m[i, -1], [i in 0..2] => m[1, 2])', {
        m,
      }),
      [
        range(3).map((i) => at(m, i, i)),
        range(3).map((j) => range(3).map((i) => at(m, i, j))),
        range(3).map((i) => at(m, i, 1)),
        range(3).map((i) => at(m, i, 2)),
        [at(m, 1, 2), at(m, 1, 2)],
      ],
    );
  });
  test('steps, backwards, borders', () => {
    const x = vector(7);
    const get = (i: number, border: number): number => x[i] ?? border;
    close(
      run(
        'export fn f(x: f64[7], v: f64) = ([i in 0..3] => x[2 * i + 1], [i] => x[6 - i] + x[i], [i in 0..9] => x[i - 1] ?? -1.5, [i in 0..9] => x[2 * i - 3] ?? (v * f64(i)))',
        { x, v: 3 },
      ),
      [
        range(3).map((i) => get(2 * i + 1, 0)),
        range(7).map((i) => get(6 - i, 0) + get(i, 0)),
        range(9).map((i) => get(i - 1, -1.5)),
        range(9).map((i) => get(2 * i - 3, 3 * i)),
      ],
    );
  });
  test('rows by number, also where the same index stands twice', () => {
    const table = matrix(4, 3);
    const ids = [2, 0, 2];
    close(
      run(
        'export fn f(table: f64[4, 3], ids: i32[3]) = ([t, w] => table[ids[t], w], [t] => table[ids[t], t], [t, i] => table[i, ids[t]], [t] => table[ids[t], ids[ids[t]]])',
        { table, ids },
      ),
      [
        ids.map((id) => range(3).map((w) => at(table, id, w))),
        ids.map((id, t) => at(table, id, t)),
        ids.map((id) => range(4).map((i) => at(table, i, id))),
        ids.map((id) => at(table, id, ids[id] ?? 0)),
      ],
    );
  });
  test('what stands outside of rows by number', () => {
    const x = vector(3);
    close(
      run('export fn f(x: f64[3], ids: i32[4]) = ([t] => x[ids[t]] ?? 9.0, [t, k in 0..2] => x[ids[t] + k] ?? f64(t))', {
        x,
        ids: [2, -1, 3, 0],
      }),
      [
        [x[2] ?? 0, 9, 9, x[0] ?? 0],
        [
          [x[2] ?? 0, 0],
          [1, x[0] ?? 0],
          [2, 2],
          [x[0] ?? 0, x[1] ?? 0],
        ],
      ],
    );
  });
  test('borders of integers of any width', () => {
    for (const dtype of ['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64'])
      expect(
        run(
          `export fn f(x: i32[2]) { let y = ${dtype}(x)\n return i32([i in 0..4] => (y[i - 1] ?? 0) + sum[k in 0..2](y[i + k - 2] ?? 3)) }`,
          {
            x: [1, 2],
          },
        ),
      ).toEqual([6, 5, 5, 5]);
  });
  test('a choice decides what is read at all', () => {
    const x = vector(5);
    close(
      run(
        'export fn f<N>(x: f64[N]) = ([i in 0..N] => if i > 0 then x[i - 1] else 0.0, [i in 0..N, j in 0..N] => if i + j < N && j >= 1 then x[i + j] * x[j - 1] else 1.0, [i in 0..N] => if 2 * i >= N then -1.0 else x[2 * i], [i in 0..N] => if i > 0 && x[i - 1] > 0.0 then 1.0 else 0.0)',
        { x },
      ),
      [
        range(5).map((i) => (i > 0 ? (x[i - 1] ?? 0) : 0)),
        range(5).map((i) => range(5).map((j) => (i + j < 5 && j >= 1 ? (x[i + j] ?? 0) * (x[j - 1] ?? 0) : 1))),
        range(5).map((i) => (2 * i >= 5 ? -1 : (x[2 * i] ?? 0))),
        range(5).map((i) => (i > 0 && (x[i - 1] ?? 0) > 0 ? 1 : 0)),
      ],
    );
  });
  test('known operands, names and members', () => {
    expect(
      run(
        'const k = 2\nstate s: f64[3] = 1.5\nexport fn f(x: f64[3]) { let y = x * 2.0\n return [i] => y[i] * f64(y.shape[0]) + k * s[i] }',
        {
          x: [1, 2, 3],
        },
      ),
    ).toEqual([9, 15, 21]);
  });
});

describe('reductions', () => {
  const m = matrix(4, 5);
  test.each([
    ['sum', (row: number[]) => total(row)],
    ['mean', (row: number[]) => total(row) / row.length],
    ['max', (row: number[]) => Math.max(...row)],
    ['min', (row: number[]) => Math.min(...row)],
    ['product', (row: number[]) => row.reduce((product, one) => product * one, 1)],
  ])('%s', (how, of) => {
    close(run(`export fn f(m: f64[4, 5]) = ([i] => ${how}[j](m[i, j]), ${how}[i, j](m[i, j]), ${how}[j in 1..3, i](m[i, j]))`, { m }), [
      m.map(of),
      of(m.flat()),
      of(m.flatMap((row) => row.slice(1, 3))),
    ]);
  });
  test('any, all', () => {
    expect(run('export fn f(m: f64[4, 5]) = ([i] => any[j](m[i, j] > 0.9), all[i, j](m[i, j] < 1.1))', { m })).toEqual([
      m.map((row) => row.some((one) => one > 0.9)),
      true,
    ]);
  });
  test('sums of products of any number of factors', () => {
    const [x, y] = [vector(4), vector(5)];
    close(
      run(
        'export fn f(m: f64[4, 5], x: f64[4], y: f64[5]) = (sum[i, j](x[i] * m[i, j] * y[j]), [i, k] => sum[j](m[i, j] * m[k, j]), [i] => sum[j](m[i, j] * y[j] * x[i]), sum[i, j](x[i] * y[j]), sum[i, j, k in 0..3](x[i] * y[j]), [i] => sum[k in 0..2](x[i] * 2.0))',
        { m, x, y },
      ),
      [
        total(m.map((row, i) => total(row.map((one, j) => (x[i] ?? 0) * one * (y[j] ?? 0))))),
        m.map((a) => m.map((b) => total(a.map((one, j) => one * (b[j] ?? 0))))),
        m.map((row, i) => total(row.map((one, j) => one * (y[j] ?? 0) * (x[i] ?? 0)))),
        total(x) * total(y),
        3 * total(x) * total(y),
        x.map((one) => 4 * one),
      ],
    );
  });
  test('sums inside of sums, and sums of choices', () => {
    const x = vector(4);
    close(
      run('export fn f<N>(x: f64[N]) = ([i in 0..N] => sum[k](if k <= i then x[k] else 0), sum[i](x[i] * max[j](x[j] * x[i])))', { x }),
      [x.map((_, i) => total(x.slice(0, i + 1))), total(x.map((one) => one * Math.max(...x.map((other) => one * other))))],
    );
  });
  test('a local of that name shadows the builtin', () => {
    expect(run('export fn f(x: f64) { let sum = [y => y + 1.0, y => y * 2.0]\n let i = 1\n return sum[i](x) }', { x: 3 })).toBe(6);
    expect(codes('fn sum(x: f64): f64 = x\nexport fn f(x: f64[3]) = sum[i](x[i])').map(([code]) => code)).toContain('type-mismatch');
  });
});

describe('bodies', () => {
  test('functions of scalars, lambdas, blocks', () => {
    const x = vector(3);
    close(
      run(
        'fn g(a: f64, b: f64): (f64, f64) { let c = a * b\n return (tanh(c), c) }\nexport fn f(x: f64[3]) = ([i, j] => { let (t, c) = g(x[i], x[j])\n let d = t + c\n return d * 2.0 }, [i] => (y => y * y)(x[i]))',
        { x },
      ),
      [x.map((a) => x.map((b) => 2 * (Math.tanh(a * b) + a * b))), x.map((a) => a * a)],
    );
  });
  test('literals take the dtype that is expected, or that of what they meet', () => {
    expect(types('fn g<N>(): f64[N] = [i in 0..N] => 1\nexport fn f(x: f16[3]): (f64[2], f16[3]) = (g<2>(), [i] => 2 * x[i] + 1)')).toEqual(
      ['fn f(x: f16[3]): (f64[2], f16[3])'],
    );
  });
  test('derivatives of functions of scalars, taken inside', () => {
    const x = vector(3);
    close(
      run(
        'fn slope(a: f64, b: f64): f64 = grad(sin(a) * b, a)\nexport fn f(x: f64[3]) = ([i] => slope(x[i], 2.0), [i, j] => slope(x[i], x[j]))',
        {
          x,
        },
      ),
      [x.map((a) => 2 * Math.cos(a)), x.map((a) => x.map((b) => b * Math.cos(a)))],
    );
  });
  test('derivatives through views, borders and choices', () => {
    // ∂ Σ w_i x_{i-1} x_i / ∂ x
    const x = vector(4);
    close(run('export fn f(x: f64[4]) = grad(sum[i]((x[i - 1] ?? 0) * x[i] * f64(i + 1)), x)', { x }), [
      ...x.map((_, i) => (x[i - 1] ?? 0) * (i + 1) + (x[i + 1] ?? 0) * (i + 2)),
    ]);
    expect(run('export fn f(x: f64[3]) = grad(sum[i](if x[i] > 0.0 then x[i] * x[i] else 3.0 * x[i]), x)', { x: [4, 0, -1] })).toEqual([
      8, 3, 3,
    ]);
  });
  test('what a choice does not take adds nothing to a derivative', () => {
    expect(run('export fn f(x: f64[3]) = grad(sum[i](if x[i] > 0.0 then sqrt(x[i]) else x[i]), x)', { x: [4, 0, -1] })).toEqual([
      0.25, 1, 1,
    ]);
  });
  test('loops in bodies go as many rounds as the run says', () => {
    expect(
      run(
        `fn power(x: f64, n: i32): f64 {
          let start = x * 0 + 1
          return fold i in 0..n with z = start { z * x }
        }
        export fn f(m: f64[2, 2], n: i32) {
          let powers = [i, j] => power(m[i, j], n) + f64(i)
          return (powers, grad(powers, m))
        }`,
        {
          m: [
            [1, 2],
            [3, 0.5],
          ],
          n: 3,
        },
      ),
    ).toEqual([
      [
        [1, 8],
        [28, 1.125],
      ],
      [
        [3, 12],
        [27, 0.75],
      ],
    ]);
  });
  test('loops of scalars, and functions with a derivative rule of their own', () => {
    const text = [
      'import { relu } from "std/nn"',
      'fn root(a: f64): f64 = fold i in 0..30 with z = 1.0 { 0.5 * (z + a / z) }',
      'fn cube(a: f64, b: f64): f64 = a * a * a * b vjp (g) => (7.0 * a * g, b * g)',
      'export fn f(x: f64[3]) = (',
      '  [i] => root(x[i] * x[i]),',
      '  [i, j] => relu(x[i] - x[j]),',
      '  grad(sum[i, j](cube(x[i], x[j]) * f64(i)), x),',
      ')',
    ].join('\n');
    const x = [0.5, 1.25, 2];
    close(run(text, { x }), [
      x,
      x.map((a) => x.map((b) => Math.max(0, a - b))),
      // 7 a for the first argument and b for the second, weighted by i.
      x.map((one, at) => 7 * one * at * 3 + one * 3),
    ]);
  });
  test('index notation in loops and in rules', () => {
    expect(
      run(
        'fn own(x: f64[3]): f64[3] = [i] => x[i] * x[i] vjp (g) => [i] => 5.0 * g[i]\nexport fn f(x: f64[3]) = (fold t in 0..2 with h = x { [i in 0..3] => (h[i - 1] ?? 0) + h[i] }, grad(sum(own(x)), x))',
        { x: [1, 2, 3] },
      ),
    ).toEqual([
      [1, 4, 8],
      [5, 5, 5],
    ]);
  });
  test('names inside are no names of the entry', () => {
    const { module } = moduleOf('export fn f(x: f64[3]) { let y = [i] => { let inner = x[i]\n return inner + 1.0 }\n return y }');
    expect([...(module.entries[0]?.names.keys() ?? [])]).toEqual(['y']);
  });
});

describe('loops in bodies', () => {
  const m = matrix(3, 4);
  const x = vector(4);
  const dot = (a: readonly number[], b: readonly number[]): number => total(a.map((one, k) => one * (b[k] ?? 0)));
  test('read elements at places that the round decides', () => {
    close(
      run(
        `export fn f(m: f64[3, 4], x: f64[4]) = (
          [i] => fold k in 0..4 with a = 0.0 { 0.5 * a + m[i, k] },
          [i] => fold k in 1..4 with a = m[i, 0] { a * m[i, k - 1] + sum[j](m[i, j] * m[k - 1, j]) },
          [i in 0..3, j in 0..3] => fold k in 0..3 with s = 0.0 { s + fold l in 0..4 with t = 0.0 { t + m[i, l] * m[k, j] } },
          [i] => fold v in x with a = 0.0 { a * m[i, 0] + v },
          [i] => { let (a, n) = fold k in 0..4 with (a, n) = (0.0, 0) { (a + f64(n) * m[i, k], n + 1) } return a + f64(n) },
        )`.replace('} return', '}\n return'),
        { m, x },
      ),
      [
        m.map((row) => row.reduce((a, one) => 0.5 * a + one, 0)),
        m.map((row) => range(3).reduce((a, k) => a * (row[k] ?? 0) + dot(row, m[k] ?? []), row[0] ?? 0)),
        range(3).map((i) => range(3).map((j) => total(range(3).map((k) => total(m[i] ?? []) * at(m, k, j))))),
        m.map((row) => x.reduce((a, v) => a * (row[0] ?? 0) + v, 0)),
        m.map((row) => total(row.map((v, k) => k * v)) + 4),
      ],
    );
  });
  test('go as many rounds as each index asks for', () => {
    const text = `
      fn root(a: f64): f64 = while abs(z * z - a) > 1e-13 * a with z = a limit 100 { 0.5 * (z + a / z) }
      fn doubled(a: f64): i32 {
        let (z, n) = while z < 100 with (z, n) = (a, 0) limit 50 { (2 * z, n + 1) }
        return n
      }
      export fn f<N>(x: f64[N]) {
        let roots = [i, j in 0..2] => root(x[i] * f64(j + 1))
        let powers = [i in 0..N] => fold k in 0..i + 1 with p = 1.0 { p * x[k] }
        return (roots, grad(roots, x), [i] => doubled(x[i]), powers, grad(powers, x), jvp(powers, x, x))
      }`;
    const at = [2, 3, 40];
    close(run(text, { x: at }), [
      at.map((one) => [Math.sqrt(one), Math.sqrt(2 * one)]),
      at.map((one) => 0.5 / Math.sqrt(one) + Math.SQRT1_2 / Math.sqrt(one)),
      [6, 6, 2],
      [2, 6, 240],
      [1 + 3 + 120, 2 + 80, 6],
      [2, 12, 720],
    ]);
    expect(run(text, { x: [] })).toEqual([[], [], [], [], [], []]);
  });
  test('read nothing in rounds that an index does not ask for', () => {
    const text = `export fn f(x: f64[3], from: i32[2]) =
      [i] => { let (z, n) = while n < 3 with (z, n) = (0.0, from[i]) limit 9 { (z + x[n], n + 1) }
        return z }`;
    expect(run(text, { x: [1, 2, 4], from: [2, 0] })).toEqual([4, 7]);
    expect(() => run(text, { x: [1, 2, 4], from: [-1, 0] })).toThrow('index-out-of-range');
  });
  test('stack what they yield', () => {
    const text = `
      fn last(x: f64, n: i32): f64 { let (h, hs) = scan t in 0..3 with h = 1.0 { let next = h * x
        yield (next, (next, t)) }
        return mean(hs[0]) + f64(sum(hs[1])) }
      export fn f<N>(x: f64[N]) {
        let y = [i in 0..N] => { let (h, hs) = scan t in 0..N with h = 0.0 { let next = 0.5 * h + x[t] * x[i]
            yield (next, next) }
          return sum[t](hs[t] * f64(t)) + hs[i] + hs[-1] + h }
        return (y, grad(y, x), jvp(y, x, x), [i] => last(x[i], 3))
      }`;
    const slopes = (b: readonly number[]): number[] =>
      b.map((_, i) => {
        const hs = b.reduce<number[]>((all, one) => [...all, 0.5 * (all.at(-1) ?? 0) + one * (b[i] ?? 0)], []);
        return total(hs.map((h, t) => h * t)) + (hs[i] ?? 0) + 2 * (hs.at(-1) ?? 0);
      });
    const b = [1, 2, 3];
    const [y, back, along, means] = run(text, { x: b }) as number[][];
    close(y ?? [], slopes(b));
    const step = 1e-6;
    close(
      (back ?? []).map((one) => Math.round(one * 1e4)),
      b.map((_, at) => {
        const moved = (by: number): number => total(slopes(b.map((one, which) => (which === at ? one + by : one))));
        return Math.round(((moved(step) - moved(-step)) / (2 * step)) * 1e4);
      }),
    );
    // Every term is of degree two.
    close(
      along ?? [],
      slopes(b).map((one) => 2 * one),
    );
    close(
      means ?? [],
      b.map((one) => (one + one ** 2 + one ** 3) / 3 + 3),
    );
  });
  test('derivatives inside of rounds', () => {
    const text = `
      fn descend(a: f64): f64 = fold k in 0..5 with z = 1.0 {
        let e = (z - a) ** 2
        z - 0.1 * grad(e, z)
      }
      export fn f(x: f64[2]) { let r = [i] => descend(x[i])
        return (r, grad(r, x)) }`;
    const rest = 0.8 ** 5;
    close(run(text, { x: [1, 3] }), [
      [1, 3 - 2 * rest],
      [1 - rest, 1 - rest],
    ]);
  });
});

describe('notation in bodies', () => {
  const x = vector(3);
  const m = matrix(3, 3);
  const logSumExp = (values: readonly number[]): number => Math.log(total(values.map(Math.exp)));
  test('is a tensor for each element, which functions take', () => {
    close(
      run(
        `export fn f<N>(x: f64[N], m: f64[N, N]) = (
          [j] => logSumExp([i] => x[i] + m[i, j]),
          [j] => f64(argmax([i] => x[i] * m[j, i], axis: 0)),
          [j] => { let y = [k in 0..3] => x[j] * f64(k)
            return sum(y) + y[1] + norm(y) },
          [j, k] => softmax([i] => x[i] + m[j, i], axis: 0)[k],
          [j] => dot([i] => x[i], [i] => m[j, i]) + logSumExp(stack([x[j], m[j, j]])),
          fold t in 0..2 with a = x { [j] => logSumExp([i] => a[i] + m[i, j]) },
          [j] => sum([i, k in 0..2] => m[j, i] * f64(k + 1)),
        )`,
        { x, m },
      ),
      [
        range(3).map((j) => logSumExp(x.map((one, i) => one + at(m, i, j)))),
        m.map((row) => {
          const products = row.map((one, i) => one * (x[i] ?? 0));
          return products.indexOf(Math.max(...products));
        }),
        x.map((one) => 3 * one + one + Math.sqrt(5) * Math.abs(one)),
        m.map((row) => {
          const logits = row.map((one, i) => one + (x[i] ?? 0));
          return logits.map((one) => Math.exp(one - logSumExp(logits)));
        }),
        m.map((row, j) => total(row.map((one, i) => one * (x[i] ?? 0))) + logSumExp([x[j] ?? 0, row[j] ?? 0])),
        range(2).reduce<number[]>((a) => range(3).map((j) => logSumExp(a.map((one, i) => one + at(m, i, j)))), x),
        m.map((row) => 3 * total(row)),
      ],
    );
  });
  test('has derivatives', () => {
    const [y, back, along] = run(
      `export fn f<N>(x: f64[N], m: f64[N, N]) { let y = [j] => logSumExp([i] => x[i] + m[i, j])
        return (y, grad(y, x), jvp(y, x, x)) }`,
      { x, m },
    ) as number[][];
    const weights = range(3).map((j) => x.map((one, i) => Math.exp(one + at(m, i, j) - (y?.[j] ?? 0))));
    close(
      back ?? [],
      range(3).map((i) => total(weights.map((row) => row[i] ?? 0))),
    );
    close(
      along ?? [],
      weights.map((row) => total(row.map((one, i) => one * (x[i] ?? 0)))),
    );
  });
});

describe('ops over a tensor for each element', () => {
  const x = matrix(2, 3);
  const m = [matrix(3, 3), matrix(3, 3).map((row, i) => row.map((one, j) => one + (i === j ? 3 : 0)))];
  const ids = [
    [2, 0],
    [1, 1],
  ];
  // The same without index notation.
  test.each([
    ['[b, i] => sort([j in 0..N] => x[b, j])[i]', 'sort(x)'],
    ['[b, i] => f64(argsort([j] => x[b, j])[i]) * x[b, i]', 'f64(argsort(x)) * x'],
    ['[b, i] => cumsum([j] => x[b, j], axis: 0)[i]', 'cumsum(x, axis: 1)'],
    ['[b, i] => cumprod([j] => x[b, j], axis: 0)[i]', 'cumprod(x, axis: 1)'],
    ['[b, i] => topK([j] => x[b, j], 2)[0][0] + x[b, i]', 'topK(x, 2)[0][:, :1] + x'],
    ['[b, i] => (([j, k] => m[b, j, k]) @ ([k] => x[b, k]))[i]', '(m @ expandDims(x, axis: 2))[..., 0]'],
    ['[b, i, j] => (([j, k] => m[b, j, k]) @ w)[i, j]', 'm @ w'],
    ['[b, i] => solve([j, k] => m[b, j, k], [k] => x[b, k])[i]', 'solve(m, expandDims(x, axis: 2))[..., 0]'],
    ['[b] => det([j, k] => m[b, j, k])', 'det(m)'],
    ['[b, i, j] => inverse([j, k] => m[b, j, k])[i, j]', 'inverse(m)'],
    ['[b] => logdet(([j, k] => m[b, j, k]) @ ([j, k] => m[b, k, j]))', 'logdet(m @ swapAxes(m, 1, 2))'],
    ['[b, i] => pad([j] => x[b, j], [1], [0])[i]', 'pad(x, [0, 1], [0, 0])'],
    ['[b, i] => flip([j] => x[b, j], axis: 0)[i]', 'flip(x, axis: 1)'],
    ['[b, i] => take([j] => x[b, j], [k] => ids[b, k])[i]', 'takeAlong(x, ids, axis: 1)'],
    ['[b, i, k] => take([j, k] => m[b, j, k], [k] => ids[b, k])[i, k]', '[b, i, k] => m[b, ids[b, i], k]'],
  ])('%s', (body, whole) => {
    const entry = (text: string): string => `export fn f<B, N, K>(x: f64[B, N], m: f64[B, N, N], w: f64[N, N], ids: i32[B, K])
      where N >= 2, K >= 1 {
        let y = ${text}
        return (y, grad(sum(y * y), x), jvp(y, m, 0.5 * m + 1))
      }`;
    const feeds = { x, m, w: matrix(3, 3), ids };
    close(run(entry(body), feeds), run(entry(whole), feeds));
  });
  test("a rule of one's own, of what depends on no index, under a condition that does", () => {
    const cube = 'fn cube(x: f64): f64 = x * x * x\n  vjp (g) => 3 * g * x * x';
    close(
      run(`${cube}\nexport fn f(x: f64[3], z: f64[2]): f64[3] = [j] => if x[j] > 0 then cube(z[-1]) else 0.5`, {
        x: [1, -1, 2],
        z: [5, 2],
      }),
      [8, 0.5, 8],
    );
  });
});

test('an element of what has no dtype yet takes that of what it meets', () => {
  const found = run(
    `export fn f<N>(x: f64[N]): (f64[N], f64[N]) {
      let a = sqrt(2 * ones([N]))
      let once = fold k in 0..1 with b = zeros([N]) {
        let c = softmax(b, axis: 0)
        [i] => c[i] * x[i]
      }
      return ([i] => a[i] * x[i] + sum[j](a[j] * x[j]), once)
    }`,
    { x: [1, 3] },
  );
  close(found, [[1, 3].map((one) => Math.SQRT2 * (one + 4)), [0.5, 1.5]]);
});

describe('a derivative for each index of a reduction, with respect to what has no such index', () => {
  const x = vector(3, 0.4);
  const w = [0.5, 1.5];
  const W = total(w);
  const of = (body: string, before = ''): Json =>
    run(
      `${before}export fn f<N, K>(x: f64[N], w: f64[K]): f64[N] = [i] => {
  let u = x[i] * 1
  ${body}
}`,
      { x, w },
    );

  test.each<[string, string, (u: number) => number]>([
    ['beside what it is taken of', 'return u + sum[k](grad(u ** 3 * w[k], u))', (u) => u + 3 * u ** 2 * W],
    ['through names between', 'let v = u * u\n  return v + sum[k](grad(v * w[k] * v, u))', (u) => u ** 2 + 4 * u ** 3 * W],
    ['two reductions', 'return u + sum[k](grad(u * u * w[k], u)) + max[k](grad(u * w[k], u))', (u) => u + 2 * u * W + 1.5],
    [
      'one in another',
      'return u + sum[k](grad(u ** 3 * w[k] + sum[m](grad(u * u * w[m] * w[k], u)), u))',
      (u) => u + 3 * u ** 2 * W + 2 * W * W,
    ],
    ['forward', 'return u + sum[k](jvp(u ** 3 * w[k], u, x[i]))', (u) => u + 3 * u ** 3 * W],
    [
      'a loop between',
      'let f = fold j in 0..2 with z = u { z * w[j] + u }\n  return f + sum[k](grad(f * w[k], u))',
      (u) => {
        const f = (u * 0.5 + u) * 1.5 + u;
        return f + (f / u) * W;
      },
    ],
    [
      'an open loop between',
      'let f = while abs(z) < 10 with z = u limit 20 { 2 * z }\n  return f + sum[k](grad(f * w[k], u))',
      (u) => {
        let f = u;
        while (Math.abs(f) < 10) f *= 2;
        return f + (f / u) * W;
      },
    ],
    [
      'in a loop',
      'return fold j in 0..2 with z = u {\n    let y = z * w[j]\n    z + y + sum[k](grad(y * y * w[k], y))\n  }',
      (u) => w.reduce((z, one) => z + z * one + 2 * z * one * W, u),
    ],
    [
      'a tensor for each element',
      'let t = [k] => u * w[k]\n  return sum(t) + sum[k](grad(t[k] * t[k], u))',
      (u) => u * W + 2 * u * total(w.map((one) => one * one)),
    ],
    ['outside of a tensor', 'return u + sum[k in 0..K](grad((w[k + i] ?? u) * u, u))', () => 0],
  ])('%s', (name, body, wanted) => {
    const outside = (u: number, i: number): number => total(range(2).map((k) => w[k + i] ?? 2 * u)) + u;
    close(
      of(body),
      x.map((u, i) => (name === 'outside of a tensor' ? outside(u, i) : wanted(u))),
    );
  });
  test('second ones, by a function', () => {
    const curve = 'fn curve(u: f64, w: f64): f64 {\n  let y = u ** 3 * w\n  let d = grad(y, u)\n  return grad(d, u)\n}\n';
    close(
      of('return u + sum[k](curve(u, w[k]))', curve),
      x.map((u) => u + 6 * u * W),
    );
  });
  test("through a rule of one's own", () => {
    const rule = 'fn squared(x: f64): f64 = x * x\n  vjp (g) => 2 * g * x\n';
    close(
      of('let v = squared(u)\n  return v + sum[k](grad(squared(v) * w[k], u))', rule),
      x.map((u) => u * u + 4 * u ** 3 * W),
    );
  });
  test('of a reduction over nothing', () => {
    const text =
      'export fn f<N, K>(x: f64[N], w: f64[K]): f64[N] = [i] => {\n  let u = x[i] * 1\n  return u + sum[k](grad(u * w[k], u))\n}';
    close(run(text, { x, w: [] }), x);
  });
});

describe('bounds that depend on indices or on data', () => {
  test('sums of indices', () => {
    const x = vector(4);
    close(
      run(
        `export fn f<N>(x: f64[N]) = (
          [i in 0..N] => sum[j in 0..i + 1](x[j]),
          [i in 0..N] => sum[j in i + 1..N](x[j] * x[i]),
          sum[i in 0..N, j in 0..i](x[i] * x[j]),
          [k in 0..N] => sum[i in 0..k + 1](x[i] * x[k - i]),
          [i in 1..N] => (max[j in 0..i](x[j]) + min[j in 0..i](x[j])) * product[j in 0..i](x[j]) + mean[j in 0..i](x[j]),
          [i in 0..N] => all[j in 0..i](x[j] < x[i]) || any[j in i + 1..N](x[j] > 2),
        )`,
        { x },
      ),
      [
        x.map((_, i) => total(x.slice(0, i + 1))),
        x.map((one, i) => total(x.slice(i + 1).map((other) => one * other))),
        total(x.map((one, i) => total(x.slice(0, i).map((other) => one * other)))),
        x.map((_, k) => total(x.slice(0, k + 1).map((one, i) => one * (x[k - i] ?? 0)))),
        range(3).map((at) => {
          const part = x.slice(0, at + 1);
          return (Math.max(...part) + Math.min(...part)) * part.reduce((a, b) => a * b, 1) + total(part) / part.length;
        }),
        x.map((one, i) => x.slice(0, i).every((other) => other < one)),
      ],
    );
  });
  test('data: what would be read outside is refused, and nothing is read of a range that goes down', () => {
    const text = `export fn f(x: f64[2, 4], n: i32[2]) = ([b] => mean[t in 0..n[b]](x[b, t]), sum[t in n[0]..n[1]](x[0, t]))`;
    const x = [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ];
    expect(run(text, { x, n: [2, 4] })).toEqual([[1.5, 6.5], 7]);
    expect(run(text, { x, n: [4, 1] })).toEqual([[2.5, 5], 0]);
    expect(() => run(text, { x, n: [2, 5] })).toThrow('index-out-of-range');
  });
  test('derivatives stay inside', () => {
    const x = [4, 9, 0];
    expect(
      run('export fn f<N>(x: f64[N]) { let y = [i in 0..N] => sum[j in 0..i](sqrt(x[j]))\n return (grad(y, x), jvp(y, x, x)) }', { x }),
    ).toEqual([
      [0.5, 1 / 6, 0],
      [0, 1, 2.5],
    ]);
  });
});

describe('mistakes', () => {
  test.each([
    ['[i] => x', [['shape-mismatch', 'x']]],
    ['[i] => x[i] - mean(x)', [['shape-mismatch', 'x']]],
    ['[i] => m[i]', [['shape-mismatch', 'm[i]']]],
    ['[i] => m[i, :]', [['shape-mismatch', ':']]],
    ['[i] => [j] => m[i, j]', [['shape-mismatch', '[j] => m[i, j]']]],
    ['[i] => (x[i], x[i])', [['type-mismatch', '(x[i], x[i])']]],
    ['[t] => 1.0', [['ambiguous-size', 't']]],
    ['[i, i] => x[i]', [['duplicate-name', 'i']]],
    ['[i in 0..x] => 1.0', [['not-constant', 'x']]],
    ['[i in 0..3, k in 0..i] => x[k]', [['not-constant', 'i']]],
    ['[i] => sum[k in 0..x[i]](x[k])', [['not-constant', 'x[i]']]],
    ['[i in 0..3] => sum[k in 0..i + 2](x[k])', [['index-out-of-range', 'k']]],
    ['[i in 0..3] => sum[k in 0..i * i](x[0])', [['ambiguous-size', 'k']]],
    ['[i in 0..3] => x[i + 1]', [['index-out-of-range', 'i + 1']]],
    ['[i in 0..3] => x[i - 1]', [['index-out-of-range', 'i - 1']]],
    ['[i in 0..5] => x[i]', [['index-out-of-range', 'i']]],
    ['[i in 0..3] => if i >= 0 then x[i - 1] else 0.0', [['index-out-of-range', 'i - 1']]],
    ['[i in 0..2] => m[i, 4]', [['index-out-of-range', '4']]],
    ['[i] => x[f64(i)]', [['dtype-mismatch', 'f64(i)']]],
    ['[i] => x[i] ?? 1.0 + x', [['shape-mismatch', 'x']]],
    ['x[0] ?? 0.0', [['syntax-error', 'x[0] ?? 0.0']]],
    ['[i] => (x[i] + 1.0) ?? 0.0', [['type-mismatch', '(x[i] + 1.0)']]],
    ['[i in 0..3] => x[i - 1] ?? i', [['dtype-mismatch', 'i']]],
    ['any[i](x[i])', [['dtype-mismatch', 'any[i](x[i])']]],
    ['mean[i in 0..3](i)', [['dtype-mismatch', 'i']]],
    ['[i] => i + x[i]', [['dtype-mismatch', 'i + x[i]']]],
    ['sum[i](y[i])', [['unknown-name', 'y']]],
    ['sum[i](x[i] * m[0, i])', []],
    ['[i] => x[i] ?? 0', []],
  ] as const)('%s', (body, wanted) => {
    expect(codes(`export fn f(x: f64[3], m: f64[2, 3]) = ${body}`)).toEqual(wanted);
  });
  test('an index that clashes names both tensors', () => {
    expect(render(check('export fn f(a: f64[3], b: f64[4]): f64 = sum[i](a[i] * b[i])'))).toBe(
      [
        'shape-mismatch main.tdsl:1:58 `i`',
        '  `i` runs over axis 0 of `a` (size 3) and over axis 0 of `b` (size 4), which differ',
        '  - main.tdsl:1:20 `3`: `a` is f64[3]',
        '  - main.tdsl:1:31 `4`: `b` is f64[4]',
        '  hint: use two indices, or give `i` a range: `i in 0..3`',
      ].join('\n'),
    );
  });
  test('there is nothing to take from an empty axis', () => {
    expect(codes('export fn f(x: f64[0], ids: i32[3]) = [i in 0..3] => x[ids[i]]')).toEqual([['invalid-value', 'x[ids[i]]']]);
  });
  test('a window that may leave its tensor says how far it goes', () => {
    expect(render(check('export fn f<N>(s: f64[N], w: f64[3]): f64[N] =\n  [t in 0..N] => sum[k](s[t + k - 1] * w[k])'))).toBe(
      [
        'index-out-of-range main.tdsl:2:27 `t + k - 1`',
        '  `s[t + k - 1]` may stand outside of `s`: `t + k - 1` runs from -1 to N, not inside of axis 0, whose size is N',
        '  - main.tdsl:1:23 `N`: `s` is f64[N]',
        '  hint: say what stands outside: `s[t + k - 1] ?? 0`, or ask before: `if … then s[t + k - 1] else 0`',
      ].join('\n'),
    );
  });
});
