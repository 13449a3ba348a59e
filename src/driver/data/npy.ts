// NumPy's .npy files. In: a path. Out: data, dtype and shape, row-major. Holds: the file is exactly as long as its header says (npyjs takes truncated files).

import { createRequire } from 'node:module';
import type * as Npy from 'npyjs';
import { type ElementType, type TypedArray, zeros } from '../../../runtime/index.js';
import { readBytes } from '../files.js';
import { badData } from '../json.js';
import { countOf } from './table.js';

export interface NpyTensor {
  readonly data: TypedArray;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
}

/** Errors: file-not-found; bad-data for anything but a complete, C-ordered array of float32, float64, int32, int64, uint8 or bool. */
export function readNpy(path: string): NpyTensor {
  const bytes = readBytes(path);
  const header = headerLength(path, bytes);
  // Loaded when a file is read: feeds are seldom files.
  const { parse } = createRequire(import.meta.url)('npyjs') as typeof Npy;
  let array: ReturnType<typeof parse>;
  try {
    // The elements stay where they are put here; NumPy pads its header so that they start at a multiple of 64 bytes.
    const place = zeros([bytes.length], 'u8').data;
    place.set(bytes);
    array = parse(place.buffer as ArrayBuffer);
  } catch (error) {
    throw badData(`${path}: not a NumPy array, or truncated (${error instanceof Error ? error.message : String(error)})`);
  }
  const { shape, dtype } = array;
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) throw badData(`${path}: malformed header: (${shape.join(', ')}) is no shape`);
  if (array.fortranOrder && shape.filter((size) => size > 1).length > 1) throw badData(`${path}: the array is in Fortran order`, 'Save it with numpy.ascontiguousarray(…).');
  const [data, type] = elementsOf(path, array.data, dtype);
  const count = countOf(shape);
  if (bytes.length - header !== data.byteLength || data.length !== count) {
    throw badData(`${path}: truncated or malformed: the header promises ${count} element${count === 1 ? '' : 's'} of ${data.BYTES_PER_ELEMENT} bytes, and ${bytes.length - header} bytes are there`);
  }
  return { data, dtype: type, shape };
}

function elementsOf(path: string, data: unknown, dtype: string): [TypedArray, ElementType] {
  // Of booleans npyjs makes a plain array; of float16, float32.
  if (Array.isArray(data) && dtype.endsWith('b1')) return [Uint8Array.from(data, (value) => (value === true ? 1 : 0)), 'bool'];
  if (data instanceof Float32Array && dtype.endsWith('f4')) return [data, 'f32'];
  if (data instanceof Float64Array && dtype.endsWith('f8')) return [data, 'f64'];
  if (data instanceof Int32Array) return [data, 'i32'];
  if (data instanceof BigInt64Array) return [data, 'i64'];
  if (data instanceof Uint8Array) return [data, 'u8'];
  throw badData(`${path}: elements of type ${dtype} are not taken`, 'Save it as float32, float64, int32, int64, uint8 or bool.');
}

/** Length of the header in bytes (NumPy's format description, versions 1 to 3). */
function headerLength(path: string, bytes: Buffer): number {
  if (bytes.length < 10 || bytes.toString('latin1', 0, 6) !== '\x93NUMPY') throw badData(`${path}: not a NumPy array file`);
  const wide = (bytes[6] as number) > 1;
  if (wide && bytes.length < 12) throw badData(`${path}: truncated`);
  const length = wide ? 12 + bytes.readUInt32LE(8) : 10 + bytes.readUInt16LE(8);
  if (length > bytes.length) throw badData(`${path}: truncated`);
  return length;
}
