// Files that another thread reads ahead. In: tables that are larger than the memory that they may have. Out: batches. Holds: they are those
// that one thread gives, and so are mistakes; no thread stays when a pass ends, however it does.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { RecordFile } from '../../src/train/data/records.js';
import { openDataset } from '../../src/train/data/open-dataset.js';
import { recordDataset } from '../../src/train/data/record-dataset.js';
import { recordsIn } from '../../src/train/data/record-files.js';
import { root } from '../driver/tfc.js';
import { entryOf } from './entry.js';
import { parquet } from './parquet-file.js';
import { batchesOf, elementsOf, inOrderPass, place, refusal } from './support.js';

const { file } = place();
const entry = entryOf({ x: ['f32', 2], half: ['f16'], word: ['i32'], long: ['i64'], byte: ['u8'] });
const count = 20_000;
const columns = ['x0', 'x1', 'half', 'word', 'long', 'byte'] as const;

const cellsOf = (row: number): readonly [number, number, number, string, string, number] => [
  row / 7,
  -row,
  (row % 100) / 8,
  ['cat', 'dog', 'cow'][row % 3] as string,
  String(2 ** 40 + row),
  row % 256,
];
const rows = Array.from({ length: count }, (_, row) => cellsOf(row));
const csv = `${columns.join(',')}\n${rows.map((cells) => cells.join(',')).join('\n')}\n`;
const jsonl = rows.map((cells) => JSON.stringify(Object.fromEntries(columns.map((name, at) => [name, cells[at]])))).join('\n');

/** The same data set, as this thread reads it. */
async function hereDataset(given: RecordFile, options: object): Promise<Awaited<ReturnType<typeof recordDataset>>> {
  const { file: _, ...source } = recordsIn(given);
  return recordDataset(source, entry.feeds, { ...options, memory: 0 });
}

describe('a table that is read ahead', () => {
  it.each([
    ['csv', csv, {}],
    ['csv', csv.replaceAll(/^(\d+99\..*?),/gm, ','), { blanks: 'drop' }],
    ['csv', csv.replaceAll(/^(\d+99\..*?),/gm, ','), { blanks: { x0: 'mean' } }],
    ['jsonl', jsonl, {}],
    ['json', `[${jsonl.split('\n').join(',')}]`, {}],
  ] as const)('of %s has the batches that one thread gives %#', async (format, text, options) => {
    const path = file(`table.${format}`, text);
    const ahead = await openDataset(path, entry, { ...options, memory: 0 });
    const here = await hereDataset({ format, path }, options);
    expect(ahead.rows).toBe(here.rows);
    for (const pass of [{ shuffle: true, seed: 3, epoch: 2 }, { from: 3 }] as const) {
      const [given, wanted] = [await batchesOf(ahead, { batch: 4000, ...pass }), await batchesOf(here, { batch: 4000, ...pass })];
      expect(wanted.length).toBeGreaterThan(1);
      expect(given).toEqual(wanted);
    }
  });

  it('of Parquet has them, too', async () => {
    const group = (from: number): Parameters<typeof parquet>[0][number] => ({
      x: { type: 'double', values: Array.from({ length: 1000 }, (_, at) => from + at) },
    });
    const path = file('table.parquet', parquet([group(0), group(1000), group(2000)]));
    const dataset = await openDataset(path, entryOf({ x: ['f64'] }), { memory: 0 });
    expect(await elementsOf(dataset, 'x', { batch: 1500 })).toEqual(Array.from({ length: 3000 }, (_, at) => at));
  });

  it('refuses what it has become with its line, behind the rows before it', async () => {
    // Texts that nobody takes make it longer than what is read at once.
    const lines = ['byte,note', ...rows.map((_, row) => `${row % 256},${'long '.repeat(40)}`)];
    const path = file('changed.csv', lines.join('\n'));
    const dataset = await openDataset(path, entryOf({ byte: ['u8'] }), { memory: 0 });
    lines[15_000] = '256,';
    file('changed.csv', lines.join('\n'));
    let done = 0;
    const message = await refusal(async () => {
      for await (const batch of dataset.batches({ ...inOrderPass, batch: 100 })) done += batch.rows;
    });
    expect(message).toContain('changed.csv: line 15001: 256 is not between 0 and 255, the range of u8 (byte)');
    expect(done).toBeGreaterThan(1000);
    expect(done).toBeLessThan(15_000);
    lines[0] = 'other,note';
    file('changed.csv', lines.join('\n'));
    expect(await refusal(() => batchesOf(dataset))).toMatch(/changed\.csv: line 2.* has no value of byte/);
  });
});

/** Threads of this process. */
const threads = (): number => readdirSync('/proc/self/task').length;

describe('the thread', () => {
  it('ends with a pass that is whole, cut short, or refused', async () => {
    const path = file('threads.csv', csv);
    const dataset = await openDataset(path, entry, { memory: 0 });
    // What Node itself starts is there afterwards.
    await batchesOf(dataset, { batch: 1000 });
    const before = threads();
    await batchesOf(dataset, { batch: 1000 });
    for await (const _ of dataset.batches({ ...inOrderPass, batch: 10 })) break;
    const thrown = async (): Promise<void> => {
      for await (const _ of dataset.batches({ ...inOrderPass, batch: 10 })) throw new Error('a step failed');
    };
    await expect(thrown()).rejects.toThrow('a step failed');
    for (let tries = 0; threads() > before && tries < 100; tries += 1) await sleep(20);
    expect(threads()).toBeLessThanOrEqual(before);
  });

  it('keeps no process from ending that leaves a pass where it is', () => {
    const path = file('left.csv', csv);
    const script = `
      import { openDataset } from ${JSON.stringify(join(root, 'dist', 'bundle', 'index.js'))};
      const dataset = await openDataset(${JSON.stringify(path)}, ${JSON.stringify(entry)}, { memory: 0 });
      const batches = dataset.batches({ epoch: 1, seed: 0, batch: 10, shuffle: false, rest: 'keep' })[Symbol.asyncIterator]();
      console.log((await batches.next()).value.rows);`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '10\n', stderr: '' });
  });

  it('is done without where a process may have none', () => {
    const path = file('none.csv', csv);
    const script = `
      import { openDataset } from ${JSON.stringify(join(root, 'dist', 'bundle', 'index.js'))};
      const dataset = await openDataset(${JSON.stringify(path)}, ${JSON.stringify(entry)}, { memory: 0 });
      let rows = 0;
      for await (const batch of dataset.batches({ epoch: 1, seed: 0, batch: 1000, shuffle: true, rest: 'keep' })) rows += batch.rows;
      console.log(rows);`;
    const permission = Number(process.versions.node.split('.')[0]) >= 23 ? '--permission' : '--experimental-permission';
    const args = [permission, '--allow-fs-read=*', '--allow-fs-write=*', '--allow-addons', '--no-warnings', '--input-type=module', '-e'];
    const { status, stdout, stderr } = spawnSync(process.execPath, [...args, script], { encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${count}\n`, stderr: '' });
  });
});
