// Code for a device beside the processor's. In: a simplified module, and the device's back end. Out: kernels of every entry, and how they
// are launched. Holds: they go through the same passes as for a processor, with the device as their target.

import type { GraphBuilder, ModuleGraph } from '../../graph/index.js';
import type { DeviceBackend, DeviceCode } from '../../target/index.js';
import { machineFor, programsOf } from './pipeline.js';

export function deviceCode(device: DeviceBackend, module: ModuleGraph, build: GraphBuilder): DeviceCode {
  const target = device.target();
  return device.build(programsOf(machineFor(target).run(module, { build }).output), target);
}
