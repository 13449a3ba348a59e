// Text to tokens. In: the text of a source. Out: its tokens, its comments, and what in it is no word of the language.
// Holds: every character lands in a token, in a comment, in space or in a problem; offsets are those of the text.

import type { IToken } from 'chevrotain';
import type { Comment } from './ast.js';
import { Lexer } from './chevrotain.js';
import { once } from './once.js';
import type { SyntaxProblem } from './problem.js';
import type { Source, Span } from './span.js';
import { allTokens, ForeignString, UnterminatedComment, UnterminatedString } from './tokens.js';

export interface LexResult {
  readonly tokens: readonly IToken[];
  readonly comments: readonly Comment[];
  readonly problems: readonly SyntaxProblem[];
}

const theLexer = once(() => new Lexer(allTokens, { positionTracking: 'onlyOffset', ensureOptimizations: true, skipValidations: true }));

/** The tokens of `source`; at most `limit` problems are kept. */
export function lex(source: Source, limit: number): LexResult {
  const result = theLexer().tokenize(source.text);
  const problems: SyntaxProblem[] = [];
  const wrong = result.groups['wrong'] ?? [];
  for (let i = 0; i < wrong.length && problems.length < limit; i++) {
    const token = wrong[i];
    if (token === undefined) break;
    if (token.tokenType === UnterminatedComment) {
      problems.push({
        message: "this comment is never closed: expected '*/'",
        span: { source: source.path, start: token.startOffset, end: token.startOffset + 2 },
        expected: ["'*/'"],
      });
      continue;
    }
    // Neighbours that mean nothing are one mistake.
    let end = tokenEnd(token);
    while (wrong[i + 1]?.startOffset === end && wrong[i + 1]?.tokenType === token.tokenType) {
      i++;
      end = tokenEnd(wrong[i] ?? token);
    }
    problems.push(strangeText(source, { source: source.path, start: token.startOffset, end }));
  }
  for (const token of result.tokens) {
    if (problems.length >= limit) break;
    if (token.tokenType === UnterminatedString) {
      problems.push({
        message: "this string is never closed: expected '\"' before the end of the line",
        span: spanOf(source, token),
        expected: ["'\"'"],
      });
    } else if (token.tokenType === ForeignString) {
      problems.push({
        message: 'strings stand in double quotes',
        span: spanOf(source, token),
        hint: `write ${JSON.stringify(token.image.slice(1, -1))}`,
      });
    }
  }
  return { tokens: result.tokens, comments: (result.groups['comments'] ?? []).map((token) => comment(source, token)), problems };
}

function tokenEnd(token: IToken): number {
  return token.startOffset + token.image.length;
}

function spanOf(source: Source, token: IToken): Span {
  return { source: source.path, start: token.startOffset, end: tokenEnd(token) };
}

function comment(source: Source, token: IToken): Comment {
  const text = token.image;
  const style = text.startsWith('/*') ? 'block' : /^\/\/\/(?!\/)/.test(text) ? 'doc' : 'line';
  return { kind: 'comment', style, text: text.trimEnd(), span: spanOf(source, token) };
}

const hints: ReadonlyMap<string, string> = new Map([
  ['?', 'a choice is written `if c then a else b`'],
  ['&', '"and" is written `&&`'],
  ['|', '"or" is written `||`'],
  ['^', 'a power is written `x ** n`'],
  ['~', '"not" is written `!`'],
  ['#', 'a comment starts with `//`'],
  ['\u201c', 'strings stand in straight double quotes'],
  ['\u201d', 'strings stand in straight double quotes'],
  ['\u00d7', 'a product is written `a * b`'],
  ['\u2212', 'minus is written `-`'],
  ['\u2264', 'write `<=`'],
  ['\u2265', 'write `>=`'],
  ['\u2260', 'write `!=`'],
]);

function strangeText(source: Source, span: Span): SyntaxProblem {
  const text = source.text.slice(span.start, span.end);
  const shown = text.length > 20 ? `${text.slice(0, 20)}…` : text;
  const isOptional = text === '?' && /^\s*:/.test(source.text.slice(span.end, span.end + 40));
  const isSize = text === '?' && /[[,]\s*$/.test(source.text.slice(Math.max(0, span.start - 40), span.start));
  const hint = isSize
    ? 'a size that callers choose is a generic: `fn f<B>(x: f32[B, 3])`'
    : isOptional
      ? 'what may be left out has a default: `y: f32 = 0`'
      : (hints.get(text) ?? hints.get([...text][0] ?? ''));
  return { message: `'${shown}' is no part of the language`, span, ...(hint === undefined ? {} : { hint }) };
}

/** The name that a token is: one name however its letters were typed, `é` as one character or as `e` with an accent. */
export const nameOf = (token: IToken): string => token.image.normalize();

/**
 * What a string literal stands for. Escapes are those of JSON and `\u{…}`.
 * A malformed literal gives as much of its text as can be read; each bad escape is told to `report` by its offset in the image.
 */
export function stringValue(image: string, report: (offset: number, length: number) => void): string {
  const closed = image.length > 1 && image.endsWith(image.charAt(0));
  const body = image.slice(1, closed ? -1 : undefined);
  return body.replace(/\\(u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|[^\r\n]?)/gu, (whole, escape: string, offset: number) => {
    switch (escape.charAt(0)) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case '"':
      case '\\':
      case '/':
        return escape;
      case 'u': {
        const code = Number.parseInt(escape.replace(/[^0-9a-fA-F]/g, ''), 16);
        if (escape.length > 1 && code <= 0x10ffff) return String.fromCodePoint(code);
      }
    }
    report(offset + 1, whole.length);
    return escape;
  });
}
