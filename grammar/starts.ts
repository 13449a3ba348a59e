// Where things start. In: a token and the one after it on its line. Out: whether a declaration or a statement starts there.
// Holds: a clause word starts something only with what follows it on the same line; otherwise it is a name.

import type { IToken, TokenType } from 'chevrotain';
import { tokenMatcher } from './chevrotain.js';
import * as t from './tokens.js';

/** `next` is `null` when the line ends after `token`. */
export type Start = (token: IToken, next: IToken | null) => boolean;

function isName(token: IToken | null): boolean {
  return token !== null && tokenMatcher(token, t.Name);
}

const declarationWords: ReadonlySet<TokenType> = new Set([
  t.word.param,
  t.word.state,
  t.word.dim,
  t.word.model,
  t.word.optimizer,
  t.word.step,
]);

const memberWords: ReadonlySet<TokenType> = new Set([t.word.param, t.word.state, t.word.step]);

/** A token that starts a declaration and cannot start or continue a statement. */
export function startsDeclaration(token: IToken, next: IToken | null): boolean {
  const type = token.tokenType;
  if (type === t.reserved.fn) return isName(next);
  if (type === t.reserved.import || type === t.reserved.export || type === t.reserved.const) return true;
  return declarationWords.has(type) && isName(next);
}

/** A declaration that stands in no model; a step at the top of a file starts with `export`. */
export function startsFile(token: IToken, next: IToken | null): boolean {
  const type = token.tokenType;
  return startsDeclaration(token, next) && type !== t.reserved.fn && !memberWords.has(type);
}

/** A statement that starts with a word of its own. */
export function startsWordStatement(token: IToken, next: IToken | null): boolean {
  const type = token.tokenType;
  if (type === t.reserved.let || type === t.reserved.return || type === t.reserved.yield) return true;
  if (type === t.word.scope) return next !== null && tokenMatcher(next, t.StringLiteral);
  if (type === t.word.summary) return next?.tokenType === t.Identifier;
  if (type === t.word.update || type === t.word.precision) return isName(next);
  return type === t.word.minimize && next !== null && startsOperand(next);
}

/** A declaration or a statement with a word of its own. */
export function startsSurely(token: IToken, next: IToken | null): boolean {
  return startsWordStatement(token, next) || startsDeclaration(token, next);
}

const operandStarts: ReadonlySet<TokenType> = new Set([
  t.NumberLiteral,
  t.ParenOpen,
  t.BracketOpen,
  t.BraceOpen,
  t.Minus,
  t.Bang,
  t.reserved.if,
  t.reserved.while,
  t.reserved.true,
  t.reserved.false,
]);

/** What follows `minimize` when it is the statement, and not a name. */
export function startsOperand(token: IToken): boolean {
  return tokenMatcher(token, t.Name) || tokenMatcher(token, t.StringLiteral) || operandStarts.has(token.tokenType);
}

/** `name = …` */
function startsBinding(token: IToken, next: IToken | null): boolean {
  return isName(token) && next?.tokenType === t.Equals;
}

/** What may stand at the top of a file. */
export function startsTop(token: IToken, next: IToken | null): boolean {
  return startsDeclaration(token, next) || startsBinding(token, next);
}

/** What may stand in a model or in an optimizer. */
export function startsMember(token: IToken, next: IToken | null): boolean {
  return startsTop(token, next) || (token.tokenType === t.word.update && next?.tokenType === t.ParenOpen);
}
