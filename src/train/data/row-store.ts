// Rows that can be read in any order. In: columns in memory, arrays inside of files. Out: the rows at given positions, one behind another.
// Holds: of an array in a file nothing is in memory but what is asked for; elements are checked as they are read, and named by file and
// row.

import { type ElementType, tensor, type TypedArray } from '../../../runtime/index.js';
import { allocate, elements } from '../../../runtime/element.js';
import { badData } from '../../input/json.js';
import type { DataFile } from './data-file.js';
import { type Numbers, toElements } from './elements.js';
import { type Column, countOf } from './table.js';

/** A feed's values for all rows. */
export interface RowStore {
  readonly name: string;
  readonly dtype: ElementType;
  readonly rowShape: readonly number[];
  readonly rows: number;
  /** `into`, which holds the dtype, filled with the rows at these positions. Errors: bad-data, dtype-mismatch. */
  read(positions: Uint32Array, into: TypedArray): void;
}

export const dtypeOf = (column: Column): ElementType => column.dtype ?? tensor(column.data).dtype;

export function columnStore(column: Column): RowStore {
  const { name, data, rowShape, rows } = column;
  const length = countOf(rowShape);
  return {
    name,
    dtype: dtypeOf(column),
    rowShape,
    rows,
    read: (positions, into) => {
      for (let row = 0; row < positions.length; row += 1) {
        const from = (positions[row] as number) * length;
        copyInto(into, data.subarray(from, from + length), row * length);
      }
    },
  };
}

/** `into` was made as an array of the kind that `from` is. */
export const copyInto = (into: TypedArray, from: TypedArray, at: number): void => (into as Float64Array).set(from as Float64Array, at);

/** An array inside of a file, in C order. */
export interface StoredArray {
  readonly file: DataFile;
  readonly path: string;
  /** Of its first element. */
  readonly offset: number;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
}

/** The rows of an array for a feed of another dtype or of its own. The array has an axis, and the file its elements. */
export function fileStore(array: StoredArray, feed: { readonly name: string; readonly dtype: ElementType }): RowStore {
  const { file, path, offset, dtype } = array;
  const [rows = 0, ...rowShape] = array.shape;
  const length = countOf(rowShape);
  const bytes = length * elements[dtype].bytes;
  const readRaw = (positions: Uint32Array, into: TypedArray): void => {
    const memory = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
    for (let start = 0, end = 0; start < positions.length; start = end) {
      const first = positions[start] as number;
      // Rows that follow each other in the file as in the batch are read at once.
      for (end = start + 1; end < positions.length && positions[end] === first + end - start;) end += 1;
      file.read(memory.subarray(start * bytes, end * bytes), offset + first * bytes);
    }
    if (dtype === 'bool') requireBooleans(into as Uint8Array, (at) => `${path}: row ${positions[Math.floor(at / length)] ?? 0}`);
  };
  return {
    name: feed.name,
    dtype: feed.dtype,
    rowShape,
    rows,
    read: (positions, into) => {
      if (dtype === feed.dtype) {
        readRaw(positions, into);
        return;
      }
      const raw = allocate(dtype, positions.length * length);
      readRaw(positions, raw);
      copyInto(
        into,
        toElements(numbersIn(dtype, raw), feed, (at) => `${path}: row ${positions[Math.floor(at / length)] ?? 0}`),
        0,
      );
    },
  };
}

/** Of floats of 16 and 8 bits a typed array has the bits. */
export function numbersIn(dtype: ElementType, data: TypedArray): Numbers {
  const { patterns } = elements[dtype];
  return patterns === undefined ? data : Float32Array.from(data as Uint16Array, patterns.toNumber);
}

/** Errors: bad-data. */
export function requireBooleans(data: Uint8Array, place: (at: number) => string): void {
  const wrong = data.findIndex((byte) => byte > 1);
  if (wrong >= 0) throw badData(`${place(wrong)}: an element is ${data[wrong] ?? 0}, and a bool is 0 or 1`);
}
