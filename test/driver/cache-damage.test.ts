// A compile cache that was damaged, and one whose writers are killed. In: every kind of damage to every file; a writer that dies before any
// of its steps. Out: a miss, and after the next build a hit; never damaged bytes.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type ArtifactFiles, Cache } from '../../src/driver/build/cache.js';
import { compile, compileSync, type Module } from '../../src/driver/index.js';
import { loadNative } from '../../runtime/native.js';
import { root, workplace } from './tfc.js';

const hash = (bytes: Uint8Array): string => loadNative().hash(bytes);
const base = mkdtempSync(join(tmpdir(), 'tfc-damage-'));
afterAll(() => rmSync(base, { recursive: true }));

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(base, 'one-'))));

const request = (name = 'main') => {
  const path = join(directory, `${name}.tdsl`);
  if (!existsSync(path)) writeFileSync(path, name);
  return { path, options: '{}' };
};
const cacheOf = (): Cache => new Cache(join(directory, 'cache'), 'compiler 1');
const library = Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 251));
const files = (): ArtifactFiles =>
  new Map([
    ['module.json', Buffer.from('{"module":"main"}')],
    ['module.so', library],
  ]);
const store = (cache: Cache, name = 'main'): string => cache.store(request(name), [{ path: request(name).path, text: name }], files);
const isWhole = (place: string): boolean => [...files()].every(([name, content]) => readFileSync(join(place, name)).equals(content));

const damages: readonly (readonly [string, (path: string, other: string) => void])[] = [
  [
    'a flipped bit',
    (path) =>
      writeFileSync(
        path,
        Buffer.from(readFileSync(path)).map((byte, at) => (at === 9 ? byte ^ 1 : byte)),
      ),
  ],
  [
    'zeros at its end',
    (path) => {
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.fill(0, bytes.length >> 1));
    },
  ],
  ['a missing byte', (path) => truncateSync(path, readFileSync(path).length - 1)],
  ['nothing in it', (path) => truncateSync(path, 0)],
  ['one byte more', (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.of(0)]))],
  ['another name', (path) => renameSync(path, `${path}.bak`)],
  ['the content of another', (path, other) => cpSync(other, path)],
  [
    'a directory in its place',
    (path) => {
      rmSync(path);
      mkdirSync(path);
    },
  ],
  [
    'a pipe in its place',
    (path) => {
      rmSync(path);
      execFileSync('mkfifo', [path]);
    },
  ],
  [
    'a device in its place',
    (path) => {
      rmSync(path);
      symlinkSync('/dev/zero', path);
    },
  ],
  [
    'a link in its place',
    (path) => {
      rmSync(path);
      symlinkSync('/dev/null', path);
    },
  ],
];

describe('a damaged artifact', () => {
  it.each(['module.so', 'module.json', 'contents.json'].flatMap((name) => damages.map(([what, damage]) => [name, what, damage] as const)))(
    'whose %s has %s is built again',
    (name, _, damage) => {
      const cache = cacheOf();
      const place = store(cache);
      const other = cache.store(
        { ...request('other'), options: 'other' },
        [],
        () =>
          new Map([
            ['module.json', Buffer.from('{"module":"other"}')],
            ['module.so', Buffer.from(library).reverse()],
          ]),
      );
      damage(join(place, name), join(other, name));
      expect(cache.find(request())).toBeUndefined();
      expect(store(cache)).toBe(place);
      expect([cache.find(request())?.directory, isWhole(place)]).toEqual([place, true]);
      expect(readdirSync(join(cache.directory, 'artifacts'))).toHaveLength(2);
    },
  );

  it('that is another one as a whole is built again, and so is one that is a file or gone', () => {
    const cache = cacheOf();
    const [place, other] = [
      store(cache),
      cache.store({ ...request('other'), options: 'other' }, [], () => new Map([['module.so', Buffer.from('other')]])),
    ];
    for (const damage of [() => cpSync(other, place, { recursive: true }), () => writeFileSync(place, ''), () => undefined]) {
      rmSync(place, { recursive: true });
      damage();
      expect(cache.find(request())).toBeUndefined();
      expect([store(cache), isWhole(place)]).toEqual([place, true]);
    }
  });

  it('is not looked for when a source has become what cannot be read to its end', () => {
    const cache = cacheOf();
    store(cache);
    const { path } = request();
    for (const become of [() => execFileSync('mkfifo', [path]), () => symlinkSync('/dev/zero', path), () => mkdirSync(path)]) {
      rmSync(path, { recursive: true });
      become();
      expect(cache.find({ path, options: '{}' })).toBeUndefined();
    }
  });

  it('that cannot be opened although nothing changed it is forgotten', () => {
    const cache = cacheOf();
    const place = store(cache);
    cache.forget(place);
    expect([cache.find(request())?.directory, existsSync(place)]).toEqual([undefined, false]);
    mkdirSync(join(directory, 'mine'));
    cache.forget(join(directory, 'mine'));
    expect(existsSync(join(directory, 'mine'))).toBe(true);
  });
});

describe('hashes of contents', () => {
  it('see every change of a byte, a length or an order', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(
        bytes,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (content, at, change) =>
          hash(content) !== hash(content.map((byte, index) => (index === at % content.length ? byte ^ change : byte))),
      ),
    );
    fc.assert(
      fc.property(bytes, (content) => hash(content) !== hash(Uint8Array.of(...content, 0)) && hash(content) !== hash(content.subarray(1))),
    );
    fc.assert(
      fc.property(
        bytes,
        bytes,
        (one, two) =>
          Buffer.compare(one, two) === 0 ||
          hash(Uint8Array.of(...one, ...two)) !== hash(Uint8Array.of(...two, ...one)) ||
          Buffer.concat([one, two]).equals(Buffer.concat([two, one])),
      ),
    );
  });

  it('are the same on every machine and wherever the bytes lie', () => {
    expect(['', 'a', 'abcd', 'abcde'].map((text) => hash(Buffer.from(text)))).toEqual([
      'ef46db3751d8e999',
      'd24ec4f1a98c6e5b',
      'de0327b0d25d92cc',
      '07e3670c0c8dc7eb',
    ]);
    for (const from of [0, 1, 2, 3])
      expect(hash(new Uint8Array(Buffer.concat([Buffer.alloc(from), library])).subarray(from))).toBe(hash(library));
  });
});

describe('a writer that is killed', () => {
  // Before its nth call of the file system it kills itself, as `kill -9` would.
  const script = (at: number): string => `
    const fs = require('node:fs');
    let left = ${at};
    for (const name of ['openSync', 'writeSync', 'fsyncSync', 'closeSync', 'renameSync', 'mkdirSync', 'rmSync', 'writeFileSync', 'utimesSync']) {
      const real = fs[name];
      fs[name] = (...args) => (left-- === 0 ? process.kill(process.pid, 'SIGKILL') : real(...args));
    }
    require('node:module').syncBuiltinESMExports();
    import(${JSON.stringify(join(root, 'dist', 'src', 'driver', 'build', 'cache.js'))}).then(({ Cache }) => {
      const path = ${JSON.stringify(request().path)};
      const library = Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 251));
      new Cache(${JSON.stringify(join(directory, 'cache'))}, 'compiler 1').store({ path, options: '{}' }, [{ path, text: 'main' }], () => new Map([['module.json', Buffer.from('{"module":"main"}')], ['module.so', library]]));
    });`;

  it.each([
    ['an empty cache', false],
    ['a damaged artifact', true],
  ])(
    'leaves the cache whole at every step of writing to %s',
    (_, damaged) => {
      let finished = false;
      for (let at = 0; !finished; at += 3) {
        rmSync(join(directory, 'cache'), { recursive: true, force: true });
        const cache = cacheOf();
        if (damaged) truncateSync(join(store(cache), 'module.so'), 100);
        const { signal, status, stderr } = spawnSync(process.execPath, ['-e', script(at)], { encoding: 'utf8' });
        finished = status === 0;
        expect([finished ? status : signal, stderr], `before call ${at}`).toEqual([finished ? 0 : 'SIGKILL', '']);
        const found = cache.find(request())?.directory;
        if (finished) expect(found).toBeDefined();
        if (found !== undefined) expect(isWhole(found), `before call ${at}`).toBe(true);
        const place = store(cache);
        expect([cache.find(request())?.directory, isWhole(place)], `before call ${at}`).toEqual([place, true]);
        for (const folder of ['artifacts', 'index'])
          expect(readdirSync(join(cache.directory, folder)), `before call ${at}`).toHaveLength(1);
      }
    },
    120_000,
  );
});

describe('the API', () => {
  const place = workplace();

  it('builds again what lies in the cache as it was written and is no library', async () => {
    const path = join(place.directory, place.file('four.tdsl', 'export fn f(x: f32): f32 = x * 4\n'));
    const before = process.env['TFC_CACHE'];
    process.env['TFC_CACHE'] = place.cache;
    try {
      for (const compiled of [(): Module => compileSync(path), (): Promise<Module> => compile(path)]) {
        const { path: made } = await compiled();
        const junk = Buffer.from('no library');
        writeFileSync(made, junk);
        const contents = join(made, '..', 'contents.json');
        const record = JSON.parse(readFileSync(contents, 'utf8')) as { readonly files: readonly { readonly name: string }[] };
        writeFileSync(
          contents,
          JSON.stringify({
            ...record,
            files: record.files.map((one) => (one.name === 'module.so' ? { ...one, bytes: junk.length, hash: hash(junk) } : one)),
          }),
        );
        using model = await compiled();
        using session = model.session();
        expect(session.run('f', { x: 2 })).toBe(8);
      }
    } finally {
      if (before === undefined) delete process.env['TFC_CACHE'];
      else process.env['TFC_CACHE'] = before;
    }
  });
});

describe('the command', () => {
  const place = workplace();

  it('gives right results from a cache whose library lost its tail, and from one with another program’s', () => {
    place.file('two.tdsl', 'export fn f(x: f32): f32 = x * 2\n');
    place.file('three.tdsl', 'export fn f(x: f32): f32 = x * 3\n');
    const run = (name: string): string => place.tfc('run', name, 'f', '--feed', 'x=5').out;
    expect([run('two.tdsl'), run('three.tdsl')]).toEqual(['10\n', '15\n']);
    const libraries = readdirSync(join(place.cache, 'artifacts')).map((name) => join(place.cache, 'artifacts', name, 'module.so'));
    const [one, other] = libraries.map((path) => readFileSync(path)) as [Buffer, Buffer];
    writeFileSync(libraries[0] as string, one.fill(0, one.length >> 1));
    expect([run('two.tdsl'), run('three.tdsl')]).toEqual(['10\n', '15\n']);
    writeFileSync(libraries[0] as string, other);
    expect([run('two.tdsl'), run('three.tdsl')]).toEqual(['10\n', '15\n']);
  });
});
