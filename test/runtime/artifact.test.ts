// Opening artifacts: what is refused, and how.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { abiVersion } from '../../runtime/abi/manifest.js';
import { featuresOf } from '../../runtime/abi/processor.js';
import { TfcError, openModule, toJson } from '../../runtime/index.js';
import { loadNative } from '../../runtime/native.js';
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
    expect(thrown(() => openModule(directory))).toMatchObject({
      code: 'file-not-found',
      message: expect.stringContaining(join(directory, 'module.so')),
    });
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
    for (let length = 0; length < bytes.length; length += 97) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(codeOf(() => openModule(path))).toBe('bad-artifact');
    }
  });

  test('every damage: a byte that is another, a tail of zeros, something behind it', () => {
    const bytes = readFileSync(good);
    const path = join(directory, 'damaged.so');
    const refused = (damaged: Uint8Array): void => {
      writeFileSync(path, damaged);
      expect(codeOf(() => openModule(path))).toBe('bad-artifact');
    };
    for (let at = 0; at < bytes.length; at += 61)
      refused(Buffer.concat([bytes.subarray(0, at), Buffer.of((bytes[at] as number) ^ (1 << (at % 8))), bytes.subarray(at + 1)]));
    for (const length of [8, 24, 100, 4096]) refused(Buffer.concat([bytes.subarray(0, -length), Buffer.alloc(length)]));
    refused(Buffer.concat([bytes, Buffer.of(0)]));
    refused(bytes.subarray(0, -24));
    writeFileSync(path, bytes);
    openModule(path).close();
  });

  test('what is opened is what the file held then, whatever becomes of it', () => {
    const own = scratch();
    const path = compileFixture(own, 'module');
    using first = openModule(path);
    using old = first.session();
    expect(old.run('scale', { x: [[1, 2, 3]], factor: 2 })).toMatchObject({ shape: [1, 3] });
    // Another library under the same name, in the same file and in a new one.
    const changed = readFileSync(compileFixture(own, 'other', { ...manifest, module: 'other.tdsl' }));
    writeFileSync(path, changed);
    using second = openModule(path);
    expect(second.manifest.module).toBe('other.tdsl');
    rmSync(path);
    writeFileSync(path, changed.subarray(0, 100));
    expect(toJson(old.run('scale', { x: [[1, 2, 3]], factor: 3 }))).toEqual([[3, 6, 9]]);
    using again = second.session();
    expect(toJson(again.run('scale', { x: [[1, 2, 3]], factor: 4 }))).toEqual([[4, 8, 12]]);
  });

  test('pipes, devices and directories', () => {
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, '/dev/zero', '/dev/null', directory, '/proc/self/mem'])
      expect(codeOf(() => openModule(path))).toMatch(/^(bad-artifact|file-not-found)$/);
  });

  test('another processor: what it lacks is named', () => {
    const target = (features: readonly string[]): object => ({ ...manifest, target: { ...manifest.target, cpu: 'another', features } });
    const lacking = ['avx512f', 'xop', 'fma4', 'tbm', 'sse4a', 'avxvnniint16'].filter(
      (feature) => !featuresOf(loadNative().processor()).includes(feature),
    );
    expect(lacking.length).toBeGreaterThan(0);
    expect(thrown(() => openModule(compileFixture(directory, 'foreign', target(lacking))))).toMatchObject({
      code: 'unsupported-processor',
      message: expect.stringContaining(`lacks ${lacking.join(', ')}`),
    });
    openModule(compileFixture(directory, 'own', target(featuresOf(loadNative().processor())))).close();
  });

  test('a library without the table', () => {
    expect(codeOf(() => openModule(join(import.meta.dirname, '../../build/runtime.node')))).toBe('bad-artifact');
  });

  test('another version of the interface', () => {
    expect(readFileSync(join(import.meta.dirname, '../../runtime/abi/tfc.h'), 'utf8')).toContain(`#define TFC_ABI_VERSION ${abiVersion}\n`);
    expect(thrown(() => openModule(compileFixture(directory, 'earlier', manifest, 1)))).toMatchObject({
      code: 'bad-artifact',
      message: expect.stringContaining('version 1'),
    });
  });
});

describe('manifests', () => {
  test('one that is not JSON, or of another version, or of another table', () => {
    expect(codeOf(() => openModule(compileFixture(directory, 'text', 'nonsense')))).toBe('bad-artifact');
    expect(codeOf(() => openModule(compileFixture(directory, 'abi', { ...manifest, abi: 2 })))).toBe('bad-artifact');
    const fewer = { ...manifest, variables: [], open: [], entries: manifest.entries.slice(0, 1) };
    expect(thrown(() => openModule(compileFixture(directory, 'fewer', fewer)))).toMatchObject({
      message: expect.stringContaining('disagree'),
    });
  });

  test('the place of a mistake is named', () => {
    const wrong = (changed: object): string =>
      (thrown(() => readManifest('m', JSON.stringify({ ...manifest, ...changed }))) as Error).message;
    const [first, ...rest] = manifest.entries;
    expect(wrong({ entries: [{ ...first, result: { kind: 'output', index: 1 } }, ...rest] })).toContain('entries/0');
    expect(wrong({ entries: [{ ...first, reads: [4] }, ...rest] })).toContain('entries/0');
    expect(wrong({ entries: [{ ...first, dims: [] }, ...rest] })).toContain('entries/0');
    expect(wrong({ variables: [{ ...manifest.variables[0], initial: { kind: 'entry', entry: 0 } }] })).toContain('variables/0');
    expect(wrong({ open: [{ name: 'x' }] })).toContain('open/0');
    const [variable] = manifest.variables;
    expect(wrong({ entries: [{ ...first, facts: [{ left: [[1, ['Nowhere']]], relation: '==', right: 1 }] }, ...rest] })).toContain(
      'entries/0',
    );
    expect(wrong({ entries: [...manifest.entries, first] })).toContain('entries: two have one name');
    expect(wrong({ variables: [...manifest.variables, variable] })).toContain('variables: two have one path');
    expect(wrong({ variables: [{ ...variable, shape: [2 ** 30, 2 ** 30], initial: { kind: 'none' } }] })).toContain('variables/0');
    expect((thrown(() => readManifest('m', `{"abi":${'['.repeat(1e6)}`)) as TfcError).code).toBe('bad-artifact');
    let result: unknown = { kind: 'output', index: 0 };
    for (let depth = 0; depth < 1000; depth += 1) result = { kind: 'tuple', items: [result] };
    expect((thrown(() => readManifest('m', JSON.stringify({ ...manifest, entries: [{ ...first, result }] }))) as TfcError).code).toBe(
      'bad-artifact',
    );
    expect((thrown(() => readManifest('m', JSON.stringify(manifest).replace('{', '{"abi":0,'))) as TfcError).code).toBe('bad-artifact');
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
