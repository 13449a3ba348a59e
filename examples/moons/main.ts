// Logistic regression on two moons. In: nothing; the moons are drawn. Out: loss and test accuracy. Holds: the same seed gives the same
// numbers.

import { compile, type Tensor } from '@tdsl/tfc';
import { isMain, report } from '../command.js';
import { exampleFile } from '../place.js';
import { random } from '../random.js';

const [batch, testRows, noise] = [100, 1000, 0.15];

/** Two half circles that reach into each other, with noise: `X` [rows, 2] and `y` [rows, 1], 0 for the upper moon and 1 for the lower. */
export function moons(
  rows: number,
  noise: number,
  seed: number,
): { X: { data: Float32Array; shape: number[] }; y: { data: Float32Array; shape: number[] } } {
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

/** Trains with a new batch of moons in every step; the accuracy is of moons that it has not seen. */
export async function run(steps: number): Promise<MoonsResult> {
  using model = await compile(exampleFile('moons/moons.tdsl'));
  using session = model.session({ seed: 1 });
  const train = session.entry('train');
  let loss = Number.NaN;
  for (let step = 0; step < steps; step++) ({ loss } = train.run(moons(batch, noise, 100 + step)) as { loss: number });
  const test = moons(testRows, noise, 2);
  const probability = session.run('probability', { X: test.X }) as Tensor<'f32'>;
  let right = 0;
  for (const [row, one] of probability.data.entries()) if ((one > 0.5 ? 1 : 0) === test.y.data[row]) right += 1;
  return { loss, accuracy: right / testRows };
}

if (isMain(import.meta.url)) {
  await report(async () => {
    const { loss, accuracy } = await run(1000);
    return process.argv.includes('--json')
      ? JSON.stringify({ loss, accuracy })
      : `loss ${loss.toFixed(4)}, test accuracy ${(accuracy * 100).toFixed(1)} %`;
  });
}
