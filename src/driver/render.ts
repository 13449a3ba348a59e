// Diagnostics for people. In: diagnostics and the texts they point into. Out: messages with code frames for a terminal. Holds: one frame per place, the mistake's own first.

import { codeFrameColumns } from '@babel/code-frame';
import pc from 'picocolors';
import { positionAt, type Span } from '../../grammar/span.js';
import type { Diagnostic } from '../base/index.js';
import type { Texts } from './mistakes.js';

export function render(diagnostic: Diagnostic, texts: Texts, color: boolean): string {
  const c = pc.createColors(color);
  const { code, message, span, labels = [], hint } = diagnostic;
  const lines = [`${c.red(c.bold(`error[${code}]`))}${c.bold(`: ${message}`)}`];
  if (span !== undefined && texts.has(span.source)) lines.push(...frame(span, undefined, texts, color));
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
  const around = text === undefined ? 1 : 0;
  return [head, codeFrameColumns(source, { start, end: last }, { highlightCode: color, forceColor: color, linesAbove: around, linesBelow: around })];
}
