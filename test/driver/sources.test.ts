// Which files a program is read from. In: imports, links, roots, and files that are no programs. Out: texts from where they may come, and
// nothing of any other file; modules that keep their texts.

import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  compile,
  type CompileError,
  type CompileOptions,
  compileSync,
  type Diagnostic,
  DiagnosticsError,
  type Tensor,
} from '../../src/driver/index.js';
import { check } from '../../src/driver/build/front.js';
import { type JsonError, toJson } from '../../src/driver/mistakes.js';
import { render } from '../../src/driver/report/render.js';
import { jsonError, jsonLines, workplace } from './tfc.js';

const place = workplace();
const { tfc } = place;
process.env['TFC_CACHE'] = place.cache;
const path = (name: string): string => join(place.directory, name);

for (const directory of ['project/parts/deep', 'library', 'secrets', 'project/folder.tdsl'])
  mkdirSync(path(directory), { recursive: true });
const secret = 'hunter2 = swordfish(correct_horse)\n';
for (const name of ['secrets/plain', 'secrets/named.tdsl', 'project/plain.txt']) place.file(name, secret);
place.file('library/double.tdsl', 'fn double(x: f32): f32 = x * 2\n');
place.file(
  'library/both.tdsl',
  'import { double } from "./double.tdsl"\nimport { triple } from "../project/parts/triple.tdsl"\nfn both(x: f32): f32 = double(triple(x))\n',
);
place.file('project/parts/triple.tdsl', 'import { one } from "../one.tdsl"\nfn triple(x: f32): f32 = x * 3 * one(1)\n');
place.file('project/one.tdsl', 'fn one(x: f32): f32 = x\n');
for (const [target, link] of [
  ['../secrets/named.tdsl', 'named.tdsl'],
  ['../secrets/plain', 'plain.tdsl'],
  ['../secrets', 'linked'],
  ['plain.txt', 'text.tdsl'],
  ['/dev/zero', 'zero.tdsl'],
  ['round.tdsl', 'round.tdsl'],
  ['parts', 'alias'],
  ['../library/double.tdsl', 'double.tdsl'],
] as const)
  symlinkSync(target, path(`project/${link}`));
execFileSync('mkfifo', [path('project/pipe.tdsl')]);

const importing = (from: string, name = 'x'): string =>
  place.file('project/main.tdsl', `import { ${name} } from ${JSON.stringify(from)}\nexport fn f(x: f32): f32 = ${name}(x)\n`);

/** Everything that a person and a program are told when a file is checked. */
function told(file: string): { readonly errors: readonly JsonError[]; readonly text: string } {
  const texts = new Map<string, string>();
  try {
    check({ path: file, set: {}, open: undefined }, texts);
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    const errors = error.diagnostics.map((diagnostic) => toJson(diagnostic, texts));
    return {
      errors,
      text: [error.message, JSON.stringify(errors), ...error.diagnostics.map((diagnostic) => render(diagnostic, texts, false))].join('\n'),
    };
  }
  return { errors: [], text: '' };
}

describe('imports', () => {
  it.each([
    './parts/triple.tdsl',
    './parts/../parts/triple.tdsl',
    './alias/triple.tdsl',
    '../project/parts/triple.tdsl',
    './parts//triple.tdsl',
  ])('%s is read', (from) => {
    importing(from, 'triple');
    expect(told(path('project/main.tdsl')).text).toBe('');
  });

  it.each([
    ['../secrets/named.tdsl', 'import-outside-root'],
    ['../secrets/plain', 'import-outside-root'],
    ['../secrets/nowhere.tdsl', 'import-outside-root'],
    ['../../../../../../../../etc/passwd', 'import-outside-root'],
    ['./parts/../../secrets/named.tdsl', 'import-outside-root'],
    [path('project/one.tdsl'), 'import-outside-root'],
    ['/etc/passwd', 'import-outside-root'],
    ['./named.tdsl', 'import-outside-root'],
    ['./plain.tdsl', 'import-outside-root'],
    ['./linked/named.tdsl', 'import-outside-root'],
    ['./zero.tdsl', 'import-outside-root'],
    ['./double.tdsl', 'import-outside-root'],
    ['./text.tdsl', 'not-a-program'],
    ['./plain.txt', 'not-a-program'],
    ['./one', 'not-a-program'],
    ['./pipe.tdsl', 'file-not-found'],
    ['./folder.tdsl', 'file-not-found'],
    ['./round.tdsl', 'file-not-found'],
    ['./nowhere.tdsl', 'file-not-found'],
    ['./one.tdsl/x.tdsl', 'file-not-found'],
    ['./nul\0.tdsl', 'file-not-found'],
    [`./${'x'.repeat(300)}.tdsl`, 'file-not-found'],
    ['std/../../../secrets/named', 'file-not-found'],
  ])('%j is %s, and nothing of it is shown', (from, code) => {
    importing(from, 'hunter2');
    const { errors, text } = told(path('project/main.tdsl'));
    expect(text).not.toMatch(/swordfish|correct_horse|root:x/);
    expect(errors).toMatchObject([{ code, file: path('project/main.tdsl'), span: { start: { line: 1, column: 25 } } }]);
  });

  it('may come from named roots, for every command and from TypeScript', async () => {
    importing('../library/both.tdsl', 'both');
    expect(jsonError(tfc('check', 'project/main.tdsl', '--json'))).toMatchObject({ code: 'import-outside-root' });
    expect(tfc('check', 'project/main.tdsl', '--root', '').status).toBe(2);
    for (const args of [['check'], ['explain'], ['graph', '-o', 'g.dot'], ['compile', '--emit', 'graph'], ['compile', '-o', 'out']]) {
      const [command = '', ...rest] = args;
      expect(tfc(command, 'project/main.tdsl', ...rest, '--root', 'nearby', '--root', 'library').err).toContain('nearby');
      expect(tfc(command, 'project/main.tdsl', ...rest, '--root', 'project/parts', '--root', 'library')).toMatchObject({
        status: 0,
        err: '',
      });
    }
    expect(tfc('run', 'project/main.tdsl', 'f', '--feed', 'x=1', '--root', 'library').out).toBe('6\n');
    // What was built with a root is not found without it.
    expect(tfc('run', 'project/main.tdsl', 'f', '--feed', 'x=1').status).toBe(1);
    using module = await compile(path('project/main.tdsl'), { roots: [path('library')] });
    expect(module.session().run('f', { x: 1 })).toBe(6);
    const failure = await compile(path('project/main.tdsl')).catch((error: unknown) => error as CompileError);
    expect((failure as CompileError).diagnostics).toMatchObject([{ code: 'import-outside-root' }]);
    expect(() => compileSync(path('project/main.tdsl'), { roots: [path('project/one.tdsl')] })).toThrow('no such directory');
  });

  it.each<[unknown, string]>([
    [{ roots: 'library' }, 'Roots are an array of paths'],
    [{ roots: [5] }, 'not 5'],
    [{ roots: [''] }, 'not ""'],
    [{ roots: null }, 'not null'],
    [{ onWarning: 5 }, 'onWarning is a function'],
  ])('%j are no options', async (options, said) => {
    await expect(compile(path('project/main.tdsl'), options as CompileOptions)).rejects.toMatchObject({
      name: 'TfcError',
      code: 'invalid-value',
      message: expect.stringContaining(said),
    });
  });

  it('are seen from where the path of the program leads, and not from where a link behind it does', () => {
    place.file('library/main.tdsl', 'import { double } from "./double.tdsl"\nexport fn f(x: f32): f32 = double(x)\n');
    symlinkSync('../library/main.tdsl', path('project/linked-main.tdsl'));
    expect(jsonError(tfc('check', 'project/linked-main.tdsl', '--json')).code).toBe('import-outside-root');
    symlinkSync('library', path('other'));
    expect(tfc('check', 'other/main.tdsl').status).toBe(0);
  });
});

describe('a file', () => {
  it('is one module, whatever paths lead to it', async () => {
    symlinkSync('.', path('round'));
    place.file('round-1.tdsl', 'import { f as g } from "./round/round-1.tdsl"\nexport fn f(x: f32): f32 = g(x)\n');
    expect(told(path('round-1.tdsl')).errors).toMatchObject([{ code: 'import-cycle' }]);
    expect(told(path('round/round/round-1.tdsl')).errors).toMatchObject([{ code: 'import-cycle' }]);
    place.file('round-3.tdsl', 'param w: f32 = 3\n');
    const main = path(
      place.file(
        'round-2.tdsl',
        'import { w } from "./round-3.tdsl"\nimport { w as v } from "./round/round/round-3.tdsl"\nexport fn f<...S>(x: f32[...S]): f32[...S] = x * w * v\n',
      ),
    );
    for (const _ of ['built', 'cached']) {
      using module = await compile(main);
      expect(module.manifest.variables.map((variable) => variable.path)).toEqual(['round-3/w']);
      writeFileSync(path('round-3.tdsl'), 'param w: f32 = 4\n');
      expect(module.session().run('f', { x: 1 })).toBe(9);
      writeFileSync(path('round-3.tdsl'), 'param w: f32 = 3\n');
    }
  });
});

describe('a program', () => {
  it.each([
    ['secrets/plain', 'not-a-program'],
    ['project/plain.tdsl', 'not-a-program'],
    ['project/text.tdsl', 'not-a-program'],
    ['/etc/passwd', 'not-a-program'],
    ['/dev/zero', 'not-a-program'],
    ['/dev/stdin', 'not-a-program'],
    ['-', 'not-a-program'],
    ['project/zero.tdsl', 'not-a-program'],
    ['project/pipe.tdsl', 'file-not-found'],
    ['project/folder.tdsl', 'file-not-found'],
    ['project/round.tdsl', 'file-not-found'],
    ['project', 'not-a-program'],
  ])('is not %s: %s, and nothing of it is shown', (file, code) => {
    const { errors, text } = told(file.startsWith('/') ? file : path(file));
    expect(errors).toMatchObject([{ code }]);
    expect(text).not.toMatch(/hunter2|swordfish|root:x/);
  });

  it('is refused by every command alike', () => {
    for (const args of [['check'], ['compile', '-o', 'never'], ['run', 'f'], ['explain'], ['graph', '-o', 'never.svg']]) {
      const [command = '', ...rest] = args;
      const { status, out, err } = tfc(command, 'secrets/plain', ...rest);
      expect([status, err]).toMatchObject([1, expect.stringContaining('error[not-a-program]')]);
      expect(out + err).not.toMatch(/hunter2|swordfish/);
    }
    expect(() => compileSync(path('secrets/plain'))).toThrow('not-a-program');
  });
});

describe('a module', () => {
  it('compiles entries with open ranks from the texts that it was compiled from', async () => {
    const main = path(
      place.file(
        'kept.tdsl',
        'import { k } from "./kept-part.tdsl"\nexport fn f<...S>(x: f32[...S]): f32[...S] = x * k()\nexport fn g(x: f32): f32 = x * k()\n',
      ),
    );
    const part = path(place.file('kept-part.tdsl', 'fn k(): f32 = 2.0\n'));
    using old = await compile(main);
    using session = old.session();
    expect(session.run('g', { x: 1 })).toBe(2);
    writeFileSync(part, 'fn k(): f32 = 3.0\n');
    expect((session.run('f', { x: [1] }) as Tensor).toArray()).toEqual([2]);
    using fresh = await compile(main);
    expect((fresh.session().run('f', { x: [1] }) as Tensor).toArray()).toEqual([3]);
    expect((fresh.session().run('f', { x: [[1]] }) as Tensor).toArray()).toEqual([[3]]);
    // From the cache, and with files that are no program any more.
    using cached = await compile(main);
    writeFileSync(main, 'nonsense');
    writeFileSync(part, '');
    expect((cached.session().run('f', { x: [[[1]]] }) as Tensor).toArray()).toEqual([[[3]]]);
    expect((session.run('f', { x: [[1]] }) as Tensor).toArray()).toEqual([[2]]);
  });
});

describe('warnings', () => {
  const text = 'param w: f16 = 70000\nexport fn f(x: f32): f32 = x + 1e39\nexport fn any<...S>(x: f32[...S]): f32[...S] = x * 1e-50\n';
  const codes = ['literal-overflow', 'literal-overflow', 'literal-underflow'];

  it('are shown by every command, again when the program comes from the cache, and never keep it from working', () => {
    place.file('warned.tdsl', text);
    const frame =
      'warning[literal-overflow]: 1e+39 is out of the range of f32: it becomes Infinity\n  --> warned.tdsl:2:32\n  1 | param w: f16 = 70000\n> 2 | export fn f(x: f32): f32 = x + 1e39\n    |                                ^^^^\n';
    for (const args of [
      ['check', 'warned.tdsl'],
      ['explain', 'warned.tdsl'],
      ['graph', 'warned.tdsl', '-o', 'w.dot'],
      ['compile', 'warned.tdsl', '--emit', 'graph'],
      ['compile', 'warned.tdsl', '--dump-after', 'strip'],
      ['compile', 'warned.tdsl', '-o', 'warned'],
      ['run', 'warned.tdsl', 'f', '--feed', 'x=1'],
      ['run', 'warned.tdsl', 'f', '--feed', 'x=1'],
    ]) {
      const { status, err } = tfc(...args);
      expect(status, args.join(' ')).toBe(0);
      expect(err).toContain(frame);
      expect(err.match(/warning\[/g)).toHaveLength(3);
    }
    expect(tfc('run', 'warned.tdsl', 'f', '--feed', 'x=1').out).toBe('"Infinity"\n');
    expect(tfc('run', '../warned.tdsl', 'f').err).not.toContain('warning');
    for (const args of [
      ['check', 'warned.tdsl'],
      ['graph', 'warned.tdsl', '-o', 'w.dot'],
      ['compile', 'warned.tdsl', '-o', 'warned'],
    ]) {
      const outcome = tfc(...args, '--json');
      expect(outcome).toMatchObject({ status: 0, err: '' });
      const [{ warnings }] = jsonLines(outcome) as [{ readonly warnings: readonly { readonly code: string }[] }];
      expect(warnings.map(({ code }) => code).sort()).toEqual(codes);
      expect(warnings).toContainEqual({
        code: 'literal-overflow',
        message: '1e+39 is out of the range of f32: it becomes Infinity',
        file: 'warned.tdsl',
        span: { start: { line: 2, column: 32 }, end: { line: 2, column: 36 } },
        hint: 'f64 holds it; where infinity is meant, write `1.0 / 0.0`',
      });
    }
  });

  it('reach TypeScript, with the texts that they point into', async () => {
    const file = path(place.file('warned.tdsl', text));
    for (const _ of ['built', 'cached']) {
      const seen: string[] = [];
      const onWarning = ({ code, severity, span }: Diagnostic, texts: ReadonlyMap<string, string>): void => {
        expect(severity).toBe('warning');
        seen.push(`${code} ${texts.get(span?.source ?? '')?.slice(span?.start, span?.end)}`);
      };
      using module = await compile(file, { onWarning });
      expect(seen.sort()).toEqual(['literal-overflow 1e39', 'literal-overflow 70000', 'literal-underflow 1e-50']);
      // Those of an entry that is compiled later were told already.
      module.session().run('any', { x: [1] });
      expect(seen).toHaveLength(3);
    }
    const said: string[] = [];
    const listen = (warning: Error): void => void said.push(`${warning.name}: ${warning.message}`);
    process.on('warning', listen);
    compileSync(file).close();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    expect(said).toContain(
      `TfcWarning: ${file}:2:32: literal-overflow: 1e+39 is out of the range of f32: it becomes Infinity (f64 holds it; where infinity is meant, write \`1.0 / 0.0\`)`,
    );
  });
});
