// Artifacts with kernels for several generations of GPUs. In: an artifact whose code for compute capability 9.0 alone is none; devices of
// several capabilities. Out: whether a session runs. Holds: the last of an artifact's codes that the device and its driver know is taken.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cuda } from '../../codegen/cuda/index.js';
import { registerDevice } from '../../src/driver/build/backends.js';
import { buildInto } from '../../src/driver/build/build.js';
import { emit } from '../../src/driver/build/emit.js';
import { hopperTarget } from '../../src/target/index.js';

const root = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'tfc-generations-'));
const artifact = join(folder, 'broken');

beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'scripts', 'emulator.mjs')], { stdio: 'ignore' });
  registerDevice({
    ...cuda,
    build: (programsFor) => cuda.build(programsFor).flatMap((code) => [code, { ...code, runsOn: hopperTarget().runsOn, text: 'no PTX' }]),
  });
  buildInto({ path: join(root, 'test', 'programs', 'moons.tdsl'), set: {}, cpu: 'native', device: 'cuda' }, artifact, new Map());
});

afterAll(() => {
  registerDevice(cuda);
  rmSync(folder, { recursive: true });
});

/** What a session of an artifact prints on a device with these settings. */
function printed(path: string, body: string, settings: Readonly<Record<string, number>>): string {
  const script = `
    const { openModule } = await import(${JSON.stringify(join(root, 'dist', 'runtime', 'index.js'))});
    try {
      const session = openModule(${JSON.stringify(path)}).session({ device: 'cuda:0' });
      ${body}
    } catch (error) {
      console.log(error.message);
    }`;
  const told = Object.entries(settings).map(([name, value]) => [`TFC_CUDA_${name.toUpperCase()}`, String(value)]);
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, LD_LIBRARY_PATH: join(root, 'build', 'cuda'), ...Object.fromEntries(told) },
  });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

const step = (settings: Readonly<Record<string, number>>): string =>
  printed(
    artifact,
    "console.log(session.train({ X: new Float32Array(8).fill(1), y: new Float32Array(4) }).loss > 0 ? 'runs' : 'wrong');",
    settings,
  );

describe('of several codes', () => {
  it.each([
    { capability: 80, driver: 13000 },
    { capability: 86, driver: 13000 },
    { capability: 100, driver: 13000 },
    // It cannot read the PTX of the later one.
    { capability: 90, driver: 11080 },
  ])('the one that runs on capability $capability with driver $driver is taken', (settings) => {
    expect(step(settings)).toBe('runs');
  });

  it('the most special one is taken where it runs', () => {
    expect(step({ capability: 90, driver: 12000 })).toMatch(/^Compiling kernels by the GPU.s driver failed/);
  });
});

it('a product that four warps have on one generation is the same on all', () => {
  registerDevice(cuda);
  const [source, path] = [join(folder, 'product.tdsl'), join(folder, 'product')];
  writeFileSync(source, 'export fn product(x: bf16[1024, 64], w: bf16[64, 768]): bf16[1024, 768] = x @ w\n');
  const request = { path: source, set: {}, cpu: 'native', device: 'cuda' } as const;
  expect(emit(request, 'ptx', new Map()).text.match(/^\.target .*|wgmma\.mma_async/gm)).toEqual([
    '.target sm_80',
    '.target sm_90a',
    ...Array.from({ length: 4 }, () => 'wgmma.mma_async'),
  ]);
  buildInto(request, path, new Map());
  const sums = `
    const feed = (count, by) => Uint16Array.from({ length: count }, (_, at) => [0x3f80, 0xbf80, 0x4000, 0][(at * by) % 7 % 4]);
    const { data } = session.product({ x: feed(1024 * 64, 3), w: feed(64 * 768, 5) });
    let sum = 0;
    for (const [at, bits] of data.entries()) sum = (sum * 31 + bits * (at % 13)) % 1000003;
    console.log(sum);`;
  const [ampere, hopperAlone, later] = [80, 90, 100].map((capability) => printed(path, sums, { capability }));
  expect(ampere).toMatch(/^\d+$/);
  expect([hopperAlone, later]).toEqual([ampere, ampere]);
});
