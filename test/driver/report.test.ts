// `tfc report`, and runs that are recorded from their programs on. In: recorded runs, wrong directories. Out: pages, curves on standard
// output, JSON, errors.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, openModule, openRun, writeReport } from '../../src/driver/index.js';
import { recordRun, type RunToRecord } from '../../src/driver/report/record-run.js';
import { readRun } from '../../src/train/read-run.js';
import { eventFilesIn, eventsIn } from '../train/event-records.js';
import { jsonError, jsonLines, root, workplace } from './tfc.js';

const place = workplace();
const { tfc } = place;
const scratch = mkdtempSync(join(tmpdir(), 'tfc-report-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const logs = join(place.directory, 'logs');
const runs: string[] = [];

beforeAll(async () => {
  for (const rate of [0.1, 0.01]) {
    const { directory, recorder } = await openRun(logs, 'moons', { hparams: { rate }, metrics: ['train/loss'], threads: 2 });
    for (let step = 1; step <= 200; step++)
      recorder.scalars(step, 1000 + step, { 'train/loss': Math.exp(-rate * step), 'learning rate': rate });
    await recorder.close(rate === 0.1 ? 'done' : 'failed');
    runs.push(directory);
  }
});

describe('tfc report', () => {
  it('writes a page of all runs in a directory', () => {
    expect(tfc('report', 'logs', '-o', 'out.html')).toEqual({ status: 0, out: 'out.html: 2 runs\n', err: '' });
    const page = readFileSync(join(place.directory, 'out.html'), 'utf8');
    for (const run of runs) expect(page).toContain(basename(run));
    expect(page.match(/<figure>/g)).toHaveLength(2);
    expect(page.match(/<svg/g)?.length).toBeGreaterThan(4);
  });

  it('draws curves where no page is asked for', () => {
    const { status, out, err } = tfc('report', join('logs', basename(runs[0] as string)));
    expect([status, err]).toEqual([0, '']);
    expect(out).toMatch(/^logs\/moons-[\dT-]+: done\n {2}train\/loss 2\.0612e-9\n {2}learning rate 0\.1\ntrain\/loss, steps 1 to 200\n/);
    expect(out).toContain('┼');
  });

  it('says what it found as JSON', () => {
    const outcome = tfc('report', 'logs', 'logs', '-o', 'out.html', '--json');
    const [result] = jsonLines(outcome) as [{ readonly path: string; readonly runs: readonly { readonly name: string }[] }];
    expect(result).toMatchObject({
      path: 'out.html',
      runs: [
        { name: 'moons', outcome: 'done', hparams: { rate: 0.1 }, last: { 'learning rate': 0.1 } },
        { name: 'moons', outcome: 'failed', hparams: { rate: 0.01 } },
      ],
    });
    expect(result.runs).toHaveLength(2);
  });

  it('says what is wrong', () => {
    mkdirSync(join(place.directory, 'damaged'), { recursive: true });
    writeFileSync(join(place.directory, 'damaged', 'run.jsonl'), '{"kind":"run"}\n\u001b[2J\n');
    for (const [args, status, code] of [
      [['nowhere'], 1, 'file-not-found'],
      [['.'], 1, 'bad-data'],
      [['damaged'], 1, 'bad-data'],
      [['logs', '-o', 'nowhere/out.html'], 1, 'file-not-written'],
      [['logs', '-o', 'out.svg'], 2, 'usage'],
      [[], 2, 'usage'],
    ] as const) {
      const outcome = tfc('report', ...args, '--json');
      expect([outcome.status, jsonError(outcome).code]).toEqual([status, code]);
      const plain = tfc('report', ...args);
      expect([plain.status, plain.out]).toEqual([status, '']);
      expect(plain.err).not.toMatch(/\n +at |\u001b/);
    }
    rmSync(join(place.directory, 'damaged'), { recursive: true });
    expect(jsonError(tfc('report', '.', '--json'))).toMatchObject({ code: 'file-not-found', message: '.: no run was recorded here' });
  });

  it('is there for TypeScript', async () => {
    const path = join(scratch, 'page.html');
    await writeReport([logs], path);
    expect(readFileSync(path, 'utf8')).toContain('2 runs');
    await expect(writeReport([], path)).rejects.toMatchObject({ code: 'invalid-value' });
    await expect(writeReport([1 as unknown as string], path)).rejects.toMatchObject({ code: 'invalid-value' });
    await expect(writeReport([scratch], path)).rejects.toMatchObject({ code: 'file-not-found' });
    await expect(writeReport([logs], join(scratch, 'nowhere', 'page.html'))).rejects.toMatchObject({ code: 'file-not-written' });
  });
});

describe('a run that is recorded from its program on', () => {
  const wanted: Omit<RunToRecord, 'at'> = {
    program: { path: join(root, 'examples', 'moons', 'moons.tdsl'), set: {} },
    entry: 'train',
    cpu: 'native',
    threads: 1,
    command: 'tfc train moons.tdsl',
    options: { batch: 32 },
    hparams: { rate: 0.1 },
    metrics: ['validation/loss'],
  };

  it('says what the program is: variables, kernels, the graph as a drawing and for TensorBoard', async () => {
    const { directory, recorder } = await recordRun({ ...wanted, at: { logdir: join(scratch, 'logs'), name: 'moons' } });
    recorder.scalars(1, 1000, { 'train/loss': 1 });
    await recorder.close();
    const { facts, drawing, hparams, metrics } = readRun(directory);
    expect(facts).toMatchObject({ command: 'tfc train moons.tdsl', options: { batch: 32 }, environment: { threads: 1 } });
    expect(facts.variables.some(({ kind, type, elements }) => kind === 'param' && type.startsWith('f32') && (elements ?? 0) > 0)).toBe(
      true,
    );
    expect(facts.kernels.length).toBeGreaterThan(0);
    for (const { bytesRead, lines } of facts.kernels) {
      expect(bytesRead).not.toBe('');
      expect(lines.join()).toMatch(/moons\.tdsl:\d+/);
    }
    expect(drawing?.toString()).toMatch(/<svg[^]*<\/svg>/);
    expect([hparams, metrics]).toEqual([{ rate: 0.1 }, ['validation/loss']]);
    const graphs = eventsIn(eventFilesIn(directory)[0] as string).filter((event) => event.has(4));
    expect(graphs).toHaveLength(1);
    await writeReport([directory], join(scratch, 'moons.html'));
    expect(readFileSync(join(scratch, 'moons.html'), 'utf8')).toContain('data:image/svg+xml;base64,');
    const again = await recordRun({ ...wanted, at: { directory, name: 'moons', resumedAt: 0 } });
    expect(again.directory).toBe(directory);
    again.recorder.scalars(1, 2000, { 'train/loss': 0.5 });
    await again.recorder.close();
    expect(readRun(directory)).toMatchObject({ resumedAt: [0], outcome: 'done' });
    expect(readRun(directory).curves.get('train/loss')?.values).toEqual([0.5]);
  });

  it('is recorded alike from TypeScript, from the texts that the module was compiled from', async () => {
    const path = place.file('own.tdsl', readFileSync(join(root, 'examples', 'moons', 'moons.tdsl'), 'utf8'));
    process.env['TFC_CACHE'] = place.cache;
    using module = await compile(join(place.directory, path));
    writeFileSync(join(place.directory, path), 'this is no program any more\n');
    const open = (entry: string, of = module) => openRun(join(scratch, 'typed'), 'moons', { program: { module: of, entry } });
    const { directory, recorder } = await open('train');
    await recorder.close();
    const command = await recordRun({ ...wanted, at: { logdir: join(scratch, 'logs'), name: 'same' } });
    await command.recorder.close();
    const [mine, theirs] = [readRun(directory), readRun(command.directory)];
    expect(mine.facts.variables).toEqual(theirs.facts.variables);
    expect(mine.facts.kernels.map(({ name, flops, bytesRead }) => [name, flops, bytesRead])).toEqual(
      theirs.facts.kernels.map(({ name, flops, bytesRead }) => [name, flops, bytesRead]),
    );
    expect(mine.drawing?.toString()).toMatch(/<svg[^]*curve[^]*<\/svg>/);
    expect(eventsIn(eventFilesIn(directory)[0] as string).filter((event) => event.has(4))).toHaveLength(1);
    await expect(open('nowhere')).rejects.toMatchObject({ code: 'unknown-entry' });
    using opened = openModule(module.path);
    await expect(open('train', opened)).rejects.toMatchObject({ code: 'source-missing' });
    await expect(openRun(scratch, 'r', { program: module as never })).rejects.toMatchObject({ code: 'invalid-value' });
    expect(readdirSync(join(scratch, 'typed'))).toHaveLength(1);
  });

  it('leaves nothing behind when its program is wrong', async () => {
    const at = { logdir: join(scratch, 'none'), name: 'x' };
    await expect(recordRun({ ...wanted, at, entry: 'nowhere' })).rejects.toThrow('exports no step nowhere');
    await expect(recordRun({ ...wanted, at, program: { path: join(scratch, 'none.tdsl'), set: {} } })).rejects.toThrow();
    expect(existsSync(at.logdir)).toBe(false);
  });
});
