// JSON that people wrote. In: text, and what it is called. Out: its value. Holds: text that is no JSON is a diagnostic, with a hint where NaN or an infinity stands bare.

import { DiagnosticsError } from '../base/index.js';

/** Errors: bad-data. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const bare = /\b(?:NaN|Infinity)\b/.test(text.replace(/"(?:[^"\\]|\\.)*"/g, ''));
    if (bare) throw badData(`${what}: NaN and Infinity are no JSON`, 'Write them as strings: "NaN", "Infinity", "-Infinity".');
    throw badData(`${what}: not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
}

export const badData = (message: string, hint?: string): DiagnosticsError => new DiagnosticsError([{ code: 'bad-data', message, hint }]);
