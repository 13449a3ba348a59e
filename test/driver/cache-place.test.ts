// Who may keep compiled programs where. In: directories of all owners and modes, environments of all kinds. Out: a cache that only this
// user writes to, or a warning and one of the process's own.

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { cacheDirectory, cachePlace } from '../../src/driver/build/cache-place.js';
import { jsonError, workplace } from './tfc.js';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'tfc-place-')));
afterAll(() => rmSync(base, { recursive: true }));

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(base, 'one-'))));
const modeOf = (path: string): number => statSync(path).mode & 0o777;
const refused = (why: string): unknown => ({ refused: expect.stringContaining(why) as string });

describe('the directory', () => {
  it('is the first that the environment names in a valid way', () => {
    const home = process.env['HOME'];
    try {
      process.env['HOME'] = '/somewhere';
      expect(cacheDirectory({ TFC_CACHE: '/c', XDG_CACHE_HOME: '/x' })).toBe('/c');
      expect(cacheDirectory({ TFC_CACHE: 'c' })).toBe(join(process.cwd(), 'c'));
      expect(cacheDirectory({ TFC_CACHE: '', XDG_CACHE_HOME: '/x' })).toBe('/x/tfc');
      for (const XDG_CACHE_HOME of ['', 'x', './x', undefined]) expect(cacheDirectory({ XDG_CACHE_HOME })).toBe('/somewhere/.cache/tfc');
      for (const bad of ['', 'relative']) {
        process.env['HOME'] = bad;
        expect(cacheDirectory({})).toBe(join(userInfo().homedir, '.cache', 'tfc'));
      }
      delete process.env['HOME'];
      expect(cacheDirectory({})).toBe(join(homedir(), '.cache', 'tfc'));
    } finally {
      if (home !== undefined) process.env['HOME'] = home;
    }
  });

  it('is made closed to others, with all above it', () => {
    const place = join(directory, 'a', 'b', 'tfc');
    expect(cachePlace(place)).toEqual({ directory: place });
    for (const path of [join(directory, 'a'), dirname(place), place, join(place, 'index'), join(place, 'artifacts')])
      expect(modeOf(path), path).toBe(0o700);
  });

  it('is closed where others could read, and not used where they could write', () => {
    const place = join(directory, 'tfc');
    cachePlace(place);
    for (const folder of ['index', 'artifacts']) {
      chmodSync(join(place, folder), 0o755);
      expect(cachePlace(place)).toEqual({ directory: place });
      expect(modeOf(join(place, folder))).toBe(0o700);
      for (const mode of [0o770, 0o702, 0o777, 0o1777]) {
        chmodSync(join(place, folder), mode);
        expect(cachePlace(place)).toEqual(refused(`others may write to ${join(place, folder)}`));
      }
      chmodSync(join(place, folder), 0o700);
    }
    chmodSync(place, 0o777);
    expect(cachePlace(place)).toEqual(refused(`others may write to ${place}`));
    chmodSync(place, 0o755);
    chmodSync(directory, 0o777);
    expect(cachePlace(place)).toEqual(refused('can be written by everybody'));
    // As /tmp: only who made something there may rename it.
    chmodSync(directory, 0o1777);
    expect(cachePlace(place)).toEqual({ directory: place });
  });

  it('is not used when it is another user’s, by whatever name', () => {
    const [place, link] = [join(directory, 'tfc'), join(directory, 'link')];
    cachePlace(place);
    symlinkSync('tfc', link);
    expect(cachePlace(link)).toEqual({ directory: place });
    const stranger = (process.geteuid?.() ?? 0) + 12345;
    for (const path of [place, link]) expect(cachePlace(path, stranger)).toEqual(refused('belongs to another user'));
    // The folders count as well.
    rmSync(join(place, 'index'), { recursive: true });
    symlinkSync(directory, join(place, 'index'));
    expect(cachePlace(place)).toEqual(refused('is no directory'));
  });

  it.each([
    ['a file', 'file'],
    ['below a file', 'file/tfc'],
    ['a link to nothing', 'dangling'],
    ['a name that is too long', 'x'.repeat(300)],
  ])('is not used when it is %s', (_, name) => {
    writeFileSync(join(directory, 'file'), '');
    symlinkSync('nowhere/at/all', join(directory, 'dangling'));
    expect(cachePlace(join(directory, name))).toHaveProperty('refused');
  });

  it('is missed by a user without a home', () => {
    expect(cachePlace(undefined)).toEqual(refused('no home directory'));
  });
});

describe('the command', () => {
  const place = workplace();
  const file = place.file('square.tdsl', 'export fn square(x: f32): f32 = x * x\n');
  const run = (environment: NodeJS.ProcessEnv) => place.tfcWith(environment, 'run', file, 'square', '--feed', 'x=3');

  it('works without a cache, says so once, and leaves nothing behind', () => {
    const scratch = join(place.directory, 'scratch');
    mkdirSync(scratch);
    mkdirSync(join(place.directory, 'open'));
    chmodSync(join(place.directory, 'open'), 0o777);
    for (const TFC_CACHE of ['open', file, `${file}/below`]) {
      expect(run({ TFC_CACHE, TMPDIR: scratch })).toEqual({
        status: 0,
        out: '9\n',
        err: expect.stringMatching(/^warning: the compile cache cannot be used.*\n$/) as string,
      });
      expect(readdirSync(scratch)).toEqual([]);
    }
    expect(readdirSync(join(place.directory, 'open'))).toEqual([]);
    expect(run({ TFC_CACHE: file, TMPDIR: '/nowhere' })).toMatchObject({ status: 0, out: '9\n' });
  });

  it('goes on beside a cache that takes nothing more', () => {
    // Nothing can be made below a file that lies where the artifact shall be written.
    const outcome = place.tfcWith(
      {
        NODE_OPTIONS: `--require ${join(place.directory, place.file('full.cjs', "const fs = require('node:fs'); const { mkdirSync } = fs; fs.mkdirSync = (path, ...rest) => { if (/full-cache.artifacts..*part$/.test(path)) throw Object.assign(new Error('ENOSPC: no space left on device, mkdir'), { code: 'ENOSPC', syscall: 'mkdir' }); return mkdirSync(path, ...rest); }; require('node:module').syncBuiltinESMExports();\n"))}`,
        TFC_CACHE: join(place.directory, 'full-cache'),
      },
      'run',
      file,
      'square',
      '--feed',
      'x=3',
    );
    expect(outcome).toEqual({ status: 0, out: '9\n', err: expect.stringMatching(/^warning: .*no space left\n$/) as string });
  });

  it('keeps nothing in the working directory and no source where others may read it', () => {
    const before = readdirSync(place.directory);
    expect(run({ HOME: place.cache, TFC_CACHE: '', XDG_CACHE_HOME: 'relative' })).toMatchObject({ status: 0, err: '' });
    expect(readdirSync(place.directory)).toEqual(before);
    const cache = join(place.cache, '.cache', 'tfc');
    for (const folder of ['index', 'artifacts']) {
      for (const name of readdirSync(join(cache, folder), { recursive: true }) as string[])
        expect(modeOf(join(cache, folder, name)) & 0o077, name).toBe(0);
    }
  });

  it('builds into a directory without any other one', () => {
    expect(place.tfcWith({ TMPDIR: '/nowhere', HOME: '', TFC_CACHE: '/nowhere/cache' }, 'compile', file, '-o', 'out')).toMatchObject({
      status: 0,
      err: '',
    });
    expect(readdirSync(join(place.directory, 'out')).sort()).toEqual(['module.h', 'module.json', 'module.so', 'tfc.h']);
    expect(jsonError(place.tfc('compile', file, '-o', file, '--json'))).toMatchObject({
      code: 'file-not-written',
      hint: expect.any(String) as string,
    });
  });
});
