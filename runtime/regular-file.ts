// Files of data, read by pieces. In: a path. Out: its length, and bytes from any place in it. Holds: only regular files are opened, and
// nothing is waited for: a FIFO without a writer, a device or a directory is refused at once; no more is read than the file had when it was
// opened.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

export class RegularFile {
  readonly bytes: number;
  readonly #file: number;

  /** @throws Error of the system, or one that says what the path is instead of a file. Close it after use. */
  constructor(path: string) {
    // Opening a FIFO would wait for whoever writes, and a terminal would become the process's own.
    this.#file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const status = fstatSync(this.#file);
      if (status.isDirectory()) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' });
      if (!status.isFile()) throw new Error('it is no regular file');
      this.bytes = status.size;
    } catch (error) {
      closeSync(this.#file);
      throw error;
    }
  }

  /** Fills `into` with what stands from `position` on. @throws Error of the system, or when the file ends before. */
  read(into: ArrayBufferView, position: number): void {
    readExactly(this.#file, into, position);
  }

  close(): void {
    closeSync(this.#file);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Fills `into` with what an open file has from `position` on. @throws Error of the system, or when the file ends before. */
export function readExactly(file: number, into: ArrayBufferView, position: number): void {
  for (let done = 0; done < into.byteLength;) {
    // One call reads less than 2 GiB.
    const piece = new Uint8Array(into.buffer, into.byteOffset + done, Math.min(into.byteLength - done, 2 ** 30));
    const read = readSync(file, piece, 0, piece.length, position + done);
    if (read === 0) throw new Error('it ends too early');
    done += read;
  }
}
