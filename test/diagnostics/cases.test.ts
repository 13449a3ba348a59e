// What the checker says. In: bad programs in `cases`. Out: their diagnostics, word for word, in the `.txt` beside each.
// Holds: every code that the front end emits has a case. `TFC_GOLDEN=1` renews the texts; read them before you keep them.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { diagnosticCodes, type DiagnosticCode } from '../../src/base/index.js';
import { check, render, type Extra } from '../check/support.js';

const folder = fileURLToPath(new URL('./cases/', import.meta.url));
const names = readdirSync(folder).filter((name) => name.endsWith('.tdsl'));
const renew = process.env['TFC_GOLDEN'] === '1';

/** What is asked for from outside. */
const options: Readonly<Record<string, Extra>> = {
  'invalid-value-set.tdsl': { set: new Map([['Width', -2]]) },
  'unknown-dim.tdsl': { set: new Map([['Hiden', 3]]) },
  'unknown-entry.tdsl': { ranks: [{ entry: 'ad', ranks: { S: 1 } }] },
};

/** Codes of mistakes that show only when something runs, is opened or is written. */
const later: readonly DiagnosticCode[] = [
  'missing-feed',
  'unknown-feed',
  'unknown-fetch',
  'ambiguous-name',
  'source-missing',
  'uninitialized-variable',
  'unknown-variable',
  'session-closed',
  'session-busy',
  'bad-data',
  'bad-artifact',
  'file-not-written',
  'not-formatted',
  'out-of-date',
  'toolchain-missing',
  'out-of-memory',
  'entry-failed',
  'not-finite',
  'loop-limit',
  'other-run',
  'unsupported-processor',
];

const files = Object.fromEntries(
  readdirSync(`${folder}parts`).map((name) => [`parts/${name}`, readFileSync(`${folder}parts/${name}`, 'utf8')]),
);

describe('diagnostics', () => {
  test.each(names)('%s', (name) => {
    const result = check(readFileSync(folder + name, 'utf8'), { path: name, files, ...options[name] });
    // Warnings keep nobody from compiling.
    const warned = result.diagnostics.length === 0;
    expect(result.module === undefined).toBe(!warned);
    const text = `${render({ diagnostics: warned ? result.warnings : result.diagnostics, files: result.files })}\n`;
    const golden = `${folder}${name.replace(/\.tdsl$/, '.txt')}`;
    if (renew) writeFileSync(golden, text);
    expect(existsSync(golden)).toBe(true);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });

  test('every code of the front end has a case of its own', () => {
    const covered = (code: string): boolean => names.some((name) => name === `${code}.tdsl` || name.startsWith(`${code}-`));
    const shown = (code: string): boolean =>
      names
        .filter((name) => name.startsWith(code))
        .some((name) =>
          readFileSync(`${folder}${name.replace(/\.tdsl$/, '.txt')}`, 'utf8')
            .split('\n')
            .some((line) => line === code || line.startsWith(`${code} `)),
        );
    const missing = (Object.keys(diagnosticCodes) as DiagnosticCode[]).filter(
      (code) => !later.includes(code) && !(covered(code) && shown(code)),
    );
    expect(missing).toEqual([]);
  });
});
