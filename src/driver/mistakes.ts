// Diagnostics for programs. In: diagnostics and the texts they point into. Out: JSON objects, or one line of text. Holds: positions count
// from 1, as in editors.

import { placeOf, positionsOf, type Texts } from '../../grammar/places.js';
import type { Position, Span } from '../../grammar/span.js';
import { type Diagnostic, type DiagnosticCode, DiagnosticsError, InternalError, printable } from '../base/index.js';
import { type RuntimeCode, TfcError } from '../../runtime/index.js';

export interface JsonError {
  readonly code: string;
  readonly message: string;
  readonly file?: string;
  readonly span?: { readonly start: Position; readonly end: Position };
  readonly hint?: string;
}

/** What a failed command prints with `--json`; `errors` holds all of them when there are several. */
export interface JsonFailure {
  readonly error: JsonError;
  readonly errors?: readonly JsonError[];
}

export function toJson(diagnostic: Diagnostic, texts: Texts): JsonError {
  const { code, message, span, hint } = diagnostic;
  const positions = span === undefined ? undefined : positionsOf(span, texts);
  return {
    code,
    message,
    ...(span === undefined ? {} : { file: span.source }),
    ...(positions === undefined ? {} : { span: positions }),
    ...(hint === undefined ? {} : { hint }),
  };
}

/** The diagnostic with its sources called otherwise. */
export function renamed(diagnostic: Diagnostic, name: (source: string) => string): Diagnostic {
  const { span, labels } = diagnostic;
  const move = (one: Span): Span => ({ ...one, source: name(one.source) });
  return {
    ...diagnostic,
    ...(span === undefined ? {} : { span: move(span) }),
    ...(labels === undefined ? {} : { labels: labels.map((label) => ({ ...label, span: move(label.span) })) }),
  };
}

/** What a command adds to its JSON object when there are warnings. */
export const jsonWarnings = (warnings: readonly Diagnostic[], texts: Texts): { readonly warnings?: readonly JsonError[] } =>
  warnings.length === 0 ? {} : { warnings: warnings.map((warning) => toJson(warning, texts)) };

/** `errors` has at least one. */
export function jsonFailure(errors: readonly JsonError[]): JsonFailure {
  const [error] = errors as [JsonError, ...JsonError[]];
  return errors.length === 1 ? { error } : { error, errors };
}

/** `mlp.tdsl:3:14: shape-mismatch: … (hint)`. */
export function oneLine({ code, message, span, hint }: Diagnostic, texts: Texts): string {
  const isPlaced = span !== undefined && texts.has(span.source);
  return printable(`${isPlaced ? `${placeOf(span, texts)}: ` : ''}${code}: ${message}${hint === undefined ? '' : ` (${hint})`}`);
}

/**
 * What is wrong with a program or with what was asked; `texts` holds sources, for code frames. Code and hint are those of the first
 * diagnostic.
 * @example
 * ```ts
 * try {
 *   await compile('broken.tdsl');
 * } catch (error) {
 *   if (error instanceof CompileError) for (const { code, message, hint } of error.diagnostics) console.error(code, message, hint);
 * }
 * ```
 */
export class CompileError extends TfcError {
  override readonly name: string = 'CompileError';
  readonly diagnostics: readonly Diagnostic[];
  /** Not listed among its properties: whoever logs the error does not want every source. */
  declare readonly texts: Texts;

  /** `diagnostics` has at least one. */
  constructor(diagnostics: readonly Diagnostic[], texts: Texts = new Map()) {
    const [first] = diagnostics as [Diagnostic, ...Diagnostic[]];
    const hint = first.hint === undefined ? {} : { hint: first.hint };
    // The compiler has codes that the runtime never throws.
    super(first.code as RuntimeCode, diagnostics.map((diagnostic) => oneLine(diagnostic, texts)).join('\n'), hint);
    this.diagnostics = diagnostics;
    Object.defineProperty(this, 'texts', { value: texts });
  }
}

/** The stack ended, in a place that counts nothing. What is known to grow is counted (`src/base/limits.ts`); this is for the rest. */
function isExhausted(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause)
    if (one instanceof RangeError && one.message.includes('call stack')) return true;
  return false;
}

/** The user's mistakes behind an exception, or undefined when it is ours. */
export function mistakesOf(error: unknown): readonly Diagnostic[] | undefined {
  if (error instanceof DiagnosticsError) return error.diagnostics;
  if (isExhausted(error))
    return [
      {
        code: 'too-large',
        message: `the program is nested too deeply for ${error instanceof InternalError ? `the pass \`${error.pass}\`` : 'the compiler'}`,
        hint: 'repeat with `fold` or `scan` what is written out, or split it into several entries',
      },
    ];
  if (error instanceof CompileError) return error.diagnostics;
  if (error instanceof TfcError && error.code !== 'internal-error')
    return [{ code: error.code as DiagnosticCode, message: error.message, hint: error.hint }];
  return undefined;
}
