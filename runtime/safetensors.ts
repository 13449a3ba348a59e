// The safetensors format (8 bytes of length, a JSON header, data). In: a path. Out: named tensors, or the file. Holds: a file is read only
// if its header describes every byte of it exactly once, as the format's own reader demands; tensors of element types that we do not have
// are listed, and refused when they are read; there is never half of a file. Source: https://huggingface.co/docs/safetensors,
// little-endian.
import type { ElementType } from './abi/manifest.js';
import { writeFiles, writeFully } from './atomic-file.js';
import { type TypedArray, allocate, elementTypes, elements, isElementType } from './element.js';
import { TfcError, reading } from './error.js';
import { RegularFile } from './regular-file.js';
import { shown } from './shown.js';
import { JsonMistake, parseStrictJson } from './strict-json.js';
import { Tensor } from './tensor.js';

/** As the format's own reader: a longer header is no header. */
const longestHeader = 100_000_000;

/** As the format's own reader: JSON that nests deeper is none. */
const deepestHeader = 127;

/** Every element type of the format, and its bits. */
const storedBits: Readonly<Record<string, number>> = {
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F8_E4M3: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2: 8,
  F8_E5M2FNUZ: 8,
  F8_E8M0: 8,
  F16: 16,
  BF16: 16,
  F32: 32,
  F64: 64,
  BOOL: 8,
  U8: 8,
  I8: 8,
  U16: 16,
  I16: 16,
  U32: 32,
  I32: 32,
  U64: 64,
  I64: 64,
  C64: 64,
};

/**
 * What a file says of a tensor.
 * @example
 * ```ts
 * using file = new SafetensorsFile('weights.safetensors');
 * const isLarge = ({ shape }: StoredTensor): boolean => shape.reduce((product, size) => product * size, 1) > 1e6;
 * console.log([...file.tensors].filter(([, stored]) => isLarge(stored)).length);
 * ```
 */
export interface StoredTensor {
  readonly name: string;
  /** Undefined: none of ours; such a tensor cannot be read. */
  readonly dtype: ElementType | undefined;
  /** The file's name of the element type: `F32`, `F8_E4M3`. */
  readonly stored: string;
  readonly shape: readonly number[];
  /** Position in the file. */
  readonly offset: number;
  readonly bytes: number;
}

/**
 * A file of tensors that is read one by one. Close it when it is no longer used.
 * @example
 * ```ts
 * session.save('all.safetensors');
 * using file = new SafetensorsFile('all.safetensors');
 * for (const [name, { dtype, shape }] of file.tensors) console.log(name, dtype, shape);
 * const weights = file.read('net/w');
 * ```
 */
export class SafetensorsFile {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #file: RegularFile;

  /** @throws TfcError file-not-found, bad-data, invalid-value for what is no path. Close it after use. */
  constructor(path: string) {
    if (typeof path !== 'string') throw new TfcError('invalid-value', `${shown(path)} is no path of a file.`);
    this.path = path;
    this.#file = openFile(path);
    try {
      const { tensors, metadata } = readHeader(path, this.#file);
      this.tensors = tensors;
      this.metadata = metadata;
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /**
   * @throws TfcError bad-data when the file has no such tensor, cannot be read, or holds a bool that is neither 0 nor 1; dtype-mismatch for
   * an element type that is none of ours; out-of-memory.
   */
  read(name: string): Tensor {
    const stored = this.tensors.get(name);
    if (stored === undefined) throw new TfcError('bad-data', `${this.path} has no tensor ${name}.`);
    if (stored.dtype === undefined)
      throw new TfcError('dtype-mismatch', `${this.path}: ${name} has the element type ${stored.stored}, which is none of ours.`);
    const data = memoryFor(this.path, stored.dtype, stored);
    readPart(this.path, this.#file, data, stored.offset);
    if (stored.dtype === 'bool' && (data as Uint8Array).some((byte) => byte > 1))
      throw malformed(this.path, `${name} holds a bool that is neither 0 nor 1`);
    return new Tensor(stored.dtype, stored.shape, data);
  }

  close(): void {
    this.#file.close();
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

/**
 * Writes named tensors, one at a time, so that only one is in memory. @throws TfcError file-not-written; invalid-value for what is no list
 * of tensors with names of their own.
 * @example
 * ```ts
 * const { dtype, shape, data } = tensor(Float32Array.of(1, 2, 3, 4), [2, 2]);
 * writeSafetensors('mine.safetensors', [{ name: 'w', dtype, shape, read: () => data }], { note: 'by hand' });
 * ```
 */
export function writeSafetensors(path: string, tensors: readonly NewTensor[], metadata: Readonly<Record<string, string>> = {}): void {
  const header = reading('What is to be written', () => headerFor(tensors, metadata));
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
      if (!ArrayBuffer.isView(data) || data.byteLength !== bytes)
        throw new TfcError(
          'invalid-value',
          `${name} has ${bytes} bytes, and ${ArrayBuffer.isView(data) ? data.byteLength : 'none'} are to be written.`,
        );
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

function headerFor(tensors: unknown, metadata: unknown): ReadonlyMap<string, unknown> {
  if (!Array.isArray(tensors)) throw new TfcError('invalid-value', `Tensors are written from an array, not from ${shown(tensors)}.`);
  if (!isObject(metadata) || !Object.values(metadata).every((text) => typeof text === 'string'))
    throw new TfcError('invalid-value', 'Metadata is an object of strings.');
  const header = new Map<string, unknown>(Object.keys(metadata).length === 0 ? [] : [[metadataName, metadata]]);
  let offset = 0;
  for (const { name, dtype, shape, read } of tensors as readonly { readonly [Member in keyof NewTensor]?: unknown }[]) {
    if (typeof name !== 'string' || typeof read !== 'function' || !isElementType(dtype) || !Array.isArray(shape) || !shape.every(isCount))
      throw new TfcError('invalid-value', `A tensor that is written has a name, a dtype, a shape and read; ${shown(name)} does not.`);
    if (header.has(name) || name === metadataName) throw new TfcError('invalid-value', `Two tensors are called ${shown(name)}.`);
    const end = offset + bytesOf(dtype, shape);
    if (!Number.isSafeInteger(end)) throw new TfcError('invalid-value', `${name} has more bytes than a file.`);
    header.set(name, { dtype: elements[dtype].safetensors, shape, data_offsets: [offset, end] });
    offset = end;
  }
  return header;
}

const metadataName = '__metadata__';
const bytesOf = (dtype: ElementType, shape: readonly number[]): number =>
  elements[dtype].bytes * shape.reduce((product, size) => product * size, 1);

function openFile(path: string): RegularFile {
  try {
    return new RegularFile(path);
  } catch (error) {
    if (!(error instanceof Error && ('syscall' in error || error instanceof TypeError))) throw malformed(path, reason(error));
    throw new TfcError('file-not-found', `${path} cannot be read: ${reason(error)}.`, { cause: error });
  }
}

function memoryFor(path: string, dtype: ElementType, { name, bytes }: StoredTensor): TypedArray {
  try {
    return allocate(dtype, bytes / elements[dtype].bytes);
  } catch (error) {
    throw new TfcError('out-of-memory', `${path}: there is no memory for the ${bytes} bytes of ${name}.`, { cause: error });
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const malformed = (path: string, what: string): TfcError => new TfcError('bad-data', `${path} is no intact safetensors file: ${what}.`);

function readPart(path: string, file: RegularFile, into: ArrayBufferView, position: number): void {
  try {
    file.read(into, position);
  } catch (error) {
    throw malformed(path, reason(error));
  }
}

function readHeader(
  path: string,
  file: RegularFile,
): { readonly tensors: ReadonlyMap<string, StoredTensor>; readonly metadata: Readonly<Record<string, string>> } {
  if (file.bytes < 8) throw malformed(path, 'it is shorter than 8 bytes');
  const prefix = new DataView(new ArrayBuffer(8));
  readPart(path, file, prefix, 0);
  const length = Number(prefix.getBigUint64(0, true));
  if (length > longestHeader || length > file.bytes - 8) throw malformed(path, `its header claims ${length} bytes`);
  const bytes = new Uint8Array(length);
  readPart(path, file, bytes, 8);
  const tensors = new Map<string, StoredTensor>();
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, value] of Object.entries(headerOf(path, bytes))) {
    if (name === '__metadata__') {
      if (!isObject(value) || !Object.values(value).every((text) => typeof text === 'string'))
        throw malformed(path, '__metadata__ is no record of strings');
      metadata = value as Readonly<Record<string, string>>;
    } else tensors.set(name, readEntry(path, name, value, 8 + length));
  }
  requireCover(path, [...tensors.values()], 8 + length, file.bytes);
  return { tensors, metadata };
}

function headerOf(path: string, bytes: Uint8Array): Readonly<Record<string, unknown>> {
  if (bytes[0] !== 0x7b) throw malformed(path, 'its header does not start with {');
  try {
    // An object, as it starts like one.
    return parseStrictJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes), {
      maximumDepth: deepestHeader,
      wholeNumbers: true,
    }) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw malformed(path, error instanceof JsonMistake ? `in its header, ${error.message}` : 'its header is not JSON');
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function readEntry(path: string, name: string, value: unknown, base: number): StoredTensor {
  if (!isObject(value)) throw malformed(path, `${name} is no object`);
  const { dtype: stored, shape, data_offsets: offsets } = value;
  if (typeof stored !== 'string' || !Object.hasOwn(storedBits, stored)) throw malformed(path, `${name} has no element type of the format`);
  if (!Array.isArray(shape) || !shape.every(isCount)) throw malformed(path, `${name} has no valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    throw malformed(path, `${name} has no valid data_offsets`);
  const [begin = 0, end = 0] = offsets;
  // An empty axis makes the others no smaller: with it, too, the format's own reader counts them.
  const bits = shape.reduce((product, size) => product * (size || 1), storedBits[stored] as number);
  if (!Number.isSafeInteger(bits)) throw malformed(path, `${name} has more elements than can be counted`);
  const bytes = shape.includes(0) ? 0 : bits / 8;
  if (end - begin !== bytes) throw malformed(path, `${name} has ${end - begin} bytes, and its shape and element type need ${bytes}`);
  return { name, dtype: elementTypes.find((dtype) => elements[dtype].safetensors === stored), stored, shape, offset: base + begin, bytes };
}

/** Every byte of data belongs to one tensor. */
function requireCover(path: string, tensors: StoredTensor[], start: number, size: number): void {
  tensors.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let at = start;
  for (const { name, offset, bytes } of tensors) {
    if (offset !== at) throw malformed(path, offset < at ? `${name} overlaps another tensor` : `there is a hole before ${name}`);
    at += bytes;
  }
  if (at !== size)
    throw malformed(path, at > size ? `its data ends ${at - size} bytes too early` : `${size - at} bytes at its end belong to nothing`);
}
