// From object code to a shared library. In: objects (bytes or paths) and the library's path. Out: the library on disk.
// Holds: the same objects give the same bytes (no build id, no paths, stripped); the maths library is recorded as needed exactly
// when a symbol of it is used; the library appears under its name complete or not at all.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { fault } from './fault.js';

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
export function findLinker(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment['LLD'];
  if (named !== undefined && named !== '') return named;
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((f) => f !== '');
  const candidates = [...folders.map((f) => join(f, 'ld.lld-19')), '/usr/lib/llvm-19/bin/ld.lld', ...folders.map((f) => join(f, 'ld.lld'))];
  return candidates.find(executable) ?? fault('no linker found: run `npm run setup`, or set LLD to an ld.lld');
}

/** Links `objects` into the shared library `output`; returns milliseconds. Errors: InternalError with the linker's text. */
export function link(options: LinkOptions): number {
  const start = performance.now();
  const output = resolve(options.output);
  if (!existsSync(dirname(output))) fault(`link: the folder ${dirname(output)} does not exist`);
  if (options.objects.length === 0) fault('link: no objects');
  const linker = options.linker ?? findLinker();
  const scratch = mkdtempSync(join(dirname(output), '.link-'));
  try {
    const inputs = options.objects.map((o, i) => {
      if (typeof o === 'string') return resolve(o);
      const name = `${i}.o`;
      writeFileSync(join(scratch, name), o);
      return name;
    });
    const made = join(scratch, basename(output));
    const strip = options.symbols === true ? [] : ['-s'];
    const args = ['-shared', '--build-id=none', '--hash-style=gnu', '-z', 'noexecstack', ...strip, '-o', made, ...inputs, '--as-needed', ...libraries()];
    const run = spawnSync(linker, args, { cwd: scratch, encoding: 'utf8' });
    if (run.error !== undefined) fault(`link: ${linker} does not start: ${run.error.message}`);
    if (run.status !== 0) fault(`link: ${linker} failed: ${run.stderr.trim()}`);
    renameSync(made, output);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return performance.now() - start;
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
