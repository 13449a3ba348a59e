// Random graphs and their derivatives through the chain.

import { describe, expect, it } from 'vitest';
import { hostTarget } from '../../codegen/llvm/index.js';
import { type GraphCase, runGraphs, runnableTargets } from '../chain/graphs.js';
import { firstBreak, randomGradient, randomGraph } from '../chain/random-graphs.js';

const seeds = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from + at);

/** What broke, with the smallest beginning of the graph that breaks too. */
function broken(draw: (seed: number, steps: number) => GraphCase, which: readonly number[], steps: number, cpu: string): string[] {
  const options = { target: hostTarget(cpu) };
  const breaks = runGraphs(
    which.map((seed) => draw(seed, steps)),
    options,
  );
  return breaks.slice(0, 3).map(({ name, text }) => firstBreak((count) => draw(Number(name.split('_')[1]), count), steps, options) ?? text);
}

describe('random graphs', () => {
  for (const [at, cpu] of runnableTargets().entries()) {
    it(`agree for ${cpu}`, () => expect(broken(randomGraph, seeds(1000 + 100 * at, at === 0 ? 80 : 40), 22, cpu)).toEqual([]));
  }

  it('agree when differentiated', () => expect(broken(randomGradient, seeds(2000, 25), 16, 'native')).toEqual([]));
});
