// Files as users name them. In: paths. Out: bytes and texts, or diagnostics that say what is wrong with the file.
// Holds: nothing here depends on what is in a file; only regular files are read, and never more of them than the caller allows: a FIFO
// waits for a writer, a device may have no end.

import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync, realpathSync, rmSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { codeOf, reasonOf } from '../../runtime/system-error.js';
import { DiagnosticsError } from '../base/index.js';
import { decodeUtf8 } from './utf8.js';

/** What Node holds in one buffer, and no file that is read in one piece exceeds. */
const maximumFile = 2 ** 31 - 1;

/** No string is longer. */
const longestText = 2 ** 29 - 24;

/** Errors: file-not-found for whatever keeps the file from being read; bad-data for one of 2 GiB. */
export const readBytes = (path: string): Buffer => readRegular(path, maximumFile);

/** Errors: file-not-found; bad-data for what is no UTF-8, or longer than a string. */
export const readText = (path: string): string => decodeUtf8(path, readRegular(path, longestText));

/**
 * The bytes of a regular file. `target`: where `path` led when that was looked at; what is read is still there, and under no other name.
 * Errors: file-not-found for whatever keeps it from being read; bad-data when it has more than `maximumBytes`.
 */
export const readRegular = (path: string, maximumBytes: number, target?: string): Buffer =>
  withRegular(path, (descriptor, status) => readDescriptor(path, descriptor, status.size, maximumBytes), target);

/**
 * Opens a regular file for `use`, which gets its status as well; closes it afterwards. `target` is that of `readRegular`.
 * Errors: file-not-found for whatever keeps it from being opened and read, also while `use` reads; what else `use` throws.
 */
export function withRegular<T>(path: string, use: (descriptor: number, status: Stats) => T, target?: string): T {
  const { descriptor, status, close } = openRegular(path, target);
  try {
    return use(descriptor, status);
  } catch (error) {
    throw isUnreadable(error) ? notRead(path, error) : error;
  } finally {
    close();
  }
}

/** A regular file that stays open until `close`. Errors: file-not-found for whatever keeps it from being opened. */
export function openRegular(
  path: string,
  target?: string,
): { readonly descriptor: number; readonly status: Stats; readonly close: () => void } {
  try {
    const name = target ?? path;
    // Before it is opened, because opening a device may do something; and again afterwards, because the name may have come to mean another
    // file.
    demandRegular(path, statSync(name));
    const descriptor = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    let isOpen = true;
    const close = (): void => {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    };
    try {
      const status = fstatSync(descriptor);
      demandRegular(path, status);
      if (target !== undefined) demandUnmoved(path, target, status);
      return { descriptor, status, close };
    } catch (error) {
      close();
      throw error;
    }
  } catch (error) {
    throw isUnreadable(error) ? notRead(path, error) : error;
  }
}

/** Where a path leads, links resolved; those parts of it that do not exist stay as they are. Errors: file-not-found. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT' && dirname(path) !== path) return join(realPath(dirname(path)), basename(path));
    throw isUnreadable(error) ? notRead(path, error) : error;
  }
}

function demandRegular(path: string, status: Stats): void {
  if (status.isFile()) return;
  const kind = status.isDirectory()
    ? 'is a directory'
    : status.isFIFO()
      ? 'is a pipe, and no regular file'
      : status.isSocket()
        ? 'is a socket, and no regular file'
        : 'is a device, and no regular file';
  throw unreadable(path, kind, 'Only regular files are read.');
}

function demandUnmoved(path: string, target: string, { dev, ino }: Stats): void {
  const now = statSync(target);
  if (now.dev !== dev || now.ino !== ino || realpathSync(target) !== target)
    throw unreadable(path, 'the file was replaced while it was opened', 'Try again when nobody else is changing it.');
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
  throw new DiagnosticsError([
    {
      code: 'bad-data',
      message: `${path}: the file is too long (at most ${maximumBytes} bytes are read)`,
      span: { source: path, start: 0, end: 0 },
    },
  ]);
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error;

/** What the system or Node itself refuses to open. */
const isUnreadable = (error: unknown): boolean => isSystemError(error) || hasZeroByte(error);

const hasZeroByte = (error: unknown): boolean => codeOf(error) === 'ERR_INVALID_ARG_VALUE';

const unreadable = (path: string, what: string, hint: string): DiagnosticsError =>
  new DiagnosticsError([{ code: 'file-not-found', message: `${path}: ${what}`, span: { source: path, start: 0, end: 0 }, hint }]);

export const notRead = (path: string, error: unknown): DiagnosticsError =>
  unreadable(
    path,
    hasZeroByte(error) ? 'no path has a zero byte' : reasonOf(error),
    'Check the path; it is taken relative to the current directory.',
  );

/**
 * Makes a directory and those above it; returns the topmost that it made. Node's own recursive way never ends below /proc.
 * Errors: those of the file system; then nothing is left behind.
 */
export function makeDirectory(path: string, mode = 0o777): string | undefined {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return undefined;
  const parent = dirname(path);
  const made = parent === path ? undefined : makeDirectory(parent, mode);
  try {
    mkdirSync(path, mode);
  } catch (error) {
    // Another process may have been faster.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return undefined;
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
    throw error;
  }
  return made ?? path;
}

/** Folders in which nobody's own files are: those of packages, and hidden ones. */
export const isForeign = (folder: string): boolean =>
  folder === 'node_modules' || (folder.startsWith('.') && folder !== '.' && folder !== '..');
