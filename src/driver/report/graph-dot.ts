// The graph as a drawing. In: entries, folded. Out: DOT for Graphviz. Holds: one cluster per entry and per open box, one node per closed
// one; data flows upwards; ids of what is drawn are `e<entry>_<id>`.

import { printable } from '../../base/printable.js';
import { type Folded, type FoldedBox, type FoldedNode, shortType } from './graph-fold.js';
import type { ViewScope } from './graph-view.js';

export function toDot(entries: readonly Folded[]): string {
  return [
    'digraph {',
    '  graph [fontname="Helvetica,Arial,sans-serif", fontsize=12, compound=true, rankdir=BT, labelloc=b, labeljust=l, ranksep=0.3, nodesep=0.2]',
    '  node [fontname="Helvetica,Arial,sans-serif", fontsize=10, shape=box, style="rounded,filled", fillcolor=white, color="#888888", height=0.3, margin="0.05,0.05"]',
    '  edge [fontname="Helvetica,Arial,sans-serif", fontsize=8, color="#777777", arrowsize=0.6]',
    ...entries.flatMap(entryLines),
    '}',
  ].join('\n');
}

function entryLines({ entry, root, edges, outputs }: Folded, at: number): string[] {
  const prefix = `e${at}_`;
  return [
    `  subgraph cluster_${at} {`,
    `    label=${quote(entry)}`,
    '    style=filled; color="#f4f4f8"',
    ...insideLines(root, prefix, '    '),
    ...outputs.flatMap(({ path, from }, index) => endLines(`out${index}`, path === '' ? 'result' : path, '#d8f0d8', from, prefix, '    ')),
    ...edges.map(({ from, to, types }) => {
      // A box may give several things; a node's type stands in the node. Room around the text keeps it off the arrow.
      const label = from.startsWith('s') ? ` [label=${quote(...types.map((type) => `   ${shortType(type)}   `))}]` : '';
      return `    ${prefix}${from} -> ${prefix}${to}${label}`;
    }),
    '  }',
  ];
}

function insideLines({ box, nodes, boxes, updates }: FoldedBox, prefix: string, indent: string): string[] {
  return [
    ...nodes.map((node) => nodeLine(node, prefix, indent)),
    ...boxes.flatMap((one) => boxLines(one, prefix, indent)),
    ...updates.flatMap(({ variable, from }, at) => endLines(`set${box.id}_${at}`, `${variable} ←`, '#f0e4d0', from, prefix, indent)),
  ];
}

function endLines(name: string, label: string, color: string, from: string, prefix: string, indent: string): string[] {
  return [
    `${indent}${prefix}${name} [label=${quote(cut(label))}, shape=ellipse, fillcolor="${color}"]`,
    `${indent}${prefix}${from} -> ${prefix}${name}`,
  ];
}

function nodeLine({ node, op, name }: FoldedNode, prefix: string, indent: string): string {
  const label = [...(name === undefined ? [] : [name]), `${op}${node.count > 1 ? ` × ${node.count}` : ''}`, shortType(node.type)];
  const color = name === undefined ? '' : ', fillcolor="#e0ecfa"';
  return `${indent}${prefix}${node.id} [id=${prefix}${node.id}, class="node", ${labelled(...label)}${color}]`;
}

const colors: { readonly [kind in ViewScope['kind']]: string } = {
  instance: '#c9def5',
  function: '#dcefdc',
  optimizer: '#f3e2c7',
  update: '#f3e2c7',
  loop: '#e6def2',
  scope: '#e4e4ee',
};

function boxLines(box: FoldedBox, prefix: string, indent: string): string[] {
  const id = `${prefix}${box.box.id}`;
  const color = colors[box.box.scope?.kind ?? 'scope'];
  if (!box.open) {
    const count = box.box.series.length;
    const look = `fillcolor="${color}"${count > 1 ? ', peripheries=2' : ''}`;
    return [`${indent}${id} [id=${id}, class="closed", ${labelled(box.title, ...box.lines)}, ${look}]`];
  }
  return [
    `${indent}subgraph cluster_${id} {`,
    `${indent}  id=${id}; class="open"; label=${quote(cut(box.title))}; style="rounded,filled"; fillcolor="${color}40"; color="${color}"`,
    ...insideLines(box, prefix, `${indent}  `),
    `${indent}}`,
  ];
}

/** The label of a box, and a width that it fits into: fonts other than the one that Graphviz knows are up to a fifth wider. */
function labelled(...lines: readonly string[]): string {
  const shown = lines.map(cut);
  return `label=${quote(...shown)}, width=${(0.2 + 0.08 * Math.max(...shown.map((line) => line.length))).toFixed(2)}`;
}

/** One name does not make the whole drawing wide. */
const cut = (line: string): string => (line.length > 64 ? `${line.slice(0, 63)}…` : line);

/** A string of DOT with one of ours in each line: quotes, backslashes and the references of XML mean something, and `\n` breaks a line. */
const quote = (...lines: readonly string[]): string =>
  `"${lines.map((line) => printable(line).replace(/[\\"]/g, '\\$&').replaceAll('&', '&amp;')).join('\\n')}"`;
