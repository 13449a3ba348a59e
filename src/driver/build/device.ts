// Code for a device beside the processor's. In: a simplified module. Out: kernels of every entry, and how they are launched. Holds: they go
// through the same passes as for a processor, with the device as their target.

import { buildModule } from '../../../codegen/cuda/index.js';
import type { GraphBuilder, ModuleGraph } from '../../graph/index.js';
import { cudaTarget, type DeviceCode } from '../../target/index.js';
import { machineFor, programsOf } from './pipeline.js';

export function deviceCode(module: ModuleGraph, build: GraphBuilder): DeviceCode {
  const target = cudaTarget();
  return buildModule(programsOf(machineFor(target).run(module, { build }).output), target);
}
