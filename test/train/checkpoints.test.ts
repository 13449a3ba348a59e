// Checkpoints of runs. In: a small program, directories. Out: which files are there, what they say, where a run goes on. Holds: what goes
// on ends with the bits of what was never stopped.

import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { compile, SafetensorsFile, type Session } from '../../src/driver/index.js';
import { workplace } from '../driver/tfc.js';
import { Checkpoints, checkpointsIn, resolveCheckpoint } from '../../src/train/checkpoints.js';
import { isBetter, parseCriterion } from '../../src/train/criterion.js';
import { inMemory } from '../../src/train/data/dataset.js';
import { dataFingerprint, fileFingerprint } from '../../src/train/fingerprint.js';
import type { EpochRecord } from '../../src/train/observer.js';
import { type RunOptions, TrainingRun } from '../../src/train/training-run.js';
import { readState, requireSameRun, toMetadata, type TrainingState } from '../../src/train/training-state.js';

const place = workplace();
place.file(
  'line.tdsl',
  `import { adam } from "std/optim"
param w: f32[2] = zeros()
export step train<B>(x: f32[B, 2], y: f32[B], lr: f32): { loss: f32 } {
  let loss = mean(square(x @ w - y))
  minimize loss with adam(lr)
  return { loss }
}
`,
);
process.env['TFC_CACHE'] = place.cache;
const model = await compile(join(place.directory, 'line.tdsl'));
afterAll(() => model.close());

const rows = 23;
const data = inMemory([
  { name: 'x', data: Float32Array.from({ length: 2 * rows }, (_, at) => Math.sin(at)), rows, rowShape: [2] },
  { name: 'y', data: Float32Array.from({ length: rows }, (_, at) => Math.cos(at)), rows, rowShape: [] },
]);
const folder = (name: string): string => join(place.directory, name);
const failure = (body: () => unknown): unknown => {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

/** A run in a new session; `bits` are those of all variables at its end. */
async function run(directory: string, options: Partial<RunOptions> & { readonly keep?: number; readonly metric?: string } = {}) {
  using session = model.session({ seed: 3, threads: 1 });
  const bound = session.entry('train');
  const best = options.metric === undefined ? {} : { best: parseCriterion(options.metric) };
  const training = new TrainingRun((feeds) => bound.run(feeds), {
    session,
    data,
    batch: 4,
    epochs: 3,
    seed: 7,
    constant: { lr: 0.1 },
    every: { count: 1, unit: 'epochs' },
    resume: true,
    identity: { seed: 7 },
    checkpoints: new Checkpoints(directory, { keep: options.keep ?? 2, ...best }),
    ...options,
  });
  const records: EpochRecord[] = [];
  for await (const record of training.epochs()) records.push(record);
  return { records, training, bits: bitsOf(session) };
}

const bitsOf = (session: Session): string => {
  const path = folder('bits.safetensors');
  session.save(path);
  return readFileSync(path).toString('hex');
};

const stateOf = (step: number, metrics: TrainingState['metrics'] = {}): TrainingState => ({
  position: { epoch: 1, batch: step, step, rows: 4 * step, sums: { loss: 0.1 * step } },
  run: { seed: 7 },
  metrics,
});

describe('a directory of checkpoints', () => {
  it('keeps the newest and the best, and touches nothing else', () => {
    const directory = folder('kept');
    using session = model.session();
    const checkpoints = new Checkpoints(directory, { keep: 2, best: parseCriterion('loss') });
    writeFileSync(join(directory, 'step-1.safetensors'), 'mine');
    writeFileSync(join(directory, 'notes.txt'), 'mine');
    for (const [step, loss] of [3, 1, 2, NaN, 1, 5].entries()) checkpoints.save(session, stateOf(step + 1, { loss }));
    const names = ['notes.txt', 'step-000002.safetensors', 'step-000005.safetensors', 'step-000006.safetensors', 'step-1.safetensors'];
    expect(readdirSync(directory).sort()).toEqual(names);
    // Another process finds the same best.
    const again = new Checkpoints(directory, { keep: 1, best: parseCriterion('loss') });
    expect([0.5, 1, 2, NaN].map((loss) => again.isBest({ loss }))).toEqual([true, false, false, false]);
    again.save(session, stateOf(1_234_567, { loss: 2 }));
    expect(checkpointsIn(directory).map(({ step }) => step)).toEqual([2, 1_234_567]);
  });

  it('is named by its latest and its best', () => {
    const directory = folder('named');
    using session = model.session();
    const checkpoints = new Checkpoints(directory, { keep: 5, best: parseCriterion('max:score') });
    for (const [step, score] of [1, 9, 3].entries()) checkpoints.save(session, stateOf(step + 1, { score }));
    expect(['', '/latest', '/best'].map((which) => basename(resolveCheckpoint(directory + which)))).toEqual([
      'step-000003.safetensors',
      'step-000003.safetensors',
      'step-000002.safetensors',
    ]);
    const own = join(directory, 'best');
    writeFileSync(own, 'a file of that name is itself');
    expect(resolveCheckpoint(own)).toBe(own);
    expect(resolveCheckpoint('nowhere/latest')).toBe('nowhere/latest');
    mkdirSync(folder('empty'));
    expect(failure(() => resolveCheckpoint(folder('empty')))).toMatchObject({ code: 'file-not-found' });
    new Checkpoints(folder('unwatched'), { keep: 1 }).save(session, stateOf(1));
    expect(failure(() => resolveCheckpoint(folder('unwatched/best')))).toMatchObject({
      code: 'bad-data',
      hint: 'tfc train --best METRIC says by what the best is chosen.',
    });
  });

  it('cannot be where a file is', () => {
    writeFileSync(folder('taken'), '');
    expect(failure(() => new Checkpoints(folder('taken'), { keep: 1 }))).toMatchObject({ code: 'file-not-written' });
  });
});

describe('the state of a run', () => {
  it('comes back as it was, NaN and infinities included', () => {
    const numbers = fc.dictionary(fc.string({ unit: 'binary' }), fc.double());
    const state = fc.record(
      {
        position: fc.record({
          epoch: fc.integer({ min: 1 }),
          batch: fc.nat(),
          step: fc.nat(),
          rows: fc.nat(),
          sums: numbers,
        }),
        run: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.boolean(), fc.integer())),
        metrics: numbers,
        best: fc.string(),
        patience: fc.record({ best: fc.double(), waited: fc.nat() }),
        normalization: fc.jsonValue(),
        vocabularies: fc.jsonValue(),
      },
      { requiredKeys: ['position', 'run', 'metrics'] },
    );
    const path = folder('state.safetensors');
    using session = model.session();
    // JSON has one zero.
    const shown = (value: unknown): string =>
      JSON.stringify(value, (_, one: unknown) => (typeof one === 'number' && !Number.isFinite(one) ? String(one) : one));
    fc.assert(
      fc.property(state, (one) => {
        session.save(path, { only: [], metadata: toMetadata(one as TrainingState) });
        expect(shown(sorted(readState(path)))).toBe(shown(sorted(one)));
      }),
      { numRuns: 60 },
    );
  });

  it('is refused where no run wrote it', () => {
    using session = model.session();
    const path = folder('plain.safetensors');
    session.save(path);
    expect(failure(() => readState(path))).toMatchObject({ code: 'bad-data', message: expect.stringContaining('it has no ') as string });
    const good = toMetadata(stateOf(1));
    for (const [name, text] of [
      ['step', '-1'],
      ['step', 'x'],
      ['epoch', '0'],
      ['run', '[]'],
      ['metrics', '{"loss":"small"}'],
      ['progress', '{}'],
      ['patience', '{"best":1,"waited":1.5}'],
      ['best', '5'],
    ] as const) {
      session.save(path, { metadata: { ...good, [name]: text } });
      expect([name, failure(() => readState(path))]).toMatchObject([name, { code: 'bad-data' }]);
    }
  });

  it('has what it needs in words that others read', () => {
    using session = model.session();
    const directory = folder('words');
    const { path } = new Checkpoints(directory, { keep: 1 }).save(session, {
      ...stateOf(12, { loss: 0.5 }),
      normalization: { x: { mean: [1, 2], deviation: [3, 4] } },
      vocabularies: { word: ['a', 'b'] },
    });
    using file = new SafetensorsFile(path);
    expect(file.metadata).toMatchObject({
      module: 'line.tdsl',
      step: '12',
      epoch: '1',
      batch: '12',
      seed: '7',
      metrics: '{"loss":0.5}',
      normalization: '{"x":{"mean":[1,2],"deviation":[3,4]}}',
      vocabularies: '{"word":["a","b"]}',
    });
    expect([...file.tensors.keys()].sort()).toEqual(session.variables.map((one) => one.path).sort());
  });

  it('says what differs from another run', () => {
    const before = { program: 'a'.repeat(64), data: 'b'.repeat(64), batch: 32, seed: 0, cpu: 'x', 'argument lr': 0.1 };
    const said = (now: object): unknown => {
      try {
        requireSameRun('FILE', before, { ...before, ...now });
      } catch (error) {
        return (error as Error).message;
      }
      return undefined;
    };
    expect(said({})).toBeUndefined();
    expect(said({ batch: 64, seed: 1 })).toBe('FILE is of another run: batch was 32 and is 64; seed was 0 and is 1.');
    expect(said({ program: 'c'.repeat(64) })).toBe('FILE is of another run: the program is another one.');
    expect(said({ program: 'c'.repeat(64), cpu: 'y' })).toBe('FILE is of another run: cpu was x and is y.');
    expect(said({ data: 'c', 'argument beta': 1, 'argument lr': undefined })).toBe(
      'FILE is of another run: the data is other data; argument lr was 0.1 and is not given; argument beta was not given and is 1.',
    );
  });
});

describe('a training run', () => {
  it('goes on from each of its checkpoints to the same bits and the same records', async () => {
    const whole = await run(folder('whole'), { keep: 1000, every: { count: 1, unit: 'steps' } });
    const told = ({ epoch, steps, means }: EpochRecord): unknown => ({ epoch, steps, means });
    const files = checkpointsIn(folder('whole'));
    expect(files.map(({ step }) => step)).toEqual(Array.from({ length: 18 }, (_, at) => at + 1));
    for (const { path, step } of files) {
      const directory = folder(`from-${step}`);
      mkdirSync(directory);
      writeFileSync(join(directory, basename(path)), readFileSync(path));
      const rest = await run(directory);
      expect(rest.training.resumed?.position.step).toBe(step);
      expect(rest.bits).toBe(whole.bits);
      expect(rest.records.map(told)).toEqual(whole.records.slice(3 - rest.records.length).map(told));
    }
  });

  it('trains longer when more epochs are asked for', async () => {
    await run(folder('longer'), { epochs: 1 });
    const more = await run(folder('longer'), { epochs: 3 });
    expect(more.records.map(({ epoch }) => epoch)).toEqual([2, 3]);
    expect(more.bits).toBe((await run(folder('at-once'))).bits);
    expect((await run(folder('longer'), { epochs: 3 })).records).toEqual([]);
  });

  it('begins no second run in the same place, nor goes on with another one', async () => {
    await run(folder('mine'), { epochs: 1 });
    await expect(run(folder('mine'), { resume: false })).rejects.toMatchObject({
      code: 'invalid-value',
      hint: expect.stringContaining('--resume') as string,
    });
    await expect(run(folder('mine'), { identity: { seed: 8 } })).rejects.toMatchObject({
      code: 'other-run',
      message: expect.stringContaining('seed was 7 and is 8') as string,
    });
    const path = checkpointsIn(folder('mine')).at(-1)?.path ?? '';
    truncateSync(path, 100);
    await expect(run(folder('mine'))).rejects.toMatchObject({
      code: 'bad-data',
      hint: expect.stringContaining('goes on from the checkpoint before') as string,
    });
  });

  it('stops early, and stays so', async () => {
    let epoch = 0;
    const validate = (): { loss: number } => ({ loss: [3, 2, 2, 4, 1, 0][epoch++] ?? NaN });
    const earlyStop = { criterion: parseCriterion('validation/loss'), patience: 2 };
    const options = { epochs: 6, validate, earlyStop, metric: 'validation/loss', keep: 1 };
    const { records, training } = await run(folder('early'), options);
    expect(records).toHaveLength(4);
    expect(training.stoppedEarly).toBe(true);
    expect(checkpointsIn(folder('early')).map(({ step }) => step)).toEqual([12, 24]);
    expect(basename(resolveCheckpoint(folder('early/best')))).toBe('step-000012.safetensors');
    const again = await run(folder('early'), options);
    expect([again.records.length, again.training.stoppedEarly]).toEqual([0, true]);
  });

  it('counts how long it waits across a stop', async () => {
    const losses = [3, 4, 5];
    const earlyStop = { criterion: parseCriterion('validation/loss'), patience: 2 };
    const epochsOf = async (epochs: number, first: number): Promise<number> => {
      let at = first;
      return (await run(folder('waits'), { epochs, earlyStop, validate: () => ({ loss: losses[at++] ?? 0 }) })).records.length;
    };
    expect([await epochsOf(2, 0), await epochsOf(9, 2)]).toEqual([2, 1]);
  });

  it('saves where it is asked to stop, within an epoch', async () => {
    const controller = new AbortController();
    const observers = [{ onStep: ({ step }: { step: number }) => (step === 8 ? controller.abort() : undefined) }];
    const { training } = await run(folder('stopped'), { signal: controller.signal, observers });
    expect(training.saved?.step).toBe(8);
    expect((await run(folder('stopped'))).bits).toBe((await run(folder('unstopped'))).bits);
  });

  it('leaves the last good checkpoint when a loss or a parameter is no number', async () => {
    const nan = { get: () => NaN };
    let step = 0;
    const lr = (): number => (++step > 7 ? nan.get() : 0.1);
    using session = model.session({ seed: 3, threads: 1 });
    const training = new TrainingRun((feeds) => session.run('train', { ...feeds, lr: lr() }), {
      session,
      data,
      batch: 4,
      epochs: 3,
      seed: 7,
      every: { count: 1, unit: 'steps' },
      resume: false,
      identity: {},
      checkpoints: new Checkpoints(folder('good'), { keep: 1 }),
    });
    const drain = async (): Promise<void> => {
      for await (const { epoch } of training.epochs()) expect(epoch).toBe(1);
    };
    await expect(drain()).rejects.toMatchObject({ code: 'not-finite', variable: 'w', message: 'w has NaN after step 8 (epoch 2).' });
    expect(checkpointsIn(folder('good')).map((file) => file.step)).toEqual([7]);
  });
});

describe('criteria', () => {
  it.each([
    ['loss', 'min'],
    ['validation/loss', 'min'],
    ['accuracy', 'max'],
    ['validation/topOneAccuracy', 'max'],
    ['binary_accuracy', 'max'],
    ['accuracy/loss', 'min'],
    ['f1', 'max'],
    ['perplexity', 'min'],
    ['max:perplexity', 'max'],
    ['min:accuracy', 'min'],
  ])('%s is better when it is %s', (text, direction) => {
    expect(parseCriterion(text)).toEqual({ metric: text.replace(/^(min|max):/, ''), direction });
  });

  it('never has NaN for the best', () => {
    const [least, most] = [parseCriterion('loss'), parseCriterion('max:loss')];
    expect([isBetter(least, 1, 2), isBetter(least, 2, 2), isBetter(most, 3, 2), isBetter(least, NaN, undefined)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(isBetter(least, 5, NaN)).toBe(true);
  });
});

describe('fingerprints', () => {
  it('are of names and contents, of what is read', () => {
    mkdirSync(folder('print/part'), { recursive: true });
    const of = (...feeds: readonly string[]): string => dataFingerprint(folder('print'), feeds);
    const file = (name: string, content: string): void => writeFileSync(folder(`print/${name}`), content);
    file('x.npy', 'abc');
    file('part/picture.png', '');
    const [x, all] = [of('x'), of('x', 'y')];
    for (const name of ['.hidden', 'model.tdsl', 'part/step-000001.safetensors']) file(name, name);
    expect([of('x'), of('x', 'y')]).toEqual([x, all]);
    file('part/picture.png', '1');
    expect([of('x') === x, of('x', 'y') === all]).toEqual([true, false]);
    file('x.npy', 'abd');
    expect(of('x')).not.toBe(x);
    file('train-images-idx3-ubyte', 'images');
    const digits = of('x', 'y');
    file('part/picture.png', '2');
    expect(of('x', 'y')).toBe(digits);
    file('train-images-idx3-ubyte', 'others');
    expect(of('x', 'y')).not.toBe(digits);
    expect(failure(() => dataFingerprint(folder('none'), []))).toMatchObject({ diagnostics: [{ code: 'file-not-found' }] });
  });

  it('of large files see their start, their end and what lies between', () => {
    const bytes = new Uint8Array(100_000);
    const of = (at?: number): string => {
      writeFileSync(
        folder('large'),
        bytes.map((byte, index) => (index === at ? 1 : byte)),
      );
      return fileFingerprint(folder('large'), 16_000);
    };
    const same = of();
    expect([of(), of(0), of(99_999), of(6_000)].map((one) => one === same)).toEqual([true, false, false, true]);
    expect(fileFingerprint(folder('large'))).not.toBe(same);
  });
});

/** Keys in one order, all the way down; −0 as JSON has it. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  return Object.entries(value)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, one]) => [name, sorted(one)]);
}
