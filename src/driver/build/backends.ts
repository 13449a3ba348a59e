// The back ends that there are. In: a request. Out: the ones that it asks for: for the processor, and for a device beside it. Holds: this
// file, and who imports it, bring compilers into a process; nothing else in the driver names one.

import { cuda } from '../../../codegen/cuda/index.js';
import { llvm } from '../../../codegen/llvm/index.js';
import { InternalError } from '../../base/index.js';
import type { Backend, DeviceBackend, DeviceKind } from '../../target/index.js';
import type { BuildRequest } from './request.js';

const backends = new Map<string, Backend>();
const devices = new Map<DeviceKind, DeviceBackend>();

/** From now on requests may ask for `backend`; those that ask for none get the first. */
export const register = (backend: Backend): void => void backends.set(backend.name, backend);
/** From now on requests may ask for code for this device; the last one that was registered for a kind makes it. */
export const registerDevice = (device: DeviceBackend): void => void devices.set(device.name, device);

register(llvm);
registerDevice(cuda);

export function backendOf({ backend: name }: Pick<BuildRequest, 'backend'>): Backend {
  const [first] = backends.values();
  const found = name === undefined ? first : backends.get(name);
  if (found === undefined) throw new InternalError('driver', `there is no back end ${String(name)}`);
  return found;
}

/** Undefined where the request asks for no device. */
export function deviceBackendOf({ device: kind }: Pick<BuildRequest, 'device'>): DeviceBackend | undefined {
  const found = kind === undefined ? undefined : devices.get(kind);
  if (kind !== undefined && found === undefined) throw new InternalError('driver', `there is no back end for ${kind}`);
  return found;
}
