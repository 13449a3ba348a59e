// Compiling in a child process. In: a request. Out: the reply of `worker.ts`. Holds: no compiler enters the calling process, and its crash is an error here, nothing worse.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DiagnosticsError, InternalError } from '../base/index.js';
import type { BuildReply, BuildRequest } from './request.js';
import { packageRoot } from './sources.js';

const workerPath = (): string => {
  const path = join(packageRoot(), 'dist', 'src', 'driver', 'worker.js');
  if (!existsSync(path)) throw new DiagnosticsError([{ code: 'toolchain-missing', message: 'the compiler has not been built', hint: 'Run `npm run setup` in the checkout.' }]);
  return path;
};

export function buildInChild(request: BuildRequest): Promise<BuildReply> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [workerPath()], { stdio: ['pipe', 'pipe', 'pipe'] });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (status, signal) => {
      try {
        resolve(replyOf(Buffer.concat(out).toString(), Buffer.concat(err).toString(), status, signal));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    child.stdin.end(JSON.stringify(request));
  });
}

/** The same, blocking: for entries that are compiled on their first call. */
export function buildInChildSync(request: BuildRequest): BuildReply {
  const { stdout, stderr, status, signal, error } = spawnSync(process.execPath, [workerPath()], { input: JSON.stringify(request), encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (error !== undefined) throw error;
  return replyOf(stdout, stderr, status, signal);
}

function replyOf(out: string, err: string, status: number | null, signal: string | null): BuildReply {
  if (status !== 0) throw new InternalError('compile process', `it ended with ${signal ?? `exit code ${status}`}${err === '' ? '' : `:\n${err.trim()}`}`);
  return JSON.parse(out) as BuildReply;
}
