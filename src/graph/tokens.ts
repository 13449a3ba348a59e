// Words of the graph's text form. In: text. Out: a cursor over its tokens. Holds: a mistake is a `bad-data` diagnostic that names the line.

import { DiagnosticsError } from '../base/index.js';

export type TokenKind = 'string' | 'number' | 'bigint' | 'word' | 'mark' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written; without the quotes and escapes for a string, without the `n` for a bigint. */
  readonly text: string;
  readonly line: number;
}

const pattern =
  /(?<space>[ \t\r\n]+|;[^\n]*)|(?<string>"(?:[^"\\\n]|\\.)*")|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?n?)|(?<word>[\p{L}_$][\p{L}\p{N}_$÷]*)|(?<mark>.)/uy;

export class Cursor {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokens(text);
  }

  get next(): Token {
    return this.#tokens[this.#at] as Token;
  }

  take(): Token {
    const token = this.next;
    if (token.kind !== 'end') this.#at += 1;
    return token;
  }

  /** Takes the token when it is this word or mark. */
  accept(text: string): boolean {
    const { kind, text: found } = this.next;
    if ((kind !== 'word' && kind !== 'mark') || found !== text) return false;
    this.take();
    return true;
  }

  expect(text: string): void {
    if (!this.accept(text)) this.fail(`\`${text}\``);
  }

  of(kind: TokenKind, what: string): string {
    if (this.next.kind !== kind) this.fail(what);
    return this.take().text;
  }

  /** Items with commas between them; at least one. */
  list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.accept(',')) items.push(item());
    return items;
  }

  /** Items with commas between them, if any, and `close`. */
  listUntil<T>(close: string, item: () => T): T[] {
    if (this.accept(close)) return [];
    const items = this.list(item);
    this.expect(close);
    return items;
  }

  oneOf<const T extends string>(words: readonly T[]): T {
    const word = words.find((one) => one === this.next.text);
    if (this.next.kind !== 'word' || word === undefined) this.fail(words.map((one) => `\`${one}\``).join(' or '));
    this.take();
    return word;
  }

  fail(expected: string): never {
    const { kind, text, line } = this.next;
    throw new DiagnosticsError([
      {
        code: 'bad-data',
        message: `line ${line} of a graph: ${expected} is expected, found ${kind === 'end' ? 'the end' : `\`${text}\``}`,
      },
    ]);
  }
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  let line = 1;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const { space, string, number, word, mark } = match.groups ?? {};
    if (space !== undefined) line += space.split('\n').length - 1;
    else if (string !== undefined) found.push({ kind: 'string', text: unquote(string, line), line });
    else if (number !== undefined)
      found.push(number.endsWith('n') ? { kind: 'bigint', text: number.slice(0, -1), line } : { kind: 'number', text: number, line });
    else if (word !== undefined) found.push({ kind: 'word', text: word, line });
    else if (mark !== undefined) found.push({ kind: 'mark', text: mark, line });
  }
  found.push({ kind: 'end', text: '', line });
  return found;
}

function unquote(quoted: string, line: number): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw new DiagnosticsError([
      { code: 'bad-data', message: `line ${line} of a graph: the text ${quoted} has an escape that JSON does not know` },
    ]);
  }
}
