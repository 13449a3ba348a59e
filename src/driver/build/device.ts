// Code for a device beside the processor's. In: a checked module, a request. Out: kernels of every entry, and how they are launched. Holds:
// the same passes as for a processor, with the device as their target.

import { buildModule } from '../../../codegen/cuda/index.js';
import type { GraphBuilder, ModuleGraph } from '../../graph/index.js';
import { trap } from '../../passes/index.js';
import { cudaTarget, type DeviceCode } from '../../target/index.js';
import { programsOf, toMachine } from './pipeline.js';
import type { BuildRequest } from './request.js';

export function deviceCode(module: ModuleGraph, build: GraphBuilder, request: BuildRequest): DeviceCode {
  const target = cudaTarget();
  const { output } = toMachine(target, [], request.trap === undefined ? [] : [trap]).run(module, { build });
  return buildModule(programsOf(output), target);
}
