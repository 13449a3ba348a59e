// `tfc compile FILE` without a directory: what it writes beside the program, and what it leaves alone.

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonError, jsonLines, workplace } from './tfc.js';

const { directory, file, tfc } = workplace();
mkdirSync(join(directory, 'models'));
file('models/twice.tdsl', 'export fn twice(x: f32): f32 = 2 * x\n');
const written = (): string[] => readdirSync(join(directory, 'models/twice')).sort();

describe('tfc compile without a directory', () => {
  it('writes into the one that is called as the program, and says so', () => {
    const { status, out } = tfc('compile', 'models/twice.tdsl');
    expect(status).toBe(0);
    expect(out).toMatch(/^models\/twice\/\S+: twice\n$/);
    expect(written()).toContain('module.json');
    expect(written()).toContain('module.h');
    expect(jsonLines(tfc('compile', 'models/twice.tdsl', '--json'))).toMatchObject([{ directory: 'models/twice', entries: ['twice'] }]);
  });

  it('replaces a module, fills an empty directory, and leaves everything else as it is', () => {
    expect(tfc('compile', 'models/twice.tdsl').status).toBe(0);
    rmSync(join(directory, 'models/twice'), { recursive: true });
    mkdirSync(join(directory, 'models/twice'));
    expect(tfc('compile', 'models/twice.tdsl').status).toBe(0);
    rmSync(join(directory, 'models/twice'), { recursive: true });
    mkdirSync(join(directory, 'models/twice'));
    file('models/twice/notes.txt', 'mine');
    expect(jsonError(tfc('compile', 'models/twice.tdsl', '--json'))).toMatchObject({
      code: 'file-not-written',
      message: 'models/twice is there, and is no compiled module: it was left as it is',
      hint: 'name the directory: `-o DIR`',
    });
    expect(written()).toEqual(['notes.txt']);
    // Who names the directory means it.
    expect(tfc('compile', 'models/twice.tdsl', '-o', 'models/twice').status).toBe(0);
    expect(written()).toContain('notes.txt');
    rmSync(join(directory, 'models/twice'), { recursive: true });
    file('models/twice', 'mine');
    expect(jsonError(tfc('compile', 'models/twice.tdsl', '--json')).code).toBe('file-not-written');
  });

  it('writes nothing where a stage is asked for, or the program is none', () => {
    file('models/once.tdsl', 'export fn once(x: f32): f32 = x\n');
    expect(tfc('compile', 'models/once.tdsl', '--emit', 'graph').status).toBe(0);
    file('models/broken.tdsl', 'export fn broken(x: f32): f32 = y\n');
    expect(tfc('compile', 'models/broken.tdsl').status).toBe(1);
    expect(existsSync(join(directory, 'models/once'))).toBe(false);
    expect(existsSync(join(directory, 'models/broken'))).toBe(false);
  });
});
