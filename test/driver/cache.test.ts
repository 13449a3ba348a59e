// The compile cache. In: builds that write a text. Out: the directory of the same build, as long as nothing that it read has changed.

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type ArtifactFiles, Cache } from '../../src/driver/build/cache.js';
import { optionsKey } from '../../src/driver/build/request.js';
import { cli, workplace } from './tfc.js';

const base = mkdtempSync(join(tmpdir(), 'tfc-cache-'));
afterAll(() => rmSync(base, { recursive: true }));

let directory: string;
let main: string;
let imported: string;
beforeEach(() => {
  directory = mkdtempSync(join(base, 'one-'));
  [main, imported] = [join(directory, 'main.tdsl'), join(directory, 'part.tdsl')];
  writeFileSync(main, 'main');
  writeFileSync(imported, 'part');
});

const cacheOf = (compiler = 'compiler 1'): Cache => new Cache(join(directory, 'cache'), compiler);
const stamps = () => [main, imported].map((path) => ({ path, text: readFileSync(path, 'utf8') }));
const request = () => ({ path: main, options: '{}' });
const fill = (content: string) => (): ArtifactFiles =>
  new Map([
    ['module.json', Buffer.from('{}')],
    ['module.so', Buffer.from(content)],
  ]);
const library = (place: string | undefined): string | undefined =>
  place === undefined ? undefined : readFileSync(join(place, 'module.so'), 'utf8');

describe('cache', () => {
  it('finds what was stored, by content', () => {
    const cache = cacheOf();
    expect(cache.find(request())).toBeUndefined();
    const place = cache.store(request(), stamps(), fill('built'));
    expect(cache.find(request())?.directory).toBe(place);
    expect(cache.store(request(), stamps(), () => expect.unreachable('it is there already'))).toBe(place);
    expect(cache.find({ ...request(), options: '{"cpu":"other"}' })).toBeUndefined();
    expect(cacheOf('compiler 2').find(request())).toBeUndefined();
  });

  it('misses when an imported file changes or goes away, and finds it again when it is back', () => {
    const cache = cacheOf();
    const place = cache.store(request(), stamps(), fill('built'));
    writeFileSync(imported, 'changed');
    expect(cache.find(request())).toBeUndefined();
    rmSync(imported);
    expect(cache.find(request())).toBeUndefined();
    writeFileSync(imported, 'part');
    expect(cache.find(request())?.directory).toBe(place);
  });

  it('shares an artifact between places, but not between names that it repeats', () => {
    const cache = cacheOf();
    const place = cache.store(request(), stamps(), fill('built'));
    mkdirSync(join(directory, 'copy'));
    const copy = join(directory, 'copy', 'main.tdsl');
    expect(cache.store({ ...request(), path: copy }, stamps(), () => expect.unreachable('same content'))).toBe(place);
    expect(cache.store({ ...request(), path: join(directory, 'other.tdsl') }, stamps(), fill('other'))).not.toBe(place);
  });

  it('takes a damaged index or artifact for a miss, and repairs it', () => {
    const cache = cacheOf();
    const place = cache.store(request(), stamps(), fill('built'));
    const [index] = readdirSync(join(cache.directory, 'index'));
    for (const content of [
      '',
      '{',
      'null',
      '{"files":[],"entry":"../../../etc"}',
      '{"files":{},"entry":3}',
      `{"request":["compiler 1","elsewhere","{}"],"files":[],"entry":"${basename(place)}"}`,
    ]) {
      writeFileSync(join(cache.directory, 'index', index as string), content);
      expect(cache.find(request()), content).toBeUndefined();
    }
    cache.store(request(), stamps(), fill('built'));
    const whole = readFileSync(join(cache.directory, 'index', index as string));
    expect(cache.find(request())).toBeDefined();
    for (let at = 0; at < whole.length; at += 1) {
      const other = Buffer.from(whole);
      other[at] = (other[at] as number) ^ (1 << (at % 8));
      writeFileSync(join(cache.directory, 'index', index as string), other);
      expect(cache.find(request()), other.toString()).toBeUndefined();
    }
    rmSync(join(place, 'module.so'));
    expect(library(cache.store(request(), stamps(), fill('again')))).toBe('again');
    expect(library(cache.find(request())?.directory)).toBe('again');
  });

  it('keeps nothing of a build that failed', () => {
    const cache = cacheOf();
    const failing = (): never => {
      throw new Error('no space in this test');
    };
    expect(() => cache.store(request(), stamps(), failing)).toThrow('no space in this test');
    expect(cache.find(request())).toBeUndefined();
    expect(existsSync(join(cache.directory, 'artifacts'))).toBe(false);
  });

  it('leaves one complete artifact when another writer was faster', () => {
    const cache = cacheOf();
    const place = cache.store(request(), stamps(), () => {
      cacheOf().store(request(), stamps(), fill('faster'));
      return fill('slower')();
    });
    expect(library(place)).toBe('faster');
    expect(readdirSync(join(cache.directory, 'artifacts'))).toHaveLength(1);
    expect(readdirSync(join(cache.directory, 'index'))).toHaveLength(1);
  });

  it('forgets what nobody used for a month, and what is used stays', () => {
    const cache = cacheOf();
    const other = { ...request(), options: 'other' };
    const [old, used] = [cache.store(request(), stamps(), fill('old')), cache.store(other, stamps(), fill('used'))];
    const longAgo = new Date(Date.now() - 40 * 24 * 3600 * 1000);
    for (const folder of ['artifacts', 'index'])
      for (const name of readdirSync(join(cache.directory, folder))) utimesSync(join(cache.directory, folder, name), longAgo, longAgo);
    expect(cache.find(other)?.directory).toBe(used);
    const third = { ...request(), options: 'third' };
    cache.store(third, stamps(), fill('looked for today already'));
    expect(readdirSync(join(cache.directory, 'artifacts'))).toHaveLength(3);
    utimesSync(join(cache.directory, 'pruned'), longAgo, longAgo);
    cache.store(third, stamps(), () => expect.unreachable('it is there already'));
    expect(existsSync(old)).toBe(false);
    expect(cache.find(request())).toBeUndefined();
    expect(library(cache.find(other)?.directory)).toBe('used');
    expect(readdirSync(join(cache.directory, 'index'))).toHaveLength(2);
  });

  it('says that its directory is a file', () => {
    writeFileSync(join(directory, 'cache'), 'in the way');
    expect(() => cacheOf().store(request(), stamps(), fill('built'))).toThrow(/^the compile cache .*no directory/);
  });

  it('serves every rank, size and processor its own artifact', () => {
    const plain = { path: 'm.tdsl', set: {}, cpu: 'native' };
    const keys = [
      plain,
      { ...plain, set: { N: 2 } },
      { ...plain, cpu: 'x86-64' },
      { ...plain, open: { entry: 'f', ranks: { S: 1 } } },
      { ...plain, open: { entry: 'f', ranks: { S: 2 } } },
    ].map(optionsKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(optionsKey({ ...plain, set: { A: 1, B: 2 } })).toBe(optionsKey({ ...plain, set: { B: 2, A: 1 } }));
  });
});

describe('cache of the compiler', () => {
  const place = workplace();

  it('survives processes that compile the same program at once', async () => {
    const file = place.file('square.tdsl', 'export fn square(x: f32): f32 = x * x\n');
    const run = (): Promise<{ stdout: string }> =>
      promisify(execFile)(process.execPath, [cli, 'run', file, 'square', '--feed', 'x=3'], {
        cwd: place.directory,
        env: { ...process.env, TFC_CACHE: place.cache },
      });
    for (const { stdout } of await Promise.all([run(), run(), run()])) expect(stdout).toBe('9\n');
    expect(readdirSync(join(place.cache, 'artifacts'))).toHaveLength(1);
  });

  it('builds again when an imported file changes', () => {
    place.file('factor.tdsl', 'const factor = 2\n');
    const file = place.file('scaled.tdsl', 'import { factor } from "./factor.tdsl"\nexport fn scaled(x: f32): f32 = factor * x\n');
    expect(place.tfc('run', file, 'scaled', '--feed', 'x=5').out).toBe('10\n');
    expect(place.tfc('run', file, 'scaled', '--feed', 'x=5').out).toBe('10\n');
    place.file('factor.tdsl', 'const factor = 3\n');
    expect(place.tfc('run', file, 'scaled', '--feed', 'x=5').out).toBe('15\n');
  });
});
