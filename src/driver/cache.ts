// The compile cache: content-addressed artifacts. In: a request and the files that it read. Out: the directory of an artifact that was built of exactly this before.
// Holds: an entry is complete or absent (it is renamed into place); nothing in it depends on where the sources lie; whatever is unreadable or damaged is a miss.

import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeDirectory, notWritten } from './files.js';
import { packageRoot } from './package.js';
import { artifactFiles } from './request.js';

export interface CacheRequest {
  readonly path: string;
  /** Everything else that decides what is built, as text. */
  readonly options: string;
}

/** A file that a build read, by content. */
export interface FileStamp {
  readonly path: string;
  readonly hash: string;
}

/** What the index says about a request. */
interface CacheRecord {
  readonly files: readonly FileStamp[];
  readonly entry: string;
}

const hashOf = (...parts: readonly string[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex').slice(0, 40);
};

export const stampOf = (path: string, text: string): FileStamp => ({ path: resolve(path), hash: hashOf(text) });

export class Cache {
  readonly directory: string;
  readonly #compiler: string;

  /** `directory` defaults to $TFC_CACHE, $XDG_CACHE_HOME/tfc, or ~/.cache/tfc; `compiler` to a stamp of this compiler's files. */
  constructor(directory = defaultDirectory(), compiler = compilerStamp()) {
    this.directory = resolve(directory);
    this.#compiler = compiler;
  }

  /** The artifact's directory when every file is as it was when it was built. */
  find(request: CacheRequest): string | undefined {
    try {
      const { files, entry } = JSON.parse(readFileSync(this.#indexPath(request), 'utf8')) as CacheRecord;
      if (!/^[0-9a-f]{40}$/.test(entry) || !files.every((file) => hashOf(readFileSync(file.path, 'utf8')) === file.hash)) return undefined;
      const place = this.#place(entry);
      return isComplete(place) ? place : undefined;
    } catch {
      // No record, one that is damaged, or a file that went away: not cached.
      return undefined;
    }
  }

  /** Calls `fill` with an empty directory, and keeps it under the hash of what it was built of. Errors: file-not-written, and what `fill` throws. */
  store(request: CacheRequest, files: readonly FileStamp[], fill: (directory: string) => void): string {
    // The artifact repeats the base name of its source.
    const entry = hashOf(this.#compiler, request.options, basename(request.path), ...files.map((file) => file.hash));
    const place = this.#place(entry);
    try {
      if (!isComplete(place)) this.#build(place, fill);
      const index = this.#indexPath(request);
      makeDirectory(dirname(index));
      const record: CacheRecord = { files, entry };
      const fresh = `${index}.${randomUUID()}`;
      writeFileSync(fresh, JSON.stringify(record));
      renameSync(fresh, index);
    } catch (error) {
      throw notWritten(`the compile cache ${this.directory}`, error);
    }
    return place;
  }

  #build(place: string, fill: (directory: string) => void): void {
    makeDirectory(dirname(place));
    const fresh = mkdtempSync(`${place}-`);
    try {
      fill(fresh);
      if (existsSync(place) && !isComplete(place)) rmSync(place, { recursive: true, force: true });
      try {
        renameSync(fresh, place);
      } catch (error) {
        // Somebody else may have been faster with the same content.
        if (!isComplete(place)) throw error;
      }
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
  }

  #place(entry: string): string {
    return join(this.directory, 'artifacts', entry);
  }

  #indexPath(request: CacheRequest): string {
    return join(this.directory, 'index', `${hashOf(this.#compiler, resolve(request.path), request.options)}.json`);
  }
}

const isComplete = (place: string): boolean => existsSync(join(place, artifactFiles.library));

function defaultDirectory(): string {
  const { TFC_CACHE, XDG_CACHE_HOME } = process.env;
  return TFC_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'tfc');
}

/** Changes whenever the compiler does: version, and the bundle's own stamp or, without one, names, sizes and times of the compiler's files. */
function compilerStamp(): string {
  const root = packageRoot();
  const parts: string[] = [readFileSync(join(root, 'package.json'), 'utf8')];
  const stamp = (path: string): void => {
    const { size, mtimeMs } = statSync(path);
    parts.push(`${path}:${size}:${mtimeMs}`);
  };
  const visit = (directory: string): void => {
    if (!existsSync(directory)) return;
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (/\.(?:js|tdsl)$/.test(entry.name)) stamp(path);
    }
  };
  const bundled = fileURLToPath(new URL('stamp', import.meta.url));
  const isBundled = existsSync(bundled);
  if (isBundled) parts.push(readFileSync(bundled, 'utf8'));
  for (const room of [...(isBundled ? [] : ['dist/src', 'dist/codegen', 'dist/grammar']), 'src/std']) visit(join(root, room));
  const addon = join(root, 'build', 'llvm.node');
  if (existsSync(addon)) stamp(addon);
  return hashOf(...parts);
}
