// Tables as data sets: CSV, JSON, JSONL, Parquet, Arrow. In: files that the tests write. Out: rows as they were written, whatever the
// format and whether they are in memory or read again in every epoch; or bad-data with the place.

import { join } from 'node:path';
import * as zlib from 'node:zlib';
import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import type { DatasetOptions } from '../../src/train/data/dataset-options.js';
import type { Dataset } from '../../src/train/data/dataset.js';
import { openDataset } from '../../src/train/data/open-dataset.js';
import { optionalPackage } from '../../src/train/data/optional-package.js';
import { parquet } from './parquet-file.js';
import { entryOf } from './entry.js';
import { batchesOf, elementsOf, place, refusal } from './support.js';

const { gzipSync } = zlib;
const { file } = place();
const pair = entryOf({ x: ['f32', 2], y: ['i32'] });
const open = (name: string, content: string | Uint8Array, options: DatasetOptions = {}, entry = pair): Promise<Dataset> =>
  openDataset(file(name, content), entry, options);

const kinds = ['dog', 'cat', 'dog', 'ant', 'cat', 'dog', 'ant'];
const numbers = kinds.map((_, at) => [at / 2, -at]);
const csv = `x0,x1,y\n${kinds.map((kind, at) => `${numbers[at]?.join(',') ?? ''},${kind}`).join('\n')}\n`;
const records = kinds.map((kind, at) => ({ x: numbers[at], y: kind }));
const x = { x0: kinds.map((_, at) => at / 2), x1: kinds.map((_, at) => -at) };
const group = (from: number, to: number) =>
  ({
    x0: { type: 'float', values: x.x0.slice(from, to) },
    x1: { type: 'int64', values: x.x1.slice(from, to) },
    y: { type: 'string', values: kinds.slice(from, to) },
  }) as const;
const table = arrow.tableFromArrays({ x0: Float32Array.from(x.x0), x1: Int32Array.from(x.x1), y: kinds });
const halves = new arrow.Table(table.slice(0, 3).batches.concat(table.slice(3).batches));

const formats: readonly (readonly [name: string, content: string | Uint8Array])[] = [
  ['same.csv', csv],
  ['same.csv.gz', gzipSync(csv)],
  ['old.csv', csv.replaceAll('\n', '\r')],
  ['windows.csv', `\ufeff${csv.replaceAll('\n', '\r\n')}`],
  ['records.json', JSON.stringify(records)],
  ['columns.json', JSON.stringify({ x: numbers, y: kinds })],
  ['same.jsonl', records.map((record) => JSON.stringify(record)).join('\n\n')],
  ['same.jsonl.gz', gzipSync(records.map((record) => JSON.stringify(record)).join('\n'))],
  ['same.parquet', parquet([group(0, 3), group(3, 7)])],
  ['packed.parquet', parquet([group(0, 7)], true)],
  ['same.arrow', arrow.tableToIPC(halves, 'file')],
  ['stream.arrow', arrow.tableToIPC(halves, 'stream')],
];

describe('one table in many formats', () => {
  it.each(formats)('%s', async (name, content) => {
    const dataset = await open(name, content);
    expect(dataset).toMatchObject({ rows: 7, vocabularies: { y: { words: ['ant', 'cat', 'dog'] } } });
    expect(await batchesOf(dataset)).toEqual([
      {
        x: {
          shape: [4, 2],
          data: numbers
            .slice(0, 4)
            .flat()
            .map((one) => one + 0),
        },
        y: { shape: [4], data: [2, 1, 2, 0] },
      },
      { x: { shape: [3, 2], data: numbers.slice(4).flat() }, y: { shape: [3], data: [1, 2, 0] } },
    ]);
  });

  it.each(formats)('%s, without memory', async (name, content) => {
    const dataset = await open(`again-${name}`, content, { memory: 0, shuffleRows: 3 });
    expect(dataset).toMatchObject({ rows: 7, vocabularies: { y: { words: ['ant', 'cat', 'dog'] } } });
    expect(dataset).not.toHaveProperty('data');
    for (const epoch of [1, 2]) expect(await elementsOf(dataset, 'y', { epoch })).toEqual([2, 1, 2, 0, 1, 2, 0]);
    const shuffled = await elementsOf(dataset, 'x', { shuffle: true, seed: 5 });
    expect(shuffled).not.toEqual(numbers.flat());
    expect(shuffled.filter((_, at) => at % 2 === 0).sort()).toEqual(x.x0);
  });
});

describe('columns and feeds', () => {
  const named = async (header: string, options: DatasetOptions, entry = pair): Promise<unknown> =>
    (await batchesOf(await open('named.csv', `${header}\n1,2,3,4\n`, options, entry)))[0];

  it.each([
    ['a,y,b,note', {}, [1, 3, 4], 2],
    ['x_1,x_2,x_3,y', {}, [1, 2, 3], 4],
    ['y,x[0],x[1],x[2]', {}, [2, 3, 4], 1],
    ['a,b,c,d', { columns: { x: ['d', 'a', 'b'], y: 'c' } }, [4, 1, 2], 3],
    ['p1,l,p2,p3', { columns: { x: 'p*', y: ['l'] } }, [1, 3, 4], 2],
    ['a,b,c,d', {}, [1, 2, 3], 4],
    ['a,b,c,d', { columns: { y: 'a' } }, [2, 3, 4], 1],
  ] as const)('%s %j', async (header, options, wanted, label) => {
    expect(await named(header, options, entryOf({ x: ['f32', 3], y: ['i32'] }))).toEqual({
      x: { shape: [1, 3], data: wanted },
      y: { shape: [1], data: [label] },
    });
  });

  it('gives a column to the feed with the longest name that fits', async () => {
    expect(await named('x_small_1,x_1,x_2,x_small_2', {}, entryOf({ x: ['f32', 2], x_small: ['f64', 2] }))).toEqual({
      x: { shape: [1, 2], data: [2, 3] },
      x_small: { shape: [1, 2], data: [1, 4] },
    });
  });

  it('leaves columns of text alone that no feed of whole numbers takes', async () => {
    const housing = 'a,price,sea\n1,5,NEAR\n2,6,FAR\n';
    expect(await batchesOf(await open('housing.csv', housing, {}, entryOf({ x: ['f32', 'N'], y: ['f32'] })))).toEqual([
      { x: { shape: [2, 1], data: [1, 2] }, y: { shape: [2], data: [5, 6] } },
    ]);
    expect(await batchesOf(await open('housing.csv', housing, {}, entryOf({ x: ['f32', 2], y: ['i32'] })))).toEqual([
      { x: { shape: [2, 2], data: [1, 5, 2, 6] }, y: { shape: [2], data: [1, 0] } },
    ]);
  });

  it('says what it does not know', async () => {
    expect(await refusal(() => open('q.csv', 'a,b\n1,2\n', { columns: { x: ['a', 'z'] } }))).toMatch(
      /no column "z" for the feed x\nIt has a, b/,
    );
    expect(await refusal(() => open('q.csv', 'a,b\n1,2\n', {}, entryOf({ p: ['f32', 2], q: ['f32', 2] })))).toContain(
      'do not say which feed they are (p, q)',
    );
    expect(await refusal(() => open('q.csv', 'x0,x1,y\n1,2,a\n', {}, entryOf({ x: ['f32', 2], y: ['f32'] })))).toMatch(
      /line 2 of y is not one number, but "a"; y takes f32\n.*whole numbers/,
    );
  });
});

describe('labels', () => {
  it('are numbered alike in another file, and refused when they are unknown', async () => {
    const { vocabularies = {} } = await open('a.csv', 'x0,x1,y\n1,2,b\n1,2,a\n');
    expect(JSON.parse(JSON.stringify(vocabularies))).toEqual({ y: { words: ['a', 'b'] } });
    expect(await elementsOf(await open('b.csv', 'x0,x1,y\n1,2,b\n', { vocabularies }), 'y')).toEqual([1]);
    for (const memory of [0, 1000])
      expect(await refusal(() => open('c.csv', 'x0,x1,y\n1,2,b\n1,2,c\n', { vocabularies, memory }))).toMatch(
        /^bad-data: .*c\.csv: line 3: "c" is not in the vocabulary of y\nIt has "a", "b"/,
      );
  });

  it('may look like numbers', async () => {
    const text = 'x0,x1,y\n1,2,10\n1,2,9\n1,2,a\n';
    expect(await refusal(() => open('a.csv', text))).toContain('column "y" mixes numbers and text: "a" in line 4, "10" in line 2');
    const dataset = await open('a.csv', text, { vocabularies: { y: true } });
    expect(dataset.vocabularies).toEqual({ y: { words: ['10', '9', 'a'] } });
    expect(await elementsOf(dataset, 'y')).toEqual([0, 1, 2]);
  });
});

describe('blanks', () => {
  const text = 'x0,x1,y\n1,5,0\n,6,1\n4,,2\n10,7,3\n';

  it('are counted', async () => {
    expect(await refusal(() => open('a.csv', text))).toMatch(/column "x0" has 1 blank cell, in line 3\n.*mean, median/);
    expect(await refusal(() => open('a.json', '[{"x":[1,2],"y":1},{"x":[1,2]},{"x":[1,2],"y":null}]'))).toContain(
      'column "y" has 2 blank cells, the first in row 1',
    );
    expect(await refusal(() => open('a.json', '[{"x":[1,2],"y":1},{"y":2}]'))).toContain('row 1 has no value of x, expected 2 numbers');
  });

  it.each([
    ['mean', [1, 5, 5, 6, 4, 6, 10, 7], { x0: 5, x1: 6 }],
    ['median', [1, 5, 4, 6, 4, 6, 10, 7], { x0: 4, x1: 6 }],
    [-1, [1, 5, -1, 6, 4, -1, 10, 7], { x0: -1, x1: -1 }],
    ['drop', [1, 5, 10, 7], {}],
    [{ x0: 'mean', x1: 'drop' }, [1, 5, 5, 6, 10, 7], { x0: 5 }],
    [{ x: 0 }, [1, 5, 0, 6, 4, 0, 10, 7], { x0: 0, x1: 0 }],
  ] as const)('rule %j', async (blanks, expected, fills) => {
    const dataset = await open('a.csv', text, { blanks });
    expect(await elementsOf(dataset, 'x')).toEqual(expected);
    expect(dataset.fills).toEqual(fills);
    if (blanks === 'median') {
      expect(await refusal(() => open('a.csv', text, { blanks, memory: 0 }))).toContain('a median needs the column in memory');
      return;
    }
    const streamed = await open('a.csv', text, { blanks, memory: 0 });
    expect(streamed.rows).toBe(expected.length / 2);
    expect(await elementsOf(streamed, 'x')).toEqual(expected);
    if (blanks !== 'drop')
      expect(await elementsOf(await open('a.csv', text, { blanks: { ...fills, x1: 'drop' } }), 'y')).toEqual([0, 1, 3]);
  });

  it('are nulls of Parquet and Arrow, and no numbers are made of texts', async () => {
    const optional = parquet([
      { x0: { type: 'double', values: [1, null, 4] }, x1: { type: 'int32', values: [1, 2, 3] }, y: { type: 'int32', values: [7, 8, 9] } },
    ]);
    expect(await refusal(() => open('n.parquet', optional))).toContain('column "x0" has 1 blank cell');
    expect(await elementsOf(await open('n.parquet', optional, { blanks: 'mean' }), 'x')).toEqual([1, 1, 2.5, 2, 4, 3]);
    const holes = arrow.tableToIPC(
      arrow.tableFromJSON([
        { x0: 1, x1: 2, y: 3 },
        { x0: null, x1: 5, y: 6 },
      ]),
    );
    expect(await elementsOf(await open('n.arrow', holes, { blanks: 'drop' }), 'y')).toEqual([3]);
    expect(await refusal(() => open('t.csv', 'x0,x1,y\n1,2,a\n1,2,\n', { blanks: 'mean' }))).toContain('a text has no mean');
    expect(await refusal(() => open('t.csv', 'x0,x1,y\n,2,1\n,2,1\n', { blanks: 'mean' }))).toContain('no finite mean');
    expect(await refusal(() => open('t.csv', 'x0,x1,y\n,2,1\n,2,1\n', { blanks: 'drop' }))).toContain('no data');
  });
});

describe('what is wrong is told with its place', () => {
  it('in the pages of Parquet and in the batches of Arrow', async () => {
    const pages = parquet([group(0, 3), group(3, 7)]);
    // The end of the header of the second group's first page.
    const second = pages.indexOf(Buffer.from(Float32Array.of(1.5, 2).buffer));
    expect(second).toBeGreaterThan(0);
    pages.fill(0xff, second - 8, second);
    expect(await refusal(() => open('page.parquet', pages))).toMatch(/page\.parquet: column x0, rows 3 to 6: no intact Parquet file: /);
    const batches = Buffer.from(arrow.tableToIPC(halves, 'stream'));
    const last = batches.lastIndexOf(Buffer.from(Int32Array.of(-3, -4, -5, -6).buffer));
    expect(last).toBeGreaterThan(0);
    expect(await refusal(() => open('batch.arrow', batches.subarray(0, last)))).toMatch(
      /batch\.arrow: no intact Arrow file: a body of \d+ bytes, and \d+ are there, in the message at byte [1-9]\d+/,
    );
  });

  it.each([
    ['whole.csv', 'x0,x1,y\n1,2,3\n1,2,3.5\n', /line 3: y takes i32; the data has 3.5/],
    ['large.csv', 'x0,x1,y\n1,2,3\n\n1,2,3e9\n', /line 4: 3000000000 is not between/],
    ['ragged.csv', 'x0,x1,y\n1,2,3\n1,2\n', /line 3/],
    ['range.csv', 'x0,x1,y\n1,1e999,3\n', /line 2, column "x1": 1e999 is beyond the range/],
    ['bytes.csv', Buffer.from('x0,x1,y\n1,2,3\n1,\xff,3\n', 'latin1'), /not UTF-8: line 3, byte 16 of the file/],
    ['mark.csv', 'x0,x1,y\n1,2,3\n\ufeff1,2,3\n', /byte order mark at byte 14/],
    ['return.csv', 'x0,x1,y\n1,2,3\r1,2,3\n', /carriage return without a line feed at byte 13/],
    ['feed.csv', 'x0,x1,y\r1,2,3\n1,2,3', /a line feed at byte 13/],
    ['zero.csv', 'x0,x1,y\n1,2,\0\n', /byte 12 of the file is zero/],
    ['quote.csv', 'x0,x1,y\n1,2,"3\n', /quote/i],
    ['twice.csv', 'x0,x0,y\n1,2,3\n', /two columns are called "x0"/],
    ['head.csv', 'x0,x1,y\n', /no rows below the header/],
    ['none.csv', '', /no rows below the header/],
    ['long.csv', `x0,x1,y\n${'1'.repeat(2 ** 24 + 1)},2,3`, /line 2 has more than/],
    ['cut.csv.gz', gzipSync('x0,x1,y\n1,2,3\n').subarray(0, 30), /truncated or damaged gzip data/],
    ['tail.csv.gz', Buffer.concat([gzipSync('x0,x1,y\n1,2,3\n'), Buffer.from('\0x')]), /damaged gzip data: other bytes/],
    ['cut.jsonl', '{"x":[1,2],"y":1}\n{"x":[1,', /line 2: not JSON/],
    ['twice.jsonl', '{"x":[1,2],"y":1}\n\n{"x":[1,2],"y":1,"y":2}', /line 3, column 18: "y" is given twice/],
    ['list.jsonl', '[1,2]', /line 1 is no object/],
    ['deep.jsonl', `{"x":[1,2],"y":1}\n${'['.repeat(100)}`, /line 2, column 65: arrays and objects in one another/],
    ['shape.jsonl', '{"x":[1,2],"y":1}\n{"x":[1,2,3],"y":1}', /line 2 of x is not 2 numbers, as the first row is/],
    ['object.jsonl', '{"x":[1,2],"y":{}}', /line 1 of y is an object/],
    ['short.parquet', 'PAR1', /not a Parquet file/],
    ['bad.parquet', 'PAR1 and then nothing PAR1', /no intact Parquet file/],
    ['bad.arrow', 'ARROW1\0\0 and then nothing', /no intact Arrow file/],
    ['data.xyz', '1', /the name does not say what is in it\n.*\.csv/],
  ] as const)('%s', async (name, content, said) => {
    for (const memory of [0, 2 ** 28]) expect(await refusal(async () => batchesOf(await open(name, content, { memory })))).toMatch(said);
  });

  it('columns of other types are refused by name', async () => {
    const dates = arrow.tableToIPC(arrow.tableFromArrays({ x0: [new Date(0)], x1: [1], y: Int32Array.of(1) }));
    expect(await refusal(() => open('dates.arrow', dates))).toMatch(/column "x0" is (?:Date|Timestamp)/);
  });
});

describe('what pyarrow wrote', () => {
  const made = (name: string): string => join(import.meta.dirname, '..', 'data', 'arrow', name);
  // Node has it from version 22.15 on.
  const zstd = 'zstdDecompressSync' in zlib ? ['zstd.parquet'] : [];

  it.each(['none.parquet', 'snappy.parquet', 'gzip.parquet', 'brotli.parquet', 'plain.feather', ...zstd])('%s', async (name) => {
    for (const memory of [0, 2 ** 28]) {
      const dataset = await openDataset(made(name), pair, { memory });
      expect(dataset).toMatchObject({ rows: 7, vocabularies: { y: { words: ['ant', 'cat', 'dog'] } } });
      expect(await elementsOf(dataset, 'x')).toEqual(kinds.flatMap((_, at) => [at / 4, 0 - at]));
      expect(await elementsOf(dataset, 'y')).toEqual(kinds.map((kind) => ['ant', 'cat', 'dog'].indexOf(kind)));
    }
  });

  it.each([
    ['lz4.parquet', /column x0 of this Parquet file is compressed by LZ4_RAW, which is not read\nWrite it with snappy/],
    ['lz4.feather', /the buffers of this Arrow file are compressed, which is not read\nWrite it with compression='uncompressed'/],
    ...(zstd.length > 0 ? [] : [['zstd.parquet', /compressed by ZSTD, which is not read\n.*Node 22\.15/] as const]),
  ] as const)('%s is packed in a way that is not read, and not called damaged', async (name, said) => {
    expect(await refusal(() => openDataset(made(name), pair))).toMatch(said);
  });
});

it('reads lists of Arrow as rows', async () => {
  const list = arrow.vectorFromArray(
    [
      [1, 2],
      [3, 4],
    ],
    new arrow.FixedSizeList(2, new arrow.Field('v', new arrow.Float32())),
  );
  const bytes = arrow.tableToIPC(new arrow.Table({ x: list, y: arrow.vectorFromArray([5, 6], new arrow.Int8()) }));
  expect(await batchesOf(await open('list.arrow', bytes))).toEqual([
    { x: { shape: [2, 2], data: [1, 2, 3, 4] }, y: { shape: [2], data: [5, 6] } },
  ]);
});

it('keeps 64-bit integers exact', async () => {
  const entry = entryOf({ id: ['i64'] });
  const large = 9007199254740993n;
  for (const [name, content] of [
    ['a.jsonl', `{"id":"${large}"}`],
    ['a.arrow', arrow.tableToIPC(arrow.tableFromArrays({ id: BigInt64Array.of(large) }))],
  ] as const)
    expect(await elementsOf(await open(name, content, {}, entry), 'id')).toEqual([large]);
  expect(await refusal(() => open('a.csv', `id\n${large}\n`, {}, entry))).toContain('line 2: 9007199254740992 is beyond 2⁵³');
});

it('takes a file that changes between epochs for damaged, not for other data', async () => {
  const dataset = await open('moving.csv', 'x0,x1,y\n1,2,a\n', { memory: 0 });
  file('moving.csv', 'x0,x1,y\n1,2,a\n1,2,b\n');
  expect(await refusal(() => batchesOf(dataset))).toContain('line 3: "b" is not in the vocabulary');
  file('moving.csv', 'x0,x1,y\n1,2,a\n1,,a\n');
  expect(await refusal(() => batchesOf(dataset))).toContain('line 3 has no value of x1');
});

it('names the package that a format needs and that is not installed', async () => {
  expect(await refusal(() => optionalPackage('no-such-package', 'Parquet', 'a.parquet'))).toBe(
    'bad-data: a.parquet: Parquet files are read by the package no-such-package, which is not installed\nnpm install no-such-package',
  );
});
