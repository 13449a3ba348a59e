// The memory plan of every program beside what is alive at once, at sizes that are small, odd and large.

import { readdirSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { check } from '../../src/driver/build/front.js';
import { toKernels } from '../../src/driver/build/pipeline.js';
import { arenaUse, fixedTarget } from './kernels.js';

const root = join(import.meta.dirname, '..', '..');

const files = ['test/programs', 'test/bench/programs', 'examples'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.tdsl'))
    .map((file) => join(root, folder, file)),
);

const splitting = new Set(['orders.tdsl', 'textbook.tdsl', 'papers-recent.tdsl']);

describe('the arena is within a tenth of what is alive at once', () => {
  for (const path of files) {
    it(relative(root, path), () => {
      const { module, build } = check({ path, set: {}, open: undefined }, new Map());
      for (const { program } of toKernels(fixedTarget).run(module, { build }).output.entries) {
        for (const size of program.dims.length === 0 ? [0] : [1, 7, 50, 128, 509, 4096, 20640]) {
          const { planned, needed } = arenaUse(program, Object.fromEntries(program.dims.map((name) => [name, size])));
          // Which of two sizes is larger is planned for large ones: where all are small, eight kilobytes may be lost. One place could serve
          // two that are half as large at a time (rows of i64 and of i32, half as many labels, scores beside heads), which the plan does
          // not see.
          const [most, lost] = splitting.has(basename(path)) ? [4 / 3, 16384] : [1.1, 8192];
          expect(planned, `${program.entry} at ${size}`).toBeLessThanOrEqual(Math.max(most * needed, needed + lost));
        }
      }
    });
  }
});
