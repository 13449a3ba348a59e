// IDX files, the format of MNIST (described by LeCun, Cortes and Burges at the data set). In: a path, plain or gzipped. Out: bytes and sizes. Holds: the file is exactly as long as its header says.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'fflate';
import { DiagnosticsError } from '../../base/index.js';
import { reasonOf } from '../sources.js';
import { badData } from './table.js';

export interface IdxArray {
  readonly data: Uint8Array;
  readonly shape: readonly number[];
}

/** Errors: file-not-found; bad-data when it is no IDX file of unsigned bytes, or is truncated. */
export function readIdx(path: string): IdxArray {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new DiagnosticsError([{ code: 'file-not-found', message: `${path}: ${reasonOf(error)}` }]);
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = gunzipSync(bytes);
    } catch (error) {
      throw badData(`${path}: truncated or damaged gzip data (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== 0 || view.getUint8(2) !== 8) throw badData(`${path}: not an IDX file of unsigned bytes`);
  const rank = view.getUint8(3);
  if (rank < 1 || bytes.length < 4 + 4 * rank) throw badData(`${path}: truncated`);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((product, size) => product * size, 1);
  const data = bytes.subarray(4 + 4 * rank);
  if (data.length !== count) throw badData(`${path}: truncated or malformed: ${shape.join('×')} bytes are promised, ${data.length} are there`);
  return { data, shape };
}

export interface Digits {
  /** Rows of pixels from 0 to 1. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
  readonly count: number;
  readonly pixels: number;
}

/** The image and label files of a directory whose names start with `prefix` (`train`, `t10k`, or any). */
export function readDigits(directory: string, prefix?: string): Digits {
  const images = readIdx(findIdx(directory, 'images-idx3-ubyte', prefix));
  const labels = readIdx(findIdx(directory, 'labels-idx1-ubyte', prefix));
  const [count, height, width] = images.shape;
  if (count === undefined || height === undefined || width === undefined) throw badData(`${directory}: images of ${images.shape.length} axes, expected 3`);
  if (labels.shape[0] !== count) throw badData(`${directory}: ${count} images, but ${labels.shape[0] ?? 0} labels`);
  return { images: Float32Array.from(images.data, (pixel) => pixel / 255), labels: Int32Array.from(labels.data), count, pixels: height * width };
}

export const hasDigits = (directory: string): boolean => existsSync(directory) && list(directory).some((name) => name.includes('images-idx3-ubyte'));

const list = (directory: string): string[] => {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    throw new DiagnosticsError([{ code: 'file-not-found', message: `${directory}: ${reasonOf(error)}` }]);
  }
};

function findIdx(directory: string, kind: string, prefix: string | undefined): string {
  const found = list(directory).find((name) => basename(name).includes(kind) && (prefix === undefined || name.startsWith(prefix)));
  if (found === undefined) throw new DiagnosticsError([{ code: 'file-not-found', message: `${directory}: no file ${prefix ?? '*'}-${kind}[.gz]`, hint: 'The four files of MNIST go there, plain or gzipped.' }]);
  return join(directory, found);
}
