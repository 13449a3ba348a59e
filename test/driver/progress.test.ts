// Training loops and how they are shown. In: steps. Out: means per epoch, texts.

import { describe, expect, it } from 'vitest';
import { duration, format } from '../../src/train/progress.js';
import { scalarsOf, train } from '../../src/train/train.js';

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

describe('train', () => {
  const columns = [{ name: 'x', data: Float32Array.of(1, 2, 3, 4, 5), rows: 5, rowShape: [] }];
  const sum = (feed: unknown): number => (feed as { data: Float32Array }).data.reduce((total, value) => total + value, 0);

  it('means results over the rows, not over the batches', () => {
    const run = (feeds: Readonly<Record<string, unknown>>) => ({
      mean: sum(feeds['x']) / (feeds['x'] as { shape: number[] }).shape[0]!,
      lr: feeds['lr'] as number,
      flag: true,
    });
    const records = [...train(run, { columns, rows: 5, batch: 2, epochs: 2, seed: 1, constant: { lr: 0.5 } })];
    expect(records.map(({ epoch, steps, means }) => ({ epoch, steps, means }))).toEqual([
      { epoch: 1, steps: 3, means: { mean: 3, lr: 0.5 } },
      { epoch: 2, steps: 6, means: { mean: 3, lr: 0.5 } },
    ]);
  });

  it('reports every step, and gives the same batches for the same seed', () => {
    const orders = [1, 1, 2].map((seed) => {
      const seen: number[] = [];
      const steps: number[] = [];
      const run = (feeds: Readonly<Record<string, unknown>>): number => {
        seen.push(...(feeds['x'] as { data: Float32Array }).data);
        return 0;
      };
      for (const { means } of train(run, {
        columns,
        rows: 5,
        batch: 2,
        epochs: 2,
        seed,
        onStep: ({ step, steps: all }) => void steps.push(step / all),
      }))
        expect(means).toEqual({ result: 0 });
      expect(steps).toEqual([1, 2, 3, 4, 5, 6].map((step) => step / 6));
      expect(seen.slice(0, 5).sort()).toEqual([1, 2, 3, 4, 5]);
      return seen;
    });
    expect(orders[1]).toEqual(orders[0]);
    expect(orders[2]).not.toEqual(orders[0]);
  });

  it('takes numbers of records, and one number alone', () => {
    expect(scalarsOf(2)).toEqual({ result: 2 });
    expect(scalarsOf({ loss: 1, flag: true, inner: { x: 2 } })).toEqual({ loss: 1 });
    expect(scalarsOf([1, 2])).toEqual({});
  });
});
