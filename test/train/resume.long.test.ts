// Training that is killed two hundred times, in the middle of saves as well. In: seeds. Out: the same bits as of a run that nobody killed.

import { describe, expect, it } from 'vitest';
import { workplace } from '../driver/tfc.js';
import { program, table, told, train } from './kills.js';

const place = workplace();
place.file('model.tdsl', program);
place.file('set.csv', table(300));
const epochs = 8;

describe('runs that are killed', () => {
  it('end with the bits of one that is not', async () => {
    const whole = told(await train(place, 'whole', 0, 0, epochs));
    let [kills, halves] = [0, 0];
    for (let seed = 1; kills < 200; seed++) {
      const parts = await train(place, `seed-${seed}`, seed, 200 - kills, epochs);
      expect(told(parts)).toEqual(whole);
      kills += parts.kills;
      halves += parts.halves;
    }
    // Most of the time goes into saves.
    expect(halves).toBeGreaterThan(0);
  });
});
