// Arrays in files as data sets: .npy, .npz, .safetensors, IDX. In: files that the tests write. Out: the same batches whether rows are in
// memory or read from their places; or bad-data that names file and row.

import { readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../runtime/safetensors.js';
import type { Dataset } from '../../src/train/data/dataset.js';
import { openDataset } from '../../src/train/data/open-dataset.js';
import { split } from '../../src/train/data/split.js';
import { idx, npy } from '../driver/files-of-data.js';
import { entryOf } from './entry.js';
import { batchesOf, elementsOf, place, refusal } from './support.js';

const { file, directory } = place();
const pair = entryOf({ x: ['f32', 2], y: ['i32'] });
const rows = 23;
const x = Float32Array.from({ length: 2 * rows }, (_, at) => at / 4);
const y = BigInt64Array.from({ length: rows }, (_, at) => BigInt(10 * at));
const [xFile, yFile] = [npy('<f4', [rows, 2], x), npy('<i8', [rows], y)];

/** Where the directory of an archive begins. */
const directoryOf = (archive: Uint8Array): number => Buffer.from(archive).indexOf('PK\x01\x02', 'latin1');

/** With another byte; at -1, the length of the first extra field of the directory. */
function withByte(archive: Uint8Array, at: number, byte: number): Uint8Array {
  const copy = Uint8Array.from(archive);
  copy[at < 0 ? directoryOf(copy) + 46 + 'x.npy'.length + 2 : at] = byte;
  return copy;
}

const npz = (level: 0 | 6): Uint8Array => zipSync({ 'x.npy': xFile, 'y.npy': yFile }, { level });

function sources(): readonly (readonly [name: string, path: string])[] {
  file('set/x.npy', xFile);
  file('set/y.npy', yFile);
  const safetensors = join(directory, 'set.safetensors');
  writeSafetensors(safetensors, [
    { name: 'y', dtype: 'i64', shape: [rows], read: () => y },
    { name: 'x', dtype: 'f32', shape: [rows, 2], read: () => x },
  ]);
  return [
    ['directory', join(directory, 'set')],
    ['stored .npz', file('stored.npz', npz(0))],
    ['packed .npz', file('packed.npz', npz(6))],
    ['.safetensors', safetensors],
  ];
}

const shuffled = { shuffle: true, seed: 7, epoch: 3, batch: 5 } as const;

describe('the same batches wherever rows lie', () => {
  it.each(sources())('%s', async (_, path) => {
    const [memory, disk] = [await openDataset(path, pair), await openDataset(path, pair, { memory: 0 })];
    expect([memory.rows, disk.rows, disk.data]).toEqual([rows, rows, undefined]);
    const expected = await batchesOf(memory, shuffled);
    expect(expected.map((batch) => batch['y']?.shape)).toEqual([[5], [5], [5], [5], [3]]);
    for (const batch of expected)
      expect(batch['x']?.data.filter((_one, at) => at % 2 === 0)).toEqual(batch['y']?.data.map((label) => Number(label) / 20));
    expect(await batchesOf(disk, shuffled)).toEqual(expected);
    expect(await batchesOf(disk, { ...shuffled, from: 2 })).toEqual(expected.slice(2));
    expect(await batchesOf(disk, { ...shuffled, from: 1, rest: 'drop' })).toEqual(expected.slice(1, 4));
    expect(await batchesOf(disk, { ...shuffled, epoch: 4 })).not.toEqual(expected);
    expect(await elementsOf(disk, 'y')).toEqual([...y].map(Number));
    const parts = (dataset: Dataset) => Object.values(split(dataset, [0.2, 0.3], 9));
    for (const [at, part] of parts(disk).entries())
      expect(await batchesOf(part, shuffled)).toEqual(await batchesOf(parts(memory)[at] as Dataset, shuffled));
    disk.close?.();
    disk.close?.();
  });

  it('converts rows as they are read', async () => {
    file('half/x.npy', npy('<f2', [2, 2], Uint16Array.of(0x3c00, 0xc000, 0x3800, 0)));
    file('half/y.npy', npy('|b1', [2], Uint8Array.of(1, 0)));
    for (const memory of [0, 1000])
      expect(await batchesOf(await openDataset(join(directory, 'half'), pair, { memory }))).toEqual([
        { x: { shape: [2, 2], data: [1, -2, 0.5, 0] }, y: { shape: [2], data: [1, 0] } },
      ]);
  });

  it('takes one file for one feed, and pixels of IDX from 0 to 1', async () => {
    const one = entryOf({ x: ['f32', 2] });
    for (const memory of [0, 1000]) expect(await elementsOf(await openDataset(file('x.npy', xFile), one, { memory }), 'x')).toEqual([...x]);
    const images = gzipSync(idx([2, 1, 2], Uint8Array.of(0, 255, 51, 0)));
    expect(await batchesOf(await openDataset(file('images-idx3-ubyte.gz', images), entryOf({ x: ['f64', 1, 2] })))).toEqual([
      { x: { shape: [2, 1, 2], data: [0, 1, 0.2, 0] } },
    ]);
    expect(await batchesOf(await openDataset(file('images.idx', images), entryOf({ x: ['u8', 2] })))).toEqual([
      { x: { shape: [2, 2], data: [0, 255, 51, 0] } },
    ]);
    expect(await refusal(() => openDataset(file('x.npy', xFile), pair))).toContain('one array, and 2 feeds take data (x, y)');
  });
});

describe('memory', () => {
  it('does not grow with a file that is read by position', async () => {
    const path = file('large.npy', npy('<f4', [2 ** 20, 64], new Float32Array(0)));
    // 256 MB of zeros that take no room on the disk.
    truncateSync(path, 128 + 4 * 64 * 2 ** 20);
    const dataset = await openDataset(path, entryOf({ x: ['f32', 64] }), { memory: 2 ** 20 });
    const before = process.memoryUsage.rss();
    let seen = 0;
    for await (const { rows: count } of dataset.batches({ epoch: 1, seed: 1, batch: 4096, shuffle: false, rest: 'keep' })) seen += count;
    expect(seen).toBe(2 ** 20);
    expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 26);
    dataset.close?.();
  });
});

describe('what is wrong', () => {
  const archive = Buffer.from(npz(0));
  const changed = (at: number, value: number): Buffer => {
    const copy = Buffer.from(archive);
    copy[at] = value;
    return copy;
  };
  const directoryAt = archive.indexOf('PK\x01\x02', 'latin1');
  const packed = Buffer.from(npz(6));

  it.each([
    ['cut', archive.subarray(0, -1), /no directory at its end/],
    ['bytes in front', Buffer.concat([Buffer.from('more'), archive]), /a directory of \d+ bytes at byte/],
    ['element', changed(300, archive[300]! ^ 1), /does not have its checksum/],
    ['encrypted', changed(directoryAt + 8, 1), /"x.npy" is encrypted/],
    ['method', changed(directoryAt + 10, 9), /packed by method 9/],
    ['larger', changed(directoryAt + 27, 0x7f), /"x.npy" has two sizes/],
    [
      'promises',
      packed.map((byte, at) => (at === packed.indexOf('PK\x01\x02', 'latin1') + 27 ? 0x7f : byte)),
      /promises 213\d+ bytes, more than \d+ packed/,
    ],
    ['outside', changed(directoryAt + 45, 0x70), /lies outside of the file/],
    ['count', changed(archive.length - 12, 3), /3 members are promised, 2 are there/],
    ['no zip', Buffer.from('PK'), /no directory/],
    [
      'bomb',
      packed.map((byte, at) => (at === packed.indexOf('PK\x01\x02', 'latin1') + 24 ? byte - 1 : byte)),
      /311 bytes are promised, (?:312|and more) are there/,
    ],
    ['two names', Buffer.from(archive.toString('latin1').replaceAll('y.npy', 'x.npy'), 'latin1'), /two members are called "x.npy"/],
    // What NumPy refuses, because Python's zipfile does.
    ['name', withByte(npz(6), 30, 'z'.charCodeAt(0)), /"x\.npy" has another name in its place/],
    ['gap', Buffer.concat([npz(6).subarray(0, -22), Buffer.from('PK'), npz(6).subarray(-22)]), /a directory of 102 bytes at byte/],
    ['version', withByte(npz(6), directoryOf(npz(6)) + 6, 99), /"x\.npy" is packed as later versions/],
    ['patched', withByte(npz(6), directoryOf(npz(6)) + 8, 0x20), /"x\.npy" is packed as later versions/],
    ['extra', withByte(zipSync({ 'x.npy': [xFile, { extra: { 7: Uint8Array.of(1, 2) } }], 'y.npy': yFile }), -1, 9), /has no valid sizes/],
    ['no y', zipSync({ 'x.npy': xFile }), /no array "y"\nIt has x/],
    ['scalar', zipSync({ 'x.npy': npy('<f4', [], Float32Array.of(1)), 'y.npy': yFile }), /a scalar, expected one row/],
    ['rows', zipSync({ 'x.npy': npy('<f4', [1, 2], Float32Array.of(1, 2)), 'y.npy': yFile }), /x has 1 rows, y has 23/],
    ['npy', zipSync({ 'x.npy': xFile.subarray(0, -1), 'y.npy': yFile }), /x\.npy: truncated or malformed/],
    [
      'wide',
      zipSync({ 'x.npy': npy('<f4', [23, 3], new Float32Array(69)), 'y.npy': yFile }),
      /shape-mismatch: .*rows of x are \[3\], and the program takes \[2\]/,
    ],
  ] as const)('.npz: %s', async (_, content, said) => {
    expect(await refusal(() => openDataset(file('bad.npz', content), pair))).toMatch(said);
  });

  it('is told by row when rows are read', async () => {
    file('whole/x.npy', xFile);
    for (const [content, said] of [
      [
        npy(
          '<f8',
          [rows],
          Float64Array.from(y, (label, at) => (at === 17 ? 0.5 : Number(label))),
        ),
        'y.npy: row 17: y takes i32; the data has 0.5',
      ],
      [
        npy(
          '<i8',
          [rows],
          BigInt64Array.from(y, (label, at) => (at === 3 ? 2n ** 40n : label)),
        ),
        'y.npy: row 3: 1099511627776 is not between',
      ],
      [
        npy(
          '|b1',
          [rows],
          Uint8Array.from({ length: rows }, (_, at) => (at === 9 ? 2 : 1)),
        ),
        'row 9',
      ],
    ] as const) {
      file('whole/y.npy', content);
      expect(await refusal(async () => batchesOf(await openDataset(join(directory, 'whole'), pair, { memory: 0 }), shuffled))).toContain(
        said,
      );
    }
  });

  it('says which tensor is missing or of another type, and that a file became shorter', async () => {
    const path = join(directory, 'few.safetensors');
    writeSafetensors(path, [{ name: 'x', dtype: 'f32', shape: [rows, 2], read: () => x }]);
    expect(await refusal(() => openDataset(path, pair))).toMatch(/no array "y"\nIt has x/);
    const one = entryOf({ x: ['f32', 2] });
    const dataset = await openDataset(path, one, { memory: 0 });
    truncateSync(path, 200);
    expect(await refusal(() => batchesOf(dataset))).toContain('the file became shorter while it was read');
    expect(await refusal(() => openDataset(path, one, { memory: 0 }))).toContain('its data ends');
  });

  it('refuses Fortran order only where it cannot be turned', async () => {
    const one = entryOf({ x: ['f32', 2] });
    const path = file('f.npy', npy('<f4', [2, 2], Float32Array.of(1, 3, 2, 4), true));
    expect(await elementsOf(await openDataset(path, one), 'x')).toEqual([1, 2, 3, 4]);
    expect(await refusal(() => openDataset(path, one, { memory: 0 }))).toMatch(
      /Fortran order cannot be read row by row.*\n.*ascontiguousarray/s,
    );
  });

  it('reads members that NumPy writes with 64-bit sizes', async () => {
    const name = Buffer.from('x.npy');
    const member = npy('<f4', [1, 2], Float32Array.of(5, 6));
    const { crc32 } = await import('node:zlib');
    const sizes = Buffer.alloc(20);
    sizes.writeUInt16LE(1, 0);
    sizes.writeUInt16LE(16, 2);
    sizes.writeBigUInt64LE(BigInt(member.length), 4);
    sizes.writeBigUInt64LE(BigInt(member.length), 12);
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04034b50, 0);
    head.writeUInt32LE(crc32(member), 14);
    head.fill(0xff, 18, 26);
    head.writeUInt16LE(name.length, 26);
    head.writeUInt16LE(sizes.length, 28);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt32LE(crc32(member), 16);
    entry.fill(0xff, 20, 28);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt16LE(sizes.length, 30);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(1, 10);
    end.writeUInt32LE(entry.length + name.length + sizes.length, 12);
    end.writeUInt32LE(head.length + name.length + sizes.length + member.length, 16);
    const bytes = Buffer.concat([head, name, sizes, member, entry, name, sizes, end]);
    expect(await elementsOf(await openDataset(file('long.npz', bytes), entryOf({ x: ['f32', 2] })), 'x')).toEqual([5, 6]);
  });

  it('holds no file open after a mistake', async () => {
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    for (let at = 0; at < 20; at += 1) await refusal(() => openDataset(file('bad.npz', npz(0).subarray(0, 300)), pair, { memory: 0 }));
    expect(open()).toBe(before);
  });
});
