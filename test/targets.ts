// Machines for tests that compile for the same ones wherever they run. In: nothing. Out: targets of the x86-64 levels.

import { cpuTarget, type CpuTarget } from '../src/target/index.js';

const level = (cpu: string, vectorBytes: CpuTarget['vectorBytes'], vectorRegisters: CpuTarget['vectorRegisters']): CpuTarget =>
  cpuTarget({ isa: 'x86-64', cpu, features: '', triple: 'x86_64-unknown-linux-gnu', requires: [], vectorBytes, vectorRegisters });

/** Vectors of 4, 8 and 16 f32. */
export const sse = level('x86-64', 16, 16);
export const avx2 = level('x86-64-v3', 32, 16);
export const avx512 = level('x86-64-v4', 64, 32);
