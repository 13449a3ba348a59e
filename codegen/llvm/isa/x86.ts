// x86-64: its CPUs, their vectors, and the instructions of each level. In: names and features in LLVM's words. Out: tables.
// Holds: a feature is assumed only if the name or the host implies it; a name that is not known to have wide vectors gets 16-byte ones,
// which every x86-64 has.

import type { ExponentInstructions, InstructionSet, Vectors } from './isa.js';

/** LLVM 19's names of x86-64 processors (`llc -march=x86-64 -mcpu=help`), without its spellings with underscores. */
const cpus = [
  'x86-64 x86-64-v2 x86-64-v3 x86-64-v4',
  'nocona core2 penryn nehalem corei7 westmere sandybridge corei7-avx ivybridge core-avx-i haswell core-avx2 broadwell skylake skylake-avx512 skx cascadelake cooperlake cannonlake',
  'icelake-client icelake-server rocketlake tigerlake alderlake raptorlake meteorlake arrowlake arrowlake-s lunarlake pantherlake',
  'sapphirerapids emeraldrapids graniterapids graniterapids-d sierraforest grandridge clearwaterforest',
  'bonnell atom silvermont slm goldmont goldmont-plus tremont gracemont knl knm',
  'k8 opteron athlon64 athlon-fx k8-sse3 opteron-sse3 athlon64-sse3 amdfam10 barcelona btver1 btver2 bdver1 bdver2 bdver3 bdver4 znver1 znver2 znver3 znver4 znver5',
]
  .join(' ')
  .split(' ');

/** Those with AVX-512, and those with AVX2 and FMA. */
const wide =
  /^(x86-64-v4|skylake-avx512|skx|cascadelake|cooperlake|cannonlake|icelake-.*|rocketlake|tigerlake|sapphirerapids|emeraldrapids|graniterapids.*|diamondrapids|znver[4-9])$/;
const middle =
  /^(x86-64-v3|haswell|core-avx2|broadwell|skylake|alderlake|raptorlake|meteorlake|arrowlake.*|lunarlake|pantherlake|gracemont|sierraforest|grandridge|clearwaterforest|znver[1-3]|bdver4)$/;

/** What a machine must have for vectors of 64 bytes, and of 32. */
const wideFeatures = ['avx512f', 'avx512bw', 'avx512dq', 'avx512vl'];
const middleFeatures = ['avx2', 'fma'];

const vectors = (vectorBytes: Vectors['vectorBytes']): Vectors => ({ vectorBytes, vectorRegisters: vectorBytes === 64 ? 32 : 16 });

const avx512 = (of: string): ((lanes: number) => string) => {
  return (lanes) => `llvm.x86.avx512.mask.${of}.ps.${lanes * 32}`;
};

const exponents: ExponentInstructions = {
  lanes: [4, 8, 16],
  rounds: 16,
  scale: avx512('scalef'),
  exponent: avx512('getexp'),
  mantissa: avx512('getmant'),
};

export const x86: InstructionSet = {
  name: 'x86-64',
  isOf: (triple) => triple.startsWith('x86_64'),
  arch: 'x64',
  cpus,
  vectorsOfCpu: (cpu) => vectors(wide.test(cpu) ? 64 : middle.test(cpu) ? 32 : 16),
  vectorsOf: (features) => {
    const has = (wanted: readonly string[]): boolean => wanted.every((feature) => features.has(feature));
    return vectors(has(wideFeatures) ? 64 : has(middleFeatures) ? 32 : 16);
  },
  levelOf: ({ vectorBytes }, features) => {
    const implied = vectorBytes >= 32;
    return {
      fma: implied || features.has('fma'),
      f16c: implied || features.has('f16c'),
      masks: implied,
      maskRegisters: vectorBytes === 64,
      exponents: vectorBytes === 64 ? exponents : undefined,
      storeFence: 'llvm.x86.sse.sfence',
      libm: true,
    };
  },
};
