// The sum of the parts of a product, whose depth several blocks shared, and what follows it. In: the parts, the group. Out: statements in a
// scope. Holds: parts are added in order, from the first step of the depth to the last one.

import { elementCount } from '../../../../base/index.js';
import type { TensorNode } from '../../../../graph/index.js';
import { type Accumulator, type Buffer, build, type Expr, type For } from '../../../../kernel/index.js';
import { identity, space, spread, widthAs } from '../../../form/forms.js';
import { splitIndex } from '../../../form/index-expressions.js';
import { type Scope, valueKey } from '../../../form/scope.js';
import type { KernelEmitter } from '../../common/emitter.js';
import { eachPoint } from '../elementwise.js';

/** `parts`: by the number of the part, and the index of the product; `when`: whether sizes leave anything to do. */
export function addParts(
  points: KernelEmitter,
  stored: readonly TensorNode[],
  node: TensorNode,
  parts: Buffer,
  scope: Scope,
  when: Pick<For, 'when'>,
): void {
  const { shape, dtype } = node.type;
  const loops = space(shape);
  const add = (point: Scope, number: Expr): void => {
    const at = splitIndex(loops, number, point);
    const index = spread(shape, at);
    const total: Accumulator = { name: point.names.fresh('total'), dtype: parts.dtype, shape: [] };
    point.emit({ kind: 'declare', accumulator: total, initial: identity('sum', parts.dtype) });
    point.loop('s', build.size(parts.shape[0] ?? 0), 'serial', (split, body) =>
      body.emit({ kind: 'accumulate', accumulator: total, index: [], combine: 'sum', value: build.load(parts, [split, ...index]) }),
    );
    point.remember(valueKey(node, index), widthAs(dtype, point.let('sum', build.read(total))));
    points.store(point, stored, at);
  };
  eachPoint(scope, elementCount(loops), true, add, when);
}
