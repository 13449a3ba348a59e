// A running peer. In: a command. Out: its answers. Holds: requests are lines such as `check N`, `steps N`; each is answered by one line of
// JSON. A peer answers `{"ready": …}` once, after its first step.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as after } from 'node:timers/promises';

export interface PeerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Settings that a machine may have for its BLAS and that would hold peers back. */
const held = ['OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE'];

export class PeerProcess {
  readonly #child: ChildProcess;
  readonly #waiting: { readonly resolve: (line: string) => void; readonly reject: (error: Error) => void }[] = [];
  readonly #said: string[] = [];
  #ended: Error | undefined;
  /** Milliseconds from the start of the process to its first finished step. */
  firstStep = Number.NaN;
  /** Name and version that the peer gives itself. */
  system = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('a peer needs pipes');
    createInterface({ input: stdout }).on('line', (line) => {
      // Some libraries greet on standard output; answers are JSON objects.
      if (line.startsWith('{')) this.#waiting.shift()?.resolve(line);
    });
    stderr.on('data', (chunk: Buffer) => {
      this.#said.push(chunk.toString());
      if (this.#said.length > 200) this.#said.shift();
    });
    child.on('error', (error) => this.#end(error));
    child.on('close', (code, signal) => this.#end(new Error(`ended with ${signal ?? `exit code ${code}`}: ${this.#lastWords()}`)));
  }

  /** Starts a peer and waits for its first step; `limit` in milliseconds. Throws an Error that holds the peer's last words. */
  static async start(command: PeerCommand, limit = 180_000): Promise<PeerProcess> {
    const kept = Object.entries(process.env).filter(([name]) => !held.includes(name));
    const env = { ...Object.fromEntries(kept), ...command.env };
    const start = performance.now();
    const peer = new PeerProcess(spawn(command.program, command.args, { env, stdio: ['pipe', 'pipe', 'pipe'] }));
    try {
      const { system } = JSON.parse(await peer.#answer(limit)) as { system: string };
      peer.firstStep = performance.now() - start;
      peer.system = system;
      return peer;
    } catch (error) {
      peer.stop();
      throw error;
    }
  }

  /**
   * Numbers to compare with other peers', in groups of one magnitude: losses of the first steps from the initial values, or what stands for
   * each result of a function.
   */
  async checks(steps: number): Promise<readonly (readonly number[])[]> {
    const { checks } = await this.ask<{ readonly checks: readonly (readonly (number | null)[])[] }>(`check ${steps}`);
    return checks.map((group) => group.map((value) => value ?? Number.NaN));
  }

  /** Nanoseconds that so many steps from the initial values took. */
  async steps(count: number): Promise<number> {
    return (await this.ask<{ readonly ns: number }>(`steps ${count}`)).ns;
  }

  /** The system's number of its process. */
  get pid(): number {
    return this.#child.pid as number;
  }

  /** Largest resident memory so far, in bytes. */
  peakMemory(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN);
  }

  /**
   * Waits until its threads sleep: some go on spinning for more than 100 ms after their last step, on processors that the next peer needs.
   */
  async rest(): Promise<void> {
    for (let before = this.#runMs(); ;) {
      await after(5);
      const now = this.#runMs();
      if (now - before < 1) return;
      before = now;
    }
  }

  stop(): void {
    this.#child.stdin?.end();
    this.#child.kill('SIGKILL');
  }

  /** Milliseconds that all its threads have run so far. */
  #runMs(): number {
    const tasks = `/proc/${this.#child.pid}/task`;
    const run = (thread: string): number => {
      try {
        return Number(readFileSync(`${tasks}/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
      } catch {
        // It ended meanwhile.
        return 0;
      }
    };
    return readdirSync(tasks).reduce((total, thread) => total + run(thread), 0);
  }

  /** Sends a request; its answer. */
  async ask<Answer>(line: string): Promise<Answer> {
    this.#child.stdin?.write(`${line}\n`);
    return JSON.parse(await this.#answer(600_000)) as Answer;
  }

  #answer(limit: number): Promise<string> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer within ${limit / 1000} s: ${this.#lastWords()}`)), limit);
      const settle =
        <Value>(then: (value: Value) => void) =>
        (value: Value): void => {
          clearTimeout(timer);
          then(value);
        };
      this.#waiting.push({ resolve: settle(resolve), reject: settle(reject) });
    });
  }

  #lastWords(): string {
    return this.#said.join('').trim().split('\n').at(-1) || 'it said nothing';
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#ended);
  }
}
