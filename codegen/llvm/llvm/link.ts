// From object code to a shared library. In: objects (bytes or paths) and the library's path. Out: the library on disk.
// Holds: the library is sealed (runtime/abi/seal.h); the same objects give the same bytes (no build id, no paths, stripped); the maths library is recorded as needed exactly
// when a symbol of it is used; the library appears under its name complete or not at all.

import { accessSync, constants, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { loadAddon, type RawLinker } from './addon.js';
import { fault, guarded } from './fault.js';

export interface LinkOptions {
  /** Object code, or paths of object files, in link order. */
  readonly objects: readonly (Buffer | string)[];
  /** The library to write; its folder exists. */
  readonly output: string;
  /** Default: `$LLD`, `ld.lld-19`, `ld.lld`, `/usr/lib/llvm-19/bin/ld.lld`. */
  readonly linker?: string;
  /** Keep the symbol table for profilers and debuggers. Default false. */
  readonly symbols?: boolean;
}

const LIBRARY_FOLDERS = ['/lib/x86_64-linux-gnu', '/lib/aarch64-linux-gnu', '/usr/lib64', '/lib64', '/usr/lib', '/lib'];

/** The linker: `$LLD` if set, else LLVM's by its usual names. Errors: InternalError that says how to get or name one. */
function findLinker(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment['LLD'];
  if (named !== undefined && named !== '') return named;
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((f) => f !== '');
  const candidates = [...folders.map((f) => join(f, 'ld.lld-19')), '/usr/lib/llvm-19/bin/ld.lld', ...folders.map((f) => join(f, 'ld.lld'))];
  return candidates.find(executable) ?? fault('no linker found: run `npm run setup`, or set LLD to an ld.lld');
}

/** Links `objects` into the shared library `output`; returns milliseconds. Errors: InternalError with the linker's text. */
export function link({ objects, ...options }: LinkOptions): number {
  const start = performance.now();
  if (objects.length === 0) fault('link: no objects');
  using started = new Link(options);
  started.finish(objects);
  return performance.now() - start;
}

/** A linker that is loading itself while its objects are still being made. */
export class Link {
  readonly #linker: string;
  readonly #output: string;
  readonly #scratch: string;
  readonly #raw: RawLinker;
  #ended = false;

  constructor(options: Omit<LinkOptions, 'objects'>) {
    this.#output = resolve(options.output);
    if (!existsSync(dirname(this.#output))) fault(`link: the folder ${dirname(this.#output)} does not exist`);
    this.#linker = options.linker ?? findLinker();
    this.#scratch = mkdtempSync(join(dirname(this.#output), '.link-'));
    const strip = options.symbols === true ? [] : ['-s'];
    // Its script says what to link, and comes when that is there.
    const args = ['-shared', '--build-id=none', '--hash-style=gnu', '-z', 'noexecstack', ...strip, '-o', basename(this.#output), '/dev/stdin', '--as-needed', ...libraries()];
    this.#raw = this.#start(args);
  }

  #start(args: readonly string[]): RawLinker {
    try {
      return loadAddon().tfc.startLinker(this.#linker, args, this.#scratch);
    } catch (error) {
      this.#clear();
      return fault(`link: ${this.#linker} does not start: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Errors: InternalError with the linker's text. */
  finish(objects: LinkOptions['objects']): void {
    const inputs = objects.map((object, at) => {
      if (typeof object === 'string') return resolve(object);
      writeFileSync(join(this.#scratch, `${at}.o`), object);
      return `${at}.o`;
    });
    this.#ended = true;
    const { status, said } = loadAddon().tfc.finishLinker(this.#raw, `INPUT(${inputs.map((input) => `"${input}"`).join(' ')})\n`);
    if (status !== 0) fault(`link: ${this.#linker} failed: ${said.trim()}`);
    const made = join(this.#scratch, basename(this.#output));
    guarded('seal', () => loadAddon().tfc.seal(made));
    renameSync(made, this.#output);
  }

  [Symbol.dispose](): void {
    if (!this.#ended) loadAddon().tfc.abandonLinker(this.#raw);
    this.#clear();
  }

  #clear(): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }
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
