// Random programs with loops, rules, blocks and derivatives inside, differentiated: both modes = finite differences, through the chain.

import { describe, expect, it } from 'vitest';
import { runGraphs } from './graphs.js';
import { programCase, slopeDifference, textCase } from './program-cases.js';
import { functions, randomProgram } from './random-programs.js';

describe('derivatives of random programs', () => {
  it('agree with one another, with differences, and from link to link', () => {
    const cases = Array.from({ length: 25 }, (_, at) => programCase(500 + at, 4));
    for (const one of cases) expect(slopeDifference(one), one.name).toBeUndefined();
    expect(runGraphs(cases)).toEqual([]);
  });

  it('are of programs with everything in them', () => {
    const text = functions + Array.from({ length: 25 }, (_, at) => randomProgram(`p${at}`, 500 + at, 4)).join('');
    for (const part of ['fold', 'scan', 'grad(e', 'jvp(e', 'product(', ' @ ', 'take(', 'where(', 'if i', 'both(', 'cube(', 'powered('])
      expect(text).toContain(part);
  });
});

describe('what random programs found', () => {
  const programs: Readonly<Record<string, string>> = {
    'a counter of a loop in a loop, where both count alike': `(x: f64[3]) {
      let y = fold i in 0..3 with z = x { fold j in 0..3 with u = z { 0.8 * sin(u) } }
      return (y, grad(y, x))
    }`,
    'products whose side is read ahead at a row that a loop counts': `(w: f64[3, 3], c: f64[2, 3]) {
      let y = fold r in c with z = w { 0.8 * (z @ w) }
      return (y, grad(y, w))
    }`,
    'a product of one row of a table': `(t: f64[4, 3], w: f64[3, 2], i: i32) {
      let y = expandDims(t[i - 1], axis: 0) @ w
      return (y, grad(y, t), expandDims(t[2], axis: 0) @ w)
    }`,
    'slopes of roots in a loop, which compute with constants alone': `(x: f64[3]) {
      let y = fold i in 0..3 with z = x {
        let e = sqrt(1 + z * z)
        z - 0.1 * grad(e, z) + jvp(e, z, z)
      }
      return (y, grad(y, x))
    }`,
    'norms, powers and products inside of loops': `(x: f64[3]) {
      let y = fold i in 0..3 with z = x {
        let e = norm(z) + sum((2 + z) ** 1.5) + product(z) + sum(rsqrt(1 + z * z))
        z - 0.1 * grad(e, z)
      }
      return (grad(y, x), jvp(y, x, x))
    }`,
  };
  it.each(Object.keys(programs))('%s', (what) => {
    expect(runGraphs([textCase('found', `export fn found${programs[what]}`)])).toEqual([]);
  });
});
