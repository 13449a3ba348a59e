// NumPy's .npy files. In: a path. Out: data, dtype and shape, row-major. Holds: the file is exactly as long as its header says, which is
// seen before memory is taken; the elements lie where feeds are read fastest, wherever they start in the file; arrays in Fortran order are
// turned.

import { type Tensor, type TypedArray, zeros } from '../../../runtime/index.js';
import type { ElementType } from '../../../runtime/abi/manifest.js';
import { elements } from '../../../runtime/element.js';
import { badData } from '../../input/json.js';
import { type DataFile, withDataFile } from './data-file.js';
import { HeaderMistake, headerPlace, type NpyHeader, parseHeader } from './npy-header.js';
import { countOf } from './table.js';

export interface NpyTensor {
  readonly data: TypedArray;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
}

/** The longest array that Node 20 has, in bytes. */
const longestArray = 2 ** 32;

/** What a dtype is called without its byte order. */
const dtypes: Readonly<Record<string, ElementType>> = {
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

/**
 * Errors: file-not-found; bad-data for anything but a complete array of floats of 16 to 64 bits, integers or bool, least significant
 * byte first.
 */
export const readNpy = (path: string): NpyTensor => withDataFile(path, (file) => readArray(path, file, placeOf(path, file)));

/** Where the elements of an array lie, and which they are. */
export interface NpyPlace {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly isFortran: boolean;
  /** Of the first element; they go on to the end. */
  readonly offset: number;
  readonly bytes: number;
}

/** What a header says, held against the file's length. Errors: as `readNpy`. */
export function placeOf(path: string, file: DataFile): NpyPlace {
  const { header, offset } = headerOf(path, file);
  const { shape, isFortran } = header;
  const dtype = dtypeOf(path, header.descr);
  const count = countOf(shape);
  const bytes = count * elements[dtype].bytes;
  if (bytes !== file.bytes - offset) {
    throw badData(
      `${path}: truncated or malformed: the header promises ${Number.isNaN(count) ? `(${shape.join(', ')})` : count} element${count === 1 ? '' : 's'} of ${elements[dtype].bytes} bytes, and ${file.bytes - offset} bytes are there`,
    );
  }
  return { dtype, shape, isFortran, offset, bytes };
}

/** All of it. Errors: bad-data for a bool that is none, and for what no array holds. */
export function readArray(path: string, file: DataFile, { dtype, shape, isFortran, offset, bytes }: NpyPlace): NpyTensor {
  if (bytes > longestArray) throw badData(`${path}: ${bytes} bytes are more than an array holds (4 GiB)`, 'Split it into several files.');
  const { data }: Tensor = zeros([countOf(shape)], dtype);
  file.read(data, offset);
  if (dtype === 'bool') requireBooleans(path, data as Uint8Array);
  return { data: isFortran ? rowMajor(data, dtype, shape) : data, dtype, shape };
}

function headerOf(path: string, file: DataFile): { readonly header: NpyHeader; readonly offset: number } {
  try {
    const { start, length, version } = headerPlace(file.read(Buffer.alloc(Math.min(file.bytes, 12)), 0));
    if (start + length > file.bytes) throw new HeaderMistake('truncated');
    return { header: parseHeader(file.read(Buffer.alloc(length), start), version), offset: start + length };
  } catch (error) {
    if (error instanceof HeaderMistake) throw badData(`${path}: ${error.message}`);
    throw error;
  }
}

const takes = 'floats of 16 to 64 bits, integers and bool are taken';

function dtypeOf(path: string, descr: string | undefined): ElementType {
  if (descr === undefined)
    throw badData(`${path}: its elements are records with fields`, `Save one field: numpy.save(…, x['name']); ${takes}.`);
  const [, order, code = ''] = /^([<>=|]?)([A-Za-z]\d*)$/.exec(descr) ?? [];
  const dtype = Object.hasOwn(dtypes, code) ? dtypes[code] : undefined;
  if (dtype === undefined) throw badData(`${path}: elements of type ${kindOf(code) ?? JSON.stringify(descr)} are not taken`, hintFor(code));
  if (order === '>' && elements[dtype].bytes > 1)
    throw badData(
      `${path}: its numbers are big-endian (${descr}), the most significant byte first`,
      `Save them the other way round: numpy.save(…, x.astype('<${code}')).`,
    );
  return dtype;
}

/** NumPy's name of the type with this code, if there is one. */
function kindOf(code: string): string | undefined {
  const [letter, size] = [code.charAt(0), Number(code.slice(1))];
  if (code.slice(1) !== String(size)) return { O: 'object', V: 'void', S: 'bytes', U: 'str' }[code];
  switch (letter) {
    case 'i':
      return `int${8 * size}`;
    case 'u':
      return `uint${8 * size}`;
    case 'f':
      return `float${8 * size}`;
    case 'c':
      return `complex${8 * size}`;
    case 'S':
    case 'a':
      return `bytes (${descrOf(code)})`;
    case 'U':
      return `str (${descrOf(code)})`;
    case 'M':
      return 'datetime64';
    case 'm':
      return 'timedelta64';
    case 'V':
      return `void (${descrOf(code)})`;
    default:
      return undefined;
  }
}

const descrOf = (code: string): string => `|${code}`;

function hintFor(code: string): string {
  switch (code.charAt(0)) {
    case 'i':
    case 'u':
      return `Save them as int32 or int64: numpy.save(…, x.astype('int32')); ${takes}.`;
    case 'f':
      return `Save them as float64: numpy.save(…, x.astype('float64')); ${takes}.`;
    case 'c':
      return `Save x.real and x.imag as two arrays; ${takes}.`;
    case 'V':
      return `bfloat16 is none of NumPy's types: numpy.save(…, x.astype('float32')); ${takes}.`;
    case 'O':
      return `An array of Python's objects has no element type: numpy.save(…, x.astype('float32')) if all are numbers; ${takes}.`;
    default:
      return `Of NumPy's types ${takes}.`;
  }
}

function requireBooleans(path: string, data: Uint8Array): void {
  const wrong = data.findIndex((byte) => byte > 1);
  if (wrong >= 0) throw badData(`${path}: element ${wrong} is ${data[wrong] ?? 0}, and a bool is 0 or 1`);
}

/**
 * The same elements with the last axis running fastest, in place of the first. As bits: a NaN that went through a number would be another
 * one.
 */
function rowMajor(data: TypedArray, dtype: ElementType, shape: readonly number[]): TypedArray {
  if (data.length === 0 || shape.filter((size) => size > 1).length < 2) return data;
  const turned = zeros([data.length], dtype).data;
  const [from, into] = [wordsOf(data), wordsOf(turned)];
  const words = from.length / data.length;
  const strides = shape.map((_, axis) => words * shape.slice(0, axis).reduce((product, size) => product * size, 1));
  const place = shape.map(() => 0);
  for (let at = 0, source = 0; at < into.length; at += words) {
    for (let word = 0; word < words; word += 1) into[at + word] = from[source + word] as number;
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      source += strides[axis] as number;
      place[axis] = (place[axis] as number) + 1;
      if ((place[axis] as number) < (shape[axis] as number)) break;
      source -= (strides[axis] as number) * (shape[axis] as number);
      place[axis] = 0;
    }
  }
  return turned;
}

function wordsOf({ buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: bytes }: TypedArray): Uint8Array | Uint16Array | Uint32Array {
  return bytes === 1
    ? new Uint8Array(buffer, byteOffset, byteLength)
    : bytes === 2
      ? new Uint16Array(buffer, byteOffset, byteLength / 2)
      : new Uint32Array(buffer, byteOffset, byteLength / 4);
}
