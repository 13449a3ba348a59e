// Kernels of small programs as text. `TFC_GOLDEN=1` writes the files anew; a difference is to be looked at, not to be feared.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseProgram, printProgram } from '../../src/kernel/index.js';
import { programOf } from './kernels.js';

const folder = join(import.meta.dirname, 'golden');

describe('kernels of programs', () => {
  it.each([
    ['exp-tower', ['tower']],
    ['moons', ['probability', 'train']],
    ['relus', ['output']],
    ['loop', ['value', 'reverse', 'forward']],
    ['linear-regression', ['normalEquation', 'train']],
    ['placeholder', ['addFive']],
  ])('%s', (name, entries) => {
    const entry = programOf(name);
    const text = entries.map((one) => printProgram(entry(one).program, { origins: false })).join('\n');
    const file = join(folder, `${name}.txt`);
    if (process.env['TFC_GOLDEN'] === '1') writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
    // What stands in a file is all there is to it.
    for (const one of entries) {
      const printed = printProgram(entry(one).program, { origins: false });
      expect(printProgram(parseProgram(printed), { origins: false })).toBe(printed);
    }
  });
});
