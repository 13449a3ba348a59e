// The training loop. In: data in memory, made-up steps. Out: means per epoch, what observers hear, where a run stands. Holds: a run that
// goes on from a position does exactly what the whole run does behind it.

import { describe, expect, it } from 'vitest';
import { type Dataset, inMemory } from '../../src/train/data/dataset.js';
import { type EpochRecord, type Position, type StepProgress, type TrainEnd } from '../../src/train/observer.js';
import { scalarsOf } from '../../src/train/scalars.js';
import { type RunStep, train, type TrainOptions } from '../../src/train/train.js';

const data = inMemory([{ name: 'x', data: Float32Array.of(1, 2, 3, 4, 5), rows: 5, rowShape: [] }]);
const plain = { data, batch: 2, epochs: 2, seed: 1 };
const values = (feed: unknown): number[] => [...(feed as { data: Float32Array }).data];

async function all(run: RunStep, options: Partial<TrainOptions> = {}): Promise<EpochRecord[]> {
  const records: EpochRecord[] = [];
  for await (const record of train(run, { ...plain, ...options })) records.push(record);
  return records;
}

/** A step that writes down what it was fed. */
function recorder(): { readonly seen: number[][]; readonly run: RunStep } {
  const seen: number[][] = [];
  return { seen, run: (feeds) => ({ loss: seen.push(values(feeds['x'])) }) };
}

describe('train', () => {
  it('means results over the rows, not over the batches', async () => {
    const run: RunStep = (feeds) => {
      const x = values(feeds['x']);
      return { mean: x.reduce((sum, value) => sum + value, 0) / x.length, lr: feeds['lr'] as number, flag: true };
    };
    const records = await all(run, { constant: { lr: 0.5 } });
    expect(records.map(({ epoch, steps, rows, means, learningRate }) => ({ epoch, steps, rows, means, learningRate }))).toEqual([
      { epoch: 1, steps: 3, rows: 5, means: { mean: 3, lr: 0.5 }, learningRate: 0.5 },
      { epoch: 2, steps: 6, rows: 5, means: { mean: 3, lr: 0.5 }, learningRate: 0.5 },
    ]);
  });

  it('takes results that come later', async () => {
    expect((await all(() => Promise.resolve(2))).map(({ means }) => means)).toEqual([{ result: 2 }, { result: 2 }]);
  });

  it('reports every step, and gives the same batches for the same seed', async () => {
    const orders = [];
    for (const seed of [1, 1, 2]) {
      const { seen, run } = recorder();
      const steps: number[] = [];
      await all(run, { seed, observers: [{ onStep: ({ step, steps: of }) => void steps.push(step / (of ?? NaN)) }] });
      expect(steps).toEqual([1, 2, 3, 4, 5, 6].map((step) => step / 6));
      expect(seen.slice(0, 3).flat().sort()).toEqual([1, 2, 3, 4, 5]);
      orders.push(seen);
    }
    expect(orders[1]).toEqual(orders[0]);
    expect(orders[2]).not.toEqual(orders[0]);
  });

  it('keeps the order and drops the rest when that is asked for', async () => {
    const { seen, run } = recorder();
    await all(run, { shuffle: false, rest: 'drop' });
    expect(seen).toEqual([
      [1, 2],
      [3, 4],
      [1, 2],
      [3, 4],
    ]);
    await expect(all(run, { rest: 'drop', batch: 6 })).rejects.toMatchObject({
      code: 'invalid-value',
      hint: expect.stringContaining('smaller batch') as string,
    });
  });

  it('goes on from every place as if nothing had happened', async () => {
    const whole = recorder();
    const positions: Position[] = [];
    const records = await all(whole.run, { observers: [{ onStep: ({ position }) => void positions.push(position()) }] });
    for (const start of [...positions, ...records.map(({ position }) => position)]) {
      const part = recorder();
      // The losses of a run that goes on count from where it was.
      const run: RunStep = (feeds) => ({ loss: start.step + (part.run(feeds) as { loss: number }).loss });
      const rest = await all(run, { start: JSON.parse(JSON.stringify(start)) as Position });
      expect(part.seen).toEqual(whole.seen.slice(start.step));
      const known = ({ epoch, steps, rows, means, position }: EpochRecord): unknown => ({ epoch, steps, rows, means, position });
      expect(rest.map(known)).toEqual(records.slice(start.epoch - 1).map(known));
    }
  });

  it('ends after the step in which it is asked to, and says where it stands', async () => {
    const controller = new AbortController();
    let end: TrainEnd | undefined;
    const { seen, run } = recorder();
    const onStep = ({ step }: StepProgress): void => (step === 4 ? controller.abort() : undefined);
    const records = await all(run, { signal: controller.signal, observers: [{ onStep, onEnd: (one) => void (end = one) }] });
    expect(records).toHaveLength(1);
    expect(seen).toHaveLength(4);
    expect(end).toMatchObject({ reason: 'stopped', position: { epoch: 2, batch: 1, step: 4, rows: 2 } });
  });

  it('hears signals between steps, however fast they are', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    let end: TrainEnd | undefined;
    await all(() => 0, { epochs: 1e9, signal: controller.signal, observers: [{ onEnd: (one) => void (end = one) }] });
    expect(end?.reason).toBe('stopped');
  });

  it.each([
    [{ loss: NaN, other: 1 }, 'loss is NaN in step 1 (epoch 1).'],
    [{ ratio: NaN, trainLoss: -Infinity }, 'trainLoss is -Infinity in step 1 (epoch 1).'],
    [{ energy: Infinity }, 'energy is Infinity in step 1 (epoch 1).'],
    [NaN, 'result is NaN in step 1 (epoch 1).'],
  ])('stops at %j', async (result, message) => {
    let end: TrainEnd | undefined;
    const heard: number[] = [];
    const observers = [{ onStep: ({ step }: StepProgress) => void heard.push(step), onEnd: (one: TrainEnd) => void (end = one) }];
    await expect(all(() => result, { observers })).rejects.toMatchObject({ code: 'not-finite', message });
    expect({ heard, reason: end?.reason, step: end?.position.step }).toEqual({ heard: [], reason: 'failed', step: 0 });
    expect(await all(() => result, { stopOnNan: false })).toHaveLength(2);
  });

  it('lets a ratio be NaN beside a loss', async () => {
    expect(await all(() => ({ precision: NaN, loss: 1 }))).toHaveLength(2);
  });

  it('validates after every epoch', async () => {
    const records = await all(() => ({ loss: 1 }), { validate: (epoch) => Promise.resolve({ loss: epoch }) });
    expect(records.map(({ means }) => means)).toEqual([
      { loss: 1, 'validation/loss': 1 },
      { loss: 1, 'validation/loss': 2 },
    ]);
  });

  it('ends before an epoch whose validation is interrupted, and validates first when it goes on', async () => {
    const controller = new AbortController();
    let end: TrainEnd | undefined;
    const validate = (): Promise<{ loss: number }> => {
      controller.abort();
      return Promise.resolve({ loss: NaN });
    };
    const observers = [{ onEnd: (one: TrainEnd) => void (end = one) }];
    expect(await all(() => ({ loss: 1 }), { validate, signal: controller.signal, observers })).toEqual([]);
    expect(end).toMatchObject({ reason: 'stopped', position: { epoch: 1, batch: 3, step: 3, rows: 5 } });
    const rest = await all(() => ({ loss: 1 }), { start: end?.position as Position, validate: (epoch) => ({ loss: epoch }) });
    expect(rest.map(({ epoch, means }) => [epoch, means['validation/loss']])).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it('trains on data whose rows are not known before', async () => {
    const streamed: Dataset = {
      columns: data.columns,
      rows: undefined,
      async *batches(pass) {
        await Promise.resolve();
        yield* data.batches(pass);
      },
    };
    const totals: unknown[] = [];
    const observers = [{ onStep: ({ steps }: StepProgress) => void totals.push(steps) }];
    expect((await all(() => 1, { data: streamed, observers })).map(({ steps }) => steps)).toEqual([3, 6]);
    expect(totals).toEqual([undefined, undefined, undefined, 6, 6, 6]);
  });

  it('tells rows per second and times', async () => {
    const steps: StepProgress[] = [];
    const [record] = await all(() => 1, { epochs: 1, observers: [{ onStep: (one) => void steps.push(one) }] });
    expect(steps.map(({ rows }) => rows)).toEqual([2, 2, 1]);
    for (const { rowsPerSecond, wallTime, seconds } of steps) {
      expect(rowsPerSecond).toBeGreaterThan(0);
      expect(Math.abs(wallTime - Date.now() / 1000)).toBeLessThan(60);
      expect(seconds).toBeGreaterThan(0);
    }
    expect(record?.rowsPerSecond).toBeGreaterThan(0);
  });

  it('takes numbers of records, and one number alone', () => {
    expect(scalarsOf(2)).toEqual({ result: 2 });
    expect(scalarsOf({ loss: 1, flag: true, inner: { x: 2 } })).toEqual({ loss: 1 });
    expect(scalarsOf([1, 2])).toEqual({});
  });
});
