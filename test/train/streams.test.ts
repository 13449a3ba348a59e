// Data of programs, streams and parts. In: rows, batches, functions, standard input. Out: batches. Holds: a stream that is interrupted goes
// on exactly; parts share no row; memory stays bounded; normalization comes from the training part alone.

import { spawnSync } from 'node:child_process';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tensor } from '../../runtime/index.js';
import type { Dataset } from '../../src/train/data/dataset.js';
import { fit, normalized, requireNormalization } from '../../src/train/data/normalize.js';
import { openDataset } from '../../src/train/data/open-dataset.js';
import { split } from '../../src/train/data/split.js';
import { spool } from '../../src/train/data/standard-input.js';
import { entryOf } from './entry.js';
import { batchesOf, elementsOf, place, refusal } from './support.js';

const { file } = place();
const pair = entryOf({ x: ['f32', 2], y: ['i32'] });
const count = 50;
const rowAt = (at: number): { x: number[]; y: number } => ({ x: [at, at / 2], y: at });
const rows = Array.from({ length: count }, (_, at) => rowAt(at));
const labels = rows.map(({ y }) => y);
const csv = `x0,x1,y\n${rows.map(({ x, y }) => [...x, y].join(',')).join('\n')}\n`;

async function* later<T>(items: Iterable<T>): AsyncGenerator<T> {
  for (const item of items) {
    await Promise.resolve();
    yield item;
  }
}

/** Three batches of 20, 20 and 10 rows. */
const cut = [0, 20, 40].map((from) => rows.slice(from, from + 20));

describe('data of a program', () => {
  it.each([
    ['columns', { x: rows.map(({ x }) => x), y: labels }],
    ['typed arrays', { x: Float32Array.from(rows.flatMap(({ x }) => x)), y: Int32Array.from(labels) }],
    ['typed arrays of other types', { x: Float64Array.from(rows.flatMap(({ x }) => x)), y: Uint16Array.from(labels) }],
    ['shaped arrays', { x: { data: rows.flatMap(({ x }) => x), shape: [count, 2] }, y: tensor(BigInt64Array.from(labels, BigInt)) }],
    ['rows', rows],
    ['rows of typed arrays', rows.map(({ x, y }) => ({ x: Float32Array.from(x), y }))],
    ['a set of rows', new Set(rows)],
    ['rows that come later', later(rows)],
    ['batches', cut.map((batch) => ({ x: batch.map(({ x }) => x), y: batch.map(({ y }) => y) }))],
    [
      'batches of typed arrays',
      cut.map((batch) => ({ x: Float32Array.from(batch.flatMap(({ x }) => x)), y: Int32Array.from(batch, ({ y }) => y) })),
    ],
    ['a function of rows', () => rows],
    ['a function of rows that come later', () => later(rows)],
    [
      'a function of batches',
      () =>
        later(
          cut.map((batch) => ({
            x: { data: Float32Array.from(batch.flatMap(({ x }) => x)), shape: [batch.length, 2] },
            y: batch.map(({ y }) => y),
          })),
        ),
    ],
  ] as const)('%s', async (_, data) => {
    const dataset = await openDataset(data as never, pair);
    expect(dataset.columns).toEqual([
      { name: 'x', dtype: 'f32', rowShape: [2] },
      { name: 'y', dtype: 'i32', rowShape: [] },
    ]);
    for (const epoch of [1, 2]) {
      expect(await elementsOf(dataset, 'y', { epoch })).toEqual(labels);
      expect(await elementsOf(dataset, 'x', { epoch })).toEqual(rows.flatMap(({ x }) => x));
    }
    const shuffled = (await elementsOf(dataset, 'y', { shuffle: true, seed: 3 })) as number[];
    expect(shuffled).not.toEqual(labels);
    expect(shuffled.sort((a, b) => a - b)).toEqual(labels);
  });

  it('is asked for again in every epoch, which a function may use', async () => {
    const asked: number[] = [];
    const dataset = await openDataset((epoch: number) => {
      asked.push(epoch);
      return rows.slice(0, epoch);
    }, pair);
    expect(dataset.rows).toBeUndefined();
    expect(await elementsOf(dataset, 'y', { epoch: 3 })).toEqual([0, 1, 2]);
    expect(asked).toEqual([1, 3]);
    expect(await refusal(() => split(dataset, 0.5, 1))).toContain('not counted before they are read');
  });

  it('may be text when the vocabulary is told, and have blanks when a rule fits', async () => {
    const give = (): unknown[] => [{ x: [1, 2], y: 'b' }, { x: [3, 4], y: 'a' }, { x: [5, 6] }];
    const vocabularies = { y: { words: ['a', 'b'] } };
    expect(await refusal(() => openDataset(give as never, pair))).toContain('must say which texts there are');
    expect(await refusal(async () => batchesOf(await openDataset(give as never, pair, { vocabularies })))).toContain(
      'row 2 has no value of y',
    );
    expect(await elementsOf(await openDataset(give as never, pair, { vocabularies, blanks: 'drop' }), 'y')).toEqual([1, 0]);
    expect(await refusal(() => openDataset(give as never, pair, { vocabularies, blanks: 'mean' }))).toContain(
      'is not known before all rows were there',
    );
    expect(
      await elementsOf(
        await openDataset(
          (() => [
            { x: [1, 2], y: 1 },
            { x: [1, 2], y: null },
          ]) as never,
          pair,
          { blanks: 7 },
        ),
        'y',
      ),
    ).toEqual([1, 7]);
  });

  it.each([
    ['a number', 7, '7 is no data'],
    ['no rows', [], 'no data'],
    ['numbers', [1, 2], 'row 0 is 1, expected an object'],
    [
      'ragged',
      [
        { x: [1, 2], y: 1 },
        { x: [1], y: 1 },
      ],
      'row 1 of x is not 2 numbers',
    ],
    ['wide', [{ x: [1, 2, 3], y: 1 }], 'shape-mismatch: the data: rows of x are [3], and the program takes [2]'],
    [
      'fraction',
      [
        { x: [1, 2], y: 1 },
        { x: [1, 2], y: 1.5 },
      ],
      'row 1: y takes i32; the data has 1.5',
    ],
    ['length', { x: Float32Array.of(1, 2, 3), y: [1] }, 'x has 3 numbers, and 2 make a row'],
    ['lengths', { x: [[1, 2]], y: [1, 2] }, 'x has 1 rows, y has 2'],
    ['shape', { x: { data: [1], shape: [1, 2] }, y: [1] }, 'x has no elements that fill its shape'],
    ['a function of nothing', () => 7, '7 is nothing that gives rows or batches'],
    ['an object', [{ x: [1, 2], y: {} }], 'row 0 of y is an object'],
  ] as const)('is refused when it is wrong: %s', async (_, data, said) => {
    expect(await refusal(() => openDataset(data as never, pair))).toContain(said);
  });

  it('that comes once is kept, and refused when it is more than memory', async () => {
    expect(await refusal(() => openDataset(later(rows), pair, { memory: 100 }).then(batchesOf))).toMatch(
      /comes only once\nGive a function/,
    );
  });

  it('has options that make sense', async () => {
    for (const [options, said] of [
      [{ format: 'xls' }, '"xls" is no format of data'],
      [{ memory: -1 }, 'memory is a whole number of at least 0'],
      [{ shuffleRows: 0 }, 'shuffleRows is a whole number of at least 1'],
      [{ blanks: 'zero' }, '"zero" is none of these'],
      [{ columns: { x: [] } }, 'The columns of x are a name or a list'],
      [{ vocabularies: { y: { words: ['a', 'a'] } } }, 'The vocabulary of y is an object with words, each once'],
      [{ items: 'cells' }, 'Items are "rows" or "batches"'],
      [null, 'options of a data set are an object'],
    ] as const)
      expect(await refusal(() => openDataset(rows, pair, options as never))).toMatch(new RegExp(`^invalid-value: .*${said}`));
  });
});

describe('streams', () => {
  const path = file('stream.csv', csv);
  const stream = (shuffleRows = 8): Promise<Dataset> => openDataset(path, pair, { memory: 0, shuffleRows });

  it('leave out batches that are done, exactly', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 20 }),
        fc.nat(20),
        fc.boolean(),
        fc.boolean(),
        async (buffer, batch, from, shuffle, drop) => {
          const dataset = await stream(buffer);
          const pass = { batch, shuffle, seed: 11, epoch: 2, rest: drop ? 'drop' : 'keep' } as const;
          const whole = await batchesOf(dataset, pass);
          expect(whole.length).toBe(drop ? Math.floor(count / batch) : Math.ceil(count / batch));
          expect(await batchesOf(dataset, { ...pass, from })).toEqual(whole.slice(from));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('have one order per seed and epoch, in which no row comes long before its turn', async () => {
    const order = async (seed: number, epoch: number): Promise<number[]> =>
      (await elementsOf(await stream(), 'y', { shuffle: true, seed, epoch })) as number[];
    const one = await order(1, 1);
    expect(await order(1, 1)).toEqual(one);
    expect(await order(2, 1)).not.toEqual(one);
    expect(await order(1, 2)).not.toEqual(one);
    for (const [at, row] of one.entries()) expect(row - at).toBeLessThanOrEqual(8);
    expect((await elementsOf(await stream(count), 'y', { shuffle: true })) as number[]).toContain(49);
  });

  it('hold a few rows and no more', async () => {
    const wide = entryOf({ x: ['f32', 1000] });
    const give = function* (): Generator<{ x: Float32Array }> {
      for (let at = 0; at < 60_000; at += 1) yield { x: new Float32Array(1000).fill(at) };
    };
    const dataset = await openDataset(give, wide, { shuffleRows: 1000 });
    const before = process.memoryUsage.rss();
    let [seen, sum] = [0, 0];
    // 240 MB go through a buffer of 4 MB.
    for await (const { feeds, rows: some } of dataset.batches({ epoch: 1, seed: 1, batch: 100, shuffle: true, rest: 'keep' })) {
      seen += some;
      const { data } = feeds['x'] as unknown as { readonly data: Float32Array };
      for (let row = 0; row < some; row += 1) sum += data[1000 * row] as number;
    }
    expect([seen, sum]).toEqual([60_000, (60_000 * 59_999) / 2]);
    expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 27);
  });
});

describe('parts', () => {
  it.each([
    ['in memory', 2 ** 20],
    ['streamed', 0],
  ])('%s share no row and leave none out, and are the same again', async (_, memory) => {
    const dataset = await openDataset(file('parts.csv', csv), pair, { memory });
    const { training, validation, test } = split(dataset, [0.2, 0.1], 42);
    const all = await Promise.all([training, validation, test as Dataset].map((part) => elementsOf(part, 'y')));
    expect(all.map((part) => part.length)).toEqual([35, 10, 5]);
    expect([training.rows, validation.rows, test?.rows]).toEqual([35, 10, 5]);
    expect((all.flat() as number[]).sort((a, b) => a - b)).toEqual(labels);
    for (const part of all) expect([...(part as number[])].sort((a, b) => a - b)).toEqual(part);
    const again = split(await openDataset(file('parts.csv', csv), pair), [0.2, 0.1], 42);
    expect(await elementsOf(again.training, 'y')).toEqual(all[0]);
    expect(await elementsOf(split(dataset, 0.3, 43).validation, 'y')).not.toEqual(
      await elementsOf(split(dataset, 0.3, 42).validation, 'y'),
    );
    // A part of a part.
    const inner = split(training, 0.4, 1);
    expect((await Promise.all([inner.training, inner.validation].map((part) => elementsOf(part, 'y')))).flat().sort()).toEqual(
      [...(all[0] ?? [])].sort(),
    );
    const shuffled = await batchesOf(training, { shuffle: true, seed: 2, batch: 6 });
    expect(await batchesOf(training, { shuffle: true, seed: 2, batch: 6, from: 3 })).toEqual(shuffled.slice(3));
  });

  it('need rows for each, and fractions that are some', async () => {
    const dataset = await openDataset(rows.slice(0, 2), pair);
    expect(split(dataset, 0.01, 1).validation.rows).toBe(1);
    expect(await refusal(() => split(dataset, [0.5, 0.5], 1))).toContain('Of 2 rows 1 and 1 would be kept apart');
    for (const fraction of [0, 1, -1, NaN, '0.1', [], [0.1, 0.1, 0.1]])
      expect(await refusal(() => split(dataset, fraction as never, 1))).toContain('between 0 and 1');
    expect(await refusal(() => split(dataset, 0.5, 0.5))).toContain('seed of a split is a whole number');
  });
});

describe('normalization', () => {
  const columns = {
    x: [
      [1, 10, 5],
      [2, 30, 5],
      [3, 20, 5],
      [100, 100, 7],
    ],
    y: [0, 1, 2, 3],
  };
  const entry = entryOf({ x: ['f64', 3], y: ['i32'] });

  it('comes from the part that it is fitted on, and is plain data', async () => {
    const dataset = await openDataset(columns, entry);
    const training = dataset.select?.(Uint32Array.of(0, 1, 2)) as Dataset;
    const standard = await fit(training, ['x']);
    expect(standard.columns['x']?.shift).toEqual([2, 20, 5]);
    expect(standard.columns['x']?.scale[1]).toBeCloseTo(Math.sqrt(200 / 3), 12);
    expect(standard.columns['x']?.scale[2]).toBe(1);
    const kept = requireNormalization(JSON.parse(JSON.stringify(standard)));
    const all = (await elementsOf(normalized(dataset, kept), 'x')) as number[];
    expect(all.slice(6, 9)).toEqual([1 / Math.sqrt(2 / 3), 0, 0]);
    expect(all.slice(9)).toEqual([98 / Math.sqrt(2 / 3), 80 / Math.sqrt(200 / 3), 2]);
    expect(await elementsOf(normalized(training, await fit(training, ['x'], 'range')), 'x')).toEqual([0, 0, 0, 0.5, 1, 0, 1, 0.5, 0]);
    // What it came from is as it was.
    expect(await elementsOf(dataset, 'x')).toEqual(columns.x.flat());
    expect(await elementsOf(split(normalized(dataset, kept), 0.25, 1).validation, 'y')).toHaveLength(1);
  });

  it('is the same for streams, and rounds once', async () => {
    const text = `x0,x1,y\n${rows.map(({ x, y }) => [...x.map((one) => one + 1e6), y].join(',')).join('\n')}`;
    const [memory, stream] = await Promise.all([2 ** 20, 0].map((one) => openDataset(file('n.csv', text), pair, { memory: one })));
    const fitted = await fit(memory as Dataset, ['x']);
    expect(await fit(stream as Dataset, ['x'])).toEqual(fitted);
    expect(fitted.columns['x']?.scale[0]).toBeCloseTo(Math.sqrt((count * count - 1) / 12), 9);
    expect(await elementsOf(normalized(stream as Dataset, fitted), 'x')).toEqual(
      await elementsOf(normalized(memory as Dataset, fitted), 'x'),
    );
    const half = await openDataset(
      {
        x: [
          [1, 2],
          [3, 4],
        ],
        y: [1, 2],
      },
      entryOf({ x: ['f16', 2], y: ['i32'] }),
    );
    expect(await elementsOf(normalized(half, await fit(half, ['x'])), 'x')).toEqual([0xbc00, 0xbc00, 0x3c00, 0x3c00]);
  });

  it('is refused where it makes no sense', async () => {
    const dataset = await openDataset(columns, entry);
    expect(await refusal(() => fit(dataset, ['z']))).toMatch(/no column "z" to normalize.\nThere are x, y/);
    expect(await refusal(() => fit(dataset, ['y']))).toContain('y is i32, and only floats are normalized');
    expect(await refusal(() => fit(dataset, ['x'], 'most' as never))).toContain('not by "most"');
    expect(await refusal(async () => fit(await openDataset({ x: [[1, 2, NaN]], y: [1] }, entry), ['x']))).toContain(
      'row 0 of x has NaN as feature 2',
    );
    expect(await refusal(() => normalized(dataset, { kind: 'range', columns: { x: { shift: [0], scale: [1] } } }))).toContain(
      'x has 3 features, and 1 were fitted',
    );
    for (const wrong of [
      undefined,
      {},
      { kind: 'range', columns: { x: { shift: [0], scale: [0] } } },
      { kind: 'range', columns: { x: 1 } },
    ])
      expect(await refusal(() => requireNormalization(wrong))).toContain('a kind and, per column, shifts and scales');
  });
});

describe('standard input', () => {
  it('is kept in a file of its own, which goes', () => {
    const source = openSync(file('input.csv', csv), 'r');
    const { path, close } = spool(source, 'input.csv');
    expect(readFileSync(path, 'utf8')).toBe(csv);
    close();
    expect(existsSync(path)).toBe(false);
  });

  it('is read by the format that is told, in every epoch', async () => {
    const module = pathToFileURL(join(import.meta.dirname, '..', '..', 'dist', 'src', 'train', 'data', 'open-dataset.js')).href;
    const program = `
      const { openDataset } = await import(${JSON.stringify(module)});
      const entry = JSON.parse(process.argv[1]);
      const dataset = await openDataset('-', entry, { format: 'csv', memory: Number(process.argv[2]) });
      let sum = 0;
      for (const epoch of [1, 2]) for await (const { rows } of dataset.batches({ epoch, seed: 1, batch: 7, shuffle: true, rest: 'keep' })) sum += rows;
      console.log(sum);`;
    for (const memory of ['0', '1000000']) {
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program, JSON.stringify(pair), memory], {
        input: csv,
        encoding: 'utf8',
      });
      expect([stdout, stderr]).toEqual(['100\n', '']);
    }
    // Mistakes are told of it, not of that file: those that are found at once, and those that no step before them needed.
    for (const [memory, row] of [
      ['1000000', '1,dog,2'],
      ['0', '1,dog,2'],
      ['0', '1,2,3.5'],
    ] as const) {
      const failing = `try { ${program} } catch (error) { console.log(error.message) }`;
      const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', failing, JSON.stringify(pair), memory], {
        input: `${csv}${row}\n`,
        encoding: 'utf8',
      });
      expect(stdout).toMatch(/^bad-data: standard input: .*line 52|dtype-mismatch: standard input: line 52/);
      expect(stdout).not.toContain(tmpdir());
    }
    expect(await refusal(() => openDataset('-', pair))).toMatch(/standard input has no name.*\nSay its format/);
    expect(await refusal(() => openDataset('-', pair, { format: 'images' }))).toContain('no directory of images');
    expect(await refusal(() => spool(openSync('/dev/null', 'r'), 'x'))).toContain('standard input is empty');
  });
});
