// Training that is killed. In: seeded delays. Out: the same bits as of a run that nobody killed. Many more kills: resume.long.test.ts.

import { describe, expect, it } from 'vitest';
import { workplace } from '../driver/tfc.js';
import { program, table, told, train } from './kills.js';

const place = workplace();
place.file('model.tdsl', program);
place.file('set.csv', table(60));

describe('a run that is killed', () => {
  it('ends with the bits of one that is not, for any number of threads', async () => {
    const whole = await train(place, 'whole', 0, 0, 16);
    const parts = await train(place, 'parts', 1, 5, 16);
    expect(parts.kills).toBeGreaterThan(0);
    expect(told(parts)).toEqual(told(whole));
  });
});
