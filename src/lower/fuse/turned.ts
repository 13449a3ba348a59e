// What is made of a product's elements one by one, in another order of axes. In: a node, a product that it reads. Out: which axis of the
// product each of its axes is. Holds: it reads the product at one point for each of its own.

import type { Node, TensorNode } from '../../graph/index.js';
import { build, type Expr } from '../../kernel/index.js';
import { space, spread } from '../form/forms.js';
import { type Forms, probeBuffer } from '../form/materialize.js';
import { Names, Scope } from '../form/scope.js';
import { Values } from '../form/values.js';

/** Of each axis of `node` that needs a loop the place of the same among those of `product`; undefined where there is none. */
export function turnOf(
  node: TensorNode,
  product: TensorNode,
  forms: Forms,
  isStored: (node: Node) => boolean,
): readonly number[] | undefined {
  const loops = space(node.type.shape).map((_, axis) => build.index(`o${axis}`));
  const read: (readonly Expr[])[] = [];
  const values = new Values({
    stored: (one) =>
      one === product || (one !== node && isStored(one)) || forms.isStored(one) ? { kind: 'buffer', buffer: probeBuffer(one) } : undefined,
    form: (one) => forms.of(one),
    observe: (one, index) => one === product && read.push(index),
  });
  values.at(node, spread(node.type.shape, loops), Scope.root(new Names()));
  const [index, ...others] = read;
  if (index === undefined || others.length > 0) return undefined;
  const own = index.filter((_, axis) => product.type.shape[axis]?.constant !== 1);
  const places = loops.map((_, axis) => own.findIndex((one) => one.kind === 'index' && one.name === `o${axis}`));
  return own.length === loops.length && places.every((place) => place >= 0) ? places : undefined;
}
