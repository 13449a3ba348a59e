// Thousands of random graphs and derivatives through the chain, for old and new processors.

import { describe, expect, it } from 'vitest';
import { hostTarget } from '../../codegen/llvm/index.js';
import { runGraphs, runnableTargets } from '../chain/graphs.js';
import { firstBreak, randomGradient, randomGraph } from '../chain/random-graphs.js';

const size = 100;
const kinds = [
  { what: 'graphs', draw: randomGraph, count: 10, steps: 40 },
  { what: 'small graphs', draw: randomGraph, count: 10, steps: 8 },
  { what: 'derivatives', draw: randomGradient, count: 5, steps: 25 },
];
const batches = kinds.flatMap((kind) =>
  Array.from({ length: kind.count }, (_, at) => ({ ...kind, from: 10_000 + at * size + kind.steps * 1000 })),
);

describe.each(runnableTargets())('random graphs for %s', (cpu) => {
  const options = { target: hostTarget(cpu) };
  it.each(batches)('$what from $from', ({ draw, from, steps }) => {
    const breaks = runGraphs(
      Array.from({ length: size }, (_, at) => draw(from + at, steps)),
      options,
    );
    expect(
      breaks.slice(0, 3).map(({ name, text }) => firstBreak((count) => draw(Number(name.split('_')[1]), count), steps, options) ?? text),
    ).toEqual([]);
  });
});
