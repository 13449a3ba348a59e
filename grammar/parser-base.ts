// What every rule of the parser stands on. In: tokens. Out: spans, lists, closing signs, the way back after a mistake.
// Holds: a rule that fails throws chevrotain's exception to the nearest `guard`, which skips to where the next statement
// or declaration starts; nesting deeper than `maximumNesting` ends the parse before the stack does.

import type { IToken, ParserMethod, TokenType } from 'chevrotain';
import type { Identifier } from './ast.js';
import { EmbeddedActionsParser, EOF, isRecognitionException, tokenMatcher } from './chevrotain.js';
import { nameOf } from './lex.js';
import type { Lookaheads } from './lookahead.js';
import { messages, shown } from './messages.js';
import type { SyntaxProblem } from './problem.js';
import type { Source, Span } from './span.js';
import { startsDeclaration, startsFile, startsSurely, type Start } from './starts.js';
import * as t from './tokens.js';

/** How deep expressions, types, sizes, patterns and blocks may stand in one another. */
export const maximumNesting = 100;
/** No more problems than these are told of one file. */
export const maximumProblems = 20;

/** How a parser comes to know its grammar: by analysing it, with a check of the grammar itself (for tests) or without, or by tables. */
export type KnownGrammar = 'checked' | 'analysed' | Lookaheads;

/** Thrown to end a parse early: the problems found so far are enough. */
export class ParseEnd extends Error {}

/** A problem and the token at which it was found; of several at one token the first is kept. */
export interface PlacedProblem {
  readonly at: number;
  readonly problem: SyntaxProblem;
}

export abstract class ParserBase extends EmbeddedActionsParser {
  #source: Source = { path: '', text: '' };
  #tokens: readonly IToken[] = [];
  #nesting = 0;
  #closers: readonly number[] | null = null;
  #reported: PlacedProblem[] = [];

  /** Whether the first mistake ends the parse: nobody is told what it is. */
  readonly #stopsAtMistakes: boolean;

  constructor(grammar: KnownGrammar) {
    super(t.allTokens, {
      maxLookahead: 1,
      recoveryEnabled: typeof grammar === 'string',
      skipValidations: grammar !== 'checked',
      errorMessageProvider: messages,
    });
    this.#stopsAtMistakes = typeof grammar !== 'string';
  }

  protected override canTokenTypeBeInsertedInRecovery(): boolean {
    return false;
  }

  protected override canTokenTypeBeDeletedInRecovery(type: TokenType): boolean {
    return type === t.ParenClose || type === t.BracketClose || type === t.Equals;
  }

  /** Starts over with the tokens of `source`. */
  protected begin(source: Source, tokens: readonly IToken[]): void {
    this.#source = source;
    this.#tokens = tokens;
    this.#nesting = 0;
    this.#closers = null;
    this.#reported = [];
    this.input = [...tokens];
  }

  protected rule<T>(name: string, body: () => T): ParserMethod<[], T> {
    return this.RULE(name, body, { resyncEnabled: false });
  }

  // ---------------------------------------------------------------------------------------------------- problems

  /** Everything found since `begin`: in the order of the text, one problem for each token. */
  protected found(): readonly PlacedProblem[] {
    const all = [
      ...this.#reported,
      ...this.errors.map((error) => ({
        at: this.#offsetOf(error.token),
        problem: this.#problemAt(error.token, error.message, error.context.ruleStack.at(-1)),
      })),
    ].sort((a, b) => a.at - b.at);
    return all.filter((one, i) => i === 0 || all[i - 1]?.at !== one.at);
  }

  protected report(token: IToken, problem: Omit<SyntaxProblem, 'span'> & { readonly span?: Span }): void {
    if (this.RECORDING_PHASE) return;
    const at = this.#offsetOf(token);
    if (this.#reported.some((one) => one.at === at)) return;
    const span = problem.span ?? (token.tokenType === EOF ? this.#placeOf(token) : this.spanOf(token));
    this.#reported.push({ at, problem: { ...problem, span } });
    if (this.#stopsAtMistakes || this.#enough()) throw new ParseEnd('enough problems');
  }

  /** Some of the problems follow from others and are left out in the end. */
  #enough(): boolean {
    return this.errors.length + this.#reported.length >= 2 * maximumProblems;
  }

  /** Notes that `what` should have stood where `token` stands. */
  protected reportExpected(token: IToken, what: string, expected: readonly string[] = [what]): void {
    this.report(token, { ...this.#problemAt(token, `expected ${what}`), expected });
  }

  #problemAt(token: IToken, message: string, rule?: string): SyntaxProblem {
    const problem = shown(message, token, this.previousOf(token), rule);
    const hint = this.#commentHint(token, message) ?? problem.hint;
    // Where declarations begin nothing is missing: what stands there is none.
    const isWrong = message === 'expected a declaration' && token.tokenType !== EOF;
    return { ...problem, ...(hint === undefined ? {} : { hint }), span: isWrong ? this.spanOf(token) : this.#placeOf(token) };
  }

  /** A bracket that is not closed, and a comment behind what stands in it: `(x // 2)`. */
  #commentHint(token: IToken, message: string): string | undefined {
    const previous = this.previousOf(token);
    if (previous === undefined || !/^expected '[)\]]'/.test(message)) return undefined;
    const behind = this.#source.text.slice(previous.startOffset + previous.image.length, this.#offsetOf(token));
    return /^[ \t]*\/\/[^\r\n]*[)\]]/.test(behind) ? '`//` starts a comment; a quotient is rounded down by `floorDiv(a, b)`' : undefined;
  }

  /** The token itself; if it stands on a later line, the end of the token before it, where something is missing. */
  #placeOf(token: IToken): Span {
    const previous = this.previousOf(token);
    if (token.tokenType !== EOF && (previous === undefined || this.#isCloser(token) || !this.brokenBefore(token)))
      return this.spanOf(token);
    const end = previous === undefined ? this.#source.text.length : previous.startOffset + previous.image.length;
    return { source: this.#source.path, start: end, end };
  }

  #isCloser(token: IToken): boolean {
    return token.tokenType === t.ParenClose || token.tokenType === t.BracketClose || token.tokenType === t.BraceClose;
  }

  #offsetOf(token: IToken): number {
    return token.tokenType === EOF ? this.#source.text.length : token.startOffset;
  }

  // ------------------------------------------------------------------------------------------------------- places

  protected spanOf(token: IToken): Span {
    return { source: this.#source.path, start: token.startOffset, end: token.startOffset + token.image.length };
  }

  /** From `start` to the end of the token read last. */
  protected spanFrom(start: number): Span {
    const last = this.LA(0);
    const end = last.startOffset + last.image.length;
    return { source: this.#source.path, start, end: end > start ? end : start };
  }

  /** Where the next token starts. */
  protected here(): number {
    return this.#offsetOf(this.LA(1));
  }

  /** An empty place after the token read last. */
  protected gap(): Span {
    const last = this.previousOf(this.LA(1));
    const end = last === undefined ? 0 : last.startOffset + last.image.length;
    return { source: this.#source.path, start: end, end };
  }

  protected get text(): string {
    return this.#source.text;
  }

  protected textOf(span: Span): string {
    return this.#source.text.slice(span.start, span.end);
  }

  protected identifier(token: IToken): Identifier {
    return { kind: 'identifier', text: nameOf(token), span: this.spanOf(token) };
  }

  #indexOf(token: IToken): number {
    const offset = this.#offsetOf(token);
    let low = 0;
    let high = this.#tokens.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#tokens[middle]?.startOffset ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  protected previousOf(token: IToken): IToken | undefined {
    return this.#tokens[this.#indexOf(token) - 1];
  }

  /** The token after `token` if it stands on the same line. */
  protected follower(token: IToken): IToken | null {
    const next = this.#tokens[this.#indexOf(token) + 1];
    return next === undefined || this.brokenBefore(next) ? null : next;
  }

  /** Whether `token` stands on a later line than the one before it. */
  protected brokenBefore(token: IToken): boolean {
    if (token.tokenType === EOF) return true;
    const previous = this.previousOf(token);
    if (previous === undefined) return true;
    const { text } = this.#source;
    for (let i = previous.startOffset + previous.image.length; i < token.startOffset; i++) {
      const c = text.charCodeAt(i);
      if (c === 10 || c === 13) return true;
    }
    return false;
  }

  /** Whether the next token is of this type; while the grammar is being recorded, false. */
  protected at(type: TokenType, distance = 1): boolean {
    return tokenMatcher(this.LA(distance), type);
  }

  /** From an opening sign at `distance`: the distance of the sign that closes it; 0 where none does. */
  protected closerOf(distance: number): number {
    if (this.RECORDING_PHASE) return 0;
    this.#closers ??= closersOf(this.#tokens);
    const here = this.#indexOf(this.LA(1)) - 1;
    const closer = this.#closers[here + distance];
    return closer === undefined ? 0 : closer - here;
  }

  /** Whether the next token continues the line, as `(` of a call and `[` of an index must. */
  protected sameLine(): boolean {
    return !this.brokenBefore(this.LA(1));
  }

  // ------------------------------------------------------------------------------------------------------- pieces

  /** `element, element, …` up to `closer`, which is not read; a comma before it is allowed. At most one list of an index per rule. */
  protected list(index: number, closer: TokenType, element: (index: number) => void): void {
    this.option(index * 2, {
      GATE: () => !this.at(closer),
      DEF: () => {
        element(index * 2);
        this.many(index, {
          GATE: () => !this.at(closer, 2),
          DEF: () => {
            this.consume(index * 2, t.Comma);
            element(index * 2 + 1);
          },
        });
        this.option(index * 2 + 1, () => this.consume(index * 2 + 1, t.Comma));
      },
    });
  }

  /**
   * Reads the sign that closes what `open` opened; `what` says what that is: `call`, `list`, … A `}` that is missing where
   * the next declaration starts, or at the end of the file, is noted and taken as read.
   */
  protected close(index: number, open: IToken, type: TokenType, what: string): void {
    if (!this.RECORDING_PHASE && !this.at(type)) {
      const label = type.LABEL ?? type.name;
      const found = this.LA(1);
      this.report(found, {
        ...this.#problemAt(found, `expected ${label} to close the ${what} opened at ${this.lineOf(open)}`),
        expected: [label],
      });
      if (
        type === t.BraceClose &&
        (found.tokenType === EOF || (startsDeclaration(found, this.follower(found)) && this.brokenBefore(found)))
      )
        return;
    }
    this.consume(index, type);
  }

  protected lineOf(token: IToken): string {
    const before = this.#source.text.slice(0, token.startOffset);
    const lines = before.split(/\r\n|\r|\n/);
    return `line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`;
  }

  /** Runs `body` one level deeper. */
  protected nested<T>(body: () => T): T {
    if (++this.#nesting > maximumNesting) {
      const token = this.LA(1);
      this.report(token, {
        message: `nested too deeply: more than ${maximumNesting} levels`,
        hint: 'give a name to the inner part with `let`',
        span: this.spanOf(token),
        limit: true,
      });
      throw new ParseEnd('nested too deeply');
    }
    const result = body();
    this.#nesting--;
    return result;
  }

  // ----------------------------------------------------------------------------------------------------- recovery

  /** Runs `body`; on a syntax error skips to `stop` and gives `null`. At least one token is read either way. */
  protected guard<T>(body: () => T, starts: Start): T | null {
    if (this.RECORDING_PHASE) return body();
    const nesting = this.#nesting;
    const first = this.LA(1);
    try {
      return body();
    } catch (error) {
      if (this.#stopsAtMistakes || !(error instanceof Error) || !isRecognitionException(error)) throw error;
      this.#nesting = nesting;
      if (this.#enough()) throw new ParseEnd('enough problems');
      this.#skipFrom(first, starts);
      return null;
    }
  }

  /**
   * Skips from a mistake in what started at `first` to the next place, outside of brackets opened since, where `starts`
   * holds at the beginning of a line, or to the `}` that closes what is around. Open parentheses count for nothing
   * where a statement or declaration obviously starts.
   */
  #skipFrom(first: IToken, starts: Start): void {
    const failed = this.#indexOf(this.LA(1));
    const open: TokenType[] = [];
    let i = this.#indexOf(first);
    for (; i < this.#tokens.length; i++) {
      const token = this.#tokens[i];
      if (token === undefined) break;
      const type = token.tokenType;
      if (i >= failed && this.brokenBefore(token)) {
        const braces = open.includes(t.BraceOpen);
        const next = this.follower(token);
        if (!braces && (open.length === 0 ? starts(token, next) : startsSurely(token, next))) break;
        if (braces && startsFile(token, next)) break;
      }
      if (type === t.BraceOpen || type === t.ParenOpen || type === t.BracketOpen) open.push(type);
      else if (type === t.BraceClose) {
        while (open.length > 0 && open.at(-1) !== t.BraceOpen) open.pop();
        if (open.length === 0 && i >= failed) break;
        open.pop();
      } else if (type === t.ParenClose && open.at(-1) === t.ParenOpen) open.pop();
      else if (type === t.BracketClose && open.at(-1) === t.BracketOpen) open.pop();
    }
    while (this.#indexOf(this.LA(1)) < i && !this.at(EOF)) this.skip();
  }

  /** Reads one token, whatever it is. */
  protected skip(): void {
    this.consume(0, this.LA(1).tokenType);
  }
}

/** By the position of an opening sign that of the sign which closes it, found once for the whole text. */
function closersOf(tokens: readonly IToken[]): readonly number[] {
  const closers: number[] = [];
  const open: { readonly at: number; readonly closer: TokenType }[] = [];
  for (const [at, { tokenType }] of tokens.entries()) {
    const closer = closing.get(tokenType);
    if (closer !== undefined) open.push({ at, closer });
    else if (open.at(-1)?.closer === tokenType) closers[open.pop()?.at ?? 0] = at;
  }
  return closers;
}

const closing: ReadonlyMap<TokenType, TokenType> = new Map([
  [t.ParenOpen, t.ParenClose],
  [t.BracketOpen, t.BracketClose],
  [t.BraceOpen, t.BraceClose],
]);
