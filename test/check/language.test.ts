// The language, feature by feature. In: small programs. Out: types and values as the language page says.

import { describe, expect, test } from 'vitest';
import { check, distance, entryTexts, moduleOf, render, runEntry, variableTexts, type Json } from './support.js';

const run = (text: string, feeds: Readonly<Record<string, Json>> = {}, steps = 1): Json => {
  const results = runEntry(text, 'f', feeds, steps);
  return steps === 1 ? (results[0] as Json) : results;
};
const types = (text: string): string[] => entryTexts(moduleOf(text).module);

describe('what nobody reads', () => {
  test('is `_` in patterns, as often as one likes', () => {
    expect(
      runEntry(
        `export fn f(x: f64[3]): f64 {
          let (_, y) = (x[0], x[1])
          let (_, (_, z)) = (x[0], (x[1], x[2]))
          let (_, s) = scan _ in 0..3 with (c, _) = (f64(0), 1.0) { yield ((c + 1, 2.0), c) }
          return y + z + sum(s) + addN([f64(1) for _ in 0..3])
        }`,
        'f',
        { x: [1, 2, 3] },
      )[0],
    ).toBe(11);
  });
});

describe('sizes', () => {
  test('an argument with one unknown size binds it', () => {
    expect(
      types('fn third<B, D>(x: f32[B, D * 3]): f32[B, D] = x[:, :D] + x[:, D:2 * D]\nexport fn f<N>(x: f32[N, 12]): f32[N, 4] = third(x)'),
    ).toEqual(['fn f(x: f32[N, 12]): f32[N, 4]']);
  });
  test('sizes that need one another are solved in any order', () => {
    expect(
      types('fn g<H, D>(x: f32[H * D], y: f32[H]): f32[H, D] = reshape(x, [H, D])\nexport fn f(x: f32[12], y: f32[4]) = g(x, y)'),
    ).toEqual(['fn f(x: f32[12], y: f32[4]): f32[4, 3]']);
  });
  test('dims, products and facts', () => {
    expect(types('dim H = 3\ndim W = 2 * H\nexport fn f<B>(x: f32[B, H * W]): f32[B, H, W] = reshape(x, [B, H, -1])')).toEqual([
      'fn f(x: f32[B, 18]): f32[B, 3, 6]',
    ]);
    const { module } = moduleOf('export fn f<D>(x: f32[D]): f32[D - 1] where D > 1 = x[1:] - x[:-1]');
    expect(module.entries[0]?.facts.map((fact) => `${fact.left} ${fact.relation} ${fact.right}`)).toEqual(['D > 1']);
    expect(types('fn h<D, Heads>(x: f32[D]): f32[D] where D % Heads == 0 = x\nexport fn f(x: f32[12]) = h<12, 4>(x)')).toEqual([
      'fn f(x: f32[12]): f32[12]',
    ]);
  });
  test('sizes are values: they take the dtype of what they meet', () => {
    expect(run('export fn f<B>(x: f64[B]) = (sum(x) / B, x.shape[0], B * 2 - 1, size(x, 0) + 0.5)', { x: [1, 2, 6] })).toEqual([
      3, 3, 5, 3.5,
    ]);
    expect(
      run('export fn f<B, C>(x: f32[B, C]) = [if C > 2 then 1.0 else 2.0 for i in 0..2] where C > 3'.replace(' where C > 3', ''), {
        x: [[1, 2, 3]],
      }),
    ).toEqual([1, 1]);
  });
  test('an open rank flows through generics', () => {
    expect(
      types('fn double<T: float, ...S>(x: T[...S]): T[...S] = x + x\nexport fn f<B>(x: f64[B, 2], s: f32) = (double(x), double(s))'),
    ).toEqual(['fn f(x: f64[B, 2], s: f32): (f64[B, 2], f32)']);
    expect(
      types('fn last<...S, N>(x: f32[...S, N]): f32[...S] where N > 0 = x[..., -1]\nexport fn f<B>(x: f32[B, 4, 5]) = last(x)'),
    ).toEqual(['fn f(x: f32[B, 4, 5]): f32[B, 4]']);
  });
});

describe('literals', () => {
  test('take the dtype of what they meet', () => {
    expect(types('export fn f(a: f64, b: f32, c: i32, d: u8) = (a + 1, 2.5 * b, c - 1, where(d > 3, d, 0))')).toEqual([
      'fn f(a: f64, b: f32, c: i32, d: u8): (f64, f32, i32, u8)',
    ]);
  });
  test('are computed in doubles and rounded once', () => {
    expect(run('const third = 1 / 3\nexport fn f(x: f64) = x * third * sqrt(2) * log(2) - 2 ** -1', { x: 3 })).toBeCloseTo(
      Math.SQRT2 * Math.LN2 - 0.5,
      14,
    );
    expect(run('export fn f(x: i64): i64 = x + 4611686018427387905 - 4611686018427387904', { x: 1 })).toBe(2);
  });
  test('nested lists become tensors where one is declared', () => {
    expect(run('param t: f32[2, 2] = [[1, 2], [3, 4]]\nexport fn f(): f32[2] = t @ [1, -1]', {})).toEqual([-1, -1]);
  });
  test('known numbers follow the rules of their operators', () => {
    expect(run('export fn f() = (7 % 3, -7 % 3, 2 ** 3 ** 2, -2 ** 2, 7 / 2, (1 < 2) && !(3 <= 2) || false)')).toEqual([
      1,
      2,
      512,
      -4,
      3.5,
      true,
    ]);
  });
});

describe('indexing', () => {
  const x = [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [9, 10, 11, 12],
  ];
  test.each<[string, Json]>([
    ['x[1]', [5, 6, 7, 8]],
    ['x[-1, -2]', 11],
    ['x[1:]', x.slice(1)],
    ['x[:, 1:3]', x.map((row) => row.slice(1, 3))],
    ['x[..., 0]', [1, 5, 9]],
    ['x[0, ...]', [1, 2, 3, 4]],
    [
      'x[::2, ::-1]',
      [
        [4, 3, 2, 1],
        [12, 11, 10, 9],
      ],
    ],
    ['x[:100, -2:]', x.map((row) => row.slice(-2))],
    ['x[2:1]', []],
    [
      'x[ids]',
      [
        [9, 10, 11, 12],
        [1, 2, 3, 4],
      ],
    ],
    ['x[:, ids]', x.map((row) => [row[2] ?? 0, row[0] ?? 0])],
    ['x[i, 1:]', [10, 11, 12]],
    ['x[1:, i]', [7, 11]],
    ['x[ids][:, 0]', [9, 1]],
    ['x[3:0:-2]', [[9, 10, 11, 12]]],
  ])('%s', (expression, expected) =>
    expect(run(`export fn f(x: f32[3, 4], ids: i32[2], i: i32) = ${expression}`, { x, ids: [2, 0], i: 2 })).toEqual(expected),
  );

  test('lists and tuples are indexed while compiling', () => {
    expect(run('export fn f(a: f32) = ([a, 2 * a, 3 * a][-1], (a, 5)[1], [1, 2, 3][1:].length)', { a: 2 })).toEqual([6, 5, 2]);
  });
});

describe('loops', () => {
  test('fold over a range, rows, a list', () => {
    expect(run('export fn f(a: f64) = fold i in 0..10 with z = 0 { z + f64(i) * a }', { a: 2 })).toBe(90);
    expect(run('export fn f(a: f64) = fold i in 2..5 with z = 0.0 { z * 10 + f64(i) + 0 * a }', { a: 2 })).toBe(234);
    expect(
      run('export fn f<T, D>(x: f64[T, D]): f64[D] = fold row in x with s = zeros() { s + row }', {
        x: [
          [1, 2],
          [3, 4],
        ],
      }),
    ).toEqual([4, 6]);
    expect(run('export fn f(x: f64) = fold g in [v => v * 2, v => v + 1] with y = x { g(y) }', { x: 3 })).toBe(7);
  });
  test('a number of rounds known only at run time', () => {
    expect(run('export fn f<T>(x: f64[T]) = fold t in 0..T with s = 0.0 { s * 2 + x[t] }', { x: [1, 1, 1] })).toBe(7);
  });
  test('several carries', () => {
    expect(run('export fn f(n: f64) = fold i in 0..5 with (a, b) = (0.0, 1.0) { (b, a + b + 0 * n) }', { n: 0 })).toEqual([5, 8]);
  });
  test('scan stacks its outputs', () => {
    expect(
      run('export fn f<T>(x: f64[T]) = scan t in 0..T with s = 0.0 { let n = s + x[t]\n yield (n, (n, n * n)) }', { x: [1, 2, 3] }),
    ).toEqual([
      6,
      [
        [1, 3, 6],
        [1, 9, 36],
      ],
    ]);
  });
  test('the body of a loop sees what is around it', () => {
    expect(
      run('param w: f64 = 3\nexport fn f(a: f64) { let b = a + 1 return fold i in 0..2 with z = 1.0 { let c = z * w\n c + b } }', { a: 1 }),
    ).toBe(17);
  });
  test('loops inside loops', () => {
    expect(
      run('export fn f(a: f64) = fold i in 0..3 with z = 0.0 { z + fold j in 0..2 with y = 0.0 { y + a * f64(i + j) } }', { a: 1 }),
    ).toBe(9);
  });
  test('derivatives of loops, in both modes', () => {
    expect(
      run('export fn f(a: f64) { let y = fold i in 0..5 with z = 1.0 { z * a } return (y, grad(y, a), jvp(y, a, 2)) }', { a: 2 }),
    ).toEqual([32, 80, 160]);
  });
  test('comprehensions', () => {
    expect(run('export fn f(a: f64) = addN([a * i for i in 1..4])', { a: 2 })).toBe(12);
    expect(run('export fn f(a: f64) = [x + y for (x, y) in [(a, 1), (a, 2)]]', { a: 2 })).toEqual([3, 4]);
  });
});

describe('conditions', () => {
  test('a known condition chooses while compiling', () => {
    expect(run('fn g<N>(x: f64[N]) = if N == 2 then x[0] else x[2]\nexport fn f(x: f64[2]) = g(x)', { x: [5, 6] })).toBe(5);
  });
  test('a condition of the run selects, also tuples', () => {
    const text = 'export fn f(x: f64) = if x > 0 then (x, 1) else (-x, 0)';
    expect(run(text, { x: -3 })).toEqual([3, 0]);
    expect(run(text, { x: 3 })).toEqual([3, 1]);
  });
});

describe('derivatives', () => {
  test('compose, and mix', () => {
    expect(
      run('export fn f(x: f64) { let y = x ** 3 let g = grad(y, x) return (g, grad(g, x), jvp(g, x, 1), grad(jvp(y, x, 1), x)) }', {
        x: 2,
      }),
    ).toEqual([12, 12, 12, 12]);
  });
  test('of a let reaches that let alone', () => {
    expect(run('export fn f(x: f64) { let a = x * x let b = x * x return grad(a * b + a, a) }', { x: 3 })).toBe(10);
  });
  test('with respect to an argument of a function', () => {
    expect(run('fn g(v: f64): f64 { let y = v * v return grad(y, v) }\nexport fn f(x: f64) = g(x * x) + x * x', { x: 2 })).toBe(12);
  });
  test('stopGradient', () => {
    expect(run('export fn f(x: f64) { let y = x * stopGradient(x) return grad(y, x) }', { x: 3 })).toBe(3);
  });
  test("the author's own rule, with several arguments and integers", () => {
    const text = `fn g(x: f64, n: i32, y: f64): f64 = x * y * f64(n)
        vjp (d) => (10 * d, 20 * d)
      export fn f(x: f64, n: i32) { let z = g(x, n, x * 2) return (z, grad(z, x)) }`;
    expect(run(text, { x: 3, n: 2 })).toEqual([36, 50]);
  });
  test('of a param after it was assigned', () => {
    const text = 'param x: f64 = 2\nexport step f() { let a = x * x x <- x + 1 let b = x * x * x return (grad(a, x), grad(b, x), x) }';
    expect(run(text)).toEqual([4, 27, 3]);
  });
});

describe('steps', () => {
  test('statements take effect in their order', () => {
    const text =
      'state n: i32 = 1\nstate m: i32 = 10\nexport step f() { let before = n n <- n + 1 m <- m + n n <- n * 2 return (before, n, m) }';
    expect(run(text, {}, 2)).toEqual([
      [1, 4, 12],
      [4, 10, 17],
    ]);
  });
  test('minimize over a list, an instance, and only what is float and trained', () => {
    const text = `import { Dense } from "std/nn"
      import { sgd } from "std/optim"
      param a: f64 = 1
      param b: f64 = 2
      state c: f64 = 3
      net = Dense<2, 1>()
      export step f() { minimize a * b * c with sgd(lr: 0.1) over [b] return (a, b, c) }
      export step g<B>(x: f32[B, 2]) { minimize mean(net(x)) + f32(a) with sgd(lr: 0.1) over net }
      export step h() { minimize a * b * c with sgd(lr: 0.1) return (a, b, c) }`;
    expect(distance(run(text), [1, 1.7, 3])).toBeLessThan(1e-7);
    const { module } = moduleOf(text);
    expect(module.entries.map((entry) => entry.updates.map((update) => update.variable))).toEqual([['b'], ['net/w', 'net/b'], ['a', 'b']]);
    expect(entryTexts(module)[1]).toBe('step g(x: f32[B, 2]): {  }');
  });
  test('two optimizers in one step have slots of their own', () => {
    const text =
      'import { momentum } from "std/optim"\nparam x: f32 = 1\nexport step f() { minimize x * x with momentum(0.1) scope "second" { minimize x with momentum(0.1) } minimize x with momentum(0.1) }';
    expect(variableTexts(moduleOf(text).module)).toEqual([
      'param x: f32',
      'slot f/momentum/x/v: f32',
      'slot f/second/momentum/x/v: f32',
      'slot f/momentum_1/x/v: f32',
    ]);
  });
  test('a model assigns nothing, but a step assigns its params', () => {
    const text =
      'model M() { param w: f32 = 1 state n: i32 = 0 fn call(x: f32) = w * x }\nm = M()\nexport step f(x: f32) { m.n <- m.n + 1 m.w <- m(x) return (m.n, m.w) }';
    expect(run(text, { x: 3 }, 2)).toEqual([
      [1, 3],
      [2, 9],
    ]);
  });
});

describe('names', () => {
  test('scopes prefix, calls open scopes, and a name used again gets a suffix', () => {
    const text = `fn relu(x: f32): f32 { let r = max(x, 0) return r }
      model M() { fn call(x: f32): f32 { let y = x * 2 return y } fn twice(x: f32): f32 { let z = call(x) return z } }
      m = M()
      export fn f(x: f32): f32 {
        scope "loss" { let error = relu(x) scope "inner" { let e = relu(error) } }
        scope "loss" { let other = relu(e) }
        let done = m(other)
        return relu(m.twice(done))
      }`;
    expect([...(moduleOf(text).module.entries[0]?.names.keys() ?? [])]).toEqual([
      'loss/relu/r',
      'loss/error',
      'loss/inner/relu/r',
      'loss/inner/e',
      'loss_1/relu/r',
      'loss_1/other',
      'm/y',
      'done',
      'm/twice/y',
      'm/twice/z',
      'relu/r',
    ]);
  });
  test('clause words are names elsewhere', () => {
    expect(run('export fn f(step: f32, over: f32) { let with = step + over return with }', { step: 1, over: 2 })).toBe(3);
  });
});

describe('models', () => {
  test('instances in lists and arguments have paths; what is passed is shared', () => {
    const text = `model Leaf<N>(scale: f32) { param w: f32[N] = full(scale) fn call(x: f32[N]): f32 = sum(w * x) * scale }
      model Pair(left: Leaf<2>, rest: list) { param b: f32 = 0 fn call(x: f32[2]): f32 = left(x) + addN([one(x) for one in rest]) + b }
      param s: f32 = 2
      shared = Leaf<2>(1)
      p = Pair(shared, [Leaf<2>(3), shared, Leaf<2>(4)])
      q = Pair(left: Leaf<2>(5), rest: [])`.replace('addN([one(x) for one in rest])', '(fold one in rest with t = 0.0 { t + one(x) })');
    expect(variableTexts(moduleOf(`${text}\nexport fn f(x: f32[2]) = p(x) + q(x)`).module)).toEqual([
      'param s: f32',
      'param shared/w: f32[2]',
      'param p/rest/0/w: f32[2]',
      'param p/rest/2/w: f32[2]',
      'param p/b: f32',
      'param q/left/w: f32[2]',
      'param q/b: f32',
    ]);
    expect(run(`${text}\nexport fn f(x: f32[2]) = p(x)`, { x: [1, 1] })).toBe(2 + 18 + 2 + 32);
  });
  test('a passed param is shared: its newest value is read', () => {
    const text =
      'model R(t: f32) { fn call(x: f32): f32 = max(x, t) }\nparam t: f32 = 1\nr = R(t)\nexport step f(x: f32) { let a = r(x) t <- 5 return (a, r(x)) }';
    expect(run(text, { x: 3 })).toEqual([3, 5]);
  });
});

describe('modules', () => {
  const files = {
    'lib/layers.tdsl':
      'import { helper as h } from "./deep/help.tdsl"\nparam gain: f32 = 2\nfn amplify(x: f32): f32 = h(x) * gain\nexport fn unused(x: f32): f32 = x',
    'lib/deep/help.tdsl': 'import { up } from "../../main2.tdsl"\nfn helper(x: f32): f32 = up(x)',
    'main2.tdsl': 'fn up(x: f32): f32 = x + 1',
  };
  test('imports are relative to the importing file; only the compiled file has entries', () => {
    const text = 'import { amplify as louder } from "./lib/layers.tdsl"\nexport fn f(x: f32): f32 = louder(x)';
    const { module, result } = moduleOf(text, { files });
    expect(entryTexts(module)).toEqual(['fn f(x: f32): f32']);
    expect(variableTexts(module)).toEqual(['param layers/gain: f32']);
    expect(result.files.map((file) => file.path)).toEqual([
      'std/prelude',
      'std/arrays',
      'std/linear-algebra',
      'main2.tdsl',
      'lib/deep/help.tdsl',
      'lib/layers.tdsl',
      'main.tdsl',
    ]);
    expect(runEntry(text, 'f', { x: 3 }, 1, { files })[0]).toBe(8);
  });
  test('own names lie over built-in ones', () => {
    expect(run('fn mean(x: f32): f32 = x + 100\nfn relu(x: f32): f32 = mean(x)\nexport fn f(x: f32): f32 = relu(x)', { x: 1 })).toBe(101);
  });
});

describe('shapes in calls', () => {
  test('zeros, ones, full and eye take the dtype of what they meet', () => {
    const { module } = moduleOf(`export fn f<N>(x: f64[N], k: i32[N]) {
      let none = zeros([N])
      return (none + x, eye(N) @ x, ones(3), k + zeros([N]), full([2, 2], x[0]), fold i in 0..2 with h = zeros([N]) { h + x }, full(shape: [N], value: 0.5) * x)
    }`);
    expect(entryTexts(module)).toEqual(['fn f(x: f64[N], k: i32[N]): (f64[N], f64[N], f32[3], i32[N], f64[2, 2], f64[N], f64[N])']);
    const { module: given } = moduleOf(`fn more<T: float>(x: T[2]): T[2] = x + ones<T>([2])
    export fn f(x: f64[2]) = (more(x), zeros<bool>([3]), eye<i32>(2), full<f32>([2], 0.5))`);
    expect(entryTexts(given)).toEqual(['fn f(x: f64[2]): (f64[2], bool[3], i32[2, 2], f32[2])']);
    expect(run('export fn f(): bool[2] = ones([2])', {})).toEqual([true, true]);
    expect(check('export fn f(x: f64) = zeros(x)').diagnostics.map(({ code }) => code)).toEqual(['type-mismatch']);
  });
});

describe('checks', () => {
  test('of a side that is not taken end nothing', () => {
    const text = 'export fn f(x: f64[3], k: i32): f64 = if k < 3 then x[k] else -1';
    expect(run(text, { x: [1, 2, 3], k: 7 })).toBe(-1);
    expect(run(text, { x: [1, 2, 3], k: 1 })).toBe(2);
    expect(() => run(text, { x: [1, 2, 3], k: -1 })).toThrow('index-out-of-range');
  });
  test('a block of index notation returns, in loops as well', () => {
    const text = 'export fn f(x: f64[2]): f64[2] = fold t in 0..2 with a = x { [i] => { let b = a[i] * 2\n return b } }';
    expect(run(text, { x: [1, 2] })).toEqual([4, 8]);
  });
});

describe('what nobody calls', () => {
  test('is checked with open sizes, and may use what only a call can know', () => {
    expect(
      render(
        check(
          'fn f<A, B>(x: f32[A], y: f32[B]) = x + y\nmodel M<N>(f: fn) { param w: f32[N] = zeros() fn call(x: f32[N]): f32[N] = f(w * x) }\nfn g<...S>(x: f32[...S]) = sum(x, axis: 5)',
        ),
      ),
    ).toBe('');
    expect(check('fn f<A>(x: f32[A]): f32[A] = x @ missing').diagnostics.map((one) => one.code)).toEqual(['unknown-name']);
  });
});
