// The library's functions that move elements, sort them and add them up, and those of matrices. In: expressions. Out: values against
// formulas written here; messages of mistakes.

import { describe, expect, test } from 'vitest';
import { check, runEntry, type Json } from './support.js';

const nan = Number.NaN;
const feeds: Readonly<Record<string, Json>> = {
  x: [
    [3, -1, 2, 0.5],
    [-2, 4, 1, 7],
  ],
  v: [2, -1, 2, 0.5, -1],
  i: [
    [2, -3, 4],
    [5, 1, -1],
  ],
  // A diagonal of 2, 3 and 4 and rows that must change places.
  a: [
    [0, 2, 1],
    [3, 1, 0],
    [1, 0, 4],
  ],
  s: 7,
};

function value(expression: string): Json {
  const text = `export fn f(x: f64[2, 4], v: f64[5], i: i32[2, 3], a: f64[3, 3], s: i32) = ${expression}`;
  return runEntry(text, 'f', feeds)[0] as Json;
}

/** What differs, as a text; NaN agrees with NaN. */
function difference(found: Json, expected: Json): string | undefined {
  if (Array.isArray(found) && Array.isArray(expected) && found.length === expected.length)
    return found.map((one, at) => difference(one as Json, expected[at] as Json)).find((one) => one !== undefined);
  if (typeof found !== 'number' || typeof expected !== 'number') return `${JSON.stringify(found)} is not ${JSON.stringify(expected)}`;
  const isNear = Object.is(found, expected) || found === expected || Math.abs(found - expected) <= 1e-12 * Math.max(1, Math.abs(expected));
  return isNear ? undefined : `${found} is not ${expected}`;
}

const expectNear = (expression: string, expected: Json): void => expect(difference(value(expression), expected)).toBeUndefined();

describe('arrays', () => {
  test.each<[string, Json]>([
    ['cumsum(v, axis: 0)', [2, 1, 3, 3.5, 2.5]],
    ['cumsum(f32(v), axis: -1)', [2, 1, 3, 3.5, 2.5]],
    ['cumsum(f16(v), axis: 0)', [2, 1, 3, 3.5, 2.5]],
    [
      'cumsum(i, axis: 1)',
      [
        [2, -1, 3],
        [5, 6, 5],
      ],
    ],
    [
      'cumsum(i64(i), axis: 0)',
      [
        [2, -3, 4],
        [7, -2, 3],
      ],
    ],
    [
      'cumprod(i, axis: 1)',
      [
        [2, -6, -24],
        [5, 5, -5],
      ],
    ],
    ['cumprod(v, axis: 0)', [2, -2, -4, -2, 2]],
    ['cumprod(v / 0, axis: 0)', [Infinity, -Infinity, -Infinity, -Infinity, Infinity]],
    ['cumsum(x, axis: 0)[1]', [1, 3, 3, 7.5]],
    ['recurrence(v, factor: 0 * v + 0.5)', [2, 0, 2, 1.5, -0.25]],
    ['recurrence(v, reverse: true)', [2.5, 0.5, 1.5, -0.5, -1]],
    ['sort(v)', [-1, -1, 0.5, 2, 2]],
    ['sort(v, descending: true)', [2, 2, 0.5, -1, -1]],
    ['argsort(v)', [1, 4, 3, 0, 2]],
    ['argsort(v, descending: true)', [0, 2, 3, 1, 4]],
    [
      'argsort(i, axis: 0)',
      [
        [0, 0, 1],
        [1, 1, 0],
      ],
    ],
    [
      'sort(i, axis: 1)',
      [
        [-3, 2, 4],
        [-1, 1, 5],
      ],
    ],
    ['argsort(where(v < 0, 0.0 * (1 / (v - v)), v))', [3, 0, 2, 1, 4]],
    ['argsort(where(v < 0, 0.0 * (1 / (v - v)), v), descending: true)', [1, 4, 0, 2, 3]],
    [
      'topK(v, 3)',
      [
        [2, 2, 0.5],
        [0, 2, 3],
      ],
    ],
    ['topK(x, 0)[1]', [[], []]],
    [
      'flip(x, axis: -1)',
      [
        [0.5, 2, -1, 3],
        [7, 1, 4, -2],
      ],
    ],
    ['flip(v, axis: 0)', [-1, 0.5, 2, -1, 2]],
    ['roll(v, 2, axis: 0)', [0.5, -1, 2, -1, 2]],
    ['roll(v, -6, axis: 0)', [-1, 2, 0.5, -1, 2]],
    ['roll(v, s, axis: 0)', [0.5, -1, 2, -1, 2]],
    [
      'roll(i, 1, axis: 0)',
      [
        [5, 1, -1],
        [2, -3, 4],
      ],
    ],
    [
      'repeat(i, 2, axis: 0)',
      [
        [2, -3, 4],
        [2, -3, 4],
        [5, 1, -1],
        [5, 1, -1],
      ],
    ],
    ['repeat(v, 0, axis: 0)', []],
    ['repeat(i, 2, axis: 1)[0]', [2, 2, -3, -3, 4, 4]],
    ['tile(i, [2])[1]', [5, 1, -1, 5, 1, -1]],
    ['tile(v, [2, 1])', [feeds['v'] as Json, feeds['v'] as Json]],
    ['tile(i, [1, 2])[0]', [2, -3, 4, 2, -3, 4]],
    [
      'takeAlong(x, [[3, 3], [0, 1]], axis: 1)',
      [
        [0.5, 0.5],
        [-2, 4],
      ],
    ],
    ['takeAlong(x, i64([[1, 0, 1, 0]]), axis: 0)', [[-2, -1, 1, 0.5]]],
    [
      'tril(a, k: 1)',
      [
        [0, 2, 0],
        [3, 1, 0],
        [1, 0, 4],
      ],
    ],
    [
      'triu(a, k: -1)',
      [
        [0, 2, 1],
        [3, 1, 0],
        [0, 0, 4],
      ],
    ],
    [
      'tril(stack([a, a]))[1]',
      [
        [0, 0, 0],
        [3, 1, 0],
        [1, 0, 4],
      ],
    ],
    ['diagonal(a)', [0, 1, 4]],
    [
      'diagonal(stack([a, 2 * a]))',
      [
        [0, 1, 4],
        [0, 2, 8],
      ],
    ],
    ['swapAxes(x, 0, -1)[3]', [0.5, 7]],
  ])('%s', (expression, expected) => expectNear(expression, expected));
});

describe('matrices', () => {
  // det = 0 · 4 − 2 · 12 + 1 · (−1), by the first row.
  const determinant = -25;
  test.each<[string, Json]>([
    ['a @ solve(a, v[:3])', [2, -1, 2]],
    [
      'solve(a, a)',
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    ],
    [
      'solve(stack([a, 2 * a]), stack([v[:3], v[:3]]))',
      [
        [-0.56, 0.68, 0.64],
        [-0.28, 0.34, 0.32],
      ],
    ],
    [
      'a @ solve(a, a[:, :2]) - a[:, :2]',
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
    ],
    [
      'f64(f32(a) @ solve(f32(a), f32(a))) - a',
      [
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
      ],
    ],
    ['det(a)', determinant],
    ['det(stack([a, 2 * a]))', [determinant, 8 * determinant]],
    ['det(outer(v, v))', 0],
    ['logdet(a)', nan],
    ['logdet(a @ a)', 2 * Math.log(25)],
    ['logdet(outer(v, v))', -Infinity],
    ['logdet(1e200 * a @ a)', 2 * Math.log(25) + 3 * 200 * Math.log(10)],
    [
      'cholesky([[4.0, 2], [2, 5]])',
      [
        [2, 0],
        [1, 2],
      ],
    ],
    [
      'cholesky([[4.0, 2], [2, 1]])',
      [
        [nan, 0],
        [nan, nan],
      ],
    ],
    ['cholesky([[-4.0, 2], [2, 5]])[0, 0]', nan],
    [
      'cholesky(f16([[4, 2], [2, 5]]))',
      [
        [2, 0],
        [1, 2],
      ],
    ],
    ['solveTriangular([[2.0, 9], [1, 4]], [2.0, 9])', [1, 2]],
    ['solveTriangular([[2.0, 1], [9, 4]], [4.0, 8], upper: true)', [1, 2]],
    [
      'solveTriangular([[2.0, 9], [1, 4]], [[2.0, 4], [9, 18]])',
      [
        [1, 2],
        [2, 4],
      ],
    ],
    ['lu(a)[1]', [1, 0, 2]],
    ['lu(a)[0][0]', [3, 1, 0]],
    ['det([[7.0]])', 7],
    ['solve([[4.0]], [2.0])', [0.5]],
    ['cholesky([[9.0]])', [[3]]],
  ])('%s', (expression, expected) => expectNear(expression, expected));

  test('of nothing', () => {
    const text = `export fn f() {
      let a: f64[0, 0] = zeros()
      let b: f64[0, 2] = zeros()
      let c: f64[0] = zeros()
      return (det(a), logdet(a), solve(a, b), solve(a, c), cholesky(a), inverse(a), sort(c), roll(c, 1, axis: 0), cumsum(c, axis: 0))
    }`;
    expect(runEntry(text, 'f')).toEqual([[1, 0, [], [], [], [], [], [], []]]);
  });

  test('a singular one has no solution', () => {
    const found = value('solve(outer(v, v), v)') as number[];
    expect(found.every(Number.isFinite)).toBe(false);
  });
});

describe('mistakes', () => {
  const messages = (expression: string): string[] =>
    check(`export fn f(x: f64[2, 4], a: f64[3, 3], v: f64[5]) = ${expression}`).diagnostics.map((one) => `${one.code}: ${one.message}`);
  test.each<[string, string]>([
    ['sort(x, axis: 2)', 'invalid-value: f64[2, 4] has no axis 2: its axes are 0 to 1'],
    ['cumsum(x, axis: -3)', 'invalid-value: f64[2, 4] has no axis -3: its axes are 0 to 1'],
  ])('%s', (expression, message) => expect(messages(expression)).toEqual([message]));
  test.each([
    ['topK(x, 5)', 'unsatisfied-fact'],
    ['topK(x, -1)', 'unsatisfied-fact'],
    ['solveTriangular(a, v)', 'shape-mismatch'],
    ['tile(x, [-1])', 'invalid-value'],
    ['takeAlong(x, [[0], [0], [1]], axis: 1)', 'shape-mismatch'],
    ['takeAlong(x, x, axis: 1)', 'dtype-mismatch'],
    ['solve(x, v)', 'shape-mismatch'],
    ['solve(a, v)', 'shape-mismatch'],
    ['det(x)', 'shape-mismatch'],
    ['cholesky(i32(a))', 'dtype-mismatch'],
    ['lu(f16(a))', 'dtype-mismatch'],
    ['refuse("this is not done")', 'invalid-value'],
    ['refuse(3)', 'type-mismatch'],
  ])('%s is refused', (expression, code) => {
    const found = messages(expression);
    expect(found.map((one) => one.split(':')[0])).toEqual([code]);
  });
});
