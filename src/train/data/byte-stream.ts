// A data file from front to end, unpacked where it is packed. In: a path. Out: its bytes, piece by piece. Holds: what is in memory is a few
// pieces, however large the file or what was packed into it; gzip's checksums fit, and nothing but zeros stands behind its data.

import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { badData } from '../../input/json.js';
import { type DataFile, openDataFile } from './data-file.js';

/** Bytes that are read at once. */
const piece = 2 ** 20;

/** Errors: file-not-found; bad-data for damaged gzip data. */
export async function* byteStream(path: string): AsyncGenerator<Buffer> {
  const file = openDataFile(path);
  try {
    const start = file.read(Buffer.alloc(Math.min(file.bytes, 2)), 0);
    if (start[0] === 0x1f && start[1] === 0x8b) yield* unpacked(path, file);
    else yield* pieces(file);
  } finally {
    file.close();
  }
}

function* pieces(file: DataFile): Generator<Buffer> {
  for (let at = 0; at < file.bytes; at += piece) yield file.read(Buffer.allocUnsafeSlow(Math.min(piece, file.bytes - at)), at);
}

async function* unpacked(path: string, file: DataFile): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: piece / 8 });
  // What goes wrong is thrown to whoever reads the unpacked bytes.
  pipeline(Readable.from(pieces(file)), gunzip, () => undefined);
  try {
    for await (const bytes of gunzip) yield bytes as Buffer;
  } catch (error) {
    if (!(error instanceof Error) || !('errno' in error || 'code' in error)) throw error;
    throw badData(`${path}: truncated or damaged gzip data (${error.message})`);
  }
  // It stops at a zero, with which files on tapes and blocks are filled up.
  for (let at = gunzip.bytesWritten; at < file.bytes; at += piece) {
    const rest = file.read(Buffer.allocUnsafeSlow(Math.min(piece, file.bytes - at)), at);
    if (rest.some((byte) => byte !== 0)) throw badData(`${path}: damaged gzip data: other bytes stand behind its end`);
  }
}
