// Calls that TypeScript would refuse, as JavaScript makes them: each is an error with a code, and what follows works.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TfcError, openModule, tensor, zeros } from '../../runtime/index.js';
import { compileFixture, scratch, thrown } from './fixture.js';

const directory = scratch();
const module = openModule(compileFixture(directory, 'misuse'));
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const throwing = new Proxy(
  {},
  {
    get: () => {
      throw new RangeError('mine');
    },
    ownKeys: () => {
      throw new RangeError('mine');
    },
    has: () => {
      throw new RangeError('mine');
    },
  },
);
const empty: readonly never[] = [];
const odd: readonly unknown[] = [
  undefined,
  null,
  42,
  NaN,
  1.5,
  '',
  'x',
  {},
  empty,
  [1],
  Symbol('s'),
  () => 1,
  2n ** 80n,
  { toString: () => expect.unreachable() as never },
  revoked(),
  throwing,
];

const codeOf = (body: () => unknown): string => {
  const error = thrown(body);
  expect(error).toBeInstanceOf(TfcError);
  return (error as TfcError).code;
};

test('seeds, threads and options', () => {
  for (const seed of [1.5, NaN, '7', null, {}, 2n ** 80n, -(2n ** 63n) - 1n, 2 ** 60])
    expect(codeOf(() => module.session({ seed: seed as never }))).toBe('invalid-value');
  for (const threads of [0, -1, 1.5, 'a', null, 2 ** 40, Symbol('s')])
    expect(codeOf(() => module.session({ threads: threads as never }))).toBe('invalid-value');
  for (const options of [null, 5, 'x', true, revoked(), throwing, { initialize: 5 }])
    expect(codeOf(() => module.session(options as never))).toBe('invalid-value');
  for (const seed of [0, -5, 2n ** 64n - 1n, -(2n ** 63n)]) module.session({ seed }).close();
});

test('entries and feeds', () => {
  using session = module.session();
  for (const name of odd) expect(codeOf(() => session.run(name as never))).toMatch(/^(invalid-value|unknown-entry|unknown-fetch)$/);
  for (const name of odd) expect(codeOf(() => session.entry(name as never))).toMatch(/^(invalid-value|unknown-entry)$/);
  for (const name of odd) expect(codeOf(() => session.runSteps(name as never, {}))).toMatch(/^(invalid-value|unknown-entry)$/);
  for (const feeds of [42, 'x', [1], new Float32Array(3), () => 1, revoked(), throwing])
    expect(codeOf(() => session.run('sum', feeds as never))).toMatch(/^(bad-data|missing-feed)$/);
  // An empty array is a batch without rows.
  for (const x of odd.filter((value) => value !== empty))
    expect(codeOf(() => session.run('scale', { x: x as never, factor: 1 }))).toMatch(
      /^(bad-data|shape-mismatch|dtype-mismatch|missing-feed)$/,
    );
  for (const factor of [null, 'x', {}, [], [1, 2], Symbol('s'), () => 1])
    expect(codeOf(() => session.run('scale', { x: [[1, 2, 3]], factor: factor as never }))).toMatch(
      /^(bad-data|shape-mismatch|dtype-mismatch)$/,
    );
  for (const ranks of [null, 5, { S: 'a' }, { S: -1 }, { S: 1.5 }, { S: 1000 }])
    expect(codeOf(() => session.entry('wide', { ranks: ranks as never }))).toMatch(/^(invalid-value|unknown-entry)$/);
  for (const options of [null, 5, revoked(), throwing, { reuse: 5 }])
    expect(codeOf(() => session.entry('sum', options as never))).toBe('invalid-value');
});

test('steps, batches and epochs', () => {
  using session = module.session();
  const x = new Float64Array(10);
  for (const steps of [-1, 1.5, NaN, 2 ** 40, Infinity, '3', 2n])
    expect(codeOf(() => session.runSteps('sum', { x }, { steps: steps as never }))).toBe('invalid-value');
  for (const batch of [5, {}, { N: 0 }, { N: 1.5 }, { N: 'a' }, { N: 1, B: 2 }, { M: 1 }])
    expect(codeOf(() => session.runSteps('sum', { x }, { batch: batch as never }))).toMatch(/^(invalid-value|unknown-dim)$/);
  expect(codeOf(() => session.runSteps('sum', { x }, { batch: { N: 1 }, epochs: 2 ** 32 }))).toBe('invalid-value');
  for (const options of [null, 5, revoked(), throwing])
    expect(codeOf(() => session.runSteps('sum', { x }, options as never))).toBe('invalid-value');
  expect(session.runSteps('sum', { x }, { steps: 2 }).steps).toBe(2);
});

test('tensors that are too large for nested arrays', () => {
  for (const shape of [
    [2 ** 27, 0],
    [2 ** 27, 1, 0],
    [2 ** 13, 2 ** 13, 2 ** 13, 0],
  ])
    expect(codeOf(() => tensor(new Float32Array(0), shape).toArray())).toBe('out-of-memory');
  expect(tensor(new Float32Array(0), [0, 2 ** 40]).toArray()).toEqual([]);
  expect(tensor(Float32Array.of(1, 2), [1, 2]).toArray()).toEqual([[1, 2]]);
});

test('variables and files', () => {
  using session = module.session();
  for (const path of odd) expect(codeOf(() => session.get(path as never))).toMatch(/^(invalid-value|unknown-variable)$/);
  for (const value of odd)
    expect(codeOf(() => session.set('net/w', value as never))).toMatch(/^(invalid-value|bad-data|shape-mismatch|dtype-mismatch)$/);
  for (const paths of odd.filter((value) => value !== undefined && value !== empty)) {
    expect(codeOf(() => session.initialize(paths as never))).toMatch(/^(invalid-value|unknown-variable)$/);
    expect(codeOf(() => session.save(join(directory, 'never'), { only: paths as never }))).toMatch(/^(invalid-value|unknown-variable)$/);
    expect(codeOf(() => session.save(join(directory, 'never'), [paths] as never))).toMatch(/^(invalid-value|unknown-variable)$/);
    expect(codeOf(() => session.restore(join(directory, 'never'), { only: paths as never }))).toMatch(
      /^(invalid-value|unknown-variable|file-not-found)$/,
    );
  }
  for (const path of odd.filter((value) => value !== 'x')) {
    expect(codeOf(() => session.save(path as never))).toBe('invalid-value');
    expect(codeOf(() => session.restore(path as never))).toMatch(/^(invalid-value|file-not-found)$/);
  }
  for (const options of [null, 5, revoked(), throwing, { rename: 5 }, { metadata: 5 }, { metadata: { a: 5 } }, { rename: () => 'x' }])
    expect(codeOf(() => session.save(join(directory, 'never'), options as never))).toBe('invalid-value');
  for (const options of [
    null,
    5,
    revoked(),
    throwing,
    { rename: null },
    { rename: 5 },
    { partial: 1 },
    { convert: 'x' },
    { rename: () => 5 },
  ])
    expect(codeOf(() => session.restore(join(directory, 'never'), options as never))).toMatch(/^(invalid-value|file-not-found)$/);
  expect(existsSync(join(directory, 'never'))).toBe(false);
  for (const seed of [1.5, 'x', null]) expect(codeOf(() => session.initialize(undefined, seed as never))).toBe('invalid-value');
});

test('paths of modules, tensors and zeros', () => {
  for (const path of [undefined, null, 5, '', 'a\0b', {}, Symbol('s'), revoked()])
    expect(codeOf(() => openModule(path as never))).toBe('invalid-value');
  for (const shape of [null, 5, 'x', revoked(), throwing, [-1], [1.5], ['2'], [NaN], new Array(100).fill(1), [2 ** 40, 2 ** 40]])
    expect(codeOf(() => zeros(shape as never))).toBe('bad-data');
  for (const shape of [[2 ** 45], [2 ** 50]]) expect(codeOf(() => zeros(shape, 'f64'))).toBe('out-of-memory');
  for (const data of odd) expect(codeOf(() => tensor(data as never))).toBe('dtype-mismatch');
  for (const shape of [5, [-1], ['3']]) expect(codeOf(() => tensor(new Float32Array(3), shape as never))).toBe('bad-data');
  expect(codeOf(() => tensor(new Float32Array(3), [3], 'f99' as never))).toBe('bad-data');
});

test('options that no call has say which one is near', () => {
  const session = module.session({ threads: 1 });
  const path = join(directory, 'never');
  const x = zeros([2]);
  const calls: readonly [string, (options: never) => unknown, misspelt: string, near: string][] = [
    ['openModule', (options) => openModule(path, options), 'adon', 'addon'],
    ['session', (options) => module.session(options), 'sed', 'seed'],
    ['session', (options) => module.session(options), 'trapNaN', 'trapNan'],
    ['entry', (options) => session.entry('sum', options), 'reus', 'reuse'],
    ['runSteps', (options) => session.runSteps('sum', { x }, options), 'epoch', 'epochs'],
    ['save', (options) => session.save(path, options), 'renames', 'rename'],
    ['restore', (options) => session.restore(path, options), 'partail', 'partial'],
  ];
  for (const [call, body, name, near] of calls) {
    const error = thrown(() => body({ [name]: undefined } as never));
    expect(error).toMatchObject({ code: 'invalid-value', message: `${call} has no option "${name}".`, hint: `Did you mean ${near}?` });
  }
  for (const name of ['__proto__', 'constructor', 'then', 'toString', 'x y'])
    expect(thrown(() => module.session(JSON.parse(`{ ${JSON.stringify(name)}: 1 }`) as never))).toMatchObject({
      code: 'invalid-value',
      hint: expect.stringMatching(/seed/) as string,
    });
  expect(existsSync(path)).toBe(false);
  session.close();
});
