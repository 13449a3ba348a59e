// Conversions of compiled code and of feeds, which round once, and infinities. In: numbers just beyond the middle of two neighbours. Out:
// the nearer one.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, type Module, toJson } from '../../src/driver/index.js';

describe('numbers beside a tie', () => {
  let module: Module;
  beforeAll(async () => {
    module = await compile(join(import.meta.dirname, 'rounding.tdsl'));
  });
  afterAll(() => module.close());

  it('round once from f64 and from integers', () => {
    using session = module.session({ threads: 1 });
    const feeds = { x: [65519.999999, 2049.0000000001, 1.00048828126], y: [1077936129], z: [2n ** 62n + 2n ** 54n + 1n] };
    expect(toJson(session.run('narrow', feeds))).toEqual({
      half: [65504, 2050, 1.0009765625],
      brain: [1082130432],
      wide: [2 ** 62 + 2 ** 55],
    });
  });

  it('TF32 has 11 significant bits, and ties go away from zero', () => {
    using session = module.session({ threads: 1 });
    const unit = 2 ** -10;
    const near = [1 + unit / 2, -1 - unit / 2, 1 + 1.5 * unit, 1 + unit / 2 - 2 ** -23, 2 - unit / 2, 2 ** -120, 0];
    const found = [1 + unit, -1 - unit, 1 + 2 * unit, 1, 2, 2 ** -120, 0];
    const column = (numbers: readonly (number | string)[]) => numbers.map((one) => [one]);
    const x = column([...near, 'NaN', 'Infinity', '-Infinity', (2 - unit / 2) * 2 ** 127]);
    // What is f64 becomes f32 first.
    const y = column([...near, 'NaN', 'Infinity', '-Infinity', 1 + unit / 2 - 2 ** -40]);
    expect(toJson(session.run('brief', { x, y }))).toEqual([
      column([...found, 'NaN', 'Infinity', '-Infinity', 'Infinity']),
      column([...found, 'NaN', 'Infinity', '-Infinity', 1 + unit]),
    ]);
  });

  it('log Σ exp is infinite where a term is, and where all are nothing', () => {
    using session = module.session({ threads: 1 });
    const rows = [
      ['-Infinity', '-Infinity'],
      [0, 'Infinity'],
    ];
    expect(toJson(session.run('infinite', { x: rows }))).toEqual(['-Infinity', 'Infinity']);
  });
});
