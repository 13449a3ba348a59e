// How a peer in Node talks. In: a workload file, a step to serve. Out: JSON lines. Holds: every request starts from the initial values;
// resetting is not timed.

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** `require` as from within the packages that the bench has set up. */
export const peerRequire = createRequire(fileURLToPath(new URL('../../../build/peers/node/package.json', import.meta.url)));

/** The workload of the command line: its description, and its arrays by name as typed arrays. */
export function load() {
  const spec = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  const file = openSync(spec.data);
  const arrays = {};
  for (const { name, dtype, offset, count } of spec.arrays) {
    const array = dtype === 'f32' ? new Float32Array(count) : new Int32Array(count);
    readSync(file, array, 0, 4 * count, offset);
    arrays[name] = array;
  }
  closeSync(file);
  return { spec, arrays };
}

/**
 * `reset` puts initial values back; `steps(n, keep)` runs n steps to their end and returns numbers to check when asked to keep them: losses
 * in one group, or `checksOf` results.
 */
export async function serve(system, reset, steps) {
  await reset();
  await steps(1, false);
  answer({ ready: true, system });
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, text] = line.split(' ');
    await reset();
    if (word === 'check') {
      answer({ checks: await steps(Number(text), true) });
      continue;
    }
    const start = process.hrtime.bigint();
    await steps(Number(text), false);
    answer({ ns: Number(process.hrtime.bigint() - start) });
  }
}

/** What a function's result is compared by: the root of its mean square, and a mean that knows the order of its elements. */
export function checksOf(values) {
  let squares = 0;
  let slanted = 0;
  for (let at = 0; at < values.length; at += 1) {
    squares += values[at] * values[at];
    slanted += values[at] * (at % 7);
  }
  return [Math.sqrt(squares / values.length), slanted / values.length];
}

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
