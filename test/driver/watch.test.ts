// `tfc check --watch` and `tfc compile --watch`. In: programs that change while the command runs. Out: what it prints each time.

import { spawn } from 'node:child_process';
import { renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { cli, workplace } from './tfc.js';

const place = workplace();
const started: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const one of started.splice(0)) one.kill('SIGKILL');
});

/** What the command prints, piece by piece; `until` waits for a text that was not there before. */
function watching(...args: readonly string[]): { until(text: string | RegExp): Promise<string> } {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: place.directory,
    env: { ...process.env, TFC_CACHE: place.cache, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let said = '';
  const take = (chunk: Buffer): void => void (said += chunk.toString());
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  return {
    async until(text) {
      const isThere = (): boolean => (typeof text === 'string' ? said.includes(text) : text.test(said));
      while (!isThere()) {
        if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${said}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const all = said;
      said = '';
      return all;
    },
  };
}

const write = (name: string, text: string): void => {
  // As editors do: another file takes the place of the old one.
  writeFileSync(join(place.directory, `${name}.part`), text);
  renameSync(join(place.directory, `${name}.part`), join(place.directory, name));
};

it('checks again what changes, also what is imported, and goes on after mistakes', async () => {
  write('half.tdsl', 'fn half(x: f32): f32 = x / 2\n');
  write('main.tdsl', 'import { half } from "./half.tdsl"\nexport fn f(x: f32): f32 = half(x)\n');
  const { until } = watching('check', 'main.tdsl', '--watch');
  await until('main.tdsl: ok');
  write('half.tdsl', 'fn half(x: f32): f32 = x / two\n');
  expect(await until('half.tdsl:1:28')).toContain('two');
  write('half.tdsl', 'fn half(x: f32): f32 = x / 2.0\n');
  await until('main.tdsl: ok');
});

it('compiles again', async () => {
  write('twice.tdsl', 'export fn twice(x: f32): f32 = 2 * x\n');
  const { until } = watching('compile', 'twice.tdsl', '-o', 'out', '--watch');
  await until('module.so: twice');
  const before = statSync(join(place.directory, 'out', 'module.so')).ino;
  write('twice.tdsl', 'export fn twice(x: f32): f32 = 2 * x\nexport fn thrice(x: f32): f32 = 3 * x\n');
  await until('module.so: twice, thrice');
  expect(statSync(join(place.directory, 'out', 'module.so')).ino).not.toBe(before);
});
