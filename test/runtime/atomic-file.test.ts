// Files that appear complete or not at all. In: places in all states, writers that fail and die. Out: the file, or what was there before;
// nothing else.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type NewFile,
  privateDirectory,
  requireWritable,
  temporaryName,
  writeDirectory,
  writeFiles,
  writeFully,
} from '../../runtime/atomic-file.js';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'tfc-atomic-')));
afterAll(() => rmSync(base, { recursive: true }));
const built = join(import.meta.dirname, '..', '..', 'dist', 'runtime', 'atomic-file.js');

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(base, 'one-'))));
const at = (name: string): string => join(directory, name);
const file = (path: string, content: string): NewFile => ({ path, write: (descriptor) => writeFully(descriptor, Buffer.from(content)) });
const write = (path: string, content: string): void => writeFiles([file(path, content)]);
const refusal = (why: string | RegExp): unknown =>
  expect.objectContaining({ code: 'file-not-written', message: expect.stringMatching(why) as string });
/** The number of a process that is no more. */
const gone = (): number => spawnSync('true').pid;
/** A name as another process gives them. */
const leftover = (path: string, pid: number): string => temporaryName(path).replace(`-${process.pid}-`, `-${pid}-`);

describe('a file', () => {
  it('is written, replaced, and keeps its mode; nothing else stays', () => {
    write(at('a'), 'one');
    expect(statSync(at('a')).mode & 0o777).toBe(0o666 & ~process.umask());
    chmodSync(at('a'), 0o640);
    write(at('a'), 'two');
    expect([readFileSync(at('a'), 'utf8'), statSync(at('a')).mode & 0o777]).toEqual(['two', 0o640]);
    writeFiles([{ ...file(at('private'), 'x'), mode: 0o600 }]);
    expect(statSync(at('private')).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['a', 'private']);
  });

  it('is as it was when writing fails, and so are those beside it', () => {
    for (const name of ['a', 'b']) write(at(name), 'old');
    const failing: NewFile = {
      path: at('b'),
      write: (descriptor) => {
        writeFully(descriptor, Buffer.from('half'));
        throw new Error('stop');
      },
    };
    expect(() => writeFiles([file(at('a'), 'new'), failing])).toThrow('stop');
    for (const name of ['a', 'b']) expect(readFileSync(at(name), 'utf8')).toBe('old');
    expect(readdirSync(directory)).toEqual(['a', 'b']);
  });

  it('is as it was when the system takes no more', () => {
    write(at('a'), 'old');
    const script = `import(${JSON.stringify(built)}).then(({ writeFiles, writeFully }) => writeFiles([{ path: 'a', write: (file) => writeFully(file, Buffer.alloc(65536)) }])).catch(({ code, message, hint }) => console.log(JSON.stringify({ code, message, hint })))`;
    const { stdout } = spawnSync('sh', ['-c', 'ulimit -f 8; exec "$0" -e "$1"', process.execPath, script], {
      cwd: directory,
      encoding: 'utf8',
    });
    expect(JSON.parse(stdout)).toEqual({
      code: 'file-not-written',
      message: 'a: files of that size are not allowed here',
      hint: expect.any(String) as string,
    });
    expect([readFileSync(at('a'), 'utf8'), readdirSync(directory)]).toEqual(['old', ['a']]);
  });

  it('goes where a link points to', () => {
    mkdirSync(at('far'));
    write(at('far/target'), 'old');
    symlinkSync('far/target', at('link'));
    write(at('link'), 'new');
    expect([lstatSync(at('link')).isSymbolicLink(), readFileSync(at('far/target'), 'utf8')]).toEqual([true, 'new']);
    expect([readdirSync(at('far')), readdirSync(directory)]).toEqual([['target'], ['far', 'link']]);
    symlinkSync('nowhere', at('dangling'));
    expect(() => write(at('dangling'), 'x')).toThrow(refusal('no such file'));
    symlinkSync('circle', at('circle'));
    expect(() => write(at('circle'), 'x')).toThrow(refusal('circle'));
  });

  it('never takes the place of what is no file', () => {
    execFileSync('mkfifo', [at('pipe')]);
    mkdirSync(at('folder'));
    symlinkSync('pipe', at('link'));
    for (const [path, what] of [
      [at('pipe'), 'a pipe'],
      [at('link'), 'a pipe'],
      [at('folder'), 'a directory'],
      ['/dev/null', 'a device'],
      ['/dev/full', 'a device'],
    ] as const) {
      expect(() => write(path, 'x'), path).toThrow(refusal(what));
      expect(() => requireWritable(path), path).toThrow(refusal(what));
    }
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(() => write(`${at('new')}/`, 'x')).toThrow(refusal('a directory'));
    expect(readdirSync(directory)).toEqual(['folder', 'link', 'pipe']);
  });

  it.each([[undefined], [''], ['a\0b'], [5], [{}]])('cannot be called %j', (path) => {
    expect(() => write(path as string, 'x')).toThrow(expect.objectContaining({ code: 'invalid-value' }));
  });

  it('says why its place cannot be written', () => {
    write(at('a'), 'x');
    for (const [path, why] of [
      [at('nowhere/a'), 'no such file'],
      [at('a/b'), 'no directory'],
      [at('x'.repeat(300)), 'too long'],
    ] as const) {
      expect(() => write(path, 'x'), path).toThrow(refusal(why));
      if (!path.includes('x'.repeat(300))) expect(() => requireWritable(path), path).toThrow(refusal(why));
    }
    // As long as a name may be, in characters of several bytes too.
    for (const name of ['n'.repeat(255), 'é'.repeat(127)]) write(at(name), 'x');
  });
});

describe('a signal', () => {
  const run = (body: string) => {
    const script = `import(${JSON.stringify(built)}).then(({ writeFiles, writeDirectory, writeFully }) => { ${body} });`;
    return spawnSync(process.execPath, ['-e', script], { cwd: directory, encoding: 'utf8' });
  };
  const saving = (signal: string): string =>
    `writeFiles([{ path: 'a', write: (file) => { writeFully(file, Buffer.alloc(5000)); process.kill(process.pid, '${signal}'); writeFully(file, Buffer.alloc(5000)); } }]); console.log('done')`;

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'])('%s ends the process, and what was half written goes with it', (signal) => {
    write(at('a'), 'old');
    expect(run(saving(signal))).toMatchObject({ signal, stdout: '', stderr: '' });
    expect([readdirSync(directory), readFileSync(at('a'), 'utf8')]).toEqual([['a'], 'old']);
    const dying = `const fs = require('node:fs'); const { fsyncSync } = fs; let left = 1; fs.fsyncSync = (file) => (left-- === 0 ? process.kill(process.pid, '${signal}') : fsyncSync(file)); require('node:module').syncBuiltinESMExports();`;
    expect(run(`${dying} writeDirectory('d', new Map([['x', Buffer.from('1')], ['y', Buffer.from('2')]]));`)).toMatchObject({ signal });
    expect(readdirSync(directory)).toEqual(['a']);
  });

  it('that somebody listens to disturbs nothing', () => {
    // On a busy machine all of a short wait may have gone by before anybody can be told.
    const heard =
      "const waiting = setTimeout(() => undefined, 30_000); process.on('SIGTERM', () => (console.log('heard'), clearTimeout(waiting)));";
    expect(run(`${heard} ${saving('SIGTERM')};`)).toMatchObject({ status: 0, stdout: 'done\nheard\n' });
    expect([readdirSync(directory), readFileSync(at('a')).length]).toEqual([['a'], 10_000]);
  });

  it('ends the process as ever once the file is there', () => {
    expect(
      run(
        `writeFiles([{ path: 'a', write: (file) => writeFully(file, Buffer.from('x')) }]); process.kill(process.pid, 'SIGINT'); for (;;);`,
      ),
    ).toMatchObject({ signal: 'SIGINT' });
    expect([readdirSync(directory), readFileSync(at('a'), 'utf8')]).toEqual([['a'], 'x']);
  });
});

describe('what was left', () => {
  it('goes with the next write to the same place, when its writer is gone', () => {
    const paths = [leftover(at('a'), gone()), leftover(at('a'), process.ppid), leftover(at('b'), gone()), at('.a.notes.part')];
    for (const path of paths) writeFileSync(path, 'half');
    write(at('a'), 'x');
    expect(paths.map(existsSync)).toEqual([false, true, true, true]);
  });

  it('goes after an hour when its writer is on another machine', () => {
    const [young, old] = ['1', '2'].map((name) =>
      at(basename(temporaryName(at('a'))).replace(/\.[0-9a-z]+-\d+-[0-9a-z]+\.part$/, `.elsewhere-1-${name}.part`)),
    ) as [string, string];
    for (const path of [young, old]) writeFileSync(path, 'half');
    const before = new Date(Date.now() - 2 * 3_600_000);
    utimesSync(old, before, before);
    write(at('a'), 'x');
    expect([existsSync(young), existsSync(old)]).toEqual([true, false]);
  });

  it('is never followed out of its directory', () => {
    mkdirSync(at('far'));
    write(at('far/kept'), 'x');
    symlinkSync('far', leftover(at('a'), gone()));
    write(at('a'), 'x');
    expect([readdirSync(directory), readdirSync(at('far'))]).toEqual([['a', 'far'], ['kept']]);
  });
});

describe('a directory', () => {
  it('appears with all of its files, closed as was asked', () => {
    writeDirectory(
      at('d'),
      new Map([
        ['a', Buffer.from('1')],
        ['b', Buffer.from('2')],
      ]),
      0o700,
    );
    expect([statSync(at('d')).mode & 0o777, statSync(at('d/a')).mode & 0o777, readdirSync(directory)]).toEqual([0o700, 0o600, ['d']]);
    expect(() => writeDirectory(at('d'), new Map([['c', Buffer.from('3')]]))).toThrow(expect.objectContaining({ code: 'ENOTEMPTY' }));
    expect(() => writeDirectory(at('e'), new Map([['x'.repeat(300), Buffer.from('')]]))).toThrow(
      expect.objectContaining({ code: 'ENAMETOOLONG' }),
    );
    expect([readdirSync(directory), readdirSync(at('d'))]).toEqual([['d'], ['a', 'b']]);
  });

  it('of this process alone is nobody else’s, and those of others that are gone are removed', () => {
    const [dead, alive] = [leftover(at('tfc'), gone()), leftover(at('tfc'), process.ppid)];
    for (const path of [dead, alive]) mkdirSync(path);
    const [one, two] = [privateDirectory(at('tfc')), privateDirectory(at('tfc'))];
    expect(one).not.toBe(two);
    expect([statSync(one).mode & 0o777, dirname(one), existsSync(dead), existsSync(alive)]).toEqual([0o700, directory, false, true]);
  });
});
