// By which a run knows its program and its data again. In: paths. Out: hashes. Holds: a program is its compiled code and its documentation,
// so other comments change nothing; files of data are known by their names, lengths and contents, of which no more than 64 MiB are read:
// all of small sets, evenly spread pieces of large ones; data of a program is known by its columns, and by its numbers where they are in
// memory.

import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RegularFile } from '../../runtime/regular-file.js';
import { notRead } from '../input/files.js';
import type { Dataset } from './data/dataset.js';

/** Bytes that are read of a data set. */
const mostRead = 64 * 2 ** 20;

/** Pieces of a file that is not read whole. */
const pieces = 16;

/** Errors: file-not-found. */
export function fileFingerprint(path: string, mostBytes = Infinity): string {
  const hash = createHash('sha256');
  try {
    using file = new RegularFile(path);
    hash.update(`${file.bytes}\n`);
    const whole = file.bytes <= mostBytes;
    const size = whole ? Math.min(file.bytes, 2 ** 24) : Math.floor(mostBytes / pieces);
    const buffer = Buffer.alloc(size);
    const count = size === 0 ? 0 : whole ? Math.ceil(file.bytes / size) : pieces;
    for (let at = 0; at < count; at++) {
      // The first piece starts with the file, the last one ends with it.
      const start = whole ? at * size : Math.floor(((file.bytes - size) * at) / (pieces - 1));
      const piece = buffer.subarray(0, Math.min(size, file.bytes - start));
      file.read(piece, start);
      hash.update(piece);
    }
  } catch (error) {
    throw notRead(path, error);
  }
  return hash.digest('hex');
}

/**
 * Of a file, or of what is read of a directory for feeds of these names: their .npy files, else IDX files, else all that lies below it but
 * programs, variables and hidden files. Errors: file-not-found.
 */
export function dataFingerprint(path: string, feeds: readonly string[]): string {
  const names = namesIn(path, feeds);
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${name}\n${fileFingerprint(join(path, name), Math.floor(mostRead / names.length))}\n`);
  return hash.digest('hex');
}

/** Of data that a program has opened or made. */
export function datasetFingerprint({ columns, rows, data = [] }: Dataset): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([rows ?? null, columns.map(({ name, dtype, rowShape }) => [name, dtype, rowShape])]));
  for (const { data: numbers } of data) {
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    const most = Math.floor(mostRead / data.length);
    if (bytes.length <= most) hash.update(bytes);
    else {
      const size = Math.floor(most / pieces);
      for (let at = 0; at < pieces; at++) {
        const start = Math.floor(((bytes.length - size) * at) / (pieces - 1));
        hash.update(bytes.subarray(start, start + size));
      }
    }
  }
  return hash.digest('hex');
}

/** Relative to `path`, sorted; '' is the path itself, when it is a file. */
function namesIn(path: string, feeds: readonly string[]): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [''];
    const top = readdirSync(path).sort();
    const arrays = feeds.map((feed) => `${feed}.npy`);
    if (arrays.every((name) => top.includes(name))) return arrays.sort();
    const idx = top.filter((name) => /-ubyte(?:\.gz)?$/.test(name));
    if (idx.length > 0) return idx;
    return (readdirSync(path, { recursive: true }) as string[])
      .filter((name) => !name.split('/').some((part) => part.startsWith('.')) && !/\.(?:safetensors|tdsl)$/.test(name))
      .filter((name) => statSync(join(path, name)).isFile())
      .sort();
  } catch (error) {
    throw notRead(path, error);
  }
}
