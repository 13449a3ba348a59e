// Artifacts where the user wants them. In: directories in all states. Out: all files, or what was there before.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { publish } from '../../src/driver/build/publish.js';

const base = mkdtempSync(join(tmpdir(), 'tfc-publish-'));
afterAll(() => rmSync(base, { recursive: true }));
const files = (content: string) => new Map(['module.json', 'module.so'].map((name) => [name, Buffer.from(content)]));

describe('publish', () => {
  it('makes directories, replaces its own files and leaves others', () => {
    const directory = join(base, 'a', 'b');
    publish(directory, files('one'));
    expect(readdirSync(join(base, 'a'))).toEqual(['b']);
    writeFileSync(join(directory, 'notes.txt'), 'mine');
    publish(directory, files('two'));
    expect(readdirSync(directory).sort()).toEqual(['module.json', 'module.so', 'notes.txt']);
    for (const name of ['module.json', 'module.so']) expect(readFileSync(join(directory, name), 'utf8')).toBe('two');
  });

  it('leaves no directory behind a failure, and no file changed', () => {
    // Longer than a file's name may be.
    const impossible = new Map([...files('new'), ['x'.repeat(300), Buffer.from('')]]);
    expect(() => publish(join(base, 'c', 'd'), impossible)).toThrow(/name is too long/);
    expect(existsSync(join(base, 'c'))).toBe(false);
    publish(join(base, 'e'), files('old'));
    expect(() => publish(join(base, 'e'), impossible)).toThrow(/name is too long/);
    mkdirSync(join(base, 'e', 'taken'));
    expect(() => publish(join(base, 'e'), new Map([...files('new'), ['taken', Buffer.from('')]]))).toThrow(/it is a directory/);
    expect(readdirSync(join(base, 'e')).sort()).toEqual(['module.json', 'module.so', 'taken']);
    for (const name of ['module.json', 'module.so']) expect(readFileSync(join(base, 'e', name), 'utf8')).toBe('old');
  });

  it('says why a place cannot be written', () => {
    writeFileSync(join(base, 'file'), '');
    for (const place of ['file', 'file/below']) {
      expect(() => publish(join(base, place), files('x'))).toThrow(
        expect.objectContaining({ code: 'file-not-written', message: expect.stringContaining('no directory') as string }),
      );
    }
    expect(readdirSync(base).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
