// What would be computed again and again inside of one kernel, because it is read at many points: windows of windows, pieces of pieces. In:
// the nodes of a block, and which of them are materialized. Out: more that are.
// Holds: an upper bound of how many points there are decides, with what it costs to compute one; see the note at the end.

import { shapeEquals } from '../../base/index.js';
import { type Node, NodeMap, type TensorNode } from '../../graph/index.js';
import { build, type Expr, exprKey } from '../../kernel/index.js';
import { mostCopies, mostPoints } from '../../target/index.js';
import { paysToStore } from '../fuse/cost-model.js';
import { constants, type Form, indices, opOf, space, spread, tensorOf } from './forms.js';
import { type Forms, inlineCosts, probeBuffer } from './materialize.js';
import { isInlineReduce } from './values.js';

/** Points of a kernel's result → where a node is computed for them, by number. */
type Points = Map<Node, Set<number>>;

/** Kernels that are looked at for one node. */
const mostKernels = 8;

/** `order`: the nodes of the block. Gives those that it adds. */
export function storeRepeated(order: readonly Node[], materialized: Set<Node>, forms: Forms): ReadonlySet<Node> {
  const stored = new Set<Node>();
  const costs = inlineCosts(order, materialized, forms);
  const points = new NodeMap<Points>();
  const numbers = new Map<string, number>();
  const numberOf = (at: number, index: string): number => {
    if (index === own) return at;
    const key = `${at} ${index}`;
    let number = numbers.get(key);
    if (number === undefined) numbers.set(key, (number = numbers.size + 1));
    return number;
  };
  for (let at = order.length - 1; at >= 0; at--) {
    const node = order[at] as Node;
    if (forms.isStored(node)) continue;
    const form = forms.of(node);
    let known = materialized.has(node) ? undefined : points.get(node);
    if (known === undefined && !materialized.has(node)) continue;
    let accesses = accessesOf(node, form, materialized);
    if (known !== undefined && isRepeated(node, form, known, accesses)) {
      materialized.add(node);
      stored.add(node);
      known = undefined;
      accesses = accessesOf(node, form, materialized);
    }
    const from: Points = known ?? new Map([[node, new Set([0])]]);
    for (const [argument, indicesOf] of accesses) {
      if (materialized.has(argument) || forms.isStored(argument)) continue;
      let into = points.get(argument);
      if (into === undefined) points.set(argument, (into = new Map()));
      for (const [kernel, places] of from) {
        const there = into.get(kernel) ?? new Set();
        if (there.size === 0 && into.size >= mostKernels) continue;
        into.set(kernel, there);
        for (const place of places) for (const index of indicesOf) if (there.size <= mostCopies) there.add(numberOf(place, index));
      }
    }
  }
  return stored;

  function isRepeated(node: Node, form: Form, known: Points, accesses: Accesses): boolean {
    if (space(tensorOf(node).type.shape).length === 0) return false;
    const most = Math.max(...[...known.values()].map(({ size }) => size));
    // What takes each element from one place is as well read there.
    const parts = [...accesses.values()].reduce((sum, { size }) => sum + size, 0);
    if (parts > 1 && most > 1 && most * parts > mostCopies) return true;
    const isMoved = form.kind === 'element' && form.cost === 0;
    return most > mostPoints && !isMoved && paysToStore(tensorOf(node), costs.get(node) ?? 0, most, forms.target);
  }
}

/** Arguments of a node → at which indices they are read. */
type Accesses = ReadonlyMap<Node, ReadonlySet<string>>;

/** An argument is read at the point that is computed. */
const own = '';

/** At which indices arguments are read for one point of a node, or of what its kernel goes over. */
function accessesOf(node: Node, form: Form, materialized: ReadonlySet<Node>): Accesses {
  const found = new Map<Node, Set<string>>();
  const note = (argument: Node, index: string): void => {
    const known = found.get(argument);
    if (known === undefined) found.set(argument, new Set([index]));
    else known.add(index);
  };
  const isInline = form.kind === 'element' || (form.kind === 'reduce' && !materialized.has(node) && isInlineReduce(form));
  if (!isInline || isPointwise(form)) {
    for (const argument of node.args) note(argument, own);
    return found;
  }
  const { node: tensor } = form;
  const loops = spread(
    tensor.type.shape,
    space(tensor.type.shape).map((_, axis) => build.index(`o${axis}`)),
  );
  const read = (argument: TensorNode, index: readonly Expr[]): Expr => {
    note(argument, index.map(exprKey).join());
    return build.load(probeBuffer(argument), index);
  };
  if (form.kind === 'reduce') {
    for (const reduced of indices(constants(form.reduced) ?? [])) form.term(loops, reduced.map(build.int), read);
    return found;
  }
  const { lowering } = opOf(tensor);
  if (lowering.kind === 'element') lowering.at(tensor, loops, (which, index) => read(tensorOf(tensor.args[which] as Node), index));
  return found;
}

/** Arithmetic between elements at one point. What costs nothing moves elements, or repeats them. */
const isPointwise = (form: Form): boolean =>
  form.kind === 'element' &&
  form.cost > 0 &&
  form.node.args.every((argument) => shapeEquals(tensorOf(argument).type.shape, form.node.type.shape));

/* Note: points.
   A short sum over a window is written out where it is needed, and so is a slice. Of windows of three, one after the other, the first is
   needed at 3 points for one of the second, at 9 for one of the third: each layer more multiplies what the kernel computes again. Points
   are told apart by how an index was made on the way from the kernel's result: the same steps lead to the same point, and other steps,
   nearly always, to another one. What only puts pieces together costs no arithmetic, but the code of all its pieces at each point: that is
   stored when it is much. Fusion computes nothing of this a second time inside of a group either (`fuse/fuse.ts`). */
