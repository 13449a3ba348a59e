// What would be computed again and again inside of one kernel, because it is read at many points: windows of windows, pieces of pieces. In:
// the nodes of a block, and which of them are materialized. Out: more that are.
// Holds: an upper bound of how many points there are decides, with what it costs to compute one; see the note at the end.

import { shapeEquals } from '../../base/index.js';
import { type Node, NodeMap, type TensorNode } from '../../graph/index.js';
import { build, type Expr, exprKey } from '../../kernel/index.js';
import { mostCopies, mostKernels, mostPoints } from '../../target/index.js';
import { paysToStore } from '../fuse/cost-model.js';
import { constants, type Form, indices, opOf, space, spread, tensorOf } from './forms.js';
import { InlineCosts } from './inline-costs.js';
import { type Forms, probeBuffer } from './materialize.js';
import { isInlineReduce } from './values.js';

/** Kernels that compute a node, each with the points at which it is computed for one of its result, by number. */
type Points = ReadonlyMap<Node, ReadonlySet<number>>;

/** `order`: the nodes of the block. Gives those that it adds. */
export function storeRepeated(order: readonly Node[], materialized: Set<Node>, forms: Forms): ReadonlySet<Node> {
  const stored = new Set<Node>();
  const costs = new InlineCosts(materialized, forms);
  const points = new NodeMap<Points>();
  const numbers = new Map<string, number>();
  const numberOf = (at: number, index: string): number => {
    const key = `${at} ${index}`;
    let number = numbers.get(key);
    if (number === undefined) numbers.set(key, (number = numbers.size + 1));
    return number;
  };
  for (let at = order.length - 1; at >= 0; at--) {
    const node = order[at] as Node;
    if (forms.isStored(node)) continue;
    const form = forms.of(node);
    let from: Points | undefined;
    if (!materialized.has(node)) {
      const known = points.get(node);
      if (known === undefined) continue;
      if (isRepeated(tensorOf(node), form, known)) {
        materialized.add(node);
        stored.add(node);
      } else from = known;
    }
    const open = node.args.filter((argument) => !materialized.has(argument) && !forms.isStored(argument));
    if (open.length === 0) continue;
    from ??= new Map([[node, new Set([0])]]);
    const accesses = accessesOf(node, form, materialized);
    for (const argument of open) {
      const known = points.get(argument);
      const indices = accesses?.get(argument);
      if (accesses === undefined) points.set(argument, known === undefined ? from : joined(known, from));
      else if (indices !== undefined)
        points.set(
          argument,
          joined(known, from, (place) => [...indices].map((index) => numberOf(place, index))),
        );
    }
  }
  return stored;

  function isRepeated(node: TensorNode, form: Form, known: Points): boolean {
    const most = Math.max(...[...known.values()].map(({ size }) => size));
    if (most === 1 || space(node.type.shape).length === 0) return false;
    // What takes each element from one place is as well read there.
    const accesses = accessesOf(node, form, materialized);
    const parts = accesses === undefined ? new Set(node.args).size : [...accesses.values()].reduce((sum, { size }) => sum + size, 0);
    if (parts > 1 && most * parts > mostCopies) return true;
    const isMoved = form.kind === 'element' && form.cost === 0;
    return most > mostPoints && !isMoved && paysToStore(node, costs.of(node), most, forms.target);
  }
}

/** Points of both; `move`: where one of `more` is computed for one that it is read at. */
function joined(known: Points | undefined, more: Points, move?: (place: number) => readonly number[]): Points {
  if (known !== undefined) {
    if (known === more && move === undefined) return known;
    if (known.size >= mostKernels && [...more.keys()].every((kernel) => !known.has(kernel))) return known;
  }
  const all = new Map<Node, Set<number>>();
  for (const [kernel, places] of known ?? []) all.set(kernel, new Set(places));
  for (const [kernel, places] of more) {
    const there = all.get(kernel) ?? new Set();
    if (there.size === 0 && all.size >= mostKernels) continue;
    all.set(kernel, there);
    for (const place of places) for (const one of move?.(place) ?? [place]) if (there.size <= mostCopies) there.add(one);
  }
  return all;
}

/** At which indices arguments are read for one point of a node; undefined where all are read at the point that is computed. */
function accessesOf(node: Node, form: Form, materialized: ReadonlySet<Node>): ReadonlyMap<Node, ReadonlySet<string>> | undefined {
  const isInline = form.kind === 'element' || (form.kind === 'reduce' && !materialized.has(node) && isInlineReduce(form));
  if (!isInline || isPointwise(form)) return undefined;
  const found = new Map<Node, Set<string>>();
  const { node: tensor } = form;
  const loops = spread(
    tensor.type.shape,
    space(tensor.type.shape).map((_, axis) => build.index(`o${axis}`)),
  );
  const read = (argument: TensorNode, index: readonly Expr[]): Expr => {
    const text = index.map(exprKey).join();
    const known = found.get(argument);
    if (known === undefined) found.set(argument, new Set([text]));
    else known.add(text);
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
