// Thousands of random programs, differentiated, against differences; some of them through the whole chain.

import { describe, expect, it } from 'vitest';
import { runGraphs } from './graphs.js';
import { programCase, slopeDifference } from './program-cases.js';

const batch = 100;

describe('derivatives of random programs', () => {
  it.each(Array.from({ length: 40 }, (_, at) => [100_000 + at * batch, 2 + (at % 5)] as const))(
    'from %i with %i statements',
    (from, count) => {
      const cases = Array.from({ length: batch }, (_, at) => programCase(from + at, count));
      expect(cases.flatMap((one) => slopeDifference(one) ?? [])).toEqual([]);
      expect(runGraphs(cases.slice(0, 30))).toEqual([]);
    },
  );
});
