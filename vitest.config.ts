/**
 * How the tests run. In: `TFC_LONG` (set by `npm run test:long`) adds the files named `*.long.test.ts`.
 * Out: vitest's configuration. Holds: tests run in forked processes, never in worker threads, because LLVM must not be
 * loaded by two threads of one process.
 */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const long = process.env['TFC_LONG'] === '1';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**', ...(long ? [] : ['**/*.long.test.ts'])],
    pool: 'forks',
    // Vitest leaves a processor to itself, which is half of what small machines have: two take eight minutes, one takes fourteen.
    maxWorkers: availableParallelism(),
    testTimeout: long ? 600_000 : 60_000,
    hookTimeout: 120_000,
    coverage: { provider: 'v8', include: ['src/**/*.ts', 'grammar/**/*.ts', 'codegen/**/*.ts', 'runtime/**/*.ts'] },
  },
});
