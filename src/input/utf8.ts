// Bytes as text. In: the bytes of a file. Out: its text, without a byte order mark. Holds: what is no UTF-8 is a diagnostic with its place,
// never a replacement character.

import { isUtf8 } from 'node:buffer';
import { badData } from './json.js';

/** Errors: bad-data. */
export function decodeUtf8(path: string, bytes: Buffer): string {
  requireUtf8(path, bytes);
  return bytes.toString('utf8', bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xefbbbf ? 3 : 0);
}

/** Errors: bad-data with the place of the first byte that is no part of a character. `from`: where these bytes stand in their file. */
export function requireUtf8(
  path: string,
  bytes: Buffer,
  from: { readonly line: number; readonly offset: number } = { line: 1, offset: 0 },
): void {
  if (isUtf8(bytes)) return;
  // Lines end at the same bytes in every text, so the first bad line is found without decoding what is before it.
  for (let [start, line] = [0, from.line]; ; line += 1) {
    const next = bytes.indexOf(0x0a, start) + 1 || bytes.length;
    if (!isUtf8(bytes.subarray(start, next)))
      throw badData(`${path}: not UTF-8: line ${line}, byte ${from.offset + start + validPrefix(bytes.subarray(start, next))} of the file`);
    start = next;
  }
}

/** How many bytes are text, of those that are not all. */
function validPrefix(bytes: Buffer): number {
  const text = bytes.toString('utf8');
  for (let at = text.indexOf('\ufffd'); ; at = text.indexOf('\ufffd', at + 1)) {
    const offset = Buffer.byteLength(text.slice(0, at));
    // The character stands for bytes that are none, but may be written as well.
    if (bytes.toString('hex', offset, offset + 3) !== 'efbfbd') return offset;
  }
}
