// Data files, read by pieces. In: a path. Out: what stands at places of the file, in memory of the reader's choice. Holds: only regular
// files are read; a reader learns how long the file is before it takes memory.

import { readExactly } from '../../../runtime/regular-file.js';
import { notRead, openRegular, withRegular } from '../../input/files.js';
import { badData } from '../../input/json.js';

export interface DataFile {
  readonly bytes: number;
  /** `into`, filled with what stands from `position` on. Errors: bad-data when the file became shorter. */
  read<Memory extends ArrayBufferView>(into: Memory, position: number): Memory;
}

/** What `use` makes of a file. Errors: file-not-found for whatever keeps it from being opened or read; those of `use`. */
export const withDataFile = <Result>(path: string, use: (file: DataFile) => Result): Result =>
  withRegular(path, (descriptor, { size }) => use(fileOf(path, descriptor, size)));

/** A file that stays open until it is closed. Errors: file-not-found. */
export function openDataFile(path: string): DataFile & { close(): void } {
  const { descriptor, status, close } = openRegular(path);
  return { ...fileOf(path, descriptor, status.size), close };
}

const fileOf = (path: string, descriptor: number, bytes: number): DataFile => ({
  bytes,
  read: (into, position) => {
    try {
      readExactly(descriptor, into, position);
      return into;
    } catch (error) {
      if (error instanceof Error && 'syscall' in error) throw notRead(path, error);
      throw badData(`${path}: the file became shorter while it was read`);
    }
  },
});

/** `bytes` of a file from `offset` on, as a file. They are there. */
export const partOf = (file: DataFile, offset: number, bytes: number): DataFile => ({
  bytes,
  read: (into, position) => file.read(into, offset + position),
});

/** Bytes in memory as a file. */
export const fileIn = (memory: Uint8Array): DataFile => ({
  bytes: memory.length,
  read: (into, position) => {
    new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(memory.subarray(position, position + into.byteLength));
    return into;
  },
});
