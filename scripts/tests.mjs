// The test commands. In: vitest's arguments. Out: lint and test results; the last line is `N passed, N failed`, where lint,
// the format and the search for what is unused count as one test each. Holds: the exit code is 0 exactly when nothing failed.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { at, readText } from './files.mjs';
import { buildCudaEmulator } from './native.mjs';
import { systemTools } from './system.mjs';

function call(script, args, env = {}) {
  return (
    spawnSync(process.execPath, [at('node_modules', ...script), ...args], { cwd: at(), stdio: 'inherit', env: { ...process.env, ...env } })
      .status === 0
  );
}

function lint() {
  const ok = call(['eslint', 'bin', 'eslint.js'], ['--cache', '--cache-location', at('build', 'eslint-cache'), '--max-warnings', '0', '.']);
  if (ok) process.stdout.write('lint: clean\n');
  return ok;
}

function format() {
  const ok = call(
    ['prettier', 'bin', 'prettier.cjs'],
    ['--check', '--cache', '--cache-location', at('build', 'prettier-cache'), '--log-level', 'warn', '.'],
  );
  if (ok) process.stdout.write('format: clean\n');
  return ok;
}

/** Files, exports and dependencies that nothing uses. */
function unused() {
  const ok = call(['knip', 'bin', 'knip.js'], ['--no-progress', '--treat-config-hints-as-errors']);
  if (ok) process.stdout.write('unused: none\n');
  return ok;
}

/** `npm test` (with lint, when no files are named) or, with `long`, `npm run test:long`. Returns the exit code. */
export async function test(args, { long = false } = {}) {
  mkdirSync(at('build'), { recursive: true });
  // Before the tests that need it: they would wait for it longer than a test may take.
  if (args.length === 0 || args.some((arg) => arg.includes('cuda'))) await buildCudaEmulator(await systemTools());
  const lints = !long && args.length === 0 ? [lint(), format(), unused()] : [];
  const tally = at('build', `tally-${process.pid}.json`);
  const reporters = ['--reporter=default', `--reporter=${at('scripts', 'reporter.mjs')}`];
  const env = { TFC_TALLY: tally, ...(long ? { TFC_LONG: '1' } : {}) };
  const ok = call(['vitest', 'vitest.mjs'], ['run', ...reporters, ...args], env);
  const counted = existsSync(tally) ? JSON.parse(readText(tally)) : { passed: 0, failed: 1 };
  rmSync(tally, { force: true });
  const passed = counted.passed + lints.filter(Boolean).length;
  let failed = counted.failed + lints.filter((l) => !l).length;
  if (!ok && failed === 0) failed = 1;
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}
