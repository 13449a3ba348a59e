// What the checker and differentiation say. In: bad programs in `cases`. Out: their diagnostics, word for word, in the `.txt` beside each.
// Holds: every code that the front end emits has a case; programs of `ways-out.ts` have one mistake, whose hint leads out. `TFC_GOLDEN=1`
// renews the texts; read them before you keep them.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Diagnostic, diagnosticCodes, type DiagnosticCode, DiagnosticsError } from '../../src/base/index.js';
import type { CheckResult } from '../../src/check/index.js';
import { checks, differentiate, Pipeline, strip } from '../../src/passes/index.js';
import { check, render, type Extra } from '../check/support.js';
import { waysOut } from './ways-out.js';

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
  'no-device',
  'device-failed',
];

const files = Object.fromEntries(
  readdirSync(`${folder}parts`).map((name) => [`parts/${name}`, readFileSync(`${folder}parts/${name}`, 'utf8')]),
);

/** What is said of a program: by the checker, else by differentiation, else as warnings. */
function said(text: string, name: string): { readonly result: CheckResult; readonly mistakes: readonly Diagnostic[] } {
  const result = check(text, { path: name, files, ...options[name] });
  const mistakes = result.module === undefined ? result.diagnostics : differentiationOf(result.module, result);
  return { result, mistakes };
}

function differentiationOf(module: NonNullable<CheckResult['module']>, { build }: CheckResult): readonly Diagnostic[] {
  try {
    Pipeline.of(differentiate).then(strip).then(checks).run(module, { build });
    return [];
  } catch (error) {
    if (error instanceof DiagnosticsError) return error.diagnostics;
    throw error;
  }
}

const textOf = (name: string): string => readFileSync(folder + name, 'utf8');

describe('diagnostics', () => {
  test.each(names)('%s', (name) => {
    const { result, mistakes } = said(textOf(name), name);
    // Warnings keep nobody from compiling.
    expect(result.module === undefined).toBe(result.diagnostics.length > 0);
    const text = `${render({ diagnostics: mistakes.length === 0 ? result.warnings : mistakes, files: result.files })}\n`;
    const golden = `${folder}${name.replace(/\.tdsl$/, '.txt')}`;
    if (renew) writeFileSync(golden, text);
    expect(existsSync(golden)).toBe(true);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });

  test.each(Object.entries(waysOut))('%s has a way out', (name, changes) => {
    const text = textOf(`${name}.tdsl`);
    const { mistakes } = said(text, `${name}.tdsl`);
    expect(mistakes[0]?.hint).toBeDefined();
    expect(new Set(mistakes.map(({ code }) => code)).size).toBe(1);
    const changed = changes.reduce((now, [from, to]) => {
      expect(now).toContain(from);
      return now.replaceAll(from, to);
    }, text);
    const after = said(changed, `${name}.tdsl`);
    expect(render({ diagnostics: after.mistakes, files: after.result.files })).toBe('');
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
