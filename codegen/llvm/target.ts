// Which processor to generate code for. In: a name. Out: what schedules and emission need of it. Holds: a feature is assumed only if the
// name or the host implies it.

import { isFeature } from '../../runtime/abi/processor.js';
import { InternalError } from '../../src/base/index.js';
import type { Target } from '../../src/loop/index.js';
import { enabledFeatures, hostInfo } from './llvm/index.js';

/** Instructions that decide how an op is spelled. */
export interface CpuLevel {
  /** Multiply-add with one rounding. */
  readonly fma: boolean;
  /** Conversions of 16-bit floats. */
  readonly f16c: boolean;
  /** Loads and stores of some lanes only: without them a loop's tail runs lane by lane. */
  readonly masks: boolean;
  /** Masks cost nothing: they live in registers of their own. */
  readonly maskRegisters: boolean;
  /** Exponents and mantissas of floats, and powers of two from whole floats (AVX-512). */
  readonly exponents: boolean;
}

const wide =
  /^(x86-64-v4|skylake-avx512|skx|cascadelake|cooperlake|cannonlake|icelake-.*|rocketlake|tigerlake|sapphirerapids|emeraldrapids|graniterapids.*|diamondrapids|znver[4-9])$/;
const middle =
  /^(x86-64-v3|haswell|core-avx2|broadwell|skylake|alderlake|raptorlake|meteorlake|arrowlake.*|lunarlake|pantherlake|gracemont|sierraforest|grandridge|clearwaterforest|znver[1-3]|bdver4)$/;

/**
 * `native` (default): this machine. Otherwise an LLVM CPU name: `x86-64-v3`, `x86-64`, `sapphirerapids`, …; a name that is not known to
 * have wide vectors gets 16-byte ones, which every x86-64 has. Errors: InternalError when the host is no x86-64 and another architecture is
 * asked for by name.
 */
export function hostTarget(cpu = 'native'): Target {
  const host = hostInfo();
  if (cpu !== 'native') {
    if (!host.triple.startsWith('x86_64')) throw new InternalError('codegen', `the CPU ${cpu} cannot be named on ${host.triple}`);
    const vectorBytes = wide.test(cpu) ? 64 : middle.test(cpu) ? 32 : 16;
    return {
      cpu,
      features: '',
      triple: host.triple,
      requires: requiredOf(host.triple, cpu, ''),
      vectorBytes,
      vectorRegisters: vectorBytes === 64 ? 32 : 16,
    };
  }
  const has = featureSet(host.features);
  const vectorBytes =
    has.has('avx512f') && has.has('avx512bw') && has.has('avx512dq') && has.has('avx512vl')
      ? 64
      : has.has('avx2') && has.has('fma')
        ? 32
        : 16;
  const neon = host.triple.startsWith('aarch64');
  return {
    cpu: host.cpu,
    features: host.features,
    triple: host.triple,
    requires: requiredOf(host.triple, host.cpu, host.features),
    vectorBytes,
    vectorRegisters: vectorBytes === 64 || neon ? 32 : 16,
  };
}

const requiredOf = (triple: string, cpu: string, features: string): readonly string[] =>
  enabledFeatures({ triple, cpu, features }).filter(isFeature).sort();

const levels = new WeakMap<Target, CpuLevel>();

export function levelOf(target: Target): CpuLevel {
  let level = levels.get(target);
  if (level === undefined) levels.set(target, (level = findLevel(target)));
  return level;
}

function findLevel(target: Target): CpuLevel {
  if (target.triple.startsWith('aarch64')) return { fma: true, f16c: true, masks: false, maskRegisters: false, exponents: false };
  const has = featureSet(target.features);
  const implied = target.vectorBytes >= 32;
  return {
    fma: implied || has.has('fma'),
    f16c: implied || has.has('f16c'),
    masks: implied,
    maskRegisters: target.vectorBytes === 64,
    exponents: target.vectorBytes === 64,
  };
}

const featureSet = (features: string): ReadonlySet<string> =>
  new Set(
    features
      .split(',')
      .filter((feature) => feature.startsWith('+'))
      .map((feature) => feature.slice(1)),
  );
