// Artifacts with kernels for several generations of GPUs. In: an artifact whose code for compute capability 9.0 alone is none; devices of
// several capabilities. Out: whether a session runs. Holds: the last of an artifact's codes that the device and its driver know is taken.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cuda } from '../../codegen/cuda/index.js';
import { registerDevice } from '../../src/driver/build/backends.js';
import { buildInto } from '../../src/driver/build/build.js';
import { cudaTarget, type CudaTarget } from '../../src/target/index.js';

const root = join(import.meta.dirname, '..', '..');
const artifact = mkdtempSync(join(tmpdir(), 'tfc-generations-'));
const portable = cudaTarget();
const hopper: CudaTarget = { ...portable, cpu: 'sm_90a', runsOn: { capability: 90, later: false, driver: 12000 } };

beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'scripts', 'emulator.mjs')], { stdio: 'ignore' });
  registerDevice({
    ...cuda,
    targets: () => [portable, hopper],
    build: (programs, target) => {
      const code = cuda.build(programs, portable);
      return target === hopper && code !== undefined ? { ...code, runsOn: hopper.runsOn, text: 'no PTX' } : code;
    },
  });
  buildInto({ path: join(root, 'test', 'programs', 'moons.tdsl'), set: {}, cpu: 'native', device: 'cuda' }, artifact, new Map());
});

afterAll(() => {
  registerDevice(cuda);
  rmSync(artifact, { recursive: true });
});

/** What a session on a device with these settings says of a step. */
function step(settings: Readonly<Record<string, number>>): string {
  const script = `
    const { openModule } = await import(${JSON.stringify(join(root, 'dist', 'runtime', 'index.js'))});
    try {
      const session = openModule(${JSON.stringify(artifact)}).session({ device: 'cuda:0' });
      console.log(session.train({ X: new Float32Array(8).fill(1), y: new Float32Array(4) }).loss > 0 ? 'runs' : 'wrong');
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
