// Native code under sanitizers: the runtime in C from several threads, and the addon in Node, attacked and tested.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/driver/package.js';
import { fuzz } from './fuzz.js';
import { compileFixture } from '../runtime/fixture.js';
import { runThreads, sanitizedAddon } from './sanitized.js';

const folder = mkdtempSync(join(tmpdir(), 'tfc-sanitized-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (name: string, sanitizers: string): void => {
  const own = mkdtempSync(join(folder, name));
  runThreads(own, sanitizers);
};

describe('the runtime in C', () => {
  test('touches no memory but its own, and does nothing undefined', { timeout: 600_000 }, () => run('address-', 'address,undefined'));
  test('shares nothing between threads without saying so', { timeout: 600_000 }, () => run('thread-', 'thread'));
});

describe('the addon', () => {
  const surroundings = (() => {
    let made: ReturnType<typeof sanitizedAddon> | undefined;
    return () => (made ??= sanitizedAddon(folder));
  })();

  test('finds what is planted', () => {
    const { env } = surroundings();
    // A loss of 8 bytes is recorded from an array of 4: the native half takes its caller's word for what outputs are.
    const script = `const m = { exports: {} };
      process.dlopen(m, '/runtime.node');
      const n = m.exports;
      const session = n.createSession(1, -1, Float64Array.of(1, 8, 8, 1, 4, 4, 1, 8, 8, 1, 4, 4));
      const step = n.createStep(session, n.openModule(${JSON.stringify(compileFixture(folder, 'planted'))}).handle, 1, Int32Array.of(2, 2, 1), Int32Array.of(0), Int32Array.of(1));
      const small = new Float32Array(1);
      n.bindFeed(step, 0, new Float32Array(2)), n.bindFeed(step, 1, new Float32Array(1));
      n.bindOutput(step, 0, small), n.bindOutput(step, 1, new Int32Array(1));
      n.sizeStep(step, Float64Array.of(1));
      n.repeat(step, 1, new Float64Array(2), new Float64Array(1));`;
    const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', env: { ...process.env, ...env } });
    expect(stderr).toMatch(/AddressSanitizer: \S*overflow/);
    expect(status).not.toBe(0);
  });

  test.each(['runtime', 'artifacts'] as const)('holds against attacks: %s', { timeout: 1_200_000 }, async (target) => {
    const { found } = await fuzz({ target, seed: 77, milliseconds: 120_000, ...surroundings() });
    expect(found.map(({ finding, file }) => `${finding.text}\n${file}`)).toEqual([]);
  });

  test('passes its own tests', { timeout: 1_200_000 }, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join('node_modules', 'vitest', 'vitest.mjs'), 'run', 'test/runtime'], {
      cwd: packageRoot(),
      encoding: 'utf8',
      env: { ...process.env, ...surroundings().env, TFC_LONG: '' },
    });
    expect(status, `${stdout}\n${stderr}`).toBe(0);
  });
});
