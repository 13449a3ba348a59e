// How long a compiled model's step takes. In: the directory of an artifact, a model. Out: microseconds per step on one thread, losses of
// the first steps. Holds: many steps run within one call of native code.

import { openModule, type Tensor, zeros } from '@tdsl/tfc';
import { random } from '../../../examples/random.js';
import { median } from '../statistics.js';
import type { ScaleFeed, ScaleModel } from './models.js';

export interface Stepping {
  readonly us: number;
  /** Of the first steps; finite numbers, if all is well. */
  readonly losses: readonly number[];
  /** Elements of all params. */
  readonly parameters: number;
}

const [seed, firstSteps] = [20, 4];

/** `slice`: milliseconds per round. */
export function stepModel(directory: string, { feeds }: ScaleModel, rounds: number, slice: number): Stepping {
  using module = openModule(directory);
  using session = module.session({ threads: 1, seed });
  const parameters = module.manifest.variables
    .filter(({ kind }) => kind === 'param')
    .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  const entry = session.entry('train', { reuse: true });
  const fed = feedsOf(feeds);
  const losses = [...(entry.runSteps(fed, { steps: firstSteps }).series['loss'] ?? [])];
  const time = (steps: number): number => {
    const start = performance.now();
    entry.runSteps(fed, { steps });
    return (performance.now() - start) / steps;
  };
  const steps = Math.max(1, Math.round(slice / time(1)));
  return { us: 1000 * median(Array.from({ length: rounds }, () => time(steps))), losses, parameters };
}

/** Normal numbers, and integers that are as likely as each other. */
function feedsOf(feeds: readonly ScaleFeed[]): Readonly<Record<string, Tensor>> {
  const from = random(seed);
  return Object.fromEntries(
    feeds.map(({ name, dtype, shape, below }) => {
      const tensor = zeros(shape, dtype);
      const { data } = tensor;
      for (let at = 0; at < data.length; at += 1) data[at] = dtype === 'i32' ? from.integer(below) : from.normal();
      return [name, tensor];
    }),
  );
}
