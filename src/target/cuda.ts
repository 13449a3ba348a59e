// An NVIDIA GPU as a target. In: nothing. Out: what schedules and the code generator ask of it. Holds: code for one generation runs on all
// later ones, so no device is looked at.

import type { Machine } from './target.js';

export interface CudaTarget extends Machine {
  readonly kind: 'cuda';
  /** What its code runs on. */
  readonly runsOn: Devices;
  /** Threads of a block, which are the lanes of a vector loop. A power of two. */
  readonly threads: number;
  /** That products are cut for: those of an H100 or H200; others have some more or fewer. */
  readonly processors: number;
  /** Bytes of shared memory that a block may have: those of the generation from `gpu` on that has the fewest. */
  readonly sharedBytes: number;
  /** Four warps multiply together (`wgmma`), and a block in which they do may have so much shared memory; undefined: they do not. */
  readonly groups: { readonly sharedBytes: number } | undefined;
}

/** Devices that can run code for a target, in NVIDIA's numbers. */
export interface Devices {
  /** 90: a device of compute capability 9.0. */
  readonly capability: number;
  /** Whether all of a higher one do as well. */
  readonly later: boolean;
  /** The version of CUDA that their driver must know to compile it: 12000 for 12.0. */
  readonly driver: number;
}

/**
 * Ampere and everything behind it. A block may have 163 KB with sm_80, 227 KB with sm_90 and sm_100, and 99 KB with sm_86, sm_89 and sm_120
 * (CUDA C++ Programming Guide, "Technical Specifications per Compute Capability"). `cpu` is the oldest generation that runs the code, as
 * LLVM and PTX write it, and `features` the version of the PTX.
 */
export const cudaTarget = (): CudaTarget => ({
  kind: 'cuda',
  runsOn: { capability: 80, later: true, driver: 11050 },
  triple: 'nvptx64-nvidia-cuda',
  cpu: 'sm_80',
  features: '+ptx75',
  requires: [],
  threads: 256,
  processors: 132,
  sharedBytes: 99 * 1024,
  groups: undefined,
  libm: false,
  dividesPoints: true,
  stridedColumns: true,
  roundsOperands: true,
  keepsFormats: true,
});

/**
 * Hopper alone: no other generation has its products of four warps, and later ones do not run code for them. What does not multiply so is
 * cut as for all others.
 */
export const hopperTarget = (): CudaTarget => ({
  ...cudaTarget(),
  cpu: 'sm_90a',
  features: '+ptx80',
  runsOn: { capability: 90, later: false, driver: 12000 },
  groups: { sharedBytes: 227 * 1024 },
});
