// Words of kernel text. In: text. Out: tokens with their offsets. Holds: every token is a non-empty piece of the text; `//` starts a
// comment.

import { InternalError } from '../base/index.js';

export type TokenKind = 'word' | 'quoted' | 'number' | 'string' | 'shared' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** Names and strings without their quotes; else as written. */
  readonly text: string;
  readonly at: number;
}

const pattern = new RegExp(
  [
    String.raw`(?<skip>\s+|//[^\n]*)`,
    String.raw`(?<word>[A-Za-z_](?:(?!\.\.)[\w./'])*)`,
    '(?<quoted>`(?:[^`\\\\]|\\\\.)*`)',
    String.raw`(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?n?)`,
    String.raw`(?<string>"(?:[^"\\]|\\.)*")`,
    String.raw`(?<shared>\$\d+)`,
    String.raw`(?<symbol>\.\.|\+=|\*=|[<>=!]=|[-+*/%<>=()[\]{},:#@])`,
  ].join('|'),
  'y',
);

const kinds: readonly TokenKind[] = ['word', 'quoted', 'number', 'string', 'shared', 'symbol'];

export function lex(text: string): Token[] {
  const tokens: Token[] = [];
  pattern.lastIndex = 0;
  let at = 0;
  while (at < text.length) {
    pattern.lastIndex = at;
    const groups = pattern.exec(text)?.groups;
    if (groups === undefined)
      throw new InternalError('kernel parser', `no word of the text form at offset ${at}: ${JSON.stringify(text.slice(at, at + 20))}`);
    const kind = kinds.find((one) => groups[one] !== undefined);
    const found = kind === undefined ? (groups['skip'] as string) : (groups[kind] as string);
    if (kind === 'quoted') tokens.push({ kind, text: JSON.parse(`"${found.slice(1, -1)}"`) as string, at });
    else if (kind === 'string') tokens.push({ kind, text: JSON.parse(found) as string, at });
    else if (kind !== undefined) tokens.push({ kind, text: found, at });
    at += found.length;
  }
  tokens.push({ kind: 'end', text: '', at });
  return tokens;
}
