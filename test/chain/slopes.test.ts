// Random programs with all of the language in them, differentiated: both modes = finite differences, through the chain; random steps that
// train.

import { describe, expect, it } from 'vitest';
import { runGraphs } from './graphs.js';
import { slopeProgramOf, textCase, trainingProgramOf } from './program-cases.js';
import { type Drawn, failuresOf } from './random/run.js';

const many = (count: number, of: (at: number) => Drawn): Drawn[] => Array.from({ length: count }, (_, at) => of(at));

describe('random programs', () => {
  it('agree from link to link, with differences, and when they train', () => {
    const slopes = many(3, (at) => ({ seed: 500 + at, count: 1 + at }));
    const training = (['f64', 'mixed', 'bf16'] as const).map((one, at): Drawn => ({
      seed: 700 + at,
      count: 2,
      training: one,
    }));
    expect(failuresOf([...slopes, ...training], { native: true }, false)).toEqual([]);
  }, 180_000);

  it('have the slopes that differences find', () => {
    const all = many(12, (at) => ({ seed: 600 + at, count: 1 + (at % 4) }));
    expect(failuresOf(all, { native: false, onlySlopes: true }, false)).toEqual([]);
  });

  it('have everything in them', () => {
    const texts = [
      ...many(150, (at) => ({ seed: at, count: 4 })).map(({ seed, count }) => slopeProgramOf(seed, count)),
      ...many(60, (at) => ({ seed: at, count: 5 })).map(({ seed, count }) => trainingProgramOf(seed, count, 'mixed')),
    ].map(({ text }) => text.slice(text.indexOf('export ')));
    for (const part of parts)
      expect(
        texts.some((text) => part.test(text)),
        String(part),
      ).toBe(true);
  });
});

const parts = [
  /fold i\d+ in 0\.\.3/,
  /in 0\.\.n with/,
  /in n\.\.3 with/,
  /fold r\d+ in /,
  /fold item in \[/,
  /scan i\d+ in 0\.\.B/,
  /while .* limit 40/,
  /grad\(e/,
  /jvp\(e/,
  /product\(/,
  / @ /,
  /take\(/,
  /scatterAdd\(/,
  /where\(/,
  /if flag then \(fold/,
  /both\(/,
  /wave\(/,
  /root\(/,
  /newton\(/,
  /powered\(/,
  /solid\(/,
  /\.cells\[/,
  /\[n - 1 : n \+ 1\]/,
  /\[k, k/,
  /\?\? /,
  /sum\[r/,
  /max\[r/,
  /product\[r/,
  /mean\[r/,
  / for u in /,
  /if .* \{$/m,
  / else \{$/m,
  /\[n\] <- /,
  /\[n - 1 : n \+ 1\] <- /,
  /minimize /,
  /update .* by grad/,
  /update .* by clipByGlobalNorm/,
  /precision bf16/,
  /precision f16/,
  /bf16\(/,
  /adam\(/,
  /heavy\(/,
  /\.train\(/,
  /\.move\(/,
  /floorDiv\(/,
];

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
    'a round that computes constants, because what it differentiates does not move': `(x: f64[3], s: f64[3], n: i32) {
      let u = sin(s)
      let (y, rounds) = while i < n with (z, i) = (x, 0) limit 40 {
        let e = sum(z)
        let g: f64[3] = grad(e, u)
        (z + exp(g) * z, i + 1)
      }
      let total = sum(y * y)
      let (gx, gs) = grad(total, [x, s])
      return (total, gx, gs, jvp(total, x, s))
    }`,
    'one check of constants, in a branch and in its derivative': `(x: f64[3], w: f64[3, 3], m: f64[3, 3], s: f64) {
      let (a, b) = if x[0] > 0 then (w, s) else (scatterAdd([2, 1, 1], m, 3), 2 * s)
      let total = sum(a * a) + b
      let (gw, gm) = grad(total, [w, m])
      return (total, gw, gm)
    }`,
  };
  it.each(Object.keys(programs))('%s', (what) => {
    expect(runGraphs([textCase('found', `export fn found${programs[what]}`)])).toEqual([]);
  });
});
