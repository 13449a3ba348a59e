// What PTX has. In: nothing. Out: how ops are spelled. Holds: a thread computes one lane, so there are no masks.

import type { CpuLevel } from './isa.js';

export const nvptx: CpuLevel = {
  fma: true,
  f16c: true,
  bf16: true,
  masks: false,
  maskRegisters: false,
  exponents: undefined,
  storeFence: undefined,
  libm: false,
};
