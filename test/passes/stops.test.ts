// Derivatives that would be 0 everywhere. In: programs in which all that a value depends on is stopped on its way. Out: a diagnostic at
// the op, and none where nothing depends, where it is meant, or where some way lets the derivative through.

import { describe, expect, test } from 'vitest';
import { DiagnosticsError } from '../../src/base/index.js';
import { differentiate, Pipeline } from '../../src/passes/index.js';
import { check } from '../check/support.js';

/** What stops the derivative of `y` with respect to `x: f64[3]`, as it is written; undefined when nothing does. */
function stopped(statements: string, ask = 'grad(y, x)'): string | undefined {
  const text = `fn round2(x: f64[3]): f64[3] = round(x) vjp (g) => g\nexport fn f(x: f64[3], k: f64) {\n${statements}\n  return ${ask}\n}`;
  const { module, build } = check(text);
  if (module === undefined) throw new Error(`refused: ${text}`);
  try {
    Pipeline.of(differentiate).run(module, { build });
    return undefined;
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    expect(error.diagnostics.map((one) => one.code)).toEqual(error.diagnostics.map(() => 'not-differentiable'));
    const span = error.diagnostics[0]?.span;
    return text.slice(span?.start, span?.end);
  }
}

describe('a derivative that everything stops', () => {
  test.each([
    ['let y = sum(floor(x) * 2)', 'floor(x)'],
    ['let y = sum(ceil(x)) + sum(round(x * x))', 'ceil(x)'],
    ['let y = f64(argmax(x, axis: 0)) * 2', undefined],
    ['let y = sum(where(x > k, k, 0) * k)', 'x > k'],
    ['let y = sum(f64(i32(x)))', 'i32(x)'],
    ['let y = if sum(x) > k then 1.5 * k else k', 'sum(x) > k'],
    ['let y = sum(sign(sin(x)))', 'sign(sin(x))'],
  ])('%s', (statement, op) => {
    const found = stopped(`  ${statement}`);
    if (op === undefined) expect(found).toBeDefined();
    else expect(found).toBe(op);
    expect(stopped(`  ${statement}`, 'jvp(y, x, x)')).toBe(found);
  });

  test('is named within loops', () => {
    expect(
      stopped('  let y = fold i in 0..3 with z = k {\n    let r = floor(x)\n    let e = sum(r)\n    let s = grad(e, x)\n    z + s[0]\n  }'),
    ).toBe('floor(x)');
  });
});

describe('a derivative of 0 is fine', () => {
  test.each([
    ['where nothing depends', '  let y = k * k'],
    ['where it is meant', '  let y = k + sum(stopGradient(floor(x)))'],
    ['where what is meant comes later', '  let y = k + stopGradient(sum(floor(x)))'],
    ['where another way lets it through', '  let y = sum(floor(x)) + sum(x * 0)'],
    ['where the author says how', '  let y = sum(round2(x))'],
    ['where slopes compare', '  let z = sum(max(x, 0))\n  let y = grad(z, x)'],
    ['where slopes have signs', '  let z = sum(abs(x))\n  let y = grad(z, x)'],
    ['where slopes choose', '  let z = sum(where(x > 0, x, 2 * x))\n  let y = grad(z, x)'],
  ])('%s', (_, statements) => {
    expect(stopped(statements)).toBeUndefined();
  });
});
