// The graph as a drawing. In: views of entries. Out: DOT for Graphviz. Holds: one cluster per entry and per scope; data flows upwards.

import { printable } from '../base/index.js';
import type { EntryView, ViewNode } from './graph-view.js';

export function toDot(views: readonly EntryView[]): string {
  return [
    'digraph {',
    '  graph [fontname="Helvetica", compound=true, rankdir=BT]',
    '  node [fontname="Helvetica", fontsize=10, shape=box, style="rounded,filled", fillcolor=white]',
    '  edge [color="#777777", arrowsize=0.6]',
    ...views.flatMap(entryLines),
    '}',
  ].join('\n');
}

function entryLines(view: EntryView, at: number): string[] {
  const prefix = `e${at}_`;
  const root: ScopeTree = { path: '', nodes: [], children: new Map() };
  for (const node of view.nodes) scopeIn(root, node.scope).nodes.push(node);
  const end = (name: string, label: string, color: string, node: string): string[] => [
    `    ${prefix}${name} [label=${quote(label)}, shape=ellipse, fillcolor=${quote(color)}]`,
    `    ${prefix}${node} -> ${prefix}${name}`,
  ];
  return [
    `  subgraph cluster_${at} {`,
    `    label=${quote(view.entry)}`,
    '    style=filled; color="#f4f4f8"',
    ...scopeLines(root, prefix, '    '),
    ...view.outputs.flatMap(({ path, node }) => end(`out_${id(path)}`, path === '' ? 'result' : path, '#d8f0d8', node)),
    ...view.updates.flatMap(({ variable, node }) => end(`set_${id(variable)}`, `${variable} ←`, '#f0e4d0', node)),
    ...view.edges.map(({ from, to }) => `    ${prefix}${from} -> ${prefix}${to}`),
    '  }',
  ];
}

interface ScopeTree {
  readonly path: string;
  readonly nodes: ViewNode[];
  readonly children: Map<string, ScopeTree>;
}

function scopeIn(root: ScopeTree, path: string): ScopeTree {
  let scope = root;
  for (const part of path.split('/').filter((one) => one !== '')) {
    let child = scope.children.get(part);
    if (child === undefined) {
      child = { path: scope.path === '' ? part : `${scope.path}/${part}`, nodes: [], children: new Map() };
      scope.children.set(part, child);
    }
    scope = child;
  }
  return scope;
}

function scopeLines(scope: ScopeTree, prefix: string, indent: string): string[] {
  return [
    ...scope.nodes.map((node) => {
      const label = [...(node.name === undefined ? [] : [node.name]), `${node.op}${node.count > 1 ? ` × ${node.count}` : ''}`, node.type];
      return `${indent}${prefix}${node.id} [label=${quote(...label)}${node.name === undefined ? '' : ', fillcolor="#e0ecfa"'}]`;
    }),
    ...[...scope.children].flatMap(([name, child]) => [
      `${indent}subgraph cluster_${prefix}${id(child.path)} {`,
      `${indent}  label=${quote(name)}; style="rounded,filled"; color="#e4e4ee"`,
      ...scopeLines(child, prefix, `${indent}  `),
      `${indent}}`,
    ]),
  ];
}

/** A name that DOT takes without quotes; different texts give different names. */
const id = (text: string): string => text.replace(/[^A-Za-z0-9]/g, (character) => `_${character.charCodeAt(0)}_`);

/** A string of DOT with one of ours in each line: quotes, backslashes and the references of XML mean something, and `\n` breaks a line. */
const quote = (...lines: readonly string[]): string =>
  `"${lines.map((line) => printable(line).replace(/[\\"]/g, '\\$&').replaceAll('&', '&amp;')).join('\\n')}"`;
