// What has no dtype before it meets one, axes by None, shapes of random numbers, and activations at infinities. In: programs as text. Out:
// values by the graph interpreter, or the first diagnostic.

import { describe, expect, test } from 'vitest';
import { check, entryTexts, moduleOf, runEntry } from './support.js';

const value = (body: string, feeds = {}, parameters = ''): unknown => runEntry(`export fn f(${parameters}) = ${body}`, 'f', feeds)[0];
const hintOf = (text: string): string | undefined => check(text).diagnostics[0]?.hint;

describe('tensors of literals and sizes alone', () => {
  test.each([
    ['x + arange(3) / 4', [1, 1.25, 1.5]],
    ['x * stack([1, 2, 3])', [1, 2, 3]],
    ['x / sum(ones([4]))', [0.25, 0.25, 0.25]],
    ['x * (0.5 + arange(3))', [0.5, 1.5, 2.5]],
    ['x - expandDims(arange(3), axis: 0)[0]', [1, 0, -1]],
    ['x + scatterAdd(tensor([0, 0, 2]), ones([3]), 3)', [3, 1, 2]],
  ])('%s takes the dtype of what it meets', (body, expected) => {
    for (const dtype of ['f32', 'f64', 'f16']) expect(value(body, { x: [1, 1, 1] }, `x: ${dtype}[3]`)).toEqual(expected);
  });
  test('without one it is what its numbers are', () => {
    const { module } = moduleOf('export fn f() = (arange(3), arange(3) / 2, zeros([2]), argmax(arange(3), axis: 0))');
    expect(entryTexts(module)).toEqual(['fn f(): (i32[3], f32[3], f32[2], i32)']);
  });
  test('zeros are integers where integers are meant', () => {
    expect(value('x[zeros([2])]', { x: [5, 6, 7] }, 'x: f64[3]')).toEqual([5, 5]);
    expect(value('i + zeros([3])', { i: ['1', '2', '3'] }, 'i: i64[3]')).toEqual([1, 2, 3]);
  });
  test('a quotient of sizes stays one', () => {
    expect(check('export fn f<N>(x: f32[N]) = arange(N / 2)').diagnostics[0]?.code).toBe('ambiguous-size');
  });
});

describe('calls of which only literals say the dtype', () => {
  const head = `
    fn twice<T: number>(x: T): T = 2 * x
    fn both<T: float>(x: T): { a: T, b: (T, T) } = { a: x, b: (sqrt(x), x ** 2) }
    fn shares<T: float, N>(x: T[N]) {
      let total = sum(x)
      return x / total
    }
    fn next<T: integer, N>(x: T[N]): T[N] = x + 1
    fn half<T: float = f32>(x: T): T = x / 2
    fn noise<T: float>(scale: T, key: i64): T = scale * normal(key: key)
  `;
  const dtypes = ['f64', 'f32', 'f16'] as const;
  test.each([
    ['let a = twice(0.25)', 'a * x', 1.5],
    ['let a = twice(2)', 'a * x', 12],
    ['let a = outer(arange(2), [0.5, 1.5])', 'a[1, 1] * x', 4.5],
    ['let a = clip(2, 0, 0.5)', 'a * x', 1.5],
    ['let a = both(4.0)', 'a.a * x + a.b[0] + a.b[1]', 30],
    ['let (a, b) = (shares([1.0, 3.0]), std([1.0, 3.0]))', 'a[1] * x + b', 3.25],
  ])('%s takes the dtype of what it meets', (binding, body, expected) => {
    for (const dtype of dtypes)
      expect(runEntry(`${head}export fn f(x: ${dtype}) {\n${binding}\nreturn ${body}\n}`, 'f', { x: 3 })).toEqual([expected]);
  });
  test('it is computed in that dtype, and is f32 where nothing says which', () => {
    const text = `${head}export fn f(x: f64) {\nlet a = both(2.0)\nreturn (x * a.b[0], a.b[0], next([1]), twice(3))\n}`;
    expect(runEntry(text, 'f', { x: 1 })).toEqual([[Math.SQRT2, Math.fround(Math.SQRT2), [2], 6]]);
    expect(entryTexts(moduleOf(text).module)).toEqual(['fn f(x: f64): (f64, f32, i32[1], i32)']);
  });
  test('integers stay integers', () => {
    expect(runEntry(`${head}export fn f(x: i64) {\nlet (a, b) = (next([1]), twice(2))\nreturn x * a + b\n}`, 'f', { x: '5' })).toEqual([
      [14],
    ]);
    expect(check(`${head}export fn f(x: f64) {\nlet a = next([1])\nreturn x * a\n}`).diagnostics[0]?.code).toBe('dtype-mismatch');
  });
  test('a default is said, and random numbers are drawn once', () => {
    for (const call of ['half(1.0)', 'noise(1.0, 3)'])
      expect(check(`${head}export fn f(x: f64) {\nlet a = ${call}\nreturn x * a\n}`).diagnostics[0]?.code).toBe('dtype-mismatch');
  });
});

describe('axes of size 1', () => {
  test.each([
    [
      'x[None]',
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ],
    ['x[:, None]', [[[1, 2]], [[3, 4]]]],
    [
      'x[..., None]',
      [
        [[1], [2]],
        [[3], [4]],
      ],
    ],
    ['x[None, 1, None, :1]', [[[3]]]],
    ['x[i, None]', [[[3, 4]], [[1, 2]]]],
    [
      'i[:, None] * i[None]',
      [
        [1, 0],
        [0, 0],
      ],
    ],
  ])('%s', (body, expected) => {
    expect(
      value(
        body,
        {
          x: [
            [1, 2],
            [3, 4],
          ],
          i: [1, 0],
        },
        'x: f64[2, 2], i: i32[2]',
      ),
    ).toEqual(expected);
  });
  test('where they say nothing', () => {
    expect(hintOf('state s: f32[2] = 0\nexport step f() { s[None] <- 1 }')).toBe(
      'it adds an axis to what is read; what is assigned has the axes of its place',
    );
    expect(check('export fn f(x: f32[2], None: i32) = x[None]').diagnostics).toEqual([]);
  });
});

describe('shapes of random numbers', () => {
  test('stand before the arguments', () => {
    const { module } = moduleOf(
      'export fn f<B>(x: f64[B, 2], k: i64) = (x + normal([B, 2], key: k), uniform<f16>(x.shape, 0, 2, key: k), normal([3], 1, key: k))',
    );
    expect(entryTexts(module)).toEqual(['fn f(x: f64[B, 2], k: i64): (f64[B, 2], f16[B, 2], f32[3])']);
  });
  test('draw what the type draws', () => {
    const of = (body: string): unknown => value(body, { k: '3' }, 'k: i64');
    expect(of('normal<f64>([3], key: k)')).toHaveProperty('length', 3);
  });
});

describe('loops that start with literals', () => {
  test('the condition says what they are', () => {
    const text = 'export fn f(x: f64) = while x * t > 1 with t = 1.0 limit 9 { t / 2 }';
    expect(runEntry(text, 'f', { x: 4 })).toEqual([0.25]);
    expect(entryTexts(moduleOf(text).module)).toEqual(['fn f(x: f64): f64']);
  });
  test('a choice of named literals has no dtype either', () => {
    const text = `export fn f(x: f64) = fold i in 0..3 with (t, s) = (0, x) {
      let h = min(0.5, 1 - t)
      (if s > 0 then t + h else t, s + t)
    }`;
    expect(runEntry(text, 'f', { x: 1 })).toEqual([[1, 2.5]]);
  });
  test('a mistake inside is told alone', () => {
    const text = `export fn f(A: f64[2, 2]): f64[2] = fold i in 0..3 with x = zeros([2]) { A.T @ (A @ x) }`;
    expect(check(text).diagnostics.map(({ code }) => code)).toEqual(['unknown-member']);
  });
});

describe('at infinities', () => {
  const head = `import { silu, mish, hardSwish, softsign, gelu, logSigmoid, softplus, elu } from "std/nn"
    import { binaryCrossEntropy, focalLoss } from "std/loss"
    fn slopes(f: fn, x: any) {
      let y = f(x)
      let slope = grad(y, x)
      return (y, slope, jvp(y, x, onesLike(x)), grad(slope, x))
    }
  `;
  const rising = { values: [0, Infinity], slopes: [0, 1] };
  test.each<[of: string, expected: { readonly values: readonly number[]; readonly slopes: readonly number[] }]>([
    ['silu', rising],
    ['mish', rising],
    ['hardSwish', rising],
    ['softplus', rising],
    ['gelu', rising],
    ['v => gelu(v, approximate: "tanh")', rising],
    ['v => binaryCrossEntropy(v, zerosLike(v))', rising],
    ['v => binaryCrossEntropy(-v, onesLike(v))', rising],
    ['v => focalLoss(v, zerosLike(v), alpha: 0)', rising],
    ['v => focalLoss(-v, onesLike(v), alpha: 1)', rising],
    ['logSigmoid', { values: [-Infinity, 0], slopes: [1, 0] }],
    ['softsign', { values: [-1, 1], slopes: [0, 0] }],
    ['elu', { values: [-1, Infinity], slopes: [0, 1] }],
  ])('%s and its slopes are the limits', (of, expected) => {
    for (const dtype of ['f64', 'f32', 'f16', 'bf16']) {
      const text = `${head}export fn f(x: ${dtype}[3]) = slopes(${of}, x)`;
      const found = runEntry(text, 'f', { x: [-Infinity, Infinity, Number.NaN] })[0] as readonly (readonly number[])[];
      const [value = [], reverse = [], forward = [], second = []] = found.map((numbers) => numbers.map((one) => one + 0));
      expect(value, dtype).toEqual([...expected.values, Number.NaN]);
      for (const slope of [reverse, forward]) expect(slope.slice(0, 2), dtype).toEqual(expected.slopes);
      expect(second.slice(0, 2), dtype).toEqual([0, 0]);
    }
  });

  test.each(['hardSwish', 'gelu', 'v => gelu(v, approximate: "tanh")', 'v => focalLoss(v, zerosLike(v), alpha: 0)'])(
    '%s keeps what is near the end of the range',
    (of) => {
      const [value, slope] = runEntry(`${head}export fn f(x: f16[2]) = slopes(${of}, x)`, 'f', { x: [30000, 60000] })[0] as [
        number[],
        number[],
      ];
      expect(value).toEqual([30000, 60000]);
      expect(slope).toEqual([1, 1]);
    },
  );
});

describe('ways out', () => {
  test('of steps that need not come out even', () => {
    expect(hintOf('export fn f<N>(x: f32[N]) = x[::100000000]')).toBe('declare that it comes out even: `where N % 100000000 == 0`');
    expect(hintOf('export fn f<N>(x: f32[N]) = x[1::3]')).toBe('declare that it comes out even: `where (N - 1) % 3 == 0`');
  });
  test('of imports of a directory', () => {
    expect(hintOf('import { g } from "."\nexport fn f(x: f32) = g(x)')).toBe('write `"./layers.tdsl"` for a file beside this one');
    expect(hintOf('import { g } from "./"\nexport fn f(x: f32) = g(x)')).toBe('name a file: `"./layers.tdsl"`');
  });
});
