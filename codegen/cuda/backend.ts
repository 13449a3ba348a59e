// NVIDIA GPUs as a back end of the driver. In: programs of machine ops. Out: PTX, and the launches of each program. Holds: LLVM itself is
// loaded when code is made.

import { InternalError } from '../../src/base/index.js';
import { cudaTarget, type DeviceBackend, hopperTarget } from '../../src/target/index.js';
import { buildModule } from './module.js';
import { multipliesByGroups } from './statements.js';

export const cuda: DeviceBackend = {
  name: 'cuda',
  level: 'ptx',
  targets: () => [cudaTarget(), hopperTarget()],
  build: (programs, target) => {
    if (target.kind !== 'cuda') throw new InternalError('codegen', `${target.kind} is no GPU`);
    const gains = target.groups === undefined || programs.some(({ kernels }) => kernels.some(({ code }) => multipliesByGroups(code.body)));
    return gains ? buildModule(programs, target) : undefined;
  },
};
