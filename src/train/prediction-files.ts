// Files of predictions. In: results with a row per row. Out: the bytes of a .npy, .npz, .csv or .json file. Holds: NumPy reads the first
// two as its own; numbers in text are the shortest that are read back the same; `nan` and `inf` in CSV, strings in JSON stand for
// themselves.

import { zipSync } from 'fflate';
import { elementValue, elements } from '../../runtime/element.js';
import { type ElementType, Tensor, TfcError, toJson } from '../../runtime/index.js';
import { countOf } from './data/table.js';
import type { PredictionColumn } from './predictions.js';

/** Pieces that make a file, in order. */
export type PredictionFormat = (columns: readonly PredictionColumn[]) => readonly Uint8Array[];

/** By the ending of a path. */
export function formatOf(path: string): PredictionFormat | undefined {
  const ending = /\.[^./]*$/.exec(path)?.[0].toLowerCase();
  return ending === undefined || !Object.hasOwn(formats, ending) ? undefined : formats[ending];
}

const formats: Readonly<Record<string, PredictionFormat>> = {
  // Whoever asks for it has seen to it that there is one.
  '.npy': (columns) => columns.flatMap(npy),
  '.npz': (columns) =>
    archive(columns.map((column) => ({ name: `${column.name.replaceAll('/', '.')}.npy`, content: Buffer.concat(npy(column)) }))),
  '.csv': csv,
  '.json': (columns) => [json(columns)],
};

export const predictionFormats = Object.keys(formats);

/** NumPy has no bf16 and no floats of 8 bits; f32 has all of their values. */
const descriptions: Readonly<Record<ElementType, string>> = {
  f32: '<f4',
  f64: '<f8',
  f16: '<f2',
  bf16: '<f4',
  f8e4m3: '<f4',
  f8e5m2: '<f4',
  i8: '|i1',
  i16: '<i2',
  i32: '<i4',
  i64: '<i8',
  u8: '|u1',
  u16: '<u2',
  u32: '<u4',
  u64: '<u8',
  bool: '|b1',
};

/** Version 1.0 of the format: data starts at a multiple of 64. */
function npy({ dtype, shape, data }: PredictionColumn): readonly [Uint8Array, Uint8Array] {
  const sizes = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const text = `{'descr': '${descriptions[dtype]}', 'fortran_order': False, 'shape': ${sizes}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const head = Buffer.alloc(10 + length, 0x20);
  head.write('\x93NUMPY\x01\x00', 0, 'latin1');
  head.writeUInt16LE(length, 8);
  head.write(text, 10, 'latin1');
  head[head.length - 1] = 0x0a;
  const toNumber = dtype === 'f16' ? undefined : elements[dtype].patterns?.toNumber;
  const stored = toNumber === undefined ? data : Float32Array.from(data as Uint16Array, toNumber);
  return [head, new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength)];
}

/** Stored as they are, as np.savez does; the time is that which the format starts with, so the same results are the same bytes. */
function archive(files: readonly { readonly name: string; readonly content: Uint8Array }[]): readonly Uint8Array[] {
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0);
  // Beyond that the format has other records, and an array in memory may have no room.
  if (bytes > 2 ** 31)
    throw new TfcError('out-of-memory', `${bytes} bytes are too many for a .npz file.`, { hint: 'Write one result to .npy.' });
  return [zipSync(Object.fromEntries(files.map(({ name, content }) => [name, content])), { level: 0, mtime: new Date(1980, 0, 1) })];
}

/** @throws TfcError out-of-memory: no string is longer than half a gigabyte. */
function json(columns: readonly PredictionColumn[]): Uint8Array {
  try {
    const results = columns.map(({ name, dtype, shape, data }) => [name, toJson(new Tensor(dtype, shape, data as never))]);
    return Buffer.from(`${JSON.stringify(Object.fromEntries(results))}\n`);
  } catch (cause) {
    if (!(cause instanceof RangeError) && !(cause instanceof TfcError && cause.code === 'out-of-memory')) throw cause;
    throw new TfcError('out-of-memory', 'The predictions are too long for JSON.', { cause, hint: 'Write them to .npy, .npz or .csv.' });
  }
}

/** Rows that are written as one piece. */
const rowsPerPiece = 4096;

/** One column per element of a row: `result`, or `probabilities_0`, `probabilities_1`, …. */
function csv(columns: readonly PredictionColumn[]): readonly Uint8Array[] {
  const widths = columns.map(({ shape }) => countOf(shape.slice(1)));
  const heads = columns.flatMap(({ name, shape }, at) =>
    shape.length === 1 ? [cellOf(name)] : Array.from({ length: widths[at] as number }, (_, element) => cellOf(`${name}_${element}`)),
  );
  const lineOf = (row: number): string =>
    columns
      .flatMap(({ dtype, data }, at) => {
        const width = widths[at] as number;
        return Array.from({ length: width }, (_, element) => numberText(elementValue(dtype, data, row * width + element)));
      })
      .join(',');
  const rows = columns[0]?.shape[0] ?? 0;
  const pieces = Array.from({ length: Math.ceil(rows / rowsPerPiece) }, (_, piece) => {
    const [start, end] = [piece * rowsPerPiece, Math.min(rows, (piece + 1) * rowsPerPiece)];
    return Buffer.from(Array.from({ length: end - start }, (__, at) => `${lineOf(start + at)}\n`).join(''));
  });
  return [Buffer.from(`${heads.join(',')}\n`), ...pieces];
}

const cellOf = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function numberText(value: number | bigint | boolean): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'bigint') return String(value);
  if (Number.isNaN(value)) return 'nan';
  return Number.isFinite(value) ? String(value) : value > 0 ? 'inf' : '-inf';
}
