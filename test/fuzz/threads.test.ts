// The runtime in C from several threads, as it is built for users. In: nothing. Out: nothing. Holds: what sanitizers watch in long tests
// runs.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { runThreads } from './sanitized.js';

const folder = mkdtempSync(join(tmpdir(), 'tfc-threads-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('sessions of several threads at the same time, with steps lent to others, have right results', () => runThreads(folder));
