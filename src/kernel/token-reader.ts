// The next words of kernel text. In: text. Out: words, numbers, names, sizes and lists of such, one after the other. Holds: what is needed
// and is not there is an InternalError that says where.

import { Dim, type DimTerm, type DType, InternalError, isDType } from '../base/index.js';
import { lex, type Token, type TokenKind } from './lex.js';

export class TokenReader {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = lex(text);
  }

  /** Items between commas; with `close`, possibly none, up to that symbol. */
  list<T>(item: () => T, close?: string): T[] {
    if (close !== undefined && this.takeSymbol(close)) return [];
    const items = [item()];
    while (this.takeSymbol(',')) items.push(item());
    if (close !== undefined) this.symbol(close);
    return items;
  }

  peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  at(symbol: string): boolean {
    const token = this.peek();
    return token.kind === 'symbol' && token.text === symbol;
  }

  take(kind: TokenKind): Token {
    const token = this.peek();
    if (token.kind !== kind) this.fail(`a ${kind} is needed`);
    this.#next += 1;
    return token;
  }

  takeSymbol(symbol: string): boolean {
    if (!this.at(symbol)) return false;
    this.#next += 1;
    return true;
  }

  symbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) this.fail(`${symbol} is needed`);
  }

  takeWord(word: string): boolean {
    const token = this.peek();
    if (token.kind !== 'word' || token.text !== word) return false;
    this.#next += 1;
    return true;
  }

  word(word: string): void {
    if (!this.takeWord(word)) this.fail(`${word} is needed`);
  }

  name(): string {
    const token = this.peek();
    if (token.kind !== 'word' && token.kind !== 'quoted') this.fail('a name is needed');
    this.#next += 1;
    return token.text;
  }

  integer(): number {
    const value = Number(this.take('number').text);
    return Number.isInteger(value) ? value : this.fail('an integer is needed');
  }

  dtype(): DType {
    const { text } = this.take('word');
    return isDType(text) ? text : this.fail('a dtype is needed');
  }

  /** Takes the next token, whatever it is. */
  next(): Token {
    return this.#tokens[this.#next++] as Token;
  }

  /** The token so many behind the next one. */
  ahead(count: number): Token | undefined {
    return this.#tokens[this.#next + count];
  }

  number(): number | bigint {
    const sign = this.takeSymbol('-') ? -1 : 1;
    const token = this.next();
    if (token.kind === 'number')
      return token.text.endsWith('n') ? BigInt(sign) * BigInt(token.text.slice(0, -1)) : sign * Number(token.text);
    if (token.text === 'inf') return sign * Infinity;
    return token.text === 'nan' ? NaN : this.fail('a number is needed');
  }

  dims(): Dim[] {
    this.symbol('[');
    return this.list(() => this.dim(), ']');
  }

  dim(): Dim {
    const terms: DimTerm[] = [];
    let sign = this.takeSymbol('-') ? -1 : 1;
    for (;;) {
      let coefficient = sign;
      const names: string[] = [];
      do {
        if (this.peek().kind === 'number') coefficient *= this.integer();
        else names.push(this.name());
      } while (this.takeSymbol('*'));
      terms.push({ coefficient, names });
      if (this.takeSymbol('+')) sign = 1;
      else if (this.takeSymbol('-')) sign = -1;
      else return Dim.fromTerms(terms);
    }
  }

  fail(message: string): never {
    const token = this.#tokens[Math.min(this.#next, this.#tokens.length - 1)] as Token;
    const before = this.#text.slice(0, token.at).split('\n');
    const where = `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
    throw new InternalError(
      'kernel parser',
      `${message} at ${where}, found ${token.kind === 'end' ? 'the end' : JSON.stringify(token.text)}`,
    );
  }
}
