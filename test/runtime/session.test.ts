// Sessions on a module written by hand: runs, variables, closing, initial values, repeated runs.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { VariableSpec } from '../../runtime/abi/manifest.js';
import { type BoundEntry, type FetchRequest, type Session, Tensor, TfcError, openModule, tensor, toJson } from '../../runtime/index.js';
import { allocate } from '../../runtime/element.js';
import { compileFixture, manifest, scratch, thrown } from './fixture.js';

const directory = scratch();
const path = compileFixture(directory, 'module');
const open = (): Session => openModule(path).session({ threads: 1 });

interface Fixture {
  readonly train: {
    readonly feeds: { readonly x: Float32Array; readonly y: Float32Array };
    readonly result: { readonly loss: number; readonly count: number };
  };
}

const failure = (body: () => unknown): TfcError => {
  const error = thrown(body);
  expect(error).toBeInstanceOf(TfcError);
  return error as TfcError;
};

describe('running entries', () => {
  test('scalars, tensors, records', () => {
    using session = open();
    const result = session.run('scale', {
      x: [
        [1, 2, 3],
        [4, 5, 6],
      ],
      factor: 2,
    }) as Tensor;
    expect(result).toBeInstanceOf(Tensor);
    expect(result.shape).toEqual([2, 3]);
    expect(result.toArray()).toEqual([
      [2, 4, 6],
      [8, 10, 12],
    ]);
    session.set('net/w', [1, 1]);
    expect(session.run('train', { x: Float32Array.of(1, 2), y: [5] })).toEqual({ loss: 4, count: 1 });
    expect((session.get('net/w') as Tensor).toArray()).toEqual([2, 3]);
  });

  test('entries are methods, typed when their types are known', () => {
    using session = openModule(path).session<Fixture>({ threads: 1 });
    const { count } = session.train({ x: Float32Array.of(1, 2), y: Float32Array.of(5) });
    expect(count).toBe(1);
    expect(Object.keys(session)).toContain('scale');
    expect('init_w' in session).toBe(false);
  });

  test('an entry named like a method of the session is reached by run', () => {
    using session = open();
    expect(session.run('run', { x: 4 })).toBe(8);
  });

  test('results of one run stay as they are when the entry runs again', () => {
    using session = open();
    const first = session.run('scale', { x: [[1, 2, 3]], factor: 1 }) as Tensor;
    session.run('scale', { x: [[1, 2, 3]], factor: 9 });
    expect(first.toArray()).toEqual([[1, 2, 3]]);
  });

  test('a bound entry that reuses memory overwrites its results', () => {
    using session = open();
    const scale: BoundEntry = session.entry('scale', { reuse: true });
    const first = scale.run({ x: [[1, 2, 3]], factor: 1 }) as Tensor;
    const second = scale.run({ x: [[1, 2, 3]], factor: 9 }) as Tensor;
    expect(second.data).toBe(first.data);
    expect(first.toArray()).toEqual([[9, 18, 27]]);
    const wider = scale.run({
      x: [
        [1, 2, 3],
        [4, 5, 6],
      ],
      factor: 1,
    }) as Tensor;
    expect(wider.shape).toEqual([2, 3]);
    expect(first.shape).toEqual([1, 3]);
  });

  test('a typed array is read at every run, and sizes may change from run to run', () => {
    using session = open();
    const x = Float32Array.of(1, 2, 3);
    expect(toJson(session.run('scale', { x, factor: 1 }))).toEqual([[1, 2, 3]]);
    x[0] = 10;
    expect(toJson(session.run('scale', { x, factor: 1 }))).toEqual([[10, 2, 3]]);
    expect(toJson(session.run('scale', { x: new Float32Array(0), factor: 1 }))).toEqual([]);
    expect(toJson(session.run('scale', { x: Float32Array.of(1, 2, 3, 4, 5, 6), factor: 1 }))).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(toJson(session.run('scale', { x, factor: 2 }))).toEqual([[20, 4, 6]]);
  });

  test('views, shared memory and moved memory', () => {
    using session = open();
    const shared = new Float32Array(new SharedArrayBuffer(24)).fill(1.5);
    expect(toJson(session.run('scale', { x: shared.subarray(3), factor: 2 }))).toEqual([[3, 3, 3]]);
    const moved = new Float32Array(3).fill(1);
    session.run('scale', { x: moved, factor: 2 });
    structuredClone(moved.buffer, { transfer: [moved.buffer] });
    expect(moved.length).toBe(0);
    expect(thrown(() => session.run('scale', { x: moved, factor: 2 }))).toMatchObject({ code: 'bad-data', feed: 'x' });
    expect(toJson(session.run('scale', { x: new Float32Array(0), factor: 2 }))).toEqual([]);
  });

  test('every dtype goes through unchanged', () => {
    using session = open();
    const feeds = { a: 2n ** 62n, b: [true, false], c: [0, 255], d: [0.5, -65504], e: 1.5, f: [1, -2, 3, 4, 5, 6], g: [0.1, NaN, 1e300] };
    const result = session.run('echo', feeds);
    expect(toJson(result)).toEqual([
      '4611686018427387904',
      [true, false],
      [0, 255],
      [0.5, -65504],
      1.5,
      [1, -2, 3, 4, 5, 6],
      [0.1, 'NaN', 1e300],
    ]);
    const again = {
      ...feeds,
      a: '-5',
      b: Uint8Array.of(1, 0),
      c: Uint8Array.of(1, 2),
      d: Uint16Array.of(0x3c00, 0x0001),
      e: 'NaN',
      f: Int32Array.of(1, 2, 3, 4, 5, 6),
      g: tensor(Float64Array.of(1, 2, 3)),
    };
    expect(toJson(session.run('echo', again))).toEqual([-5, [true, false], [1, 2], [1, 2 ** -24], 'NaN', [1, 2, 3, 4, 5, 6], [1, 2, 3]]);
  });
});

describe('repeated runs', () => {
  test('the same feeds, again and again', () => {
    using session = open();
    session.set('net/w', [0, 0]);
    const { steps, series, last } = session.runSteps('train', { x: [[1, 1]], y: [0] }, { steps: 3 });
    expect(steps).toBe(3);
    expect([...(series['loss'] ?? [])]).toEqual([0, 4, 16]);
    expect([...(series['count'] ?? [])]).toEqual([1, 2, 3]);
    expect(last).toEqual({ loss: 16, count: 3 });
    expect(session.runSteps('train', { x: [[1, 1]], y: [0] }, { steps: 0 })).toMatchObject({ steps: 0, last: undefined });
  });

  test('batches are the same as single runs on their rows', () => {
    const x = Float32Array.from({ length: 14 }, (_, at) => at / 7);
    const y = Float32Array.from({ length: 7 }, (_, at) => at);
    using batched = open();
    using single = open();
    const losses: number[] = [];
    for (let epoch = 0; epoch < 2; epoch += 1) {
      for (let row = 0; row < 7; row += 3) {
        const result = single.run('train', { x: x.subarray(2 * row, 2 * row + 6), y: y.subarray(row, row + 3) }) as { loss: number };
        losses.push(result.loss);
      }
    }
    const { steps, series } = batched.runSteps('train', { x, y }, { batch: { B: 3 }, epochs: 2 });
    expect(steps).toBe(6);
    expect([...(series['loss'] ?? [])]).toEqual(losses);
    expect(batched.get('net/t')).toBe(6);
    expect((batched.get('net/w') as Tensor).toArray()).toEqual((single.get('net/w') as Tensor).toArray());
    expect(batched.run('train', { x: x.subarray(0, 2), y: y.subarray(0, 1) })).toEqual(
      single.run('train', { x: x.subarray(0, 2), y: y.subarray(0, 1) }),
    );
    expect(batched.runSteps('train', { x, y }, { batch: { B: 100 } }).steps).toBe(1);
  });

  test('options that do not fit', () => {
    using session = open();
    const feeds = { x: [[1, 1]], y: [0] };
    expect(failure(() => session.runSteps('train', feeds, { steps: -1 })).code).toBe('invalid-value');
    expect(failure(() => session.runSteps('train', feeds, { steps: 1, batch: { B: 1 } })).code).toBe('invalid-value');
    expect(failure(() => session.runSteps('train', feeds, { batch: { C: 1 } })).code).toBe('unknown-dim');
    expect(failure(() => session.runSteps('train', feeds, { batch: { B: 0 } })).code).toBe('invalid-value');
    expect(
      failure(() => session.runSteps('echo', { a: 1, b: [true], c: [1], d: [1], e: 1, f: [1], g: [1] }, { batch: { N: 1 } })).message,
    ).toContain('feed f uses it');
  });
});

describe('variables', () => {
  test('initial values come from the seed and from constants', () => {
    const module = openModule(path);
    using session = module.session({ seed: 5, threads: 1 });
    expect((session.get('net/w') as Tensor).toArray()).toEqual([5, 6]);
    expect(session.get('net/t')).toBe(0);
    expect((session.get('net/u') as Tensor).toArray()).toEqual([5, 2]);
    expect(session.isInitialized('net/v')).toBe(false);
    session.set('net/u', [1, 2]);
    session.set('net/t', 3);
    session.initialize(['net/w'], 8n);
    expect((session.get('net/w') as Tensor).toArray()).toEqual([8, 9]);
    expect((session.get('net/u') as Tensor).toArray()).toEqual([1, 2]);
    session.initialize(['net/u'], 8n);
    expect((session.get('net/u') as Tensor).toArray()).toEqual([8, 5]);
    expect((session.get('net/w') as Tensor).toArray()).toEqual([8, 9]);
    session.initialize();
    expect([(session.get('net/u') as Tensor).toArray(), session.get('net/t')]).toEqual([[5, 2], 0]);
    expect(failure(() => session.initialize(['net/v'])).code).toBe('uninitialized-variable');
  });

  test('constants fill variables of any type and size', () => {
    const filled: readonly VariableSpec[] = (
      [
        ['bf16', 30_011, -0.5],
        ['f64', 5, 0.1],
        ['i64', 1_000_003, -7],
        ['bool', 65_537, 1],
        ['f32', 0, 3],
        ['f32', 600_000, 0.25],
      ] as const
    ).map(([dtype, length, value], at) => ({
      path: `c${at}`,
      dtype,
      shape: [length],
      kind: 'state',
      initial: { kind: 'constant', value },
    }));
    using session = openModule(compileFixture(directory, 'filled', { ...manifest, variables: [...manifest.variables, ...filled] })).session(
      { threads: 1 },
    );
    for (const { path: name, shape, initial } of filled) {
      const values = new Set((session.get(name) as Tensor).toArray() as readonly (number | boolean)[]);
      const expected = initial.kind === 'constant' ? initial.value : NaN;
      expect([...values].map(Number)).toEqual(shape[0] === 0 ? [] : [expected]);
    }
    session.set('c1', [1, 2, 3, 4, 5]);
    session.initialize(['c1']);
    expect((session.get('c1') as Tensor).toArray()).toEqual([0.1, 0.1, 0.1, 0.1, 0.1]);
    expect((session.get('c0') as Tensor).toArray()).toHaveLength(30_011);
  });

  test('rows that lie apart are plain row-major to callers, and come back from a checkpoint', () => {
    const specs: readonly VariableSpec[] = (
      [
        ['f32', [3, 30], 32],
        ['bool', [4, 60], 64],
        ['f64', [2, 3, 15], 16],
        ['i64', [5, 0], 8],
        ['bf16', [0, 30], 32],
        ['i32', [7, 16], 16],
      ] as const
    ).map(([dtype, shape, pitch], at) => ({ path: `p${at}`, dtype, shape, pitch, kind: 'state', initial: { kind: 'constant', value: 1 } }));
    const apart = compileFixture(directory, 'apart', { ...manifest, variables: [...manifest.variables, ...specs] });
    const saved = join(directory, 'apart.safetensors');
    const numbered = ({ shape, dtype }: VariableSpec): number[] =>
      Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, at) => (dtype === 'bool' ? (at % 3) & 1 : at));
    const dataOf = (session: Session, { path: name }: VariableSpec): number[] =>
      Array.from((session.get(name) as Tensor).data as Iterable<number | bigint>, Number);
    {
      using session = openModule(apart).session({ threads: 1 });
      session.set('net/v', 3);
      for (const spec of specs) {
        expect(dataOf(session, spec).every((value) => value === (spec.dtype === 'bf16' ? 0x3f80 : 1))).toBe(true);
        const data = allocate(spec.dtype, numbered(spec).length);
        numbered(spec).forEach((value, at) => (data[at] = (data instanceof BigInt64Array ? BigInt(value) : value) as never));
        session.set(spec.path, tensor(data, spec.shape, spec.dtype));
      }
      for (const spec of specs) expect(dataOf(session, spec)).toEqual(numbered(spec));
      session.save(saved);
    }
    using again = openModule(apart).session({ threads: 1 });
    again.restore(saved);
    for (const spec of specs) expect(dataOf(again, spec)).toEqual(numbered(spec));
    // A file knows nothing of how rows lie in memory.
    using plain = openModule(
      compileFixture(directory, 'plain', {
        ...manifest,
        variables: [...manifest.variables, ...specs.map(({ pitch: _, ...spec }) => spec)],
      }),
    ).session({ threads: 1 });
    plain.restore(saved);
    for (const spec of specs) expect(dataOf(plain, spec)).toEqual(numbered(spec));
  });

  test('artifacts whose rows lie otherwise do not share a session', () => {
    const inRows = (pitch: number): unknown => ({
      ...manifest,
      variables: [...manifest.variables, { path: 'p', dtype: 'f32', shape: [3, 30], pitch, kind: 'state', initial: { kind: 'none' } }],
    });
    const other = compileFixture(directory, 'pitch64', inRows(64));
    using session = openModule(compileFixture(directory, 'pitch32', inRows(32)), { resolveOpen: () => other }).session({ threads: 1 });
    const error = failure(() => session.run('wide', { x: [[1]] }));
    expect([error.code, error.message]).toEqual([
      'bad-artifact',
      expect.stringContaining('p: f32[3, 30] in rows of 64 in place of p: f32[3, 30] in rows of 32'),
    ]);
    for (const [shape, pitch] of [
      [[30], 32],
      [[3, 30], 29],
      [[3, 30], -1],
    ] as const) {
      const wrong = compileFixture(directory, `wrong${shape.length}${pitch}`, {
        ...manifest,
        variables: [{ path: 'p', dtype: 'f32', shape, pitch, kind: 'state', initial: { kind: 'none' } }, ...manifest.variables.slice(1)],
      });
      expect(failure(() => openModule(wrong)).message).toContain('variables/0');
    }
  });

  test('two sessions share nothing', () => {
    const module = openModule(path);
    using first = module.session({ threads: 1 });
    using second = module.session({ threads: 1 });
    first.set('net/w', [3, 4]);
    expect((second.get('net/w') as Tensor).toArray()).toEqual([0, 1]);
  });

  test('a variable without a value is named', () => {
    const module = openModule(path);
    using session = module.session({ initialize: false, threads: 1 });
    const error = failure(() => session.run('needs'));
    expect([error.code, error.variable]).toEqual(['uninitialized-variable', 'net/v']);
    expect(failure(() => session.run('train', { x: [[1, 1]], y: [0] })).message).toBe(
      'train reads net/w (and 1 more: net/t) before it has a value.',
    );
    expect(failure(() => session.get('net/v')).code).toBe('uninitialized-variable');
    session.set('net/v', 2.5);
    expect(session.run('needs')).toBe(2.5);
  });

  test('wrong paths, shapes and dtypes', () => {
    using session = open();
    expect(failure(() => session.get('net/x'))).toMatchObject({ code: 'unknown-variable', hint: 'Did you mean net/w?' });
    // An entry called `get` would be called like this.
    expect(failure(() => (session.get as (what: unknown) => unknown)({ x: 1 }))).toMatchObject({
      code: 'invalid-value',
      hint: expect.stringContaining('session.run(name, feeds)') as string,
    });
    expect(failure(() => session.set('net/w', [1]))).toMatchObject({ code: 'shape-mismatch', expected: 'f32[2]', actual: 'f32[1]' });
    expect(failure(() => session.set('net/w', Float64Array.of(1, 2))).code).toBe('dtype-mismatch');
    expect((session.get('net/w') as Tensor).toArray()).toEqual([0, 1]);
  });
});

describe('closing', () => {
  test('every use of a closed session says so', () => {
    const session = open();
    const bound = session.entry('scale');
    bound.run({ x: [[1, 2, 3]], factor: 1 });
    session.close();
    session.close();
    expect(session.closed).toBe(true);
    const uses = [
      () => session.run('needs'),
      () => bound.run({ x: [[1, 2, 3]], factor: 1 }),
      () => bound.runSteps({ x: [[1, 2, 3]], factor: 1 }),
      () => session.get('net/w'),
      () => session.set('net/w', [1, 2]),
      () => session.initialize(),
      () => session.entry('scale'),
      () => session.arenaBytes,
      () => session.save(`${directory}/closed.safetensors`),
      () => session.run(['net/w']),
    ];
    for (const use of uses) expect(failure(use).code).toBe('session-closed');
  });

  test('a session outlives the closing of its module', () => {
    const module = openModule(path);
    using session = module.session({ threads: 1 });
    module.close();
    expect(session.run('run', { x: 1 })).toBe(2);
    expect(failure(() => module.session()).code).toBe('session-closed');
  });

  test('many sessions come and go', () => {
    const module = openModule(path);
    const before = process.memoryUsage.rss();
    for (let round = 0; round < 200; round += 1) {
      using session = module.session({ threads: 3 });
      session.run('sum', { x: new Float64Array(40_000) });
    }
    // Each would keep 320 KB of arena if it were not freed.
    expect(process.memoryUsage.rss() - before).toBeLessThan(150e6);
  });
});

describe('open ranks and fetches', () => {
  const wide = compileFixture(directory, 'wide', {
    ...manifest,
    entries: manifest.entries.map((entry) => (entry.name === 'scale' ? { ...entry, name: 'scale', ranks: { S: 1 } } : entry)),
  });

  const fetching = compileFixture(directory, 'fetching', {
    ...manifest,
    entries: manifest.entries.map((entry) =>
      entry.name === 'needs' ? { ...entry, result: { kind: 'tuple', items: [{ kind: 'output', index: 0 }] } } : entry,
    ),
  });

  test('a missing rank is asked of the opener once per rank', () => {
    const asked: string[] = [];
    const open = [{ ...manifest.open[0], name: 'scale' }];
    const entries = manifest.entries.map((entry) => (entry.name === 'scale' ? { ...entry, kind: 'init' } : entry));
    const base = compileFixture(directory, 'base', { ...manifest, open, entries });
    const module = openModule(base, {
      resolveOpen: (name, ranks) => {
        asked.push(`${name} ${JSON.stringify(ranks)}`);
        return wide;
      },
    });
    using session = module.session({ threads: 1 });
    expect(toJson(session.run('scale', { x: [[1, 2, 3]], factor: 2 }))).toEqual([[2, 4, 6]]);
    expect(toJson(session.run('scale', { x: tensor(Float32Array.of(1, 2, 3), [1, 3]), factor: 3 }))).toEqual([[3, 6, 9]]);
    expect(asked).toEqual(['scale {"S":1}']);
    expect(failure(() => session.run('scale', { x: 3, factor: 2 })).code).toBe('shape-mismatch');
    expect(failure(() => session.run('scale', { x: [[[1]]], factor: 2 })).code).toBe('bad-artifact');
    expect(failure(() => session.run('scale', { factor: 2 })).code).toBe('missing-feed');
  });

  test('without an opener the rank is an unknown entry', () => {
    using session = open();
    expect(failure(() => session.run('wide', { x: [1] })).code).toBe('unknown-entry');
    expect(failure(() => session.run(['loss'], {})).code).toBe('unknown-fetch');
  });

  test('fetches run the entry that the opener names, on the same variables', () => {
    const asked: FetchRequest[] = [];
    const module = openModule(path, {
      resolveFetches: (request) => {
        asked.push(request);
        return { path: fetching, entry: 'needs' };
      },
    });
    using session = module.session({ threads: 1 });
    session.set('net/v', 4);
    expect(session.run(['anything'])).toEqual([4]);
    expect(session.run('anything')).toBe(4);
    expect(session.run({ a: ['anything', 'anything'], ['__proto__']: { b: 'anything' } })).toEqual({
      a: [4, 4],
      ['__proto__']: { b: 4 },
    });
    expect(asked).toEqual([{ fetches: ['anything'], fed: [], ranks: {}, give: 'values' }]);
    expect(failure(() => session.run(['one', 'other'])).code).toBe('bad-artifact');
  });

  test('what is fetched is names, some, and not without end', () => {
    using session = openModule(path, { resolveFetches: () => expect.unreachable() as never }).session({ threads: 1 });
    const endless: unknown[] = [];
    endless.push(endless);
    let wide: unknown = 'loss';
    for (let level = 0; level < 40; level += 1) wide = [wide, wide];
    const wrong = [
      [],
      {},
      { a: [] },
      [1],
      { a: null },
      new Map(),
      new Set(['loss']),
      Float32Array.of(1),
      endless,
      wide,
      null,
      5,
      undefined,
    ];
    for (const what of wrong) expect(failure(() => session.run(what as never)).code).toBe('invalid-value');
    const getter = {
      get a() {
        throw new Error('mine');
      },
    };
    expect(failure(() => session.run(getter as never))).toMatchObject({ code: 'invalid-value', message: expect.stringContaining('mine') });
  });

  test('what only the source says is refused without it, with what to do', () => {
    const module = openModule(path);
    const hint = expect.stringContaining('compile("model.tdsl")') as string;
    expect(failure(() => module.graph())).toMatchObject({ code: 'source-missing', hint });
    expect(failure(() => module.session({ summaries: true }))).toMatchObject({ code: 'source-missing', hint });
    using session = module.session({ threads: 1 });
    expect(failure(() => session.run({ a: 'net/w' }))).toMatchObject({ code: 'unknown-fetch', hint });
    expect(session.summaries()).toEqual([]);
  });

  test('an artifact with other variables is refused', () => {
    const other = compileFixture(directory, 'other', {
      ...manifest,
      variables: manifest.variables.slice(0, 3),
      entries: manifest.entries.map((entry) => ({ ...entry, reads: [] })),
    });
    const module = openModule(path, { resolveFetches: () => ({ path: other, entry: 'needs' }) });
    using session = module.session({ threads: 1 });
    expect(failure(() => session.run(['anything'])).message).toContain('nothing in place of net/v: f32');
  });
});
