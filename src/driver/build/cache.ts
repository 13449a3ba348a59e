// The compile cache: content-addressed artifacts. In: a request and the files that it read. Out: the directory of an artifact that was
// built of exactly this before.
// Holds: an entry is complete or absent (it is renamed into place); an artifact that is found has every byte that was written, and is the
// one that was asked for; nothing in it depends on where the sources lie; whatever is unreadable or damaged is a miss, and the next build
// replaces it.

import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { sweepDirectory, temporaryName, writeDirectory, writeFiles, writeFully } from '../../../runtime/atomic-file.js';
import { loadNative } from '../../../runtime/native.js';
import { codeOf, notWritten } from '../../../runtime/system-error.js';
import type { Diagnostic } from '../../base/index.js';
import { cacheFolders } from './cache-place.js';
import { makeDirectory, readBytes } from '../../input/files.js';
import { addonFile } from '../../../runtime/addon-file.js';
import { builtFile } from '../package.js';
import { prune } from './prune.js';
import type { Built, SourceFile } from './request.js';

export interface CacheRequest {
  readonly path: string;
  /** Everything else that decides what is built, as text. */
  readonly options: string;
  /** What stands in for the files when the cache is asked. */
  readonly sources?: readonly SourceFile[] | undefined;
}

/** The files of an artifact: names and contents. */
export type ArtifactFiles = ReadonlyMap<string, Uint8Array>;

/** What the index says about a request: names in the index are short, so it repeats whom it answers. */
interface CacheRecord {
  readonly request: readonly string[];
  readonly files: readonly SourceFile[];
  readonly warnings: readonly Diagnostic[];
  readonly entry: string;
}

/** What an artifact consists of, beside it; it repeats whose it is. */
interface Contents {
  readonly entry: string;
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly hash: string }[];
}

const contentsFile = 'contents.json';

export class Cache {
  readonly directory: string;
  readonly #compiler: string;

  /** `directory` is one that `cachePlace` approved of; `compiler` defaults to a stamp of this compiler's files. */
  constructor(directory: string, compiler = compilerStamp()) {
    this.directory = resolve(directory);
    this.#compiler = compiler;
  }

  /**
   * The artifact when every file is as it was when it was built: those that were read, or the request's sources, and those that were
   * written.
   */
  find(request: CacheRequest): Built | undefined {
    try {
      const known = this.#known(request);
      const index = this.#indexPath(known);
      const kept = request.sources === undefined ? undefined : new Map(request.sources.map(({ path, text }) => [path, text]));
      const now = (path: string): string | undefined => (kept === undefined ? readBytes(path).toString() : kept.get(path));
      const { request: asked, files, warnings, entry } = readRecord(index);
      if (
        known.some((part, at) => part !== asked[at]) ||
        !/^[0-9a-f]{40}$/.test(entry) ||
        !files.every((file) => now(file.path) === file.text)
      )
        return undefined;
      const place = this.#place(entry);
      if (!isIntact(place, entry)) return undefined;
      markUsed(index, place);
      return { directory: place, sources: files, warnings };
    } catch {
      // No record, one that is damaged, or a file that went away: not cached.
      return undefined;
    }
  }

  /** Keeps what `build` makes under the hash of what it was built of. Errors: file-not-written, and what `build` throws. */
  store(request: CacheRequest, files: readonly SourceFile[], build: () => ArtifactFiles, warnings: readonly Diagnostic[] = []): string {
    // The artifact repeats the base name of its source.
    const entry = hashOf(this.#compiler, request.options, basename(request.path), ...files.map((file) => file.text));
    const place = this.#place(entry);
    const content = isIntact(place, entry) ? undefined : build();
    try {
      for (const folder of cacheFolders) {
        makeDirectory(join(this.directory, folder), 0o700);
        sweepDirectory(join(this.directory, folder));
      }
      if (content !== undefined) put(place, entry, content);
      const known = this.#known(request);
      const record: CacheRecord = { request: known, files: files.map((file) => ({ ...file, path: resolve(file.path) })), warnings, entry };
      writeFiles([{ path: this.#indexPath(known), mode: 0o600, write: (file) => writeFully(file, sealed(record)) }]);
      prune(this.directory, cacheFolders);
    } catch (error) {
      throw notWritten(`the compile cache ${this.directory}`, error);
    }
    return place;
  }

  /** For an artifact that was found and cannot be opened. Errors: those of the file system. */
  forget(directory: string): void {
    if (dirname(directory) === join(this.directory, 'artifacts')) discard(directory);
  }

  #place(entry: string): string {
    return join(this.directory, 'artifacts', entry);
  }

  #known({ path, options }: CacheRequest): readonly string[] {
    return [this.#compiler, resolve(path), options];
  }

  #indexPath(known: readonly string[]): string {
    return join(this.directory, 'index', `${hashBytes(Buffer.from(known.join('\n')))}.json`);
  }
}

/** Writes an artifact to its place. What lies there is damaged, or somebody else was faster with the same. */
function put(place: string, entry: string, files: ArtifactFiles): void {
  const contents: Contents = {
    entry,
    files: [...files].map(([name, content]) => ({ name, bytes: content.length, hash: hashBytes(content) })),
  };
  const all = new Map([...files, [contentsFile, Buffer.from(JSON.stringify(contents))]]);
  for (let left = 3; ; left--) {
    try {
      writeDirectory(place, all, 0o700);
      return;
    } catch (error) {
      const taken = ['EEXIST', 'ENOTEMPTY', 'ENOTDIR'].some((code) => code === codeOf(error));
      if (!taken || left === 0) throw error;
      if (isIntact(place, entry)) return;
      discard(place);
    }
  }
}

/** First away from its place, where it must not be seen half removed. */
function discard(place: string): void {
  const aside = temporaryName(place);
  try {
    renameSync(place, aside);
  } catch (error) {
    // Somebody else was faster.
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  rmSync(aside, { recursive: true, force: true });
}

/** Whether every file of an artifact has the bytes that were written. */
function isIntact(place: string, entry: string): boolean {
  try {
    const contents = JSON.parse(readBytes(join(place, contentsFile)).toString()) as Contents;
    const isAsWritten = ({ name, bytes, hash: wanted }: Contents['files'][number]): boolean => {
      const content = readBytes(join(place, basename(name)));
      return content.length === bytes && hashBytes(content) === wanted;
    };
    return contents.entry === entry && contents.files.length > 0 && contents.files.every(isAsWritten);
  } catch {
    return false;
  }
}

/** A record behind its hash: warnings are not compared with anything else. */
function sealed(record: CacheRecord): Uint8Array {
  const text = JSON.stringify(record);
  return Buffer.from(`${hashBytes(Buffer.from(text))}\n${text}`);
}

/** Throws for one that is damaged. */
function readRecord(path: string): CacheRecord {
  const bytes = readBytes(path);
  const start = bytes.indexOf(10) + 1;
  const record = bytes.subarray(start);
  if (bytes.subarray(0, start).toString('latin1') !== `${hashBytes(record)}\n`) throw new Error('damaged');
  return JSON.parse(record.toString()) as CacheRecord;
}

/** Without Node's cryptography, which takes longer to load than everything else on the way to a cached artifact. */
const hashBytes = (bytes: Uint8Array): string => loadNative().hash(bytes);

/** What two builds with the same parts share. */
function hashOf(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex').slice(0, 40);
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

/** Changes whenever the compiler does, which is the one of the bundle, and the addon that comes with it. */
const compilerStamp = (): string => `${readFileSync(builtFile('dist', 'bundle', 'stamp'), 'utf8')} ${stampOf(addonFile('llvm') ?? '')}`;

function stampOf(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false });
  return status === undefined ? '' : `${path}:${status.size}:${status.mtimeMs}`;
}
