// Which processor to generate code for. In: a name. Out: what schedules and emission need of it. Holds: LLVM ends the process over a name
// that it does not know, so it never gets one.

import { arch } from 'node:os';
import { isFeature } from '../../runtime/abi/processor.js';
import { DiagnosticsError, InternalError } from '../../src/base/index.js';
import { cpuTarget, type CpuTarget } from '../../src/target/index.js';
import { aarch64 } from './isa/aarch64.js';
import type { CpuLevel, InstructionSet } from './isa/isa.js';
import { x86 } from './isa/x86.js';
import { enabledFeatures, hostInfo } from './builder/index.js';

const instructionSets: readonly InstructionSet[] = [x86, aarch64];

/** Errors: invalid-value for a name that LLVM does not know on this machine. */
export function requireCpu(name: string): void {
  const known = instructionSets.find((isa) => isa.arch === arch())?.cpus ?? [];
  if (name === 'native' || known.includes(name)) return;
  throw new DiagnosticsError([
    {
      code: 'invalid-value',
      message: `there is no processor called ${JSON.stringify(name)}`,
      hint: 'Take native (this machine), x86-64, x86-64-v3, x86-64-v4, or the name that LLVM has for one.',
    },
  ]);
}

/**
 * `native` (default): this machine. Otherwise an LLVM CPU name: `x86-64-v3`, `x86-64`, `sapphirerapids`, … Errors: InternalError when the
 * host's CPUs cannot be named, or there is no table of their instructions.
 */
export function hostTarget(cpu = 'native'): CpuTarget {
  const host = hostInfo();
  const { triple } = host;
  const isa = instructionSets.find((one) => one.isOf(triple));
  if (isa === undefined) throw new InternalError('codegen', `there is no table of the instructions of ${triple}`);
  if (cpu !== 'native' && isa.cpus.length === 0) throw new InternalError('codegen', `the CPU ${cpu} cannot be named on ${triple}`);
  const [name, features] = cpu === 'native' ? [host.cpu, host.features] : [cpu, ''];
  const vectors = cpu === 'native' ? isa.vectorsOf(featureSet(features)) : isa.vectorsOfCpu(cpu);
  return cpuTarget({ isa: isa.name, triple, cpu: name, features, requires: requiredOf(triple, name, features), ...vectors });
}

const requiredOf = (triple: string, cpu: string, features: string): readonly string[] =>
  enabledFeatures({ triple, cpu, features }).filter(isFeature).sort();

const levels = new WeakMap<CpuTarget, CpuLevel>();

export function levelOf(target: CpuTarget): CpuLevel {
  let level = levels.get(target);
  if (level === undefined) {
    const isa = instructionSets.find(({ name }) => name === target.isa) as InstructionSet;
    levels.set(target, (level = isa.levelOf(target, featureSet(target.features))));
  }
  return level;
}

const featureSet = (features: string): ReadonlySet<string> =>
  new Set(
    features
      .split(',')
      .filter((feature) => feature.startsWith('+'))
      .map((feature) => feature.slice(1)),
  );
