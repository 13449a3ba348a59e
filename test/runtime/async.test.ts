// Steps on another thread: what goes on meanwhile, what has to wait, and how they end.
import { spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/driver/package.js';
import { loadNative } from '../../runtime/native.js';
import { type Feeds, type Session, type Tensor, TfcError, openModule, tensor, toJson } from '../../runtime/index.js';
import { compileFixture, scratch, thrown } from './fixture.js';

const folder = scratch();
const path = compileFixture(folder, 'async');
const module = openModule(path);
const open = (threads = 1): Session => module.session({ threads });
const dwelt = (session: Session, x: readonly number[], ms: number): Promise<unknown> =>
  session.runAsync('dwell', { x: Float32Array.from(x), ms });
/** What a promise is rejected with. */
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable('was fulfilled') as never,
    (error: unknown) => error,
  );
/** `count` batches for `train`, of one row each. */
const rows = (count: number): Feeds[] => Array.from({ length: count }, (_, at) => ({ x: Float32Array.of(1, at), y: Float32Array.of(at) }));

describe('a run on another thread', () => {
  test('gives what a run gives', async () => {
    using session = open();
    using other = open();
    for (const x of [
      [[1, 2, 3]],
      Float32Array.of(4, 5, 6, 7, 8, 9),
      tensor(Float32Array.of(1, 1, 1), [1, 3]),
      { data: [3, 2, 1], shape: [1, 3] },
    ])
      expect(toJson((await session.runAsync('scale', { x: x as never, factor: 2 })) as Tensor)).toEqual(
        toJson(other.run('scale', { x: x as never, factor: 2 })),
      );
    for (const feeds of rows(20)) expect(await session.runAsync('train', feeds)).toEqual(other.run('train', feeds));
    expect(session.get('net/w')).toEqual(other.get('net/w'));
  });

  test.each([1, 2, 5])('with %d threads gives the same bits, also between runs that wait', async (threads) => {
    using session = open(threads);
    const x = Float64Array.from({ length: 10_003 }, (_, at) => Math.sin(at) * 10 ** (at % 13));
    const expected = session.run('sum', { x });
    const [mirrored, all] = [session.run('mirror', { x }), [] as unknown[]];
    for (let round = 0; round < 50; round += 1) {
      all.push(await session.runAsync('sum', { x }));
      if (round % 3 === 0) all.push(session.run('sum', { x }));
    }
    expect(new Set(all)).toEqual(new Set([expected]));
    expect(await session.runAsync('mirror', { x })).toBe(mirrored);
  });

  test('lets timers tick', async () => {
    using session = open();
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 5);
    // A busy machine leaves out most ticks.
    await dwelt(session, [1], 600);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
  });

  test('several sessions run at once', async () => {
    const sessions = [open(), open(), open()];
    const start = performance.now();
    await Promise.all(sessions.map((session) => dwelt(session, [1], 500)));
    // One after the other they would take more.
    expect(performance.now() - start).toBeLessThan(1450);
    for (const session of sessions) session.close();
  });

  test('runs that are asked for together come in the order of the calls, each with what was fed then', async () => {
    using session = open();
    const x = new Float32Array(3);
    const results = Array.from({ length: 8 }, (_, at) => {
      x.fill(at);
      return session.runAsync(at % 2 === 0 ? 'dwell' : 'scale', at % 2 === 0 ? { x, ms: 5 } : { x, factor: 1 });
    });
    x.fill(-1);
    const values = await Promise.all(results);
    expect(values.map((value) => toJson(value))).toEqual(
      Array.from({ length: 8 }, (_, at) => (at % 2 === 0 ? { x: [at, at, at], t: at + 2 } : [[at, at, at]])),
    );
  });

  test('no result changes when the next run comes, also where they are reused otherwise', async () => {
    using session = open();
    const scale = session.entry('scale', { reuse: true });
    const x = Float32Array.of(1, 2, 3);
    const reused = scale.run({ x, factor: 1 }) as Tensor;
    const first = (await scale.runAsync({ x, factor: 2 })) as Tensor;
    const second = (await scale.runAsync({ x, factor: 3 })) as Tensor;
    expect([reused, first, second].map((result) => toJson(result))).toEqual([[[1, 2, 3]], [[2, 4, 6]], [[3, 6, 9]]]);
    const again = scale.run({ x, factor: 4 }) as Tensor;
    expect(again.data).toBe(reused.data);
    expect([first, second].map((result) => toJson(result))).toEqual([[[2, 4, 6]], [[3, 6, 9]]]);
  });

  test('what is wrong rejects the promise, and the next run is as always', async () => {
    using session = open();
    const x = Float32Array.of(1, 2, 3);
    const codes = [
      session.runAsync('scal', {}),
      session.runAsync('scale', { x }),
      session.runAsync('scale', { x, factor: 1, more: 1 }),
      session.runAsync('scale', { x: Float32Array.of(1), factor: 1 }),
      session.runAsync('scale', { x: Float64Array.of(1), factor: 1 }),
      session.runAsync('echo', { a: 1, b: Uint8Array.of(2), c: [1], d: [1], e: 1, f: [], g: [] }),
      session.runAsync('needs'),
      session.runAsync('huge'),
      session.runAsync('natural', { n: -1 }),
      session.runAsync(7 as never),
      session.runAsync('scale', {
        x,
        get factor(): number {
          throw new Error('mine');
        },
      }),
    ].map(async (promise) => {
      const error = await rejection(promise);
      expect(error).toBeInstanceOf(TfcError);
      return (error as TfcError).code;
    });
    expect(await Promise.all(codes)).toEqual([
      'unknown-entry',
      'missing-feed',
      'unknown-feed',
      'shape-mismatch',
      'dtype-mismatch',
      'bad-data',
      'uninitialized-variable',
      'out-of-memory',
      'entry-failed',
      'invalid-value',
      'bad-data',
    ]);
    expect(toJson(await session.runAsync('scale', { x, factor: 2 }))).toEqual([[2, 4, 6]]);
    expect(toJson(session.run('scale', { x, factor: 2 }))).toEqual([[2, 4, 6]]);
  });
});

describe('while a step runs', () => {
  test('calls that do not wait are refused, and change nothing', async () => {
    using session = open();
    const bound = session.entry('scale');
    const used = session.entry('sum');
    used.run({ x: Float64Array.of(1) });
    const running = dwelt(session, [1], 100);
    const calls: readonly (() => unknown)[] = [
      () => session.run('scale', { x: [[1, 2, 3]], factor: 1 }),
      () => session['train']?.({ x: [[1, 2]], y: [1] } as never),
      () => session.run(['a'], {}),
      () => session.runSteps('train', { x: [[1, 2]], y: [1] }, { steps: 2 }),
      () => session.entry('scale'),
      () => session.get('net/t'),
      () => {
        session.set('net/t', 7);
      },
      () => session.isInitialized('net/t'),
      () => {
        session.initialize();
      },
      () => {
        session.save(join(folder, 'never.safetensors'));
      },
      () => {
        session.restore(join(folder, 'never.safetensors'));
      },
      () => session.arenaBytes,
      () => bound.run({ x: [[1, 2, 3]], factor: 1 }),
      () => bound.runSteps({ x: [[1, 2, 3]], factor: 1 }),
      () => used.workingBytes,
    ];
    for (const call of calls)
      expect(thrown(call), String(call)).toMatchObject({ code: 'session-busy', hint: expect.any(String) as unknown });
    expect(session.closed).toBe(false);
    expect(await running).toMatchObject({ t: 2 });
    for (const call of calls.slice(0, 2)) call();
    expect(session.get('net/t')).toBe(3);
  });

  test('the native half refuses as well', async () => {
    const native = loadNative();
    const { handle } = native.openModule(path);
    const session = native.createSession(1, -1, Float64Array.of(1, 8, 8, 1, 4, 4, 1, 8, 8, 1, 4, 4));
    const stepOf = (): ReturnType<typeof native.createStep> =>
      native.createStep(session, handle, 13, Int32Array.of(2, 2, 1), Int32Array.of(1), Int32Array.of(4));
    const [step, other] = [stepOf(), stepOf()];
    const arrays = [new Float32Array(1), Int32Array.of(50), new Float32Array(1), new Int32Array(1)] as const;
    const bind = (which: typeof step): void => {
      native.bindFeed(which, 0, arrays[0]);
      native.bindFeed(which, 1, arrays[1]);
      native.bindOutput(which, 0, arrays[2]);
      native.bindOutput(which, 1, arrays[3]);
    };
    bind(step);
    native.sizeStep(step, Float64Array.of(1));
    const running = native.start(step);
    const word = new Int32Array(1);
    for (const call of [
      () => native.start(step),
      () => native.start(other),
      () => native.run(step),
      () => native.run(other),
      () => native.repeat(other, 1, new Float64Array(2), new Float64Array(1)),
      () => native.sizeStep(other, Float64Array.of(1)),
      () => {
        bind(step);
      },
      () => {
        native.close(step);
      },
      () => {
        native.close(session);
      },
      () => {
        native.readVariable(session, 1, word);
      },
      () => {
        native.writeVariable(session, 1, word);
      },
      () => {
        native.fillVariable(session, 1, word);
      },
      () => {
        native.swapVariables(session, 0, 2);
      },
      () => native.arenaBytes(session),
    ])
      expect(thrown(call), String(call)).toMatchObject({ code: 'session-busy' });
    // What has nothing to do with the step that runs.
    bind(stepOf());
    bind(other);
    native.close(other);
    native.close(handle);
    expect(await running).toBe(0);
    native.readVariable(session, 1, word);
    expect([...word, ...arrays[3]]).toEqual([2, 2]);
    expect(native.run(step)).toBe(0);
    native.close(step);
    native.close(session);
    expect(thrown(() => native.start(step))).toMatchObject({ code: 'session-closed' });
  });

  test('whenIdle waits for its turn, and what comes later waits for it', async () => {
    using session = open();
    const order: unknown[] = [];
    const all = [
      dwelt(session, [1], 30),
      session.whenIdle(() => order.push(session.get('net/t'))),
      dwelt(session, [1], 5),
      session.whenIdle(() => {
        session.set('net/t', 100);
        // Waits for its turn, which comes when this one is over.
        return dwelt(session, [1], 1).then((value) => order.push((value as { t: number }).t));
      }),
      dwelt(session, [1], 5).then((value) => order.push((value as { t: number }).t)),
    ];
    await Promise.all(all);
    expect(order).toEqual([2, 102, 104]);
    expect(await rejection(session.whenIdle(() => thrown(() => undefined)))).toMatchObject({ message: 'nothing was thrown' });
    expect(session.get('net/t')).toBe(104);
  });

  test('arrays that were fed may be transferred, made smaller or changed', async () => {
    using session = open();
    const gone = new Float32Array(100_000).fill(3);
    const buffer = new (ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer & { resize(bytes: number): void })(
      400_000,
      { maxByteLength: 400_000 },
    );
    const shrunk = new Float32Array(buffer).fill(4);
    const shared = new Float32Array(new SharedArrayBuffer(400_000)).fill(5);
    const running = [gone, shrunk, shared].map((x) => session.runAsync('dwell', { x: tensor(x), ms: 20 }));
    await sleep(1);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    buffer.resize(0);
    shared.fill(9);
    for (const [at, value] of [3, 4, 5].entries()) {
      const { x } = (await running[at]) as { x: Tensor<'f32'> };
      expect(x.data.length).toBe(100_000);
      expect(x.data.every((element) => element === value)).toBe(true);
    }
    expect(await rejection(session.runAsync('dwell', { x: gone, ms: 0 }))).toMatchObject({ code: 'bad-data', feed: 'x' });
  });

  test('a getter of feeds may call, start and close', async () => {
    const session = open();
    const x = Float32Array.of(1, 2, 3);
    const feedsWith = (act: () => unknown): Feeds => ({
      x,
      get factor() {
        act();
        return 2;
      },
    });
    const within: unknown[] = [];
    const results = await Promise.all([
      session.runAsync(
        'scale',
        feedsWith(() => within.push(session.run('scale', { x: [[5, 5, 5]], factor: 2 }))),
      ),
      session.whenIdle(() => 1),
      session.runAsync(
        'scale',
        feedsWith(() => within.push(session.runAsync('scale', { x: [[6, 6, 6]], factor: 2 }))),
      ),
    ]);
    expect(toJson(results[0])).toEqual([[2, 4, 6]]);
    expect(toJson(results[2])).toEqual([[2, 4, 6]]);
    expect(toJson((await Promise.all(within)) as never)).toEqual([[[10, 10, 10]], [[12, 12, 12]]]);
    let started: Promise<unknown> = Promise.resolve();
    expect(
      thrown(() =>
        session.run(
          'scale',
          feedsWith(() => (started = dwelt(session, [1], 5))),
        ),
      ),
    ).toMatchObject({ code: 'session-busy' });
    await started;
    expect(
      await rejection(
        session.runAsync(
          'scale',
          feedsWith(() => {
            session.close();
          }),
        ),
      ),
    ).toMatchObject({ code: 'session-closed' });
  });

  test('close frees after the step, which gives its result; what waits is refused', async () => {
    const own = openModule(path);
    const session = own.session({ threads: 2 });
    const [running, waiting, idle] = [dwelt(session, [1, 2], 50), dwelt(session, [1], 1), session.whenIdle(() => 1)];
    session.close();
    session.close();
    own.close();
    expect(session.closed).toBe(true);
    expect(thrown(() => session.get('net/t'))).toMatchObject({ code: 'session-closed' });
    const refused = Promise.all([waiting, idle, session.runAsync('scale')].map((promise) => rejection(promise)));
    expect(toJson((await running) as never)).toEqual({ x: [1, 2], t: 2 });
    expect(await refused).toEqual(Array.from({ length: 3 }, () => expect.objectContaining({ code: 'session-closed' }) as unknown));
    expect(await rejection(session.runAsync('scale'))).toMatchObject({ code: 'session-closed' });
  });

  test('a session that nobody holds runs its step to the end', async () => {
    const running = dwelt(openModule(path).session({ threads: 1 }), [1], 50);
    for (let round = 0; round < 5; round += 1) {
      globalThis.gc?.();
      new Array(100_000).fill({});
      await sleep(5);
    }
    expect(toJson((await running) as never)).toEqual({ x: [1], t: 2 });
  });
});

describe('training', () => {
  test('the same as runs that follow each other, from arrays, generators and streams', async () => {
    using other = open();
    const expected = rows(10).map((feeds) => other.run('train', feeds));
    const sources = [
      rows(10),
      (function* (): Generator<Feeds> {
        yield* rows(10);
      })(),
      (async function* (): AsyncGenerator<Feeds> {
        for (const feeds of rows(10)) {
          await sleep(1);
          yield feeds;
        }
      })(),
      (): Feeds[] => rows(10),
    ];
    for (const batches of sources) {
      using session = open();
      const results: unknown[] = [];
      const { steps, last } = await session.trainAsync(batches as Feeds[], { onStep: ({ result }) => results.push(result) });
      expect(results).toEqual(expected);
      expect([steps, last]).toEqual([10, expected.at(-1)]);
      expect(session.get('net/w')).toEqual(other.get('net/w'));
    }
  });

  test('epochs, constants, another entry', async () => {
    using session = open();
    const seen: unknown[] = [];
    const result = await session.trainAsync((epoch) => Array.from({ length: epoch }, () => ({ x: Float32Array.of(epoch, epoch, epoch) })), {
      entry: 'scale',
      constant: { factor: 10 },
      epochs: 3,
      onStep: ({ epoch, step, result }) => {
        seen.push([epoch, step, toJson(result)]);
      },
      onEpoch: ({ epoch, steps, last }) => {
        seen.push([epoch, steps, toJson(last as Tensor), session.get('net/t')]);
      },
    });
    const of = (value: number): number[][] => [[value, value, value]];
    expect(seen).toEqual([
      [1, 1, of(10)],
      [1, 1, of(10), 0],
      [2, 2, of(20)],
      [2, 3, of(20)],
      [2, 2, of(20), 0],
      [3, 4, of(30)],
      [3, 5, of(30)],
      [3, 6, of(30)],
      [3, 3, of(30), 0],
    ]);
    expect(result.steps).toBe(6);
    expect(await session.trainAsync([])).toEqual({ steps: 0, last: undefined });
    expect(await session.trainAsync(() => rows(3), { epochs: 0 })).toEqual({ steps: 0, last: undefined });
    expect(
      toJson((await session.trainAsync([{ x: [[1, 1, 1]], factor: 2 }], { entry: 'scale', constant: { factor: 1 } })).last as Tensor),
    ).toEqual(of(2));
  });

  test('types are those of the module', async () => {
    interface Fixture {
      readonly train: {
        readonly feeds: { readonly x: Float32Array; readonly y: Float32Array };
        readonly result: { readonly loss: number; readonly count: number };
      };
      readonly run: { readonly feeds: { readonly x: number }; readonly result: number };
    }
    using session = module.session<Fixture>({ threads: 1 });
    const [y, losses] = [Float32Array.of(5), [] as number[]];
    const { last } = await session.trainAsync([{ x: Float32Array.of(1, 2) }], {
      constant: { y },
      onStep: ({ result }) => losses.push(result.loss),
    });
    expect(last?.count).toBe(1);
    expect(losses).toHaveLength(1);
    const doubled: number = await session.runAsync('run', { x: 4 });
    expect(doubled).toBe(8);
    const { last: eight } = await session.trainAsync([{ x: 4 }], { entry: 'run' });
    expect(eight).toBe(8);
    // @ts-expect-error A feed of another kind.
    await expect(session.trainAsync([{ x: 'four' }])).rejects.toThrow(TfcError);
  });

  test('callbacks may call, wait and run; other calls come between two steps', async () => {
    using session = open();
    const others: Promise<unknown>[] = [];
    const read: unknown[] = [];
    await session.trainAsync(rows(3), {
      onStep: async ({ step }) => {
        read.push(session.get('net/t'));
        others.push(session.whenIdle(() => session.get('net/t')));
        await session.runAsync('scale', { x: [[step, step, step]], factor: 1 });
        read.push(session.get('net/t'));
      },
      onEpoch: async () => {
        await session.runAsync('dwell', { x: [], ms: 1 });
      },
    });
    expect(read).toEqual([1, 1, 2, 2, 3, 3]);
    expect(await Promise.all(others)).toEqual([1, 2, 3]);
    expect(session.get('net/t')).toBe(5);
  });

  test('a signal ends it after the step that runs, with its reason', async () => {
    using session = open();
    const controller = new AbortController();
    const reason = new Error('enough');
    let closed = 0;
    function* batches(): Generator<Feeds> {
      try {
        for (;;) yield { x: Float32Array.of(1), ms: 20 };
      } finally {
        closed += 1;
      }
    }
    const steps: number[] = [];
    const training = session.trainAsync(batches(), {
      entry: 'dwell',
      signal: controller.signal,
      onStep: ({ step }) => {
        steps.push(step);
        if (step === 2)
          setTimeout(() => {
            controller.abort(reason);
          }, 5);
      },
    });
    expect(await rejection(training)).toBe(reason);
    expect(closed).toBe(1);
    expect(session.get('net/t')).toBe(2 * steps.length);
    expect(steps.length).toBeGreaterThan(1);
    expect(await rejection(session.trainAsync(batches(), { entry: 'dwell', signal: controller.signal }))).toBe(reason);
    expect(await rejection(session.trainAsync(rows(1), { signal: AbortSignal.abort() }))).toMatchObject({ name: 'AbortError' });
    expect(session.get('net/t')).toBe(2 * steps.length);
  });

  test('a signal ends it while a batch is awaited that never comes, and leaves no listener', async () => {
    using session = open();
    const controller = new AbortController();
    let told = false;
    const stalled = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<Feeds>>(() => undefined),
        return: () => {
          told = true;
          return new Promise<IteratorResult<Feeds>>(() => undefined);
        },
      }),
    };
    setTimeout(() => {
      controller.abort();
    }, 10);
    expect(await rejection(session.trainAsync(stalled, { signal: controller.signal }))).toMatchObject({ name: 'AbortError' });
    expect(told).toBe(true);
    const kept = new AbortController();
    await session.trainAsync(
      (async function* () {
        for (const feeds of rows(20)) yield await Promise.resolve(feeds);
      })(),
      { signal: kept.signal },
    );
    expect(EventEmitter.getEventListeners(kept.signal, 'abort')).toEqual([]);
  });

  test('stopOnNan names the step and the result', async () => {
    using session = open();
    const seen: number[] = [];
    const values = [1, 2, NaN, 4];
    const batches = values.map((value) => ({ x: Float32Array.of(value, 0), y: Float32Array.of(0) }));
    const options = { stopOnNan: true, onStep: ({ step }: { step: number }) => seen.push(step) };
    expect(await rejection(session.trainAsync(batches, options))).toMatchObject({
      code: 'not-finite',
      message: 'Step 3, in epoch 1: loss is NaN.',
      actual: 'NaN',
    });
    expect(seen).toEqual([1, 2, 3]);
    expect(session.get('net/t')).toBe(3);
    const tensors = [{ x: Float32Array.of(1, -Infinity, 3), factor: 1 }];
    expect(await rejection(session.trainAsync(tensors, { entry: 'scale', stopOnNan: true }))).toMatchObject({
      code: 'not-finite',
      message: 'Step 1, in epoch 1: [1] is -Infinity.',
    });
    const halves = { a: 0, b: [true], c: [1], d: [1], e: 'Infinity', f: [1], g: [1] };
    expect(await rejection(session.trainAsync([halves], { entry: 'echo', stopOnNan: true }))).toMatchObject({
      message: 'Step 1, in epoch 1: 4 is Infinity.',
    });
    expect(await session.trainAsync(tensors, { entry: 'scale' })).toMatchObject({ steps: 1 });
  });

  test('what is wrong is said, and variables are those after the last whole step', async () => {
    using session = open();
    const mine = new Error('mine');
    const codes: readonly [Promise<unknown>, object][] = [
      [session.trainAsync(7 as never), { code: 'invalid-value' }],
      [session.trainAsync(rows(1), { epochs: 2 }), { code: 'invalid-value' }],
      [session.trainAsync(() => rows(1), { epochs: 1.5 }), { code: 'invalid-value' }],
      [session.trainAsync(() => 5 as never), { code: 'invalid-value' }],
      [session.trainAsync(rows(1), { signal: 5 as never }), { code: 'invalid-value' }],
      [session.trainAsync(rows(1), { onStep: 5 as never }), { code: 'invalid-value' }],
      [session.trainAsync(rows(1), { stopOnNan: 1 as never }), { code: 'invalid-value' }],
      [session.trainAsync(rows(1), null as never), { code: 'invalid-value' }],
      [session.trainAsync(rows(1), { constant: [] as never }), { code: 'bad-data' }],
      [session.trainAsync(rows(1), { entry: 'trian' as never }), { code: 'unknown-entry' }],
      [session.trainAsync(['batch'] as never), { code: 'bad-data' }],
      [session.trainAsync([{ x: [[1, 2]] }]), { code: 'missing-feed' }],
      [
        session.trainAsync(() => {
          throw mine;
        }),
        { code: 'bad-data', cause: mine },
      ],
    ];
    for (const [promise, expected] of codes) expect(await rejection(promise)).toMatchObject(expected);
    expect(session.get('net/t')).toBe(0);
    let closed = false;
    async function* failing(fails: boolean): AsyncGenerator<Feeds> {
      try {
        yield* rows(2);
        await sleep(1);
        if (fails) throw mine;
        yield* rows(1);
      } finally {
        closed = true;
      }
    }
    expect(await rejection(session.trainAsync(failing(true)))).toMatchObject({ code: 'bad-data', cause: mine });
    expect(session.get('net/t')).toBe(2);
    closed = false;
    const stop = (): never => {
      throw mine;
    };
    expect(await rejection(session.trainAsync(failing(false), { onStep: stop }))).toBe(mine);
    expect(closed).toBe(true);
    expect(await rejection(session.trainAsync(failing(false), { onEpoch: stop }))).toBe(mine);
    expect(session.get('net/t')).toBe(6);
  });

  test('a session that is closed meanwhile ends it after the step', async () => {
    const session = open();
    let steps = 0;
    const training = session.trainAsync(
      (function* (): Generator<Feeds> {
        for (;;) yield { x: Float32Array.of(1), ms: 10 };
      })(),
      { entry: 'dwell', onStep: () => (steps += 1) },
    );
    setTimeout(() => {
      session.close();
    }, 35);
    expect(await rejection(training)).toMatchObject({ code: 'session-closed' });
    expect(steps).toBeGreaterThan(0);
  });
});

describe('threads and processes', () => {
  const runtime = pathToFileURL(join(packageRoot(), 'dist', 'runtime', 'index.js')).href;
  const script = (body: string): string =>
    `import(${JSON.stringify(runtime)}).then(async ({ openModule }) => {
      const session = openModule(${JSON.stringify(path)}).session({ threads: 2 });
      const x = Float64Array.from({ length: 10003 }, (_, at) => Math.sin(at) * 10 ** (at % 13));
      ${body}
    })`;

  test('workers open the module themselves and get the same bits', async () => {
    const body = `const { parentPort } = await import('node:worker_threads');
      let sum;
      for (let round = 0; round < 100; round += 1) sum = await session.runAsync('sum', { x });
      parentPort.postMessage(sum);`;
    const results = Array.from(
      { length: 3 },
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker(script(body), { eval: true });
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    );
    using session = open();
    const expected = session.run('sum', { x: Float64Array.from({ length: 10_003 }, (_, at) => Math.sin(at) * 10 ** (at % 13)) });
    expect(await Promise.all(results)).toEqual([expected, expected, expected]);
  });

  test('a session cannot be passed to another thread', () => {
    using session = open();
    expect(() => structuredClone(session)).toThrow(/could not be cloned/);
  });

  test('a worker that is ended while a step runs ends, and its memory is freed after the step', async () => {
    for (let round = 0; round < 5; round += 1) {
      const worker = new Worker(
        script(`session.runAsync('dwell', { x: new Float32Array(5000), ms: 100 }); postStarted();`).replace(
          'postStarted()',
          `(await import('node:worker_threads')).parentPort.postMessage('started')`,
        ),
        { eval: true },
      );
      await new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      expect(await worker.terminate()).toBe(1);
    }
  });

  test.each([
    ['process.exit', `process.exit(7)`, 7],
    ['an error that nobody catches', `setTimeout(() => { throw new Error('mine') }, 5)`, 1],
    [
      'the end of the program, which waits for the step',
      `session.runAsync('dwell', { x: [1], ms: 20 }).then(({ t }) => console.log('t = ' + t))`,
      0,
    ],
  ])('%s while a step runs', (_, body, status) => {
    const program = script(`session.runAsync('dwell', { x: new Float32Array(5000), ms: 200 }); ${body}`);
    const ended = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
    expect([ended.status, ended.signal], ended.stderr).toEqual([status, null]);
    if (status === 0) expect(ended.stdout).toBe('t = 4\n');
  });
});

test('a small step costs little more than passing it on (printed, not judged)', async () => {
  using session = open();
  const feeds = { x: Float32Array.of(1, 2, 3, 4), y: Float32Array.of(1, 2) };
  const count = 5000;
  const time = async (body: () => unknown): Promise<string> => {
    const start = process.hrtime.bigint();
    await body();
    return `${(Number(process.hrtime.bigint() - start) / count / 1000).toFixed(1)} µs`;
  };
  const single = async (): Promise<void> => {
    for (let at = 0; at < count; at += 1) await session.runAsync('train', feeds);
  };
  await single();
  console.log(`runAsync    ${await time(single)}`);
  console.log(`trainAsync  ${await time(() => session.trainAsync(Array.from({ length: count }, () => feeds)))}`);
  expect(session.get('net/t')).toBe(3 * count);
});
