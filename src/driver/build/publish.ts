// An artifact where the user wants it. In: a directory as the user named it, and files. Out: the files in it, or none and an error.
// Holds: a directory that is new appears with all of its files; in one that is there each file appears complete, after all have been
// written. The library is the last: programs that open the directory read it alone, it brings its own manifest, and whoever sees the new
// one finds the headers that belong to it.

import { rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { writeDirectory, writeFiles, writeFully } from '../../../runtime/atomic-file.js';
import { notWritten } from '../../../runtime/system-error.js';
import type { ArtifactFiles } from './cache.js';
import { makeDirectory } from '../../input/files.js';

/** `files` in the order in which they may appear. Others in `directory` stay. Errors: file-not-written. */
export function publish(directory: string, files: ArtifactFiles): void {
  let made: string | undefined;
  try {
    if (statSync(directory, { throwIfNoEntry: false }) === undefined) {
      made = makeDirectory(dirname(resolve(directory)));
      writeDirectory(resolve(directory), files);
    } else writeFiles([...files].map(([name, content]) => ({ path: join(directory, name), write: (file) => writeFully(file, content) })));
  } catch (error) {
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
    throw notWritten(directory, error);
  }
}
