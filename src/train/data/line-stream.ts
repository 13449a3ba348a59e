// A text file from front to end. In: a path. Out: whole lines, many at a time, as bytes with their place. Holds: all of it is UTF-8 without
// zeros, and without a byte order mark but at the start, which is left out; lines end all with LF or CR LF, or all with CR, and none is
// longer than a table's.

import { badData } from '../../input/json.js';
import { requireUtf8 } from '../../input/utf8.js';
import { byteStream } from './byte-stream.js';

/** A million columns of 16 characters; what is longer is no table. */
export const longestLine = 2 ** 24;

export interface Lines {
  /** Ends with the end of a line, but at the end of the file. */
  readonly bytes: Buffer;
  /** Of the first byte, counted from 1 and 0. */
  readonly line: number;
  readonly offset: number;
  /** Whether lines end with CR alone. */
  readonly isOld: boolean;
}

/** Errors: file-not-found; bad-data. */
export async function* lineStream(path: string): AsyncGenerator<Lines> {
  let isOld: boolean | undefined;
  let held: Buffer[] = [];
  let [heldBytes, line, offset] = [0, 1, 0];
  const whole = (bytes: Buffer, isLast: boolean): Lines => {
    // Alone at the end of what there is, CR ends a line as well.
    const old = isOld ?? (isLast && bytes.includes(0x0d));
    const given = { bytes: checked(path, bytes, line, offset, old), line, offset, isOld: old };
    for (let at = bytes.indexOf(old ? 0x0d : 0x0a); at >= 0; at = bytes.indexOf(old ? 0x0d : 0x0a, at + 1)) line += 1;
    offset += bytes.length;
    return given;
  };
  for await (const piece of byteStream(path)) {
    isOld ??= endsWithReturns(held.at(-1), piece);
    // What a line ends with decides which lines are whole; until that is known, none is.
    const end = isOld === undefined ? 0 : piece.lastIndexOf(isOld ? 0x0d : 0x0a) + 1;
    if (end > 0) {
      yield whole(Buffer.concat([...held, piece.subarray(0, end)]), false);
      [held, heldBytes] = [[], 0];
    }
    held.push(piece.subarray(end));
    heldBytes += piece.length - end;
    if (heldBytes > longestLine) throw badData(`${path}: line ${line} has more than ${longestLine} bytes`);
  }
  if (heldBytes > 0) yield whole(Buffer.concat(held), true);
}

/** Undefined: neither CR nor LF so far, or a CR of which it is not known what follows. */
function endsWithReturns(before: Buffer | undefined, piece: Buffer): boolean | undefined {
  if (before?.at(-1) === 0x0d) return piece[0] !== 0x0a;
  const [feed, carriage] = [piece.indexOf(0x0a), piece.indexOf(0x0d)];
  if (carriage < 0 || (feed >= 0 && feed < carriage)) return feed < 0 ? undefined : false;
  return carriage + 1 === piece.length ? undefined : piece[carriage + 1] !== 0x0a;
}

function checked(path: string, bytes: Buffer, line: number, offset: number, isOld: boolean): Buffer {
  requireUtf8(path, bytes, { line, offset });
  const zero = bytes.indexOf(0);
  if (zero >= 0) throw badData(`${path}: no text: byte ${offset + zero} of the file is zero`);
  // At its start it says that the file is UTF-8. Inside it is white space for some, and no part of a number for anyone.
  const mark = bytes.indexOf('\ufeff', offset === 0 ? 1 : 0);
  if (mark >= 0)
    throw badData(
      `${path}: a byte order mark at byte ${offset + mark}, behind the start of the file`,
      'Were two files joined? Take the mark out.',
    );
  if (isOld) {
    const feed = bytes.indexOf(0x0a);
    if (feed >= 0) throw badData(`${path}: a line feed at byte ${offset + feed} of a file whose lines end with carriage returns`);
  } else {
    for (let at = bytes.indexOf(0x0d); at >= 0; at = bytes.indexOf(0x0d, at + 1))
      if (bytes[at + 1] !== 0x0a) throw badData(`${path}: a carriage return without a line feed at byte ${offset + at} of the file`);
  }
  return offset === 0 && bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xefbbbf ? bytes.subarray(3) : bytes;
}
