// Reads the graph's text form. In: text as `print.ts` writes it, the ops by name, a builder. Out: a module.
// Holds: printing the result gives the same text; spans and origins are lost. What does not fit is a `bad-data` diagnostic that names the
// line.

import { Dim, type DType, isDType, type Shape } from '../base/index.js';
import type { GraphBuilder } from './builder.js';
import type {
  AttrValue,
  Attrs,
  Entry,
  Feed,
  ModuleGraph,
  Node,
  OpTag,
  Output,
  Region,
  ResultTree,
  SizeFact,
  Summary,
  TensorNode,
  Update,
  Variable,
} from './node.js';
import { isTensorNode } from './node.js';
import { Cursor } from './tokens.js';
import type { TensorType, Type } from './type.js';

export interface ParseOptions {
  readonly build: GraphBuilder;
  /** The op of that name, if there is one. */
  op(name: string): OpTag | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function parseModule(text: string, options: ParseOptions): ModuleGraph {
  const at = new Cursor(text);
  at.expect('module');
  const path = at.of('string', 'the path of the module');
  const variables: Variable[] = [];
  const entries: Entry[] = [];
  for (;;) {
    if (at.accept('variable')) variables.push(parseVariable(at, options));
    else if (at.accept('entry')) entries.push(parseEntry(at, options));
    else if (at.next.kind === 'end') return { path, variables, entries };
    else at.fail('`variable` or `entry`');
  }
}

/** Reads what `printNodes` writes. */
export function parseNodes(text: string, options: ParseOptions): readonly Node[] {
  const at = new Cursor(text);
  const nodes = parseLines(at, options);
  at.expect('return');
  const roots = at.list(() => parseReference(at, nodes));
  if (at.next.kind !== 'end') at.fail('the end');
  return roots;
}

function parseVariable(at: Cursor, options: ParseOptions): Variable {
  const path = at.of('string', 'the path of the variable');
  const kind = at.oneOf(['param', 'state', 'slot']);
  const variable: Mutable<Variable> = {
    path,
    type: parseTensorType(at),
    kind,
    initial: undefined,
    streams: [],
    span: undefined,
    doc: undefined,
  };
  if (!at.accept('{')) return variable;
  if (at.accept('doc')) variable.doc = at.of('string', 'the text of `doc`');
  const nodes = parseLines(at, options);
  if (at.accept('initial')) variable.initial = parseTensorReference(at, nodes);
  if (at.accept('streams')) variable.streams = at.list(() => Number(at.of('number', 'a stream')));
  at.expect('}');
  return variable;
}

function parseEntry(at: Cursor, options: ParseOptions): Entry {
  const name = at.of('string', 'the name of the entry');
  const kind = at.oneOf(['fn', 'step', 'init']);
  at.expect('{');
  const doc = at.accept('doc') ? at.of('string', 'the text of `doc`') : undefined;
  const dims = at.accept('dims') ? at.list(() => at.of('word', 'the name of a size')) : [];
  const ranks: (readonly [pack: string, rank: number])[] = [];
  while (at.accept('rank')) ranks.push([at.of('string', 'the name of a pack'), Number(at.of('number', 'a rank'))]);
  const facts: SizeFact[] = [];
  while (at.accept('fact')) facts.push(parseFact(at));
  const feeds: Feed[] = [];
  while (at.accept('feed')) {
    const feed = at.of('string', 'the name of a feed');
    at.expect(':');
    const type = parseTensorType(at);
    feeds.push({ name: feed, type, span: undefined, ...(at.accept('=') ? { initial: parseInitial(at) } : {}) });
  }
  const nodes = parseLines(at, options);
  const outputs: Output[] = [];
  while (at.accept('output')) outputs.push({ path: at.of('string', 'the path of an output'), node: parseTensorReference(at, nodes) });
  at.expect('result');
  const result = parseResult(at);
  const updates: Update[] = [];
  while (at.accept('update')) updates.push({ variable: at.of('string', 'the path of a variable'), node: parseTensorReference(at, nodes) });
  const summaries: Summary[] = [];
  while (at.accept('summary')) {
    summaries.push({
      kind: at.oneOf(['scalar', 'histogram']),
      name: at.of('string', 'the name of a summary'),
      node: parseTensorReference(at, nodes),
    });
  }
  const names = new Map<string, TensorNode>();
  while (at.accept('name')) names.set(at.of('string', 'a path'), parseTensorReference(at, nodes));
  at.expect('}');
  return {
    name,
    kind,
    doc,
    dims,
    ranks: Object.fromEntries(ranks),
    facts,
    feeds,
    outputs,
    result,
    updates,
    summaries,
    names,
    span: undefined,
  };
}

function parseFact(at: Cursor): SizeFact {
  const left = parseAngledDim(at);
  const relation = relations.find((one) => one === at.next.text);
  if (at.next.kind !== 'string' || relation === undefined) at.fail('a relation');
  at.take();
  return { left, relation, right: parseAngledDim(at), span: undefined };
}

const relations = ['==', '!=', '<', '<=', '>', '>=', 'divides'] as const;

function parseResult(at: Cursor): ResultTree {
  if (at.accept('#')) return { kind: 'output', index: Number(at.of('number', 'the number of an output')) };
  if (at.accept('{')) {
    const fields = at.listUntil('}', () => {
      const field = at.of('string', 'the name of a field');
      at.expect(':');
      return [field, parseResult(at)] as const;
    });
    return { kind: 'record', fields };
  }
  at.expect('(');
  return { kind: 'tuple', items: at.listUntil(')', () => parseResult(at)) };
}

// ---- Nodes -------------------------------------------------------------------------------------------------------------------------

/** Lines of nodes, until one of the words that may follow them. */
export function parseLines(at: Cursor, options: ParseOptions, followers: ReadonlySet<string> = sectionWords): readonly Node[] {
  const nodes: Node[] = [];
  while (at.accept('%')) {
    if (at.of('number', 'the number of a node') !== String(nodes.length)) at.fail(`node %${nodes.length}`);
    at.expect('=');
    const name = at.of('word', 'the name of an op');
    const op = options.op(name) ?? at.fail(`an op that exists, not ${name},`);
    const args: Node[] = at.next.text === '%' ? at.list(() => parseReference(at, nodes)) : [];
    const attrs: { [name: string]: AttrValue } = {};
    if (at.accept('{')) {
      at.listUntil('}', () => {
        const attr = at.of('word', 'the name of an attribute');
        at.expect('=');
        attrs[attr] = parseValue(at);
      });
    }
    at.expect(':');
    const type = parseType(at);
    while (at.next.kind === 'word' && !followers.has(at.next.text)) {
      const attr = at.take().text;
      attrs[attr] = parseRegion(at, options);
    }
    nodes.push(options.build.make(op, args, attrs as Attrs, type));
  }
  return nodes;
}

/** What may follow the nodes; a region must not have such a name. */
const sectionWords: ReadonlySet<string> = new Set(['return', 'initial', 'output', 'result', 'update', 'summary', 'name']);

function parseRegion(at: Cursor, options: ParseOptions): Region {
  at.expect('(');
  const params = at.listUntil(')', () => parseTensorType(at));
  at.expect('{');
  const nodes = parseLines(at, options);
  at.expect('return');
  const results = at.next.text === '}' ? [] : at.list(() => parseTensorReference(at, nodes));
  at.expect('}');
  return { kind: 'region', params, results };
}

export function parseReference(at: Cursor, nodes: readonly Node[]): Node {
  at.expect('%');
  const number = Number(at.of('number', 'the number of a node'));
  return nodes[number] ?? at.fail(`a node that stands above, not %${number},`);
}

/** The default of a scalar feed. */
function parseInitial(at: Cursor): number | bigint | boolean {
  const value = parseValue(at);
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? value : at.fail('a number or a bool');
}

function parseTensorReference(at: Cursor, nodes: readonly Node[]): TensorNode {
  const node = parseReference(at, nodes);
  return isTensorNode(node) ? node : at.fail('a tensor, not a tuple,');
}

function parseValue(at: Cursor): AttrValue {
  if (at.next.kind === 'string') return at.take().text;
  if (at.accept('true')) return true;
  if (at.accept('false')) return false;
  if (at.next.text === '<') return parseAngledDim(at);
  if (at.accept('[')) return at.listUntil(']', () => parseValue(at));
  const negative = at.accept('-');
  if (at.next.kind === 'bigint') return (negative ? -1n : 1n) * BigInt(at.take().text);
  const word = at.accept('NaN') ? Number.NaN : at.accept('Infinity') ? Number.POSITIVE_INFINITY : Number(at.of('number', 'a value'));
  return negative ? -word : word;
}

// ---- Types and sizes ---------------------------------------------------------------------------------------------------------------

export function parseType(at: Cursor): Type {
  if (at.accept('(')) return { kind: 'tuple', items: at.listUntil(')', () => parseTensorType(at)) };
  return parseTensorType(at);
}

function parseTensorType(at: Cursor): TensorType {
  const dtype: DType = isDType(at.next.text) ? at.next.text : at.fail('a type');
  at.take();
  return { kind: 'tensor', dtype, shape: at.next.text === '[' ? parseShape(at) : [] };
}

export function parseShape(at: Cursor): Shape {
  at.expect('[');
  return at.listUntil(']', () => parseDim(at));
}

function parseAngledDim(at: Cursor): Dim {
  at.expect('<');
  const dim = parseDim(at);
  at.expect('>');
  return dim;
}

function parseDim(at: Cursor): Dim {
  let sum = at.accept('-') ? parseProduct(at).mul(-1) : parseProduct(at);
  for (;;) {
    if (at.accept('+')) sum = sum.add(parseProduct(at));
    else if (at.accept('-')) sum = sum.sub(parseProduct(at));
    else return sum;
  }
}

function parseProduct(at: Cursor): Dim {
  let product = parseFactor(at);
  while (at.accept('*')) product = product.mul(parseFactor(at));
  return product;
}

const parseFactor = (at: Cursor): Dim => (at.next.kind === 'number' ? Dim.of(Number(at.take().text)) : Dim.of(at.of('word', 'a size')));
