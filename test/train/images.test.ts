// Images and text as data sets. In: files that the tests write. Out: pixels in the layout that the feed asks for, labels by folder; windows
// of characters; or an error that names the file.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { encode as encodePng } from 'fast-png';
import jpeg from 'jpeg-js';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../src/train/data/open-dataset.js';
import { entryOf } from './entry.js';
import { batchesOf, elementsOf, place, refusal } from './support.js';

const { file, directory } = place();
const png = (width: number, height: number, channels: number, data: readonly number[]): Uint8Array =>
  encodePng({ width, height, channels, data: Uint8Array.from(data) });
const grey = [0, 51, 102, 153, 204, 255];
const colors = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];

function folder(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  for (const [one, content] of Object.entries(files)) file(`${name}/${one}`, content);
  return join(directory, name);
}

describe('images', () => {
  const classes = folder('classes', {
    'dog/b.png': png(3, 2, 1, grey),
    'dog/a.png': png(3, 2, 1, [...grey].reverse()),
    'cat/x.PNG': png(3, 2, 1, [0, 0, 0, 0, 0, 0]),
    'cat/notes.txt': 'no image',
  });

  it('take labels from folders, in memory and by position', async () => {
    const entry = entryOf({ y: ['i32'], x: ['f32', 2, 3] });
    const expected = { x: [0, 0, 0, 0, 0, 0, ...[...grey].reverse(), ...grey].map((value) => Math.fround(value / 255)), y: [0, 1, 1] };
    for (const memory of [0, 1000]) {
      const dataset = await openDataset(classes, entry, { memory });
      expect(dataset).toMatchObject({ rows: 3, vocabularies: { y: { words: ['cat', 'dog'] } } });
      expect([await elementsOf(dataset, 'x'), await elementsOf(dataset, 'y')]).toEqual([expected.x, expected.y]);
      expect((await batchesOf(dataset, { batch: 2, shuffle: true, from: 1 })).map(({ x }) => x?.shape)).toEqual([[1, 2, 3]]);
    }
    expect(await elementsOf(await openDataset(classes, entry, { vocabularies: { y: { words: ['dog', 'bird', 'cat'] } } }), 'y')).toEqual([
      2, 0, 0,
    ]);
    expect(await refusal(() => openDataset(classes, entry, { vocabularies: { y: { words: ['dog'] } } }))).toMatch(
      /cat\/x\.PNG: "cat" is not in the vocabulary of y/,
    );
  });

  it.each([
    [
      ['u8', 2, 2],
      [76, 150, 29, 255],
    ],
    [['u8', 2, 2, 3], colors],
    [
      ['u8', 3, 2, 2],
      [255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255],
    ],
    [
      ['i32', 2, 2, 1],
      [76, 150, 29, 255],
    ],
    [
      ['u8', 1, 2, 2],
      [76, 150, 29, 255],
    ],
    [['u8', 2, 2, 4], colors.flatMap((value, at) => (at % 3 === 2 ? [value, 255] : [value]))],
    [
      ['u8', 4],
      [76, 150, 29, 255],
    ],
    [['u8', 12], colors],
    [['u8', 'C', 'H', 'W'], colors],
    [
      ['u8', 'H', 'W'],
      [76, 150, 29, 255],
    ],
  ] as const)('fill %j', async (shape, expected) => {
    const path = folder('colors', { 'a.png': png(2, 2, 3, colors) });
    const [batch] = await batchesOf(await openDataset(path, entryOf({ x: shape })));
    expect(batch?.['x']?.data).toEqual(expected);
    expect(batch?.['x']?.shape.slice(1).reduce((product, size) => product * size, 1)).toBe(expected.length);
  });

  it('are read with palettes, alpha, few bits and sixteen', async () => {
    const read = async (bytes: Uint8Array, ...shape: number[]): Promise<unknown> =>
      elementsOf(await openDataset(folder('odd', { 'a.png': bytes }), entryOf({ x: ['f64', ...shape] })), 'x');
    expect(await read(encodePng({ width: 2, height: 1, channels: 1, depth: 16, data: Uint16Array.of(65_535, 13_107) }), 1, 2)).toEqual([
      1, 0.2,
    ]);
    expect(await read(encodePng({ width: 2, height: 1, channels: 2, data: Uint8Array.of(51, 255, 255, 255) }), 1, 2)).toEqual([0.2, 1]);
    expect(
      await refusal(() => read(encodePng({ width: 2, height: 1, channels: 4, data: Uint8Array.of(51, 51, 51, 255, 1, 2, 3, 254) }), 1, 2)),
    ).toContain('a.png: pixel 1, 0 is transparent');
    expect(await read(encodePng({ width: 1, height: 1, channels: 4, data: Uint8Array.of(0, 51, 255, 51) }), 1, 1, 4)).toEqual([
      0, 0.2, 1, 0.2,
    ]);
    expect(await read(chunked([10, 1, 0], [0, 0b10000000, 0b01000000, 0, 0b01000000, 0b10000000], 2), 2, 10)).toEqual([
      1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0,
    ]);
  });

  it('are JPEG as well', async () => {
    const { data } = jpeg.encode({ width: 8, height: 8, data: Buffer.alloc(256, 128) }, 100);
    const values = (await elementsOf(
      await openDataset(folder('photos', { 'a.jpg': data }), entryOf({ x: ['u8', 3, 8, 8] })),
      'x',
    )) as number[];
    expect(values).toHaveLength(192);
    for (const value of values) expect(Math.abs(value - 128)).toBeLessThanOrEqual(1);
  });

  it.each([
    ['size', { 'a.png': png(2, 2, 3, colors), 'b.png': png(3, 2, 1, grey) }, /b\.png: an image of 3×2 pixels, and the first has 2×2/],
    ['cut', { 'a.png': png(2, 2, 3, colors), 'b.png': png(2, 2, 3, colors).subarray(0, 60) }, /b\.png: damaged image/],
    ['crc', { 'a.png': png(2, 2, 3, colors).map((byte, at) => (at === 45 ? byte ^ 1 : byte)) }, /a\.png: damaged image/],
    ['text', { 'a.png': 'no image at all' }, /a\.png: neither a PNG nor a JPEG image/],
    ['jpeg', { 'a.jpg': Buffer.from('\xff\xd8\xff\xe0 nothing', 'latin1') }, /a\.jpg: damaged image/],
    ['huge', { 'a.png': chunked([2 ** 31 - 1, 8, 0], [0], 2 ** 31 - 1) }, /a\.png: an image of 2147483647×2147483647 pixels/],
    ['bomb', { 'a.png': chunked([2, 8, 0], Buffer.alloc(2 ** 27), 2) }, /a\.png: damaged image: more data than pixels/],
    ['layout', { 'a.png': png(3, 2, 1, grey) }, /does not fill rows of x, \[2, 2\]/],
  ] as const)('are refused by name: %s', async (name, files, said) => {
    expect(await refusal(() => openDataset(folder(`bad-${name}`, files), entryOf({ x: ['u8', 2, 2] }), { format: 'images' }))).toMatch(
      said,
    );
  });

  it('are not believed to have more pixels than their bytes can hold', async () => {
    const { data } = jpeg.encode({ width: 16, height: 16, data: Buffer.alloc(16 * 16 * 4, 128) }, 90);
    const at = data.indexOf(Buffer.from([0xff, 0xc0]));
    data.writeUInt16BE(9000, at + 5);
    data.writeUInt16BE(9000, at + 7);
    const before = process.resourceUsage().maxRSS;
    expect(
      await refusal(() => openDataset(folder('promises', { 'a.jpg': data }), entryOf({ x: ['u8', 3] }), { format: 'images' })),
    ).toMatch(/a\.jpg: damaged image: it promises more pixels than \d+ bytes can hold/);
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(100 * 1024);
    // One colour packs best of all.
    const plain = jpeg.encode({ width: 200, height: 160, data: Buffer.alloc(200 * 160 * 4, 128) }, 1);
    const dataset = await openDataset(folder('plain', { 'a.jpg': plain.data }), entryOf({ x: ['u8', 3, 160, 200] }), { format: 'images' });
    expect(dataset.rows).toBe(1);
  });

  it('need folders for labels, and something to read', async () => {
    expect(
      await refusal(() => openDataset(folder('flat', { 'a.png': png(2, 2, 3, colors) }), entryOf({ x: ['u8', 2, 2], y: ['i32'] }))),
    ).toContain('the images lie in no folders, and y takes labels');
    mkdirSync(join(directory, 'hollow'));
    expect(await refusal(() => openDataset(join(directory, 'hollow'), entryOf({ x: ['u8', 2, 2] }), { format: 'images' }))).toContain(
      'no PNG or JPEG images',
    );
  });
});

/** A PNG file of these pixels, written chunk by chunk. */
function chunked([width, depth, color]: readonly [number, number, number], pixels: Uint8Array | readonly number[], height: number): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([depth, color, 0, 0, 0], 8);
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc(body));
    return Buffer.concat([length, body, sum]);
  };
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(Uint8Array.from(pixels))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function crc(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ ((sum & 1) === 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

describe('text', () => {
  const entry = entryOf({ ids: ['i32', 3], targets: ['i32', 3] });
  const text = 'hello, 🌍!\n';
  const words = ['\n', ' ', '!', ',', 'e', 'h', 'l', 'o', '🌍'];
  const codes = [...text].map((character) => words.indexOf(character));

  it('becomes windows of characters and of those that follow', async () => {
    const dataset = await openDataset(file('a.txt', text), entry);
    expect(dataset).toMatchObject({ rows: 3, vocabularies: { ids: { words }, targets: { words } } });
    expect(await elementsOf(dataset, 'ids')).toEqual(codes.slice(0, 9));
    expect(await elementsOf(dataset, 'targets')).toEqual(codes.slice(1, 10));
    const swapped = await openDataset(file('a.txt', text), entryOf({ y: ['i64', 'T'], x: ['u8', 'T'] }), { window: 4, stride: 1 });
    expect(swapped.rows).toBe(codes.length - 4);
    expect(await batchesOf(swapped, { batch: 1, from: 2, rest: 'drop' }).then(([first]) => first)).toEqual({
      y: { shape: [1, 4], data: codes.slice(3, 7).map(BigInt) },
      x: { shape: [1, 4], data: codes.slice(2, 6) },
    });
  });

  it('is refused when it is too short, has other characters, or no feed for it', async () => {
    expect(await refusal(() => openDataset(file('s.txt', 'abc'), entry))).toContain(
      '3 characters, and a window of 3 with what follows takes 4',
    );
    expect(
      await refusal(() => openDataset(file('s.txt', 'ab\nabcab'), entry, { vocabularies: { ids: { words: ['a', 'b', '\n'] } } })),
    ).toContain('line 2: "c" is not in the vocabulary of ids');
    expect(await refusal(() => openDataset(file('s.txt', 'abcdef'), entryOf({ x: ['f32', 3] })))).toContain(
      'whole numbers for one or two feeds',
    );
    expect(await refusal(() => openDataset(file('s.txt', 'abcdef'), entryOf({ x: ['i32', 'T'] })))).toMatch(
      /leaves open how many characters.*\nSay it/s,
    );
    expect(await refusal(() => openDataset(file('s.txt', Buffer.from('ab\xff', 'latin1')), entry))).toContain('not UTF-8: line 1, byte 2');
    expect(await refusal(() => openDataset(file('s.txt', 'a'.repeat(300)), entryOf({ x: ['i32', 3] }), { window: 4 }))).toContain(
      'rows of x have 3 characters',
    );
  });
});
