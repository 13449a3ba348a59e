// The log of a run. In: what is recorded, runs that are killed and gone on with, damaged logs, callers who are wrong. Out: what is read
// back.

import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openRun, TfcError } from '../../src/driver/index.js';
import { AppendFile } from '../../src/train/append-file.js';
import { openRecorder } from '../../src/train/open-recorder.js';
import { readRun, runsIn } from '../../src/train/read-run.js';
import type { Recorder } from '../../src/train/recorder.js';
import { newRunDirectory } from '../../src/train/run-directory.js';
import type { RunFacts } from '../../src/train/run-facts.js';
import { eventFilesIn, eventsIn, valuesIn } from './event-records.js';

const scratch = mkdtempSync(join(tmpdir(), 'tfc-runs-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const directory = (): string => mkdtempSync(join(scratch, 'run-'));

const facts: RunFacts = {
  command: 'tfc train `m.tdsl` | tee',
  options: { batch: 32, shuffle: true, data: 'x.csv' },
  environment: { processor: 'one', threads: 2 },
  variables: [{ path: 'w', kind: 'param', type: 'f32[2]', elements: 2 }],
  kernels: [{ name: 'k0', title: 'sum', lines: ['m.tdsl:1'], bytesRead: '4*B', bytesWritten: '4', flops: 'B' }],
};

const codeOf = (body: () => unknown): unknown => {
  try {
    body();
  } catch (error) {
    return error instanceof TfcError ? error.code : error;
  }
  return 'nothing was thrown';
};

describe('the log of a run', () => {
  it('gives back what was recorded, the same that TensorBoard is given', async () => {
    const run = directory();
    const recorder = await openRecorder(run, { name: 'a <run>', facts });
    recorder.hparams({ rate: 0.1, kind: 'sgd', nesterov: false }, ['train/loss']);
    recorder.scalars(1, 1000, { 'train/loss': 0.1, __proto__x: 1 });
    recorder.scalars(2, 1001, { 'train/loss': NaN });
    recorder.scalars(3, 1002, { 'train/loss': -Infinity, 'learning rate': 1e-300 });
    recorder.histogram(3, 1002, 'w', Float64Array.of(1, 2, NaN));
    recorder.text('note', 'line\nline');
    recorder.graph({ nodes: [], drawing: '<svg/>' });
    await recorder.close();
    const record = readRun(run);
    expect(record).toMatchObject({
      name: 'a <run>',
      directory: run,
      facts,
      outcome: 'done',
      resumedAt: [],
      hparams: { rate: 0.1, kind: 'sgd', nesterov: false },
      metrics: ['train/loss'],
      drawing: Buffer.from('<svg/>'),
    });
    expect(record.curves.get('train/loss')).toEqual({ steps: [1, 2, 3], times: [1000, 1001, 1002], values: [0.1, NaN, -Infinity] });
    expect(record.curves.get('learning rate')?.values).toEqual([1e-300]);
    expect(record.histograms.get('w')).toMatchObject({ step: 3, summary: { count: 2, sum: 3, sumOfSquares: 5, notFinite: 1 } });
    expect(record.texts.get('note')).toBe('line\nline');
    expect(record.ended).toBeGreaterThanOrEqual(record.started);
    const tags = new Set(valuesIn(eventsIn(eventFilesIn(run)[0] as string)).map(({ tag }) => tag));
    for (const tag of ['train/loss', 'learning rate', 'w', 'note', 'command', 'environment', '_hparams_/experiment'])
      expect(tags).toContain(tag);
  });

  it('goes on after a step, forgets what stood behind it, and does not mind half of a line', async () => {
    const run = directory();
    const first = await openRecorder(run, { name: 'r', facts });
    for (let step = 1; step <= 10; step++) first.scalars(step, 1000 + step, { loss: step });
    first.scalars(9, 1009, { late: 1 });
    first.histogram(8, 1008, 'w', [1]);
    await first.close('failed');
    expect(readRun(run).outcome).toBe('failed');
    // As a process leaves it that was killed while it wrote.
    appendFileSync(join(run, 'run.jsonl'), '{"kind":"scalars","step":11,"ti');
    expect(readRun(run).curves.get('loss')?.steps).toHaveLength(10);
    const lines = readFileSync(join(run, 'run.jsonl'), 'utf8').split('\n').length;
    const second = await openRecorder(run, { name: 'r', facts: { ...facts, command: 'again' }, resumedAt: 4 });
    second.scalars(5, 2000, { loss: 0.5 });
    await second.close();
    const { curves, histograms, resumedAt, outcome, facts: last } = readRun(run);
    expect(curves.get('loss')).toEqual({ steps: [1, 2, 3, 4, 5], times: [1001, 1002, 1003, 1004, 2000], values: [1, 2, 3, 4, 0.5] });
    expect([...curves.keys()]).toEqual(['loss']);
    expect(histograms.size).toBe(0);
    expect([resumedAt, outcome, last.command]).toEqual([[4], 'done', 'again']);
    // Nothing that was logged is lost.
    expect(readFileSync(join(run, 'run.jsonl'), 'utf8').split('\n')).toHaveLength(lines + 3);
    expect(eventFilesIn(run)).toHaveLength(2);
  });

  it('begins again where a process was killed before it had written anything', async () => {
    for (const left of ['', '{"kind":"run","ver']) {
      const run = directory();
      writeFileSync(join(run, 'run.jsonl'), left);
      const recorder = await openRecorder(run, { name: 'r', facts, resumedAt: 3 });
      recorder.scalars(4, 1004, { loss: 1 });
      await recorder.close();
      expect(readRun(run)).toMatchObject({ name: 'r', outcome: 'done' });
      expect(readRun(run).curves.get('loss')?.steps).toEqual([4]);
    }
  });

  it('is that of the newest run of its name, where the API goes on with one', async () => {
    const logs = directory();
    const open = async (name: string, resumedAt?: number): Promise<string> => {
      const { directory: run, recorder } = await openRun(logs, name, { resumedAt });
      recorder.scalars((resumedAt ?? 0) + 1, 1000, { loss: 1 });
      await recorder.close();
      return run;
    };
    // There is none yet.
    const first = await open('r', 5);
    expect(readRun(first).resumedAt).toEqual([]);
    const [second, other] = [await open('r'), await open('r-2026-11-29T10-31-05')];
    expect(new Set([first, second, other]).size).toBe(3);
    expect(await open('r', 1)).toBe(second);
    expect(readRun(second)).toMatchObject({ resumedAt: [1] });
    await expect(open('r', -1)).rejects.toMatchObject({ code: 'invalid-value' });
    writeFileSync(join(logs, 'file'), '');
    await expect(openRun(join(logs, 'file'), 'r', { resumedAt: 1 })).rejects.toMatchObject({ code: 'file-not-written' });
  });

  it('is written by a process that forgets to close it, and ends', async () => {
    const run = directory();
    const recorder = await openRecorder(run, { name: 'r', facts });
    recorder.scalars(1, 1000, { loss: 1 });
    expect(readFileSync(join(run, 'run.jsonl'), 'utf8')).toBe('');
    process.emit('exit', 0);
    expect(readRun(run)).toMatchObject({ outcome: 'running' });
    expect(readRun(run).curves.get('loss')?.steps).toEqual([1]);
  });

  it('is never begun twice in one place', async () => {
    const run = directory();
    await (await openRecorder(run, { name: 'r', facts })).close();
    await expect(openRecorder(run, { name: 'r', facts })).rejects.toMatchObject({ code: 'file-not-written' });
    expect(readRun(run).outcome).toBe('done');
  });

  const good = async (): Promise<{ readonly run: string; readonly lines: string[] }> => {
    const run = directory();
    const recorder = await openRecorder(run, { name: 'r', facts });
    recorder.scalars(1, 1000, { loss: 1 });
    recorder.histogram(1, 1000, 'w', [1]);
    await recorder.close();
    return { run, lines: readFileSync(join(run, 'run.jsonl'), 'utf8').split('\n') };
  };

  it.each([
    ['no JSON', 1, 'nonsense'],
    ['no object', 1, '[]'],
    ['another kind', 1, '{"kind":"other"}'],
    ['a second beginning', 1, '{"kind":"run","version":1,"name":"r","time":1,"facts":{}}'],
    ['a step below 0', 1, '{"kind":"scalars","step":-1,"time":1,"values":{}}'],
    ['a text for a number', 1, '{"kind":"scalars","step":1,"time":1,"values":{"loss":"one"}}'],
    ['no values', 1, '{"kind":"scalars","step":1,"time":1}'],
    ['no time', 1, '{"kind":"scalars","step":1,"time":"NaN","values":{}}'],
    ['a tag twice', 1, '{"kind":"scalars","step":1,"time":1,"values":{"a":1,"a":2}}'],
    ['nested too deep', 1, `{"kind":${'['.repeat(100)}${']'.repeat(100)}}`],
    ['limits without counts', 1, '{"kind":"histogram","step":1,"time":1,"tag":"w","summary":{"limits":[1],"counts":[]}}'],
    ['an object for a parameter', 1, '{"kind":"hparams","values":{"a":{}},"metrics":[]}'],
    ['another version', 0, '{"kind":"run","version":2,"name":"r","time":1,"facts":{}}'],
    ['no facts', 0, '{"kind":"run","version":1,"name":"r","time":1,"facts":{}}'],
    ['no beginning', 0, '{"kind":"end","time":1}'],
  ])('is refused with its line when it is damaged: %s', async (_, at, line) => {
    const { run, lines } = await good();
    expect(lines.length).toBeGreaterThan(3);
    lines[at] = line;
    writeFileSync(join(run, 'run.jsonl'), lines.join('\n'));
    expect(() => readRun(run)).toThrow(
      expect.objectContaining({ code: 'bad-data', message: expect.stringContaining(`run.jsonl:${at + 1}: `) }),
    );
  });

  it('is refused when it is empty, and can be cut anywhere else', async () => {
    const { run } = await good();
    const path = join(run, 'run.jsonl');
    const whole = readFileSync(path);
    const firstLine = whole.indexOf(0x0a);
    for (let length = 0; length <= whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      if (length <= firstLine) expect(codeOf(() => readRun(run))).toBe('bad-data');
      else expect(readRun(run).name).toBe('r');
    }
  });
});

describe('a file that cannot be written any more', () => {
  it('says so at every later call, and once more when it is closed', () => {
    const file = new AppendFile('/dev/full', 'continue');
    file.append(Buffer.from('a line\n'));
    for (const body of [() => file.flush(), () => file.flush(), () => file.append(Buffer.of(1)), () => file.close()])
      expect(body).toThrow(expect.objectContaining({ code: 'file-not-written', message: '/dev/full: no space left' }));
    file.close();
    expect(codeOf(() => file.append(Buffer.of(1)))).toBe('file-not-written');
  });

  it('says so when more has come than is kept back', () => {
    const file = new AppendFile('/dev/full', 'continue');
    expect(codeOf(() => file.append(Buffer.alloc(2 ** 21)))).toBe('file-not-written');
    file.abandon();
  });
});

describe('run directories', () => {
  it('have the name and the time, and are never the same', () => {
    const logdir = join(directory(), 'logs', 'deep');
    const now = new Date(2026, 10, 29, 10, 31, 5);
    expect([1, 2, 3].map(() => newRunDirectory(logdir, 'a <b>', now))).toEqual([
      join(logdir, 'a <b>-2026-11-29T10-31-05'),
      join(logdir, 'a <b>-2026-11-29T10-31-05-2'),
      join(logdir, 'a <b>-2026-11-29T10-31-05-3'),
    ]);
    expect(readdirSync(logdir)).toHaveLength(3);
  });

  it('are refused for names that are no file names, and places that are none', () => {
    for (const name of ['', 'a/b', '..', 'a\0', 'a\nb', 'x'.repeat(300)])
      expect(codeOf(() => newRunDirectory(scratch, name))).toBe('invalid-value');
    const file = join(directory(), 'file');
    writeFileSync(file, '');
    for (const logdir of [file, join(file, 'deeper')]) expect(codeOf(() => newRunDirectory(logdir, 'r'))).toBe('file-not-written');
    expect(codeOf(() => newRunDirectory('', 'r'))).toBe('invalid-value');
  });

  it('are found one by one, or in the directory around them', async () => {
    const logdir = directory();
    const runs: string[] = [];
    for (const name of ['b', 'a']) {
      const { directory: run, recorder } = await openRun(logdir, name, { hparams: { rate: 1 } });
      await recorder.close();
      runs.push(run);
    }
    expect(runsIn(logdir)).toEqual([...runs].sort());
    expect(runsIn(runs[0] as string)).toEqual([runs[0]]);
    expect(() => runsIn(join(logdir, 'nowhere'))).toThrow('no such file or directory');
    expect(codeOf(() => runsIn(directory()))).toBe('file-not-found');
    expect(readRun(runs[0] as string)).toMatchObject({ name: 'b', hparams: { rate: 1 } });
  });
});

describe('a caller who is wrong', () => {
  const wrong: readonly (readonly [string, (recorder: Recorder) => void])[] = [
    ['a step', (one) => one.scalars(0.5, 0, {})],
    ['a negative step', (one) => one.histogram(-1, 0, 'w', [1])],
    ['a time', (one) => one.scalars(1, NaN, {})],
    ['a value', (one) => one.scalars(1, 0, { loss: '1' as unknown as number })],
    ['values', (one) => one.scalars(1, 0, null as unknown as Record<string, number>)],
    [
      'values that cannot be read',
      (one) =>
        one.scalars(1, 0, {
          get loss(): number {
            throw new Error('no');
          },
        }),
    ],
    ['a tag', (one) => one.histogram(1, 0, '', [1])],
    ['a tensor', (one) => one.histogram(1, 0, 'w', 'text' as unknown as number[])],
    ['an element', (one) => one.histogram(1, 0, 'w', BigInt64Array.of(1n) as unknown as number[])],
    ['a text', (one) => one.text('t', 1 as unknown as string)],
    ['a parameter', (one) => one.hparams({ a: null as unknown as string }, [])],
    ['metrics', (one) => one.hparams({}, 'loss' as unknown as string[])],
  ];

  it.each(wrong)('is told so: %s', async (_, body) => {
    const { directory: run, recorder } = await openRun(directory(), 'r');
    expect(codeOf(() => body(recorder))).toBe('invalid-value');
    recorder.scalars(1, 1000, { loss: 1 });
    await recorder.close();
    expect([...readRun(run).curves.keys()]).toEqual(['loss']);
    expect(codeOf(() => recorder.scalars(2, 1001, { loss: 1 }))).toBe('session-closed');
  });

  it('is told when a run cannot be opened', async () => {
    await expect(openRun(scratch, 'r', { threads: 0 })).rejects.toMatchObject({ code: 'invalid-value' });
    await expect(openRun(scratch, 'a/b')).rejects.toMatchObject({ code: 'invalid-value' });
    expect(existsSync(join(scratch, 'a'))).toBe(false);
  });
});
