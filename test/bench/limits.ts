// Limits of this machine. In: sizes of working sets, a number of threads. Out: measured floating-point rate and bandwidths. Holds: they are measured by the same run that is compared with them.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Compiler, buildProgram } from './native-program.js';
import type { Workload } from './workloads.js';

export interface Limits {
  readonly threads: number;
  /** 10⁹ floating-point operations per second, fused multiply-adds of f32 in the widest registers. */
  readonly gflops: number;
  /** GB/s of reading again and again through so many bytes, by bytes per thread. */
  readonly read: Readonly<Record<string, number>>;
  /** GB/s of a = b + s·c through main memory, three arrays counted; and with stores that pass the caches by. */
  readonly triad: number;
  readonly streamTriad: number;
}

export async function measureLimits(compiler: Compiler, threads: number, workloads: readonly Workload[]): Promise<Limits> {
  const program = buildProgram(compiler, 'limits');
  const sets = [...new Set([16 * 1024, 512 * 1024, 8 * 2 ** 20, 256 * 2 ** 20, ...workloads.map((workload) => setOf(workload, threads))])].sort((a, b) => a - b);
  const { stdout } = await promisify(execFile)(program, [String(threads), ...sets.map(String)]);
  return { threads, ...(JSON.parse(stdout) as Omit<Limits, 'threads'>) };
}

/** The part of a working set that each thread goes through, in whole kilobytes. */
const setOf = (workload: Workload, threads: number): number => Math.max(4, Math.ceil(workload.workingSet / threads / 1024)) * 1024;

/** Microseconds below which a step cannot go: its arithmetic or its traffic, whichever takes longer. */
export function floorOf(workload: Workload, limits: Limits): number {
  const arithmetic = workload.flops / limits.gflops / 1e3;
  const traffic = workload.bytes / (limits.read[setOf(workload, limits.threads)] ?? Number.NaN) / 1e3;
  return Math.max(arithmetic, traffic);
}
