// Random programs with loops, rules, blocks and derivatives inside, differentiated: both modes = finite differences, through the chain.

import { describe, expect, it } from 'vitest';
import { runGraphs } from './graphs.js';
import { programCase, slopeDifference } from './program-cases.js';
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
