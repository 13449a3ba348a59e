// The chain of oracles over every program and example, at sizes that leave tails and at size 1.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runChain } from './chain.js';
import { programList } from './program-list.js';

const root = join(import.meta.dirname, '..', '..');

describe('the chain of oracles', () => {
  for (const [path, list] of Object.entries(programList)) {
    for (const one of list) it(`${path} ${one.entry} ${JSON.stringify(one.dims ?? {})}`, () => runChain(join(root, path), one), 60_000);
  }

  it('covers every program', () => {
    const covered = new Set(Object.keys(programList));
    for (const file of readdirSync(join(root, 'test/programs')))
      if (file.endsWith('.tdsl')) expect(covered.has(`test/programs/${file}`), file).toBe(true);
  });
});
