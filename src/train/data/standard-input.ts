// Standard input as a file. In: bytes that come once. Out: a temporary file with all of them, which every epoch can read again; or all of
// them at once. Holds: of what becomes a file no more than a piece is in memory; the file is nobody else's to read, and goes when the data
// set is closed or the process ends.

import { mkdtempSync, openSync, closeSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notWritten } from '../../../runtime/system-error.js';
import { badData } from '../../input/json.js';

export interface Spooled {
  readonly path: string;
  close(): void;
}

/** Errors: bad-data when nothing comes or it cannot be read; file-not-written when the disk is full. */
export function spool(descriptor: number, name: string): Spooled {
  const folder = mkdtempSync(join(tmpdir(), 'tfc-input-'));
  const path = join(folder, name);
  const close = (): void => {
    process.off('exit', close);
    rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', close);
  let file: number | undefined;
  try {
    file = openSync(path, 'wx', 0o600);
    const piece = Buffer.allocUnsafe(2 ** 20);
    let bytes = 0;
    for (let read = take(descriptor, piece); read > 0; read = take(descriptor, piece)) {
      for (let done = 0; done < read;) done += writeSync(file, piece, done, read - done);
      bytes += read;
    }
    if (bytes === 0) throw badData('standard input is empty', 'Send the data: cat data.csv | tfc train … --data - --format csv');
    return { path, close };
  } catch (error) {
    close();
    throw notWritten(path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** All that comes, in memory. Errors: bad-data when it cannot be read. */
export function takeAll(descriptor: number): Buffer {
  const piece = Buffer.allocUnsafe(2 ** 16);
  const pieces: Buffer[] = [];
  for (let read = take(descriptor, piece); read > 0; read = take(descriptor, piece)) pieces.push(Buffer.from(piece.subarray(0, read)));
  return Buffer.concat(pieces);
}

/** Bytes that came; 0 at the end. A terminal or pipe that has nothing yet is waited for. */
function take(descriptor: number, piece: Buffer): number {
  for (;;) {
    try {
      return readSync(descriptor, piece, 0, piece.length, null);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw badData(`standard input cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      // Others have made it return at once.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}
