// What texts of formed and fused graphs share. In: a cursor. Out: numbers of nodes, words with dashes.

import type { Cursor } from '../../graph/index.js';

/** `%7`, of `count` nodes that stand above. */
export function parseNumber(at: Cursor, count: number): number {
  at.expect('%');
  const number = Number(at.of('number', 'the number of a node'));
  return number < count ? number : at.fail(`a node that stands above, not %${number},`);
}

/** One of the words, in which dashes may stand. `what`: what is expected, for messages. */
export function dashedWord(at: Cursor, what: string): string {
  const words = [at.of('word', `a ${what}`)];
  while (at.accept('-')) words.push(at.of('word', `the rest of a ${what}`));
  return words.join('-');
}
