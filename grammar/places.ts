// Places in programs as people read them. In: spans, the texts that they point into. Out: lines and columns; `model.tdsl:12:9`. Holds:
// both count from 1, as in editors; the lines of a text are found once, however many places in it are asked for.

import { lineStarts, type Position, positionIn, type Span } from './span.js';

/** Texts of programs by path, as far as they were read. */
export type Texts = ReadonlyMap<string, string>;

/** Tables of lines by the texts that they were made of. */
const tables = new WeakMap<Texts, Map<string, { readonly text: string; readonly starts: readonly number[] }>>();

/** Where a span starts and ends; undefined when its text was not read. */
export function positionsOf({ source, start, end }: Span, texts: Texts): { readonly start: Position; readonly end: Position } | undefined {
  const text = texts.get(source);
  if (text === undefined) return undefined;
  let known = tables.get(texts);
  if (known === undefined) tables.set(texts, (known = new Map()));
  let table = known.get(source);
  if (table?.text !== text) known.set(source, (table = { text, starts: lineStarts(text) }));
  return { start: positionIn(table.starts, start), end: positionIn(table.starts, end) };
}

/** `model.tdsl:12:9`: where a span starts, or its file alone when the text was not read. */
export function placeOf(span: Span, texts: Texts): string {
  const found = positionsOf(span, texts);
  return found === undefined ? span.source : `${span.source}:${found.start.line}:${found.start.column}`;
}

/** `model.tdsl:12`, in the same way. */
export function lineOf(span: Span, texts: Texts): string {
  const found = positionsOf(span, texts);
  return found === undefined ? span.source : `${span.source}:${found.start.line}`;
}
