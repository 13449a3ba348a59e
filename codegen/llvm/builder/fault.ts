// How this room refuses. In: what was wrong. Out: an InternalError of the pass "llvm"; also for errors the addon throws.

import { InternalError } from '../../../src/base/internal-error.js';

/** Throws: a wrong operand or a misuse of the wrapper is a fault of the code generator, never of the user. */
export function fault(message: string): never {
  throw new InternalError('llvm', message);
}

/** Runs a call into the addon; what it throws comes out as an InternalError that says what was attempted. */
export function guarded<T>(what: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof InternalError) throw error;
    return fault(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
