// Diagnostics for people and for programs. In: diagnostics and the texts they point into. Out: code frames for a terminal, or one JSON object.

import { codeFrameColumns } from '@babel/code-frame';
import { positionAt, type Position, type Span } from '../../grammar/index.js';
import { type Diagnostic, DiagnosticsError } from '../base/index.js';
import { TfcError } from '../../runtime/index.js';
import pc from 'picocolors';

/** Texts by path, as far as they were read. */
export type Texts = ReadonlyMap<string, string>;

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
  const text = span === undefined ? undefined : texts.get(span.source);
  return {
    code,
    message,
    ...(span === undefined ? {} : { file: span.source }),
    ...(span === undefined || text === undefined ? {} : { span: { start: positionAt(text, span.start), end: positionAt(text, span.end) } }),
    ...(hint === undefined ? {} : { hint }),
  };
}

export function jsonFailure(errors: readonly JsonError[]): JsonFailure {
  const [error] = errors as [JsonError, ...JsonError[]];
  return errors.length === 1 ? { error } : { error, errors };
}

/** The user's mistakes behind an exception, or undefined when it is ours. */
export function mistakesOf(error: unknown): readonly Diagnostic[] | undefined {
  if (error instanceof DiagnosticsError) return error.diagnostics;
  if (error instanceof TfcError) return [{ code: error.code as Diagnostic['code'], message: error.message, hint: error.hint }];
  return undefined;
}

export function render(diagnostic: Diagnostic, texts: Texts, color: boolean): string {
  const c = pc.createColors(color);
  const { code, message, span, labels = [], hint } = diagnostic;
  const lines = [`${c.red(c.bold(`error[${code}]`))}${c.bold(`: ${message}`)}`];
  if (span !== undefined) lines.push(...frame(span, undefined, texts, color));
  for (const label of labels) lines.push(...frame(label.span, label.text, texts, color));
  if (hint !== undefined) lines.push(`  ${c.cyan('hint')}: ${hint}`);
  return lines.join('\n');
}

function frame(span: Span, text: string | undefined, texts: Texts, color: boolean): string[] {
  const c = pc.createColors(color);
  const source = texts.get(span.source);
  const start = source === undefined ? undefined : positionAt(source, span.start);
  const place = start === undefined ? span.source : `${span.source}:${start.line}:${start.column}`;
  const head = `  ${c.dim('-->')} ${place}${text === undefined ? '' : `: ${text}`}`;
  if (source === undefined || start === undefined) return [head];
  const end = positionAt(source, Math.max(span.end, span.start + 1));
  // The frame of a long span would show its last lines; its first line is what matters.
  const last = end.line > start.line ? { line: start.line, column: start.column + 1 } : end;
  const code = codeFrameColumns(source, { start, end: last }, { highlightCode: color, linesAbove: text === undefined ? 1 : 0, linesBelow: text === undefined ? 1 : 0, forceColor: color });
  return [head, code];
}
