// Files as users name them. In: paths. Out: bytes and texts, or diagnostics that say what is wrong with the file. Holds: nothing here depends on what is in a file.

import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { reasonOf } from '../../runtime/system-error.js';
import { DiagnosticsError } from '../base/index.js';

/** Errors: file-not-found for whatever keeps the file from being read. */
export function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw notRead(path, error);
  }
}

/** Errors: file-not-found. Bytes that are no UTF-8 become U+FFFD. */
export const readText = (path: string): string => readBytes(path).toString('utf8');

export const notRead = (path: string, error: unknown): DiagnosticsError =>
  new DiagnosticsError([{ code: 'file-not-found', message: `${path}: ${reasonOf(error)}`, span: { source: path, start: 0, end: 0 }, hint: 'Check the path; it is taken relative to the current directory.' }]);

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
