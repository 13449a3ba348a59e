// A file that grows while a program runs. In: pieces. Out: the file, which has them soon, and all of them when it is closed.
// Holds: pieces are written whole and in order, so whoever is killed leaves a file that ends with at most one piece cut; what is appended
// waits for two seconds at most, also while the program never rests (each call looks at the clock), and leaves with a process that ends by
// itself; after the first failure every call throws it again.

import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync } from 'node:fs';
import { writeFully } from '../../runtime/atomic-file.js';
import { TfcError } from '../../runtime/error.js';
import { readExactly } from '../../runtime/regular-file.js';
import { notWritten } from '../../runtime/system-error.js';

/** Milliseconds until what was appended is written. */
const flushAfter = 2000;
/** Bytes that are not kept back. */
const flushBytes = 2 ** 20;

/** Files whose pieces a process that ends would take with it. */
const open = new Set<AppendFile>();

function flushAll(): void {
  for (const file of open) file.abandon();
}

export class AppendFile {
  readonly path: string;
  #file: number | undefined;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  /** When the oldest piece came. */
  #since = 0;
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;

  /** `mode`: a file that must not exist yet, or one that is gone on with. @throws TfcError file-not-written. */
  constructor(path: string, mode: 'new' | 'continue') {
    this.path = path;
    try {
      this.#file = openSync(path, mode === 'new' ? 'wx' : 'a+');
    } catch (error) {
      throw notWritten(path, error);
    }
    if (open.size === 0) process.on('exit', flushAll);
    open.add(this);
  }

  /** Cuts off what stands behind the last line feed: half of a line that a process did not live to write. Returns the bytes that stay. */
  cutHalfLine(): number {
    const file = this.#require();
    const piece = Buffer.alloc(65_536);
    const { size } = fstatSync(file);
    for (let end = size; ; end -= piece.length) {
      const start = Math.max(0, end - piece.length);
      const part = piece.subarray(0, Math.max(0, end - start));
      readExactly(file, part, start);
      const at = part.lastIndexOf(0x0a);
      if (at < 0 && start > 0) continue;
      const kept = at < 0 ? 0 : start + at + 1;
      if (kept < size) ftruncateSync(file, kept);
      return kept;
    }
  }

  /** `piece` belongs to the file from now on. @throws TfcError file-not-written, session-closed. */
  append(piece: Uint8Array): void {
    this.#require();
    if (this.#pieces.length === 0) this.#since = performance.now();
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes >= flushBytes || performance.now() - this.#since >= flushAfter) this.flush();
    // A timer for programs that rest.
    else this.#timer ??= setTimeout(() => this.#tryFlush(), flushAfter).unref();
  }

  /** @throws TfcError file-not-written. */
  flush(): void {
    const file = this.#require();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pieces.length === 0) return;
    const all = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    try {
      writeFully(file, all);
    } catch (error) {
      this.#failure = notWritten(this.path, error);
      throw this.#failure;
    }
  }

  /** Writes what is left, and makes it durable. A second call does nothing. @throws TfcError file-not-written. */
  close(): void {
    const file = this.#file;
    if (file === undefined) return;
    try {
      this.flush();
      fsyncSync(file);
    } catch (error) {
      throw notWritten(this.path, error);
    } finally {
      this.#release(file);
    }
  }

  /** The same when nobody is left to be told. */
  abandon(): void {
    try {
      this.close();
    } catch {
      // It was said when it happened, or it cannot be said.
    }
  }

  #release(file: number): void {
    clearTimeout(this.#timer);
    this.#file = undefined;
    open.delete(this);
    if (open.size === 0) process.off('exit', flushAll);
    closeSync(file);
  }

  #tryFlush(): void {
    try {
      this.flush();
    } catch {
      // The next call says it.
    }
  }

  #require(): number {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#file === undefined) throw new TfcError('session-closed', `${this.path} is closed, and nothing more is recorded in it.`);
    return this.#file;
  }
}
