// `x[:, None]`: axes of size 1 where NumPy's `None` stands among the indices. In: an index expression and the type of its tensor. Out: the
// same with `:` for each of them, and the shape that the tensor then has.
// Holds: only where nothing else is called `None`.

import type { Index, IndexExpression } from '../../grammar/index.js';
import { Dim, type Shape } from '../base/index.js';
import type { TensorNode } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import type { Context } from './context.js';
import type { Scope } from './scope.js';

/** Whether an index is `None`, which adds an axis. */
export const isNewAxis = (index: Index, scope: Scope): boolean =>
  index.kind === 'name' && index.name === 'None' && scope.lookup('None') === undefined;

/** An expression whose indices are all of axes that its tensor has once it is widened. */
export interface Widened {
  readonly expression: IndexExpression;
  readonly widen: (node: TensorNode | undefined) => TensorNode | undefined;
}

/** Indices without `None` among them, and what gives a tensor the axes that they speak of. */
export function withNewAxes(context: Context, expression: IndexExpression, scope: Scope): Widened {
  const { span } = expression;
  const added = expression.indices.map((index) => isNewAxis(index, scope));
  if (!added.includes(true)) return { expression, widen: (node) => node };
  const indices = expression.indices.map((index, at): Index =>
    added[at] === true ? { kind: 'slice', span: index.span, start: null, stop: null, step: null } : index,
  );
  const given = expression.indices.filter((index, at) => added[at] === false && index.kind !== 'ellipsis').length;
  const shapeOf = (shape: Shape): Shape => {
    const left = [...shape];
    const wide = expression.indices.flatMap((index, at) =>
      added[at] === true ? [Dim.one] : left.splice(0, index.kind === 'ellipsis' ? Math.max(shape.length - given, 0) : 1),
    );
    return [...wide, ...left];
  };
  const widen = (node: TensorNode | undefined): TensorNode | undefined =>
    node && applyTensor(context, ops.reshape, [node], { shape: shapeOf(node.type.shape) }, span);
  return { expression: { ...expression, indices }, widen };
}
