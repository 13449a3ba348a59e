// NumPy's .npy files. In: a path. Out: data and shape, row-major. Holds: the file is exactly as long as its header says (npyjs takes truncated files).

import { readFileSync } from 'node:fs';
import { parse } from 'npyjs';
import { DiagnosticsError } from '../../base/index.js';
import { reasonOf } from '../sources.js';
import { badData, type NumberArray } from './table.js';

export interface NpyTensor {
  readonly data: NumberArray;
  readonly shape: readonly number[];
}

/** Errors: file-not-found; bad-data for anything but a complete, C-ordered array of f4, f8, i4, u1 or b1 (i8 where the values fit i32). */
export function readNpy(path: string): NpyTensor {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new DiagnosticsError([{ code: 'file-not-found', message: `${path}: ${reasonOf(error)}` }]);
  }
  const header = headerOf(path, bytes);
  let array: ReturnType<typeof parse>;
  try {
    array = parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
  } catch (error) {
    throw badData(`${path}: not a NumPy array (${error instanceof Error ? error.message : String(error)})`);
  }
  if (array.fortranOrder && array.shape.filter((size) => size > 1).length > 1) throw badData(`${path}: the array is in Fortran order`, 'Save it with numpy.ascontiguousarray(…).');
  const count = array.shape.reduce((product, size) => product * size, 1);
  const data = array.data;
  if (bytes.length - header !== data.byteLength || !('length' in data) || data.length !== count) throw badData(`${path}: truncated or malformed: the header promises ${array.shape.join('×') || 'one'} element${count === 1 ? '' : 's'}`);
  if (data instanceof Float32Array || data instanceof Float64Array || data instanceof Int32Array || data instanceof Uint8Array) return { data, shape: array.shape };
  if (data instanceof BigInt64Array) {
    const narrow = new Int32Array(data.length);
    for (const [at, value] of data.entries()) {
      if (BigInt.asIntN(32, value) !== value) throw badData(`${path}: ${value} does not fit i32`);
      narrow[at] = Number(value);
    }
    return { data: narrow, shape: array.shape };
  }
  throw badData(`${path}: elements of type ${array.dtype} are not taken`, 'Save it as float32, float64, int32 or uint8.');
}

/** Length of the header in bytes (NumPy's format description, versions 1 to 3). */
function headerOf(path: string, bytes: Buffer): number {
  if (bytes.length < 10 || bytes.toString('latin1', 0, 6) !== '\x93NUMPY') throw badData(`${path}: not a NumPy array file`);
  const wide = (bytes[6] as number) > 1;
  if (wide && bytes.length < 12) throw badData(`${path}: truncated`);
  const length = wide ? 12 + bytes.readUInt32LE(8) : 10 + bytes.readUInt16LE(8);
  if (length > bytes.length) throw badData(`${path}: truncated`);
  return length;
}
