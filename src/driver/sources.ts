// Programs as files. In: a path. Out: its text. Holds: what is returned is text that the parser takes; a path that no one could mean as a program is refused by name.

import { maximumLength } from '../../grammar/index.js';
import { DiagnosticsError } from '../base/index.js';
import { readRegular } from './files.js';

/** No character is longer than four bytes. */
const maximumBytes = 4 * maximumLength;

/** The text of a program. Errors: file-not-found; bad-data for a file that is no text, empty, or too long. */
export function readSource(path: string): string {
  const text = decode(path, readRegular(path, maximumBytes));
  if (text.length > maximumLength) throw refuse(path, `${text.length} characters are too long for a program (at most ${maximumLength})`, 'Is this a data file? Data is fed at run time.');
  if (text.trim() === '') throw refuse(path, 'the file is empty', 'A program exports at least one function or step: `export fn f(x: f32): f32 = x * x`.');
  return text;
}

function decode(path: string, bytes: Buffer): string {
  try {
    if (!bytes.includes(0)) return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Not UTF-8: the same mistake as a zero byte.
  }
  throw refuse(path, 'not a text file (expected UTF-8)', 'Programs are plain text; was a compiled or compressed file named by mistake?');
}

const refuse = (path: string, what: string, hint: string): DiagnosticsError => new DiagnosticsError([{ code: 'bad-data', message: `${path}: ${what}`, span: { source: path, start: 0, end: 0 }, hint }]);
