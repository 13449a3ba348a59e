// Opening artifacts: what is refused, and how.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TfcError, openModule } from '../../runtime/index.js';
import { readManifest } from '../../runtime/read-manifest.js';
import { compileFixture, manifest, scratch, thrown } from './fixture.js';

const directory = scratch();
const good = compileFixture(directory, 'good');
const codeOf = (body: () => unknown): string => {
  const error = thrown(body);
  expect(error).toBeInstanceOf(TfcError);
  return (error as TfcError).code;
};

describe('files that are no artifacts', () => {
  test('a missing file', () => expect(codeOf(() => openModule(join(directory, 'nowhere.so')))).toBe('file-not-found'));

  test('other files', () => {
    const text = join(directory, 'text.so');
    for (const content of ['', 'hello', '\x7fELF', '\x7fELF'.padEnd(4000, 'x')]) {
      writeFileSync(text, content, 'latin1');
      expect(codeOf(() => openModule(text))).toBe('bad-artifact');
    }
    expect(thrown(() => openModule(directory))).toMatchObject({ code: 'file-not-found', message: expect.stringContaining(join(directory, 'module.so')) });
  });

  test('a directory stands for the library in it', () => {
    const path = compileFixture(scratch(), 'module');
    using module = openModule(dirname(path));
    expect(module.path).toBe(path);
    expect(module.manifest.entries).toHaveLength(manifest.entries.length);
  });

  test('every truncation', () => {
    const bytes = readFileSync(good);
    const path = join(directory, 'short.so');
    // The loader needs the segments; what lies behind them is section tables and symbols that nobody loads.
    for (let length = 0; length < bytes.length * 0.6; length += 97) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(codeOf(() => openModule(path))).toBe('bad-artifact');
    }
  });

  test('a library without the table', () => {
    expect(codeOf(() => openModule(join(import.meta.dirname, '../../build/runtime.node')))).toBe('bad-artifact');
  });

  test('another version of the interface', () => {
    expect(thrown(() => openModule(compileFixture(directory, 'earlier', manifest, 1)))).toMatchObject({ code: 'bad-artifact', message: expect.stringContaining('version 1') });
  });
});

describe('manifests', () => {
  test('one that is not JSON, or of another version, or of another table', () => {
    expect(codeOf(() => openModule(compileFixture(directory, 'text', 'nonsense')))).toBe('bad-artifact');
    expect(codeOf(() => openModule(compileFixture(directory, 'abi', { ...manifest, abi: 2 })))).toBe('bad-artifact');
    const fewer = { ...manifest, variables: [], open: [], entries: manifest.entries.slice(0, 1) };
    expect(thrown(() => openModule(compileFixture(directory, 'fewer', fewer)))).toMatchObject({ message: expect.stringContaining('disagree') });
  });

  test('the place of a mistake is named', () => {
    const wrong = (changed: object): string => (thrown(() => readManifest('m', JSON.stringify({ ...manifest, ...changed }))) as Error).message;
    const [first, ...rest] = manifest.entries;
    expect(wrong({ entries: [{ ...first, result: { kind: 'output', index: 1 } }, ...rest] })).toContain('entries/0');
    expect(wrong({ entries: [{ ...first, reads: [4] }, ...rest] })).toContain('entries/0');
    expect(wrong({ entries: [{ ...first, dims: [] }, ...rest] })).toContain('entries/0');
    expect(wrong({ variables: [{ ...manifest.variables[0], initial: { kind: 'entry', entry: 0 } }] })).toContain('variables/0');
    expect(wrong({ open: [{ name: 'x' }] })).toContain('open/0');
  });

  test('any JSON is accepted or refused with bad-artifact', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(...Object.keys(manifest)), (json, key) => {
        try {
          readManifest('m', JSON.stringify({ ...manifest, [key]: JSON.parse(json) as unknown }));
        } catch (error) {
          if (!(error instanceof TfcError) || error.code !== 'bad-artifact') throw error;
        }
      }),
    );
  });
});
