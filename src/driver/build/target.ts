// Which machine to compile for. In: a name from the user. Out: what schedules and code generation need of it. Holds: a back end is asked
// only when its tools are there and it knows the name.

import type { Backend, Target } from '../../target/index.js';
import { builtFile } from '../package.js';

/** Errors: toolchain-missing, invalid-value. */
export function targetFor(cpu: string, backend: Backend): Target {
  backend.requireCpu(cpu);
  if (backend.toolchain !== undefined) builtFile(...backend.toolchain);
  return backend.targetOf(cpu);
}
