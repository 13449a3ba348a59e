// Failures as callers meet them. In: arguments that make no sense, outputs that take nothing, processes that break. Out: a TfcError with
// code and hint, or a coded error of the command; never a stack trace.

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  compile,
  CompileError,
  compileSync,
  InternalError,
  openDataset,
  openRun,
  openTrainingRun,
  readCsv,
  readDigits,
  TfcError,
  train,
  inMemory,
  writeSafetensors,
} from '../../src/driver/index.js';
import { toTfcError } from '../../src/driver/api/failures.js';
import { DiagnosticsError } from '../../src/base/index.js';
import { cli, jsonError, workplace } from './tfc.js';

const place = workplace();
process.env['TFC_CACHE'] = place.cache;
const square = join(
  place.directory,
  place.file(
    'square.tdsl',
    'dim N = 2\nexport fn square(x: f32[N]): f32[N] = x * x\nexport fn any<...S>(x: f32[...S]): f32[...S] = x + 1\n',
  ),
);

function failure(body: () => unknown): TfcError {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(TfcError);
    return error as TfcError;
  }
  throw new Error('nothing was thrown');
}
const rejection = async (body: () => Promise<unknown>): Promise<TfcError> => {
  const error: unknown = await body().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return failure(() => {
    throw error;
  });
};

const revoked = Proxy.revocable({}, {});
revoked.revoke();
const trap = new Proxy(
  {},
  {
    get: () => {
      throw new Error('trap');
    },
    ownKeys: () => {
      throw new Error('trap');
    },
  },
);
const strange: readonly unknown[] = [
  null,
  '',
  5,
  1.5,
  NaN,
  2n ** 80n,
  'a\0b',
  true,
  {},
  [],
  Symbol('s'),
  () => 1,
  trap,
  revoked.proxy,
  {
    toString: () => {
      throw new Error('text');
    },
  },
  Object.create(null),
];
const isArray = (value: unknown): boolean => value !== revoked.proxy && Array.isArray(value);
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && value !== trap && value !== revoked.proxy;

const data = inMemory([{ name: 'x', data: Float32Array.of(1), rows: 1, rowShape: [] }]);

describe('the API', () => {
  it.each(strange.map((value, at) => [at, value] as const))(
    'refuses strange value %i by a code, wherever it is given',
    async (_, value) => {
      const any = value as never;
      if (value !== 'a\0b' && typeof value === 'string' && value !== '') return;
      const codes = [
        failure(() => compileSync(any)),
        await rejection(() => compile(any)),
        await rejection(() => compile(square, { cpu: any })),
        await rejection(() => compile(square, { set: { N: value === 5 ? -5 : any } })),
        failure(() => readCsv(any)),
        failure(() => readDigits(any)),
        failure(() => train(typeof value === 'function' ? ('no' as never) : any, { data, batch: 1, epochs: 1, seed: 0 })),
        failure(() => writeSafetensors(any, [])),
        ...(isArray(value) ? [] : [failure(() => writeSafetensors(join(place.directory, 'w'), any))]),
        ...(isObject(value) ? [] : [await rejection(() => compile(square, any)), await rejection(() => compile(square, { set: any }))]),
        ...(value === 5
          ? []
          : (['batch', 'epochs', 'seed'] as const).map((name) =>
              failure(() => train(() => 1, { data, batch: 1, epochs: 1, seed: 0, [name]: any })),
            )),
        failure(() => train(() => 1, { data: any, batch: 1, epochs: 1, seed: 0 })),
        ...(['rest', 'signal', ...(value === true ? [] : ['shuffle', 'stopOnNan'])] as const).map((name) =>
          failure(() => train(() => 1, { data, batch: 1, epochs: 1, seed: 0, [name]: any })),
        ),
        ...(isArray(value) ? [] : [failure(() => inMemory(any))]),
      ];
      expect(codes.map(({ code }) => code)).toEqual(codes.map(() => 'invalid-value'));
      expect(existsSync(join(place.directory, 'w'))).toBe(false);
    },
  );

  it('refuses options that no call has, and says which one is near', async () => {
    using model = compileSync(square);
    using session = model.session();
    const [entry] = model.entries;
    const training = { data, batch: 1, epochs: 1, seed: 0 };
    const run = { ...training, checkpoints: { directory: join(place.directory, 'never') } };
    const refused: readonly [string, Promise<TfcError> | TfcError, near: string][] = [
      ['compile has no option "stet"', failure(() => compileSync(square, { stet: {} } as never)), 'set'],
      ['compile has no option "onwarning"', await rejection(() => compile(square, { onwarning: () => 1 } as never)), 'onWarning'],
      [
        'openDataset has no option "formats"',
        await rejection(() => openDataset('x.csv', entry as never, { formats: 'csv' } as never)),
        'format',
      ],
      ['train has no option "epoch"', failure(() => train(() => 1, { ...training, epoch: 1 } as never)), 'epochs'],
      [
        'openTrainingRun has no option "resum"',
        failure(() => openTrainingRun(model, session, 'square', { ...run, resum: true } as never)),
        'resume',
      ],
      [
        'openTrainingRun, checkpoints, has no option "kept"',
        failure(() => openTrainingRun(model, session, 'square', { ...run, checkpoints: { ...run.checkpoints, kept: 2 } } as never)),
        'keep',
      ],
      [
        'openTrainingRun, earlyStop, has no option "patient"',
        failure(() => openTrainingRun(model, session, 'square', { ...run, earlyStop: { metric: 'loss', patient: 2 } } as never)),
        'patience',
      ],
      [
        'openRun has no option "thread"',
        await rejection(() => openRun(join(place.directory, 'never'), 'a', { thread: 2 } as never)),
        'threads',
      ],
      [
        'batches has no option "shufle"',
        failure(() => data.batches({ epoch: 1, seed: 1, batch: 1, shufle: true, shuffle: true, rest: 'keep' } as never)),
        'shuffle',
      ],
    ];
    for (const [message, error, near] of refused)
      expect(await error).toMatchObject({ code: 'invalid-value', message: `${message}.`, hint: `Did you mean ${near}?` });
    expect(existsSync(join(place.directory, 'never'))).toBe(false);
  });

  it('refuses passes over data that make no sense', () => {
    const pass = { epoch: 1, seed: 1, batch: 1, shuffle: true, rest: 'keep' } as const;
    expect([...(data.batches(pass) as Iterable<{ rows: number }>)].map(({ rows }) => rows)).toEqual([1]);
    for (const wrong of [
      undefined,
      null,
      5,
      {},
      { epoch: 0 },
      { batch: 0 },
      { batch: 1.5 },
      { batch: -1 },
      { batch: 2 ** 60 },
      { seed: undefined },
      { seed: NaN },
      { shuffle: 1 },
      { rest: 'all' },
      { from: -1 },
    ])
      expect(
        failure(() =>
          data.batches(
            (typeof wrong === 'object' && wrong !== null && Object.keys(wrong).length > 0 ? { ...pass, ...wrong } : wrong) as never,
          ),
        ).code,
      ).toBe('invalid-value');
  });

  it('takes the element type of columns that share their arrays', () => {
    const column = { name: 'x', data: Uint16Array.of(0x3c00, 0x4000), rows: 2, rowShape: [] };
    expect(inMemory([{ ...column, dtype: 'f16' }]).columns).toEqual([{ name: 'x', dtype: 'f16', rowShape: [] }]);
    expect(inMemory([column]).columns).toEqual([{ name: 'x', dtype: 'u16', rowShape: [] }]);
    expect(failure(() => inMemory([{ ...column, dtype: 'f32' }]))).toMatchObject({
      code: 'invalid-value',
      message: expect.stringContaining('Float32Array') as string,
    });
    expect(failure(() => inMemory([{ ...column, dtype: 'half' as never }])).code).toBe('bad-data');
  });

  it('refuses columns that are not what they say', () => {
    const column = { name: 'x', data: Float32Array.of(1, 2), rows: 2, rowShape: [] };
    expect(inMemory([column])).toMatchObject({ rows: 2, columns: [{ name: 'x', dtype: 'f32', rowShape: [] }] });
    for (const wrong of [
      null,
      5,
      {},
      { ...column, rows: 3 },
      { ...column, rowShape: [2] },
      { ...column, rowShape: [-1] },
      { ...column, data: [1, 2] },
      { ...column, name: 5 },
      trap,
    ]) {
      expect(failure(() => inMemory([wrong as never])).code).toBe('invalid-value');
    }
  });

  it('tells mistakes in programs and files by the code of the first', async () => {
    const broken = join(
      place.directory,
      place.file('broken.tdsl', 'export fn f(x: f32): f32 = x + oops\nexport fn g(x: f32[2], y: f32[3]): f32[2] = x + y\n'),
    );
    const error = await rejection(() => compile(broken));
    expect(error).toBeInstanceOf(CompileError);
    expect(error).toMatchObject({ name: 'CompileError', code: 'unknown-name' });
    expect((error as CompileError).diagnostics.map(({ code }) => code)).toContain('shape-mismatch');
    expect(await rejection(() => compile('nowhere.tdsl'))).toMatchObject({ code: 'file-not-found', hint: expect.any(String) as string });
    expect(failure(() => compileSync(square, { cpu: 'abacus' }))).toMatchObject({
      code: 'invalid-value',
      hint: expect.any(String) as string,
    });
    expect(failure(() => compileSync(square, { set: { M: 3 } })).code).toBe('unknown-dim');
    expect(failure(() => readCsv('nowhere.csv')).code).toBe('file-not-found');
    expect(failure(() => readDigits(place.directory)).code).toBe('file-not-found');
    place.file('ragged.csv', 'a,b\n1,2\n3\n');
    expect(failure(() => readCsv(join(place.directory, 'ragged.csv'))).code).toBe('bad-data');
  });

  it('tells our own failures by a code, with the pass and what broke', () => {
    expect(toTfcError(new InternalError('lower', 'no such form'))).toMatchObject({
      code: 'internal-error',
      message: 'internal error in lower: no such form',
      hint: expect.stringContaining('report') as string,
      cause: { pass: 'lower' },
    });
    expect(toTfcError(new TypeError('x is undefined'))).toMatchObject({
      code: 'internal-error',
      message: 'internal error in driver: x is undefined',
    });
    expect(toTfcError(trap)).toMatchObject({ code: 'internal-error' });
    expect(new DiagnosticsError([{ code: 'bad-data', message: 'what?', hint: 'write it' }])).toMatchObject({
      code: 'bad-data',
      hint: 'write it',
    });
    expect(toTfcError(new DiagnosticsError([{ code: 'syntax-error', message: 'what?', hint: 'write it' }]))).toMatchObject({
      code: 'syntax-error',
      hint: 'write it',
    });
  });

  it('tells of a compiling process that breaks, for open ranks as well', async () => {
    using model = await compile(square);
    using session = model.session();
    const path = process.env['NODE_OPTIONS'];
    process.env['NODE_OPTIONS'] =
      `--require ${join(place.directory, place.file('crash.cjs', "if (/worker\\.c?js$/.test(process.argv[1] ?? '')) throw new Error('of its own accord');\n"))}`;
    try {
      for (const error of [await rejection(() => compile(square, { set: { N: 77 } })), failure(() => session.run('any', { x: [[1]] }))]) {
        expect(error).toMatchObject({
          code: 'internal-error',
          message: 'internal error in compile process: it ended with exit code 1: Error: of its own accord',
        });
      }
    } finally {
      if (path === undefined) delete process.env['NODE_OPTIONS'];
      else process.env['NODE_OPTIONS'] = path;
    }
  });

  it('warns of a cache that cannot be used by a warning of the process', () => {
    const script = `import(${JSON.stringify(join(import.meta.dirname, '..', '..', 'dist', 'bundle', 'index.js'))}).then(async ({ compile }) => {
      process.on('warning', ({ name, message }) => console.log(name, message));
      for (const _ of [1, 2]) console.log((await compile(${JSON.stringify(square)})).session().run('square', { x: [2, 3] }).data.join());
    });`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', '-e', script], {
      encoding: 'utf8',
      env: { ...process.env, TFC_CACHE: square },
    });
    expect(stderr).toBe('');
    expect(stdout.split('\n').filter((line) => line.startsWith('TfcWarning the compile cache cannot be used'))).toHaveLength(1);
    expect(stdout.split('\n').filter((line) => line === '4,9')).toHaveLength(2);
  });
});

describe('the command', () => {
  const shell = (line: string) =>
    spawnSync('sh', ['-c', line, process.execPath, cli], {
      cwd: place.directory,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    });
  const commands = [
    'check square.tdsl',
    'run square.tdsl square --feed x=[1,2] --steps 3',
    'compile square.tdsl --emit graph',
    'explain square.tdsl',
    '--help',
  ];

  it.each(commands)('says that standard output takes nothing: %s', (args) => {
    const { status, stderr } = shell(`"$0" "$1" ${args} > /dev/full`);
    expect([status, stderr]).toEqual([1, 'error[file-not-written]: standard output: no space left\n']);
    if (args === '--help') return;
    expect(JSON.parse(shell(`"$0" "$1" ${args} --json > /dev/full`).stderr)).toMatchObject({ error: { code: 'file-not-written' } });
  });

  it('goes on without standard error, and without a reader', () => {
    for (const closed of ['2>&-', '2>/dev/full', '>&- 2>&-'])
      expect(shell(`"$0" "$1" check nowhere.tdsl ${closed}`).status, closed).toBe(1);
    expect(shell('"$0" "$1" run square.tdsl square --feed x=[1,2] --steps 1000000000 | head -n 1')).toMatchObject({
      stdout: '[1,4]\n',
      stderr: '',
    });
  }, 60_000);

  it('ends in the same form when something throws that nobody catches', () => {
    const late = (what: string): string =>
      join(
        place.directory,
        place.file(
          'late.cjs',
          `const real = process.stdout.write; process.stdout.write = function (...args) { ${what}; return real.apply(this, args); };\n`,
        ),
      );
    for (const what of ["Promise.reject(new Error('late'))", "setImmediate(() => { throw new Error('late'); })", 'Promise.reject(5)']) {
      const outcome = place.tfcWith({ NODE_OPTIONS: `--require ${late(what)}` }, 'check', 'square.tdsl');
      expect([outcome.status, outcome.err]).toEqual([
        1,
        expect.stringMatching(/^internal error in driver: .*\nThis is a defect of tfc.*\n$/),
      ]);
    }
  });

  it.each([
    [['--seed', '1.5'], 2],
    [['--seed', '-1'], 2],
    [['--seed', '99999999999999999999'], 2],
    [['--steps', '1e3'], 2],
    [['--steps', '99999999999999999999'], 2],
    [['--threads', '1025'], 1],
    [['--threads', '9007199254740991'], 1],
    [['--set', 'N=99999999999999999999'], 2],
  ])('tfc run with %j ends with %i', (args, wanted) => {
    const outcome = place.tfc('run', 'square.tdsl', 'square', '--feed', 'x=[1,2]', ...args, '--json');
    expect([outcome.status, outcome.err]).toEqual([wanted, '']);
    expect(jsonError(outcome).code).not.toBe('internal-error');
  });

  it('saves nothing over what is no file, and says so before it trains', () => {
    place.file('step.tdsl', 'param w: f32 = 1\nexport step train<B>(x: f32[B]): f32 {\n  w <- w + sum(x)\n  return w\n}\n');
    place.file('data.json', '{"x": [1, 2, 3]}');
    mkdirSync(join(place.directory, 'folder'), { recursive: true });
    const save = (to: string) =>
      place.tfc('train', 'step.tdsl', '--data', 'data.json', '--batch', '1', '--epochs', '1', '--save', to, '--json');
    for (const to of ['folder', '/dev/null', 'nowhere/w', 'data.json/w', '/dev/stdout']) {
      const outcome = save(to);
      expect([to, outcome.status, jsonError(outcome).code]).toEqual([to, 1, 'file-not-written']);
    }
    writeFileSync(join(place.directory, 'w'), 'old');
    chmodSync(join(place.directory, 'w'), 0o600);
    expect(save('w').status).toBe(0);
    expect(readdirSync(place.directory).filter((name) => name.endsWith('.part'))).toEqual([]);
    expect(jsonError(place.tfc('graph', 'square.tdsl', '-o', '/dev/null/x.dot', '--json')).code).toBe('file-not-written');
  });
});
