// Training that is recorded, as a user meets it. In: the built `tfc train --logdir`. Out: directories of runs: logs, event files, reports.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SafetensorsFile, TfcError } from '../../runtime/index.js';
import type { StepProgress } from '../../src/train/observer.js';
import { readRun, type RunRecord } from '../../src/train/read-run.js';
import type { Recorder } from '../../src/train/recorder.js';
import { isRecorded, RecordingObserver } from '../../src/train/recording-observer.js';
import { earlierRunDirectory } from '../../src/train/run-directory.js';
import { cli, jsonError, jsonLines, type Outcome, workplace } from '../driver/tfc.js';
import { eventFilesIn } from './event-records.js';

const place = workplace();
const { tfc, directory } = place;
place.file(
  'line.tdsl',
  `import { momentum } from "std/optim"
param w: f32[2, 1] = zeros()
param b: f32 = 0
fn lossOf<B>(x: f32[B, 2], y: f32[B, 1]): f32 = mean(square(x @ w + b - y))
export step train<B>(x: f32[B, 2], y: f32[B, 1], lr: f32, beta: f32): { loss: f32 } {
  let loss = lossOf(x, y)
  minimize loss with momentum(lr, beta: beta)
  return { loss }
}
export fn metrics<B>(x: f32[B, 2], y: f32[B, 1]): { loss: f32 } { return { loss: lossOf(x, y) } }
`,
);
const rows = Array.from({ length: 50 }, (_, at) => [Math.sin(at), Math.cos(3 * at)] as const);
place.file('set.csv', `a,b,target\n${rows.map(([a, b]) => `${a},${b},${2 * a - b + 3}`).join('\n')}\n`);

const training = ['train', 'line.tdsl', '--data', 'set.csv', '--batch', '8', '--lr', '0.05', '--beta', '0.5', '--json'];
const train = (epochs: number, ...more: readonly string[]): Outcome => tfc(...training, '--epochs', String(epochs), ...more);
const at = (path: string): string => join(directory, path);
const runsOf = (logdir: string): string[] => readdirSync(at(logdir)).sort();
/** The only run below a directory. */
const onlyRun = (logdir: string): RunRecord => {
  const [name = '', ...others] = runsOf(logdir);
  expect(others).toEqual([]);
  return readRun(at(join(logdir, name)));
};
const said = (outcome: Outcome, field: string): string =>
  (jsonLines(outcome) as Readonly<Record<string, string>>[]).flatMap((line) => line[field] ?? []).at(-1) ?? '';
const upTo = (last: number): number[] => Array.from({ length: last }, (_, step) => step + 1);

describe('a recorded run', () => {
  it('has its scalars, arguments, options, events and a report', () => {
    const outcome = train(3, '--logdir', 'logs', '--validate', '0.2');
    expect(outcome).toMatchObject({ status: 0, err: '' });
    const run = onlyRun('logs');
    expect(run).toMatchObject({
      name: 'line',
      outcome: 'done',
      hparams: { lr: 0.05, beta: 0.5, batch: 8, epochs: 3, seed: 0, shuffle: true, dropRest: false, data: 'set.csv', validate: '0.2' },
      metrics: ['validation/loss'],
      facts: { command: expect.stringMatching(/^tfc train line\.tdsl .*--logdir logs/) as string, options: { batch: '8', threads: '1' } },
    });
    expect([...run.curves.keys()].sort()).toEqual(['beta', 'learning rate', 'rows per second', 'train/loss', 'validation/loss']);
    expect(run.curves.get('train/loss')?.steps).toEqual(upTo(15));
    expect(new Set(run.curves.get('learning rate')?.values)).toEqual(new Set([0.05]));
    const epochs = jsonLines(outcome) as Readonly<Record<string, number>>[];
    expect(run.curves.get('validation/loss')).toMatchObject({
      steps: [5, 10, 15],
      values: epochs.flatMap((line) => line['validation/loss'] ?? []),
    });
    expect(eventFilesIn(run.directory)).toHaveLength(1);
    expect(run.drawing?.toString()).toContain('<svg');
    const report = said(outcome, 'report');
    expect(at(report)).toBe(join(run.directory, 'report.html'));
    expect(at(said(outcome, 'recorded'))).toBe(run.directory);
    const page = readFileSync(at(report), 'utf8');
    for (const name of ['validation/loss', 'train/loss', 'learning rate', 'rows per second']) expect(page).toContain(name);
  });

  it('is called as it is asked for, and computes what it does unrecorded', () => {
    const losses = (outcome: Outcome): unknown[] =>
      (jsonLines(outcome) as Readonly<Record<string, number>>[]).flatMap(({ loss }) => loss ?? []);
    const named = train(2, '--logdir', 'named/deep', '--name', 'a run');
    expect(losses(named)).toHaveLength(2);
    expect(losses(named)).toEqual(losses(train(2)));
    expect(onlyRun('named/deep')).toMatchObject({ name: 'a run', metrics: ['train/loss'] });
    const text = tfc(...training.slice(0, -1), '--epochs', '1', '--logdir', 'text').out;
    expect(text).toMatch(/^recorded in (text\/line-\S+)\nepoch 1: .*\nreport: \1\/report\.html\n$/);
  });

  it.each([
    ['a name without a directory', ['--name', 'x'], 2, 'usage'],
    ['no directory', ['--logdir', ''], 2, 'usage'],
    ['a name that is a path', ['--logdir', 'wrong', '--name', 'a/b'], 1, 'invalid-value'],
    ['a file where the directory is', ['--logdir', 'set.csv'], 1, 'file-not-written'],
  ])('is refused with %s before the first step', (_, args, status, code) => {
    const outcome = train(1, ...args);
    expect(outcome.status).toBe(status);
    expect(jsonLines(outcome)).toHaveLength(1);
    expect(jsonError(outcome).code).toBe(code);
    expect(existsSync(at('wrong'))).toBe(false);
  });

  it('has a report after a loss that is not finite, and after it stopped early', () => {
    const outcome = train(50, '--lr', '1e20', '--logdir', 'infinite');
    expect(outcome.status).toBe(1);
    const run = onlyRun('infinite');
    expect(run.outcome).toBe('failed');
    expect(run.texts.get('error')).toMatch(/^loss is \S+ in step \d+/);
    expect(readFileSync(at(said(outcome, 'report')), 'utf8')).toContain('loss is ');
    const early = train(9, '--lr', '0', '--logdir', 'early', '--early-stop', 'loss:1');
    expect(early.status).toBe(0);
    expect(onlyRun('early').outcome).toBe('done');
    expect(existsSync(at(said(early, 'report')))).toBe(true);
  });

  it('has a report after Ctrl-C, with the last step', async () => {
    const child = spawn(process.execPath, [cli, ...training, '--epochs', '1000000', '--logdir', 'stopped'], {
      cwd: directory,
      env: { ...process.env, TFC_CACHE: place.cache, NO_COLOR: '1' },
    });
    let out = '';
    child.stdout.on('data', (piece) => (out += String(piece)));
    while (!out.includes('"epoch":3')) await sleep(20);
    const ended = once(child, 'close');
    child.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    const { steps } =
      (jsonLines({ status: 0, out, err: '' }) as { steps: number; stopped?: string }[]).find(({ stopped }) => stopped) ?? {};
    const run = onlyRun('stopped');
    expect(run.outcome).toBe('failed');
    expect(run.curves.get('train/loss')?.steps.at(-1)).toBe(steps);
    expect(existsSync(join(run.directory, 'report.html'))).toBe(true);
  });
});

describe('a run that is gone on with', () => {
  const resume = (...more: readonly string[]): Outcome => train(4, '--logdir', 'kept', '--checkpoint', 'steps', '--resume', ...more);

  it('stays in its directory, also beside a newer one of its name', () => {
    expect(train(2, '--logdir', 'kept', '--checkpoint', 'steps').status).toBe(0);
    const own = onlyRun('kept').directory;
    expect(train(1, '--logdir', 'kept').status).toBe(0);
    expect(runsOf('kept')).toHaveLength(2);
    const outcome = resume();
    expect(outcome).toMatchObject({ status: 0, err: '' });
    expect(runsOf('kept')).toHaveLength(2);
    const run = readRun(own);
    expect(run).toMatchObject({ resumedAt: [14], outcome: 'done', hparams: { epochs: 4 } });
    expect(at(said(outcome, 'recorded'))).toBe(own);
    expect(run.curves.get('train/loss')?.steps).toEqual(upTo(28));
    expect(eventFilesIn(own)).toHaveLength(2);
    // The next one still knows it, though this one is unrecorded.
    train(5, '--checkpoint', 'steps', '--resume');
    using file = new SafetensorsFile(at('steps/step-000035.safetensors'));
    expect(join(at('kept'), JSON.parse(file.metadata['recordedIn'] ?? '""') as string)).toBe(own);
  });

  it('begins a new directory where its own is gone', () => {
    expect(train(1, '--logdir', 'gone', '--checkpoint', 'left').status).toBe(0);
    rmSync(at('gone'), { recursive: true });
    expect(train(2, '--logdir', 'gone', '--checkpoint', 'left', '--resume').status).toBe(0);
    const run = onlyRun('gone');
    expect(run.resumedAt).toEqual([]);
    expect(run.curves.get('train/loss')?.steps).toEqual(upTo(14).slice(7));
  });

  it('is trained though no report can be made', () => {
    expect(train(1, '--logdir', 'damaged', '--checkpoint', 'whole').status).toBe(0);
    const { directory: own } = onlyRun('damaged');
    rmSync(join(own, 'report.html'));
    mkdirSync(join(own, 'report.html'));
    const outcome = train(2, '--logdir', 'damaged', '--checkpoint', 'whole', '--resume', '--save', 'trained.safetensors');
    expect(outcome).toMatchObject({ status: 0, err: expect.stringMatching(/^warning: damaged\/\S+report\.html was not made: /) as string });
    expect(said(outcome, 'report')).toBe('');
    expect(existsSync(at('trained.safetensors'))).toBe(true);
  });

  it('leaves the directory of runs for no name in a checkpoint', () => {
    mkdirSync(at('inside'));
    writeFileSync(at('run.jsonl'), '');
    mkdirSync(at('inside/run'));
    copyFileSync(at('run.jsonl'), at('inside/run/run.jsonl'));
    expect(earlierRunDirectory(at('inside'), 'run')).toBe(at('inside/run'));
    for (const name of ['..', '.', '', 'run/..', '../inside/run', 'other']) expect(earlierRunDirectory(at('inside'), name)).toBeUndefined();
  });
});

describe('recording', () => {
  const stepOf = (step: number): StepProgress => ({
    epoch: 1,
    step,
    steps: undefined,
    rows: 8,
    rowsPerSecond: 1,
    scalars: { loss: 1 / step },
    learningRate: undefined,
    wallTime: step,
    seconds: step,
    position: () => {
      throw new Error('nobody asks for it');
    },
  });

  it('takes fewer steps of long runs, by their numbers alone, and the last one', async () => {
    const recorded = upTo(50_000).filter(isRecorded);
    expect(recorded.slice(0, 10_000)).toEqual(upTo(10_000));
    expect(recorded.filter((step) => step > 10_000 && step <= 20_000)).toHaveLength(5_000);
    expect(recorded.filter((step) => step > 40_000).every((step) => step % 8 === 0)).toBe(true);
    const steps: number[] = [];
    const recorder = { scalars: (step: number) => void steps.push(step), close: async () => undefined } as unknown as Recorder;
    const observer = new RecordingObserver(recorder, { constant: {}, onFailure: () => undefined });
    for (const step of [9_999, 10_000, 10_001, 10_002, 10_003]) observer.onStep(stepOf(step));
    await observer.close('done');
    expect(steps).toEqual([9_999, 10_000, 10_002, 10_003]);
  });

  it('ends when a file cannot be written any more, and says so once', async () => {
    const full = (): never => {
      throw new TfcError('file-not-written', 'the disk is full');
    };
    const failures: unknown[] = [];
    const recorder = { scalars: full, text: full, close: full } as unknown as Recorder;
    const observer = new RecordingObserver(recorder, { constant: {}, onFailure: (error) => failures.push(error) });
    for (const step of [1, 2]) observer.onStep(stepOf(step));
    observer.text('error', 'another');
    await observer.close('failed');
    expect(failures).toMatchObject([{ code: 'file-not-written' }]);
  });
});
