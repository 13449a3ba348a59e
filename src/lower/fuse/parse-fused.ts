// Reads the text of fused graphs. In: text as `fused-graph.ts` prints it, the ops by name, a graph builder. Out: the graphs.
// Holds: printing the result gives the same text. What does not fit is a `bad-data` diagnostic that names the line and what was expected;
// what the graph means is left to the verifier.

import { Cursor, parseLines, type ParseOptions, parseShape, parseType } from '../../graph/index.js';
import {
  type FusedCopy,
  type FusedRequirement,
  type FusedGraph,
  type FusedGroup,
  type FusedMember,
  type FusedSplit,
  type FusedValue,
  unread,
} from './fused-graph.js';
import { dashedWord, parseNumber } from '../form/parse-words.js';
import { type Mode, modes, roles } from './groups.js';

/** Reads the text of a whole module: graphs one after the other. */
export function parseFused(text: string, options: ParseOptions): FusedGraph[] {
  const at = new Cursor(text);
  const graphs: FusedGraph[] = [];
  while (at.next.kind !== 'end') graphs.push(parseOne(at, options));
  return graphs;
}

const followers: ReadonlySet<string> = new Set(['split', 'require', 'group', 'copy']);

function parseOne(at: Cursor, options: ParseOptions): FusedGraph {
  const placed = at.oneOf(['fused', 'grouped']) === 'fused';
  const name = at.of('string', 'the name of an entry');
  at.expect('{');
  const nodes = parseLines(at, options, followers);
  const number = (): number => parseNumber(at, nodes.length);
  const splits: FusedSplit[] = [];
  while (at.accept('split')) {
    const split = number();
    at.expect('over');
    splits.push({ number: split, points: parseShape(at) });
  }
  const required: FusedRequirement[] = [];
  while (at.accept('require')) required.push({ number: number(), to: at.accept('to') ? buffer(at) : undefined });
  const groups: FusedGroup[] = [];
  while (at.accept('group')) groups.push(parseGroup(at, number));
  const copies: FusedCopy[] = [];
  while (at.accept('copy')) {
    const from = buffer(at);
    at.expect('to');
    copies.push({ from, to: buffer(at) });
  }
  if (!at.accept('}')) at.fail('`split`, `require`, `group`, `copy` in this order, or `}`');
  return { name, placed, nodes, splits, required, groups, copies };
}

function parseGroup(at: Cursor, number: () => number): FusedGroup {
  const value = (): FusedValue => {
    const partial = at.accept('partials');
    if (partial) at.expect('of');
    return { number: number(), partial };
  };
  const id = Number(at.of('number', 'the number of a group'));
  const mode = parseMode(at);
  const outer = parseShape(at);
  at.expect('reads');
  const reads = at.accept('nothing') ? [] : at.list(value);
  const members: FusedMember[] = [];
  while (at.next.kind === 'word' && !followers.has(at.next.text)) {
    const role = at.oneOf(roles);
    const of = value();
    at.expect(':');
    members.push({
      role,
      ...of,
      type: parseType(at),
      to: at.accept('to') ? at.list(() => (at.accept(unread) ? undefined : buffer(at))) : [],
    });
  }
  return { id, mode, outer, reads, members };
}

function parseMode(at: Cursor): Mode {
  const word = dashedWord(at, 'mode');
  return modes.find((mode) => mode === word) ?? at.fail(`a mode (${modes.join(', ')}), not ${word},`);
}

const buffer = (at: Cursor): string => at.of('word', 'the name of a buffer');
