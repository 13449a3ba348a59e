// The form of a block: how each of its nodes is computed, and which of them get storage. In: required nodes. Out: their forms and the
// materialized ones; the same as data.

import { type Node, topological, type TensorNode } from '../../graph/index.js';
import type { FormedGraph, FormedNode, NodeForm } from './formed-graph.js';
import type { Form } from './forms.js';
import { chooseMaterialized, type Forms, type Splits } from './materialize.js';
import { isInlineReduce } from './values.js';

export interface FormedBlock {
  /** Nodes whose values the block must deliver. */
  readonly required: readonly TensorNode[];
  /** What they depend on, and they: arguments before users. */
  readonly order: readonly Node[];
  readonly forms: Forms;
  /** At the least: what several groups would compute again at a cost, fusion adds. */
  readonly materialized: ReadonlySet<Node>;
  /** Those of them that one kernel would otherwise compute at many points. */
  readonly repeated: ReadonlySet<Node>;
  /** What has to run before variables change, and what changes them: no kernel does both. */
  readonly apart?: Apart;
}

export interface Apart {
  /** Checks, and what serves nothing else. */
  readonly checks: ReadonlySet<Node>;
  readonly updates: ReadonlySet<Node>;
}

export function formBlock(required: readonly TensorNode[], forms: Forms, apart?: Apart): FormedBlock {
  const order = topological(required);
  forms.settleProducts(required, order);
  const block = { required, order, forms, ...chooseMaterialized(required, order, forms) };
  return apart === undefined ? block : { ...block, apart };
}

/** The same block, with these reductions done by partial results, which are stored. */
export function withSplits({ forms, materialized, ...rest }: FormedBlock, splits: Splits): FormedBlock {
  const partials = [...splits.values()].map(({ partial }) => partial.node);
  return { ...rest, forms: forms.withSplits(splits), materialized: new Set([...materialized, ...partials]) };
}

/** The form as data, to be printed and verified. */
export function describeFormed(name: string, { required, order, forms, materialized }: FormedBlock): FormedGraph {
  const asked = new Set<Node>(required);
  const numbers = new Map<Node, number>();
  for (const [number, node] of order.entries()) if (asked.has(node)) numbers.set(node, number);
  return {
    name,
    nodes: order,
    forms: order.map((node, number): FormedNode => {
      const form = forms.of(node);
      return {
        number,
        form: formOf(form),
        place: materialized.has(node) ? 'materialized' : forms.isStored(node) ? 'stored' : 'inline',
        inSum: forms.isPartOfSum(node),
      };
    }),
    required: required.map((node) => numbers.get(node) ?? order.length),
  };
}

function formOf(form: Form): NodeForm {
  switch (form.kind) {
    case 'element':
      return { kind: 'element', cost: form.cost };
    case 'reduce':
      return { kind: 'reduce', combine: form.combine, over: form.reduced, isWrittenOut: isInlineReduce(form) };
    default:
      return { kind: form.kind };
  }
}
