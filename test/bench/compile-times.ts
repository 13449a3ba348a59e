// How long compiling takes. In: a workload's file. Out: milliseconds in a cold process with an empty cache, whole process counted, and of
// finding it in the cache. Holds: the user's cache is not touched; the peers' cache holds the program afterwards.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tfcCache } from './peers.js';
import { at } from './place.js';
import { median } from './statistics.js';

export interface CompileTimes {
  /** From the start of a process to the end of it, nothing cached. */
  readonly coldMs: number;
  /** Within a running process, cached. */
  readonly cachedMs: number;
}

const run = promisify(execFile);

export async function timeCompiling(file: string, rounds: number): Promise<CompileTimes> {
  const cold: number[] = [];
  const cached: number[] = [];
  const args = [at('dist', 'test', 'bench', 'main.js'), '--compile', file];
  for (let round = 0; round < rounds; round += 1) {
    const cache = mkdtempSync(join(tmpdir(), 'tfc-bench-'));
    try {
      const options = { env: { ...process.env, TFC_CACHE: cache } };
      const start = performance.now();
      await run(process.execPath, args, options);
      cold.push(performance.now() - start);
      const { stdout } = await run(process.execPath, args, options);
      cached.push((JSON.parse(stdout) as { ms: number }).ms);
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  }
  await run(process.execPath, args, { env: { ...process.env, ...tfcCache } });
  return { coldMs: median(cold), cachedMs: median(cached) };
}

/** Milliseconds that a process of Node takes which does nothing. */
export async function timeNode(rounds: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    await run(process.execPath, ['-e', '0']);
    times.push(performance.now() - start);
  }
  return median(times);
}
