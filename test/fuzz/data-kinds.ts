// Data sets that want to break their readers. In: valid files of every kind that `openDataset` takes. Out: verdicts. Holds: a file gives
// the same rows in memory as read by pieces, or is refused by both; what is accepted is what another reader finds in it.

import { gzipSync } from 'node:zlib';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as arrow from 'apache-arrow';
import { zipSync } from 'fflate';
import jpeg from 'jpeg-js';
import { encode as encodePng } from 'fast-png';
import { DiagnosticsError } from '../../src/base/index.js';
import type { DatasetOptions } from '../../src/train/data/dataset-options.js';
import type { Dataset } from '../../src/train/data/dataset.js';
import { openDataset } from '../../src/train/data/open-dataset.js';
import { readImage } from '../../src/train/data/image.js';
import type { EntrySpec } from '../../runtime/index.js';
import { idx, npy } from '../driver/files-of-data.js';
import { entryOf } from '../train/entry.js';
import { parquet, type ParquetColumn } from '../train/parquet-file.js';
import type { Kind } from './kind.js';
import { hasTwins, modelIdx, modelSafetensors, modelZip } from './model-files.js';
import { modelImage } from './model-image.js';
import { modelNpy } from './model-npy.js';
import { Random } from './random.js';
import { fine, found, type Verdict } from './target.js';

const pair = entryOf({ x: ['f32', 2], y: ['i32'] });
const accepted = (why: string): Verdict => found('accepted', why);

interface Rows {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

async function rowsOf(dataset: Dataset): Promise<Rows> {
  const [x, y]: [number[], number[]] = [[], []];
  try {
    for await (const { feeds } of dataset.batches({ epoch: 1, seed: 1, batch: 3, shuffle: false, rest: 'keep' }))
      for (const [name, into] of [
        ['x', x],
        ['y', y],
      ] as const)
        into.push(...Array.from((feeds[name] as unknown as { readonly data: ArrayLike<number> }).data));
  } finally {
    dataset.close?.();
  }
  return { x, y };
}

const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((one, at) => Object.is(one, b[at]));
const sameRows = (a: Rows, b: Rows): boolean => same(a.x, b.x) && same(a.y, b.y);

/** A refusal as a value. */
async function attempt(path: string, options: DatasetOptions): Promise<Rows | DiagnosticsError> {
  try {
    return await rowsOf(await openDataset(path, pair, options));
  } catch (error) {
    if (error instanceof DiagnosticsError) return error;
    throw error;
  }
}

/** Both ways; the rows, or the refusal of both is thrown. */
async function bothWays(path: string, options: DatasetOptions, compare: (rows: Rows) => Verdict, isSummed = false): Promise<Verdict> {
  const [memory, pieces] = [await attempt(path, options), await attempt(path, { ...options, memory: 0, shuffleRows: 2 })];
  if (memory instanceof DiagnosticsError && pieces instanceof DiagnosticsError) throw memory;
  // What is read row by row has no checksum of its own.
  if (memory instanceof DiagnosticsError && isSummed && memory.message.includes('checksum')) throw memory;
  if (memory instanceof DiagnosticsError) return found('unstable', `refused in memory alone: ${memory.message}`);
  if (pieces instanceof DiagnosticsError) return found('unstable', `refused by pieces alone: ${pieces.message}`);
  return sameRows(memory, pieces) ? compare(memory) : found('wrong', 'other rows in memory than by pieces');
}

const number = (random: Random): number => random.pick([() => random.int(200) - 100, () => random.int(1000) / 8, () => 1e30, () => 0])();
const label = (random: Random): string => random.pick(['cat', 'dog', 'ä', 'a b']);
const many = <T>(random: Random, make: () => T, most = 6): T[] => Array.from({ length: 1 + random.int(most) }, make);

const mtime = 946_684_800_000;

const npzKind: Kind = {
  write(random) {
    const rows = random.int(5);
    const x = npy(
      '<f4',
      [rows, 2],
      Float32Array.from({ length: 2 * rows }, () => number(random)),
    );
    const y = npy(random.pick(['<i4', '<i4', '|u1']), [rows], random.chance(0.5) ? new Int32Array(rows) : new Uint8Array(rows));
    return zipSync(
      { 'x.npy': x, 'y.npy': y, ...(random.chance(0.2) ? { 'more.txt': random.bytes(5) } : {}) },
      { level: random.pick([0, 6, 9]), mtime },
    );
  },
  check: (path, bytes) =>
    bothWays(
      path,
      {},
      ({ x, y }) => {
        const members = modelZip(bytes);
        if (members === undefined) return accepted('no ZIP archive');
        // Of names without an ending NumPy makes the same.
        const [modelX, modelY] = ['x', 'y'].map((name) => {
          const member = members.has(`${name}.npy`) ? members.get(`${name}.npy`) : members.get(name);
          return member === undefined ? undefined : modelNpy(member);
        });
        if (modelX === undefined || modelY === undefined) return accepted('members that NumPy refuses');
        if (modelX.shape[0] !== y.length || modelY.shape[0] !== y.length)
          return found('wrong', 'another number of rows than is in the file');
        if (modelX.descr !== '<f4' || modelX.fortran) return fine;
        return same(x, new Float32Array(Uint8Array.from(modelX.data).buffer))
          ? fine
          : found('wrong', 'other elements than are in the file');
      },
      true,
    ),
};

const jsonlKind: Kind = {
  write: (random) =>
    Buffer.from(
      many(random, () =>
        JSON.stringify({ x: [number(random), number(random)], y: random.int(5), ...(random.chance(0.2) ? { note: label(random) } : {}) }),
      ).join(random.pick(['\n', '\n', '\r\n', '\n\n'])) + random.pick(['', '\n']),
    ),
  check: (path, bytes) =>
    bothWays(path, {}, ({ x, y }) => {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      if (/\r(?!\n)/.test(text)) return fine;
      const items = text
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => JSON.parse(line) as { readonly x?: unknown; readonly y?: unknown });
      if (hasTwins(text)) return accepted('a member twice');
      if (items.length !== y.length) return found('wrong', 'another number of rows than is in the file');
      // Labels may be texts, and whole columns of them.
      if (items.some((item) => typeof item.y !== 'number' || !Array.isArray(item.x))) return fine;
      const flat = items.flatMap((item) =>
        (item.x as unknown[]).map((one) => (typeof one === 'boolean' || typeof one === 'string' ? Number(one) : one)),
      );
      return same(x, Float32Array.from(flat as number[])) &&
        same(
          y,
          // An i32 has no -0.
          items.map((item) => (item.y as number) + 0),
        )
        ? fine
        : found('wrong', 'other numbers than are in the file');
    }),
};

const tableText = (random: Random): string => {
  const isText = random.chance(0.4);
  const end = random.pick(['\n', '\n', '\r\n', '\r']);
  const rows = many(random, () =>
    [random.chance(0.05) ? '' : number(random), random.pick([' 7 ', '-0', '1e3', '"3"']), isText ? label(random) : random.int(9)].join(),
  );
  return [random.pick(['x0,x1,y', 'x_a,x_b,y', 'p,q,kind']), ...rows].join(end) + random.pick(['', end]);
};

const tableKind: Kind = {
  write: (random) => Buffer.from(tableText(random)),
  check: (path, bytes) =>
    bothWays(path, {}, ({ x, y }) => {
      let text: string;
      try {
        text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      } catch {
        return accepted('bytes that are no text');
      }
      if (/["\0]|[^\S\n\r ]/.test(text)) return fine;
      const [header = [], ...body] = text
        .split(/\r\n|\n|\r/)
        .filter((line) => line.trim() !== '')
        .map((line) => line.split(',').map((cell) => cell.trim()));
      if (body.some((row) => row.length !== header.length)) return accepted('rows of different lengths');
      if (body.length !== y.length) return found('wrong', 'another number of rows than is in the file');
      if (!/^x0,x1,y$/.test(header.join())) return fine;
      const values = body.flatMap((row) =>
        row
          .slice(0, 2)
          .map((cell) =>
            Math.fround(/inf/i.test(cell) ? (cell.startsWith('-') ? -Infinity : Infinity) : Number(/nan/i.test(cell) ? 'NaN' : cell)),
          ),
      );
      return same(x, values) ? fine : found('wrong', 'other numbers than are in the file');
    }),
};

const packedTableKind: Kind = {
  write: (random) => gzipSync(tableText(random), { level: random.pick([0, 1, 9]) }),
  check: (path) => bothWays(path, {}, () => fine),
};

const parquetKind: Kind = {
  write(random) {
    const isText = random.chance(0.5);
    const type = random.pick(['float', 'double', 'int32', 'int64'] as const);
    const group = (): Readonly<Record<string, ParquetColumn>> => {
      const rows = 1 + random.int(9);
      const numbers = (): number[] => Array.from({ length: rows }, () => random.int(100));
      return {
        x0: { type, values: numbers() },
        x1: { type: 'double', values: numbers() },
        y: isText ? { type: 'string', values: Array.from({ length: rows }, () => label(random)) } : { type: 'int32', values: numbers() },
      } as const;
    };
    return parquet(many(random, group, 3), random.chance(0.3));
  },
  check: (path) => bothWays(path, {}, ({ x, y }) => (x.length === 2 * y.length ? fine : found('wrong', 'columns of different lengths'))),
};

const arrowKind: Kind = {
  write(random) {
    const rows = 1 + random.int(20);
    const table = new arrow.Table({
      x0: arrow.vectorFromArray(Float32Array.from({ length: rows }, () => number(random))),
      x1: arrow.vectorFromArray(Float64Array.from({ length: rows }, () => number(random))),
      y: random.chance(0.5)
        ? arrow.vectorFromArray(Int32Array.from({ length: rows }, () => random.int(9)))
        : arrow.vectorFromArray(
            Array.from({ length: rows }, () => label(random)),
            // With a number of its own: the library counts dictionaries, and the same seed has to give the same bytes.
            new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32(), 0),
          ),
    });
    return arrow.tableToIPC(table, random.pick(['file', 'stream']));
  },
  check: (path) => bothWays(path, {}, ({ x, y }) => (x.length === 2 * y.length ? fine : found('wrong', 'columns of different lengths'))),
};

const textKind: Kind = {
  write: (random) => Buffer.from(many(random, () => random.pick(['ab', 'c\n', 'ä', '🌍', ' ', 'hello']), 30).join('')),
  async check(path, bytes) {
    const dataset = await openDataset(path, entryOf({ ids: ['i32', 'T'], targets: ['i32', 'T'] }), { window: 3, stride: 1 });
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return accepted('bytes that are no text');
    }
    const words = dataset.vocabularies?.['ids']?.words ?? [];
    let row = 0;
    const characters = [...text];
    for await (const { feeds, rows } of dataset.batches({ epoch: 1, seed: 1, batch: 7, shuffle: false, rest: 'keep' })) {
      const [ids, targets] = [feeds['ids'], feeds['targets']].map((feed) =>
        Array.from((feed as unknown as { readonly data: ArrayLike<number> }).data, (code) => words[code]),
      );
      for (let at = 0; at < rows; at += 1, row += 1)
        if (
          ids?.slice(3 * at, 3 * at + 3).join() !== characters.slice(row, row + 3).join() ||
          targets?.slice(3 * at, 3 * at + 3).join() !== characters.slice(row + 1, row + 4).join()
        )
          return found('wrong', 'other characters than are in the file');
    }
    return row === characters.length - 3 ? fine : found('wrong', 'another number of windows than the text has');
  },
};

/** One array, for one feed, in memory and by pieces. */
const arrayKind: Kind = {
  write: (random) => {
    const rows = random.int(6);
    return npy(
      random.pick(['<f4', '<f4', '<f8', '<i4']),
      random.pick([[rows, 2], [rows, 2], [rows], [rows, 1, 2]]),
      random.bytes(8 * rows),
      random.chance(0.1),
    );
  },
  async check(path, bytes) {
    const entry = entryOf({ x: ['f32', 2] });
    const [memory, pieces] = [await firstFeed(path, entry, {}), await firstFeed(path, entry, { memory: 0, shuffleRows: 2 })];
    if (memory instanceof DiagnosticsError) throw memory;
    if (modelNpy(bytes) === undefined) return accepted('NumPy refuses this file');
    // What has its columns one behind the other is not read row by row.
    if (pieces instanceof DiagnosticsError)
      return modelNpy(bytes)?.fortran === true ? fine : found('unstable', `refused by pieces alone: ${pieces.message}`);
    return same(memory, pieces) ? fine : found('wrong', 'other rows in memory than by pieces');
  },
};

async function firstFeed(path: string, entry: EntrySpec, options: DatasetOptions): Promise<readonly number[] | DiagnosticsError> {
  const numbers: number[] = [];
  try {
    const dataset = await openDataset(path, entry, options);
    try {
      for await (const { feeds } of dataset.batches({ epoch: 1, seed: 1, batch: 3, shuffle: false, rest: 'keep' }))
        numbers.push(...Array.from((feeds['x'] as unknown as { readonly data: ArrayLike<number> }).data));
    } finally {
      dataset.close?.();
    }
  } catch (error) {
    if (error instanceof DiagnosticsError) return error;
    throw error;
  }
  return numbers;
}

/** Columns of a safetensors file. */
const tensorsKind: Kind = {
  write(random) {
    const rows = random.int(5);
    const arrays = {
      x: { dtype: random.pick(['F32', 'F32', 'F64']), shape: [rows, 2], values: Array.from({ length: 2 * rows }, () => number(random)) },
      y: { dtype: random.pick(['I32', 'U8']), shape: [rows], values: Array.from({ length: rows }, () => random.int(9)) },
    };
    const header: Record<string, unknown> = {};
    const parts: Buffer[] = [];
    let offset = 0;
    for (const [name, { dtype, shape, values }] of Object.entries(arrays)) {
      const kinds = { F32: Float32Array, F64: Float64Array, I32: Int32Array, U8: Uint8Array } as const;
      const data = Buffer.from(new kinds[dtype as keyof typeof kinds](values).buffer);
      header[name] = { dtype, shape, data_offsets: [offset, offset + data.length] };
      offset += data.length;
      parts.push(data);
    }
    const json = Buffer.from(JSON.stringify(header));
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([head, json, ...parts]);
  },
  check: (path, bytes) =>
    bothWays(path, {}, ({ x, y }) => {
      const model = modelSafetensors(bytes);
      if (model === undefined) return accepted('no safetensors file');
      const tensor = model.get('x');
      if (tensor === undefined || model.get('y')?.shape[0] !== y.length)
        return found('wrong', 'another number of rows than is in the file');
      return tensor.dtype !== 'F32' || same(x, new Float32Array(Uint8Array.from(tensor.bytes).buffer))
        ? fine
        : found('wrong', 'other elements than are in the file');
    }),
};

/** MNIST's pair in a directory, of which the images or the labels are the input. */
const digitsKind: Kind = {
  write: (random) => (random.chance(0.5) ? idx([3, 2, 2], random.bytes(12)) : idx([3], random.bytes(3))),
  async check(_, bytes) {
    digits ??= mkdtempSync(join(tmpdir(), 'tfc-digits-'));
    const isLabels = bytes[3] === 1;
    writeFileSync(join(digits, 'train-images-idx3-ubyte'), isLabels ? idx([3, 2, 2], new Uint8Array(12)) : bytes);
    writeFileSync(join(digits, 'train-labels-idx1-ubyte'), isLabels ? bytes : idx([3], new Uint8Array(3)));
    const { rows } = await openDataset(digits, entryOf({ x: ['f32', 4], y: ['i32'] }));
    const model = modelIdx(bytes);
    return model === undefined ? accepted('no IDX file') : rows === 3 ? fine : found('wrong', `${rows} rows of three`);
  },
};

let digits: string | undefined;

const pngKind: Kind = {
  write(random) {
    const [width, height, channels] = [1 + random.int(6), 1 + random.int(6), random.pick([1, 1, 2, 3, 4])];
    const depth = random.pick([8, 8, 16] as const);
    const count = width * height * channels;
    const data = depth === 8 ? random.bytes(count) : Uint16Array.from({ length: count }, () => random.int(65_536));
    return encodePng({ width, height, channels, depth, data }, random.chance(0.2) ? { interlace: 'Adam7' } : {});
  },
  check(path, bytes) {
    const image = readImage(path);
    const model = modelImage(bytes);
    if (model === 'damaged') return accepted('a damaged PNG image');
    if (image.data.length < image.width * image.height * image.channels) return found('wrong', 'fewer samples than pixels');
    if (model === 'unknown') return fine;
    return image.width === model.width && image.height === model.height && same(Array.from(image.data), Array.from(model.data))
      ? fine
      : found('wrong', 'other pixels than are in the file');
  },
};

/** Encoding one takes longer than reading it thirty times. */
const photographs: Uint8Array[] = [];
const mostPhotographs = 50;

const jpegKind: Kind = {
  write(random) {
    const at = random.int(mostPhotographs);
    const own = new Random(at);
    const [width, height] = [1 + own.int(20), 1 + own.int(20)];
    return (photographs[at] ??= jpeg.encode({ width, height, data: own.bytes(4 * width * height) }, 20 + own.int(80)).data);
  },
  check(path) {
    const { width, height, channels, data } = readImage(path);
    return data.length === width * height * channels ? fine : found('wrong', 'another number of samples than pixels have');
  },
};

let folder: string | undefined;

/** Two images in a folder per class, the second of which is the input. */
const imagesKind: Kind = {
  write: (random) =>
    random.chance(0.5) ? encodePng({ width: 4, height: 4, channels: 3, data: random.bytes(48) }) : pngOf(random.bytes(16)),
  async check(_, bytes) {
    folder ??= mkdtempSync(join(tmpdir(), 'tfc-images-'));
    writeFileSync(join(folder, 'a.png'), pngOf(new Uint8Array(16)));
    writeFileSync(join(folder, 'b.png'), bytes);
    const entry = entryOf({ x: ['u8', 4, 4] });
    for (const memory of [0, 2 ** 20]) {
      const dataset = await openDataset(folder, entry, { memory, format: 'images' });
      for await (const { rows } of dataset.batches({ epoch: 1, seed: 1, batch: 2, shuffle: true, rest: 'keep' }))
        if (rows !== 2) return found('wrong', `${rows} rows of two images`);
    }
    return fine;
  },
};

const pngOf = (data: Uint8Array): Uint8Array => encodePng({ width: 4, height: 4, channels: 1, data });

export const dataKinds: Readonly<Record<string, Kind>> = {
  npz: npzKind,
  jsonl: jsonlKind,
  'table.csv': tableKind,
  'table.csv.gz': packedTableKind,
  parquet: parquetKind,
  arrow: arrowKind,
  'data.npy': arrayKind,
  'data.safetensors': tensorsKind,
  'digits.idx': digitsKind,
  txt: textKind,
  png: pngKind,
  jpg: jpegKind,
  'images.png': imagesKind,
};
