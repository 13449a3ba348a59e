// Files that appear complete or not at all. In: a directory as the user named it, and what fills it. Out: the files in it.
// Holds: when filling fails, no file has appeared or changed and no directory is left behind that was not there before.

import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { notWritten } from './files.js';

/** Calls `fill` with an empty directory and moves what it wrote into `directory`. Other files in there stay. Errors: file-not-written, and what `fill` throws. */
export function publish(directory: string, fill: (scratch: string) => void): void {
  let made: string | undefined;
  let scratch: string | undefined;
  try {
    made = mkdirSync(directory, { recursive: true });
    scratch = mkdtempSync(join(directory, '.tfc-'));
    fill(scratch);
    for (const name of readdirSync(scratch)) renameSync(join(scratch, name), join(directory, name));
  } catch (error) {
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
    throw notWritten(directory, error);
  } finally {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  }
}

/** One file; its directory exists. Errors: file-not-written. */
export function publishFile(path: string, content: string): void {
  const fresh = join(dirname(path), `.${basename(path)}.${process.pid}`);
  try {
    writeFileSync(fresh, content);
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw notWritten(path, error);
  }
}
