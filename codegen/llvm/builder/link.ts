// From object code to a shared library. In: objects, in link order. Out: the library's bytes.
// Holds: the library is sealed (runtime/abi/seal.h); the same objects give the same bytes (no build id, no paths, stripped); the maths
// library is recorded as needed exactly when a symbol of it is used; objects and library go through pipes, so that linking needs no files
// and leaves none.

import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileOfPackage, platform } from '../../../runtime/addon-file.js';
import { loadAddon, type RawLinker, withoutLlvm } from './addon.js';
import { fault } from './fault.js';

export interface LinkOptions {
  /** Default: `$LLD`, the one that comes with LLVM's library as a package, `ld.lld-19`, `/usr/lib/llvm-19/bin/ld.lld`, `ld.lld`. */
  readonly linker?: string;
}

/** A program, and what stands before its own arguments. */
interface Command {
  readonly program: string;
  readonly first: readonly string[];
}

const loader = '/lib64/ld-linux-x86-64.so.2';
const LIBRARY_FOLDERS = ['/lib/x86_64-linux-gnu', '/lib/aarch64-linux-gnu', '/usr/lib64', '/lib64', '/usr/lib', '/lib'];

/** The linker: `$LLD` if set, else LLVM's by its usual names. Errors: InternalError that says how to get or name one. */
function findLinker(environment: NodeJS.ProcessEnv = process.env): Command {
  const named = environment['LLD'];
  if (named !== undefined && named !== '') return { program: named, first: [] };
  const packed = fileOfPackage(`@tdsl/llvm-${platform}`, join('bin', 'ld.lld'));
  // Its libraries lie beside it, where nobody but the loader can be told to look.
  if (packed !== undefined) return { program: loader, first: ['--library-path', join(dirname(packed), '..', 'lib'), packed] };
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((f) => f !== '');
  const candidates = [...folders.map((f) => join(f, 'ld.lld-19')), '/usr/lib/llvm-19/bin/ld.lld', ...folders.map((f) => join(f, 'ld.lld'))];
  const found = candidates.find(executable);
  if (found === undefined) throw withoutLlvm('no linker was found; LLD may name an ld.lld');
  return { program: found, first: [] };
}

/** The shared library of `objects`. Errors: InternalError with the linker's text. */
export function link(objects: readonly Buffer[], options: LinkOptions = {}): Buffer {
  if (objects.length === 0) fault('link: no objects');
  using started = new Link(options);
  return started.finish(objects);
}

/** A linker that is loading itself while its objects are still being made. */
export class Link {
  readonly #linker: Command;
  readonly #raw: RawLinker;
  #ended = false;

  constructor(options: LinkOptions = {}) {
    this.#linker = options.linker === undefined ? findLinker() : { program: options.linker, first: [] };
    // An archive can be read from a pipe, and is linked as a whole.
    const objects = ['--whole-archive', '/dev/stdin', '--no-whole-archive'];
    this.#raw = this.#start([
      '-shared',
      '--build-id=none',
      '--hash-style=gnu',
      '-z',
      'noexecstack',
      '-s',
      '-o',
      '/dev/stdout',
      ...objects,
      '--as-needed',
      ...libraries(),
    ]);
  }

  #start(args: readonly string[]): RawLinker {
    try {
      const { program, first } = this.#linker;
      return loadAddon().tfc.startLinker(program, [...first, ...args]);
    } catch (error) {
      return fault(`link: ${this.#linker.program} does not start: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Errors: InternalError with the linker's text. */
  finish(objects: readonly Buffer[]): Buffer {
    this.#ended = true;
    const { status, output, said } = loadAddon().tfc.finishLinker(this.#raw, archiveOf(objects));
    if (status !== 0) fault(`link: ${this.#linker.program} failed: ${said.trim()}`);
    return output;
  }

  [Symbol.dispose](): void {
    if (!this.#ended) loadAddon().tfc.abandonLinker(this.#raw);
  }
}

/** An `ar` archive: per member a header of 60 characters and its bytes, to an even length. */
function archiveOf(objects: readonly Buffer[]): Buffer {
  const members = objects.flatMap((object, at) => {
    const header = `${`${at}.o/`.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'644'.padEnd(8)}${String(object.length).padEnd(10)}\`\n`;
    return [Buffer.from(header), object, Buffer.from(object.length % 2 === 0 ? '' : '\n')];
  });
  return Buffer.concat([Buffer.from('!<arch>\n'), ...members]);
}

/** libm and libc by their run-time names, which need no development files; what is not found stays for the loader to resolve. */
function libraries(): string[] {
  return ['libm.so.6', 'libc.so.6'].flatMap((name) => {
    const folder = LIBRARY_FOLDERS.find((f) => existsSync(join(f, name)));
    return folder === undefined ? [] : [join(folder, name)];
  });
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
