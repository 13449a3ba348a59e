// The form of a block: how each of its nodes is computed, and which of them get storage. In: demanded nodes. Out: their forms and the
// materialized ones; as text; nothing, or an InternalError that names the broken rule.
// The rules:
//   demands   what the block must deliver is materialized, or stored before it runs
//   kernels   products, nests, loops, and reductions that are not written out are materialized
//   operands  what nests and loops take is materialized or stored, but for scalars of loops; what products take may be a view of that
//   sources   what is stored before the block runs is not materialized

import { InternalError, isInteger, shapeToString } from '../../base/index.js';
import { type Node, printGraph, topological, type TensorNode } from '../../graph/index.js';
import { space } from './forms.js';
import { chooseMaterialized, type Forms, type Splits } from './materialize.js';
import { isInlineReduce } from './values.js';

export interface FormedBlock {
  /** Nodes whose values the block must deliver. */
  readonly demanded: readonly TensorNode[];
  /** What they depend on, and they: arguments before users. */
  readonly order: readonly Node[];
  readonly forms: Forms;
  /** At the least: what several groups would compute again at a cost, fusion adds. */
  readonly materialized: ReadonlySet<Node>;
}

export function formBlock(demanded: readonly TensorNode[], forms: Forms): FormedBlock {
  const order = topological(demanded);
  forms.settleProducts(demanded, order);
  return { demanded, order, forms, materialized: chooseMaterialized(demanded, order, forms) };
}

/** The same block, with these reductions done by partial results. */
export function withSplits({ demanded, order, forms }: FormedBlock, splits: Splits): FormedBlock {
  const split = forms.withSplits(splits);
  return { demanded, order, forms: split, materialized: chooseMaterialized(demanded, order, split) };
}

/** The nodes; behind each its form. */
export function printFormed(name: string, block: FormedBlock): string {
  const lines = [`formed ${JSON.stringify(name)} {`];
  const nodes = new Set(topological(block.demanded));
  const numbers = printGraph(lines, block.demanded, '  ', { remark: (node) => (nodes.has(node) ? remarkOn(node, block) : undefined) });
  lines.push(`  demand ${block.demanded.map((node) => `%${numbers.get(node)}`).join(', ') || 'nothing'}`);
  return `${lines.join('\n')}\n}\n`;
}

function remarkOn(node: Node, { forms, materialized }: FormedBlock): string {
  const how = forms.isPartOfSum(node) ? ', in the sum that takes it' : '';
  return `${formText(node, forms)}${how}${materialized.has(node) ? ', materialized' : ''}`;
}

function formText(node: Node, forms: Forms): string {
  const form = forms.of(node);
  switch (form.kind) {
    case 'element':
      return `element, ${form.cost} FLOPs`;
    case 'reduce':
      return `reduce ${form.combine} over ${shapeToString(form.reduced)}`;
    case 'partial':
      return `partial over ${shapeToString(form.points)}`;
    case 'source':
    case 'element-of':
    case 'matmul':
    case 'nest':
    case 'loop':
      return form.kind;
  }
}

export function verifyFormed(name: string, { demanded, forms, materialized }: FormedBlock, pass: string): void {
  const fail = (rule: string, node: Node, message: string): never => {
    throw new InternalError(pass, `rule ${rule} of the form broken in ${JSON.stringify(name)}: ${node.op.name} (%${node.id}) ${message}`);
  };
  const isThere = (node: Node): boolean => materialized.has(node) || forms.isStored(node);
  for (const node of demanded) if (!isThere(node)) fail('demands', node, 'is asked for and not materialized');
  for (const node of topological(demanded)) {
    const form = forms.of(node);
    if (forms.isStored(node) && materialized.has(node)) fail('sources', node, 'is stored and materialized');
    const isKernel = form.kind === 'matmul' || form.kind === 'nest' || form.kind === 'loop';
    if ((isKernel || (form.kind === 'reduce' && !isInlineReduce(form))) && !materialized.has(node))
      fail('kernels', node, 'is not materialized');
    if (!isKernel) continue;
    for (const operand of node.args) {
      if (isThere(operand) || (form.kind === 'matmul' && isView(operand, isThere, forms))) continue;
      const isScalar = operand.type.kind === 'tensor' && space(operand.type.shape).length === 0;
      if (form.kind !== 'loop' || !isScalar) fail('operands', node, `takes ${operand.op.name} (%${operand.id}), which has no storage`);
    }
  }
}

/** Whether the node is what `isThere` says of the nodes below it, by ops that compute nothing; the number of a row may be computed. */
function isView(node: Node, isThere: (node: Node) => boolean, forms: Forms): boolean {
  // A set's iteration also visits what is added meanwhile.
  const seen = new Set([node]);
  for (const one of seen) {
    if (isThere(one) || isRowNumber(one, forms)) continue;
    const form = forms.of(one);
    if (form.kind !== 'element' || form.cost > 0 || one.args.length === 0) return false;
    for (const argument of forms.argsOf(one)) seen.add(argument);
  }
  return true;
}

/** An integer scalar that is computed in place. */
const isRowNumber = (node: Node, forms: Forms): boolean =>
  node.type.kind === 'tensor' && isInteger(node.type.dtype) && node.type.shape.length === 0 && forms.of(node).kind === 'element';
