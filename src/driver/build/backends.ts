// The back ends that there are. In: a request. Out: the one that it asks for. Holds: this file, and who imports it, bring compilers into a
// process; nothing else in the driver names one.

import { llvm } from '../../../codegen/llvm/index.js';
import { InternalError } from '../../base/index.js';
import type { Backend } from '../../target/index.js';
import type { BuildRequest } from './request.js';

const backends = new Map<string, Backend>();

/** From now on requests may ask for `backend`; those that ask for none get the first. */
export const register = (backend: Backend): void => void backends.set(backend.name, backend);

register(llvm);

export function backendOf({ backend: name }: Pick<BuildRequest, 'backend'>): Backend {
  const [first] = backends.values();
  const found = name === undefined ? first : backends.get(name);
  if (found === undefined) throw new InternalError('driver', `there is no back end ${String(name)}`);
  return found;
}
