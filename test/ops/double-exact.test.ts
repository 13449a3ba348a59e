// The f64 functions for machines without libm at special values, and where results are exact.

import { describe, expect, it } from 'vitest';
import { build } from '../../src/kernel/index.js';
import { libmExpansions, scalarTable } from '../../src/ops/index.js';
import { anything, beside, compiled, names, next, uniform } from './double-points.js';
import { compile } from './machine.js';
import { references } from './reference.js';

const specials = [
  0,
  0.5,
  1,
  1.5,
  2,
  3,
  10,
  709,
  1024,
  2 ** 53,
  2 ** 53 - 1,
  1e300,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  2 ** -1022,
  1e-20,
  Infinity,
].flatMap((x) => [x, -x]);
const edges = [...specials, NaN];
/** −0, −1, infinities and NaN are what they are; everything else was compared above. */
const isSpecial = (x: number): boolean => !Number.isFinite(x) || x === 0;

describe('special values', () => {
  it.each(names.filter((name) => references[name].length === 1))('of %s', (name) => {
    const run = compiled(name);
    const meaning = (x: number): number => scalarTable[name].evaluate(x);
    for (const x of edges) {
      const expected = meaning(x);
      if (isSpecial(expected) || isSpecial(x)) expect(run(x), `${name}(${x})`).toBe(expected);
    }
  });

  it.each(['pow', 'atan2'] as const)('of %s', (name) => {
    const run = compiled(name);
    for (const x of edges) {
      for (const y of edges) {
        const expected = scalarTable[name].evaluate(x, y);
        if (isSpecial(expected) || isSpecial(x) || isSpecial(y)) expect(run(x, y), `${name}(${x}, ${y})`).toBe(expected);
      }
    }
  });
});

describe('exact results', () => {
  it('powers are exact where they can be', () => {
    const pow = compiled('pow');
    for (let n = -1074; n < 1024; n++) expect(pow(2, n)).toBe(2 ** n);
    for (let base = -20; base <= 20; base++) {
      for (let n = 1; Math.abs(base) ** n < 2 ** 53; n++) {
        expect(pow(base, n), `${base} ** ${n}`).toBe(Number(BigInt(base) ** BigInt(n)));
        if (n > 60) break;
      }
    }
    for (let at = 0; at < 500; at++) {
      const root = next() % 2 ** 26;
      expect(pow(root * root, 0.5)).toBe(root);
    }
  });

  const exact = (run: (x: number, y: number) => number, x: number, y: number): void => {
    const [got, expected] = [run(x, y), x % y];
    if (!Object.is(got, expected)) expect(got, `fmod(${x}, ${y})`).toBe(expected);
  };

  it('fmod is exact', () => {
    const fmod = compiled('fmod');
    for (const x of edges) for (const y of edges) exact(fmod, x, y);
    for (let at = 0; at < 5000; at++) {
      exact(fmod, anything(), anything());
      exact(fmod, uniform(-1e6, 1e6), uniform(-10, 10));
      // Near whole multiples.
      const y = anything();
      const x = beside(y * (next() % 2 ** 20), (next() % 5) - 2);
      if (Number.isFinite(x)) exact(fmod, x, y);
    }
  });

  it('fmod of what was f32 takes fewer steps', () => {
    const wide = (name: string): ReturnType<typeof build.name> => build.apply('convert', 'f64', build.name(name, 'f32'));
    const fmod = compile(libmExpansions.libm_fmod(wide('x'), wide('y')), ['x', 'y']) as (x: number, y: number) => number;
    const single = (): number => Math.fround(uniform(-2, 2) * 2 ** uniform(-149, 127));
    for (const x of edges.map(Math.fround)) for (const y of edges.map(Math.fround)) exact(fmod, x, y);
    for (let at = 0; at < 5000; at++) exact(fmod, single(), single());
    exact(fmod, 2 ** 127, Math.fround(3e-45));
  });
});
