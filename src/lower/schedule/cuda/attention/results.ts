// Where results of attention go. In: a group, a product of it. Out: stores of the product and of what the group makes of it. Holds: each of
// them is stored by the thread that has the element, whichever way its axes lie.

import { InternalError } from '../../../../base/index.js';
import type { Node, TensorNode } from '../../../../graph/index.js';
import type { Expr } from '../../../../kernel/index.js';
import { spread, widthAs } from '../../../form/forms.js';
import { type Scope, valueKey } from '../../../form/scope.js';
import { turnOf } from '../../../fuse/turned.js';
import type { KernelEmitter } from '../../common/emitter.js';

export class Results {
  readonly #points: KernelEmitter;
  readonly #product: TensorNode;
  /** What is stored, with the place of each of its axes in the product. */
  readonly #stored: readonly { readonly node: TensorNode; readonly turn: readonly number[] }[];

  constructor(points: KernelEmitter, product: TensorNode) {
    this.#points = points;
    this.#product = product;
    const { group, context, maps } = points;
    const { forms, storage } = context;
    const isRead = (node: Node): boolean => group.reads.has(node);
    const isMadeOf = (map: TensorNode): boolean => {
      const below = new Set<Node>([map]);
      // A set's iteration also visits what is added meanwhile.
      for (const node of below)
        if (!isRead(node) && forms.of(node).kind === 'element') for (const argument of node.args) below.add(argument);
      return below.has(product);
    };
    this.#stored = [product, ...maps.filter(isMadeOf)]
      .filter((node) => storage.destinations(node).length > 0)
      .map((node) => {
        const turn = turnOf(node, product, forms, isRead);
        if (turn === undefined)
          throw new InternalError('lower', `${node.op.name} (%${node.id}) takes other elements than the one that is there`);
        return { node, turn };
      });
  }

  /** `index`: of the product, with an entry for each of its axes. */
  store(scope: Scope, index: readonly Expr[], value: Expr): void {
    const { type } = this.#product;
    // A single row has no loop of its own: its index is 0 wherever it is read.
    const loops = index.filter((_, axis) => type.shape[axis]?.constant !== 1);
    scope.remember(valueKey(this.#product, spread(type.shape, loops)), widthAs(type.dtype, value));
    scope.emit(
      ...this.#stored.flatMap(({ node, turn }) =>
        this.#points.storesAt(
          scope,
          node,
          spread(
            node.type.shape,
            turn.map((place) => loops[place] as Expr),
          ),
        ),
      ),
    );
  }
}
