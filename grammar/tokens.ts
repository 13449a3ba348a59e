// The words and signs of TDSL. In: nothing. Out: token types for the lexer and the parser, and their names for people.
// Holds: the order of `allTokens` decides between tokens that match at one place; `contextualWords` are names wherever
// the grammar does not ask for them (category `Name`), `reservedWords` never are.

import type { CustomPatternMatcherFunc, TokenType } from 'chevrotain';
import { createToken, Lexer } from './chevrotain.js';

/** Any identifier, clause words included. Never produced by the lexer itself. */
export const Name = createToken({ name: 'Name', pattern: Lexer.NA, label: 'a name' });

/** A pattern with properties of Unicode, which the lexer would rebuild without its flag `u`. */
function unicode(pattern: RegExp): CustomPatternMatcherFunc {
  return (text, offset) => {
    pattern.lastIndex = offset;
    return pattern.exec(text);
  };
}

// The lexer picks patterns by first character; above code 255 it wants one example from each of its blocks of 255 codes.
// It could find first characters itself, but taking patterns apart takes longer than reading a program.
const foreignStarts = Array.from({ length: 257 }, (_, block) => Math.min(0xffff, 256 + block * 255));
const nearCodes = Array.from({ length: 256 }, (_, code) => code);

const digits = [...'0123456789'];

export const Identifier = createToken({
  name: 'Identifier',
  pattern: unicode(/[\p{L}_][\p{L}\p{M}\p{N}_]*/uy),
  start_chars_hint: [...nearCodes.filter((code) => /[\p{L}_]/u.test(String.fromCharCode(code))), ...foreignStarts],
  line_breaks: false,
  categories: [Name],
  label: 'a name',
});

const contextualWordList = [
  'as',
  'by',
  'dim',
  'else',
  'fold',
  'for',
  'from',
  'in',
  'limit',
  'minimize',
  'model',
  'optimizer',
  'over',
  'param',
  'precision',
  'scan',
  'scope',
  'state',
  'step',
  'summary',
  'then',
  'update',
  'vjp',
  'where',
  'with',
] as const;

const reservedWordList = ['const', 'export', 'false', 'fn', 'if', 'import', 'let', 'return', 'true', 'while', 'yield'] as const;

type ContextualWord = (typeof contextualWordList)[number];
type ReservedWord = (typeof reservedWordList)[number];

function words<W extends string>(list: readonly W[], categories: TokenType[]): Readonly<Record<W, TokenType>> {
  return Object.fromEntries(
    list.map((word) => [
      word,
      createToken({ name: `Word_${word}`, pattern: word, longer_alt: Identifier, categories, label: `'${word}'` }),
    ]),
  ) as Record<W, TokenType>;
}

/** Words that mean something only where the grammar asks for them, and are names elsewhere. */
export const word = words<ContextualWord>(contextualWordList, [Name]);
/** Words that are never names. */
export const reserved = words<ReservedWord>(reservedWordList, []);

export const contextualWords: readonly string[] = contextualWordList;
export const reservedWords: readonly string[] = reservedWordList;

/** Contextual words that may stand right behind an expression. */
export const wordsAfterValues: ReadonlySet<string> = new Set(['by', 'else', 'for', 'in', 'limit', 'over', 'then', 'vjp', 'with']);

export const NumberLiteral = createToken({
  name: 'NumberLiteral',
  pattern: /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/,
  start_chars_hint: digits,
  label: 'a number',
});
export const StringLiteral = createToken({
  name: 'StringLiteral',
  pattern: /"[^"\\\r\n]*(?:\\[^\r\n][^"\\\r\n]*)*"/,
  start_chars_hint: ['"'],
  line_breaks: false,
  label: 'a string',
});
/** Two malformed strings that the parser takes for strings, so that one mistake stays one problem. */
export const UnterminatedString = createToken({
  name: 'UnterminatedString',
  pattern: /"[^\r\n]*/,
  start_chars_hint: ['"'],
  categories: [StringLiteral],
  line_breaks: false,
});
export const ForeignString = createToken({
  name: 'ForeignString',
  pattern: /'[^'\r\n]*'|`[^`\r\n]*`/,
  start_chars_hint: ["'", '`'],
  categories: [StringLiteral],
  line_breaks: false,
});

const sign = (name: string, pattern: string): TokenType => createToken({ name, pattern, label: `'${pattern}'` });

export const Ellipsis = sign('Ellipsis', '...');
export const DotDot = sign('DotDot', '..');
export const Dot = sign('Dot', '.');
export const Comma = sign('Comma', ',');
export const Colon = sign('Colon', ':');
export const Semicolon = sign('Semicolon', ';');
export const ParenOpen = sign('ParenOpen', '(');
export const ParenClose = sign('ParenClose', ')');
export const BracketOpen = sign('BracketOpen', '[');
export const BracketClose = sign('BracketClose', ']');
export const BraceOpen = sign('BraceOpen', '{');
export const BraceClose = sign('BraceClose', '}');
export const FatArrow = sign('FatArrow', '=>');
export const Assign = sign('Assign', '<-');
export const Equals = sign('Equals', '=');
export const Bang = sign('Bang', '!');
export const Minus = sign('Minus', '-');
export const Plus = sign('Plus', '+');
export const Star = sign('Star', '*');
export const StarStar = sign('StarStar', '**');
export const Slash = sign('Slash', '/');
export const Percent = sign('Percent', '%');
export const At = sign('At', '@');
export const AndAnd = sign('AndAnd', '&&');
export const OrOr = sign('OrOr', '||');
export const EqualsEquals = sign('EqualsEquals', '==');
export const NotEquals = sign('NotEquals', '!=');
export const Less = sign('Less', '<');
export const LessEquals = sign('LessEquals', '<=');
export const Greater = sign('Greater', '>');
export const GreaterEquals = sign('GreaterEquals', '>=');
export const QuestionQuestion = sign('QuestionQuestion', '??');

const Whitespace = createToken({
  name: 'Whitespace',
  pattern: /[\s\uFEFF]+/,
  start_chars_hint: [...nearCodes.filter((code) => /\s/.test(String.fromCharCode(code))), ...foreignStarts],
  group: Lexer.SKIPPED,
  line_breaks: true,
});
const LineComment = createToken({
  name: 'LineComment',
  pattern: /\/\/[^\r\n]*/,
  start_chars_hint: ['/'],
  group: 'comments',
  line_breaks: false,
});
const BlockComment = createToken({
  name: 'BlockComment',
  pattern: /\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\//,
  start_chars_hint: ['/'],
  group: 'comments',
  line_breaks: true,
});
export const UnterminatedComment = createToken({
  name: 'UnterminatedComment',
  pattern: /\/\*[\s\S]*/,
  start_chars_hint: ['/'],
  group: 'wrong',
  line_breaks: true,
});
/** Whatever is no part of the language, so that the lexer has a token for every character. */
const Unexpected = createToken({
  name: 'Unexpected',
  pattern: unicode(/[^\p{L}\s\x00-\x7f]+|[\s\S]/uy),
  start_chars_hint: [...nearCodes, ...foreignStarts],
  group: 'wrong',
  line_breaks: true,
});

/** Every token, in the order in which the lexer tries them. */
export const allTokens: TokenType[] = [
  Whitespace,
  ...Object.values<TokenType>(word),
  ...Object.values<TokenType>(reserved),
  Identifier,
  NumberLiteral,
  StringLiteral,
  UnterminatedString,
  ForeignString,
  LineComment,
  BlockComment,
  UnterminatedComment,
  Ellipsis,
  DotDot,
  Dot,
  Comma,
  Colon,
  Semicolon,
  ParenOpen,
  ParenClose,
  BracketOpen,
  BracketClose,
  BraceOpen,
  BraceClose,
  FatArrow,
  EqualsEquals,
  Equals,
  Assign,
  LessEquals,
  Less,
  GreaterEquals,
  Greater,
  NotEquals,
  Bang,
  AndAnd,
  OrOr,
  Plus,
  Minus,
  StarStar,
  Star,
  Slash,
  Percent,
  At,
  QuestionQuestion,
  Unexpected,
  Name,
];
