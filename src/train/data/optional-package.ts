// Packages that only some formats need. In: a name. Out: the package; what it reads. Holds: it is loaded when a file asks for it; where it
// is missing, the error says which one to install; whatever it throws at a file is the file's fault.

import { createRequire } from 'node:module';
import { codeOf } from '../../../runtime/system-error.js';
import { DiagnosticsError } from '../../base/index.js';
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

/** An intact file of a kind that is not read. */
export class NotRead extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** A damaged file of a format, as ours find it or as the package does, whose errors have no codes. */
export interface Foreign {
  malformed(path: string, what: string): DiagnosticsError;
  /** What `body` gives; whatever it throws is `malformed`. */
  reading<Result>(path: string, body: () => Result | Promise<Result>): Promise<Result>;
}

export function foreign(format: string): Foreign {
  const malformed = (path: string, what: string): DiagnosticsError => badData(`${path}: no intact ${format} file: ${what}`);
  return {
    malformed,
    reading: async (path, body) => {
      try {
        return await body();
      } catch (error) {
        if (error instanceof DiagnosticsError) throw error;
        if (error instanceof NotRead) throw badData(`${path}: ${error.message}`, error.hint);
        throw malformed(path, error instanceof Error ? error.message : String(error));
      }
    },
  };
}
