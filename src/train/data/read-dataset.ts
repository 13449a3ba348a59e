// Data sets for `tfc train`. In: a path and the feeds of an entry. Out: one column per feed that has a row per example.
// Holds: a feed is batched when its first axis is the entry's batch size; the others are given on the command line.

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { f16ToNumber } from '../../../runtime/half.js';
import type { EntrySpec, TensorSpec } from '../../../runtime/index.js';
import { DiagnosticsError } from '../../base/index.js';
import { notRead, readText } from '../../input/files.js';
import { badData, parseJson } from '../../input/json.js';
import { batchedFeeds } from './batch-size.js';
import { type CsvColumn, readCsv } from './csv.js';
import { type Numbers, toElements } from './elements.js';
import { hasDigits, readDigits } from './idx.js';
import { type NpyTensor, readNpy } from './npy.js';
import { type Column, countOf, sameRows } from './table.js';

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: number;
}

/**
 * Reads `path`: a directory with MNIST's IDX files or one NAME.npy per feed, a CSV file, or a JSON file with an array per feed.
 * Errors: file-not-found, bad-data, shape-mismatch, dtype-mismatch.
 */
export function readTable(path: string, entry: EntrySpec): Table {
  const feeds = batchedFeeds(entry);
  const columns = isDirectory(path) ? fromDirectory(path, feeds) : /\.csv$/i.test(path) ? fromCsv(path, feeds) : fromJson(path, feeds);
  return { columns, rows: sameRows(columns, path) };
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw notRead(path, error);
  }
}

function fromDirectory(path: string, feeds: readonly TensorSpec[]): Column[] {
  if (hasDigits(path)) return fromDigits(path, feeds);
  return feeds.map((feed): Column => {
    const file = join(path, `${feed.name}.npy`);
    if (!existsSync(file))
      throw new DiagnosticsError([
        {
          code: 'file-not-found',
          message: `${file}: no such file`,
          hint: `A directory holds MNIST's IDX files, or one .npy file per argument: ${feeds.map(({ name }) => `${name}.npy`).join(', ')}.`,
        },
      ]);
    const array = readNpy(file);
    const [rows, ...rowShape] = array.shape;
    if (rows === undefined) throw badData(`${file}: a scalar, expected one row per example`);
    requireRowShape(file, feed, rowShape);
    return { name: feed.name, data: array.dtype === feed.dtype ? array.data : toElements(numbersOf(array), feed, file), rows, rowShape };
  });
}

/** Of float16 the array has the bits. */
const numbersOf = ({ dtype, data }: NpyTensor): Numbers => (dtype === 'f16' ? Float32Array.from(data as Uint16Array, f16ToNumber) : data);

/** Images for the feed of floats, labels for the feed of integers. */
function fromDigits(path: string, feeds: readonly TensorSpec[]): Column[] {
  const { images, labels, count, pixels } = readDigits(path);
  const isLabels = (feed: TensorSpec): boolean => feed.dtype === 'i32' || feed.dtype === 'i64' || feed.dtype === 'u8';
  if (feeds.filter(isLabels).length > 1 || feeds.filter((feed) => !isLabels(feed)).length > 1) {
    throw badData(
      `${path}: images and labels do not say which feed they are (${feeds.map((feed) => feed.name).join(', ')})`,
      'Take one argument of floats for the images, and one of i32 for the labels.',
    );
  }
  return feeds.map((feed) =>
    isLabels(feed) ? columnOf(path, feed, labels, count, []) : columnOf(path, feed, images, count, shapeFor(feed, pixels)),
  );
}

/**
 * Columns by name where every feed has one; otherwise the last column is the feed with one number per row, and the others are the other
 * feed.
 */
function fromCsv(path: string, feeds: readonly TensorSpec[]): Column[] {
  const columns = readCsv(path).filter((column) => column.numbers !== undefined);
  const blank = columns.find((column) => column.blanks > 0);
  if (blank !== undefined)
    throw badData(
      `${path}: column ${JSON.stringify(blank.name)} has ${blank.blanks} blank cell${blank.blanks === 1 ? '' : 's'}`,
      'Fill them, or drop these rows.',
    );
  const named = feeds.map((feed) => columns.filter((column) => column.name === feed.name));
  if (named.every((found) => found.length === 1)) return feeds.map((feed, at) => joined(path, feed, named[at] ?? []));
  const isSingle = (feed: TensorSpec): boolean => feed.shape.slice(1).every((size) => size === 1);
  if (feeds.length !== 2 || feeds.filter(isSingle).length !== 1 || columns.length < 2) {
    throw badData(
      `${path}: columns ${columns.map((column) => column.name).join(', ')} do not say which feed they are (${feeds.map((feed) => feed.name).join(', ')})`,
      'Name columns after feeds, or use one feed with one number per row: it takes the last column.',
    );
  }
  return feeds.map((feed) => joined(path, feed, isSingle(feed) ? columns.slice(-1) : columns.slice(0, -1)));
}

function joined(path: string, feed: TensorSpec, columns: readonly CsvColumn[]): Column {
  const rows = columns[0]?.numbers?.length ?? 0;
  const data = new Float64Array(rows * columns.length);
  for (const [at, { numbers }] of columns.entries()) numbers?.forEach((value, row) => (data[row * columns.length + at] = value));
  return columnOf(path, feed, data, rows, shapeFor(feed, columns.length));
}

function fromJson(path: string, feeds: readonly TensorSpec[]): Column[] {
  const value = parseJson(readText(path), path);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badData(`${path}: expected one object with an array per feed`);
  const record = value as Readonly<Record<string, unknown>>;
  return feeds.map((feed): Column => {
    const rows = Object.hasOwn(record, feed.name) ? record[feed.name] : undefined;
    if (!Array.isArray(rows) || rows.length === 0) throw badData(`${path}: no array with a row per example for the feed ${feed.name}`);
    const rowShape = shapeOf(rows[0]);
    const length = countOf(rowShape);
    // Of 64-bit integers some are given as digits.
    const isLong = feed.dtype === 'i64';
    const numbers = rows.map((row: unknown, at): (number | bigint)[] => {
      const found = flat(row, rowShape).map((value) => toNumber(value, isLong));
      if (found.length !== length || found.includes(undefined))
        throw badData(
          `${path}: row ${at} of ${feed.name} is not ${rowShape.length === 0 ? 'one number' : `${rowShape.join('×')} numbers, as row 0 is`}`,
        );
      return found as (number | bigint)[];
    });
    // Only now it is known that there are as many numbers as the first row makes believe.
    const data = isLong ? numbers.flat() : new Float64Array(rows.length * length);
    if (data instanceof Float64Array) for (const [at, row] of numbers.entries()) data.set(row as number[], at * length);
    return columnOf(path, feed, data, rows.length, rowShape);
  });
}

const shapeOf = (row: unknown): number[] => (Array.isArray(row) ? [row.length, ...shapeOf(row[0])] : []);

/** The elements of a row of this shape; none when it has another shape. */
function flat(row: unknown, shape: readonly number[]): unknown[] {
  const [size, ...rest] = shape;
  if (size === undefined) return Array.isArray(row) ? [] : [row];
  return Array.isArray(row) && row.length === size ? row.flatMap((one) => flat(one, rest)) : [];
}

function toNumber(value: unknown, isLong: boolean): number | bigint | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  if (isLong && typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : undefined;
}

/** The feed's own row shape when `length` numbers fill it: files of images and tables do not know it. */
function shapeFor(feed: TensorSpec, length: number): readonly number[] {
  const own = feed.shape.slice(1);
  return own.every((size) => typeof size === 'number') && countOf(own) === length ? own : [length];
}

function columnOf(path: string, feed: TensorSpec, numbers: Numbers, rows: number, rowShape: readonly number[]): Column {
  requireRowShape(path, feed, rowShape);
  return { name: feed.name, data: toElements(numbers, feed, path), rows, rowShape };
}

/** Errors: shape-mismatch when rows are not what the feed takes. */
function requireRowShape(path: string, feed: TensorSpec, rowShape: readonly number[]): void {
  const own = feed.shape.slice(1);
  const fits = own.length === rowShape.length && own.every((size, axis) => typeof size !== 'number' || size === rowShape[axis]);
  if (fits) return;
  const wanted = own.map((size) => (typeof size === 'number' ? String(size) : '?')).join(', ');
  throw new DiagnosticsError([
    { code: 'shape-mismatch', message: `${path}: rows of ${feed.name} are [${rowShape.join(', ')}], and the program takes [${wanted}]` },
  ]);
}
