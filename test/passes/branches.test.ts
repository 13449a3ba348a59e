// Branches that are not taken add exactly nothing to derivatives. In: choices around functions whose slopes are infinite or NaN. Out: what
// the branch that is taken gives alone, in both modes, in loops, and for second derivatives.

import { describe, expect, test } from 'vitest';
import { moduleRoots, topological } from '../../src/graph/index.js';
import { differentiate, Pipeline, simplify, strip } from '../../src/passes/index.js';
import { type Json, moduleOf, runEntry } from '../check/support.js';

const run = (text: string, feeds: Readonly<Record<string, Json>>): Json => runEntry(text, 'f', feeds)[0] as Json;

/** Nothing of these may be seen at −2, 0 and 3, of which the first two are guarded. */
const functions = [
  'sqrt(V)',
  'log(V)',
  'rsqrt(V)',
  'reciprocal(V)',
  '1 / V',
  'V ** 0.5',
  'V ** V',
  'log1p(-1 - V * V) * V',
  'acosh(V - 1)',
  'asin(V + 1)',
  'acos(V + 1)',
  'atanh(V / 3 - 1 / V)',
  'sqrt(V) * log(V) / V',
  'exp(1000 * (2.9 - V)) * exp(exp(1000 - 400 * V))',
];

const at = { x: [-2, 0, 3], s: -2 };
const ones = (derivative: Json): void => {
  expect((derivative as number[]).slice(0, 2)).toEqual([1, 1]);
};

describe.each(functions)('where(x > 0, %s, x)', (text) => {
  const of = (name: string): string => text.replaceAll('V', name);

  test('has the slope of what is taken, in both modes and along vectors and scalars', () => {
    const [back, along, scalar] = run(
      `export fn f(x: f64[3], s: f64): (f64[3], f64[3], f64) {
        let y = where(x > 0, ${of('x')}, x)
        let z = if s > 0 then ${of('s')} else s * s
        return (grad(y, x), jvp(y, x, broadcastTo(f64(1), [3])), grad(z, s))
      }`,
      at,
    ) as readonly Json[];
    ones(back as Json);
    ones(along as Json);
    expect(scalar).toBe(-4);
  });

  test('has it in loops, through sums, reshapes and functions, and for second derivatives', () => {
    const [looped, moved, ruled, second] = run(
      `fn square2(x: f64[3]): f64[3] = x * x vjp (g) => 2 * g * x
      export fn f(x: f64[3]): (f64[3], f64[3], f64[3], f64[3]) {
        let a = fold i in 0..2 with z = x { where(z > 0, ${of('z')}, z) }
        let b = where(reshape(x, [3, 1]) > 0, transpose(reshape(${of('x')}, [1, 3])), reshape(x, [3, 1]))
        let c = where(x > 0, square2(${of('x')}), x)
        let d = where(x > 0, ${of('x')}, x * x * x)
        let slope = grad(d, x)
        return (grad(a, x), grad(b, x), grad(c, x), grad(slope, x))
      }`,
      at,
    ) as readonly Json[];
    ones(looped as Json);
    ones(moved as Json);
    ones(ruled as Json);
    expect((second as number[]).slice(0, 2)).toEqual([-12, 0]);
  });

  test('has it where loops are between the function and the choice', () => {
    const results = run(
      `export fn f(x: f64[3], s: f64): (f64[3], f64[3], f64[3], f64[3], f64[3], f64[3], f64) {
        let value = ${of('x')}
        let a = fold i in 0..2 with z = x * 0 { z + where(x > 0, value, x) / 2 }
        let (_b, b) = scan i in 0..1 with z = x { yield (where(x > 0, value, z), where(x > 0, value * 0, z)) }
        let c = while sum(abs(z)) < 0.1 with z = x * 0 limit 3 { z + where(x > 0, value, x) }
        let d = where(x > 0, (fold i in 0..1 with z = x { ${of('z')} }), x)
        let e = fold v in [value] with z = x { where(z > 0, v, z) }
        let g = fold (v, u) in (reshape(value, [3, 1]), reshape(x, [3, 1])) with z = 0 * x { z + where(u > 0, v, u) / 3 }
        let h = fold i in 0..2 with z = s { if s > 0 then z + ${of('s')} else z + s }
        return (grad(a, x), grad(b, x), grad(c, x), grad(d, x), grad(e, x), grad(g, x), grad(h, s))
      }`,
      at,
    ) as readonly Json[];
    for (const derivative of results.slice(0, 6)) ones(derivative);
    expect(results[6]).toBe(3);
  });

  test('has it in forward mode, where a loop goes on from what was chosen', () => {
    const results = run(
      `export fn f(x: f64[3]): (f64[3], f64[3]) {
        let safe = where(x > 0, x, 0)
        let a = x + fold i in 0..1 with z = safe * 0 { z + 0 * safe + where(x > 0, ${of('safe')}, 0) }
        let b = where(x > 0, (fold i in 0..1 with z = safe { ${of('z')} }), x)
        let one = broadcastTo(f64(1), [3])
        return (jvp(a, x, one), jvp(b, x, one))
      }`,
      at,
    ) as readonly Json[];
    for (const derivative of results) ones(derivative);
  });

  test('has none where a choice gives a constant that it would not like', () => {
    const [back, along] = run(
      `export fn f(x: f64[3]): (f64[3], f64[3]) {
        let safe = where(x > 0, x, 0)
        let y = ${of('safe')}
        return (grad(y, x), jvp(y, x, x))
      }`,
      at,
    ) as readonly (readonly number[])[];
    expect(back?.slice(0, 2)).toEqual([0, 0]);
    expect(along?.slice(0, 2)).toEqual([0, 0]);
  });
});

describe('zeros that nobody chose', () => {
  test('keep their second derivatives beside choices in loops', () => {
    // The residual is 0: so is the first derivative, and the second one is not.
    const result = run(
      `export fn f(x: f64[2]): (f64[2], f64[2]) {
        let y = x * x * x
        let z = fold i in 0..1 with z = x * 0 { z + where(x > 0, y - 8, x * x) }
        let loss = sum(z * z)
        let slope = grad(loss, x)
        return (slope, grad(slope, x))
      }`,
      { x: [2, 2] },
    );
    expect(result).toEqual([
      [0, 0],
      [288, 288],
    ]);
  });
});

describe('a whole branch', () => {
  test('that is not taken adds nothing through products, loops and reductions', () => {
    const result = run(
      `export fn f(x: f64[3], w: f64[3, 3], s: f64): (f64[3], f64[3, 3], f64[3], f64) {
        let a = if s > 0 then sum(sqrt(x) @ w) else sum(x)
        let b = if s > 0 then product(log(x)) + max(1 / x) + sum(fold i in 0..2 with z = x { sqrt(z) / s }) else sum(w) + sum(x)
        return (grad(a, x), grad(a, w), grad(b, x), grad(b, s))
      }`,
      {
        x: [-1, 0, 4],
        w: [
          [1, 2, 3],
          [4, 5, 6],
          [7, 8, 9],
        ],
        s: 0,
      },
    );
    const zeros = [0, 0, 0];
    expect(result).toEqual([[1, 1, 1], [zeros, zeros, zeros], [1, 1, 1], 0]);
  });

  test('of rows adds nothing through a product', () => {
    const result = run(
      `export fn f(x: f64[2, 2], w: f64[2, 2]): f64[2, 2] {
        let y = where(x[:, :1] > 0, sqrt(x) @ w, x)
        return grad(y, x)
      }`,
      {
        x: [
          [-1, 0],
          [4, 1],
        ],
        w: [
          [1, 2],
          [3, 4],
        ],
      },
    );
    expect(result).toEqual([
      [1, 1],
      [0.75, 3.5],
    ]);
  });

  test('is nothing that programs without a choice pay for', () => {
    const { module, result } = moduleOf(
      'export fn f(x: f64[3, 3]): f64[3, 3] {\n  let y = sum(sqrt(x) @ exp(x)) + product(x)\n  return grad(y, x)\n}',
    );
    const { output } = Pipeline.of(differentiate).then(strip).then(simplify).run(module, { build: result.build });
    const names = new Set(topological(moduleRoots(output)).map((node) => node.op.name));
    expect([...names].filter((name) => name === 'and' || name === 'or' || name === 'reduceAny')).toEqual([]);
  });
});
