// NVIDIA GPUs as a back end of the driver. In: programs of machine ops. Out: PTX, and the launches of each program, for all generations,
// and for Hopper alone where that gains. Holds: LLVM itself is loaded when code is made.

import { forEachStatement, type MultiplyStmt, type Program } from '../../src/kernel/index.js';
import { cudaTarget, type DeviceBackend, type DeviceCode, hopperTarget } from '../../src/target/index.js';
import { buildModule } from './module.js';

export const cuda: DeviceBackend = {
  name: 'cuda',
  level: 'ptx',
  target: cudaTarget,
  build: (programsFor) => {
    const [portable, hopper] = [cudaTarget(), hopperTarget()];
    const programs = programsFor(portable);
    const code = buildModule(programs, portable);
    // Hopper is better at nothing else, and lowering once more takes as long as the first time.
    if (!multiply(programs, ({ right }) => right.buffer.dtype !== 'f32')) return [code];
    return [code, ...forHopper(programsFor(hopper))];
  },
};

/** Nothing where no four warps multiply together. */
export const forHopper = (programs: readonly Program[]): readonly DeviceCode[] =>
  multiply(programs, ({ warps }) => warps === 4) ? [buildModule(programs, hopperTarget())] : [];

/** Whether there is such a product. */
function multiply(programs: readonly Program[], test: (stmt: MultiplyStmt) => boolean): boolean {
  let found = false;
  for (const { kernels } of programs)
    for (const { code } of kernels) forEachStatement(code.body, (stmt) => (found ||= stmt.kind === 'multiply' && test(stmt)));
  return found;
}
