// The test commands. In: vitest's arguments. Out: lint and test results; the last line is `N passed, N failed`, where lint,
// the format and the search for what is unused count as one test each. Holds: the exit code is 0 exactly when nothing failed.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { at, readText, run } from './files.mjs';
import { buildCudaEmulator } from './native.mjs';
import { Stop } from './report.mjs';
import { systemTools } from './system.mjs';

/** What looks at the sources alone: a package's program, its arguments, and what is said when it finds nothing. */
const LINTS = [
  {
    script: ['eslint', 'bin', 'eslint.js'],
    args: ['--cache', '--cache-location', at('build', 'eslint-cache'), '--max-warnings', '0', '.'],
    clean: 'lint: clean',
  },
  {
    script: ['prettier', 'bin', 'prettier.cjs'],
    args: ['--check', '--cache', '--cache-location', at('build', 'prettier-cache'), '--log-level', 'warn', '.'],
    clean: 'format: clean',
  },
  // Files, exports and dependencies that nothing uses.
  { script: ['knip', 'bin', 'knip.js'], args: ['--no-progress', '--treat-config-hints-as-errors'], clean: 'unused: none' },
];

const program = (script) => at('node_modules', ...script);

/** All at once, since each keeps but one processor busy. Returns for each whether it found nothing. */
async function lint() {
  const found = await Promise.allSettled(
    LINTS.map(({ script, args }) => run(process.execPath, [program(script), ...args], { quiet: true, what: script[0] })),
  );
  return found.map(({ reason, value }, which) => {
    if (reason !== undefined && !(reason instanceof Stop)) throw reason;
    process.stdout.write(reason === undefined ? `${value}${LINTS[which].clean}\n` : `${reason.message}\n`);
    return reason === undefined;
  });
}

/** `npm test` (with lint, when no files are named) or, with `long`, `npm run test:long`. Returns the exit code. */
export async function test(args, { long = false } = {}) {
  mkdirSync(at('build'), { recursive: true });
  // Before the tests that need it: they would wait for it longer than a test may take.
  const needsEmulator = args.length === 0 || args.some((arg) => arg.includes('cuda'));
  const [lints] = await Promise.all([
    !long && args.length === 0 ? lint() : [],
    needsEmulator ? systemTools().then(buildCudaEmulator) : undefined,
  ]);
  const tally = at('build', `tally-${process.pid}.json`);
  const reporters = ['--reporter=default', `--reporter=${at('scripts', 'reporter.mjs')}`];
  const env = { TFC_TALLY: tally, ...(long ? { TFC_LONG: '1' } : {}) };
  const tests = spawnSync(process.execPath, [program(['vitest', 'vitest.mjs']), 'run', ...reporters, ...args], {
    cwd: at(),
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  const counted = existsSync(tally) ? JSON.parse(readText(tally)) : { passed: 0, failed: 1 };
  rmSync(tally, { force: true });
  const passed = counted.passed + lints.filter(Boolean).length;
  let failed = counted.failed + lints.filter((l) => !l).length;
  if (tests.status !== 0 && failed === 0) failed = 1;
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}
