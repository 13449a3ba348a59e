// Derivatives of the library's functions inside of loops. In: a use of each. Out: slopes in both modes like finite differences in f64, and
// second derivatives like differences of the first.

import { expect, it } from 'vitest';
import { runGraphs } from './graphs.js';
import { importOf, type Sample, samples } from './library-samples.js';
import { slopeDifference, textCase } from './program-cases.js';

/** What is moved, and where to. */
const directions = ['x', 'w', 's', 'c'].map((name) => [name, `d${name}`] as const);

/** With `twice`, of the slope that a loop follows. */
const program = (part: string, name: string, { text, needs = '' }: Sample, twice: boolean): string => `${importOf(part, name)}
${needs}
export fn found(x: f64[3], w: f64[3, 3], s: f64, c: f64[2, 3], dx: f64[3], dw: f64[3, 3], ds: f64, dc: f64[2, 3]) {
  let total = fold i in 0..2 with a = 0.1 * s {
    let z = c @ w + x * a
    let e = sum(sin(${text}))
    ${twice ? 'tanh(e + sum(grad(e, z)))' : 'tanh(e) + 0.3 * a'}
  }
  let (gx, gw, gs, gc) = grad(total, [x, w, s, c])
  let back = sum(gx * dx) + sum(gw * dw) + gs * ds + sum(gc * dc)
  return (total, gx, gw, gs, gc, back, jvp(total, [x, w, s, c], [dx, dw, ds, dc]))
}
`;

/** What can be said of z. */
const ofTensors = Object.entries(samples).flatMap(([part, own]) =>
  Object.entries(own).flatMap(([name, sample]) =>
    sample.constant !== true && /\bz\b/.test(sample.text) ? [[sample.text, part, name, sample] as const] : [],
  ),
);

it.each(ofTensors)('%s', (_, part, name, sample) => {
  for (const twice of [false, true]) {
    const one = { ...textCase('found', program(part, name, sample, twice)), equal: [5, 6] as const, back: 5, moved: new Map(directions) };
    expect(slopeDifference(one), twice ? 'the second derivative' : 'the first derivative').toBeUndefined();
    expect(runGraphs([one], { native: false, ends: true })).toEqual([]);
  }
});
