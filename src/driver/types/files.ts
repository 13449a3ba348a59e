// Declaration files where TypeScript finds them. In: programs below a base directory. Out: for each, files below the output directory at
// the same relative place. Holds: a file whose content is as it should be is not touched; a program with mistakes leaves its files as they
// are.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { writeFiles, writeFully } from '../../../runtime/atomic-file.js';
import { codeOf, notWritten } from '../../../runtime/system-error.js';
import { type Diagnostic, DiagnosticsError } from '../../base/index.js';
import { isForeign, makeDirectory, notRead } from '../../input/files.js';
import type { BuildRequest } from '../build/request.js';
import { isLibrary } from '../build/front.js';
import { declarationFile } from './declaration.js';
import { describe } from './describe.js';

export interface Place {
  /** What `rootDirs` names beside `out`. */
  readonly base: string;
  readonly out: string;
}

/** What was written for a program, or would be. */
export interface Declared {
  readonly program: string;
  /** The declaration file. */
  readonly path: string;
  readonly changed: boolean;
  readonly warnings: readonly Diagnostic[];
}

/**
 * Writes the declarations of one program; undefined when it exports nothing. `check`: says only whether that would change anything. `texts`
 * collects what was read. Errors: the diagnostics of the program, file-not-written.
 */
export function declare(
  request: Pick<BuildRequest, 'path' | 'set' | 'roots'>,
  { base, out }: Place,
  texts: Map<string, string>,
  check: boolean,
): Declared | undefined {
  const below = relative(base, resolve(request.path));
  if (isOutside(below))
    throw new DiagnosticsError([
      {
        code: 'invalid-value',
        message: `${request.path}: the file is not below ${base}`,
        hint: 'Declarations mirror the directory in which `tfc types` runs: run it in one that holds all programs.',
      },
    ]);
  const { program, warnings } = describe(request, texts);
  if (program.entries.length === 0) return undefined;
  const path = join(out, dirname(below), `${basename(below, '.tdsl')}.d.tdsl.ts`);
  const nameOf = (source: string): string =>
    relative(dirname(resolve(path)), resolve(source))
      .split(sep)
      .map(encodeURIComponent)
      .join('/');
  const own = new Map([...texts].filter(([source]) => !isLibrary(source)));
  const { text, map } = declarationFile(program, own, basename(path), nameOf);
  // The declarations come last: whoever sees new ones finds the map that belongs to them.
  const files = [
    { path: `${path}.map`, content: map },
    { path, content: text },
  ];
  const stale = files.filter((file) => contentOf(file.path) !== file.content);
  if (stale.length > 0 && !check) write(stale);
  return { program: request.path, path, changed: stale.length > 0, warnings };
}

function write(files: readonly { readonly path: string; readonly content: string }[]): void {
  for (const { path } of files) {
    try {
      makeDirectory(dirname(resolve(path)));
    } catch (error) {
      throw notWritten(path, error);
    }
  }
  writeFiles(files.map(({ path, content }) => ({ path, write: (file) => writeFully(file, Buffer.from(content)) })));
}

function contentOf(path: string): string | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path, 'utf8') : undefined;
  } catch {
    // It is written again, and that says what is wrong.
    return undefined;
  }
}

const isOutside = (path: string): boolean => path === '..' || path.startsWith(`..${sep}`) || path === '' || path.startsWith(sep);

/** Every program below a directory, sorted; links are not followed. Errors: file-not-found. */
export function programsBelow(directory: string): readonly string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !isForeign(entry.name)) visit(path);
      else if (entry.isFile() && entry.name.endsWith('.tdsl')) found.push(path);
    }
  };
  visit(directory);
  return found.sort((a, b) => (a < b ? -1 : 1));
}

function entriesOf(folder: string): ReturnType<typeof readAll> {
  try {
    return readAll(folder);
  } catch (error) {
    // What went away meanwhile, or is closed to us, has nothing that we could declare.
    if (['ENOENT', 'EACCES', 'ENOTDIR'].some((code) => code === codeOf(error))) return [];
    throw notRead(folder, error);
  }
}

const readAll = (folder: string) => readdirSync(folder, { withFileTypes: true });
