// Where a piece of text stands. In: a source and offsets. Out: spans, and lines and columns for people.
// Holds: offsets count UTF-16 code units of `Source.text`, `start <= end`, both within the text.

/** One file of TDSL as it was read: the text is untouched (byte order mark, CRLF and all). */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** The half-open piece `[start, end)` of the text of the source whose path is `source`. */
export interface Span {
  readonly source: string;
  readonly start: number;
  readonly end: number;
}

/** A place as people count: both from 1; the column counts UTF-16 code units, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** From the start of `first` to the end of `last`; both must be of one source. */
export function joinSpans(first: Span, last: Span): Span {
  return { source: first.source, start: first.start, end: Math.max(first.start, last.end) };
}

/** The offset at which each line starts. A line ends with `\n`, `\r\n` or a lone `\r`. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 10 || (c === 13 && text.charCodeAt(i + 1) !== 10)) starts.push(i + 1);
  }
  return starts;
}

/** The place of `offset`, from a table made by `lineStarts`. Offsets outside the text are moved to its nearest end. */
export function positionIn(starts: readonly number[], offset: number): Position {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: Math.max(0, offset - (starts[low] ?? 0)) + 1 };
}

/** The place of `offset` in `text`. For many places in one text, keep the table: `positionIn(lineStarts(text), offset)`. */
export function positionAt(text: string, offset: number): Position {
  return positionIn(lineStarts(text), offset);
}
