// Compiled steps over no rows, and compiled slopes behind loops. In: a step, an entry. Out: variables bit for bit as they were; no NaN from
// what was not taken.

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compileSync } from '../../src/driver/index.js';
import { workplace } from './tfc.js';

const place = workplace();
process.env['TFC_CACHE'] = place.cache;
const text = `import { adam } from "std/optim"
param w: f32[5, 3] = uniform(-1, 1)
param b: f32[3] = 0.5
export step train<B>(x: f32[B, 5], y: f32[B, 3]): f32 {
  let loss = mean(square(x @ w + b - y))
  minimize loss with adam(lr: 0.1)
  return loss
}
export fn slopes(x: f64[4]): (f64[4], f64[4]) {
  let root = sqrt(x)
  let a = fold i in 0..3 with z = x * 0 { z + where(x > 0, root, x) / 3 }
  let b = where(x > 0, (fold i in 0..2 with z = x { sqrt(z) }), x)
  return (grad(a, x), grad(b, x))
}
`;

it('leave params and slots as they were', () => {
  const session = compileSync(join(place.directory, place.file('empty.tdsl', text))).session({ seed: 3 });
  const rows = (count: number): object => ({
    x: { data: Float32Array.from({ length: count * 5 }, (_, at) => Math.sin(at)), shape: [count, 5] },
    y: { data: new Float32Array(count * 3).fill(0.25), shape: [count, 3] },
  });
  const variables = (): string[] =>
    session.variables.map(({ path }) => `${path} ${String((session.get(path) as { readonly data?: unknown }).data ?? session.get(path))}`);
  session.run('train', rows(4) as never);
  const before = variables();
  expect(session.run('train', rows(0) as never)).toBeNaN();
  expect(variables()).toEqual(before);
  session.run('train', rows(4) as never);
  expect(variables()).not.toEqual(before);

  const slopes = session.run('slopes', { x: Float64Array.of(-1, 0, 4, 16) }) as unknown as readonly { readonly data: Float64Array }[];
  const [a, b] = slopes.map(({ data }) => [...data]) as [number[], number[]];
  expect(a.slice(0, 2)).toEqual([1, 1]);
  expect(a.slice(2).every((one, at) => Math.abs(one - [0.25, 0.125][at]!) < 1e-12)).toBe(true);
  expect(b.slice(0, 2)).toEqual([1, 1]);
  expect(b.slice(2).every((one, at) => Math.abs(one - 0.25 * [4, 16][at]! ** -0.75) < 1e-12)).toBe(true);
  session.close();
});
