// The compile cache: content-addressed artifacts. In: a request and the files that it read. Out: the directory of an artifact that was built of exactly this before.
// Holds: an entry is complete or absent (it is renamed into place); nothing in it depends on where the sources lie.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { packageRoot } from './sources.js';

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

const hashOf = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex').slice(0, 40);
};

export const stampOf = (path: string, text: string): FileStamp => ({ path: resolve(path), hash: hashOf(text) });

export class Cache {
  readonly directory: string;
  readonly #compiler: string;

  /** `directory` defaults to $TFC_CACHE, $XDG_CACHE_HOME/tfc, or ~/.cache/tfc. */
  constructor(directory = defaultDirectory()) {
    this.directory = directory;
    this.#compiler = compilerStamp();
  }

  /** The artifact's directory when every file is as it was when it was built. */
  find(request: CacheRequest): string | undefined {
    try {
      const record = JSON.parse(readFileSync(this.#indexPath(request), 'utf8')) as { files: FileStamp[]; entry: string };
      for (const file of record.files) if (hashOf(readFileSync(file.path, 'utf8')) !== file.hash) return undefined;
      const entry = join(this.directory, 'artifacts', record.entry);
      return existsSync(join(entry, 'module.so')) ? entry : undefined;
    } catch {
      // No record, or a file that went away: not cached.
      return undefined;
    }
  }

  /** Calls `fill` with an empty directory, and keeps it under the hash of what was built. */
  store(request: CacheRequest, files: readonly FileStamp[], fill: (directory: string) => void): string {
    const entry = hashOf(this.#compiler, request.options, ...files.map((file) => file.hash));
    const place = join(this.directory, 'artifacts', entry);
    if (!existsSync(join(place, 'module.so'))) {
      mkdirSync(dirname(place), { recursive: true });
      const fresh = mkdtempSync(`${place}-`);
      try {
        fill(fresh);
        try {
          renameSync(fresh, place);
        } catch {
          // Somebody else was faster with the same content.
          rmSync(fresh, { recursive: true, force: true });
        }
      } catch (error) {
        rmSync(fresh, { recursive: true, force: true });
        throw error;
      }
    }
    const index = this.#indexPath(request);
    mkdirSync(dirname(index), { recursive: true });
    const record = `${index}.${process.pid}`;
    writeFileSync(record, JSON.stringify({ files, entry }));
    renameSync(record, index);
    return place;
  }

  #indexPath(request: CacheRequest): string {
    return join(this.directory, 'index', `${hashOf(this.#compiler, resolve(request.path), request.options)}.json`);
  }
}

function defaultDirectory(): string {
  const { TFC_CACHE, XDG_CACHE_HOME } = process.env;
  return TFC_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tfc');
}

/** Changes whenever the compiler does: version, and sizes and times of its own files. */
function compilerStamp(): string {
  const root = packageRoot();
  const parts: string[] = [readFileSync(join(root, 'package.json'), 'utf8')];
  const visit = (directory: string): void => {
    if (!existsSync(directory)) return;
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (/\.(?:js|node|tdsl)$/.test(entry.name)) {
        const { size, mtimeMs } = statSync(path);
        parts.push(`${path}:${size}:${mtimeMs}`);
      }
    }
  };
  for (const room of ['dist/src', 'dist/codegen', 'dist/grammar', 'src/std']) visit(join(root, room));
  visit(join(root, 'build'));
  return hashOf(...parts);
}
