// A worker under watch. In: requests. Out: its reply, or how it came to an end. Holds: Linux: processor time comes from /proc; a process
// that stays with one input for too long is ended by its id.

import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/driver/package.js';
import type { Finding, TargetName } from './target.js';
import { found } from './target.js';
import type { Reply, Request } from './worker.js';

export interface Death {
  readonly kind: 'dead';
  /** The input at which it died. */
  readonly at: number;
  readonly finding: Finding;
}

/** What a process needs beside the target: sanitizers ask for a library before all others. */
export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly execArgv?: readonly string[];
}

const ticksPerSecond = 100;
/** Seconds after which an input that uses no processor time counts as hanging; one that waits for a busy machine gets some. */
const patience = 20;

export class Worker {
  readonly #child: ChildProcess;
  readonly #folder = mkdtempSync(join(tmpdir(), 'tfc-fuzz-'));
  readonly #seconds: number;
  #stderr = '';
  #exit: string | undefined;
  #receive: ((reply: Reply) => void) | undefined;
  #ended: (() => void) | undefined;

  /** `seconds`: of processor time that the longest input may take. */
  constructor(target: TargetName, seconds: number, { env = {}, execArgv = [] }: Surroundings = {}) {
    this.#seconds = seconds;
    this.#child = fork(join(packageRoot(), 'dist', 'test', 'fuzz', 'worker.js'), [target, this.#bookmark], {
      execArgv: ['--max-old-space-size=1500', '--expose-gc', '--no-warnings', ...execArgv],
      env: { ...process.env, TMPDIR: this.#folder, TFC_CACHE: join(this.#folder, 'cache'), ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#stderr = `${this.#stderr}${chunk.toString()}`.slice(-20_000)));
    this.#child.on('message', (reply: Reply) => this.#receive?.(reply));
    this.#child.on('close', (code, signal) => {
      this.#exit = signal ?? `exit code ${code}`;
      this.#ended?.();
    });
  }

  get #bookmark(): string {
    return join(this.#folder, 'bookmark');
  }

  /** `onFound` hears of findings that do not end the process. */
  ask(request: Request, onFound: (reply: Extract<Reply, { kind: 'found' }>) => void = () => undefined): Promise<Reply | Death> {
    return new Promise((resolve) => {
      let hang: string | undefined;
      const watch = setInterval(() => {
        hang ??= this.#overdue();
        if (hang !== undefined) this.#child.kill('SIGKILL');
      }, 250);
      const end = (reply: Reply | Death): void => {
        clearInterval(watch);
        this.#receive = this.#ended = undefined;
        resolve(reply);
      };
      this.#ended = () => {
        const text = hang ?? `the process ended with ${this.#exit}\n${this.#lastWords()}`;
        end({
          kind: 'dead',
          at: this.#at(),
          finding: found(
            hang === undefined ? (/heap out of memory|Allocation failed/.test(this.#stderr) ? 'memory' : 'crash') : 'hang',
            text,
          ),
        });
      };
      if (this.#exit !== undefined) return this.#ended();
      this.#receive = (reply) => {
        if (reply.kind === 'found') onFound(reply);
        else if (reply.kind !== 'ready') end(reply);
      };
      this.#child.send(request, (error) => error !== null && this.#exit !== undefined && this.#ended?.());
    });
  }

  async close(): Promise<void> {
    if (this.#exit === undefined) {
      const gone = new Promise<void>((resolve) => (this.#ended = resolve));
      this.#child.kill('SIGKILL');
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #at(): number {
    try {
      return Number(readFileSync(this.#bookmark, 'utf8'));
    } catch {
      return -1;
    }
  }

  #lastWords(): string {
    const report = /^.*(?:runtime error|ERROR: \w+Sanitizer)[^]*?(?=\n\n|$)/m.exec(this.#stderr)?.[0];
    return (report ?? this.#stderr.trim().split('\n').slice(-12).join('\n')).slice(0, 4000);
  }

  #last = { at: -2, ticks: 0, since: 0 };

  #overdue(): string | undefined {
    const at = this.#at();
    const ticks = this.#ticks();
    const now = performance.now();
    if (at !== this.#last.at || at < 0) {
      this.#last = { at, ticks, since: now };
      return undefined;
    }
    const used = (ticks - this.#last.ticks) / ticksPerSecond;
    // Long inputs have more time, and what ends by itself says how long it took.
    if (used > 4 * this.#seconds + 1) return `still busy after ${used.toFixed(0)} s of processor time`;
    return now - this.#last.since > 1000 * patience && used < 0.01 * patience
      ? `waits for something (${used.toFixed(1)} s of processor time)`
      : undefined;
  }

  /** Processor time of the process, in ticks. */
  #ticks(): number {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
      const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
      return Number(fields[11]) + Number(fields[12]);
    } catch {
      return 0;
    }
  }
}
