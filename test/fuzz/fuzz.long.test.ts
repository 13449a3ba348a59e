// Twelve minutes for every target, from seeds that no other run has.

import { expect, test } from 'vitest';
import { defaultWorkers, fuzz } from './fuzz.js';
import { targetNames } from './target.js';

const minutes = 12;

test.each(targetNames)('%s for a while', { timeout: (minutes + 10) * 60_000 }, async (target) => {
  const { found } = await fuzz({ target, seed: 1000, milliseconds: minutes * 60_000, workers: defaultWorkers() });
  expect(found.map(({ finding, file }) => `${finding.text}\n${file}`)).toEqual([]);
});
