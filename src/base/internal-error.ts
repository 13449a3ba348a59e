// Our own failures. In: the pass that broke and what it found. Out: an exception that names the pass. Never used for a user's mistake.

/**
 * A defect of tfc, with the pass that broke; from the API it is the `cause` of a TfcError `internal-error`.
 * @example
 * ```ts
 * try {
 *   await compile('model.tdsl');
 * } catch (error) {
 *   if (error instanceof TfcError && error.cause instanceof InternalError) console.error('please report', error.cause.pass);
 * }
 * ```
 */
export class InternalError extends Error {
  override readonly name = 'InternalError';
  readonly code = 'internal-error';
  readonly pass: string;
  /** The message without the pass. */
  readonly reason: string;

  constructor(pass: string, reason: string) {
    super(`internal error in ${pass}: ${reason}`);
    this.pass = pass;
    this.reason = reason;
  }
}

/** For `switch` over a closed set: the TypeScript compiler demands that every case was handled. */
export function unreachable(pass: string, value: never): never {
  throw new InternalError(pass, `case not handled: ${JSON.stringify(value)}`);
}
