// Sessions on a GPU, as a program meets them: artifacts with PTX, the real runtime, the emulated driver. In: programs, scripts in a process
// that finds the driver. Out: what the processor gives. Holds: what is done with a session on the processor is done on a GPU in the same
// words; failures are errors with text, and end the session and not the process.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const library = join(root, 'build', 'cuda');
const at = mkdtempSync(join(tmpdir(), 'tfc-gpu-'));
const moons = join(root, 'test', 'programs', 'moons.tdsl');

/** The value that `body` returns, in a process of its own. `settings` are the emulated driver's, as in its README. */
function inProcess(body: string, settings: Readonly<Record<string, string>> = {}, path = library): unknown {
  const script = `
    const { compile, TfcError } = await import(${JSON.stringify(join(root, 'dist', 'src', 'driver', 'index.js'))});
    const model = await compile(${JSON.stringify(moons)}, { target: 'cuda' });
    const rows = (count) => {
      let state = 7;
      const next = () => (state = (state * 16807) % 2147483647) / 2147483647;
      const X = Float32Array.from({ length: 2 * count }, () => 2 * next() - 1);
      return { X, y: Float32Array.from({ length: count }, (_, at) => (X[2 * at] > X[2 * at + 1] ? 1 : 0)) };
    };
    const failure = (act) => { try { act(); return undefined; } catch (error) { if (!(error instanceof TfcError)) throw error; return [error.code, error.message]; } };
    const result = await (async () => { ${body} })();
    console.log(JSON.stringify(result));`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, LD_LIBRARY_PATH: path, ...settings },
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n', stdout.length - 2) + 1)) as unknown;
}

beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'scripts', 'emulator.mjs')], { stdio: 'ignore' });
});

afterAll(() => rmSync(at, { recursive: true }));

describe('a session on a GPU', () => {
  it('trains as on the processor, and what it learned goes from one to the other', () => {
    const [gpu, cpu, moved] = inProcess(`
      const losses = (session, count) => Array.from({ length: count }, () => session.train(rows(300)).loss);
      const a = model.session({ seed: 1, device: 'cuda:0' });
      const b = model.session({ seed: 1, device: 'cpu' });
      const gpu = losses(a, 6), cpu = losses(b, 6);
      await a.save(${JSON.stringify(join(at, 'a.safetensors'))});
      const c = model.session({ device: 'cpu' });
      await c.restore(${JSON.stringify(join(at, 'a.safetensors'))});
      return [gpu, cpu, [losses(a, 2), losses(c, 2)]];`) as [number[], number[], [number[], number[]]];
    expect(gpu).toHaveLength(6);
    gpu.forEach((loss, step) => expect(loss).toBeCloseTo(cpu[step] as number, 5));
    expect(gpu[5]).toBeLessThan(gpu[0] as number);
    moved[0].forEach((loss, step) => expect(loss).toBeCloseTo(moved[1][step] as number, 5));
  });

  it('gives the same bits every time', () => {
    const [first, second] = [5, 11].map((seed) =>
      inProcess(
        `const session = model.session({ device: 'cuda:0' });
         for (let step = 0; step < 3; step++) session.train(rows(700));
         return [...session.get('w').data, session.get('b')];`,
        { TFC_CUDA_SEED: String(seed) },
      ),
    );
    expect(first).toEqual(second);
  });

  it('launches blocks with more shared memory than they have without asking', () => {
    const wide = join(at, 'wide.tdsl');
    writeFileSync(
      wide,
      `export fn product(x: f32[67, 128, 16], w: f32[67, 16, 256]): f32[67, 128, 256] {
  precision tf32 { let c = x @ w }
  return c
}
`,
    );
    const [gpu, cpu] = inProcess(`
      const wide = await compile(${JSON.stringify(wide)}, { target: 'cuda' });
      const whole = (count, most) => Float32Array.from({ length: count }, (_, at) => (at * 7) % most - 3);
      const feeds = { x: whole(67 * 128 * 16, 9), w: whole(67 * 16 * 256, 11) };
      return ['cuda:0', 'cpu'].map((device) => {
        const { data } = wide.session({ device }).run('product', feeds);
        return data.reduce((sum, one, at) => (sum + one * (at % 1009)) % 1e9, 0);
      });`) as [number, number];
    expect(gpu).toBe(cpu);
  });

  it('runs many steps in one call, on another thread, and what is fetched', () => {
    const [series, later, fetched, empty] = inProcess(`
      const session = model.session({ seed: 1, device: 'cuda:0' });
      const { series } = session.runSteps('train', rows(64), { batch: { B: 16 }, epochs: 2 });
      const later = await session.runAsync('train', rows(20));
      const fetched = session.run(['train/loss', 'w'], rows(8));
      return [[...series.loss], later.loss, [fetched[0], fetched[1].shape], session.probability({ X: new Float32Array(0) }).data.length];`) as [
      number[],
      number,
      [number, number[]],
      number,
    ];
    expect(series).toHaveLength(8);
    expect(series.every((loss) => loss > 0 && loss < 0.8)).toBe(true);
    expect(later).toBeLessThan(series[0] as number);
    expect(fetched[0]).toBeGreaterThan(0);
    expect(fetched[1]).toEqual([2, 1]);
    expect(empty).toBe(0);
  });

  it('records the launches of a step, and records them again when sizes change or another entry needs more memory', () => {
    const [gpu, cpu] = inProcess(`
      const course = (device) => {
        const session = model.session({ seed: 2, device });
        const losses = [];
        for (const count of [30, 30, 30, 30, 900, 900, 900, 30, 30, 30]) losses.push(session.train(rows(count)).loss);
        session.probability({ X: new Float32Array(20000) });
        for (let step = 0; step < 3; step++) losses.push(session.train(rows(30)).loss);
        session.set('w', [[1], [1]]);
        for (let step = 0; step < 3; step++) losses.push(session.train(rows(30)).loss);
        return losses;
      };
      return [course('cuda:0'), course('cpu')];`) as [number[], number[]];
    gpu.forEach((loss, step) => expect(loss).toBeCloseTo(cpu[step] as number, 5));
  });

  it('has the bits of one step at a time, also where the next feeds travel while a step runs', () => {
    const [inRow, oneByOne] = inProcess(`
      const start = () => model.session({ seed: 3, device: 'cuda:0' });
      const slices = ({ X, y }, size) => Array.from({ length: y.length / size }, (_, at) => ({ X: X.slice(2 * size * at, 2 * size * (at + 1)), y: y.slice(size * at, size * (at + 1)) }));
      const inRow = start(), oneByOne = start();
      const series = [], single = [];
      // More steps than places for feeds, one step, other sizes, the same feeds again and again.
      for (const [count, size] of [[70, 10], [16, 16], [36, 12]]) {
        series.push(...inRow.runSteps('train', rows(count), { batch: { B: size }, epochs: 1 }).series.loss);
        for (const slice of slices(rows(count), size)) single.push(oneByOne.train(slice).loss);
      }
      series.push(...inRow.runSteps('train', rows(20), { steps: 5 }).series.loss);
      for (let step = 0; step < 5; step++) single.push(oneByOne.train(rows(20)).loss);
      return [[series, [...inRow.get('w').data]], [single, [...oneByOne.get('w').data]]];`) as [[number[], number[]], unknown];
    expect(inRow[0]).toHaveLength(16);
    expect(inRow).toEqual(oneByOne);
  });

  it('stops at the step whose index lies outside, with the variables of the step before', () => {
    const path = join(at, 'labels.tdsl');
    writeFileSync(
      path,
      `param w: f32[3] = [0.5, 0.25, 1]
       export step train<B>(y: i32[B]): { loss: f32 } {
         let loss = mean(square(take(w, y)))
         w <- w - 0.1 * grad(loss, w)
         return { loss }
       }`,
    );
    const [gpu, cpu] = inProcess(`
      const labels = await compile(${JSON.stringify(path)}, { target: 'cuda' });
      const course = (device) => {
        const session = labels.session({ device });
        const y = Int32Array.of(0, 1, 2, 2, 1, 0, 1, 3, 2, 2);
        const row = failure(() => session.runSteps('train', { y }, { batch: { B: 2 }, epochs: 1 }));
        const after = [...session.get('w').data];
        const one = failure(() => session.train({ y: Int32Array.of(-4, 0) }));
        const good = session.runSteps('train', { y: y.slice(0, 6) }, { batch: { B: 2 }, epochs: 2 }).series.loss.length;
        return [row, after, one, good, [...session.get('w').data]];
      };
      return [course('cuda:0'), course('cpu')];`) as unknown[][];
    expect(gpu?.[0]).toEqual(['index-out-of-range', expect.stringContaining('3')]);
    const [row, after, one, good, end] = cpu as [unknown, number[], unknown, unknown, number[]];
    const near = (numbers: readonly number[]): unknown[] => numbers.map((x) => expect.closeTo(x, 5) as unknown);
    expect(gpu).toEqual([row, near(after), one, good, near(end)]);
  });

  it('sets, reads and fills variables', () => {
    expect(
      inProcess(`
        const session = model.session({ device: 'cuda:0' });
        const before = [...session.get('w').data];
        session.set('w', [[0.5], [-2]]);
        session.set('b', 3);
        return [before, [...session.get('w').data], session.get('b'), [...session.probability({ X: [[1, 1]] }).data].map((p) => p.toFixed(4))];`),
    ).toEqual([[0, 0], [0.5, -2], 3, [(1 / (1 + Math.exp(-1.5))).toFixed(4)]]);
  });
});

describe('the device of a session', () => {
  const onGpu = `return failure(() => model.session({ device: 'cuda:0' }));`;

  it('is the processor where there is no driver, unless a GPU is named', () => {
    expect(inProcess(`const session = model.session(); return session.train(rows(9)).loss > 0;`, {}, '')).toBe(true);
    expect(inProcess(onGpu, {}, '')).toEqual(['no-device', 'There is no driver for NVIDIA GPUs on this machine (libcuda.so.1).']);
    expect(inProcess(onGpu, { TFC_CUDA_DRIVER: '11020' })).toEqual([
      'no-device',
      'The driver for NVIDIA GPUs is of CUDA 11.2, and kernels need 11.5.',
    ]);
    expect(inProcess(onGpu, { TFC_CUDA_CAPABILITY: '75' })).toEqual([
      'no-device',
      'GPU 0 has compute capability 7.5, and kernels need 8.0.',
    ]);
    expect(inProcess(onGpu, { TFC_CUDA_NO_DEVICE: '1' })).toEqual([
      'no-device',
      expect.stringMatching(/^Starting the driver .*CUDA_ERROR_NO_DEVICE/),
    ]);
  });

  it('is told apart by its name', () => {
    expect(inProcess(`return ['cuda:3', 'gpu', 0, 'cuda:-1'].map((device) => failure(() => model.session({ device })));`)).toEqual([
      ['no-device', 'There is no GPU 3: this machine has 1.'],
      ...["'gpu'", '0', "'cuda:-1'"].map(() => [
        'invalid-value',
        expect.stringMatching(/^A session runs on a device of the name auto, cpu, or cuda:0, not on /),
      ]),
    ]);
    expect(
      inProcess(`const plain = await compile(${JSON.stringify(moons)}); return failure(() => plain.session({ device: 'cuda:0' }));`),
    ).toEqual(['no-device', 'The module has no code for GPUs, and cuda:0 was asked for.']);
  });

  it('says how much memory it lacks', () => {
    expect(
      inProcess(
        `const session = model.session({ device: 'cuda:0' });
         const before = session.train(rows(4)).loss;
         const lacking = failure(() => session.probability({ X: new Float32Array(2000000) }));
         return [lacking, session.train(rows(4)).loss < before];`,
        { TFC_CUDA_MEMORY: '1000000' },
      ),
    ).toEqual([
      ['out-of-memory', expect.stringMatching(/^The GPU has \d+ of its 1000000 bytes free, and \d+ are needed: B = 1000000\.$/)],
      true,
    ]);
  });

  it('is lost by a fault, which the process outlives', () => {
    expect(
      inProcess(
        `const session = model.session({ device: 'cuda:0' });
         const first = failure(() => session.train(rows(40)));
         const again = failure(() => session.train(rows(40)));
         const read = failure(() => session.get('w'));
         session.close();
         const other = model.session({ device: 'cpu' });
         return [first, again, read, other.train(rows(40)).loss > 0];`,
        { TFC_CUDA_FAULT: '2' },
      ),
    ).toEqual([
      ['device-failed', expect.stringMatching(/CUDA_ERROR_ILLEGAL_ADDRESS/)],
      ['device-failed', expect.stringMatching(/CUDA_ERROR_ILLEGAL_ADDRESS/)],
      ['device-failed', expect.stringMatching(/CUDA_ERROR_ILLEGAL_ADDRESS/)],
      true,
    ]);
  });

  it('is lost by a fault within steps in a row as well', () => {
    expect(
      inProcess(
        `const session = model.session({ device: 'cuda:0' });
         const first = failure(() => session.runSteps('train', rows(40), { batch: { B: 4 }, epochs: 1 }));
         return [first, failure(() => session.get('w'))];`,
        { TFC_CUDA_FAULT: '7' },
      ),
    ).toEqual([
      ['device-failed', expect.stringMatching(/CUDA_ERROR_ILLEGAL_ADDRESS/)],
      ['device-failed', expect.stringMatching(/CUDA_ERROR_ILLEGAL_ADDRESS/)],
    ]);
  });
});
