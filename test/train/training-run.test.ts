// Training runs of the API. In: a small program, data in memory, directories of checkpoints. Out: bits of variables, files, errors.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  compile,
  type Dataset,
  inMemory,
  openTrainingRun,
  resolveCheckpoint,
  type Session,
  type TrainingRunOptions,
} from '../../src/driver/index.js';
import { workplace } from '../driver/tfc.js';

const place = workplace();
const program = `import { adam } from "std/optim"
param w: f32[2] = zeros()
export step train<B>(x: f32[B, 2], y: f32[B], lr: f32): { loss: f32 } {
  let loss = mean(square(sum(x * w, axis: 1) - y))
  minimize loss with adam(lr)
  return { loss }
}
export fn shape<...S>(x: f32[...S]): f32[...S] = 2 * x
`;
place.file('line.tdsl', program);
process.env['TFC_CACHE'] = place.cache;
const model = await compile(join(place.directory, 'line.tdsl'));
const other = await compile(join(place.directory, place.file('other.tdsl', program.replace('zeros()', 'ones()'))));
afterAll(() => (model.close(), other.close()));

const rows = 23;
const dataOf = (scale: number): Dataset =>
  inMemory([
    { name: 'x', data: Float32Array.from({ length: 2 * rows }, (_, at) => scale * Math.sin(at)), rows, rowShape: [2] },
    { name: 'y', data: Float32Array.from({ length: rows }, (_, at) => Math.cos(at)), rows, rowShape: [] },
  ]);
const folder = (name: string): string => join(place.directory, name);
const optionsFor = (directory: string, more: Partial<TrainingRunOptions> = {}): TrainingRunOptions => ({
  data: dataOf(1),
  batch: 4,
  epochs: 4,
  seed: 7,
  constant: { lr: 0.1 },
  checkpoints: { directory: folder(directory) },
  ...more,
});

function bitsOf(session: Session): string {
  session.save(folder('bits.safetensors'));
  return readFileSync(folder('bits.safetensors')).toString('hex');
}

/** A run in a new session. */
async function run(options: TrainingRunOptions) {
  using session = model.session({ seed: 3, threads: 1 });
  const training = openTrainingRun(model, session, 'train', options);
  const losses: number[] = [];
  for await (const { means } of training.epochs()) losses.push(means['loss'] ?? Number.NaN);
  return { training, losses, bits: bitsOf(session) };
}

describe('openTrainingRun', () => {
  it('goes on where a signal stopped it, and ends with the same bits', async () => {
    const whole = await run(optionsFor('whole'));
    const controller = new AbortController();
    const onStep = ({ step }: { readonly step: number }): void => void (step === 8 && controller.abort());
    const rules = { directory: folder('parts'), every: { count: 3, unit: 'steps' }, keep: 2, best: 'loss' } as const;
    const stopped = await run(optionsFor('parts', { checkpoints: rules, signal: controller.signal, observers: [{ onStep }] }));
    expect(stopped.training.position).toMatchObject({ epoch: 2, step: 8 });
    expect(stopped.training.saved?.step).toBe(8);
    const rest = await run(optionsFor('parts', { checkpoints: rules, resume: true }));
    expect(rest.training.resumed?.position.step).toBe(8);
    expect(rest.losses).toEqual(whole.losses.slice(1));
    expect(rest.bits).toBe(whole.bits);
    expect(resolveCheckpoint(folder('parts'))).toBe(join(folder('parts'), 'step-000024.safetensors'));
    expect(resolveCheckpoint(join(folder('parts'), 'best'))).toMatch(/step-\d{6}\.safetensors$/);
    expect(readdirSync(folder('parts')).length).toBeLessThanOrEqual(3);
  });

  it('stops early when nothing gets better', async () => {
    const { training, losses } = await run(
      optionsFor('early', { constant: { lr: 0 }, epochs: 100, shuffle: false, earlyStop: { metric: 'loss', patience: 2 } }),
    );
    expect([training.stoppedEarly, losses.length]).toEqual([true, 3]);
  });

  it('refuses checkpoints of another run, and says what differs', async () => {
    await run(optionsFor('known', { epochs: 1, identity: { 'date of the data': '2026-11-29' } }));
    const again = (more: Partial<TrainingRunOptions>): Promise<unknown> => run(optionsFor('known', { resume: true, ...more }));
    const identity = { 'date of the data': '2026-11-29' };
    for (const [more, part] of [
      [{ identity, data: dataOf(2) }, 'the data is other data'],
      [{ identity, constant: { lr: 0.2 } }, 'argument lr was 0.1 and is 0.2'],
      [{ identity, batch: 5 }, 'batch was 4 and is 5'],
      [{ identity: { 'date of the data': '2026-11-30' } }, 'date of the data was 2026-11-29 and is 2026-11-30'],
    ] as const)
      await expect(again(more)).rejects.toMatchObject({ code: 'other-run', message: expect.stringContaining(part) as string });
    await expect(again({ identity, resume: false })).rejects.toMatchObject({ code: 'invalid-value' });
    await expect(again({ identity })).resolves.toMatchObject({ losses: { length: 3 } });
  });

  it('refuses what makes no sense before it makes a directory', () => {
    using session = model.session({ seed: 3, threads: 1 });
    const wrong = (more: object, entry = 'train', of = session): unknown => {
      try {
        return openTrainingRun(model, of, entry, { ...optionsFor('nowhere'), ...more } as TrainingRunOptions);
      } catch (error) {
        return error;
      }
    };
    const directory = folder('nowhere');
    for (const more of [
      { batch: 0 },
      { checkpoints: undefined },
      { checkpoints: { directory: '' } },
      { checkpoints: { directory, every: { count: 0, unit: 'steps' } } },
      { checkpoints: { directory, every: { count: 1, unit: 'hours' } } },
      { checkpoints: { directory, keep: 0 } },
      { checkpoints: { directory, best: 'max:' } },
      { resume: 1 },
      { earlyStop: 'loss' },
      { earlyStop: { metric: 'loss', patience: 0 } },
      { identity: { x: null } },
      { identity: null },
    ])
      expect(wrong(more), JSON.stringify(more)).toMatchObject({ name: 'TfcError', code: 'invalid-value' });
    expect(wrong({}, 'shape')).toMatchObject({ name: 'TfcError' });
    expect(wrong({}, 'tain')).toMatchObject({ code: 'unknown-entry' });
    using foreign = other.session({ seed: 3, threads: 1 });
    expect(wrong({}, 'train', foreign)).toMatchObject({ code: 'invalid-value', message: 'The session is of another module.' });
    expect(readdirSync(place.directory)).not.toContain('nowhere');
    place.file('file', '');
    expect(wrong({ checkpoints: { directory: folder('file') } })).toMatchObject({ code: 'file-not-written' });
    expect(() => resolveCheckpoint(1 as unknown as string)).toThrow('A path is text');
    expect(() => resolveCheckpoint(place.directory)).toThrow('has no checkpoint');
  });
});
