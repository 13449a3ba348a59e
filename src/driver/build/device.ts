// Code for a device beside the processor's. In: a simplified module, and the device's back end. Out: for each of its targets that gains by
// it, kernels of every entry, and how they are launched. Holds: they go through the same passes as for a processor, with the device as the
// target.

import type { GraphBuilder, ModuleGraph } from '../../graph/index.js';
import type { DeviceBackend, DeviceCode } from '../../target/index.js';
import { machineFor, programsOf } from './pipeline.js';

/** The more special the later. */
export const deviceCodes = (device: DeviceBackend, module: ModuleGraph, build: GraphBuilder): readonly DeviceCode[] =>
  device.build((target) => programsOf(machineFor(target).run(module, { build }).output));
