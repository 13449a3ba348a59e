// Graphs as text. In: a module, or nodes. Out: one line per node, regions nested, the same text for equal graphs.
// Holds: `parse.ts` reads it back to a graph that prints the same; nodes are numbered anew in order of appearance, so builder ids do not
// show. Spans are not part of the text; origins are comments.

import { Dim } from '../base/index.js';
import type { GraphBuilder } from './builder.js';
import { entryRoots } from './entry.js';
import type { AttrValue, Entry, ModuleGraph, Node, Region, ResultTree, Variable } from './node.js';
import { isRegion, regionsOf } from './region.js';
import { typeToString } from './type.js';
import { topological } from './walk.js';

export interface PrintOptions {
  /** Adds each node's places as a comment: `; model.tdsl:120-131 loss/error backward`. */
  readonly origins?: GraphBuilder;
}

export function printModule(module: ModuleGraph, options: PrintOptions = {}): string {
  const parts = [`module ${JSON.stringify(module.path)}\n`];
  for (const variable of module.variables) parts.push(printVariable(variable, options));
  for (const entry of module.entries) parts.push(printEntry(entry, options));
  return parts.join('\n');
}

export function printVariable(variable: Variable, options: PrintOptions = {}): string {
  const head = `variable ${JSON.stringify(variable.path)} ${variable.kind} ${typeToString(variable.type)}`;
  if (variable.doc === undefined && variable.initial === undefined) return `${head}\n`;
  const lines = [`${head} {`];
  if (variable.doc !== undefined) lines.push(`  doc ${JSON.stringify(variable.doc)}`);
  if (variable.initial !== undefined) {
    const numbers = printGraph(lines, [variable.initial], '  ', options);
    const streams = variable.streams.length === 0 ? '' : ` streams ${variable.streams.join(', ')}`;
    lines.push(`  initial ${reference(numbers, variable.initial)}${streams}`);
  }
  return `${lines.join('\n')}\n}\n`;
}

export function printEntry(entry: Entry, options: PrintOptions = {}): string {
  const lines = [`entry ${JSON.stringify(entry.name)} ${entry.kind} {`];
  if (entry.doc !== undefined) lines.push(`  doc ${JSON.stringify(entry.doc)}`);
  if (entry.dims.length > 0) lines.push(`  dims ${entry.dims.join(', ')}`);
  for (const [pack, rank] of Object.entries(entry.ranks)) lines.push(`  rank ${JSON.stringify(pack)} ${rank}`);
  for (const fact of entry.facts) lines.push(`  fact <${fact.left}> ${JSON.stringify(fact.relation)} <${fact.right}>`);
  for (const feed of entry.feeds) lines.push(`  feed ${JSON.stringify(feed.name)}: ${typeToString(feed.type)}`);
  const numbers = printGraph(lines, entryRoots(entry), '  ', options);
  for (const { path, node } of entry.outputs) lines.push(`  output ${JSON.stringify(path)} ${reference(numbers, node)}`);
  lines.push(`  result ${resultText(entry.result)}`);
  for (const { variable, node } of entry.updates) lines.push(`  update ${JSON.stringify(variable)} ${reference(numbers, node)}`);
  for (const { kind, name, node } of entry.summaries) lines.push(`  summary ${kind} ${JSON.stringify(name)} ${reference(numbers, node)}`);
  for (const [path, node] of entry.names) lines.push(`  name ${JSON.stringify(path)} ${reference(numbers, node)}`);
  return `${lines.join('\n')}\n}\n`;
}

/** Nodes alone, for dumps and tests; the last line says which are the roots. */
export function printNodes(roots: readonly Node[], options: PrintOptions = {}): string {
  const lines: string[] = [];
  const numbers = printGraph(lines, roots, '', options);
  lines.push(`return ${roots.map((root) => reference(numbers, root)).join(', ')}`);
  return `${lines.join('\n')}\n`;
}

const reference = (numbers: ReadonlyMap<Node, number>, node: Node): string => `%${numbers.get(node)}`;

/** Adds a line for every node below the roots, and gives their numbers. */
export function printGraph(lines: string[], roots: readonly Node[], indent: string, options: PrintOptions = {}): ReadonlyMap<Node, number> {
  const numbers = new Map<Node, number>();
  for (const node of topological(roots)) {
    numbers.set(node, numbers.size);
    const args = node.args.map((arg) => ` ${reference(numbers, arg)}`).join(',');
    const plain = Object.keys(node.attrs)
      .sort()
      .filter((name) => !isRegion(node.attrs[name]))
      .map((name) => `${name}=${attrText(node.attrs[name] as AttrValue)}`);
    const attrs = plain.length === 0 ? '' : ` {${plain.join(', ')}}`;
    let line = `${indent}${reference(numbers, node)} = ${node.op.name}${args}${attrs} : ${typeToString(node.type)}`;
    for (const [name, region] of regionsOf(node)) {
      lines.push(`${line} ${name}${regionHead(region)} {`);
      const inner = printGraph(lines, region.results, `${indent}  `, options);
      lines.push(`${indent}  return ${region.results.map((result) => reference(inner, result)).join(', ')}`);
      line = `${indent}}`;
    }
    const comment = originText(node, options);
    lines.push(comment === '' ? line : `${line} ; ${comment}`);
  }
  return numbers;
}

const regionHead = (region: Region): string => `(${region.params.map(typeToString).join(', ')})`;

function originText(node: Node, options: PrintOptions): string {
  const origins = options.origins?.originsOf(node) ?? [];
  if (origins.length === 0) return '';
  return [
    ...new Set(
      origins.map(
        ({ span, scope, backward }) =>
          `${span.source}:${span.start}-${span.end}${scope === '' ? '' : ` ${scope}`}${backward ? ' backward' : ''}`,
      ),
    ),
  ].join(', ');
}

export function attrText(value: AttrValue): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'boolean') return String(value);
  if (value instanceof Dim) return `<${value}>`;
  if (isRegion(value)) return regionHead(value);
  return `[${value.map(attrText).join(', ')}]`;
}

function resultText(tree: ResultTree): string {
  switch (tree.kind) {
    case 'output':
      return `#${tree.index}`;
    case 'record':
      return `{${tree.fields.map(([name, field]) => `${JSON.stringify(name)}: ${resultText(field)}`).join(', ')}}`;
    case 'tuple':
      return `(${tree.items.map(resultText).join(', ')})`;
  }
}
