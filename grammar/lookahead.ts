// Which way the parser goes at each choice, as data: finding it out again takes chevrotain longer than reading a program.
// In: a parser that has analysed the grammar, or what was written down of it. Out: tables, or a parser that goes by them.
// Holds: the grammar looks one token ahead, so its choices are functions of a token's type, and tables say all of them;
// a parser that goes by tables reads texts without mistakes: what was expected elsewhere only the grammar itself tells.

import type { EmbeddedActionsParser, IToken, TokenType } from 'chevrotain';
import { EOF } from './chevrotain.js';
import { allTokens } from './tokens.js';

/** By the parser's number of a choice, tokens by their position in `all`. */
export interface Lookaheads {
  /** The tokens with which a part that may be absent starts. */
  readonly optional: readonly (readonly [choice: number, starts: readonly number[]])[];
  /** For each token the alternatives that may start with it, in their order. */
  readonly alternatives: readonly (readonly [choice: number, ways: readonly (readonly [token: number, ...ways: number[]])[]])[];
}

interface Alternative {
  readonly GATE?: () => boolean;
}

interface Reader {
  LA(distance: number): IToken;
}

type Lookahead = (this: Reader, alternatives?: readonly Alternative[]) => number | boolean | undefined;

/** What chevrotain's own analysis leaves in a parser. */
interface Analysed {
  selfAnalysisDone: boolean;
  readonly lookAheadFuncsCache: Map<number, Lookahead>;
}

const all = (): readonly TokenType[] => [EOF, ...allTokens];
/** Bits of a choice's number that say which method made it; `OR` has this one. */
const [methodBits, orBits] = [0xf00, 0x100];
/** More alternatives than any rule has. */
const manyAlternatives = 100;

/** Asks an analysed parser about every token at every choice. */
export function lookaheadsOf(parser: EmbeddedActionsParser): Lookaheads {
  const tokens = all();
  const choices = [...(parser as unknown as Analysed).lookAheadFuncsCache];
  const isOr = (choice: number): boolean => (choice & methodBits) === orBits;
  return {
    optional: choices.flatMap(([choice, lookahead]) =>
      isOr(choice) ? [] : [[choice, [...tokens.keys()].filter((at) => ask(lookahead, tokens[at]) === true)] as const],
    ),
    alternatives: choices.flatMap(([choice, lookahead]) =>
      isOr(choice) ? [[choice, tokens.flatMap((token, at) => waysFor(lookahead, token, at))] as const] : [],
    ),
  };
}

/** All alternatives, in order: whatever is found is closed, and the next one asked for. */
function waysFor(lookahead: Lookahead, token: TokenType, at: number): readonly (readonly [number, ...number[]])[] {
  const alternatives: Alternative[] = Array.from({ length: manyAlternatives }, () => ({}));
  const ways: number[] = [];
  for (;;) {
    const way = ask(lookahead, token, alternatives);
    if (typeof way !== 'number' || ways.includes(way)) return ways.length === 0 ? [] : [[at, ...ways]];
    ways.push(way);
    alternatives[way] = { GATE: () => false };
  }
}

function ask(lookahead: Lookahead, type: TokenType | undefined, alternatives?: readonly Alternative[]): number | boolean | undefined {
  const token = { tokenTypeIdx: type?.tokenTypeIdx, tokenType: type } as IToken;
  const reader = { LA: () => token, LA_FAST: () => token };
  return lookahead.call(reader, alternatives);
}

/** Gives a new parser its choices, instead of an analysis. */
export function prepare(parser: EmbeddedActionsParser, lookaheads: Lookaheads): void {
  const numbers = all().map((type) => type.tokenTypeIdx ?? 0);
  const { lookAheadFuncsCache: cache } = parser as unknown as Analysed;
  for (const [choice, starts] of lookaheads.optional) {
    const known = new Set(starts.map((at) => numbers[at]));
    cache.set(choice, function () {
      return known.has(this.LA(1).tokenTypeIdx);
    });
  }
  for (const [choice, table] of lookaheads.alternatives) {
    const ways = new Map(table.map(([at, ...found]) => [numbers[at], found]));
    cache.set(choice, function (alternatives = []) {
      return ways.get(this.LA(1).tokenTypeIdx)?.find((way) => alternatives[way]?.GATE?.call(this) !== false);
    });
  }
  (parser as unknown as Analysed).selfAnalysisDone = true;
}
