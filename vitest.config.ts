/**
 * How the tests run. In: `TFC_LONG` (set by `npm run test:long`) adds the files named `*.long.test.ts`.
 * Out: vitest's configuration. Holds: tests run in forked processes, never in worker threads, because LLVM must not be
 * loaded by two threads of one process. A process goes through many files, for which the compiler is loaded once: a third of the
 * processor time. Files that look at their process itself have one of their own.
 */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const long = process.env['TFC_LONG'] === '1';
const exclude = ['**/node_modules/**', 'dist/**', ...(long ? [] : ['**/*.long.test.ts'])];

/** They look at what is loaded, or at how much memory there is. */
const alone = ['test/driver/api.test.ts', 'test/driver/backends.test.ts', 'test/fuzz/harness.test.ts'];

/** The longest, which go first: the last to end has no other processor to wait for. */
const longest = [
  'chain/programs',
  'examples/examples',
  'lower/cost',
  'codegen/vector-loops',
  'setup/packages',
  'fuzz/fuzz',
  'cuda/attention-backward',
  'ops/chain',
  'cuda/products',
  'chain/library-slopes',
  'lower/random',
  'cuda/hopper',
  'check/explosions',
  'driver/trap',
  'driver/command-line',
  'driver/fetches',
  'cuda/programs',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    pool: 'forks',
    // Vitest leaves a processor to itself, which is half of what small machines have.
    maxWorkers: availableParallelism(),
    testTimeout: long ? 600_000 : 60_000,
    hookTimeout: 120_000,
    setupFiles: ['test/environment.ts'],
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'together', include: ['test/**/*.test.ts'], exclude: [...exclude, ...alone], isolate: false } },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
    coverage: { provider: 'v8', include: ['src/**/*.ts', 'grammar/**/*.ts', 'codegen/**/*.ts', 'runtime/**/*.ts'] },
  },
});
