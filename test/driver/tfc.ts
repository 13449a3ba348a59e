// The command line as users meet it. In: arguments. Out: what the built `tfc` printed, and its exit code. Holds: all runs of a test file
// share one compile cache of their own.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export const root = join(import.meta.dirname, '..', '..');
export const cli = join(
  root,
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly bin: { readonly tfc: string } }).bin.tfc,
);

export interface Outcome {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Workplace {
  /** An empty directory; commands run in it. */
  readonly directory: string;
  readonly cache: string;
  /** Writes a file and returns its name. */
  file(name: string, content: string | Uint8Array): string;
  tfc(...args: readonly string[]): Outcome;
  tfcWith(environment: NodeJS.ProcessEnv, ...args: readonly string[]): Outcome;
}

/** Removed after the file's tests. */
export function workplace(): Workplace {
  const directory = mkdtempSync(join(tmpdir(), 'tfc-test-'));
  const cache = mkdtempSync(join(tmpdir(), 'tfc-test-cache-'));
  afterAll(() => {
    for (const one of [directory, cache]) rmSync(one, { recursive: true, force: true });
  });
  const tfcWith = (environment: NodeJS.ProcessEnv, ...args: readonly string[]): Outcome => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
      cwd: directory,
      encoding: 'utf8',
      env: { ...process.env, TFC_CACHE: cache, NO_COLOR: '1', ...environment },
    });
    return { status, out: stdout, err: stderr };
  };
  return {
    directory,
    cache,
    file: (name, content) => {
      writeFileSync(join(directory, name), content);
      return name;
    },
    tfc: (...args) => tfcWith({}, ...args),
    tfcWith,
  };
}

/** The lines of standard output as JSON values. */
export const jsonLines = ({ out }: Outcome): unknown[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

/** The one error that a command with `--json` printed. */
export function jsonError(outcome: Outcome): {
  readonly code: string;
  readonly message: string;
  readonly file?: string;
  readonly span?: unknown;
  readonly hint?: string;
} {
  const [value] = jsonLines(outcome) as [{ readonly error: ReturnType<typeof jsonError> }];
  return value.error;
}
