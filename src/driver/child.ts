// Compiling in a child process. In: a request. Out: the reply of `worker.ts`. Holds: no compiler enters the calling process, and its crash is an error here, nothing worse.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InternalError } from '../base/index.js';
import { builtFile } from './package.js';
import type { BuildReply, BuildRequest } from './request.js';

/** The worker that was built together with this file; this file's source takes the compiled one. */
function workerPath(): string {
  const beside = join(import.meta.dirname, 'worker.cjs');
  return existsSync(beside) ? beside : builtFile('dist', 'src', 'driver', 'worker.js');
}

/** Node reads the certificates that this names before anything else, for 45 ms; a compiler asks nobody anything. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...rest } = process.env;
  return rest;
}

/** `directory`: what the request's path is relative to. */
export function buildInChild(request: BuildRequest, directory: string): Promise<BuildReply> {
  const worker = workerPath();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [worker], { cwd: directory, env: environment(), stdio: ['pipe', 'pipe', 'pipe'] });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', (error) => reject(notStarted(error)));
    // A process that ends before it has read everything says so by its status.
    child.stdin.on('error', () => undefined);
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
export function buildInChildSync(request: BuildRequest, directory: string): BuildReply {
  const { stdout, stderr, status, signal, error } = spawnSync(process.execPath, [workerPath()], { cwd: directory, env: environment(), input: JSON.stringify(request), encoding: 'utf8', maxBuffer: 2 ** 28 });
  // EPIPE: the process ended before it had read everything; its status says why.
  if (error !== undefined && status === null && signal === null) throw notStarted(error);
  return replyOf(stdout, stderr, status, signal);
}

const notStarted = (error: Error): InternalError => new InternalError('compile process', `it could not be started: ${error.message}`);

function replyOf(out: string, err: string, status: number | null, signal: string | null): BuildReply {
  const said = err.trim() === '' ? '' : `:\n${err.trim()}`;
  if (status !== 0) throw new InternalError('compile process', `it ended with ${signal ?? `exit code ${status}`}${said}`);
  try {
    return JSON.parse(out) as BuildReply;
  } catch {
    throw new InternalError('compile process', `it gave no reply${said}`);
  }
}
