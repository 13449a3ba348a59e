// IDX files, the format of MNIST (described by LeCun, Cortes and Burges at the data set). In: a path, plain or gzipped. Out: bytes and sizes. Holds: the file is exactly as long as its header says.

import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as Fflate from 'fflate';
import { zeros } from '../../../runtime/index.js';
import { DiagnosticsError } from '../../base/index.js';
import { notRead, readBytes } from '../files.js';
import { badData } from '../json.js';
import { countOf } from './table.js';

export interface IdxArray {
  readonly data: Uint8Array;
  readonly shape: readonly number[];
}

/** Errors: file-not-found; bad-data when it is no IDX file of unsigned bytes, or is truncated. */
export function readIdx(path: string): IdxArray {
  const bytes = unpacked(path, readBytes(path));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== 0 || view.getUint8(2) !== 8) throw badData(`${path}: not an IDX file of unsigned bytes`);
  const rank = view.getUint8(3);
  if (rank < 1 || bytes.length < 4 + 4 * rank) throw badData(`${path}: truncated`);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset + 4 + 4 * rank, bytes.length - 4 - 4 * rank);
  if (data.length !== countOf(shape)) throw badData(`${path}: truncated or malformed: ${shape.join('×')} bytes are promised, ${data.length} are there`);
  return { data, shape };
}

function unpacked(path: string, bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  // Loaded when a file is packed.
  const { gunzipSync } = createRequire(import.meta.url)('fflate') as typeof Fflate;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw badData(`${path}: truncated or damaged gzip data (${error instanceof Error ? error.message : String(error)})`);
  }
}

export interface Digits {
  /** Rows of pixels from 0 to 1. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
  readonly count: number;
  readonly pixels: number;
}

const imageFiles = 'images-idx3-ubyte';
const labelFiles = 'labels-idx1-ubyte';

/** The image and label files of a directory whose names start with `prefix` (`train`, `t10k`); without it, one pair: MNIST's training files when both pairs are there. */
export function readDigits(directory: string, prefix?: string): Digits {
  const names = list(directory);
  const start = prefix ?? prefixOf(directory, names);
  const images = readIdx(find(directory, names, start, imageFiles));
  const labels = readIdx(find(directory, names, start, labelFiles));
  const [count, height, width] = images.shape;
  if (count === undefined || height === undefined || width === undefined) throw badData(`${directory}: images of ${images.shape.length} axes, expected 3`);
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

const missing = (directory: string, name: string): DiagnosticsError => new DiagnosticsError([{ code: 'file-not-found', message: `${directory}: no file ${name}[.gz]`, hint: "MNIST's files go there, plain or gzipped." }]);
