// aarch64 with Neon, which every one has. In: nothing. Out: tables. Holds: only the machine that compiles can be compiled for.

import type { InstructionSet, Vectors } from './isa.js';

const vectors: Vectors = { vectorBytes: 16, vectorRegisters: 32 };

export const aarch64: InstructionSet = {
  name: 'aarch64',
  isOf: (triple) => triple.startsWith('aarch64'),
  arch: 'arm64',
  cpus: [],
  vectorsOfCpu: () => vectors,
  vectorsOf: () => vectors,
  levelOf: () => ({ fma: true, f16c: true, masks: false, maskRegisters: false, exponents: undefined, storeFence: undefined, libm: true }),
};
