// The commands as users meet them. In: arguments and programs. Out: exit codes 0, 1 and 2; results on standard output, words on standard
// error; one JSON object per error with --json.

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backendOf } from '../../src/driver/build/backends.js';
import { levelsOf } from '../../src/driver/build/levels.js';
import { jsonError, jsonLines, workplace } from './tfc.js';

const place = workplace();
const { tfc, directory } = place;

place.file(
  'model.tdsl',
  `/// A line.
param w: f32[2] = uniform(-1, 1)
param bare: f32[2]
state n: i32 = 0
dim Hidden = 3

export fn line<B>(x: f32[B, 2]): f32[B] = x @ w
export fn needsBare(): f32 = sum(bare)
export fn twice(x: f32[Hidden]): f32[Hidden] = x * 2
export fn any<...S>(x: f32[...S]): f32[...S] = x + 1
export step count(): i32 {
  n <- n + 1
  return n
}
`,
);
place.file('broken.tdsl', 'export fn f(x: f32[3]): f32[2] =\n  x + oops\nexport fn g(x: f32[3], y: f32[2]): f32[3] = x + y\n');

describe('help and usage', () => {
  it.each(['', 'check', 'compile', 'run', 'train', 'types', 'graph', 'explain'])('tfc %s --help says how', (command) => {
    const outcome = tfc(...(command === '' ? [] : [command]), '--help');
    expect(outcome).toMatchObject({ status: 0, err: '' });
    expect(outcome.out).toContain(`Usage: tfc ${command === '' ? '[options]' : command}`);
  });

  it('says its version', () => {
    expect(tfc('--version').out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [[], 'Usage: tfc'],
    [['comple'], 'Did you mean compile?'],
    [['run', 'model.tdsl'], "missing required argument 'entry'"],
    [['run', 'model.tdsl', 'count', '--step', '3'], 'Did you mean --steps?'],
    [['run', 'model.tdsl', 'count', '--steps', '-1'], '--steps takes a whole number of at least 0'],
    [['run', 'model.tdsl', 'count', '--steps', '1.5'], '--steps takes a whole number'],
    [['run', 'model.tdsl', 'count', '--threads', '0'], '--threads takes a whole number of at least 1'],
    [['run', 'model.tdsl', 'twice', '--set', 'Hidden'], '--set takes Name=N'],
    [['run', 'model.tdsl', 'twice', '--set', 'Hidden=-1'], '--set takes Name=N'],
    [['compile', 'model.tdsl', '--emit', 'everything'], '--emit takes one of graph'],
    [['compile', 'model.tdsl', '--emit', 'graph', '--dump-after', 'strip'], 'not both'],
    [['train', 'model.tdsl', '--data', '.', '--epochs', '1'], "required option '--batch <n>' not specified"],
    [['train', 'model.tdsl', '--data', '.', '--epochs', '1', '--batch', '0'], '--batch takes a whole number of at least 1'],
    [['graph', 'model.tdsl', '-o', 'out.png'], '-o takes a path that ends in .html, .svg, .dot or .json'],
    [['graph', 'model.tdsl', '-o', 'out.svg', '--depth', 'all'], '--depth takes a whole number of at least 0'],
  ])('tfc %j is wrong usage', (args, said) => {
    const plain = tfc(...args);
    expect(plain).toMatchObject({ status: 2, out: '' });
    expect(plain.err).toContain(said);
    if (args.length === 0) return;
    const json = tfc(...args, '--json');
    expect(json).toMatchObject({ status: 2, err: '' });
    expect(jsonError(json).code).toBe('usage');
    expect(jsonError(json).message).toContain(said.replace(/^Did you mean .*/, ''));
  });
});

describe('check', () => {
  it('lists what it checked', () => {
    expect(tfc('check', 'model.tdsl')).toEqual({ status: 0, out: 'model.tdsl: ok\n', err: '' });
    expect(jsonLines(tfc('check', 'model.tdsl', '--json'))).toEqual([
      { ok: true, files: { 'model.tdsl': ['line', 'needsBare', 'twice', 'count', 'any'] } },
    ]);
  });

  it('shows every mistake of every file', () => {
    const { status, out, err } = tfc('check', 'model.tdsl', 'broken.tdsl', 'nowhere.tdsl');
    expect([status, out]).toEqual([1, '']);
    for (const part of [
      'error[unknown-name]',
      '--> broken.tdsl:2:7',
      '> 2 |   x + oops',
      'error[shape-mismatch]',
      'error[file-not-found]: nowhere.tdsl',
    ])
      expect(err).toContain(part);
  });

  it('prints the first mistake and all of them as JSON', () => {
    const outcome = tfc('check', 'broken.tdsl', '--json');
    expect(outcome).toMatchObject({ status: 1, err: '' });
    expect(jsonError(outcome)).toMatchObject({
      code: 'unknown-name',
      file: 'broken.tdsl',
      span: { start: { line: 2, column: 7 }, end: { line: 2, column: 11 } },
    });
    const [{ errors }] = jsonLines(outcome) as [{ readonly errors: readonly { readonly code: string }[] }];
    expect(errors.map((error) => error.code)).toEqual(expect.arrayContaining(['unknown-name', 'shape-mismatch']));
  });
});

describe('run', () => {
  it('prints one JSON value per step and line', () => {
    expect(tfc('run', 'model.tdsl', 'count', '--steps', '3', '--json')).toEqual({ status: 0, out: '1\n2\n3\n', err: '' });
    expect(tfc('run', 'model.tdsl', 'count', '--steps', '0').out).toBe('');
    expect(tfc('run', 'model.tdsl', 'twice', '--feed', 'x=[1,2,"Infinity"]').out).toBe('[2,4,"Infinity"]\n');
    expect(tfc('run', 'model.tdsl', 'twice', '--set', 'Hidden=1', '--feed', 'x=[1]').out).toBe('[2]\n');
    expect(tfc('run', 'model.tdsl', 'any', '--feed', 'x=[[1],[2]]').out).toBe('[[2],[3]]\n');
  });

  it('draws other initial values from another seed, and the same ones from the same seed', () => {
    const [a, b, c] = ['1', '1', '2'].map(
      (seed) => tfc('run', 'model.tdsl', 'line', '--feed', 'x=[[1,0],[0,1]]', '--seed', seed, '--threads', seed).out,
    );
    expect(a).toBe(b);
    expect(a).not.toBe(c);
  });

  it('reads feeds from files', () => {
    place.file('feeds.json', '{"x": [[1, 2]]}');
    expect(tfc('run', 'model.tdsl', 'line', '--feeds', 'feeds.json', '--seed', '1').status).toBe(0);
  });
});

describe('bad input', () => {
  it.each([
    [['twice'], 'missing-feed', 'twice needs a feed x'],
    [['twice', '--feed', 'x=[1,2,3]', '--feed', 'y=1'], 'unknown-feed', 'is called y'],
    [['twice', '--feed', 'x=[1,2]'], 'shape-mismatch', 'f32[3]'],
    [['line', '--feed', 'x=[[1,2,3]]'], 'shape-mismatch', 'x'],
    [['line', '--feed', 'x=[[1,2],[3]]'], 'bad-data', 'ragged'],
    [['twice', '--feed', 'x=[1,2,true]'], 'dtype-mismatch', 'x'],
    [['twice', '--feed', 'x=[1,2,"three"]'], 'bad-data', 'x'],
    [['twice', '--feed', 'x=[1,2,NaN]'], 'bad-data', 'NaN and Infinity are no JSON'],
    [['twice', '--feed', 'x=@nowhere.npy'], 'file-not-found', 'nowhere.npy'],
    [['twice', '--feeds', 'nowhere.json'], 'file-not-found', 'nowhere.json'],
    [['thrice'], 'unknown-entry', 'thrice'],
    [['needsBare'], 'uninitialized-variable', 'bare'],
    [['twice', '--set', 'Hiden=2'], 'unknown-dim', 'Hiden'],
    [['twice', '--cpu', 'abacus', '--feed', 'x=[1,2,3]'], 'invalid-value', 'abacus'],
    [['count', '--threads', '5000'], 'invalid-value', '5000'],
  ])('tfc run model.tdsl %j is %s', (args, code, said) => {
    const json = tfc('run', 'model.tdsl', ...args, '--json');
    expect(json).toMatchObject({ status: 1, err: '' });
    expect(jsonLines(json)).toHaveLength(1);
    expect(jsonError(json).code).toBe(code);
    expect(jsonError(json).message).toContain(said);
  });

  it('shows the same on a terminal, with a hint', () => {
    expect(tfc('run', 'model.tdsl', 'twice')).toMatchObject({
      status: 1,
      out: '',
      err: 'error[missing-feed]: twice needs a feed x.\n  hint: It takes x.\n',
    });
  });

  const big = 10 * 2 ** 20;
  it.each([
    ['empty.tdsl', '', 'bad-data', 'is empty'],
    ['blank.tdsl', ' \n\n', 'bad-data', 'is empty'],
    ['binary.tdsl', Uint8Array.from({ length: 5000 }, (_, at) => (at * 7919) % 256), 'bad-data', 'not a text file'],
    ['latin.tdsl', Uint8Array.of(0x2f, 0x2f, 0xe9, 0x0a), 'bad-data', 'not a text file'],
    ['big.tdsl', 'x'.repeat(big), 'bad-data', 'too long'],
    ['long.tdsl', `// ${'x'.repeat(1_000_000)}`, 'bad-data', 'too long'],
    ['private.tdsl', 'fn f(x: f32): f32 = x\n', 'unknown-entry', 'exports nothing'],
    ['deep.tdsl', `export fn f(x: f32): f32 = ${'('.repeat(20_000)}x${')'.repeat(20_000)}\n`, '', ''],
    ['directory.tdsl', undefined, 'file-not-found', 'is a directory'],
    ['nowhere.tdsl', undefined, 'file-not-found', 'no such file'],
  ])('tfc compile %s says what is wrong and writes nothing', (name, content, code, said) => {
    if (content !== undefined) place.file(name, content);
    else if (name === 'directory.tdsl') mkdirSync(join(directory, name));
    const outcome = tfc('compile', name, '-o', 'never', '--json');
    expect(outcome).toMatchObject({ status: 1, err: '' });
    const error = jsonError(outcome);
    if (code !== '') expect(error.code).toBe(code);
    expect(error.code).not.toBe('internal-error');
    expect(error.message).toContain(said);
    expect(error.file).toBe(name);
    expect(existsSync(join(directory, 'never'))).toBe(false);
  });

  it('names the imported file that is at fault', () => {
    place.file('imports.tdsl', 'import { f } from "./binary-part.tdsl"\nexport fn g(x: f32): f32 = f(x)\n');
    place.file('binary-part.tdsl', Uint8Array.of(0, 1, 2, 3));
    expect(jsonError(tfc('check', 'imports.tdsl', '--json'))).toMatchObject({ code: 'bad-data', file: 'binary-part.tdsl' });
    place.file('imports.tdsl', 'import { f } from "./nowhere.tdsl"\nexport fn g(x: f32): f32 = f(x)\n');
    expect(jsonError(tfc('check', 'imports.tdsl', '--json'))).toMatchObject({
      code: 'file-not-found',
      file: 'imports.tdsl',
      span: { start: { line: 1, column: 19 } },
    });
  });

  it.each([
    ['compile', 'model.tdsl/out'],
    ['compile', '/proc/tfc/out'],
    ['graph', 'nowhere/out.dot'],
    ['graph', '/proc/out.json'],
  ])('tfc %s -o %s cannot be written', (command, out) => {
    const outcome = tfc(command, 'model.tdsl', '-o', out, '--json');
    expect(outcome).toMatchObject({ status: 1, err: '' });
    expect(jsonError(outcome).code).toBe('file-not-written');
    expect(jsonError(outcome).message).toContain(out.split('/')[0]);
  });
});

describe('a compile process that dies', () => {
  it('is an error that says how it ended', () => {
    const crash = join(
      directory,
      place.file('crash.cjs', "if (/worker\\.c?js$/.test(process.argv[1] ?? '')) process.kill(process.pid, 'SIGSEGV');\n"),
    );
    const outcome = place.tfcWith({ NODE_OPTIONS: `--require ${crash}` }, 'run', 'model.tdsl', 'count', '--cpu', 'x86-64', '--json');
    expect(outcome).toMatchObject({ status: 1, err: '' });
    expect(jsonError(outcome)).toMatchObject({
      code: 'internal-error',
      message: 'internal error in compile process: it ended with SIGSEGV',
    });
    const silent = join(directory, place.file('silent.cjs', "if (/worker\\.c?js$/.test(process.argv[1] ?? '')) process.exit(0);\n"));
    expect(
      jsonError(place.tfcWith({ NODE_OPTIONS: `--require ${silent}` }, 'run', 'model.tdsl', 'count', '--cpu', 'x86-64', '--json')).message,
    ).toContain('it gave no reply');
  });
});

describe('compile', () => {
  it('writes library, manifest and headers', () => {
    const outcome = tfc('compile', 'model.tdsl', '-o', 'a/b', '--json');
    expect(outcome).toMatchObject({ status: 0, err: '' });
    expect(jsonLines(outcome)).toMatchObject([
      { directory: 'a/b', library: 'a/b/module.so', entries: ['line', 'needsBare', 'twice', 'count', 'any'] },
    ]);
    expect(readdirSync(join(directory, 'a', 'b')).sort()).toEqual(['module.h', 'module.json', 'module.so', 'tfc.h']);
    const manifest = JSON.parse(readFileSync(join(directory, 'a', 'b', 'module.json'), 'utf8')) as {
      readonly variables: readonly unknown[];
    };
    expect(manifest.variables).toMatchObject([
      { path: 'w', doc: 'A line.', initial: { kind: 'entry' } },
      { path: 'bare', initial: { kind: 'none' } },
      { path: 'n', initial: { kind: 'constant', value: 0 } },
    ]);
  });

  it('builds the same bytes again', () => {
    for (const out of ['first', 'second']) expect(tfc('compile', 'model.tdsl', '-o', out).status).toBe(0);
    for (const file of ['module.so', 'module.json', 'module.h'])
      expect(readFileSync(join(directory, 'second', file)).equals(readFileSync(join(directory, 'first', file))), file).toBe(true);
  });

  it.each(levelsOf(backendOf({})).map((level) => [level]))('emits %s', (level) => {
    const { status, out, err } = tfc('compile', 'model.tdsl', '--emit', level);
    expect([status, err]).toEqual([0, '']);
    expect(out).toContain('twice');
    expect(jsonLines(tfc('compile', 'model.tdsl', '--emit', level, '--json'))).toEqual([{ text: out.slice(0, -1) }]);
  });

  it('emits and writes in one go', () => {
    const { status, out } = tfc('compile', 'model.tdsl', '--emit', 'kernels', '-o', 'both');
    expect([status, out]).toEqual([0, tfc('compile', 'model.tdsl', '--emit', 'kernels').out]);
    expect(existsSync(join(directory, 'both', 'module.so'))).toBe(true);
  });

  it('dumps what a pass makes, and names the passes', () => {
    const dump = (pass: string): string => tfc('compile', 'model.tdsl', '--dump-after', pass).out;
    expect(dump('plan-memory')).toBe(tfc('compile', 'model.tdsl', '--emit', 'kernels').out);
    expect(dump('order')).toBe(tfc('compile', 'model.tdsl', '--emit', 'fused').out);
    expect(dump('order')).toMatch(/^fused "/);
    expect(dump('form')).toMatch(/^formed "/);
    for (const pass of ['fuse', 'split', 'flash']) expect(dump(pass)).toMatch(/^grouped "/);
    expect(jsonError(tfc('compile', 'model.tdsl', '--dump-after', 'magic', '--json'))).toMatchObject({
      code: 'invalid-value',
      hint: 'Passes in order: differentiate, strip, checks, simplify, form, fuse, split, flash, order, schedule, plan-memory, expand, vectorize.',
    });
  });

  it('times every stage', () => {
    const { out } = tfc('compile', 'model.tdsl', '-o', 'timed', '--time-passes');
    const names = out.split('\n').flatMap((line) => /^(\S.*?) +[\d.]+ ms/.exec(line)?.[1] ?? []);
    const wanted = [
      'node',
      'load',
      'check',
      'llvm: load',
      'differentiate',
      'strip',
      'checks',
      'simplify',
      'form',
      'fuse',
      'split',
      'flash',
      'order',
      'schedule',
      'plan-memory',
      'expand',
      'vectorize',
      'verify',
      'llvm: build',
      'llvm: optimize',
      'llvm: codegen',
      'link',
      'files',
      'rest',
      'total',
    ];
    expect(names).toEqual(wanted);
    // Of three, because a neighbour may take the processor at any time.
    const rests = [1, 2, 3].map(() => {
      const [{ stages }] = jsonLines(tfc('compile', 'model.tdsl', '-o', 'timed', '--json')) as [
        { readonly stages: readonly { readonly name: string; readonly milliseconds: number }[] },
      ];
      const of = (name: string): number => stages.find((stage) => stage.name === name)?.milliseconds ?? NaN;
      return of('rest') / of('total');
    });
    expect(Math.min(...rests)).toBeGreaterThanOrEqual(0);
    expect(Math.min(...rests)).toBeLessThan(0.05);
  });
});

describe('explain', () => {
  it('reports kernels with their lines, bytes and FLOPs', () => {
    const { status, out } = tfc('explain', 'model.tdsl');
    expect(status).toBe(0);
    expect(out).toContain('entry twice: 1 kernel\n');
    expect(out).toContain('reads 12 bytes, writes 12 bytes, 3 FLOPs\n      from model.tdsl:9');
    const [report] = jsonLines(tfc('explain', 'model.tdsl', '--json')) as [readonly { readonly entry: string }[]];
    expect(report.map(({ entry }) => entry)).toEqual(expect.arrayContaining(['line', 'needsBare', 'twice', 'count']));
  });

  it('reports what a GPU runs', () => {
    place.file('sum.tdsl', 'export fn scaled(x: f32[40]): f32[40] = 2 * x\n');
    const { status, out } = tfc('explain', 'sum.tdsl', '--target', 'cuda');
    expect(status).toBe(0);
    expect(out).toMatch(/entry scaled: 1 kernel\n.*\n.*reads 160 bytes, writes 160 bytes, 40 FLOPs/);
    expect(tfc('explain', 'sum.tdsl', '--target', 'tpu')).toMatchObject({ status: 2 });
  });

  it('names instances and updates, and ends with sums', () => {
    place.file(
      'layers.tdsl',
      'import { Dense, relu } from "std/nn"\nimport { momentum } from "std/optim"\nmodel Net() {\n  first = Dense<8, 8>(act: relu)\n  last = Dense<8, 1>()\n  fn call<B>(x: f32[B, 8]): f32[B, 1] = last(first(x))\n}\nnet = Net()\nexport fn apply(x: f32[4, 8]): f32[4, 1] = net(x)\nexport step train(x: f32[4, 8]): f32 {\n  let loss = mean(square(net(x)))\n  minimize loss with momentum(lr: 0.1)\n  return loss\n}\n',
    );
    const [reports] = jsonLines(tfc('explain', 'layers.tdsl', '--json')) as [
      readonly {
        readonly entry: string;
        readonly kernels: readonly { readonly instances: readonly string[]; readonly flops: string; readonly bytesRead: string }[];
        readonly totals: Readonly<Record<string, string | number>>;
      }[],
    ];
    const report = (entry: string): (typeof reports)[number] => reports.find((one) => one.entry === entry) as (typeof reports)[number];
    const instances = (entry: string): string[] => [...new Set(report(entry).kernels.flatMap((kernel) => kernel.instances))].sort();
    expect(instances('apply')).toEqual(['net/first', 'net/last']);
    expect(instances('train')).toEqual(
      expect.arrayContaining(['net/first', 'net/first (backward)', 'momentum of net/first/w', 'momentum of net/last/b']),
    );
    const { kernels, totals } = report('train');
    const sum = (of: 'flops' | 'bytesRead'): string => String(kernels.reduce((total, kernel) => total + Number(kernel[of]), 0));
    expect(totals).toMatchObject({ kernels: kernels.length, flops: sum('flops'), bytesRead: sum('bytesRead') });
    const { out } = tfc('explain', 'layers.tdsl');
    expect(out).toContain('\n      in net/first');
    const [, last] = out.split('\nin all:\n');
    expect(last?.split('\n').map((line) => line.slice(0, line.indexOf(':')).trim())).toEqual(['apply', 'train', 'initial values', '']);
    expect(last).toContain(
      `  train: ${kernels.length} kernels, reads ${totals['bytesRead']} bytes, writes ${totals['bytesWritten']} bytes, ${totals['flops']} FLOPs, arena of ${totals['arena']} bytes\n`,
    );
  });

  it('says how many kernels share code with another', () => {
    place.file(
      'alike.tdsl',
      'import { Dense, relu } from "std/nn"\nnet = [Dense<8, 8>(act: relu) for i in 0..6]\nexport fn apply(x: f32[4, 8]): f32[4, 8] = fold layer in net with y = x { layer(y) }\nexport fn first(x: f32[4, 8]): f32[4, 8] = net[0](x)\n',
    );
    const [reports] = jsonLines(tfc('explain', 'alike.tdsl', '--json')) as [
      readonly { readonly entry: string; readonly totals: { readonly kernels: number; readonly sharingCode: number } }[],
    ];
    const printed = tfc('compile', 'alike.tdsl', '--emit', 'kernels').out.split(/^(?=program )/m);
    for (const { entry, totals } of reports) {
      const text = printed.find((one) => one.startsWith(`program ${entry}\n`)) ?? '';
      const others = [...text.matchAll(/^ {2}like (\w+)/gm)].map(([, name]) => name);
      expect(totals.sharingCode).toBe(others.length + new Set(others).size);
    }
    expect(reports.find(({ entry }) => entry === 'apply')?.totals).toMatchObject({ kernels: 6, sharingCode: 4 });
    const { out } = tfc('explain', 'alike.tdsl');
    expect(out).toContain('\n  apply: 6 kernels, 4 of which share code with another, reads ');
    expect(out).toContain('\n  first: 1 kernel, reads ');
  });

  it('names the lines of the entry itself where several entries compute the same', () => {
    place.file(
      'same.tdsl',
      'param w: f32 = uniform(1, 2)\nparam v: f32 = uniform(1, 3)\nfn half(x: f32): f32 = x * 0.5\nexport fn a(x: f32): f32 = half(sin(x) + w)\nexport fn b(x: f32): f32 = half(sin(x) + w)\nexport step c(x: f32) {\n  w <- grad(half(sin(x) + w * w), w)\n}\n',
    );
    const [report] = jsonLines(tfc('explain', 'same.tdsl', '--json')) as [
      readonly { readonly entry: string; readonly kernels: readonly { readonly lines: readonly string[] }[] }[],
    ];
    const lines = Object.fromEntries(report.map(({ entry, kernels }) => [entry, kernels.flatMap((kernel) => kernel.lines)]));
    expect(lines).toMatchObject({
      a: ['same.tdsl:3', 'same.tdsl:4'],
      b: ['same.tdsl:3', 'same.tdsl:5'],
      '$init/w': ['same.tdsl:1'],
      '$init/v': ['same.tdsl:2'],
    });
    expect(lines['c']?.some((line) => line.startsWith('same.tdsl:7')) && !lines['c'].some((line) => /:[45]/.test(line))).toBe(true);
  });
});
