// Two moons. In: how many points, how much noise, a seed. Out: their coordinates and classes. Holds: the same seed gives the same points.

import { random } from '../random.js';

/** `X` [rows, 2] and `y` [rows, 1]. */
export interface Points {
  readonly rows: number;
  readonly X: { readonly data: Float32Array; readonly shape: readonly number[] };
  readonly y: { readonly data: Float32Array; readonly shape: readonly number[] };
}

/** Two half circles that reach into each other, with noise; 0 is the upper moon and 1 the lower. */
export function moons(rows: number, noise: number, seed: number): Points {
  const source = random(seed);
  const [X, y] = [new Float32Array(rows * 2), new Float32Array(rows)];
  for (let row = 0; row < rows; row++) {
    const lower = source.integer(2) === 1;
    const angle = Math.PI * source.uniform();
    X[2 * row] = (lower ? 1 - Math.cos(angle) : Math.cos(angle)) + noise * source.normal();
    X[2 * row + 1] = (lower ? 0.5 - Math.sin(angle) : Math.sin(angle)) + noise * source.normal();
    y[row] = lower ? 1 : 0;
  }
  return { rows, X: { data: X, shape: [rows, 2] }, y: { data: y, shape: [rows, 1] } };
}
