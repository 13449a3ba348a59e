// What stands beside a value says what it is where nothing else does. In: programs that leave a shape or a dtype open. Out: types and
// values.

import { describe, expect, test } from 'vitest';
import { check, entryTexts, moduleOf, runEntry } from './support.js';

const codes = (text: string): string[] => check(text).diagnostics.map(({ code }) => code);
const resultOf = (body: string, parameters = 'A: f64[N, N], x: f64[B, N], v: f64[N], s: f64, n: i32[N], key: i64'): string =>
  entryTexts(
    moduleOf(`export fn f${parameters.includes('N') ? (parameters.includes('B') ? '<B, N>' : '<N>') : ''}(${parameters}) = ${body}`).module,
  )[0]?.split('): ')[1] ?? '';

describe('a shape that is that of what stands beside', () => {
  test.each([
    ['A + eye()', 'f64[N, N]'],
    ['0.1 * eye() + A', 'f64[N, N]'],
    ['A - 2 * (eye() / 3)', 'f64[N, N]'],
    ['-ones() * v', 'f64[N]'],
    ['v + s * normal(key: key)', 'f64[N]'],
    ['v * normal(key: key) + x', 'f64[B, N]'],
    ['x + sqrt(v) * exp(normal(key: key))', 'f64[B, N]'],
    ['uniform(key: key) < v', 'bool[N]'],
    ['where(zeros() < v, v, ones())', 'f64[N]'],
    ['max(zeros(), x)', 'f64[B, N]'],
    ['v - full(1 / N)', 'f64[N]'],
    ['n + ones()', 'i32[N]'],
    ['solve(A + 0.1 * eye(), v)', 'f64[N]'],
    ['softmax(A, axis: 0) + s * eye()', 'f64[N, N]'],
    ['inverse(A) + s * eye()', 'f64[N, N]'],
    // What has a dtype keeps it where some float is expected.
    ['tanh([i in 0..2] => f64(0.6))', 'f64[2]'],
    ['s - product(1 + 0.5 * tanh([i in 0..2] => f64(0.6)))', 'f64'],
  ])('%s', (body, type) => {
    expect(resultOf(body)).toBe(type);
  });

  test('the last axes, where a function gives fewer', () => {
    expect(resultOf('A + eye()', 'A: f64[B, N, N]')).toBe('f64[B, N, N]');
    expect(
      runEntry('export fn f(a: f64[2, 2, 2]) = a + eye()', 'f', {
        a: [
          [
            [1, 2],
            [3, 4],
          ],
          [
            [5, 6],
            [7, 8],
          ],
        ],
      })[0],
    ).toEqual([
      [
        [2, 2],
        [3, 5],
      ],
      [
        [6, 6],
        [7, 9],
      ],
    ]);
  });

  test('numbers are drawn for every element, on either side', () => {
    const [draws] = runEntry('export fn f<B, N>(x: f64[B, N], v: f64[N], key: i64) = v * uniform(1, 2, key: key) + x', 'f', {
      x: [
        [0, 0],
        [0, 0],
      ],
      v: [1, 1],
      key: 3,
    });
    expect(new Set((draws as number[][]).flat()).size).toBe(4);
  });

  test.each([
    // A scalar may be one for all elements of what comes later.
    's * normal(key: key)',
    'v * mean(normal(key: key))',
    'A @ eye()',
    'v * broadcastTo(zeros(), [N])',
    'zeros() + ones()',
  ])('nothing else does: %s', (body) => {
    expect(codes(`export fn f<B, N>(A: f64[N, N], x: f64[B, N], v: f64[N], s: f64, key: i64) = ${body}`)).toContain('ambiguous-size');
  });
});

describe('a dtype that is that of what stands beside', () => {
  test.each([
    ['v * transpose([[1, 2]])', 'f64[2, 2]'],
    ['reshape([1, 2], [2]) * v', 'f64[2]'],
    ['tensor([1, 2]) * v', 'f64[2]'],
    ['concat([[1], [2]]) + v', 'f64[2]'],
    ['[[1, 2], [3, 4]] @ A @ transpose([[1, 2], [3, 4]])', 'f64[2, 2]'],
    ['inverse([[1, 2], [3, 4]]) + A', 'f64[2, 2]'],
    ['sum([0.5, 1.5]) * v', 'f64[2]'],
    ['arange(2) * s', 'f64[2]'],
    ['arange(2) * v', 'f64[2]'],
    ['arange(2) + n', 'i32[2]'],
    ['softmax([1, 2]) * v', 'f64[2]'],
    ['doubled(2) * s', 'f64'],
    ['1 / count(v) * s', 'f64'],
  ])('%s', (body, type) => {
    const text = `fn doubled<T: float>(x: T): T = 2 * x\nexport fn f(A: f64[2, 2], v: f64[2], s: f64, n: i32[2]) = ${body}`;
    expect(entryTexts(moduleOf(text).module)[0]).toMatch(new RegExp(`: ${type.replaceAll(/[[\]]/g, String.raw`\$&`)}$`));
  });

  test('what assigns is not run ahead of its turn', () => {
    const text = `model Counter { state n: f64 = 1
        step next(by: f64): f64 { n <- 2 * n + by
          return n } }
      counter = Counter()
      fn doubled<T: float>(x: T): T = 2 * x
      export step f(x: f64): f64 = counter.next(x) - counter.next(10)`;
    expect(runEntry(text, 'f', { x: 1 })[0]).toBe(3 - 16);
    expect(codes(text.replace('= counter.next(x) -', '= f64(doubled(2)) + counter.next(x) -'))).toEqual([]);
  });
});

describe('a choice between literals takes the dtype of what it meets', () => {
  const parameters = 'm: bool[2], c: bool, x: f64[2], n: i64[2], i: i32[2]';
  test.each([
    ['where(m, 1, 0) * x', 'f64[2]'],
    ['where(m, 1.0, 0.0) * x', 'f64[2]'],
    ['n + where(m, 1, 0)', 'i64[2]'],
    ['where(m, where(m, 1, 2), 0.5) * x', 'f64[2]'],
    ['(if c then 1 else 0) * x', 'f64[2]'],
    ['([j in 0..2] => if j == 1 then 1 else 0) * x', 'f64[2]'],
    ['where(m, 1, 0)', 'i32[2]'],
    ['where(m, 1, 0.5)', 'f32[2]'],
    ['i[if c then 1 else 0]', 'i32'],
  ])('%s', (body, type) => {
    expect(resultOf(body, parameters)).toBe(type);
  });

  test('with a name as well', () => {
    const text = `export fn f(c: bool, x: f64, n: i64) {
        let sign = if c then 1 else -1
        let half = if c then 0.5 else -0.5
        return (sign * x, sign * n, sign, half * x, half)
      }`;
    expect(runEntry(text, 'f', { c: true, x: 3, n: 5 })[0]).toEqual([3, 5, 1, 1.5, 0.5]);
    expect(entryTexts(moduleOf(text).module)[0]).toContain('(f64, i64, i32, f64, f32)');
  });

  test('and no integer of a fraction', () => {
    expect(codes(`export fn f(${parameters}) = where(m, 1, 0.5) * n`)).toEqual(['dtype-mismatch']);
  });
});

describe('rests of sizes', () => {
  test.each([
    ['N % 2 == 1', 'x[(N - 1) / 2]', [1, 2, 3], 2],
    ['(N - 1) % 2 == 0', 'x[(N - 1) / 2]', [1, 2, 3], 2],
    ['N >= 4, (N - 4) % 2 == 0', 'f64((N - 4) / 2) + sum(x)', [1, 2, 3, 4, 5, 6], 22],
    ['N % 4 == 3', 'x[(N - 3) / 4 + 1] + f64(N % 4)', [1, 2, 3], 5],
  ])('are facts: %s', (fact, body, x, value) => {
    expect(runEntry(`export fn f<N>(x: f64[N]): f64 where ${fact} = ${body}`, 'f', { x })[0]).toBe(value);
  });

  test('are numbers of the run', () => {
    expect(runEntry('export fn f<N>(x: f64[N]) = if N % 2 == 0 then mean(x) else max(x)', 'f', { x: [1, 2, 4] })[0]).toBe(4);
    expect(runEntry('export fn f<N>(x: f64[N]) {\n  let k = N % 3\n  return (k * x, k)\n}', 'f', { x: [1, 2] })[0]).toEqual([[2, 4], 2]);
  });

  test('that do not hold are told as they are written', () => {
    const text = 'fn odd<N>(x: f64[N]): f64 where N % 2 == 1 = x[0]\nexport fn f(x: f64[4]): f64 = odd(x)';
    expect(check(text).diagnostics[0]?.message).toBe('`odd` needs `N % 2 == 1`, and 4 % 2 == 1 does not hold');
  });
});

test('initial values of kernels count their places', () => {
  const spread = (type: string, initial: string): number => {
    const [values] = runEntry(`param w: ${type} = ${initial}\nexport fn f() = w`, 'f');
    const flat = (values as number[][][][]).flat(3);
    return Math.sqrt(flat.reduce((sum, one) => sum + one * one, 0) / flat.length);
  };
  expect(spread('f64[5, 5, 8, 16]', 'heNormal()')).toBeCloseTo(Math.sqrt(2 / (25 * 8)), 2);
  expect(spread('f64[5, 5, 8, 16]', 'glorotUniform()')).toBeCloseTo(Math.sqrt(2 / (25 * 24)), 2);
  expect(spread('f64[1, 1, 100, 16]', 'heUniform()')).toBeCloseTo(Math.sqrt(2 / 100), 2);
});

describe('a number divided by a size is a number', () => {
  test.each([
    ['let h = 1 / N\n  return h * x', [0.25, 0.5, 1, 2.25]],
    ['let h = 2 / (N - 2)\n  let g = h * h\n  return g * x', [1, 2, 4, 9]],
    ['let flat: f64[N] = full(1 / N)\n  return flat + 0 * x', [0.25, 0.25, 0.25, 0.25]],
    ['let h = share(x)\n  return h * x', [0.25, 0.5, 1, 2.25]],
  ])('%s', (body, value) => {
    const text = `fn share<M>(x: f64[M]) = 1 / M\nexport fn f<N>(x: f64[N]) {\n  ${body}\n}`;
    expect(runEntry(text, 'f', { x: [1, 2, 4, 9] })[0]).toEqual(value);
  });

  test('and no size', () => {
    expect(codes('export fn f<N>(x: f64[N]) = x[: 1 / N]')).toEqual(['not-constant']);
    expect(codes('export fn f<N>(x: f64[N]) = reshape(x, [1 / N, N])')).toEqual(['not-constant']);
    expect(codes('export fn f<N>(x: f64[N]) = x[: N / 2]')).toEqual(['ambiguous-size']);
  });
});

describe('what an optimizer is given', () => {
  const trained = (rate: string, lr: string, param: string, feeds: Record<string, number>): unknown =>
    runEntry(
      `import { ${rate.split('(')[0]} } from "std/optim"
      param w: ${param} = [1, 2]
      state decay: f32 = 0.5
      export step f(lr: ${lr} = 0.25): ${param} {
        minimize sum(w * w) with ${rate}
        return w
      }`,
      'f',
      feeds,
    )[0];
  test.each([
    ['sgd(lr: lr)', 'f32', 'f64[2]'],
    ['sgd(lr: lr)', 'f64', 'f32[2]'],
    ['sgd(lr: lr)', 'f32', 'f16[2]'],
    ['momentum(lr: lr, beta: decay)', 'f64', 'f64[2]'],
  ])('%s, fed as %s, for %s', (rate, lr, param) => {
    expect(trained(rate, lr, param, {})).toEqual([0.5, 1]);
    expect(trained(rate, lr, param, { lr: 0.5 })).toEqual([0, 0]);
  });

  test('of every optimizer of the library', () => {
    const rules: readonly (readonly [string, readonly string[]])[] = [
      ['adam', ['beta1', 'beta2', 'epsilon']],
      ['adamW', ['beta1', 'beta2', 'epsilon', 'decay']],
      ['nadam', ['beta1', 'beta2', 'epsilon', 'momentumDecay']],
      ['radam', ['beta1', 'beta2', 'epsilon']],
      ['adamax', ['beta1', 'beta2', 'epsilon']],
      ['lion', ['beta1', 'beta2', 'decay']],
      ['lamb', ['beta1', 'beta2', 'epsilon', 'decay']],
      ['adafactor', []],
      ['adagrad', ['epsilon']],
      ['adadelta', ['rho', 'epsilon']],
      ['rmsprop', ['rho', 'momentum', 'epsilon']],
      ['ftrl', ['l1', 'l2', 'beta']],
      ['nesterov', ['beta']],
    ];
    for (const [name, settings] of rules) {
      const call = (value: string): string => `${name}(${['lr', ...settings].map((setting) => `${setting}: ${value}`).join(', ')})`;
      const text = (value: string): string => `import { ${name} } from "std/optim"
        param w: f64[2, 2] = [[1, 2], [3, 4]]
        export step f(rate: f64 = 0.25): f64[2, 2] {
          minimize sum(w * w) with ${call(value)}
          return w
        }`;
      // 0.25 is exact in every float.
      expect(runEntry(text('rate').replace('rate: f64', 'rate: f32'), 'f', {}, 3), name).toEqual(runEntry(text('0.25'), 'f', {}, 3));
      expect(runEntry(text('rate'), 'f', {}, 3), name).toEqual(runEntry(text('0.25'), 'f', {}, 3));
    }
  });

  test('is one float', () => {
    const text = (type: string): string => `import { sgd } from "std/optim"
      param w: f64[2] = [1, 2]
      export step f(lr: ${type}) { minimize sum(w * w) with sgd(lr: lr) }`;
    expect(codes(text('i32'))).toEqual(['dtype-mismatch']);
    expect(codes(text('f32[2]'))).toEqual(['shape-mismatch']);
  });
});

describe('a known subscript in index notation', () => {
  test.each([
    ['[j] => q[-1, j]', ['B >= 1'], [3, 4]],
    ['[j] => q[0, j] + q[1, j]', ['B >= 1', 'B >= 2'], [4, 6]],
    ['[j] => sum[k in 0..2](q[k, j] * q[-2, 1])', ['B >= 2'], undefined],
  ])('%s asks for what it needs', (body, facts, value) => {
    const text = `export fn f<B>(q: f64[B, 2]): f64[2] = ${body}`;
    const found = check(text);
    if (found.module === undefined) {
      // How far k runs is not a known subscript: it is proved.
      expect(found.diagnostics.map(({ code }) => code)).toEqual(['index-out-of-range']);
      return;
    }
    expect(found.module.entries[0]?.facts.map(({ left, relation, right }) => `${left} ${relation} ${right}`)).toEqual(facts);
    expect(
      runEntry(text, 'f', {
        q: [
          [1, 2],
          [3, 4],
        ],
      })[0],
    ).toEqual(value);
  });

  test('and nothing where it is not always taken', () => {
    expect(codes('export fn f<B>(q: f64[B, 3]) = [j] => if j > 1 then q[0, j] else 0')).toEqual(['ambiguous-size']);
    expect(codes('export fn f<B>(q: f64[B, 3]) = [j] => q[0, j] ?? 0')).toEqual([]);
  });
});

describe('a dtype that is that of what is expected or stands beside', () => {
  const parameters = 'v: f64[4], s: f64, k: i32[4]';
  test.each([
    ['mean(ones([3]))', 's'],
    ['norm(ones([3])) + std([1.0, 2.0])', 's'],
    ['logSumExp(ones([4]))', 's'],
    ['pad(ones([2]), [1], [1])', 'v'],
    ['take(ones([4]), k)', 'v'],
    ['scatterAdd(k, ones([4]), 4)', 'v'],
    ['ones([4])[k]', 'v'],
    ['ones([8])[::2]', 'v'],
    ['tile(ones([2]), [2])', 'v'],
    ['flip(ones([4]), axis: 0) + mean(ones([2, 4]), axis: 0)', 'v'],
  ])('%s', (body, beside) => {
    const type = beside === 's' ? 'f64' : 'f64[4]';
    expect(codes(`export fn f(${parameters}): ${type} = ${body}`)).toEqual([]);
    expect(resultOf(`(${body}) * ${beside}`, parameters)).toBe(type);
  });
});

describe('what a loop starts with', () => {
  test.each([
    // A call in the body decides a dtype, which the rest of it refuses.
    ['fold k in 0..3 with b = zeros([N]) { let c = softmax(b, axis: 0)\n [i] => c[i] * v[i] }', 'f64[N]'],
    ['fold k in 0..3 with b = zeros([N]) { let c = softmax(b, axis: 0)\n c * v }', 'f64[N]'],
    // Only literals touch it on its own way, and it meets a tensor beside.
    ['(fold k in 0..3 with (p, l) = (v, 0.5) { let q = l * p\n if q[0] > 0 then (q, 0.1 * l) else (p, 10 * l) })[1]', 'f64'],
    ['(fold k in 0..3 with (p, l) = (v, 0.5) { let q = l * p\n (q, f64(2) * l) })[1]', 'f64'],
    ['fold k in 0..3 with l = 0.5 { if s > 0 then 0.1 * l else 10 * l }', 'f32'],
    ['fold k in 0..3 with (a, b) = (0, 0.0) { (a + 1, b + s * b) }', '(i32, f64)'],
  ])('%s', (body, type) => {
    expect(resultOf(body, 'v: f64[N], s: f64').replaceAll(/where .*/g, '')).toBe(type);
  });

  test('says what is wrong where no dtype fits', () => {
    expect(codes('export fn f(v: f64[3], w: f32[3]) = fold k in 0..3 with l = 0.5 { l * v[0] + l * w[0] }')).toEqual(['dtype-mismatch']);
  });
});
