// The form of a block as data: how each of its nodes is computed, and which of them get storage. In: numbers, names and sizes. Out: its
// text; nothing, or an InternalError that names the pass and the broken rule.
// Holds: `parse-formed.ts` reads the text back to a graph that prints the same. Nodes go by their place in the text.
// The rules:
//   forms     every node has one, at its place
//   required  what the block must deliver is materialized, or stored before it runs
//   kernels   products, nests, loops, and reductions that are not written out are materialized
//   operands  what nests and loops take is materialized or stored, but for scalars of loops; what products take may be a view of that
//   sources   what is stored before the block runs is not materialized

import { InternalError, isInteger, type Shape, shapeToString } from '../../base/index.js';
import { type Node, NodeMap, printGraph } from '../../graph/index.js';
import type { Combiner } from '../../kernel/index.js';
import { space } from './forms.js';

export interface FormedGraph {
  readonly name: string;
  /** Arguments before users. */
  readonly nodes: readonly Node[];
  /** One for each node, in the same order. */
  readonly forms: readonly FormedNode[];
  /** Numbers of nodes that the block must deliver. */
  readonly required: readonly number[];
}

export interface FormedNode {
  readonly number: number;
  readonly form: NodeForm;
  /** `stored`: it has a value before the block runs; `materialized`: it gets storage; `inline`: it is computed where it is read. */
  readonly place: 'stored' | 'materialized' | 'inline';
  /** It is a product that the sum which takes it computes. */
  readonly inSum: boolean;
}

export type NodeForm =
  | { readonly kind: 'element'; readonly cost: number }
  | { readonly kind: 'reduce'; readonly combine: Combiner; readonly over: Shape; readonly isWrittenOut: boolean }
  | { readonly kind: (typeof plainForms)[number] };

/** Forms of which the name says everything. */
export const plainForms = ['source', 'element-of', 'matmul', 'nest', 'loop', 'partial'] as const;
export const formPlaces = ['stored', 'materialized', 'inline'] as const;

export function printFormedGraph({ name, nodes, forms, required }: FormedGraph): string {
  const lines = [`formed ${JSON.stringify(name)} {`];
  printGraph(lines, nodes, '  ');
  for (const { number, form, place, inSum } of forms) lines.push(`  form %${number} ${place} ${formText(form)}${inSum ? ' in sum' : ''}`);
  for (const number of required) lines.push(`  require %${number}`);
  return `${lines.join('\n')}\n}\n`;
}

function formText(form: NodeForm): string {
  switch (form.kind) {
    case 'element':
      return `element ${form.cost}`;
    case 'reduce':
      return `reduce ${form.combine} over ${shapeToString(form.over)}${form.isWrittenOut ? ' written out' : ''}`;
    default:
      return form.kind;
  }
}

export function verifyFormedGraph({ name, nodes, forms, required }: FormedGraph, pass: string): void {
  const fail = (rule: string, number: number, message: string): never => {
    const what = nodes[number]?.op.name ?? 'no node';
    throw new InternalError(pass, `rule ${rule} of the form broken in ${JSON.stringify(name)}: ${what} (%${number}) ${message}`);
  };
  const numbers = new NodeMap<number>();
  for (const [number, node] of nodes.entries()) numbers.set(node, number);
  for (const [at, { number }] of forms.entries()) if (number !== at) fail('forms', number, `stands at the place ${at}`);
  if (forms.length !== nodes.length) fail('forms', forms.length, `${forms.length} forms of ${nodes.length} nodes`);
  const isThere = (number: number): boolean => forms[number]?.place !== 'inline';
  const operandsOf = (number: number): readonly number[] => (nodes[number]?.args ?? []).map((arg) => numbers.get(arg) ?? nodes.length);
  /** An integer scalar that is computed in place. */
  const isRowNumber = (number: number): boolean => {
    const type = nodes[number]?.type;
    return type?.kind === 'tensor' && isInteger(type.dtype) && type.shape.length === 0 && forms[number]?.form.kind === 'element';
  };
  /** What is there, or is made of it by ops that compute nothing; the number of a row may be computed. */
  const isView = (number: number): boolean => {
    // A set's iteration also visits what is added meanwhile.
    const seen = new Set([number]);
    for (const one of seen) {
      if (isThere(one) || isRowNumber(one)) continue;
      const form = forms[one]?.form;
      const operands = operandsOf(one);
      if (form?.kind !== 'element' || form.cost > 0 || operands.length === 0) return false;
      for (const operand of operands) seen.add(operand);
    }
    return true;
  };
  for (const number of required)
    if (number >= nodes.length || !isThere(number)) fail('required', number, 'is asked for and not materialized');
  for (const { number, form, place } of forms) {
    if (form.kind === 'source' && place === 'materialized') fail('sources', number, 'is stored and materialized');
    const isKernel = form.kind === 'matmul' || form.kind === 'nest' || form.kind === 'loop';
    if ((isKernel || (form.kind === 'reduce' && !form.isWrittenOut)) && !isThere(number)) fail('kernels', number, 'is not materialized');
    if (!isKernel) continue;
    for (const operand of operandsOf(number)) {
      if (isThere(operand) || (form.kind === 'matmul' && isView(operand))) continue;
      const type = nodes[operand]?.type;
      const isScalar = type?.kind === 'tensor' && space(type.shape).length === 0;
      if (form.kind !== 'loop' || !isScalar) fail('operands', number, `takes %${operand}, which has no storage`);
    }
  }
}
