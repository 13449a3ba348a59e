// What kernels move, counted by the emulated device. In: programs. Out: bytes of memory and of the cache, beside what has to be moved.
// Holds: what one kernel can do moves what comes in, and what goes out, once.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildModule } from '../../codegen/cuda/index.js';
import { bytesOf } from '../../src/base/index.js';
import { type ChainCase, machineOf, programOf, runMachine } from '../chain/chain.js';
import { target } from './device-chain.js';
import { evaluated, type Moved, runOnDevice } from './device-program.js';

interface Found {
  readonly kernels: number;
  /** Feeds, outputs, variables, those that change twice. */
  readonly needed: number;
  readonly moved: Moved;
}

function movedBy(one: ChainCase): Found {
  const links = machineOf(join(import.meta.dirname, 'traffic.tdsl'), one, target);
  const program = programOf(links, one.entry);
  const module = buildModule([program], target);
  let moved: Moved = { read: 0, written: 0, asked: 0 };
  // The meaning rounds nothing; `products.test.ts` looks at results.
  runMachine(links, { tolerance: 2, ...one, steps: 1 }, (_, inputs) => {
    const result = runOnDevice(module, 0, { ...inputs, settings: { races: 0 } });
    moved = result.moved;
    return result;
  });
  const dims = new Map(Object.entries(one.dims ?? {}));
  const entry = links.stripped.entries.find(({ name }) => name === one.entry);
  const updated = new Set(entry?.updates.map(({ variable }) => variable));
  const seen = new Map(
    program.buffers.map((buffer) => [`${buffer.role.kind} ${'index' in buffer.role ? buffer.role.index : buffer.name}`, buffer]),
  );
  let needed = 0;
  for (const { role, shape, dtype } of seen.values()) {
    if (role.kind === 'temporary' || role.kind === 'shared') continue;
    const changes = role.kind === 'variable' && updated.has(links.stripped.variables[role.index]?.path ?? '');
    needed += (changes ? 2 : 1) * shape.reduce((count, size) => count * (size.evaluate(dims) ?? NaN), bytesOf(dtype));
  }
  const launches = module.programs[0]?.launches ?? [];
  const isRun = ({ blocks }: (typeof launches)[number]): boolean =>
    blocks === undefined || evaluated(blocks, (size) => size.evaluate(dims) ?? NaN) > 0;
  return { kernels: launches.filter(isRun).length, needed, moved };
}

/** How many kernels at most, and how often what is needed is moved. */
const cases: readonly (readonly [one: ChainCase, kernels: number, most: number])[] = [
  [{ entry: 'rows', dims: { N: 40 } }, 1, 1],
  [{ entry: 'shortRows', dims: { N: 100 } }, 1, 1],
  [{ entry: 'normalized', dims: { N: 64 } }, 1, 1],
  [{ entry: 'points', dims: { N: 50 } }, 1, 1],
  [{ entry: 'sums', dims: { N: 300 } }, 1, 1],
  [{ entry: 'layer', dims: { N: 128 } }, 1, 1],
  // Between the two products lies a matrix of 16 bits.
  [{ entry: 'layers', dims: { N: 128 } }, 2, 1 + (2 * 2 * 512 * 128) / (4 * (128 * 256 * 2 + 256 * 512 * 2 + 512))],
  // Scores and their softmax are nowhere in memory.
  [{ entry: 'attention', dims: { H: 2, T: 96 } }, 1, 1],
  // Queries, keys, values and cotangents three times, results twice; of each row four numbers.
  [{ entry: 'attentionBackward', dims: { H: 2, T: 96 } }, 3, (3 * 4 - 1 + 2 + 3) / 8 + (2 * 4 + 3 * 2) / (8 * 64)],
  [{ entry: 'train', dims: { N: 64 }, ranges: { y: [0, 9] } }, 6, 1.4],
];

describe('memory', () => {
  it.each(cases)('is read and written once by $entry', (one, kernels, most) => {
    const found = movedBy(one);
    const { read, written } = found.moved;
    expect(found.kernels).toBeLessThanOrEqual(kernels);
    expect((read + written) / found.needed).toBeLessThanOrEqual(most * 1.01);
  });
});
