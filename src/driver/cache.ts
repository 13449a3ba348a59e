// The compile cache: content-addressed artifacts. In: a request and the files that it read. Out: the directory of an artifact that was built of exactly this before.
// Holds: an entry is complete or absent (it is renamed into place); nothing in it depends on where the sources lie; whatever is unreadable or damaged is a miss.

import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { Diagnostic } from '../base/index.js';
import { makeDirectory, notWritten, readBytes } from './files.js';
import { packageRoot } from './package.js';
import { prune } from './prune.js';
import { artifactFiles, type Built, type SourceFile } from './request.js';

export interface CacheRequest {
  readonly path: string;
  /** Everything else that decides what is built, as text. */
  readonly options: string;
  /** What stands in for the files when the cache is asked. */
  readonly sources?: readonly SourceFile[] | undefined;
}

/** What the index says about a request: names in the index are short, so it repeats whom it answers. */
interface CacheRecord {
  readonly request: readonly string[];
  readonly files: readonly SourceFile[];
  readonly warnings: readonly Diagnostic[];
  readonly entry: string;
}

export class Cache {
  readonly directory: string;
  readonly #compiler: string;

  /** `directory` defaults to $TFC_CACHE, $XDG_CACHE_HOME/tfc, or ~/.cache/tfc; `compiler` to a stamp of this compiler's files. */
  constructor(directory = defaultDirectory(), compiler = compilerStamp()) {
    this.directory = resolve(directory);
    this.#compiler = compiler;
  }

  /** The artifact's directory when every file is as it was when it was built, or as it is in the request's sources. */
  find(request: CacheRequest): Built | undefined {
    try {
      const known = this.#known(request);
      const index = this.#indexPath(known);
      const kept = request.sources === undefined ? undefined : new Map(request.sources.map(({ path, text }) => [path, text]));
      const now = (path: string): string | undefined => (kept === undefined ? readBytes(path).toString('utf8') : kept.get(path));
      const { request: asked, files, warnings, entry } = JSON.parse(readFileSync(index, 'utf8')) as CacheRecord;
      if (known.some((part, at) => part !== asked[at]) || !/^[0-9a-f]{40}$/.test(entry) || !files.every((file) => now(file.path) === file.text)) return undefined;
      const place = this.#place(entry);
      if (!isComplete(place)) return undefined;
      markUsed(index, place);
      return { directory: place, sources: files, warnings };
    } catch {
      // No record, one that is damaged, or a file that went away: not cached.
      return undefined;
    }
  }

  /** Calls `fill` with an empty directory, and keeps it under the hash of what it was built of. Errors: file-not-written, and what `fill` throws. */
  store(request: CacheRequest, files: readonly SourceFile[], fill: (directory: string) => void, warnings: readonly Diagnostic[] = []): string {
    // The artifact repeats the base name of its source.
    const entry = hashOf(this.#compiler, request.options, basename(request.path), ...files.map((file) => file.text));
    const place = this.#place(entry);
    try {
      if (!isComplete(place)) this.#build(place, fill);
      const known = this.#known(request);
      const index = this.#indexPath(known);
      makeDirectory(dirname(index));
      const record: CacheRecord = { request: known, files: files.map((file) => ({ ...file, path: resolve(file.path) })), warnings, entry };
      const fresh = `${index}.${randomUUID()}`;
      writeFileSync(fresh, JSON.stringify(record));
      renameSync(fresh, index);
      prune(this.directory, ['artifacts', 'index']);
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

  #known({ path, options }: CacheRequest): readonly string[] {
    return [this.#compiler, resolve(path), options];
  }

  #indexPath(known: readonly string[]): string {
    return join(this.directory, 'index', `${shortName(known.join('\n'))}.json`);
  }
}

/** What two builds with the same parts share. */
function hashOf(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex').slice(0, 40);
}

/** Two rounds of FNV-1a: a name that seldom clashes, without Node's cryptography, which takes longer to load than everything else on the way to a cached artifact. */
function shortName(text: string): string {
  let [low, high] = [0x811c9dc5, 0xcbf29ce4];
  for (let at = 0; at < text.length; at++) {
    low = Math.imul(low ^ text.charCodeAt(at), 0x01000193);
    high = Math.imul(high ^ text.charCodeAt(at) ^ (low >>> 16), 0x01000193);
  }
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}

/** What is in use stays when others are removed. A cache that can only be read serves as well. */
function markUsed(...paths: readonly string[]): void {
  const now = new Date();
  try {
    for (const path of paths) utimesSync(path, now, now);
  } catch {
    // Read only.
  }
}

const isComplete = (place: string): boolean => existsSync(join(place, artifactFiles.library));

function defaultDirectory(): string {
  const { TFC_CACHE, XDG_CACHE_HOME } = process.env;
  return TFC_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'tfc');
}

/** Changes whenever the compiler does: the bundle's own stamp or, without one, names, sizes and times of the compiler's files; and the addon that comes with it. */
function compilerStamp(): string {
  const root = packageRoot();
  const addon = stampOf(join(root, 'build', 'llvm.node'));
  const bundled = join(import.meta.dirname, 'stamp');
  if (existsSync(bundled)) return `${readFileSync(bundled, 'utf8')} ${addon}`;
  const stamps: string[] = [];
  const visit = (directory: string): void => {
    if (!existsSync(directory)) return;
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (/\.(?:js|tdsl)$/.test(entry.name)) stamps.push(stampOf(path));
    }
  };
  for (const room of ['dist/src', 'dist/codegen', 'dist/grammar', 'src/std']) visit(join(root, room));
  return hashOf(readFileSync(join(root, 'package.json'), 'utf8'), addon, ...stamps);
}

function stampOf(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false });
  return status === undefined ? '' : `${path}:${status.size}:${status.mtimeMs}`;
}
