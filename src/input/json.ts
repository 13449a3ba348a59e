// JSON that people wrote. In: text, and what it is called. Out: its value. Holds: text that is no JSON, or says something twice, or more
// than a number holds, is a diagnostic with its place, and a hint where NaN or an infinity stands bare.

import { JsonMistake, parseStrictJson } from '../../runtime/strict-json.js';
import { DiagnosticsError } from '../base/index.js';

/** More axes than any tensor has: deeper text is a mistake, and would end the stack. */
const maximumDepth = 64;

/** Errors: bad-data. `line`: where in a larger file the text begins. */
export function parseJson(text: string, what: string, line?: number): unknown {
  try {
    return parseStrictJson(text, { maximumDepth });
  } catch (error) {
    if (error instanceof JsonMistake) throw badData(`${what}: ${placeOf(text, error.offset, line ?? 1)}: ${error.message}`);
    const where = line === undefined ? what : `${what}: line ${line}`;
    if (hasBareNumber(text))
      throw badData(`${where}: NaN and Infinity are no JSON`, 'Write them as strings: "NaN", "Infinity", "-Infinity".');
    throw badData(`${where}: not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
}

function placeOf(text: string, offset: number, line: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  return `line ${line + text.slice(0, start).split('\n').length - 1}, column ${offset - start + 1}`;
}

/** Whether NaN or Infinity stands outside of strings. */
const hasBareNumber = (text: string): boolean =>
  text
    .replace(/\\./g, '')
    .split('"')
    .some((part, at) => at % 2 === 0 && /\b(?:NaN|Infinity)\b/.test(part));

export const badData = (message: string, hint?: string): DiagnosticsError => new DiagnosticsError([{ code: 'bad-data', message, hint }]);
