// Readers of data files. In: files that the tests write. Out: numbers as they were written, or bad-data that names the file.

import { gzipSync } from 'node:zlib';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { DiagnosticsError, type EntrySpec } from '../../src/driver/index.js';
import { batches, permutation } from '../../src/driver/data/batches.js';
import { readCsv } from '../../src/driver/data/csv.js';
import { readDataset } from '../../src/driver/data/dataset.js';
import { readDigits, readIdx } from '../../src/driver/data/idx.js';
import { readNpy } from '../../src/driver/data/npy.js';
import { idx, npy } from './files-of-data.js';

const directory = mkdtempSync(join(tmpdir(), 'tfc-data-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** Code and message of what `body` throws. */
function mistake(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    return error.message;
  }
  throw new Error('nothing was thrown');
}

describe('npy', () => {
  const floats = Float32Array.of(1.5, -2, 3, NaN, Infinity, 0.1);

  it.each([
    ['<f4', 'f32', floats],
    ['<f8', 'f64', Float64Array.of(0.1, 1e300, -0, NaN, 2, 3)],
    ['<i4', 'i32', Int32Array.of(-1, 2 ** 31 - 1, -(2 ** 31), 0, 5, 6)],
    ['<i8', 'i64', BigInt64Array.of(-1n, 2n ** 62n, 0n, 1n, 2n, 3n)],
    ['|u1', 'u8', Uint8Array.of(0, 255, 3, 4, 5, 6)],
    ['|b1', 'bool', Uint8Array.of(0, 1, 1, 0, 0, 1)],
  ])('reads %s as %s', (descr, dtype, data) => {
    expect(readNpy(file('a.npy', npy(descr, [2, 3], data)))).toEqual({ data, dtype, shape: [2, 3] });
  });

  it('reads scalars, empty arrays and vectors', () => {
    expect(readNpy(file('a.npy', npy('<f4', [], Float32Array.of(7))))).toMatchObject({ shape: [], data: Float32Array.of(7) });
    expect(readNpy(file('a.npy', npy('<f4', [0, 3], new Float32Array(0))))).toMatchObject({ shape: [0, 3] });
    expect(readNpy(file('a.npy', npy('<f4', [6], floats)))).toMatchObject({ shape: [6] });
  });

  it('refuses a file cut anywhere, or with bytes too many', () => {
    const whole = npy('<f4', [2, 3], floats);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        expect(mistake(() => readNpy(file('cut.npy', whole.subarray(0, length))))).toMatch(/^bad-data: .*cut\.npy/);
      }),
      { numRuns: 60 },
    );
    expect(mistake(() => readNpy(file('long.npy', Buffer.concat([whole, Buffer.alloc(4)]))))).toContain('malformed');
  });

  it('refuses other orders, other elements and other files, and says what to do', () => {
    expect(mistake(() => readNpy(file('f.npy', npy('<f4', [2, 3], floats, true))))).toContain('Fortran order');
    expect(mistake(() => readNpy(file('c.npy', npy('<c8', [3], floats))))).toContain('elements of type');
    expect(mistake(() => readNpy(file('u.npy', npy('<u2', [2], Uint16Array.of(1, 2)))))).toContain('elements of type');
    expect(mistake(() => readNpy(file('b.npy', npy('>f4', [6], floats))))).toMatch(/^bad-data/);
    expect(mistake(() => readNpy(file('t.npy', 'hello, I am no array')))).toContain('not a NumPy array file');
    expect(mistake(() => readNpy(join(directory, 'nowhere.npy')))).toMatch(/^file-not-found: .*nowhere\.npy: no such file/);
  });

  it('takes any bytes behind a valid start without anything but a diagnostic', () => {
    const start = npy('<f4', [2, 3], floats).subarray(0, 10);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const path = file('random.npy', Buffer.concat([start, bytes]));
        try {
          readNpy(path);
        } catch (error) {
          expect(error).toBeInstanceOf(DiagnosticsError);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('idx', () => {
  const bytes = Uint8Array.from({ length: 24 }, (_, at) => at);

  it('reads plain and gzipped files', () => {
    const whole = idx([2, 3, 4], bytes);
    for (const content of [whole, gzipSync(whole)]) expect(readIdx(file('a-idx3-ubyte', content))).toEqual({ data: bytes, shape: [2, 3, 4] });
  });

  it.each([
    ['plain', idx([2, 3, 4], bytes)],
    ['gzipped', gzipSync(idx([2, 3, 4], bytes))],
  ])('refuses a %s file cut anywhere', (_, whole) => {
    for (let length = 0; length < whole.length; length++) expect(mistake(() => readIdx(file('cut', whole.subarray(0, length)))), `${length} bytes`).toMatch(/^bad-data: .*cut/);
  });

  it('refuses files of other elements, and with bytes too many', () => {
    expect(mistake(() => readIdx(file('floats', Buffer.concat([Buffer.from([0, 0, 13, 1, 0, 0, 0, 1]), Buffer.alloc(4)]))))).toContain('not an IDX file');
    expect(mistake(() => readIdx(file('long', Buffer.concat([idx([3], Uint8Array.of(1, 2, 3)), Buffer.alloc(1)]))))).toContain('3 bytes are promised, 4 are there');
  });

  it("finds MNIST's files, and says when images and labels do not fit", () => {
    file('digits/t10k-images-idx3-ubyte.gz', gzipSync(idx([2, 3, 4], bytes)));
    file('digits/t10k-labels-idx1-ubyte', idx([2], Uint8Array.of(7, 1)));
    const digits = readDigits(join(directory, 'digits'));
    expect(digits).toMatchObject({ count: 2, pixels: 12, labels: Int32Array.of(7, 1) });
    expect(digits.images[23]).toBe(Math.fround(23 / 255));
    expect(mistake(() => readDigits(join(directory, 'digits'), 'train'))).toMatch(/^file-not-found: .*train-images-idx3-ubyte/);
    file('digits/train-images-idx3-ubyte', idx([1, 3, 4], bytes.subarray(0, 12)));
    file('digits/train-labels-idx1-ubyte', idx([1], Uint8Array.of(3)));
    expect(readDigits(join(directory, 'digits'))).toMatchObject({ count: 1, labels: Int32Array.of(3) });
    file('digits/train-labels-idx1-ubyte', idx([2], Uint8Array.of(3, 4)));
    expect(mistake(() => readDigits(join(directory, 'digits'), 'train'))).toContain('1 images, but 2 labels');
  });
});

describe('csv', () => {
  it('reads numbers, counts blanks, and leaves columns of text alone', () => {
    const [a, b, c] = readCsv(file('a.csv', '\ufeffa, b ,c\r\n1,,x\r\n-2.5e3,4,y\r\n'));
    expect(a).toEqual({ name: 'a', numbers: Float64Array.of(1, -2500), blanks: 0 });
    expect(b).toEqual({ name: 'b', numbers: Float64Array.of(NaN, 4), blanks: 1 });
    expect(c).toEqual({ name: 'c', numbers: undefined, blanks: 0 });
  });

  it('refuses ragged rows, mixed columns, repeated names and files without rows', () => {
    expect(mistake(() => readCsv(file('ragged.csv', 'a,b\n1,2\n3\n')))).toMatch(/^bad-data: .*ragged\.csv.*line 3/);
    expect(mistake(() => readCsv(file('mixed.csv', 'a,b\n1,2\nx,3\n')))).toContain('column "a" mixes numbers and text: "x" in row 2');
    expect(mistake(() => readCsv(file('twice.csv', 'a,a\n1,2\n')))).toContain('two columns are called "a"');
    expect(mistake(() => readCsv(file('head.csv', 'a,b\n')))).toContain('no rows');
    expect(mistake(() => readCsv(file('empty.csv', '')))).toContain('no rows');
    expect(mistake(() => readCsv(file('quote.csv', 'a,b\n1,"2\n')))).toMatch(/^bad-data/);
    expect(mistake(() => readCsv(join(directory, 'nowhere.csv')))).toMatch(/^file-not-found/);
  });
});

describe('batches', () => {
  it('permutes: every row once, the same order for the same seed, another one for another seed or epoch', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), fc.nat(), fc.integer({ min: 1, max: 9 }), (count, seed, epoch) => {
        const order = permutation(count, seed, epoch);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, at) => at));
        expect(permutation(count, seed, epoch)).toEqual(order);
      }),
    );
    expect(permutation(100, 1, 1)).not.toEqual(permutation(100, 2, 1));
    expect(permutation(100, 1, 1)).not.toEqual(permutation(100, 1, 2));
  });

  it('puts each value in each place about equally often', () => {
    const counts = new Float64Array(25);
    for (let seed = 0; seed < 5000; seed++) permutation(5, seed, 1).forEach((value, place) => (counts[5 * place + value]! += 1));
    // 5,000 draws of probability 1/5 deviate by 28; six deviations never happen by chance.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(6 * 28.3);
  });

  it('cuts columns along the same order, with a smaller last batch', () => {
    const x = { name: 'x', data: Float32Array.from({ length: 14 }, (_, at) => at), rows: 7, rowShape: [2] };
    const y = { name: 'y', data: Int32Array.from({ length: 7 }, (_, at) => 10 * at), rows: 7, rowShape: [] };
    const seen: number[] = [];
    const sizes: number[] = [];
    for (const { feeds, rows } of batches([x, y], 7, 3, permutation(7, 1, 1))) {
      const [bx, by] = [feeds['x'], feeds['y']] as { readonly data: Float32Array; readonly shape: number[] }[];
      expect([bx?.shape, by?.shape]).toEqual([[rows, 2], [rows]]);
      for (let row = 0; row < rows; row++) {
        const label = by?.data[row] ?? NaN;
        expect([bx?.data[2 * row], bx?.data[2 * row + 1]]).toEqual([label / 5, label / 5 + 1]);
        seen.push(label / 10);
      }
      sizes.push(rows);
    }
    expect(sizes).toEqual([3, 3, 1]);
    expect(seen.sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});

describe('data sets', () => {
  const free = [[1, ['B']]] as const;
  const step = (...feeds: EntrySpec['feeds']): EntrySpec => ({ name: 'train', kind: 'step', dims: ['B'], ranks: {}, facts: [], feeds, outputs: [], result: { kind: 'record', fields: [] }, reads: [], writes: [] });
  const entry = step({ name: 'x', dtype: 'f32', shape: [free, 2] }, { name: 'y', dtype: 'i32', shape: [free] }, { name: 'lr', dtype: 'f32', shape: [] });
  const expected = { rows: 3, columns: [{ name: 'x', data: Float32Array.of(1, 2, 3, 4, 5, 6), rows: 3, rowShape: [2] }, { name: 'y', data: Int32Array.of(0, 1, 2), rows: 3, rowShape: [] }] };

  it('reads JSON, CSV and npy alike', () => {
    file('set/x.npy', npy('<f8', [3, 2], Float64Array.of(1, 2, 3, 4, 5, 6)));
    file('set/y.npy', npy('<i8', [3], BigInt64Array.of(0n, 1n, 2n)));
    expect(readDataset(join(directory, 'set'), entry)).toEqual(expected);
    expect(readDataset(file('set.json', JSON.stringify({ y: [0, 1, 2], x: [[1, 2], [3, 4], [5, 6]], other: 'ignored' })), entry)).toEqual(expected);
    expect(readDataset(file('set.csv', 'width,height,kind\n1,2,0\n3,4,1\n5,6,2\n'), entry)).toEqual(expected);
  });

  it('takes columns of CSV by the names of feeds', () => {
    const pair = step({ name: 'b', dtype: 'f64', shape: [free, 1] }, { name: 'a', dtype: 'f32', shape: [free] });
    expect(readDataset(file('named.csv', 'a,note,b\n1,hi,2\n3,ho,4\n'), pair)).toEqual({
      rows: 2,
      columns: [{ name: 'b', data: Float64Array.of(2, 4), rows: 2, rowShape: [1] }, { name: 'a', data: Float32Array.of(1, 3), rows: 2, rowShape: [] }],
    });
  });

  it('gives images the shape that the feed declares', () => {
    file('images/t10k-images-idx3-ubyte', idx([2, 3, 4], new Uint8Array(24)));
    file('images/t10k-labels-idx1-ubyte', idx([2], Uint8Array.of(7, 1)));
    const { columns } = readDataset(join(directory, 'images'), step({ name: 'picture', dtype: 'f32', shape: [free, 1, 3, 4] }, { name: 'label', dtype: 'i32', shape: [free] }));
    expect(columns.map((column) => column.rowShape)).toEqual([[1, 3, 4], []]);
  });

  it.each([
    ['rows.json', '{"x":[[1,2],[3,4]],"y":[0]}', 'x has 2 rows, y has 1'],
    ['ragged.json', '{"x":[[1,2],[3]],"y":[0,1]}', 'row 1 of x is not 2 numbers'],
    ['deep.json', '{"x":[[1,2],[[3,4]]],"y":[0,1]}', 'row 1 of x is not 2 numbers'],
    ['wide.json', '{"x":[[1,2,3]],"y":[0]}', 'shape-mismatch: '],
    ['missing.json', '{"x":[[1,2]]}', 'no array with a row per example for the feed y'],
    ['list.json', '[1,2]', 'expected one object'],
    ['bare.json', '{"x":[[1,NaN]],"y":[0]}', 'NaN and Infinity are no JSON'],
    ['cut.json', '{"x":[[1,', 'not JSON'],
    ['none.json', '{"x":[],"y":[]}', 'no array with a row per example for the feed x'],
    ['half.json', '{"x":[[1,2]],"y":[0.5]}', 'dtype-mismatch: '],
    ['large.json', '{"x":[[1,2]],"y":[3000000000]}', 'the range of i32'],
    ['blank.csv', 'a,b,c\n1,,3\n', 'column "b" has 1 blank cell'],
    ['few.csv', 'a\n1\n', 'do not say which feed they are'],
    ['wide.csv', 'a,b,c,d\n1,2,3,4\n', 'shape-mismatch: '],
  ])('refuses %s', (name, content, said) => {
    expect(mistake(() => readDataset(file(name, content), entry))).toContain(said);
  });

  it('takes NaN as a string, and says which file of a directory is missing', () => {
    expect(readDataset(file('nan.json', '{"x":[["NaN","-Infinity"]],"y":[true]}'), entry).columns[0]?.data).toEqual(Float32Array.of(NaN, -Infinity));
    mkdirSync(join(directory, 'hollow'), { recursive: true });
    expect(mistake(() => readDataset(join(directory, 'hollow'), entry))).toMatch(/^file-not-found: .*x\.npy/);
    expect(mistake(() => readDataset(join(directory, 'nowhere'), entry))).toMatch(/^file-not-found: /);
  });

  it('needs exactly one size that could be the batch', () => {
    expect(mistake(() => readDataset('unread', step({ name: 'x', dtype: 'f32', shape: [3] })))).toContain('no feed whose first axis is a free size');
    const two = step({ name: 'x', dtype: 'f32', shape: [free] }, { name: 'y', dtype: 'f32', shape: [[[1, ['C']]]] });
    expect(mistake(() => readDataset('unread', two))).toContain('several sizes that could be the batch (B, C)');
  });
});
