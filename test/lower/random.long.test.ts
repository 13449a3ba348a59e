// Thousands of random graphs and derivatives through the chain, for old and new processors.

import { describe, expect, it } from 'vitest';
import { hostTarget } from '../../codegen/llvm/index.js';
import { runGraphs, runnableTargets } from '../chain/graphs.js';
import { firstBreak, randomGradient, randomGraph } from '../chain/random-graphs.js';

const batch = 100;

describe.each(runnableTargets())('random graphs for %s', (cpu) => {
  const options = { target: hostTarget(cpu) };
  it.each([['graphs', randomGraph, 10, 40], ['small graphs', randomGraph, 10, 8], ['derivatives', randomGradient, 5, 25]] as const)('%s', (_, draw, batches, steps) => {
    for (let at = 0; at < batches; at++) {
      const from = 10_000 + at * batch + steps * 1000;
      const breaks = runGraphs(Array.from({ length: batch }, (__, one) => draw(from + one, steps)), options);
      expect(breaks.slice(0, 3).map(({ name, text }) => firstBreak((count) => draw(Number(name.split('_')[1]), count), steps, options) ?? text)).toEqual([]);
    }
  });
});
