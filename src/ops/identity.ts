// Ops that only say something about a value: its name, that it is constant to derivatives, which item of a tuple it is.
// In: one node. Out: the same value. Holds: all but `element` are gone before lowering.

import { Dim, InternalError } from '../base/index.js';
import { type GraphBuilder, type Node, tensor, type TensorNode } from '../graph/index.js';
import { apply, opOf } from './apply.js';
import { defineOp, type Op } from './define.js';
import { loop } from './loop.js';
import { oneTensor, problem } from './problem.js';
import { closeRegion, placeholder } from './region.js';
import { scalars } from './scalars.js';
import { isTensorValue, tensorAt } from './value.js';

export type NamedAttrs = { readonly path: string };
export type NoAttrs = Record<never, never>;
export type ElementAttrs = { readonly index: number };

export const named: Op<NamedAttrs> = defineOp<NamedAttrs>({
  name: 'named',
  doc: 'Names a value, so that it can be fetched, and differentiated with respect to.',
  type: (args) => oneTensor('named', args),
  derivative: {
    kind: 'rules',
    reach: { kind: 'rule', exact: true, vjp: (_, __, mask) => mask, jvp: (_, __, mask) => mask },
    vjp: (_, [cotangent]) => [cotangent],
    jvp: (_, [tangent]) => [tangent],
  },
  evaluate: (args) => tensorAt(args, 0),
  batched: (attrs) => attrs,
  lowering: { kind: 'removed', by: 'strip' },
  samples: () => [{ args: [{ dtype: 'f64', shape: [2, 3] }], attrs: { path: 'loss/error' } }],
});

export const stopGradient: Op<NoAttrs> = defineOp<NoAttrs>({
  name: 'stopGradient',
  doc: 'A constant to every derivative.',
  type: (args) => oneTensor('stopGradient', args),
  derivative: { kind: 'zero' },
  evaluate: (args) => tensorAt(args, 0),
  batched: (attrs) => attrs,
  lowering: { kind: 'removed', by: 'strip' },
  samples: () => [{ args: [{ dtype: 'f64', shape: [3] }], attrs: {} }],
});

/** A tuple for samples: x and y · sin y twice over, and the x of each turn. */
function twoTurns(build: GraphBuilder, x: TensorNode, y: TensorNode): Node {
  const [count, ...carries] = [tensor('i32'), x.type, y.type].map((type) => placeholder(build, type)) as [
    TensorNode,
    TensorNode,
    TensorNode,
  ];
  const results = [scalars.exp(build, carries[0]), scalars.mul(build, carries[1], scalars.sin(build, carries[1])), carries[0]];
  const { region } = closeRegion(build, [count, ...carries], results);
  return apply(build, loop, [x, y], { trip: Dim.of(2), carries: 2, body: region });
}

const routed = (): never => {
  throw new InternalError('differentiate', 'an item of a tuple passes its cotangent and tangent straight to that result of the tuple');
};

export const element: Op<ElementAttrs> = defineOp<ElementAttrs>({
  name: 'element',
  doc: 'Takes one result of several.',
  type(args, { index }) {
    const [tuple, ...others] = args;
    if (tuple === undefined || others.length > 0 || tuple.kind !== 'tuple') return problem('type-mismatch', 'element takes one tuple');
    return tuple.items[index] ?? problem('invalid-value', `there is no item ${index} in a tuple of ${tuple.items.length}`);
  },
  // Rules speak of tensors: differentiation knows tuples by the lowering kind `element-of`.
  derivative: { kind: 'rules', vjp: routed, jvp: routed },
  evaluate([tuple], { attrs }) {
    const item = tuple === undefined || isTensorValue(tuple) ? undefined : tuple[attrs.index];
    if (item === undefined) throw new InternalError('evaluate', `no item ${attrs.index}`);
    return item;
  },
  lowering: { kind: 'element-of' },
  write: (node, writer) => ({ ...writer.part(node.args[0] as Node, node.attrs.index), isPlain: true }),
  bounds({ args: [tuple], attrs: { index } }) {
    return tuple === undefined ? undefined : opOf(tuple).itemBounds?.(tuple, index);
  },
  samples: () =>
    [0, 1, 2].map((index) => ({
      args: [
        { dtype: 'f64', shape: [3] },
        { dtype: 'f64', shape: [] },
      ],
      on: (build, [x, y]) => [twoTurns(build, x as TensorNode, y as TensorNode)],
      attrs: { index },
    })),
});
