// What a run found, as `last.json` and docs/performance.json have it. In: nothing. Out: types. Holds: names of workloads and peers are
// those of the bench; times are medians over rounds.

import type { Limits } from './limits.js';
import type { Figures } from './measure.js';

export interface Machine {
  readonly cpu: string;
  /** The CPU that was compiled for. */
  readonly target: string;
  readonly processors: number;
  readonly node: string;
  readonly compiler: string | undefined;
  /** Milliseconds that a process of Node takes which does nothing. */
  readonly nodeMs: number;
  /** The day of the run. */
  readonly date: string;
}

/** By the names of peers, tfc among them. */
type ByPeer<Value> = Readonly<Record<string, Value>>;

/** One workload with so many threads; `null` where tfc or a limit was not measured. */
export interface WorkloadResult {
  readonly name: string;
  readonly threads: number;
  /** Microseconds per step in a native loop; with one call through the session per step. */
  readonly tfc_us: number | null;
  readonly tfc_call_us: number | null;
  /** Microseconds per step of all others. */
  readonly peers: ByPeer<number>;
  /** The shortest time that the limits allow, over tfc's and over everyone's. */
  readonly roofline: number | null;
  readonly rooflines: ByPeer<number | null>;
  readonly limit: Figures['limit'] | null;
  readonly peak_bytes: ByPeer<number>;
  readonly first_step_ms: ByPeer<number>;
  readonly compile_ms: number | null;
  readonly cached_ms: number | null;
  /** Names with versions. */
  readonly systems: ByPeer<string>;
  readonly failures: Figures['failures'];
}

export interface Result {
  /** What figures that no run of the bench wrote as they stand owe to their reader. */
  readonly remarks?: readonly string[];
  readonly machine: Machine;
  readonly limits: readonly Limits[];
  readonly workloads: readonly WorkloadResult[];
}
