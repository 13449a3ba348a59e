// `tfc fmt` as users meet it: what is written, what stays, what is refused.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli, jsonError, jsonLines, workplace } from './tfc.js';

const { directory, file, tfc } = workplace();

const untidy = `// about it
export fn f( x:f32 ) : f32=x+1 // why


/* kept */ export fn g(x: f32): f32 = f(x)*2`;
const tidy = `// about it
export fn f(x: f32): f32 = x + 1 // why

/* kept */
export fn g(x: f32): f32 = f(x) * 2
`;

const content = (name: string): string => readFileSync(join(directory, name), 'utf8');

describe('tfc fmt', () => {
  it('writes the canonical form once, and keeps comments and modes', () => {
    file('a.tdsl', untidy);
    chmodSync(join(directory, 'a.tdsl'), 0o600);
    expect(tfc('fmt', 'a.tdsl')).toMatchObject({ status: 0, out: 'a.tdsl: written\n' });
    expect(content('a.tdsl')).toBe(tidy);
    expect(statSync(join(directory, 'a.tdsl')).mode & 0o777).toBe(0o600);
    expect(tfc('fmt', 'a.tdsl')).toMatchObject({ status: 0, out: 'a.tdsl: as it was\n' });
    expect(jsonLines(tfc('fmt', 'a.tdsl', '--json'))).toEqual([{ files: [{ path: 'a.tdsl', changed: false }] }]);
  });

  it('checks without writing', () => {
    file('b.tdsl', untidy);
    const { status, err } = tfc('fmt', '--check', 'a.tdsl', 'b.tdsl');
    expect(status).toBe(1);
    expect(err).toContain('error[not-formatted]: b.tdsl');
    expect(err).not.toContain('a.tdsl');
    expect(content('b.tdsl')).toBe(untidy);
    expect(jsonError(tfc('fmt', '--check', 'b.tdsl', '--json'))).toMatchObject({ code: 'not-formatted' });
  });

  it('finds programs below the working directory, and leaves those with mistakes as they are', () => {
    mkdirSync(join(directory, 'models', 'node_modules'), { recursive: true });
    file('models/c.tdsl', untidy);
    file('models/node_modules/d.tdsl', untidy);
    file('models/broken.tdsl', 'export fn f(x: f32): f32 = x +\n');
    const { status, err } = tfc('fmt');
    expect(status).toBe(1);
    expect(err).toContain('error[syntax-error]');
    expect(content('models/broken.tdsl')).toBe('export fn f(x: f32): f32 = x +\n');
    expect(content('models/c.tdsl')).toBe(tidy);
    expect(content('models/node_modules/d.tdsl')).toBe(untidy);
  });

  it('says of what it could not read again what to do, and leaves it', () => {
    const [open, close] = ['fold i in 0..3 with z = 0.0 { z + ', ' }'];
    const deep = `export fn f(x: f32): f32 = ${open.repeat(40)}x${close.repeat(40)}\n`;
    file('deep.tdsl', deep);
    expect(tfc('check', 'deep.tdsl')).toMatchObject({ status: 0 });
    const { status, err } = tfc('fmt', 'deep.tdsl');
    expect({ status, err: err.split('\n') }).toEqual({
      status: 1,
      err: [
        'error[too-large]: the canonical form of deep.tdsl could not be read again: nested too deeply: more than 100 levels',
        '  hint: give a name to the inner part with `let`',
        '',
      ],
    });
    expect(content('deep.tdsl')).toBe(deep);
    rmSync(join(directory, 'deep.tdsl'));
  });

  it('writes through a link, and refuses what is no file', () => {
    file('target.tdsl', untidy);
    symlinkSync('target.tdsl', join(directory, 'link.tdsl'));
    expect(tfc('fmt', 'link.tdsl')).toMatchObject({ status: 0 });
    expect(content('target.tdsl')).toBe(tidy);
    expect(jsonError(tfc('fmt', 'models', '--json'))).toMatchObject({ code: 'file-not-found' });
    writeFileSync(join(directory, 'binary.tdsl'), Buffer.of(0xff, 0xfe, 0x00));
    expect(jsonError(tfc('fmt', 'binary.tdsl', '--json'))).toMatchObject({ code: 'bad-data' });
  });

  it('is a filter with -', () => {
    const run = (input: string, ...args: readonly string[]): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, [cli, 'fmt', '-', ...args], { input, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
    expect(run(untidy)).toMatchObject({ status: 0, stdout: tidy });
    expect(run(tidy, '--check')).toMatchObject({ status: 0, stdout: '' });
    expect(run(untidy, '--check')).toMatchObject({ status: 1, stdout: '' });
    expect(run('fn')).toMatchObject({ status: 1, stdout: '' });
    expect(run(tidy, 'a.tdsl')).toMatchObject({ status: 2 });
    // What comes in pieces is waited for.
    const slowly = `(printf 'export fn f(x: f32): '; sleep 0.3; printf 'f32=x') | '${process.execPath}' '${cli}' fmt -`;
    expect(spawnSync('sh', ['-c', slowly], { encoding: 'utf8' })).toMatchObject({ status: 0, stdout: 'export fn f(x: f32): f32 = x\n' });
  });
});
