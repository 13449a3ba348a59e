// Files that appear complete or not at all. In: directories in all states. Out: the files, or what was there before.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { publish, publishFile } from '../../src/driver/publish.js';

const base = mkdtempSync(join(tmpdir(), 'tfc-publish-'));
afterAll(() => rmSync(base, { recursive: true }));
const fill = (content: string) => (scratch: string) => writeFileSync(join(scratch, 'module.so'), content);

describe('publish', () => {
  it('makes directories, replaces its own files and leaves others', () => {
    const directory = join(base, 'a', 'b');
    publish(directory, fill('one'));
    writeFileSync(join(directory, 'notes.txt'), 'mine');
    publish(directory, fill('two'));
    expect(readdirSync(directory).sort()).toEqual(['module.so', 'notes.txt']);
    expect(readFileSync(join(directory, 'module.so'), 'utf8')).toBe('two');
  });

  it('leaves no directory behind a failure, and no file changed', () => {
    const failing = (scratch: string): never => {
      fill('half')(scratch);
      throw new Error('stop');
    };
    expect(() => publish(join(base, 'c', 'd'), failing)).toThrow('stop');
    expect(existsSync(join(base, 'c'))).toBe(false);
    mkdirSync(join(base, 'e'));
    writeFileSync(join(base, 'e', 'module.so'), 'old');
    expect(() => publish(join(base, 'e'), failing)).toThrow('stop');
    expect(readdirSync(join(base, 'e'))).toEqual(['module.so']);
    expect(readFileSync(join(base, 'e', 'module.so'), 'utf8')).toBe('old');
  });

  it('says why a place cannot be written', () => {
    writeFileSync(join(base, 'file'), '');
    expect(() => publish(join(base, 'file'), fill('x'))).toThrow(/^file-not-written: .*no directory/);
    expect(() => publish(join(base, 'file', 'below'), fill('x'))).toThrow(/^file-not-written: .*no directory/);
    expect(() => publishFile(join(base, 'nowhere', 'out.dot'), 'x')).toThrow(/^file-not-written: .*no such file or directory/);
    mkdirSync(join(base, 'out.dot'));
    expect(() => publishFile(join(base, 'out.dot'), 'x')).toThrow(/^file-not-written: /);
    expect(readdirSync(base).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
