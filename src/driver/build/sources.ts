// Programs as files. In: a path, and the directories that imports may come from. Out: texts.
// Holds: what is returned is text that the parser takes; nothing is read, and so nothing quoted, that is not called `.tdsl` wherever links
// lead; no import leaves the directory of the compiled file, as its path names it, and those that the caller allowed; the texts that a
// module was compiled from can stand in for the files.

import { statSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { maximumLength } from '../../../grammar/index.js';
import { type DiagnosticCode, DiagnosticsError } from '../../base/index.js';
import type { SameFile } from '../../check/index.js';
import { readRegular, realPath } from '../../input/files.js';
import type { SourceFile } from './request.js';

/** The texts of one compilation by path. */
export class Sources {
  readonly #from: Origin;
  readonly #root: string;
  /** Files by what they are → the path under which they were read. */
  readonly #paths = new Map<string, string>();
  /** Other paths of files that were read → the path under which they were. */
  readonly aliases = new Map<string, string>();

  constructor(root: string, from: Origin) {
    this.#root = root;
    this.#from = from;
  }

  /** The compiled file itself. Errors: file-not-found; not-a-program; bad-data for a file that is no text, empty, or too long. */
  root(): string {
    return this.#read(this.#root, this.#from.targetOf(this.#root));
  }

  /** Errors: as `root`, and import-outside-root. */
  imported(path: string): string | SameFile {
    const target = this.#from.targetOf(path);
    const sameAs = this.#paths.get(target);
    if (sameAs === undefined) return this.#read(path, this.#from.permitted(path, target));
    this.aliases.set(path, sameAs);
    return { sameAs };
  }

  #read(path: string, target: string): string {
    const text = this.#from.read(path, target);
    this.#paths.set(target, path);
    return text;
  }
}

/** Where texts come from. */
interface Origin {
  /** What tells files apart, whatever they are called. */
  targetOf(path: string): string;
  /** The target, when an import may reach it. */
  permitted(path: string, target: string): string;
  read(path: string, target: string): string;
}

/** `roots`: directories beside that of `path` from which may be imported. Errors: file-not-found for one that is none. */
export function sourcesOnDisk(path: string, roots: readonly string[]): Sources {
  const named = roots.map(directoryOf);
  let all: readonly string[] | undefined;
  return new Sources(path, {
    targetOf: realPath,
    permitted: (imported, target) => {
      all ??= [realPath(dirname(path)), ...named];
      if (!all.some((root) => target.startsWith(root.endsWith(sep) ? root : `${root}${sep}`))) throw outside(imported);
      return target;
    },
    read: readProgram,
  });
}

/** What was read when the module was compiled. */
export function keptSources(path: string, files: readonly SourceFile[]): Sources {
  const kept = new Map(files.map((file) => [file.path, file]));
  return new Sources(path, {
    targetOf: (wanted) => kept.get(resolve(wanted))?.sameAs ?? resolve(wanted),
    permitted: (_, target) => target,
    read: (wanted, target) => {
      const file = kept.get(target);
      if (file === undefined) throw refuse('file-not-found', wanted, 'the module was compiled without this file', 'Compile it again.');
      return file.text;
    },
  });
}

function directoryOf(root: string): string {
  const target = realPath(root);
  if (root === '' || statSync(target, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw refuse('file-not-found', root, 'no such directory', 'A root is a directory from which programs may import.');
  return target;
}

/** No character is longer than four bytes. */
const maximumBytes = 4 * maximumLength;

function readProgram(path: string, target: string): string {
  for (const name of [path, target])
    if (!name.endsWith('.tdsl'))
      throw refuse(
        'not-a-program',
        path,
        name === path ? 'no program: its name does not end in `.tdsl`' : 'a link to what is no program',
        'Only files whose names end in `.tdsl` are read.',
      );
  const text = decode(path, readRegular(path, maximumBytes, target));
  if (text.length > maximumLength)
    throw refuse(
      'bad-data',
      path,
      `${text.length} characters are too long for a program (at most ${maximumLength})`,
      'Is this a data file? Data is fed at run time.',
    );
  if (text.trim() === '')
    throw refuse(
      'bad-data',
      path,
      'the file is empty',
      'A program exports at least one function or step: `export fn f(x: f32): f32 = x * x`.',
    );
  return text;
}

function decode(path: string, bytes: Buffer): string {
  try {
    if (!bytes.includes(0)) return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Not UTF-8: the same mistake as a zero byte.
  }
  throw refuse(
    'bad-data',
    path,
    'not a text file (expected UTF-8)',
    'Programs are plain text; was a compiled or compressed file named by mistake?',
  );
}

const outside = (path: string): DiagnosticsError =>
  refuse(
    'import-outside-root',
    path,
    'lies outside of the directories that may be imported from',
    'Imports stay in the directory of the compiled file; name others: `--root DIR`, or `roots` of `compile`.',
  );

const refuse = (code: DiagnosticCode, path: string, what: string, hint: string): DiagnosticsError =>
  new DiagnosticsError([{ code, message: `${path}: ${what}`, span: { source: path, start: 0, end: 0 }, hint }]);
