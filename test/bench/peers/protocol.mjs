// How a peer in Node talks. In: a workload file, a step to serve. Out: JSON lines. Holds: every request starts from the initial values; resetting is not timed.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** `require` as from within the packages that the bench has set up. */
export const peerRequire = createRequire(fileURLToPath(new URL('../../../build/peers/node/package.json', import.meta.url)));

/** The workload of the command line: its description, and its arrays by name as typed arrays. */
export function load() {
  const spec = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  const bytes = readFileSync(spec.data);
  const arrays = {};
  for (const { name, dtype, offset, count } of spec.arrays) {
    const part = bytes.buffer.slice(bytes.byteOffset + offset, bytes.byteOffset + offset + 4 * count);
    arrays[name] = dtype === 'f32' ? new Float32Array(part) : new Int32Array(part);
  }
  return { spec, arrays };
}

/** `reset` puts initial values back; `steps(n, keep)` runs n steps to their end and returns their losses when asked to keep them. */
export async function serve(system, reset, steps) {
  await reset();
  await steps(1, true);
  answer({ ready: true, system });
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, text] = line.split(' ');
    await reset();
    if (word === 'losses') {
      answer({ losses: await steps(Number(text), true) });
      continue;
    }
    const start = process.hrtime.bigint();
    await steps(Number(text), false);
    answer({ ns: Number(process.hrtime.bigint() - start) });
  }
}

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
