// NVIDIA GPUs as a back end of the driver. In: programs of machine ops. Out: PTX, and the launches of each program. Holds: LLVM itself is
// loaded when code is made.

import { InternalError } from '../../src/base/index.js';
import { cudaTarget, type DeviceBackend } from '../../src/target/index.js';
import { buildModule } from './module.js';

export const cuda: DeviceBackend = {
  name: 'cuda',
  level: 'ptx',
  targets: () => [cudaTarget()],
  build: (programs, target) => {
    if (target.kind !== 'cuda') throw new InternalError('codegen', `${target.kind} is no GPU`);
    return buildModule(programs, target);
  },
};
