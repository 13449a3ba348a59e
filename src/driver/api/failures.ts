// What callers of the API catch. In: whatever was thrown. Out: a TfcError. Holds: a caller's mistake keeps its code and hint; everything
// else is `internal-error`, with the pass that broke.

import { TfcError } from '../../../runtime/index.js';
import { DiagnosticsError, InternalError } from '../../base/index.js';
import { CompileError } from '../mistakes.js';

/** Calls `body`; whatever it throws becomes a TfcError. */
export function asTfcErrors<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw toTfcError(error);
  }
}

export function toTfcError(error: unknown): TfcError {
  if (error instanceof TfcError) return error;
  if (error instanceof DiagnosticsError) return new CompileError(error.diagnostics);
  const cause = toInternal(error);
  return new TfcError('internal-error', cause.message, { hint: reportHint, cause });
}

export const reportHint = 'This is a defect of tfc, not of your program. Please report it with the program that shows it.';

/** A failure that nobody foresaw, by the pass that let it through: the driver, where no other named itself. */
export function toInternal(error: unknown): InternalError {
  if (error instanceof InternalError) return error;
  const internal = new InternalError('driver', error instanceof Error ? error.message : 'something was thrown that is no error');
  if (error instanceof Error && error.stack !== undefined) internal.stack = error.stack;
  return internal;
}
