// Logistic regression on two moons. In: nothing; the moons are drawn. Out: loss and test accuracy. Holds: the same seed gives the same numbers.

import { compile } from 'tfc';
import { exampleFile } from '../place.js';
import { random } from '../random.js';

/** Two half circles that reach into each other, with noise: `X` [rows, 2] and `y` [rows, 1], 0 for the upper moon and 1 for the lower. */
export function moons(rows: number, noise: number, seed: number): { X: { data: Float32Array; shape: number[] }; y: { data: Float32Array; shape: number[] } } {
  const source = random(seed);
  const [X, y] = [new Float32Array(rows * 2), new Float32Array(rows)];
  for (let row = 0; row < rows; row++) {
    const lower = source.integer(2) === 1;
    const angle = Math.PI * source.uniform();
    X[2 * row] = (lower ? 1 - Math.cos(angle) : Math.cos(angle)) + noise * source.normal();
    X[2 * row + 1] = (lower ? 0.5 - Math.sin(angle) : Math.sin(angle)) + noise * source.normal();
    y[row] = lower ? 1 : 0;
  }
  return { X: { data: X, shape: [rows, 2] }, y: { data: y, shape: [rows, 1] } };
}

export interface MoonsResult {
  readonly loss: number;
  readonly accuracy: number;
}

export async function run(steps: number): Promise<MoonsResult> {
  const model = await compile(exampleFile('moons/moons.tdsl'));
  using session = model.session({ seed: 1 });
  const test = moons(1000, 0.15, 2);
  let loss = Number.NaN;
  for (let step = 0; step < steps; step++) ({ loss } = session.run('train', moons(100, 0.15, 100 + step)) as { loss: number });
  const probability = session.run('probability', { X: test.X }) as { readonly data: Float32Array };
  let right = 0;
  for (let row = 0; row < 1000; row++) if (((probability.data[row] as number) > 0.5 ? 1 : 0) === test.y.data[row]) right += 1;
  return { loss, accuracy: right / 1000 };
}

if (process.argv[1] !== undefined && /examples[\\/]moons[\\/]main\.js$/.test(process.argv[1])) {
  const { loss, accuracy } = await run(1000);
  process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify({ loss, accuracy })}\n` : `loss ${loss.toFixed(4)}, test accuracy ${(accuracy * 100).toFixed(1)} %\n`);
}
