// Files as users name them. In: paths. Out: bytes and texts, or diagnostics that say what is wrong with the file.
// Holds: nothing here depends on what is in a file; only regular files are read, and never more of them than the caller allows: a FIFO waits for a writer, a device may have no end.

import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync, rmSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DiagnosticsError } from '../base/index.js';
import { decodeUtf8 } from './utf8.js';

/** No string is longer. */
const longestText = 2 ** 29 - 24;

/** Errors: file-not-found; bad-data for what is no UTF-8, or longer than a string. */
export const readText = (path: string): string => decodeUtf8(path, readRegular(path, longestText));

/** The bytes of a regular file. Errors: file-not-found for whatever keeps it from being read; bad-data when it has more than `maximumBytes`. */
export const readRegular = (path: string, maximumBytes: number): Buffer => withRegular(path, (descriptor, status) => readDescriptor(path, descriptor, status.size, maximumBytes));

/**
 * Opens a regular file for `use`, which gets its status as well; closes it afterwards.
 * Errors: file-not-found for whatever keeps it from being opened and read, also while `use` reads; what else `use` throws.
 */
export function withRegular<T>(path: string, use: (descriptor: number, status: Stats) => T, flags = 0): T {
  try {
    // Before it is opened, because opening a device may do something; and again afterwards, because the name may have come to mean another file.
    demandRegular(path, statSync(path));
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | flags);
    try {
      const status = fstatSync(descriptor);
      demandRegular(path, status);
      return use(descriptor, status);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw isSystemError(error) ? notRead(path, error) : error;
  }
}

function demandRegular(path: string, status: Stats): void {
  if (status.isFile()) return;
  const kind = status.isDirectory() ? 'is a directory' : status.isFIFO() ? 'is a pipe, and no regular file' : status.isSocket() ? 'is a socket, and no regular file' : 'is a device, and no regular file';
  throw new DiagnosticsError([{ code: 'file-not-found', message: `${path}: ${kind}`, span: { source: path, start: 0, end: 0 }, hint: 'Only regular files are read.' }]);
}

/** `size` is what the file has now; it may grow, and files of /proc say 0. */
function readDescriptor(path: string, descriptor: number, size: number, maximumBytes: number): Buffer {
  // One byte more than there should be shows that there are more.
  let bytes = Buffer.allocUnsafeSlow(Math.min(size, maximumBytes) + 1);
  let length = 0;
  while (size <= maximumBytes) {
    const read = readSync(descriptor, bytes, length, Math.min(bytes.length - length, 2 ** 30), null);
    if (read === 0) return bytes.subarray(0, length);
    length += read;
    if (length > maximumBytes) break;
    if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(2 * length + 4096, maximumBytes + 1));
  }
  throw new DiagnosticsError([{ code: 'bad-data', message: `${path}: the file is too long (at most ${maximumBytes} bytes are read)`, span: { source: path, start: 0, end: 0 } }]);
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error;

export const notRead = (path: string, error: unknown): DiagnosticsError =>
  new DiagnosticsError([{ code: 'file-not-found', message: `${path}: ${reasonOf(error)}`, span: { source: path, start: 0, end: 0 }, hint: 'Check the path; it is taken relative to the current directory.' }]);

/**
 * Makes a directory and those above it; returns the topmost that it made. Node's own recursive way never ends below /proc.
 * Errors: those of the file system; then nothing is left behind.
 */
export function makeDirectory(path: string): string | undefined {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return undefined;
  const parent = dirname(path);
  const made = parent === path ? undefined : makeDirectory(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been faster.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return undefined;
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
    throw error;
  }
  return made ?? path;
}

/** `error` as a diagnostic about `path` when the system refused to write; anything else as it is. */
export function notWritten(path: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  return new DiagnosticsError([{ code: 'file-not-written', message: `${path}: ${reasonOf(error)}` }]);
}

/** What the system says about a file, in people's words. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'no such file or directory';
    case 'EISDIR':
      return 'is a directory';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a part of the path is no directory';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'ENOSPC':
      return 'no space left';
    case 'EROFS':
      return 'the file system is read-only';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
