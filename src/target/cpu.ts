// A CPU as a target. In: what a back end knows of it. Out: what schedules and code generators ask of it. Holds: no cache is measured, so
// two machines with the same instructions get the same code.

import type { Machine } from './target.js';

/** Memory on the way to a core, as far as schedules count on it. */
export interface Caches {
  /** Of the nearest cache, which one core has for data. */
  readonly l1Bytes: number;
  /** Lines that it keeps of those whose addresses differ by multiples of `l1Bytes / l1Ways`. */
  readonly l1Ways: number;
  /** Of the second-level cache of one core. */
  readonly l2Bytes: number;
  /** Lines that the second-level cache keeps of those whose addresses differ by multiples of `l2Bytes / l2Ways`. */
  readonly l2Ways: number;
  /** Of what the last-level cache has for one core and its neighbours. */
  readonly l3Bytes: number;
}

export interface CpuTarget extends Machine {
  readonly kind: 'cpu';
  readonly isa: 'x86-64' | 'aarch64';
  /** Bytes of the widest vector worth using: 64 (AVX-512), 32 (AVX2), 16. */
  readonly vectorBytes: 64 | 32 | 16;
  /** Architectural vector registers: 32 with AVX-512 or on aarch64, else 16. */
  readonly vectorRegisters: 32 | 16;
  readonly caches: Caches;
}

/**
 * The caches that schedules count on. Those of processors with the widest vectors, and of others than x86-64, are those of a server's core,
 * an Intel Xeon with 2 MB of second-level cache, on which all schedules were tuned; other x86-64 processors seldom have more than 512 KB
 * (Haswell to Coffee Lake 256 KB, Zen 1 to 3 512 KB, each of 8 ways or 4). A kind of processor with others becomes a line here, together
 * with measurements on it.
 */
const server: Caches = { l1Bytes: 32 * 1024, l1Ways: 8, l2Bytes: 2 * 1024 * 1024, l2Ways: 16, l3Bytes: 16 * 1024 * 1024 };
const desktop: Caches = { ...server, l2Bytes: 512 * 1024, l2Ways: 8 };

/** What all CPUs do alike: lanes run along the columns of a right side, so these lie side by side. */
const common = {
  kind: 'cpu',
  libm: true,
  dividesPoints: false,
  stridedColumns: false,
  roundsOperands: false,
  keepsFormats: false,
} as const;

/** A CPU with the caches that are assumed of its kind. */
export const cpuTarget = (of: Omit<CpuTarget, keyof typeof common | 'caches'>): CpuTarget => ({
  ...of,
  ...common,
  caches: of.isa === 'x86-64' && of.vectorBytes < 64 ? desktop : server,
});
