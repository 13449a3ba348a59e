// Reads the text of formed graphs. In: text as `formed-graph.ts` prints it, the ops by name, a graph builder. Out: the graphs.
// Holds: printing the result gives the same text. What does not fit is a `bad-data` diagnostic that names the line and what was expected;
// what the graph means is left to the verifier.

import { Cursor, parseLines, type ParseOptions, parseShape } from '../../graph/index.js';
import { type Combiner, combiners } from '../../kernel/index.js';
import { dashedWord, parseNumber } from './parse-words.js';
import { type FormedGraph, type FormedNode, formPlaces, type NodeForm, plainForms } from './formed-graph.js';

/** Reads the text of a whole module: graphs one after the other. */
export function parseFormed(text: string, options: ParseOptions): FormedGraph[] {
  const at = new Cursor(text);
  const graphs: FormedGraph[] = [];
  while (at.next.kind !== 'end') graphs.push(parseOne(at, options));
  return graphs;
}

const followers: ReadonlySet<string> = new Set(['form', 'require']);

function parseOne(at: Cursor, options: ParseOptions): FormedGraph {
  at.expect('formed');
  const name = at.of('string', 'the name of an entry');
  at.expect('{');
  const nodes = parseLines(at, options, followers);
  const forms: FormedNode[] = [];
  while (at.accept('form')) {
    const number = parseNumber(at, nodes.length);
    const place = at.oneOf(formPlaces);
    const form = parseForm(at);
    const inSum = at.accept('in');
    if (inSum) at.expect('sum');
    forms.push({ number, form, place, inSum });
  }
  const required: number[] = [];
  while (at.accept('require')) required.push(parseNumber(at, nodes.length));
  if (!at.accept('}')) at.fail('`form`, `require` in this order, or `}`');
  return { name, nodes, forms, required };
}

function parseForm(at: Cursor): NodeForm {
  const kind = dashedWord(at, 'form');
  if (kind === 'element') return { kind, cost: Number(at.of('number', 'what it costs')) };
  if (kind !== 'reduce')
    return { kind: plainForms.find((one) => one === kind) ?? at.fail(`a form (element, reduce, ${plainForms.join(', ')}), not ${kind},`) };
  const combine = at.oneOf(Object.keys(combiners) as Combiner[]);
  at.expect('over');
  const over = parseShape(at);
  const isWrittenOut = at.accept('written');
  if (isWrittenOut) at.expect('out');
  return { kind, combine, over, isWrittenOut };
}
