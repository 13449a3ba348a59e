// Readers of data files. In: files that the tests write. Out: numbers as they were written, or bad-data that names the file.

import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type Diagnostic, DiagnosticsError, type ElementType, type EntrySpec } from '../../src/driver/index.js';
import { batches, permutation } from '../../src/train/data/batches.js';
import { readCsv } from '../../src/train/data/csv.js';
import { openDataset } from '../../src/train/data/open-dataset.js';
import { readDigits, readIdx } from '../../src/train/data/idx.js';
import { readNpy } from '../../src/train/data/npy.js';
import type { Column } from '../../src/train/data/table.js';
import { idx, npy, npyOf } from './files-of-data.js';

const directory = mkdtempSync(join(tmpdir(), 'tfc-data-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

function failure(body: () => unknown): DiagnosticsError {
  try {
    body();
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    return error;
  }
  throw new Error('nothing was thrown');
}

/** Code and message of what `body` throws. */
const mistake = (body: () => unknown): string => failure(body).message;
const diagnosed = (body: () => unknown): Diagnostic => failure(body).diagnostics[0] as Diagnostic;

/** The same of what fails later. */
async function refusal(body: () => Promise<unknown>): Promise<string> {
  try {
    await body();
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
    ['<f2', 'f16', Uint16Array.of(0x3c00, 0x7e00, 0, 0x8000, 1, 0x7bff)],
    ['|i1', 'i8', Int8Array.of(-128, 127, 0, 1, -1, 5)],
    ['<i2', 'i16', Int16Array.of(-32768, 32767, 0, 1, -1, 5)],
    ['<u2', 'u16', Uint16Array.of(0, 65535, 1, 2, 3, 4)],
    ['<u4', 'u32', Uint32Array.of(0, 2 ** 32 - 1, 1, 2, 3, 4)],
    ['<u8', 'u64', BigUint64Array.of(0n, 2n ** 64n - 1n, 1n, 2n, 3n, 4n)],
    ['=f4', 'f32', floats],
    ['f4', 'f32', floats],
    ['>u1', 'u8', Uint8Array.of(0, 255, 3, 4, 5, 6)],
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

  it.each([
    ["{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", [1, 0]],
    ["{'descr':'<f8','fortran_order':False,'shape':(3,)}", [1, 0]],
    [' {"shape": (3L,), "fortran_order": False, "descr": u\'<f8\'}\n', [2, 0]],
    ["{'descr': '<f8', 'fortran_order': False, 'shape': (\n3,\n), } \t\n\n", [3, 0]],
    ["{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}".padEnd(10_000), [1, 0]],
  ] as const)('reads the header %.60j, wherever the elements start', (header, version) => {
    const data = Float64Array.of(0.1, -7, 1e300);
    expect(readNpy(file('a.npy', npyOf(header, data, version)))).toEqual({ data, dtype: 'f64', shape: [3] });
  });

  // NumPy refuses all of these but the one that gives the shape twice.
  it.each([
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }x",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\0",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': 3}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': [3]}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (03,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3.0,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3,,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (,3)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': ('3',)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'shape': (3,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'more': 1}",
    "{'descr': '<f8', 'fortran_order': False}",
    "{'descr': '<f8', 'fortran_order': 0, 'shape': (3,)}",
    "{'descr': '<f8', 'fortran_order': false, 'shape': (3,)}",
    "{'descr': '<f8', 'fortran_order': False 'shape': (3,)}",
    "{'descr': '<f8 ', 'fortran_order': False, 'shape': (3,)}",
    "{'descr': '<f3', 'fortran_order': False, 'shape': (3,)}",
    "{'descr': b'<f8', 'fortran_order': False, 'shape': (3,)}",
    "{'descr': None, 'fortran_order': False, 'shape': (3,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)",
    "['descr', '<f8']",
    '('.repeat(9000),
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}".padEnd(10_001),
    '',
  ])('refuses the header %.60j', (header) => {
    expect(mistake(() => readNpy(file('h.npy', npyOf(header, new Float64Array(3)))))).toMatch(/^bad-data: .*h\.npy/);
  });

  it('refuses versions that there are not, and integers of Python 2 where that wrote none', () => {
    const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}";
    for (const version of [
      [0, 0],
      [1, 1],
      [4, 0],
    ] as const)
      expect(mistake(() => readNpy(file('v.npy', npyOf(header, new Float64Array(3), version))))).toContain(`version ${version.join('.')}`);
    expect(mistake(() => readNpy(file('v.npy', npyOf(header.replace('3', '3L'), new Float64Array(3), [3, 0]))))).toContain(
      'malformed header',
    );
  });

  it('turns arrays in Fortran order', () => {
    // numpy.asfortranarray(numpy.arange(24).reshape(2, 3, 4)): the first axis runs fastest.
    const columns = Int32Array.from({ length: 24 }, (_, at) => 12 * (at % 2) + 4 * (Math.floor(at / 2) % 3) + Math.floor(at / 6));
    expect(readNpy(file('f.npy', npy('<i4', [2, 3, 4], columns, true)))).toEqual({
      data: Int32Array.from({ length: 24 }, (_, at) => at),
      dtype: 'i32',
      shape: [2, 3, 4],
    });
    // A NaN that signals stays what it is.
    const bits = Uint32Array.of(0x7fa00001, 1, 2, 0xffbfffff);
    expect(new Uint32Array(readNpy(file('f.npy', npy('<f4', [2, 2], bits, true))).data.buffer, 0, 4)).toEqual(
      Uint32Array.of(0x7fa00001, 2, 1, 0xffbfffff),
    );
    const longs = BigInt64Array.of(1n, 4n, 2n, 5n, 3n, 6n);
    expect(readNpy(file('f.npy', npy('<i8', [2, 3], longs, true))).data).toEqual(BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 6n));
    expect(readNpy(file('f.npy', npy('<f4', [6], floats, true))).data).toEqual(floats);
    expect(readNpy(file('f.npy', npy('<f4', [0, 3], new Float32Array(0), true))).shape).toEqual([0, 3]);
  });

  it.each([
    ['|i16', 'int128'],
    ['<u16', 'uint128'],
    ['<c8', 'complex64'],
    ['<f16', 'float128'],
    ['|S3', 'bytes (|S3)'],
    ['<U3', 'str (|U3)'],
    ['|V2', 'void (|V2)'],
    ['|O', 'object'],
    ['<M8[ns]', '"<M8[ns]"'],
    ['|b2', '"|b2"'],
  ])('names the type of %s and says what to do', (descr, name) => {
    const { code, message, hint } = diagnosed(() => readNpy(file('t.npy', npy(descr, [2], new Float64Array(2)))));
    expect([code, message.replace(/^.*: /, '')]).toEqual(['bad-data', `elements of type ${name} are not taken`]);
    expect(hint).toContain('are taken');
  });

  it('tells big-endian numbers, records, bools that are none, and other files', () => {
    expect(diagnosed(() => readNpy(file('b.npy', npy('>f4', [6], floats))))).toMatchObject({
      code: 'bad-data',
      message: expect.stringContaining('big-endian (>f4)'),
      hint: expect.stringContaining("x.astype('<f4')"),
    });
    expect(
      mistake(() =>
        readNpy(file('r.npy', npyOf("{'descr': [('a', '<f4'), ('b', '<i4', (2,))], 'fortran_order': False, 'shape': (1,)}", floats))),
      ),
    ).toContain('records');
    expect(mistake(() => readNpy(file('o.npy', npy('|b1', [3], Uint8Array.of(0, 1, 2)))))).toContain('element 2 is 2');
    expect(mistake(() => readNpy(file('t.npy', 'hello, I am no array')))).toContain('not a NumPy array file');
    expect(mistake(() => readNpy(join(directory, 'nowhere.npy')))).toMatch(/^file-not-found: .*nowhere\.npy: no such file/);
  });

  it('takes no memory for what a header promises', () => {
    for (const shape of [[2 ** 40], [2 ** 31, 2 ** 31], [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER], [2 ** 31, 2 ** 31, 0]])
      expect(mistake(() => readNpy(file('huge.npy', npy('<f4', shape, new Float32Array(0)))))).toContain('malformed');
    expect(readNpy(file('none.npy', npy('<f4', [2147483648, 0], new Float32Array(0))))).toMatchObject({
      shape: [2147483648, 0],
      data: new Float32Array(0),
    });
    const path = file('long.npy', npy('<f4', [2 ** 30 + 1], new Float32Array(0)));
    truncateSync(path, 128 + 4 * (2 ** 30 + 1));
    expect(mistake(() => readNpy(path))).toContain('4 GiB');
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
    for (const content of [whole, gzipSync(whole)])
      expect(readIdx(file('a-idx3-ubyte', content))).toEqual({ data: bytes, shape: [2, 3, 4] });
  });

  it.each([
    ['plain', idx([2, 3, 4], bytes)],
    ['gzipped', gzipSync(idx([2, 3, 4], bytes))],
  ])('refuses a %s file cut anywhere', (_, whole) => {
    for (let length = 0; length < whole.length; length++)
      expect(
        mistake(() => readIdx(file('cut', whole.subarray(0, length)))),
        `${length} bytes`,
      ).toMatch(/^bad-data: .*cut/);
  });

  it('refuses files of other elements, and with bytes too many', () => {
    expect(mistake(() => readIdx(file('floats', Buffer.concat([Buffer.from([0, 0, 13, 1, 0, 0, 0, 1]), Buffer.alloc(4)]))))).toContain(
      'not an IDX file of unsigned bytes, but of 32-bit floats',
    );
    expect(mistake(() => readIdx(file('long', Buffer.concat([idx([3], Uint8Array.of(1, 2, 3)), Buffer.alloc(1)]))))).toContain(
      '3 bytes are promised, 4 are there',
    );
    for (const shape of [[2 ** 32 - 1, 2 ** 32 - 1], [2 ** 32 - 1, 2 ** 32 - 1, 0], Array<number>(255).fill(2 ** 32 - 1)])
      expect(mistake(() => readIdx(file('huge', idx(shape, bytes))))).toContain('too many');
  });

  it('takes what gzip takes: several members, zeros behind them, names and comments', () => {
    const whole = idx([2, 3, 4], bytes);
    const packed = gzipSync(whole);
    const members = Buffer.concat([gzipSync(whole.subarray(0, 9)), gzipSync(whole.subarray(9)), Buffer.alloc(20)]);
    const head = Buffer.from(packed.subarray(0, 10));
    head[3] = 8 | 16;
    const named = Buffer.concat([head, Buffer.from(`${'long name '.repeat(1000)}\0note\0`), packed.subarray(10)]);
    for (const content of [members, named]) expect(readIdx(file('packed', content))).toEqual({ data: bytes, shape: [2, 3, 4] });
    for (const garbage of ['x', '\0x', '\x1f', '\x1f\x8b\x08'])
      expect(
        mistake(() => readIdx(file('tail', Buffer.concat([packed, Buffer.from(garbage, 'latin1')])))),
        garbage,
      ).toContain('damaged gzip data');
  });

  it('refuses every change of a packed file, or reads what was written', () => {
    const random = Uint8Array.from(permutation(256, 1, 1));
    for (const packed of [
      gzipSync(idx([256], random)),
      gzipSync(
        idx(
          [256],
          random.map((byte) => byte % 8),
        ),
      ),
    ]) {
      const expected = readIdx(file('whole', packed));
      fc.assert(
        fc.property(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
          const damaged = Buffer.from(packed);
          damaged[at] = (damaged[at] as number) ^ change;
          const path = file('damaged', damaged);
          // Some bits say nothing: the time of writing, those that fill up the last byte.
          let found: unknown;
          try {
            found = readIdx(path);
          } catch (error) {
            expect(error).toBeInstanceOf(DiagnosticsError);
            return;
          }
          expect(found).toEqual(expected);
        }),
        { numRuns: 1000 },
      );
    }
  });

  it('unpacks no more than was promised', () => {
    const start = process.memoryUsage.rss();
    const zeros = gzipSync(Buffer.concat([idx([10], new Uint8Array(10)), Buffer.alloc(2 ** 26)]));
    expect(mistake(() => readIdx(file('bomb', zeros)))).toContain('10 bytes are promised, and more are there');
    expect(mistake(() => readIdx(file('bomb', gzipSync(Buffer.alloc(2 ** 26, 1)))))).toContain('not an IDX file');
    expect(mistake(() => readIdx(file('bomb', gzipSync(idx([2 ** 32 - 1], new Uint8Array(1000))))))).toContain('truncated');
    expect(process.memoryUsage.rss() - start).toBeLessThan(3 * 2 ** 26);
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
    file('digits/train-labels-idx1-ubyte', idx([1, 1], Uint8Array.of(3)));
    expect(mistake(() => readDigits(join(directory, 'digits'), 'train'))).toContain('labels of 2 axes');
    file('digits/train-images-idx3-ubyte', idx([1, 3, 2, 2], bytes.subarray(0, 12)));
    expect(mistake(() => readDigits(join(directory, 'digits'), 'train'))).toContain('images of 4 axes');
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
    expect(mistake(() => readCsv(file('mixed.csv', 'a,b\n1,2\nx,3\n')))).toContain('column "a" mixes numbers and text: "x" in line 3');
    expect(mistake(() => readCsv(file('twice.csv', 'a,a\n1,2\n')))).toContain('two columns are called "a"');
    expect(mistake(() => readCsv(file('head.csv', 'a,b\n')))).toContain('no rows');
    expect(mistake(() => readCsv(file('empty.csv', '')))).toContain('no rows');
    expect(mistake(() => readCsv(file('quote.csv', 'a,b\n1,"2\n')))).toMatch(/^bad-data/);
    expect(mistake(() => readCsv(join(directory, 'nowhere.csv')))).toMatch(/^file-not-found/);
  });
});

describe('numbers in csv', () => {
  // As Python's float reads them, but for digits of other scripts and underscores.
  it.each([
    ['1e5', 1e5],
    ['-.5', -0.5],
    ['+5.', 5],
    ['1E-400', 0],
    ['007', 7],
    ['nan', NaN],
    ['-NaN', NaN],
    ['inf', Infinity],
    ['-Infinity', -Infinity],
    ['+INF', Infinity],
  ])('%s is a number', (cell, number) => {
    expect(readCsv(file('n.csv', `a\n${cell}\n`))[0]?.numbers).toEqual(Float64Array.of(number));
  });

  it.each(['0x10', '0b1', '0o7', '1_000', '1,5'.replace(',', ';'), '--1', '1e', 'e1', '.', '+', 'NA', 'null', 'infinit', '١'])(
    '%s is text',
    (cell) => {
      expect(mistake(() => readCsv(file('n.csv', `a,b\n1,2\n${cell},3\n`)))).toContain(
        `mixes numbers and text: ${JSON.stringify(cell)} in line 3`,
      );
      expect(readCsv(file('n.csv', `a\n${cell}\n`))[0]?.numbers).toBeUndefined();
    },
  );

  it('refuses numbers beyond the range, and what is no text, with their places', () => {
    expect(mistake(() => readCsv(file('n.csv', 'a,b\n1,2\n3,-1e999\n')))).toContain('line 3, column "b": -1e999 is beyond the range');
    expect(mistake(() => readCsv(file('n.csv', Buffer.from('a\n1\n2\xff\n', 'latin1'))))).toContain(
      'not UTF-8: line 3, byte 5 of the file',
    );
    expect(mistake(() => readCsv(file('n.csv', Buffer.from('\ufffd\n1\n\ufffd2'))))).toContain('mixes');
    expect(mistake(() => readCsv(file('n.csv', Buffer.concat([Buffer.from('\ufffd\n\ufffd'), Buffer.from([0xe2, 0x82])]))))).toContain(
      'not UTF-8: line 2, byte 7 of the file',
    );
    expect(mistake(() => readCsv(file('n.csv', 'a\n1\0\n')))).toContain('byte 3 of the file is zero');
    expect(mistake(() => readCsv(file('n.csv', 'a\n1\n\ufeff2\n')))).toContain('byte order mark at byte 4');
    expect(mistake(() => readCsv(file('n.csv', Buffer.from('\ufeffa\n1\n', 'utf16le'))))).toContain('not UTF-8: line 1, byte 0');
  });

  it('reads lines however they end, and many columns', () => {
    for (const end of ['\n', '\r\n', '\r'])
      expect(readCsv(file('n.csv', ['a,b', '1,2', '', '3,4'].join(end)))).toMatchObject([
        { numbers: Float64Array.of(1, 3) },
        { numbers: Float64Array.of(2, 4) },
      ]);
    expect(mistake(() => readCsv(file('n.csv', 'a,b\n1,2\r3,4\n')))).toContain('a carriage return without a line feed at byte 7');
    expect(readCsv(file('n.csv', 'a,b\r\n1,2\n3,4\n5,"6\n"'))).toMatchObject([
      { numbers: Float64Array.of(1, 3, 5) },
      { numbers: Float64Array.of(2, 4, 6) },
    ]);
    const names = Array.from({ length: 50_000 }, (_, at) => `c${at}`);
    expect(readCsv(file('n.csv', `${names.join()}\n${names.map((_, at) => at).join()}\n`)).at(-1)).toEqual({
      name: 'c49999',
      numbers: Float64Array.of(49_999),
      blanks: 0,
    });
    expect(mistake(() => readCsv(file('n.csv', `a\n${'7'.repeat(2 ** 24 + 9)}`)))).toContain('Max Record Size');
  });
});

describe('what is no regular file', () => {
  it('is refused at once by every reader', () => {
    const fifo = join(directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    for (const path of [fifo, '/dev/zero'])
      for (const read of [readNpy, readIdx, readCsv])
        expect(mistake(() => read(path))).toBe(
          `file-not-found: ${path}: ${path === fifo ? 'is a pipe' : 'is a device'}, and no regular file`,
        );
    expect(mistake(() => readNpy(directory))).toContain('is a directory');
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
    for (const { feeds, rows } of batches([x, y], permutation(7, 1, 1), 3)) {
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
  /** What is in memory of a data set, without what says of which type it is. */
  const readTable = async (path: string, of: EntrySpec): Promise<{ readonly columns: readonly Column[]; readonly rows: unknown }> => {
    const { data = [], rows } = await openDataset(path, of);
    return { columns: data.map(({ name, data: elements, rows: own, rowShape }) => ({ name, data: elements, rows: own, rowShape })), rows };
  };
  const free = [[1, ['B']]] as const;
  const step = (...feeds: EntrySpec['feeds']): EntrySpec => ({
    name: 'train',
    kind: 'step',
    dims: ['B'],
    ranks: {},
    facts: [],
    feeds,
    outputs: [],
    result: { kind: 'record', fields: [] },
    reads: [],
    writes: [],
  });
  const entry = step(
    { name: 'x', dtype: 'f32', shape: [free, 2] },
    { name: 'y', dtype: 'i32', shape: [free] },
    { name: 'lr', dtype: 'f32', shape: [] },
  );
  const expected = {
    rows: 3,
    columns: [
      { name: 'x', data: Float32Array.of(1, 2, 3, 4, 5, 6), rows: 3, rowShape: [2] },
      { name: 'y', data: Int32Array.of(0, 1, 2), rows: 3, rowShape: [] },
    ],
  };

  it('reads JSON, CSV and npy alike', async () => {
    file('set/x.npy', npy('<f8', [3, 2], Float64Array.of(1, 2, 3, 4, 5, 6)));
    file('set/y.npy', npy('<i8', [3], BigInt64Array.of(0n, 1n, 2n)));
    expect(await readTable(join(directory, 'set'), entry)).toEqual(expected);
    expect(
      await readTable(
        file(
          'set.json',
          JSON.stringify({
            y: [0, 1, 2],
            x: [
              [1, 2],
              [3, 4],
              [5, 6],
            ],
            other: 'ignored',
          }),
        ),
        entry,
      ),
    ).toEqual(expected);
    expect(await readTable(file('set.csv', 'width,height,kind\n1,2,0\n3,4,1\n5,6,2\n'), entry)).toEqual(expected);
  });

  it('takes columns of CSV by the names of feeds', async () => {
    const pair = step({ name: 'b', dtype: 'f64', shape: [free, 1] }, { name: 'a', dtype: 'f32', shape: [free] });
    expect(await readTable(file('named.csv', 'a,note,b\n1,hi,2\n3,ho,4\n'), pair)).toEqual({
      rows: 2,
      columns: [
        { name: 'b', data: Float64Array.of(2, 4), rows: 2, rowShape: [1] },
        { name: 'a', data: Float32Array.of(1, 3), rows: 2, rowShape: [] },
      ],
    });
  });

  it('gives images the shape that the feed declares', async () => {
    file('images/t10k-images-idx3-ubyte', idx([2, 3, 4], new Uint8Array(24)));
    file('images/t10k-labels-idx1-ubyte', idx([2], Uint8Array.of(7, 1)));
    const { columns } = await readTable(
      join(directory, 'images'),
      step({ name: 'picture', dtype: 'f32', shape: [free, 1, 3, 4] }, { name: 'label', dtype: 'i32', shape: [free] }),
    );
    expect(columns.map((column) => column.rowShape)).toEqual([[1, 3, 4], []]);
  });

  it.each([
    ['rows.json', '{"x":[[1,2],[3,4]],"y":[0]}', 'x has 2 rows, y has 1'],
    ['ragged.json', '{"x":[[1,2],[3]],"y":[0,1]}', 'row 1 of x is not 2 numbers'],
    ['deep.json', '{"x":[[1,2],[[3,4]]],"y":[0,1]}', 'row 1 of x is not 2 numbers'],
    ['wide.json', '{"x":[[1,2,3]],"y":[0]}', 'shape-mismatch: '],
    ['missing.json', '{"x":[[1,2]]}', 'no column of numbers is left for the feed y'],
    ['list.json', '[1,2]', 'row 0 is no object'],
    ['bare.json', '{"x":[[1,NaN]],"y":[0]}', 'NaN and Infinity are no JSON'],
    ['cut.json', '{"x":[[1,', 'not JSON'],
    ['none.json', '{"x":[],"y":[]}', 'no data'],
    ['half.json', '{"x":[[1,2]],"y":[0.5]}', 'dtype-mismatch: '],
    ['large.json', '{"x":[[1,2]],"y":[3000000000]}', 'the range of i32'],
    ['huge.json', '{"x":[[1,1e999]],"y":[0]}', 'line 1, column 10: 1e999 is beyond the range of numbers'],
    ['twice.json', '{"x":[[1,2]],"y":[0],\n "x":[[3,4]]}', 'line 2, column 2: "x" is given twice'],
    ['nested.json', `{"x":${'['.repeat(1e6)}`, 'more than 64 deep'],
    ['liar.json', `{"x":[[${'1,'.repeat(2e5)}1]${',1'.repeat(2e5)}],"y":[0${',0'.repeat(2e5)}]}`, 'row 1 of x is not'],
    ['bytes.json', Buffer.from('{"x":"\xff"}', 'latin1'), 'not UTF-8: line 1, byte 6'],
    ['blank.csv', 'a,b,c\n1,,3\n', 'column "b" has 1 blank cell'],
    ['few.csv', 'a\n1\n', 'do not say which feed they are'],
    ['wide.csv', 'a,b,c,d\n1,2,3,4\n', 'shape-mismatch: '],
  ])('refuses %s', async (name: string, content: string | Uint8Array, said: string) => {
    expect(await refusal(() => readTable(file(name, content), entry))).toContain(said);
  });

  it('takes NaN as a string, and says which file of a directory is missing', async () => {
    expect((await readTable(file('nan.json', '{"x":[["NaN","-Infinity"]],"y":[true]}'), entry)).columns[0]?.data).toEqual(
      Float32Array.of(NaN, -Infinity),
    );
    mkdirSync(join(directory, 'hollow'), { recursive: true });
    expect(await refusal(() => readTable(join(directory, 'hollow'), entry))).toMatch(/^file-not-found: .*x\.npy/);
    expect(await refusal(() => readTable(join(directory, 'nowhere'), entry))).toMatch(/^file-not-found: /);
  });

  it('gives every element type to a feed that takes it', async () => {
    const one = (dtype: ElementType): EntrySpec => step({ name: 'x', dtype, shape: [free] });
    const dataOf = async (path: string, dtype: ElementType): Promise<unknown> => (await readTable(path, one(dtype))).columns[0]?.data;
    const set = (content: Buffer): string => join(file('one/x.npy', content), '..');
    expect(await dataOf(set(npy('<f2', [2], Uint16Array.of(0x3c00, 0x7e01))), 'f16')).toEqual(Uint16Array.of(0x3c00, 0x7e01));
    expect(await dataOf(set(npy('<f2', [2], Uint16Array.of(0x3c00, 0xc000))), 'f32')).toEqual(Float32Array.of(1, -2));
    expect(await dataOf(set(npy('<i8', [2], BigInt64Array.of(2n ** 60n + 1n, -1n))), 'i64')).toEqual(BigInt64Array.of(2n ** 60n + 1n, -1n));
    expect(await refusal(() => dataOf(set(npy('<i8', [1], BigInt64Array.of(2n ** 31n))), 'i32'))).toContain('the range of i32');
    expect(await dataOf(set(npy('<f4', [2], Float32Array.of(1, 0.1))), 'bf16')).toEqual(Uint16Array.of(0x3f80, 0x3dcd));
    expect(await dataOf(file('one.json', '{"x":[1,"9007199254740993",-2]}'), 'i64')).toEqual(BigInt64Array.of(1n, 9007199254740993n, -2n));
    expect(await refusal(() => dataOf(file('one.json', '{"x":[9007199254740993]}'), 'i64'))).toContain('beyond 2⁵³');
    expect(await refusal(() => dataOf(file('one.json', '{"x":["9223372036854775808"]}'), 'i64'))).toContain('the range of i64');
    expect(await refusal(() => dataOf(file('one.csv', 'x\n9007199254740993\n'), 'i64'))).toContain('beyond 2⁵³');
    expect(await refusal(() => dataOf(file('one.json', '{"x":["12"]}'), 'f32'))).toContain('is not one number');
  });

  it('refuses any number of rows without elements', async () => {
    const path = join(file('hollow-rows/x.npy', npy('<f4', [2147483648, 0], new Float32Array(0))), '..');
    expect(await refusal(() => readTable(path, step({ name: 'x', dtype: 'f32', shape: [free, [[1, ['C']]]] })))).toContain(
      '2147483648 rows without elements',
    );
  });

  it('needs exactly one size that could be the batch', async () => {
    expect(await refusal(() => readTable('unread', step({ name: 'x', dtype: 'f32', shape: [3] })))).toContain(
      'no feed whose first axis is a free size',
    );
    const two = step({ name: 'x', dtype: 'f32', shape: [free] }, { name: 'y', dtype: 'f32', shape: [[[1, ['C']]]] });
    expect(await refusal(() => readTable('unread', two))).toContain('several sizes that could be the batch (B, C)');
  });
});
