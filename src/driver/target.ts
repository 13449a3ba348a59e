// Which processor to compile for. In: a name from the user. Out: what schedules and code generation need of it. Holds: LLVM is asked only
// when it is there and knows the name.

import { hostTarget, requireCpu } from '../../codegen/llvm/index.js';
import type { Target } from '../target/index.js';
import { builtFile } from './package.js';

/** Errors: toolchain-missing, invalid-value. */
export function targetFor(cpu: string): Target {
  requireCpu(cpu);
  builtFile('build', 'llvm.node');
  return hostTarget(cpu);
}
