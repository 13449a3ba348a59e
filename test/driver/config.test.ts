// Defaults of a project, and what shells complete. In: configuration files, words of a command line. Out: what commands then do.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { configFile } from '../../src/driver/config.js';
import { jsonError, workplace } from './tfc.js';

const place = workplace();
place.file('double.tdsl', 'dim N = 2\nexport fn double(x: f32): f32 = N * x\n');

const configure = (name: string, text: string): void => writeFileSync(join(place.directory, name), text);
const double = (...args: string[]): string => place.tfc('run', 'double.tdsl', 'double', ...args).out.trim();

describe('tfc.config', () => {
  afterEach(() => {
    for (const name of ['tfc.config.ts', 'tfc.config.json', 'tfc.config.mjs']) rmSync(join(place.directory, name), { force: true });
  });

  it.each([
    ['tfc.config.ts', 'const four: number = 4;\nexport default { set: { N: 3 }, run: { feed: [`x=${four}`] } } satisfies object;\n'],
    ['tfc.config.mjs', "export default { set: ['N=3'], run: { feed: 'x=4' } };\n"],
    ['tfc.config.json', '{ "set": { "N": 3 }, "seed": 7, "run": { "feed": ["x=4"], "seed": 8 } }'],
  ])('%s says what the command line leaves open', (name, text) => {
    configure(name, text);
    expect(double()).toBe('12');
    expect(double('--feed', 'x=5')).toBe('15');
    expect(double('--feed', 'x=5', '--set', 'N=10')).toBe('50');
  });

  it('of the package around counts in the directories below it', () => {
    configure('package.json', '{}');
    configure('tfc.config.json', '{ "run": { "feed": ["x=4"] } }');
    const inner = join(place.directory, 'inner');
    mkdirSync(inner, { recursive: true });
    expect(configFile(inner)).toBe(join(place.directory, 'tfc.config.json'));
    writeFileSync(join(inner, 'package.json'), '{}');
    expect(configFile(inner)).toBeUndefined();
  });

  it.each([
    ['{ "thread": 1 }', 'there is no option "thread"'],
    ['{ "run": { "sed": 1 } }', 'there is no option "run.sed"'],
    ['{ "threads": true }', 'threads is a text or a number, not true'],
    ['{ "run": { "json": "yes" } }', 'run.json is true or false, not "yes"'],
    ['[]', 'its default export is an object of options, not'],
    ['{ "threads": ', 'tfc.config.json: '],
  ])('is refused with its name: %s', (text, message) => {
    configure('tfc.config.json', text);
    const { code, message: said } = jsonError(place.tfc('run', 'double.tdsl', 'double', '--feed', 'x=1', '--json'));
    expect(code).toBe('bad-data');
    expect(said).toContain('tfc.config.json');
    expect(said).toContain(message);
  });

  it('that throws is an error and no stack', () => {
    configure('tfc.config.ts', "throw new Error('not today');\n");
    const { err, status } = place.tfc('check', 'double.tdsl');
    expect(status).toBe(1);
    expect(err.trim().split('\n')).toEqual([expect.stringMatching(/^error\[bad-data\]: .*tfc\.config\.ts: not today$/)]);
  });
});

describe('completion', () => {
  const completed = (...words: string[]): string[] =>
    place
      .tfc('complete', '--', ...words)
      .out.split('\n')
      .map((line) => line.split('\t')[0] as string);

  it('knows commands and options', () => {
    expect(completed('tr')).toContain('train');
    expect(completed('train', '--ep')).toContain('--epochs');
  });

  it.each(['bash', 'zsh', 'fish'])('has a script for %s', (shell) => {
    const { out, status } = place.tfc('complete', shell);
    expect(status).toBe(0);
    expect(out).toContain('tfc');
  });
});
