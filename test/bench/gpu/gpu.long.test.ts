// The script for machines with a GPU, where the emulated driver is the GPU. In: the small workloads. Out: what the script says. Holds: a
// folder that is packed is all that it needs.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { at } from '../place.js';
import { pack } from './pack.js';

it('finds the numbers right, and finds a wrong one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tfc-gpu-bench-'));
  const env = { ...process.env, LD_LIBRARY_PATH: at('build', 'cuda') };
  const measure = () => spawnSync('sh', [join(folder, 'gpu.sh')], { env, encoding: 'utf8' });
  try {
    pack(folder, () => undefined, []);
    const right = measure();
    expect(right.stdout).toMatch(/^correctness: 12 workloads, 0 wrong$/m);
    expect(right.status).toBe(0);
    const listed = join(folder, 'workloads.json');
    const [first] = JSON.parse(readFileSync(listed, 'utf8')) as Record<string, unknown>[];
    writeFileSync(listed, JSON.stringify([{ ...first, checks: [[1, 2, 3]], bits: '0' }]));
    const wrong = measure();
    expect(wrong.stdout).toMatch(/WRONG: .*f64.*WRONG: .*bits are not the emulated driver's.*1 workloads, 2 wrong/s);
    expect(wrong.status).toBe(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
