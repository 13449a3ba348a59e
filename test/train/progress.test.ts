// How training is shown. In: numbers, steps. Out: texts.

import { describe, expect, it } from 'vitest';
import { duration, format } from '../../src/train/progress.js';

describe('progress', () => {
  it('writes numbers shortly', () => {
    expect([0.123456, 12.3456, 1234.56, 3, -0.00001234, NaN].map(format)).toEqual(['0.1235', '12.35', '1235', '3', '-0.00001234', 'NaN']);
  });

  it('writes times in words', () => {
    expect([0, 0.2, 59, 60, 125, 7200, Infinity, NaN].map(duration)).toEqual([
      '0 s',
      '1 s',
      '59 s',
      '1 min 0 s',
      '2 min 5 s',
      '120 min 0 s',
      '?',
      '?',
    ]);
  });
});
