// IDX files, the format of MNIST (described by LeCun, Cortes and Burges at the data set). In: a path, plain or gzipped. Out: bytes and
// sizes.
// Holds: the file is exactly as long as its header says, before memory is taken for it; gzip's checksums fit, and nothing stands behind its
// data.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { zeros } from '../../../runtime/index.js';
import { DiagnosticsError } from '../../base/index.js';
import { notRead } from '../../input/files.js';
import { badData } from '../../input/json.js';
import { type DataFile, withDataFile } from './data-file.js';
import { countOf } from './table.js';

export interface IdxArray {
  readonly data: Uint8Array;
  readonly shape: readonly number[];
}

/** The longest array that Node 20 has. */
const longestArray = 2 ** 32;

/** At most 255 axes. */
const longestHeader = 4 + 4 * 255;

/** Deflate writes two bits for 258 bytes at best. */
const bestCompression = 1032;

/** What the third byte says. */
const elementTypes: Readonly<Record<number, string>> = {
  0x08: 'unsigned bytes',
  0x09: 'signed bytes',
  0x0b: '16-bit integers',
  0x0c: '32-bit integers',
  0x0d: '32-bit floats',
  0x0e: '64-bit floats',
};

/** Errors: file-not-found; bad-data when it is no IDX file of unsigned bytes, or is truncated or damaged. */
export const readIdx = (path: string): IdxArray =>
  withDataFile(path, (file) => {
    const start = file.read(Buffer.alloc(Math.min(file.bytes, longestHeader)), 0);
    if (start[0] === 0x1f && start[1] === 0x8b) return readPacked(path, file);
    const { shape, offset, bytes } = readHeader(path, start);
    requireLength(path, shape, bytes, file.bytes - offset);
    return { data: file.read(new Uint8Array(bytes), offset), shape };
  });

function readPacked(path: string, file: DataFile): IdxArray {
  if (file.bytes > longestArray) throw badData(`${path}: ${file.bytes} bytes are too many for a packed file`);
  const packed = file.read(Buffer.allocUnsafeSlow(file.bytes), 0);
  const { shape, offset, bytes } = readHeader(path, unpackedStart(path, packed));
  if (bytes > bestCompression * packed.length)
    throw badData(`${path}: truncated: ${shape.join('×')} bytes are promised, more than ${packed.length} packed ones can hold`);
  const whole = unpack(path, packed, offset + bytes, shape);
  requireLength(path, shape, bytes, whole.length - offset);
  return { data: new Uint8Array(whole.buffer, whole.byteOffset + offset, bytes), shape };
}

/** At least the header, from as few packed bytes as it takes: whatever follows it may be a thousand times as long. */
function unpackedStart(path: string, packed: Buffer): Buffer {
  for (let taken = 512; ; taken *= 2) {
    const start = unpacking(path, () => gunzipSync(packed.subarray(0, taken), { finishFlush: constants.Z_SYNC_FLUSH }));
    if (start.length >= longestHeader || taken >= packed.length) return start;
  }
}

/** Everything, when that is no more than `promised` bytes: zlib compares checksum and length. */
function unpack(path: string, packed: Buffer, promised: number, shape: readonly number[]): Buffer {
  const { buffer, engine } = unpacking(path, () => {
    try {
      // One byte more, so that more than promised is seen.
      return gunzipSync(packed, { maxOutputLength: Math.min(promised + 1, longestArray), info: true }) as unknown as {
        readonly buffer: Buffer;
        readonly engine: { readonly bytesWritten: number };
      };
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
        throw badData(`${path}: malformed: ${shape.join('×')} bytes are promised, and more are there`);
      throw error;
    }
  });
  // The engine counts what it took. It stops at a zero, with which files on tapes and blocks are filled up.
  if (packed.subarray(engine.bytesWritten).some((byte) => byte !== 0))
    throw badData(`${path}: damaged gzip data: other bytes stand behind its end`);
  return buffer;
}

function unpacking<Result>(path: string, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    if (error instanceof DiagnosticsError) throw error;
    throw badData(`${path}: truncated or damaged gzip data (${error instanceof Error ? error.message : String(error)})`);
  }
}

/** Sizes, and where the elements start and how many bytes they are. */
function readHeader(path: string, start: Buffer): { readonly shape: readonly number[]; readonly offset: number; readonly bytes: number } {
  const [first, second, type, rank] = start;
  if (first !== 0 || second !== 0 || type === undefined || elementTypes[type] === undefined)
    throw badData(`${path}: not an IDX file of unsigned bytes`);
  if (type !== 0x08)
    throw badData(`${path}: not an IDX file of unsigned bytes, but of ${elementTypes[type]}`, 'Save other numbers as .npy.');
  if (rank === undefined || start.length < 4 + 4 * rank) throw badData(`${path}: truncated`);
  if (rank === 0) throw badData(`${path}: malformed: an IDX file without axes`);
  const shape = Array.from({ length: rank }, (_, axis) => start.readUInt32BE(4 + 4 * axis));
  const bytes = countOf(shape);
  // NaN is more than can be counted.
  if (!(bytes <= longestArray)) throw badData(`${path}: ${shape.join('×')} bytes are too many`);
  return { shape, offset: 4 + 4 * rank, bytes };
}

function requireLength(path: string, shape: readonly number[], promised: number, found: number): void {
  if (found !== promised) throw badData(`${path}: truncated or malformed: ${shape.join('×')} bytes are promised, ${found} are there`);
}

/**
 * Images with labels.
 * @example
 * ```ts
 * const digits: Digits = { images: new Float32Array(2 * 784), labels: Int32Array.of(3, 7), count: 2, pixels: 784 };
 * ```
 */
export interface Digits {
  /** Rows of pixels from 0 to 1. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
  readonly count: number;
  readonly pixels: number;
}

const imageFiles = 'images-idx3-ubyte';
const labelFiles = 'labels-idx1-ubyte';

/**
 * The image and label files of a directory whose names start with `prefix` (`train`, `t10k`); without it, one pair: MNIST's training files
 * when both pairs are there.
 */
export function readDigits(directory: string, prefix?: string): Digits {
  const names = list(directory);
  const start = prefix ?? prefixOf(directory, names);
  const images = readIdx(find(directory, names, start, imageFiles));
  const labels = readIdx(find(directory, names, start, labelFiles));
  const [count, height, width] = images.shape;
  if (count === undefined || height === undefined || width === undefined || images.shape.length > 3)
    throw badData(`${directory}: images of ${images.shape.length} axes, expected 3`);
  if (labels.shape.length > 1) throw badData(`${directory}: labels of ${labels.shape.length} axes, expected 1`);
  if (labels.shape[0] !== count) throw badData(`${directory}: ${count} images, but ${labels.shape[0] ?? 0} labels`);
  const pixels = height * width;
  const [shown, meant] = [zeros([count, pixels]).data, zeros([count], 'i32').data];
  for (let at = 0; at < shown.length; at++) shown[at] = (images.data[at] as number) / 255;
  meant.set(labels.data);
  return { images: shown, labels: meant, count, pixels };
}

export const hasDigits = (directory: string): boolean => list(directory).some((name) => name.includes(imageFiles));

function list(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    throw notRead(directory, error);
  }
}

function prefixOf(directory: string, names: readonly string[]): string {
  const starts = names.filter((name) => name.includes(imageFiles)).map((name) => name.slice(0, name.indexOf(imageFiles)));
  const start = starts.find((one) => one.startsWith('train')) ?? starts[0];
  if (start === undefined) throw missing(directory, `*-${imageFiles}`);
  return start;
}

function find(directory: string, names: readonly string[], prefix: string, kind: string): string {
  const found = names.find((name) => name.startsWith(prefix) && name.includes(kind));
  if (found === undefined) throw missing(directory, `${prefix.replace(/-$/, '')}-${kind}`);
  return join(directory, found);
}

const missing = (directory: string, name: string): DiagnosticsError =>
  new DiagnosticsError([
    { code: 'file-not-found', message: `${directory}: no file ${name}[.gz]`, hint: "MNIST's files go there, plain or gzipped." },
  ]);
