// A short run of every target, and everything that was found before. In: fixed seeds and numbers of inputs, so that every machine checks
// the same. Out: nothing must be found.

import { describe, expect, test } from 'vitest';
import { fuzz, replay } from './fuzz.js';
import { targetNames } from './target.js';

process.env['TFC_FUZZ_SLACK'] = '10';

const inputs = { front: 1000, programs: 12, loaders: 1500, artifacts: 120, runtime: 600 } as const;

describe('fuzz', () => {
  test('what was found before is not found again', { timeout: 300_000 }, async () => expect(await replay(targetNames)).toEqual([]));

  test.each(targetNames)('%s', { timeout: 300_000 }, async (target) => {
    const { found, inputs: checked } = await fuzz({ target, seed: 1, inputs: inputs[target] });
    expect(found.map(({ finding, file }) => `${finding.text}\n${file}`)).toEqual([]);
    expect(checked).toBe(inputs[target]);
  });
});
