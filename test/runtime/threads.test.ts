// Threads, working memory and floating-point mode.
import { readdirSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, test, vi } from 'vitest';
import { type Tensor, openModule } from '../../runtime/index.js';
import { compileFixture, scratch } from './fixture.js';

const path = compileFixture(scratch(), 'threads');
const module = openModule(path);

describe('threads', () => {
  test('the bits do not depend on how many there are', () => {
    const x = Float64Array.from({ length: 100_003 }, (_, at) => Math.sin(at) * 10 ** (at % 13));
    const sums = [1, 2, 3, 4, 7, 16].map((threads) => {
      using session = module.session({ threads });
      return Array.from({ length: 50 }, () => session.run('sum', { x }));
    });
    expect(new Set(sums.flat()).size).toBe(1);
  });

  /** What mirror makes of 0, 1, …, length - 1. */
  const mirrored = (length: number): number => (length * (length + 1)) / 2;
  const ramp = (length: number): Float64Array => Float64Array.from({ length }, (_, at) => at);

  test('a phase sees all that earlier ones wrote, whoever wrote it', () => {
    for (const threads of [1, 2, 3, 5, 16]) {
      using session = module.session({ threads });
      // Of the longest every thread owns several shares.
      for (const length of [0, 1, 2, 3, 100, 1024, 20_000]) {
        const x = ramp(length);
        for (let round = 0; round < 20; round += 1) expect(session.run('mirror', { x })).toBe(mirrored(length));
      }
    }
  });

  test('work goes on after the threads went to sleep', async () => {
    using session = module.session({ threads: 4 });
    for (let round = 0; round < 20; round += 1) {
      expect(session.run('mirror', { x: ramp(64) })).toBe(mirrored(64));
      await new Promise((resolve) => setTimeout(resolve, round % 3));
    }
  });

  test.runIf(process.platform === 'linux')('a thread that was woken may run wherever it could before', async () => {
    const allowed = (): string[] =>
      readdirSync('/proc/self/task').map(
        (thread) => /Cpus_allowed_list:\s*(.*)/.exec(readFileSync(`/proc/self/task/${thread}/status`, 'utf8'))?.[1] ?? '',
      );
    const before = [...new Set(allowed())];
    using session = module.session({ threads: 2 });
    for (let round = 0; round < 5; round += 1) {
      session.run('mirror', { x: ramp(1024) });
      // Its share may have been taken over, so the call can end before the woken thread has run at all: on a busy machine that takes
      // a while.
      await vi.waitFor(() => expect([...new Set(allowed())]).toEqual(before), { timeout: 20_000 });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });

  test('steps that follow each other in one call', () => {
    for (const threads of [2, 7]) {
      using session = module.session({ threads });
      const { series } = session.runSteps('mirror', { x: ramp(8) }, { steps: 20_000 });
      expect(series['']?.every((value) => value === mirrored(8))).toBe(true);
      const batches = session.runSteps('mirror', { x: ramp(1003) }, { batch: { N: 10 }, epochs: 3 });
      expect([...(batches.series[''] ?? [])]).toEqual(
        Array.from({ length: 303 }, (_, at) => (at % 101 === 100 ? 1000 + 1001 + 1002 + 3 : 100 * (at % 101) + 55)),
      );
    }
  });

  test('the runtime loads in several worker threads at once', async () => {
    const { pathToFileURL } = await import('node:url');
    const native = pathToFileURL(new URL('../../build/runtime.node', import.meta.url).pathname).pathname;
    const script = `
      const { parentPort } = require('node:worker_threads');
      const native = require(${JSON.stringify(native)});
      const { handle } = native.openModule(${JSON.stringify(path)});
      const session = native.createSession(2, -1, Float64Array.of(1, 8, 8, 1, 4, 4));
      const step = native.createStep(session, handle, 3, Int32Array.of(1, 1, 1), Int32Array.of(0), Int32Array.of(1));
      const out = new Float64Array(1);
      native.bindFeed(step, 0, new Float64Array(10000).fill(0.5));
      native.bindOutput(step, 0, out);
      native.sizeStep(step, Float64Array.of(10000));
      for (let at = 0; at < 200; at += 1) native.run(step);
      parentPort.postMessage(out[0]);
    `;
    const results = await Promise.all(
      Array.from(
        { length: 3 },
        () =>
          new Promise((resolve, reject) => {
            const worker = new Worker(script, { eval: true });
            worker.once('message', resolve);
            worker.once('error', reject);
          }),
      ),
    );
    expect(results).toEqual([5000, 5000, 5000]);
  });
});

describe('working memory', () => {
  test('it grows with the sizes and is kept', () => {
    using session = module.session({ threads: 1 });
    const at = (length: number): number => {
      expect(session.run('sum', { x: new Float64Array(length).fill(1) })).toBe(length);
      return session.arenaBytes;
    };
    expect(session.arenaBytes).toBe(0);
    const small = at(10);
    const large = at(1_000_000);
    expect(small).toBeGreaterThanOrEqual(80);
    expect(large).toBeGreaterThanOrEqual(8_000_000);
    expect(at(10)).toBe(large);
    expect(session.entry('sum').workingBytes).toBe(80);
  });
});

describe('denormal numbers', () => {
  test('they are zero inside of a step on every thread, and only there', () => {
    const tiny = 2 ** -126;
    for (const threads of [1, 3]) {
      using session = module.session({ threads });
      const halves = session.run('denormal', { x: new Float32Array(64).fill(tiny) }) as Tensor<'f32'>;
      // Processors that cannot flush keep the exact half.
      expect([...new Set(halves.data)]).toEqual(['x64', 'arm64'].includes(process.arch) ? [0] : [tiny / 2]);
      expect((session.run('denormal', { x: new Float32Array(64).fill(4 * tiny) }) as Tensor).data[5]).toBe(2 * tiny);
      expect(Math.fround(tiny / 2)).toBe(2 ** -127);
      const inJavaScript = Float64Array.of(2 ** -1022);
      expect((inJavaScript[0] ?? 0) / 2).toBe(2 ** -1023);
    }
  });
});

describe('overhead', () => {
  test('a small step costs little beside its computation (printed, not judged)', () => {
    using session = module.session({ threads: 1 });
    const x = Float32Array.of(1, 2, 3, 4);
    const y = Float32Array.of(1, 2);
    const feeds = { x, y };
    const time = (count: number, body: () => unknown): string => {
      body();
      const start = process.hrtime.bigint();
      body();
      return `${(Number(process.hrtime.bigint() - start) / count).toFixed(0)} ns`;
    };
    const loop = (body: () => unknown) => (): void => {
      for (let at = 0; at < 100_000; at += 1) body();
    };
    const bound = session.entry('train');
    const scale = session.entry('scale', { reuse: true });
    const rows = {
      'session.run': time(
        100_000,
        loop(() => session.run('train', feeds)),
      ),
      'session.train': time(
        100_000,
        loop(() => session['train']?.(feeds)),
      ),
      'entry.run': time(
        100_000,
        loop(() => bound.run(feeds)),
      ),
      'entry.run, other arrays each time': time(
        100_000,
        loop(() => bound.run({ x: x.subarray(0), y: y.subarray(0) })),
      ),
      'entry.run, tensor result, reused': time(
        100_000,
        loop(() => scale.run({ x: x.subarray(0, 3), factor: 2 })),
      ),
      'session.run, tensor result': time(
        100_000,
        loop(() => session.run('scale', { x: x.subarray(0, 3), factor: 2 })),
      ),
      runSteps: time(100_000, () => session.runSteps('train', feeds, { steps: 100_000 })),
    };
    console.log(
      Object.entries(rows)
        .map(([name, cost]) => `${name.padEnd(36)} ${cost}`)
        .join('\n'),
    );
    expect(session.get('net/t')).toBeGreaterThan(500_000);
  });
});
