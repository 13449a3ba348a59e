// Data sets from arrays in files: NAME.npy in a directory, one .npy, .npz, .safetensors, IDX. In: a path, feeds. Out: rows by position.
// Holds: up to a limit everything is in memory; beyond it rows are read from their place in the file, in the same order.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ElementType, TensorSpec } from '../../../runtime/index.js';
import { SafetensorsFile } from '../../../runtime/index.js';
import { DiagnosticsError } from '../../base/index.js';
import { badData } from '../../input/json.js';
import { type DataFile, openDataFile } from './data-file.js';
import { type Dataset, inMemory } from './dataset.js';
import { toElements } from './elements.js';
import { requireRowShape } from './feed-shape.js';
import { placeOf, readArray } from './npy.js';
import { positioned } from './positioned.js';
import { fileStore, numbersIn } from './row-store.js';
import { type Column, countOf } from './table.js';
import { memberFile, readDirectory, requireChecksum } from './zip.js';

/** An array of a file, in C or Fortran order. */
interface FileArray {
  readonly path: string;
  readonly file: DataFile;
  readonly offset: number;
  readonly bytes: number;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly isFortran: boolean;
}

interface Opened {
  readonly arrays: ReadonlyMap<string, FileArray>;
  close(): void;
}

/** Arrays by feed, in memory when they have no more than `memory` bytes. Errors: bad-data, shape-mismatch, dtype-mismatch. */
function arrayDataset(where: string, feeds: readonly TensorSpec[], { arrays, close }: Opened, memory: number): Dataset {
  let keepsOpen = false;
  try {
    const chosen = feeds.map((feed) => [feed, arrays.get(feed.name) as FileArray] as const);
    for (const [feed, { path, shape }] of chosen) {
      if (shape.length === 0) throw badData(`${path}: a scalar, expected one row per example`);
      requireRowShape(path, feed, shape.slice(1));
    }
    if (chosen.reduce((sum, [, { bytes }]) => sum + bytes, 0) <= memory)
      return inMemory(
        chosen.map(([feed, array]) => columnOf(feed, array)),
        where,
      );
    for (const [, { path, isFortran, shape }] of chosen)
      if (isFortran && shape.filter((size) => size > 1).length > 1)
        throw badData(
          `${path}: an array in Fortran order cannot be read row by row, and is too large for memory`,
          'Save it in C order: numpy.save(…, numpy.ascontiguousarray(x)).',
        );
    keepsOpen = true;
    return positioned(
      chosen.map(([feed, array]) => fileStore(array, feed)),
      where,
      { close },
    );
  } finally {
    if (!keepsOpen) close();
  }
}

function columnOf(feed: TensorSpec, { path, file, ...place }: FileArray): Column {
  const { data, dtype, shape } = readArray(path, file, place);
  const [rows = 0, ...rowShape] = shape;
  const length = countOf(rowShape);
  const own = dtype === feed.dtype ? data : toElements(numbersIn(dtype, data), feed, (at) => `${path}: row ${Math.floor(at / length)}`);
  return { name: feed.name, data: own, rows, rowShape, dtype: feed.dtype };
}

/** A directory with NAME.npy per feed. */
export function npyDirectory(path: string, feeds: readonly TensorSpec[], memory: number): Dataset {
  return npyFiles(
    path,
    feeds.map((feed) => {
      const file = join(path, `${feed.name}.npy`);
      if (!existsSync(file))
        throw new DiagnosticsError([
          {
            code: 'file-not-found',
            message: `${file}: no such file`,
            hint: `A directory holds MNIST's IDX files, images, or one .npy file per argument: ${feeds.map(({ name }) => `${name}.npy`).join(', ')}.`,
          },
        ]);
      return [feed, file];
    }),
    memory,
  );
}

/** One array, for the only feed. Errors: bad-data when there are several. */
export const npyFile = (path: string, feeds: readonly TensorSpec[], memory: number): Dataset =>
  npyFiles(path, [[onlyFeed(path, feeds), path]], memory);

function npyFiles(where: string, files: readonly (readonly [TensorSpec, string])[], memory: number): Dataset {
  const arrays = new Map<string, FileArray>();
  const open: { close(): void }[] = [];
  const close = (): void => open.forEach((file) => file.close());
  try {
    for (const [feed, path] of files) {
      const file = openDataFile(path);
      open.push(file);
      arrays.set(feed.name, { path, file, ...placeOf(path, file) });
    }
  } catch (error) {
    close();
    throw error;
  }
  return arrayDataset(
    where,
    files.map(([feed]) => feed),
    { arrays, close },
    memory,
  );
}

export function npzFile(path: string, feeds: readonly TensorSpec[], memory: number): Dataset {
  const file = openDataFile(path);
  const arrays = new Map<string, FileArray>();
  try {
    const members = new Map(readDirectory(path, file).map((member) => [member.name.replace(/\.npy$/, ''), member]));
    for (const { name } of feeds) {
      const member = members.get(name);
      if (member === undefined) throw missing(path, name, [...members.keys()]);
      // What becomes a column in memory is held against its checksum; of what is read row by row there is none.
      if (!member.isPacked && member.bytes <= memory) requireChecksum(path, file, member);
      const where = `${path}: ${member.name}`;
      const own = memberFile(path, file, member);
      arrays.set(name, { path: where, file: own, ...placeOf(where, own) });
    }
  } catch (error) {
    file.close();
    throw error;
  }
  return arrayDataset(path, feeds, { arrays, close: () => file.close() }, memory);
}

export function safetensorsFile(path: string, feeds: readonly TensorSpec[], memory: number): Dataset {
  // It checks the header; rows are read through a file of ours.
  using stored = new SafetensorsFile(path);
  const file = openDataFile(path);
  const arrays = new Map<string, FileArray>();
  try {
    for (const { name } of feeds) {
      const tensor = stored.tensors.get(name);
      if (tensor === undefined) throw missing(path, name, [...stored.tensors.keys()]);
      const { dtype, shape, offset, bytes } = tensor;
      if (dtype === undefined)
        throw new DiagnosticsError([
          { code: 'dtype-mismatch', message: `${path}: ${name} has the element type ${tensor.stored}, which is none of ours` },
        ]);
      if (offset + bytes > file.bytes) throw badData(`${path}: the file became shorter while it was read`);
      arrays.set(name, { path: `${path}: ${name}`, file, offset, bytes, dtype, shape, isFortran: false });
    }
  } catch (error) {
    file.close();
    throw error;
  }
  return arrayDataset(path, feeds, { arrays, close: () => file.close() }, memory);
}

const missing = (path: string, name: string, names: readonly string[]): DiagnosticsError =>
  badData(`${path}: no array ${JSON.stringify(name)}`, `It has ${names.slice(0, 40).join(', ')}${names.length > 40 ? ', …' : ''}.`);

/** Errors: bad-data when there are several. */
export function onlyFeed(path: string, feeds: readonly TensorSpec[]): TensorSpec {
  const [feed, ...others] = feeds;
  if (feed !== undefined && others.length === 0) return feed;
  throw badData(
    `${path}: one array, and ${feeds.length} feeds take data (${feeds.map(({ name }) => name).join(', ')})`,
    'Put NAME.npy per feed into a directory, or save them together as .npz.',
  );
}
