// Files that appear complete or not at all. In: a directory as the user named it, and what fills it. Out: the files in it.
// Holds: when filling fails, even by a crash, no file has appeared or changed and no directory has been made.

import { copyFileSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { makeDirectory, notWritten } from './files.js';

/** Calls `fill` with an empty directory elsewhere and then brings what it wrote to `directory`. Other files in there stay. Errors: file-not-written, and what `fill` throws. */
export function publish(directory: string, fill: (scratch: string) => void): void {
  const scratch = mkdtempSync(join(tmpdir(), 'tfc-'));
  try {
    fill(scratch);
    const made = attempt(directory, () => makeDirectory(directory));
    try {
      for (const name of readdirSync(scratch)) publishAs(join(directory, name), (fresh) => copyFileSync(join(scratch, name), fresh));
    } catch (error) {
      if (made !== undefined) rmSync(made, { recursive: true, force: true });
      throw error;
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** One file; its directory exists. Errors: file-not-written. */
export const publishFile = (path: string, content: string): void => publishAs(path, (fresh) => writeFileSync(fresh, content));

/** `write` writes beside the place; then the file is moved there. */
function publishAs(path: string, write: (fresh: string) => void): void {
  const fresh = join(dirname(path), `.${basename(path)}.${process.pid}`);
  attempt(path, () => {
    try {
      write(fresh);
      renameSync(fresh, path);
    } catch (error) {
      rmSync(fresh, { force: true });
      throw error;
    }
  });
}

function attempt<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw notWritten(path, error);
  }
}
