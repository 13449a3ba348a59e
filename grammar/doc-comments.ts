// Doc comments to their declarations. In: the comments of a file and the first token of a declaration. Out: its doc text.
// Holds: a doc is the last unbroken run of `///` lines between the token before the declaration and the declaration. A
// comment on the line of that token is not part of it.

import type { IToken } from 'chevrotain';
import type { Comment } from './ast.js';

/** The text of the `///` lines before `first` and after `previous`, without their marks; `null` if there are none. */
export function docBefore(text: string, comments: readonly Comment[], previous: IToken | undefined, first: IToken): string | null {
  const from = previous === undefined ? 0 : previous.startOffset + previous.image.length;
  const lines: string[] = [];
  for (let i = lastBefore(comments, first.startOffset); i >= 0; i--) {
    const comment = comments[i];
    if (comment === undefined || comment.span.start < from) break;
    if (previous !== undefined && !/[\r\n]/.test(text.slice(from, comment.span.start))) break;
    if (comment.style === 'doc') lines.push(docText(comment));
    else if (lines.length > 0) break;
  }
  return lines.length === 0 ? null : lines.reverse().join('\n');
}

/** The text of one `///` line: without the mark and the space after it. */
function docText(comment: Comment): string {
  return comment.text.replace(/^\/\/\/ ?/, '').trimEnd();
}

/** The index of the last comment that starts before `offset`; -1 if none does. */
function lastBefore(comments: readonly Comment[], offset: number): number {
  let low = 0;
  let high = comments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((comments[middle]?.span.start ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
