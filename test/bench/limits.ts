// Limits of this machine. In: a number of threads. Out: floating-point rate and bandwidths, as often as they are asked for. Holds: a
// workload's limits are measured in its own rounds, between its peers, so that both see the same clock; arithmetic is of the instruction
// set that was compiled for.

import { type Compiler, buildProgram } from './native-program.js';
import { PeerProcess } from './peer-process.js';
import { pinned } from './peers.js';
import type { Workload } from './workloads/workload.js';

/** The table at the start of a run. */
export interface Limits {
  readonly threads: number;
  /** 10⁹ floating-point operations per second, multiply-adds of f32 in the widest registers. */
  readonly gflops: number;
  /** GB/s of reading again and again through so many bytes, by bytes per thread. */
  readonly read: Readonly<Record<string, number>>;
  /** GB/s of a = b + s·c through main memory, three arrays counted; and with stores that pass the caches by. */
  readonly triad: number;
  readonly streamTriad: number;
}

/** What one workload's time is held against. */
export interface Gauge {
  /** 10⁹ floating-point operations per second, now. */
  readonly gflops: () => Promise<number>;
  /** GB/s of traffic like the workload's, now. */
  readonly gbs: (workload: Workload) => Promise<number>;
}

/** Bytes, all threads together, that no cache holds. */
const large = 384 * 2 ** 20;
const levels = [16 * 1024, 512 * 1024, 8 * 2 ** 20, 256 * 2 ** 20];

export class Limiter implements Gauge {
  readonly threads: number;
  readonly #process: PeerProcess;

  private constructor(threads: number, process: PeerProcess) {
    this.threads = threads;
    this.#process = process;
  }

  static async start(compiler: Compiler, cpu: string, threads: number, processor: number): Promise<Limiter> {
    const program = buildProgram(compiler, 'limits', cpu);
    return new Limiter(threads, await PeerProcess.start(pinned({ program, args: [String(threads)] }, threads, processor)));
  }

  gflops(): Promise<number> {
    return this.#rate('flops 0');
  }

  gbs({ traffic, workingSet }: Workload): Promise<number> {
    switch (traffic) {
      case 'read':
        return this.#rate(`read ${Math.max(4, Math.ceil(workingSet / this.threads / 1024)) * 1024}`);
      case 'stream':
        return this.#rate(`stream ${large / this.threads}`);
    }
  }

  async table(): Promise<Limits> {
    const read: Record<string, number> = {};
    for (const bytes of levels) read[bytes] = await this.#rate(`read ${bytes}`);
    const perThread = large / this.threads;
    return {
      threads: this.threads,
      gflops: await this.gflops(),
      read,
      triad: await this.#rate(`triad ${perThread}`),
      streamTriad: await this.#rate(`stream ${perThread}`),
    };
  }

  stop(): void {
    this.#process.stop();
  }

  async #rate(request: string): Promise<number> {
    return (await this.#process.ask<{ readonly rate: number }>(request)).rate;
  }
}

/** Microseconds below which a step cannot go: its arithmetic or its traffic, whichever takes longer. */
export function floorOf(workload: Workload, gflops: number, gbs: number): number {
  return Math.max(workload.flops / gflops, workload.bytes / gbs) / 1e3;
}
