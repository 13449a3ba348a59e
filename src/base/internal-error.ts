// Our own failures. In: the pass that broke and what it found. Out: an exception that names the pass. Never used for a user's mistake.

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
