// Which machine to compile for. In: a name from the user. Out: what schedules and code generation need of it. Holds: a back end is asked
// only when its tools are there and it knows the name.

import { DiagnosticsError } from '../../base/index.js';
import type { Backend, Target } from '../../target/index.js';
import { backendOf, deviceBackendOf } from './backends.js';
import type { BuildRequest } from './request.js';

/** The machine whose kernels are looked at: that of most devices, where code for them is asked for. Errors: those of `targetFor`. */
export const targetOf = (request: Pick<BuildRequest, 'backend' | 'cpu' | 'device'>): Target =>
  deviceBackendOf(request)?.target() ?? targetFor(request.cpu, backendOf(request));

/** Errors: toolchain-missing, invalid-value. */
export function targetFor(cpu: string, backend: Backend): Target {
  backend.requireCpu(cpu);
  const { toolchain } = backend;
  if (toolchain !== undefined && toolchain.find() === undefined)
    throw new DiagnosticsError([
      {
        code: 'toolchain-missing',
        message: 'the compiler’s native part is not there',
        hint: `Install ${toolchain.name}, or run \`npm run setup\` in a checkout of tfc.`,
      },
    ]);
  return backend.targetOf(cpu);
}
