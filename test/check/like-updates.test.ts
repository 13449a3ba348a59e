// Updates of like params, of which the first two are evaluated. In: steps over four params of one type. Out: what each update does, as it
// does alone, and the names that it leaves.

import { describe, expect, test } from 'vitest';
import { moduleOf, runEntry } from './support.js';

const four = ['a', 'b', 'c', 'd'];
const declared = four.map((name, at) => `param ${name}: f64 = ${at + 1}`).join('\n');
const values = `(${four.join(', ')})`;
const squares = four.map((name) => `${name} * ${name}`).join(' + ');
const run = (text: string, steps = 2): readonly unknown[] => runEntry(text, 'f', {}, steps);

describe('like params', () => {
  test('are each updated as if they were alone, by their own slots', () => {
    const head = 'import { adam } from "std/optim"';
    const together = run(
      `${head}\n${declared}\nexport step f(): (f64, f64, f64, f64) { minimize ${squares} with adam() return ${values} }`,
    );
    const alone = four.map((_, at) =>
      run(`${head}\nparam a: f64 = ${at + 1}\nexport step f(): f64 { minimize a * a with adam() return a }`),
    );
    expect(together).toEqual(alone[0]?.map((_, step) => alone.map((results) => results[step])));
  });
  test('leave the same names, functions that updates call included', () => {
    const { module } = moduleOf(`fn half(x: f64): f64 { let kept = 0.5 * x return kept }
      optimizer own() { state m = zeros() update(p, g) { let by = half(g) m <- m + half(by) p <- p - m } }
      ${declared}
      export step f() { minimize ${squares} with own() }`);
    const names = [...(module.entries[0]?.names.keys() ?? [])];
    const below = (name: string): string[] => names.flatMap((path) => (path.startsWith(`own/${name}/`) ? [path.slice(6)] : []));
    expect(below('a')).toEqual(['half/kept', 'by', 'half_1/kept']);
    for (const name of four) expect(below(name)).toEqual(below('a'));
  });
  test('may be what the optimizer goes by', () => {
    const text = (order: string): string => `optimizer own(lr: f64) { update(p, g) { p <- p - lr * g } }
      ${declared}
      export step f(): (f64, f64, f64, f64) { minimize ${squares} with own(lr: b) over [${order}] return ${values} }`;
    const expected = [[1, 2, 3, 4].map((value) => value - 2 * 2 * value)];
    for (const order of ['a, b, c, d', 'b, a, c, d', 'c, d, b, a', 'd, c, a, b']) expect(run(text(order), 1)).toEqual(expected);
  });
  test('may have the norm that the optimizer is given', () => {
    const text = (order: string): string => `optimizer own(lr: f64) { update(p, g) { p <- p - lr * abs(p) * g } }
      ${declared}
      export step f(): (f64, f64, f64, f64) { minimize ${squares} with own(lr: abs(a)) over [${order}] return ${values} }`;
    const expected = [[1, 2, 3, 4].map((value) => value - value * 2 * value)];
    for (const order of ['a, b, c, d', 'b, a, c, d', 'c, d, b, a']) expect(run(text(order), 1)).toEqual(expected);
  });
  test('are evaluated each where an update assigns more than its own', () => {
    const text = `state count: f64 = 0
      optimizer own() { update(p, g) { count <- count + 1 p <- p - count * g } }
      ${declared}
      export step f(): (f64, f64, f64, f64) { minimize ${squares} with own() return ${values} }`;
    expect(run(text, 1)).toEqual([[1, 2, 3, 4].map((value, at) => value - (at + 1) * 2 * value)]);
  });
});
