// `checkpoint(e)`. In: an expression. Out: its value; what it is computed of is computed again by reverse mode instead of being kept.
// Holds: nodes that are made while the expression is evaluated belong to it; what it reads of the rest of the program is what is kept.

import type { Node, TensorNode } from '../../graph/index.js';
import { type Region, sourceOf } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import { applyOp, applyTensor } from '../apply-op.js';
import { fail } from '../report.js';
import { readAll } from '../tensors.js';
import { leavesOf, withLeaves } from '../trees.js';
import { describe, ERROR, isCallable, tensorValue, type Value } from '../values.js';
import { required, type Builtin } from './builtin.js';

export const checkpointBuiltins: readonly Builtin[] = [
  {
    name: 'checkpoint',
    doc: 'The value of an expression. Reverse mode computes what is inside of it again instead of keeping it in memory.',
    signatures: ['checkpoint(x: any)'],
    parameters: required('x'),
    run(call) {
      const { context, site } = call;
      const { build } = context.checker;
      const mark = build.size;
      const given = call.given('x', call.expected);
      const value = readAll(context, given.value, given.span);
      if (value.kind === 'error') return ERROR;
      if (isCallable(value) || value.kind === 'instance')
        return fail(context, 'type-mismatch', given.span, `\`checkpoint\` takes a value, and this is ${describe(value)}`, {
          hint: 'call it inside: `checkpoint(f(x))`',
        });
      const leaves = leavesOf(context, value, given.span, 'what is computed again');
      if (leaves === undefined) return ERROR;
      const tensors = leaves.flatMap((leaf) => (leaf.kind === 'tensor' ? [leaf.node] : []));
      const belongs = (node: Node): boolean => node.id >= mark && sourceOf(node) === undefined;
      // An attempt wants types alone; what a body of index notation computes is one scalar.
      if (context.entry.isTentative || context.body !== undefined || !tensors.some(belongs)) return value;
      const { regions, captures } = ops.closeTogether(build, [], [tensors], belongs);
      const made = applyOp(context, ops.checkpoint, captures, { body: regions[0] as Region }, site);
      if (made === undefined) return ERROR;
      context.checker.growth.spend(context.entry.names.size >> 3);
      context.entry.hide(mark, 'inside of a `checkpoint`, whose values are not kept');
      let at = 0;
      const again = (leaf: Value): Value => {
        if (leaf.kind !== 'tensor') return leaf;
        const node: TensorNode | undefined = applyTensor(context, ops.element, [made], { index: at++ }, site);
        return node === undefined ? ERROR : tensorValue(node);
      };
      return withLeaves(value, leaves.map(again));
    },
  },
];
