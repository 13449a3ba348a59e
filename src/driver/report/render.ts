// Diagnostics for people. In: diagnostics and the texts they point into. Out: messages with code frames for a terminal. Holds: one frame
// per place, the mistake's own first; what others wrote is printable, so the only control characters are our colours and line ends.

import { codeFrameColumns } from '@babel/code-frame';
import pc from 'picocolors';
import { placeOf, positionsOf, type Texts } from '../../../grammar/places.js';
import type { Position, Span } from '../../../grammar/span.js';
import { type Diagnostic, printable, printableLines } from '../../base/index.js';

export function render(diagnostic: Diagnostic, texts: Texts, color: boolean): string {
  const c = pc.createColors(color);
  const { code, severity = 'error', message, span, labels = [], hint } = diagnostic;
  const lines = [`${c[severity === 'error' ? 'red' : 'yellow'](c.bold(`${severity}[${code}]`))}${c.bold(`: ${printable(message)}`)}`];
  if (span !== undefined && texts.has(span.source)) lines.push(...frame(span, undefined, texts, color));
  for (const label of labels) lines.push(...frame(label.span, label.text, texts, color));
  if (hint !== undefined) lines.push(`  ${c.cyan('hint')}: ${printable(hint)}`);
  return lines.join('\n');
}

function frame(span: Span, text: string | undefined, texts: Texts, color: boolean): string[] {
  const c = pc.createColors(color);
  const source = texts.get(span.source);
  const positions = positionsOf({ ...span, end: Math.max(span.end, span.start + 1) }, texts);
  const head = `  ${c.dim('-->')} ${printable(`${placeOf(span, texts)}${text === undefined ? '' : `: ${text}`}`)}`;
  if (source === undefined || positions === undefined) return [head];
  const { start, end } = positions;
  // The frame of a long span would show its last lines; its first line is what matters.
  const last = end.line > start.line ? { line: start.line, column: start.column + 1 } : end;
  const around = text === undefined ? 1 : 0;
  const shown = clipped(source, start, last);
  return [
    head,
    codeFrameColumns(
      shown.source,
      { start: shown.start, end: shown.end },
      { highlightCode: color, forceColor: color, linesAbove: around, linesBelow: around },
    ),
  ];
}

/** Columns of a line that are shown; more do not fit a terminal. */
const widest = 160;

/** Long lines cut to what is around the place: a program may be written by a program. Of the others only the neighbours are shown. */
function clipped(
  source: string,
  start: Position,
  end: Position,
): { readonly source: string; readonly start: Position; readonly end: Position } {
  const lines = source.split(/\r\n|[\n\r]/);
  const line = lines[start.line - 1] ?? '';
  const from = line.length > widest ? Math.max(0, start.column - 1 - widest / 4) : 0;
  const cut = (text: string, at: number): string =>
    `${at > 0 ? '…' : ''}${text.slice(at, at + widest)}${text.length > at + widest ? '…' : ''}`;
  const shift = from > 0 ? from - 1 : 0;
  const own = cut(line, from);
  // What is spelled out moves what stands behind it.
  const moved = (column: number): number => {
    const at = Math.min(column - shift, widest + 2);
    return printableLines(own.slice(0, at - 1)).length + Math.max(1, at - own.length);
  };
  const place = ({ line: at, column }: Position): Position => ({ line: at, column: at === start.line ? moved(column) : column });
  const shown = (text: string, at: number): string =>
    at === start.line - 1 ? printableLines(own) : Math.abs(at - start.line + 1) === 1 ? printableLines(cut(text, 0)) : '';
  return { source: lines.map(shown).join('\n'), start: place(start), end: place(end) };
}
