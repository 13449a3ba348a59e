// Data files that want to break their readers, or to pass for what they are not. In: valid files of every kind, damaged. Out: verdicts.
// Holds: what is accepted is what another reader, written after the format's description, finds in it; what is plainly valid is accepted.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readCsv } from '../../src/train/data/csv.js';
import { openDataset } from '../../src/train/data/open-dataset.js';
import { readIdx } from '../../src/train/data/idx.js';
import { readNpy } from '../../src/train/data/npy.js';
import { readFeeds } from '../../src/driver/commands/feeds.js';
import { manifestOf } from '../../src/driver/build/manifest.js';
import { toMachine } from '../../src/driver/build/pipeline.js';
import { checkModule } from '../../src/check/index.js';
import { loadStd } from '../../src/std/load.js';
import { type EntrySpec, SafetensorsFile } from '../../runtime/index.js';
import { readManifest } from '../../runtime/read-manifest.js';
import { idx, npy } from '../driver/files-of-data.js';
import { bytes as byteGrain, lines } from './grains.js';
import { verdictOf } from './judge.js';
import { hasTwins, modelIdx, modelSafetensors } from './model-files.js';
import { faultOfManifest } from './model-manifest.js';
import { dataKinds } from './data-kinds.js';
import type { Kind } from './kind.js';
import { modelNpy } from './model-npy.js';
import { damaged } from './mutate-bytes.js';
import { avx2 } from '../targets.js';
import type { Random } from './random.js';
import { runKinds } from './run-kinds.js';
import { fine, found, type Input, type Target, type Verdict } from './target.js';

const accepted = (why: string): Verdict => found('accepted', why);
const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const rawOf = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** NaN equals itself, 0 is not -0. */
function sameNumbers(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (!Object.is(a[at], b[at])) return false;
  return true;
}

/** In row-major order, little-endian. */
function straight({ descr, fortran, shape, data }: NonNullable<ReturnType<typeof modelNpy>>): Uint8Array {
  const width = Number(descr.replace(/^\D+/, ''));
  const count = shape.reduce((product, size) => product * size, 1);
  const result = Buffer.from(data);
  if (fortran) {
    for (let to = 0; to < count; to++) {
      let [rest, from, stride] = [to, 0, count];
      for (const size of [...shape].reverse()) {
        stride /= size;
        from += (rest % size) * stride;
        rest = Math.floor(rest / size);
      }
      result.set(data.subarray(from * width, (from + 1) * width), to * width);
    }
  }
  if (descr.startsWith('>')) for (let at = 0; at < result.length; at += width) result.subarray(at, at + width).reverse();
  return result;
}

const npyTypes: Readonly<Record<string, string>> = {
  f2: 'f16',
  f4: 'f32',
  f8: 'f64',
  i1: 'i8',
  i2: 'i16',
  i4: 'i32',
  i8: 'i64',
  u1: 'u8',
  u2: 'u16',
  u4: 'u32',
  u8: 'u64',
  b1: 'bool',
};

const npyKind: Kind = {
  write(random) {
    const descr = random.pick(['<f4', '<f4', '<f8', '<i4', '<i8', '|u1', '|b1', '<f2', '>f4', '>i4', '|i1', '<i2', '<u2', '<u4', '<u8']);
    const shape = random.pick([[3], [2, 3], [], [0], [2, 1, 2], [0, 3], [7, 5]]);
    const count = shape.reduce((product, size) => product * size, 1);
    const data = descr === '|b1' ? Uint8Array.from({ length: count }, () => random.int(2)) : random.bytes(count * Number(descr.slice(2)));
    const file = npy(descr, shape, data, random.chance(0.15));
    if (random.chance(0.8)) return file;
    // Old writers pad less, and not all write the same spaces.
    const text = file.toString('latin1', 10, file.length - data.length).trimEnd();
    const header = `${random.pick([text, text.replaceAll(' ', ''), text.replaceAll("'", '"')])}${' '.repeat(random.int(5))}\n`;
    const head = Buffer.from(`\x93NUMPY${random.chance(0.5) ? '\x01\0\0\0' : '\x02\0\0\0\0\0'}${header}`, 'latin1');
    head.writeUInt16LE(header.length, 8);
    return Buffer.concat([head, data]);
  },
  check(path, bytes) {
    const { data, dtype, shape } = readNpy(path);
    const model = modelNpy(bytes);
    if (model === undefined) return accepted('NumPy refuses this file');
    const expected = npyTypes[model.descr.slice(-2)];
    if (!/^[<>|=]?[fiub][1248]$/.test(model.descr) || dtype !== expected)
      return accepted(`read as ${dtype}: elements of type ${model.descr}`);
    if (shape.join() !== model.shape.join()) return found('wrong', `shape [${shape.join()}], expected [${model.shape.join()}]`);
    return sameBytes(rawOf(data), straight(model)) ? fine : found('wrong', 'other elements than are in the file');
  },
  valid(bytes) {
    const model = modelNpy(bytes);
    if (
      model === undefined ||
      model.fortran ||
      !/^[<|]?(?:f4|f8|i4|i8)$|^[|]?(?:u1|b1)$/.test(model.descr) ||
      model.shape.length > 32 ||
      model.shape.some((size) => size > 2 ** 31)
    )
      return false;
    const text = Buffer.from(bytes).toString('latin1');
    const plain =
      /^\x93NUMPY[\x01\x02]\0..(?:\0\0)?\{'descr': '[^']*', 'fortran_order': False, 'shape': \((?:\d+,)?(?: \d+,?)*\), \} *\n/s.test(text);
    return (
      plain &&
      bytes.length === model.start + model.data.length &&
      bytes[model.start - 1] === 10 &&
      bytes.indexOf(10, 12) === model.start - 1 &&
      (!model.descr.endsWith('b1') || model.data.every((byte) => byte < 2))
    );
  },
};

const idxFile = (random: Random): Buffer => {
  const shape = random.pick([[5], [2, 3], [3, 2, 2], [0], [1]]);
  return idx(shape, random.bytes(shape.reduce((product, size) => product * size, 1)));
};

const idxKind: Kind = {
  write: idxFile,
  check(path, bytes) {
    const { data, shape } = readIdx(path);
    const model = modelIdx(bytes);
    if (model === undefined) return accepted(bytes[0] === 0x1f ? 'damaged gzip data' : 'no IDX file of bytes');
    return shape.join() === model.shape.join() && sameBytes(data, model.data)
      ? fine
      : found('wrong', 'other elements than are in the file');
  },
  valid: (bytes) => bytes[0] === 0 && modelIdx(bytes) !== undefined,
};

const packedKind: Kind = {
  ...idxKind,
  write: (random) => {
    const packed = gzipSync(idxFile(random), { level: random.pick([0, 1, 9]) });
    return random.chance(0.1) ? Buffer.concat([packed, gzipSync(random.bytes(3))]) : packed;
  },
  valid: () => false,
};

const decimal = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$|^[-+]?(?:inf|infinity|nan)$/i;

const csvKind: Kind = {
  write(random) {
    const columns = 1 + random.int(4);
    const cell = (): string =>
      random.pick([
        () => String(random.int(1000) - 500),
        () => `${random.int(100)}.${random.int(100)}`,
        () => `${random.int(10)}e${random.int(9) - 4}`,
        () => '',
        () => 'NaN',
        () => ' 7 ',
        () => '"3"',
        () => '-0',
      ])();
    const names = ['x', 'y', 'a b', '"q,r"', 'z'];
    const rows = Array.from({ length: random.int(6) }, () => Array.from({ length: columns }, cell).join(','));
    return Buffer.from([names.slice(0, columns).join(','), ...rows].join(random.pick(['\n', '\n', '\r\n'])) + random.pick(['', '\n']));
  },
  check(path, bytes) {
    const columns = readCsv(path);
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return accepted('bytes that are no text');
    }
    if (/["\r\0]|[^\S\n ]/.test(text)) return fine;
    const rows = text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => line.split(',').map((cell) => cell.trim()));
    const [header = [], ...body] = rows;
    if (body.some((row) => row.length !== header.length)) return accepted('rows of different lengths');
    if (columns.map(({ name }) => name).join() !== header.join()) return found('wrong', 'other columns than are in the file');
    for (const [at, { numbers }] of columns.entries()) {
      if (numbers === undefined) continue;
      const cells = body.map((row) => row[at] as string);
      const odd = cells.find((cell) => cell !== '' && !decimal.test(cell));
      if (odd !== undefined) return accepted(`a number: ${JSON.stringify(odd)}`);
      const values = cells.map((cell) =>
        /inf/i.test(cell) ? (cell.startsWith('-') ? -Infinity : Infinity) : cell === '' ? NaN : Number(cell),
      );
      if (!sameNumbers(numbers, values)) return found('wrong', 'other numbers than are in the file');
    }
    return fine;
  },
};

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

const number = (random: Random): unknown =>
  random.pick([() => random.int(200) - 100, () => random.int(1000) / 8, () => 'NaN', () => '-Infinity', () => -0, () => 1e30])();

const nested = (random: Random, depth: number): unknown =>
  depth === 0 ? number(random) : Array.from({ length: random.int(4) }, () => nested(random, depth - 1));

function hasInfinite(value: unknown): boolean {
  const open = [value];
  for (let one = open.pop(); open.length > 0 || one !== undefined; one = open.pop()) {
    if (typeof one === 'number' && !Number.isFinite(one)) return true;
    if (Array.isArray(one)) open.push(...(one as unknown[]));
  }
  return false;
}

const feedsKind: Kind = {
  write: (random) =>
    Buffer.from(
      JSON.stringify(
        Object.fromEntries(
          ['x', 'y', '__proto__', 'then'].slice(0, 1 + random.int(4)).map((name) => [name, nested(random, random.int(4))]),
        ),
      ),
    ),
  check(path, bytes) {
    const feeds = readFeeds([], path);
    const model = jsonOf(bytes);
    if (model === undefined) return accepted('no JSON');
    const infinite = Object.values(feeds).some(hasInfinite);
    if (infinite) return accepted('a number beyond the range of f64, as an infinity');
    if (hasTwins(Buffer.from(bytes).toString())) return fine;
    return JSON.stringify(Object.entries(feeds).sort()) === JSON.stringify(Object.entries(model as object).sort())
      ? fine
      : found('wrong', 'other values than are in the file');
  },
};

const batch: EntrySpec['dims'] = ['B'];
const entry: EntrySpec = {
  name: 'train',
  kind: 'step',
  dims: batch,
  ranks: {},
  facts: [],
  feeds: [
    { name: 'x', dtype: 'f32', shape: [[[1, ['B']]], 3] },
    { name: 'y', dtype: 'i32', shape: [[[1, ['B']]]] },
  ],
  outputs: [],
  result: { kind: 'tuple', items: [] },
  reads: [],
  writes: [],
};

/** As JSON writes what it has no numbers for. */
const notFinite = /^(?:NaN|-?Infinity)$/;

const dataKind: Kind = {
  write(random) {
    const rows = 1 + random.int(4);
    return Buffer.from(
      JSON.stringify({
        x: Array.from({ length: rows }, () => [number(random), number(random), 1]),
        y: Array.from({ length: rows }, () => random.int(10)),
      }),
    );
  },
  async check(path, bytes) {
    const { data: columns = [], rows } = await openDataset(path, entry);
    const model = jsonOf(bytes) as { x?: unknown; y?: unknown } | undefined;
    if (model === undefined) return accepted('no JSON');
    if (hasTwins(Buffer.from(bytes).toString())) return fine;
    // A feed of which nothing is named takes what is left; the two are arrays of one length either way.
    const left = (name: string): unknown => Object.values({ ...model, [name]: undefined }).filter(Array.isArray)[0];
    const { x = left('y'), y = left('x') } = model;
    if (!Array.isArray(x) || !Array.isArray(y) || x.length !== rows || y.length !== rows) return accepted('columns that are not there');
    const values = (list: readonly unknown[]): unknown[] =>
      list.flatMap((row) => (Array.isArray(row) && row.length === 3 ? (row as unknown[]) : ['']));
    // A column of texts is one of labels, whose numbers are their places among all that there are.
    const words = y.every((one) => typeof one === 'string' && !notFinite.test(one)) ? [...new Set(y as string[])].sort() : undefined;
    const expected = [values(x), words === undefined ? y : y.map((one) => words.indexOf(one as string))].map((list) =>
      list.map((one) => (typeof one === 'boolean' ? Number(one) : typeof one === 'string' && notFinite.test(one) ? Number(one) : one)),
    );
    if (expected.some((list) => list.some((one) => typeof one !== 'number'))) return accepted('elements that are no numbers');
    if (hasInfinite(x)) return accepted('a number beyond the range of f64, as an infinity');
    const [rounded, whole] = [Float32Array.from(expected[0] as number[]), Int32Array.from(expected[1] as number[])];
    return sameNumbers(columns[0]?.data ?? [], rounded) && sameNumbers(columns[1]?.data ?? [], whole)
      ? fine
      : found('wrong', 'other numbers than are in the file');
  },
};

const stored: Readonly<Record<string, string>> = {
  F32: 'f32',
  F64: 'f64',
  F16: 'f16',
  BF16: 'bf16',
  F8_E4M3: 'f8e4m3',
  F8_E5M2: 'f8e5m2',
  I8: 'i8',
  I16: 'i16',
  I32: 'i32',
  I64: 'i64',
  U8: 'u8',
  U16: 'u16',
  U32: 'u32',
  U64: 'u64',
  BOOL: 'bool',
};
const widthOf: Readonly<Record<string, number>> = {
  F32: 4,
  F64: 8,
  F16: 2,
  BF16: 2,
  I32: 4,
  I64: 8,
  U8: 1,
  BOOL: 1,
  I8: 1,
  I16: 2,
  U16: 2,
  U32: 4,
  U64: 8,
  F8_E4M3: 1,
  F8_E5M2: 1,
};

const safetensorsKind: Kind = {
  write(random) {
    let offset = 0;
    const header: Record<string, unknown> = random.chance(0.4) ? { __metadata__: { module: 'm.tdsl' } } : {};
    for (let count = random.int(4); count > 0; count--) {
      const dtype = random.chance(0.1) ? random.pick(['I8', 'U16', 'F8_E4M3']) : random.pick(Object.keys(stored));
      const shape = random.pick([[], [3], [2, 2], [0], [1, 4]]);
      const bytes = shape.reduce((product, size) => product * size, widthOf[dtype] as number);
      header[random.pick(['w', 'net/b', '__proto__', 'ä', `t${count}`])] = { dtype, shape, data_offsets: [offset, offset + bytes] };
      offset += bytes;
    }
    let json = JSON.stringify(header);
    while (random.chance(0.7) && json.length % 8 !== 0) json += ' ';
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(Buffer.byteLength(json)));
    // Zeros and ones are bools as well.
    return Buffer.concat([head, Buffer.from(json), Uint8Array.from({ length: offset }, () => random.int(2))]);
  },
  check(path, bytes) {
    using file = new SafetensorsFile(path);
    const model = modelSafetensors(bytes);
    if (model === undefined) return accepted('no safetensors file');
    if ([...file.tensors.keys()].sort().join('\0') !== [...model.keys()].sort().join('\0'))
      return found('wrong', 'other tensors than are in the file');
    for (const [name, one] of model) {
      if (stored[one.dtype] === undefined || (one.dtype === 'BOOL' && one.bytes.some((byte) => byte > 1))) continue;
      const tensor = file.read(name);
      if (tensor.dtype !== stored[one.dtype] || tensor.shape.join() !== one.shape.join() || !sameBytes(rawOf(tensor.data), one.bytes))
        return found('wrong', `${name} is another tensor than is in the file`);
    }
    return fine;
  },
  valid: (bytes) =>
    [...(modelSafetensors(bytes) ?? [])].some(() => true) &&
    [...(modelSafetensors(bytes) ?? [])].every(([, { dtype }]) => stored[dtype] !== undefined && dtype !== 'BOOL') &&
    bytes.length < 2 ** 20,
};

const modules = [
  'state t: i64 = 1\nparam w: f32[3, 20] = uniform(-1, 1)\nexport step s<B>(x: f32[B, 3], k: bool[B * 2]): { a: f32, b: (f32[B, 20], i64) } {\n  t <- t + 1\n  return { a: sum(x @ w), b: (x @ w, t) }\n}',
  'export fn f<...S>(x: f32[...S]): f32[...S] = x * 2\nexport fn g<N>(x: f64[N]): f64[N - 1] where N > 1 = x[1:]',
];

let manifests: readonly string[] | undefined;

function manifestTexts(): readonly string[] {
  manifests ??= modules.map((text) => {
    const { module, build, open } = checkModule({ path: 'm.tdsl', text, read: () => undefined, std: loadStd() });
    if (module === undefined) throw new Error('a module of the fuzzer is wrong');
    const { output } = toMachine(avx2).run(module, { build });
    return JSON.stringify(manifestOf(output.module, open, avx2, '0'));
  });
  return manifests;
}

const manifestKind: Kind = {
  write: (random) => Buffer.from(random.pick(manifestTexts())),
  check(path, bytes) {
    readManifest(path, Buffer.from(bytes).toString());
    const wrong = faultOfManifest(jsonOf(bytes) ?? JSON.parse(Buffer.from(bytes).toString()));
    return wrong === undefined ? fine : accepted(wrong);
  },
  valid: (bytes) => manifestTexts().includes(Buffer.from(bytes).toString()),
};

const kinds: Readonly<Record<string, Kind>> = {
  npy: npyKind,
  idx: idxKind,
  'idx.gz': packedKind,
  csv: csvKind,
  'feeds.json': feedsKind,
  'data.json': dataKind,
  safetensors: safetensorsKind,
  'manifest.json': manifestKind,
  ...dataKinds,
  ...runKinds,
};

let folder: string | undefined;

export const loaders: Target = {
  seconds: 1,
  batch: 1000,
  draw(random) {
    const extension = random.pick(Object.keys(kinds));
    const { write } = kinds[extension] as Kind;
    const file = write(random);
    return { extension, bytes: random.chance(0.1) ? file : damaged(file, random, () => write(random)) };
  },
  async check({ extension, bytes }: Input): Promise<Verdict> {
    const kind = kinds[extension];
    if (kind === undefined) throw new Error(`no reader of ${extension}`);
    folder ??= mkdtempSync(join(tmpdir(), 'tfc-files-'));
    const path = join(folder, `input.${extension}`);
    writeFileSync(path, bytes);
    let verdict: Verdict;
    try {
      verdict = await kind.check(path, bytes);
    } catch (error) {
      verdict = verdictOf(error);
      if (verdict.kind === 'refused' && kind.valid?.(bytes) === true)
        return found('refused', `${extension}: a valid file: ${error instanceof Error ? error.message.replaceAll(folder, '') : ''}`);
    }
    return verdict.kind === 'found' ? { ...verdict, text: `${extension}: ${verdict.text}` } : verdict;
  },
  grains: [lines, byteGrain],
};
