// Programs as files. In: a path. Out: its text. Holds: what is returned is text that the parser takes; a path that no one could mean as a program is refused by name.

import { statSync } from 'node:fs';
import { maximumLength } from '../../grammar/index.js';
import { DiagnosticsError } from '../base/index.js';
import { notRead, readBytes } from './files.js';

/** The text of a program. Errors: file-not-found; bad-data for a file that is no text, empty, or too long. */
export function readSource(path: string): string {
  const bytes = sizeOf(path);
  // No character is longer than four bytes: a huge file need not be read.
  if (bytes > 4 * maximumLength) throw tooLong(path, `${(bytes / 2 ** 20).toFixed(1)} MB`);
  const text = decode(path, readBytes(path));
  if (text.length > maximumLength) throw tooLong(path, `${text.length} characters`);
  if (text.trim() === '') throw refuse(path, 'the file is empty', 'A program exports at least one function or step: `export fn f(x: f32): f32 = x * x`.');
  return text;
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    throw notRead(path, error);
  }
}

function decode(path: string, bytes: Buffer): string {
  try {
    if (!bytes.includes(0)) return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Not UTF-8: the same mistake as a zero byte.
  }
  throw refuse(path, 'not a text file (expected UTF-8)', 'Programs are plain text; was a compiled or compressed file named by mistake?');
}

const tooLong = (path: string, size: string): DiagnosticsError => refuse(path, `${size} is too long for a program (at most ${maximumLength} characters)`, 'Is this a data file? Data is fed at run time.');

const refuse = (path: string, what: string, hint: string): DiagnosticsError => new DiagnosticsError([{ code: 'bad-data', message: `${path}: ${what}`, span: { source: path, start: 0, end: 0 }, hint }]);
