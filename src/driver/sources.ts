// Source files as users name them. In: paths. Out: texts, or diagnostics that say what is wrong with the file. Holds: nothing here depends on what the text means.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';
import { existsSync } from 'node:fs';
import { DiagnosticsError, InternalError } from '../base/index.js';

/** Sources longer than this are no programs that people write. */
const maximumBytes = 4 * 1024 * 1024;

/** The text of a program. Throws a DiagnosticsError for a file that is missing, unreadable, no text, or too long. */
export function readSource(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new DiagnosticsError([{ code: 'file-not-found', message: `${path}: ${reasonOf(error)}`, hint: 'Check the path; it is taken relative to the current directory.' }]);
  }
  if (bytes.length > maximumBytes) {
    const size = (bytes.length / 2 ** 20).toFixed(1);
    throw new DiagnosticsError([{ code: 'bad-data', message: `${path}: ${size} MB is too long for a program (at most ${maximumBytes / 2 ** 20} MB)`, hint: 'Is this a data file? Programs end in .tdsl; data is fed at run time.' }]);
  }
  if (bytes.includes(0)) throw notText(path);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw notText(path);
  }
}

const notText = (path: string): DiagnosticsError => new DiagnosticsError([{ code: 'bad-data', message: `${path}: not a text file (expected UTF-8)`, hint: 'Programs are plain text; was a compiled or compressed file named by mistake?' }]);

/** What the system says about a file, in people's words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'no such file';
    case 'EISDIR':
      return 'is a directory';
    case 'ENOTDIR':
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

/** The directory with tfc's own `package.json`: the same for sources and for what is built of them. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory);
    if (parent === directory) throw new InternalError('driver', 'the package root was not found');
    directory = parent;
  }
  return directory;
}
