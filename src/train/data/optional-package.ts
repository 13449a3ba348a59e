// Packages that only some formats need. In: a name. Out: the package. Holds: it is loaded when a file asks for it; where it is missing, the
// error says which one to install.

import { createRequire } from 'node:module';
import { codeOf } from '../../../runtime/system-error.js';
import { badData } from '../../input/json.js';

/** Errors: bad-data when it is not installed. */
export function optionalPackage(name: string, format: string, path: string): unknown {
  try {
    return createRequire(import.meta.url)(name) as unknown;
  } catch (error) {
    if (codeOf(error) !== 'MODULE_NOT_FOUND') throw error;
    throw badData(`${path}: ${format} files are read by the package ${name}, which is not installed`, `npm install ${name}`);
  }
}
