// Damaged files. In: bytes. Out: other bytes. Holds: the kinds of damage are those of disks, of broken transfers, and of people who know
// the format.

import type { Random } from './random.js';

const edges = [0, 1, 2, 0x7f, 0x80, 0xff];
const wide = [
  0n,
  1n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0xffffffffffffffffn,
  2n ** 53n,
  100_000_001n,
];

type Damage = (bytes: Buffer, random: Random, other: () => Uint8Array) => Buffer;

/** Headers are where the interesting bytes are. */
const place = (bytes: Buffer, random: Random): number =>
  random.int(Math.max(1, random.chance(0.6) ? Math.min(bytes.length, 160) : bytes.length));

function within(bytes: Buffer, random: Random, change: (at: number) => void): Buffer {
  if (bytes.length > 0) change(place(bytes, random));
  return bytes;
}

const cut = (bytes: Buffer, random: Random): [number, number] => {
  const start = place(bytes, random);
  return [start, Math.min(bytes.length, start + 1 + random.int(16))];
};

const digits = /\d+/g;
const hostile = [
  '-1',
  '0',
  '00',
  '1',
  '2147483648',
  '4294967296',
  '9007199254740993',
  '18446744073709551615',
  '18446744073709551616',
  '1e3',
  '1.5',
  '1e999',
  '-0',
  '+1',
  '1_0',
  '0x10',
  'NaN',
  'nan',
  'Infinity',
  '-inf',
  'true',
  'null',
  '""',
  '[]',
  '{}',
  '1,',
  ',',
  ' ',
];

const damages: readonly Damage[] = [
  (bytes, random) => within(bytes, random, (at) => (bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8)))),
  (bytes, random) => within(bytes, random, (at) => (bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8)))),
  (bytes, random) => within(bytes, random, (at) => (bytes[at] = random.chance(0.5) ? random.pick(edges) : random.int(256))),
  (bytes, random) => bytes.subarray(0, random.int(bytes.length + 1)),
  (bytes, random) => bytes.subarray(random.chance(0.5) ? Math.min(bytes.length, 1 + random.int(12)) : random.int(bytes.length + 1)),
  (bytes, random) => Buffer.concat([bytes, random.chance(0.5) ? new Uint8Array(1 + random.int(20)) : random.bytes(1 + random.int(20))]),
  (bytes, random) => {
    const [start, end] = cut(bytes, random);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  },
  (bytes, random) => {
    const [start, end] = cut(bytes, random);
    return Buffer.concat([
      bytes.subarray(0, end),
      ...Array.from({ length: random.pick([1, 1, 2, 100]) }, () => bytes.subarray(start, end)),
      bytes.subarray(end),
    ]);
  },
  (bytes, random) => {
    const at = place(bytes, random);
    return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.int(4)), bytes.subarray(at)]);
  },
  (bytes, random) => {
    const [start, end] = cut(bytes, random);
    bytes.fill(0, start, end);
    return bytes;
  },
  // Numbers of several widths in either order.
  (bytes, random) =>
    within(bytes, random, (at) => {
      const value = random.pick(wide);
      const width = random.pick([2, 4, 8]);
      if (at + width > bytes.length) return;
      for (let i = 0; i < width; i++) bytes[at + (random.chance(0.5) ? i : width - 1 - i)] = Number((value >> BigInt(8 * i)) & 0xffn);
    }),
  // The end of one file behind the beginning of another.
  (bytes, random, other) => {
    const more = other();
    return Buffer.concat([bytes.subarray(0, random.int(bytes.length + 1)), more.subarray(random.int(more.length + 1))]);
  },
  // Numbers and words of a text.
  (bytes, random) => {
    const text = bytes.toString('latin1');
    const found = [...text.matchAll(digits)];
    if (found.length === 0) return bytes;
    const one = found[random.int(Math.min(found.length, 12))] as RegExpMatchArray & { index: number };
    return Buffer.from(text.slice(0, one.index) + random.pick(hostile) + text.slice(one.index + one[0].length), 'latin1');
  },
  (bytes, random) => {
    const text = bytes.toString('latin1');
    const found = [...text.matchAll(/[A-Za-z_]+|"[^"]*"|'[^']*'/g)];
    if (found.length === 0) return bytes;
    const [one, two] = [random.pick(found), random.pick(found)];
    return Buffer.from(text.slice(0, one.index) + two[0] + text.slice(one.index + one[0].length), 'latin1');
  },
  (bytes, random) => {
    const text = bytes.toString('latin1');
    const marks = [...text.matchAll(/[[\](){}:,'"\n]/g)];
    if (marks.length === 0) return bytes;
    const at = random.pick(marks).index;
    return Buffer.from(
      text.slice(0, at) +
        random.pick([
          '',
          '[',
          ']',
          '((',
          '{',
          '}',
          ',',
          ',,',
          ':',
          '"',
          "'",
          '\n',
          ' ',
          '\0',
          '#',
          '\\',
          '\xef\xbb\xbf',
          '['.repeat(random.pick([10, 100, 20_000])),
        ]) +
        text.slice(at + random.int(2)),
      'latin1',
    );
  },
];

export function damaged(bytes: Uint8Array, random: Random, other: () => Uint8Array): Buffer {
  let result = Buffer.from(bytes);
  for (let count = random.pick([1, 1, 1, 1, 2, 3]); count > 0; count--) result = Buffer.from(random.pick(damages)(result, random, other));
  return result;
}
