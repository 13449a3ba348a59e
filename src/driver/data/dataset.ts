// Data sets for `tfc train`. In: a path and the feeds of an entry. Out: one column per feed that has a row per example.
// Holds: a feed is batched when its first axis is the entry's batch size; the others are given on the command line.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { EntrySpec, TensorSpec } from '../../../runtime/index.js';
import { DiagnosticsError } from '../../base/index.js';
import { reasonOf } from '../sources.js';
import { readCsv } from './csv.js';
import { hasDigits, readDigits } from './idx.js';
import { readNpy } from './npy.js';
import { badData, type Column, type NumberArray, rowLength, sameRows } from './table.js';

export interface Dataset {
  readonly columns: readonly Column[];
  readonly rows: number;
  /** Name of the size that a batch sets. */
  readonly batch: string;
}

/** The one free size that stands alone as the first axis of feeds. */
export function batchOf(entry: EntrySpec): string {
  const names = new Set(entry.feeds.flatMap((feed) => firstName(feed) ?? []));
  const [name] = names;
  if (name === undefined || names.size > 1) {
    throw badData(`${entry.name} has ${names.size === 0 ? 'no feed whose first axis is a free size' : `several sizes that could be the batch (${[...names].join(', ')})`}`, 'Write the batch as the first axis of every argument that has a row per example: x: f32[B, 784], y: i32[B].');
  }
  return name;
}

function firstName(feed: TensorSpec): string | undefined {
  const size = feed.shape[0];
  if (size === undefined || typeof size === 'number') return undefined;
  const [term, ...rest] = size;
  return rest.length === 0 && term !== undefined && term[0] === 1 && term[1].length === 1 ? term[1][0] : undefined;
}

/**
 * Reads `path`: a directory with MNIST's IDX files or one NAME.npy per feed, a CSV file, or a JSON file with an array per feed.
 * Errors: file-not-found, bad-data.
 */
export function readDataset(path: string, entry: EntrySpec): Dataset {
  const batch = batchOf(entry);
  const feeds = entry.feeds.filter((feed) => firstName(feed) === batch);
  if (!existsSync(path)) throw new DiagnosticsError([{ code: 'file-not-found', message: `${path}: no such file or directory` }]);
  const columns = statSync(path).isDirectory() ? fromDirectory(path, feeds) : path.endsWith('.csv') ? fromCsv(path, feeds) : fromJson(path, feeds);
  for (const [at, column] of columns.entries()) fits(path, column, feeds[at] as TensorSpec);
  return { columns, rows: sameRows(columns, path), batch };
}

function fits(path: string, column: Column, feed: TensorSpec): void {
  const expected = feed.shape.slice(1);
  if (expected.every((size) => typeof size === 'number')) {
    const wanted = expected.reduce((product, size) => product * size, 1);
    if (wanted !== rowLength(column)) throw new DiagnosticsError([{ code: 'shape-mismatch', message: `${path}: rows of ${column.name} have ${rowLength(column)} numbers, ${feed.name} takes ${wanted}` }]);
  }
}

const isInteger = (feed: TensorSpec): boolean => feed.dtype === 'i32' || feed.dtype === 'i64' || feed.dtype === 'u8';

function fromDirectory(path: string, feeds: readonly TensorSpec[]): Column[] {
  if (hasDigits(path) && feeds.length === 2) {
    const { images, labels, count, pixels } = readDigits(path);
    return feeds.map((feed): Column => (isInteger(feed) ? { name: feed.name, data: labels, rows: count, rowShape: [] } : { name: feed.name, data: images, rows: count, rowShape: [pixels] }));
  }
  return feeds.map((feed): Column => {
    const file = join(path, `${feed.name}.npy`);
    const { data, shape } = readNpy(file);
    const [rows, ...rowShape] = shape;
    if (rows === undefined) throw badData(`${file}: a scalar, expected one row per example`);
    return { name: feed.name, data: cast(data, feed), rows, rowShape };
  });
}

/** Columns by name where a feed has one; otherwise the last column is the feed with one number per row, and the others are the other feed. */
function fromCsv(path: string, feeds: readonly TensorSpec[]): Column[] {
  const columns = readCsv(path).filter((column) => column.numbers !== undefined);
  const blank = columns.find((column) => column.blanks > 0);
  if (blank !== undefined) throw badData(`${path}: column ${JSON.stringify(blank.name)} has ${blank.blanks} blank cells`, 'Fill them, or drop these rows.');
  const pick = (feed: TensorSpec, from: readonly { readonly numbers: Float64Array | undefined }[]): Column => {
    const rows = from[0]?.numbers?.length ?? 0;
    const data = new Float64Array(rows * from.length);
    for (const [at, { numbers }] of from.entries()) for (let row = 0; row < rows; row++) data[row * from.length + at] = numbers?.[row] ?? Number.NaN;
    return { name: feed.name, data: cast(data, feed), rows, rowShape: [from.length] };
  };
  const byName = feeds.map((feed) => columns.filter((column) => column.name === feed.name));
  if (byName.every((found) => found.length > 0)) return feeds.map((feed, at) => pick(feed, byName[at] ?? []));
  const isSingle = (feed: TensorSpec): boolean => feed.shape.slice(1).every((size) => size === 1);
  const singles = feeds.filter(isSingle);
  if (feeds.length !== 2 || singles.length !== 1 || columns.length < 2) {
    throw badData(`${path}: columns ${columns.map((column) => column.name).join(', ')} do not say which feed they are (${feeds.map((feed) => feed.name).join(', ')})`, 'Name columns after feeds, or use one feed with one number per row: it takes the last column.');
  }
  return feeds.map((feed) => pick(feed, isSingle(feed) ? columns.slice(-1) : columns.slice(0, -1)));
}

function fromJson(path: string, feeds: readonly TensorSpec[]): Column[] {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch (error) {
    throw badData(`${path}: ${error instanceof SyntaxError ? `not JSON (${error.message})` : reasonOf(error)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badData(`${path}: expected one object with an array per feed`);
  const record = value as Readonly<Record<string, unknown>>;
  return feeds.map((feed): Column => {
    const rows = record[feed.name];
    if (!Array.isArray(rows)) throw badData(`${path}: no array for the feed ${feed.name}`);
    const rowShape = shapeOf(rows[0]);
    const length = rowShape.reduce((product, size) => product * size, 1);
    const data = new Float64Array(rows.length * length);
    for (const [at, row] of rows.entries()) {
      const flat = (Array.isArray(row) ? row.flat(Infinity) : [row]) as unknown[];
      if (flat.length !== length || !flat.every((one): one is number => typeof one === 'number')) throw badData(`${path}: row ${at} of ${feed.name} is not ${length} number${length === 1 ? '' : 's'}`);
      data.set(flat, at * length);
    }
    return { name: feed.name, data: cast(data, feed), rows: rows.length, rowShape };
  });
}

const shapeOf = (row: unknown): number[] => (Array.isArray(row) ? [row.length, ...shapeOf(row[0])] : []);

function cast(data: NumberArray, feed: TensorSpec): NumberArray {
  switch (feed.dtype) {
    case 'f32':
      return data instanceof Float32Array ? data : Float32Array.from(data);
    case 'f64':
      return data instanceof Float64Array ? data : Float64Array.from(data);
    case 'i32':
      for (const value of data) if (!Number.isInteger(value)) throw badData(`${feed.name} takes whole numbers; the data has ${value}`);
      return data instanceof Int32Array ? data : Int32Array.from(data);
    case 'u8':
    case 'bool':
      return data instanceof Uint8Array ? data : Uint8Array.from(data);
    case 'f16':
    case 'bf16':
    case 'i64':
      throw badData(`${feed.name}: data sets hold no ${feed.dtype}`, 'Take f32 or i32 as argument, and cast inside of the program.');
  }
}
