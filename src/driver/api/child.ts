// Compiling in a child process. In: a job. Out: the reply of `serveBuild`. Holds: no compiler enters the calling process, and its crash is
// an error here, nothing worse.

import { spawn, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { TfcError } from '../../../runtime/index.js';
import { InternalError } from '../../base/index.js';
import { builtFile } from '../package.js';
import type { BuildJob, BuildReply } from '../build/request.js';
import { erase } from '../build/watch-stages.js';

/** Of the bundle, also for who does not come from there: loading the compiler's own modules takes thrice as long as a small program. */
const workerPath = (): string => builtFile('dist', 'bundle', 'worker.cjs');

/** Node reads the certificates that this names before anything else, for 45 ms; a compiler asks nobody anything. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...rest } = process.env;
  return rest;
}

/** Who is watched draws on this process's standard error; its own is read, for what a crash says. */
const stdioOf = ({ watched }: BuildJob): ('pipe' | number)[] => ['pipe', 'pipe', 'pipe', ...(watched ? [2] : [])];

/** `directory`: what the request's path is relative to. */
export function buildInChild(job: BuildJob, directory: string): Promise<BuildReply> {
  const worker = workerPath();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [worker], { cwd: directory, env: environment(), stdio: stdioOf(job) });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', (error) => reject(notStarted(error, directory)));
    // A process that ends before it has read everything says so by its status.
    child.stdin?.on('error', () => undefined);
    child.on('close', (status, signal) => {
      try {
        resolve(replyOf(job, Buffer.concat(out).toString(), Buffer.concat(err).toString(), status, signal));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    child.stdin?.end(JSON.stringify(job));
  });
}

/** The same, blocking: for entries that are compiled on their first call. */
export function buildInChildSync(job: BuildJob, directory: string): BuildReply {
  const { stdout, stderr, status, signal, error } = spawnSync(process.execPath, [workerPath()], {
    cwd: directory,
    env: environment(),
    input: JSON.stringify(job),
    stdio: stdioOf(job),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  // EPIPE: the process ended before it had read everything; its status says why.
  if (error !== undefined && status === null && signal === null) throw notStarted(error, directory);
  return replyOf(job, stdout, stderr, status, signal);
}

/** A process that cannot be started because of where it shall run is told apart by nothing but that place. */
function notStarted(error: Error, directory: string): Error {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true)
    return new TfcError('file-not-found', `the working directory ${directory} is not there any more`, { cause: error });
  return new InternalError('compile process', `it could not be started: ${error.message}`);
}

function replyOf({ watched }: BuildJob, out: string, err: string, status: number | null, signal: string | null): BuildReply {
  if (status !== 0) {
    // It did not come to erase its line.
    if (watched) erase(2);
    throw broken(`it ended with ${signal ?? `exit code ${status}`}`, err);
  }
  try {
    return JSON.parse(out) as BuildReply;
  } catch {
    throw broken('it gave no reply', err);
  }
}

/** Of what the process said, one line is for people; all of it is behind the error. */
function broken(how: string, said: string): InternalError {
  const line = said.split('\n').find((one) => /^\w*(?: ERROR|Error)(?: \[\w+\])?: /.test(one));
  const error = new InternalError('compile process', line === undefined ? how : `${how}: ${line}`);
  error.cause = said;
  return error;
}
