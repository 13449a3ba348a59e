// Builds the emulated CUDA driver for tests. In: test/cuda/native. Out: build/cuda. Holds: of several processes that ask at once one
// builds, and the others wait for it.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { at } from './files.mjs';
import { buildCudaEmulator } from './native.mjs';
import { systemTools } from './system.mjs';

const LOCK = at('build', 'cuda', 'lock');

/** Whether the process that holds the lock still runs. */
function held() {
  try {
    process.kill(Number(readFileSync(LOCK, 'utf8')), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function lock() {
  mkdirSync(at('build', 'cuda'), { recursive: true });
  for (;;) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (held()) await setTimeout(100);
    else rmSync(LOCK, { force: true });
  }
}

await lock();
try {
  await buildCudaEmulator(await systemTools());
} finally {
  rmSync(LOCK, { force: true });
}
