// A mistake in the text of a program, as a value. In: what the lexer and the parser found. Out: what a diagnostic is made of.
// Holds: messages are sentences for people, without the names of grammar rules.

import type { Span } from './span.js';

/** One syntax error. */
export interface SyntaxProblem {
  /** What is wrong, in lower case and without a full stop, e.g. `expected ')' to close the call opened here`. */
  readonly message: string;
  readonly span: Span;
  /** What to write instead, if that is known. */
  readonly hint?: string;
  /** What could have stood here, as it would be written: `')'`, `a name`, `an expression`. */
  readonly expected?: readonly string[];
  /** A limit of what is read, not a rule of the language. */
  readonly limit?: true;
}
