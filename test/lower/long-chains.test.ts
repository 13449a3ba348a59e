// Programs that are long rather than large. In: chains of thousands of ops. Out: kernels; the stack does not end, and what reshapes do to
// an index does not double with each of them.

import { describe, expect, test } from 'vitest';
import { toMachine } from '../../src/driver/build/pipeline.js';
import { printProgram, printStatements, type Program } from '../../src/kernel/index.js';
import { moduleOf } from '../check/support.js';
import { fixedTarget } from './kernels.js';

function kernelsOf(text: string): Program[] {
  const { module, result } = moduleOf(text);
  return toMachine(fixedTarget)
    .run(module, { build: result.build })
    .output.entries.map(({ program }) => program);
}

/** `let a1 = …a0…`, and so on. */
const chain = (count: number, next: (before: string, at: number) => string): string =>
  Array.from({ length: count }, (_, at) => `let a${at + 1} = ${next(`a${at}`, at)}`).join('\n');
const program = (count: number, type: string, next: (before: string, at: number) => string): string =>
  `export fn f(x: ${type}): ${type} {\nlet a0 = x\n${chain(count, next)}\nreturn a${count}\n}`;

describe('long chains', () => {
  test.each([
    ['of scalars', program(3000, 'f32', (before) => `sin(${before}) * 1.01`)],
    ['of vectors', program(3000, 'f32[16]', (before) => `sin(${before}) * 1.01`)],
    ['of sums', program(3000, 'f32[16]', (before, at) => `${before} + ${at}.5`)],
    ['of choices', program(3000, 'f32', (before) => `if ${before} > 0.0 then ${before} * 2.0 else x`)],
    ['of transposes', program(2000, 'f32[3, 3]', (before, at) => `transpose(${before}) + ${at}.5`)],
    ['of lookups', program(1000, 'i32[16]', (before) => `x[${before}]`)],
    ['of means', program(1000, 'f32[7]', (before) => `x + mean(${before})`)],
    ['of parts', `export fn f(x: f32[3]): f32[9000] = concat([${Array.from({ length: 3000 }, (_, at) => `x * ${at}.5`).join(', ')}])`],
    ['of products', program(1000, 'f32[4, 4]', (before) => `tanh(${before} @ x)`)],
  ])('%s become kernels', (_, text) => {
    expect(kernelsOf(text).flatMap(({ kernels }) => kernels).length).toBeGreaterThan(0);
  });

  test.each<readonly [string, string]>([
    ['of neighbours', program(30, 'f32[100]', (before) => `(pad(${before}, [1], [0]) * pad(${before}, [0], [1]))[1:]`)],
    ['of windows', program(30, 'f32[100]', (before) => `[t in 0..100] => sum[k in 0..3](${before}[t + k - 1] ?? 0)`)],
  ])('%s, which multiply with every step, are stored every few steps', (_, text) => {
    const kernels = kernelsOf(text).flatMap((one) => one.kernels);
    expect(kernels.length).toBeGreaterThan(5);
    expect(kernels.length).toBeLessThan(31);
    for (const { code } of kernels) expect(printStatements(code.body).length).toBeLessThan(20_000);
  });

  test.each<readonly [string, string]>([
    ['of halves', program(30, 'f32[128]', (before) => `concat([${before}[70:], ${before}[:70] * 1.01])`)],
    // Nothing is computed here, only put together.
    [
      'of longer pieces',
      `fn h<N>(x: f32[N]): f32[N + 1] = concat([x, x[0:1]])
      export fn f<N>(x: f32[N]): f32[N + 40] {\nlet a0 = x\n${chain(40, (before) => `h(${before})`)}\nreturn a40\n}`,
    ],
    [
      'of slopes of turns',
      `fn m(x: f32[128]): f32 {\nlet a0 = x\n${chain(60, (before) => `concat([${before}[1:], ${before}[:1]])`)}\nreturn sum(square(a60))\n}
      export fn f(x: f32[128]): f32[128] = grad(m(x), x)`,
    ],
  ])('%s are no more code than they are steps', (_, text) => {
    const kernels = kernelsOf(text).flatMap((one) => one.kernels);
    expect(kernels.length).toBeGreaterThan(5);
    for (const { code } of kernels) expect(printStatements(code.body).length).toBeLessThan(50_000);
  });

  test('of reshapes have indices of bounded length', () => {
    const length = (count: number): number =>
      kernelsOf(program(count, 'f32[3, 4]', (before, at) => `reshape(${before}, [${at % 2 === 1 ? '3, 4' : '4, 3'}]) + ${at}.5`)).reduce(
        (sum, one) => sum + printProgram(one).length,
        0,
      );
    const [ten, forty] = [length(10), length(40)];
    expect(forty).toBeLessThan(6 * ten);
  });
});
