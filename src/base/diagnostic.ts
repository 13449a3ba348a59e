// The user's mistakes as values. In: a code, a message and spans. Out: what the command line, the API and editors show.
// Holds: every code has one row in `codes.ts`; a diagnostic without a span belongs to no source (a feed, a file).

import type { Span } from '../../grammar/span.js';
import type { DiagnosticCode } from './codes.js';
import { printable } from './printable.js';

export interface Label {
  readonly span: Span;
  readonly text: string;
}

/**
 * A mistake, or a warning, as data.
 * @example
 * ```ts
 * await compile('model.tdsl', { onWarning: (warning: Diagnostic) => console.warn(`${warning.code}: ${warning.message}`) });
 * ```
 */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  /** Default: `error`. A program with warnings compiles. */
  readonly severity?: 'error' | 'warning' | undefined;
  /** One sentence that names what was found and what was expected, with sizes and names. */
  readonly message: string;
  /** Where the mistake stands. */
  readonly span?: Span | undefined;
  /** The other sides: where a size was bound, where a name was declared first. */
  readonly labels?: readonly Label[] | undefined;
  /** What to do about it. */
  readonly hint?: string | undefined;
}

/**
 * Carries diagnostics up to the one place that shows them; never caught in between.
 * @example
 * ```ts
 * const mistake = new DiagnosticsError([{ code: 'bad-data', message: 'data.csv: no rows below the header' }]);
 * console.log(mistake.message); // bad-data: data.csv: no rows below the header
 * ```
 */
export class DiagnosticsError extends Error {
  override readonly name = 'DiagnosticsError';
  readonly diagnostics: readonly Diagnostic[];
  /** Those of the first one, as every error has them. */
  readonly code: DiagnosticCode;
  readonly hint: string | undefined;

  /** `diagnostics` has at least one. */
  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((diagnostic) => printable(`${diagnostic.code}: ${diagnostic.message}`)).join('\n'));
    this.diagnostics = diagnostics;
    const [first] = diagnostics as readonly [Diagnostic, ...Diagnostic[]];
    this.code = first.code;
    this.hint = first.hint;
  }
}
