// The safetensors format (8 bytes of length, a JSON header, data). In: a path. Out: named tensors, or the file. Holds: a file is read only if its header describes every byte of it exactly once;
// there is never half of one. Source: https://huggingface.co/docs/safetensors, little-endian.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ElementType } from './abi/manifest.js';
import { writeFiles, writeFully } from './atomic-file.js';
import { type TypedArray, allocate, elementTypes, elements, isElementType } from './element.js';
import { TfcError, reading } from './error.js';
import { shown } from './shown.js';
import { Tensor } from './tensor.js';

/** As the format's own reader: a longer header is no header. */
const longestHeader = 100_000_000;

export interface StoredTensor {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** Position in the file. */
  readonly offset: number;
  readonly bytes: number;
}

export class SafetensorsFile {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #file: number;

  /** @throws TfcError file-not-found, bad-data. Close it after use. */
  constructor(path: string) {
    this.path = path;
    this.#file = openFile(path);
    try {
      const { tensors, metadata } = readHeader(path, this.#file);
      this.tensors = tensors;
      this.metadata = metadata;
    } catch (error) {
      closeSync(this.#file);
      throw error;
    }
  }

  /** @throws TfcError bad-data when the file has no such tensor, cannot be read, or holds a bool that is neither 0 nor 1. */
  read(name: string): Tensor {
    const stored = this.tensors.get(name);
    if (stored === undefined) throw new TfcError('bad-data', `${this.path} has no tensor ${name}.`);
    const data = allocate(stored.dtype, stored.bytes / elements[stored.dtype].bytes);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, stored.bytes);
    readFully(this.path, this.#file, bytes, stored.offset);
    if (stored.dtype === 'bool' && bytes.some((byte) => byte > 1)) throw malformed(this.path, `${name} holds a bool that is neither 0 nor 1`);
    return new Tensor(stored.dtype, stored.shape, data);
  }

  close(): void {
    closeSync(this.#file);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A tensor to write; its data is asked for when its turn comes. */
export interface NewTensor {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly read: () => TypedArray;
}

/** Writes named tensors, one at a time, so that only one is in memory. @throws TfcError file-not-written; invalid-value for what is no list of tensors with names of their own. */
export function writeSafetensors(path: string, tensors: readonly NewTensor[], metadata: Readonly<Record<string, string>> = {}): void {
  const header = reading('What is to be written', () => headerOf(tensors, metadata));
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  // Spaces at the end bring the data to a multiple of 8.
  const start = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(start.length - 8), true);
  start.set(json, 8);
  const write = (file: number): void => {
    writeFully(file, start);
    for (const { name, dtype, shape, read } of tensors) {
      const data = dataOf(path, read);
      const bytes = bytesOf(dtype, shape);
      if (!ArrayBuffer.isView(data) || data.byteLength !== bytes) throw new TfcError('invalid-value', `${name} has ${bytes} bytes, and ${ArrayBuffer.isView(data) ? data.byteLength : 'none'} are to be written.`);
      writeFully(file, new Uint8Array(data.buffer, data.byteOffset, bytes));
    }
  };
  writeFiles([{ path, write }]);
}

function dataOf(path: string, read: () => TypedArray): TypedArray {
  try {
    return read();
  } catch (error) {
    throw error instanceof TfcError ? error : new TfcError('file-not-written', `${path}: ${reason(error)}`, { cause: error });
  }
}

function headerOf(tensors: unknown, metadata: unknown): ReadonlyMap<string, unknown> {
  if (!Array.isArray(tensors)) throw new TfcError('invalid-value', `Tensors are written from an array, not from ${shown(tensors)}.`);
  if (!isObject(metadata) || !Object.values(metadata).every((text) => typeof text === 'string')) throw new TfcError('invalid-value', 'Metadata is an object of strings.');
  const header = new Map<string, unknown>(Object.keys(metadata).length === 0 ? [] : [[metadataName, metadata]]);
  let offset = 0;
  for (const { name, dtype, shape, read } of tensors as readonly { readonly [Member in keyof NewTensor]?: unknown }[]) {
    if (typeof name !== 'string' || typeof read !== 'function' || !isElementType(dtype) || !Array.isArray(shape) || !shape.every(isCount)) throw new TfcError('invalid-value', `A tensor that is written has a name, a dtype, a shape and read; ${shown(name)} does not.`);
    if (header.has(name) || name === metadataName) throw new TfcError('invalid-value', `Two tensors are called ${shown(name)}.`);
    const end = offset + bytesOf(dtype, shape);
    if (!Number.isSafeInteger(end)) throw new TfcError('invalid-value', `${name} has more bytes than a file.`);
    header.set(name, { dtype: elements[dtype].safetensors, shape, data_offsets: [offset, end] });
    offset = end;
  }
  return header;
}

const metadataName = '__metadata__';
const bytesOf = (dtype: ElementType, shape: readonly number[]): number => elements[dtype].bytes * shape.reduce((product, size) => product * size, 1);

function openFile(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new TfcError('file-not-found', `${path} cannot be read: ${reason(error)}.`, { cause: error });
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const malformed = (path: string, what: string): TfcError => new TfcError('bad-data', `${path} is no intact safetensors file: ${what}.`);

function readFully(path: string, file: number, into: Uint8Array, position: number): void {
  let done = 0;
  while (done < into.length) {
    let read: number;
    try {
      read = readSync(file, into, done, Math.min(into.length - done, 2 ** 30), position + done);
    } catch (error) {
      throw malformed(path, reason(error));
    }
    if (read === 0) throw malformed(path, 'it ends too early');
    done += read;
  }
}

function readHeader(path: string, file: number): { readonly tensors: ReadonlyMap<string, StoredTensor>; readonly metadata: Readonly<Record<string, string>> } {
  const status = fstatSync(file);
  if (!status.isFile()) throw malformed(path, 'it is no file');
  if (status.size < 8) throw malformed(path, 'it is shorter than 8 bytes');
  const prefix = new Uint8Array(8);
  readFully(path, file, prefix, 0);
  const length = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (length > longestHeader || length > status.size - 8) throw malformed(path, `its header claims ${length} bytes`);
  const bytes = new Uint8Array(length);
  readFully(path, file, bytes, 8);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw malformed(path, 'its header is not JSON');
  }
  if (!isObject(json)) throw malformed(path, 'its header is no object');
  const tensors = new Map<string, StoredTensor>();
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, value] of Object.entries(json)) {
    if (name === '__metadata__') {
      if (!isObject(value) || !Object.values(value).every((text) => typeof text === 'string')) throw malformed(path, '__metadata__ is no record of strings');
      metadata = value as Readonly<Record<string, string>>;
    } else tensors.set(name, readEntry(path, name, value, 8 + length));
  }
  requireCover(path, [...tensors.values()], 8 + length, status.size);
  return { tensors, metadata };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function readEntry(path: string, name: string, value: unknown, base: number): StoredTensor {
  if (!isObject(value)) throw malformed(path, `${name} is no object`);
  const { dtype: code, shape, data_offsets: offsets } = value;
  const dtype = elementTypes.find((candidate) => elements[candidate].safetensors === code);
  if (dtype === undefined) throw malformed(path, `${name} has the dtype ${JSON.stringify(code)}, which is none of ours`);
  if (!Array.isArray(shape) || !shape.every(isCount)) throw malformed(path, `${name} has no valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) throw malformed(path, `${name} has no valid data_offsets`);
  const [begin = 0, end = 0] = offsets;
  const bytes = shape.reduce((product, size) => product * size, elements[dtype].bytes);
  if (!Number.isSafeInteger(bytes) || end - begin !== bytes) throw malformed(path, `${name} has ${end - begin} bytes, and its shape and dtype need ${bytes}`);
  return { name, dtype, shape, offset: base + begin, bytes };
}

/** Every byte of data belongs to one tensor. */
function requireCover(path: string, tensors: StoredTensor[], start: number, size: number): void {
  tensors.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let at = start;
  for (const { name, offset, bytes } of tensors) {
    if (offset !== at) throw malformed(path, offset < at ? `${name} overlaps another tensor` : `there is a hole before ${name}`);
    at += bytes;
  }
  if (at !== size) throw malformed(path, at > size ? `its data ends ${at - size} bytes too early` : `${size - at} bytes at its end belong to nothing`);
}
