// Which nodes get storage. In: the nodes that an entry must deliver. Out: materialized nodes; every other node is computed where it is
// needed.
// Holds: reductions, tiled products, nests and loops are materialized nodes, unless a reduction is short enough to be written out; operands
// of tiled products are materialized nodes or views of stored nodes.

import { InternalError, type Shape, shapeEquals } from '../../base/index.js';
import { type Node, NodeMap, type TensorNode } from '../../graph/index.js';
import { build, type Buffer } from '../../kernel/index.js';
import { mostScalars, scalarFlops, type Target } from '../../target/index.js';
import { productsOfSums } from './fma.js';
import { paysToMove, paysToStore } from '../fuse/cost-model.js';
import { type Form, formOf, isRoundedLater, space, tensorOf } from './forms.js';
import { InlineCosts } from './inline-costs.js';
import { Leaves } from './leaves.js';
import { unreadableOperands } from './operands.js';
import type { SplitReduction } from './partial.js';
import { storeRepeated } from './repeated.js';
import type { Structures } from './structure.js';
import { isInlineReduce } from './values.js';

/** Reductions that are done by partial results, and how. */
export type Splits = ReadonlyMap<Node, SplitReduction>;

/** What is found about nodes once, whatever is split. */
interface Known {
  readonly forms: NodeMap<Form>;
  readonly products: NodeMap<boolean>;
}

export class Forms {
  readonly #known: Known;
  readonly #splits: Splits;
  /** Of reductions that are split, and of their partial results. */
  readonly #ofSplits = new NodeMap<Form>();
  /** Whose memory decides what pays. */
  readonly target: Target;
  readonly structures: Structures;

  constructor(
    target: Target,
    structures: Structures,
    splits: Splits = new Map(),
    known: Known = { forms: new NodeMap(), products: new NodeMap() },
  ) {
    this.target = target;
    this.structures = structures;
    this.#known = known;
    this.#splits = splits;
    for (const [node, { partial, combine }] of splits) {
      this.#ofSplits.set(node, combine);
      this.#ofSplits.set(partial.node, partial);
    }
  }

  of(node: Node): Form {
    const { forms } = this.#known;
    let form = (this.#splits.size > 0 ? this.#ofSplits.get(node) : undefined) ?? forms.get(node);
    if (form === undefined) forms.set(node, (form = this.#formOf(node)));
    return form;
  }

  /** What products do on the way costs nothing. */
  #formOf(node: Node): Form {
    const form = formOf(node);
    return this.target.roundsOperands && form.kind === 'element' && isRoundedLater(form.node) ? { ...form, cost: 0 } : form;
  }

  /** The same, with these reductions done by partial results as well; none of them may be so already. */
  withSplits(splits: Splits): Forms {
    for (const node of splits.keys())
      if (this.#splits.has(node)) throw new InternalError('lower', `${node.op.name} (%${node.id}) is split twice`);
    return new Forms(this.target, this.structures, new Map([...this.#splits, ...splits]), this.#known);
  }

  splitOf(node: Node): SplitReduction | undefined {
    return this.#splits.size > 0 ? this.#splits.get(node) : undefined;
  }

  get hasSplits(): boolean {
    return this.#splits.size > 0;
  }

  /** What a node is computed from. */
  argsOf(node: Node): readonly Node[] {
    const split = this.splitOf(node);
    return split === undefined ? node.args : [split.partial.node];
  }

  /** Settles for the nodes of a block, once and for all, which products become parts of sums. */
  settleProducts(required: readonly TensorNode[], order: readonly Node[]): void {
    const { products } = this.#known;
    for (const [node, joins] of productsOfSums(required, order)) if (products.get(node) === undefined) products.set(node, joins);
  }

  /** Whether the node is a product that is computed together with the sum that takes it. */
  isPartOfSum(node: Node): boolean {
    return this.#known.products.get(node) === true;
  }

  /** Storage that exists before the kernels run, or that a loop fills. */
  isStored(node: Node): boolean {
    const kind = this.of(node).kind;
    return kind === 'source' || kind === 'element-of';
  }
}

/** A stand-in for the storage of `node`, to see how it would be read. */
export const probeBuffer = (node: TensorNode): Buffer =>
  build.buffer(`n${node.id}`, node.type.dtype, node.type.shape, { kind: 'temporary' });

/** `order`: the nodes of the block. `repeated`: see `FormedBlock`. */
export function chooseMaterialized(
  required: readonly TensorNode[],
  order: readonly Node[],
  forms: Forms,
): { readonly materialized: Set<Node>; readonly repeated: ReadonlySet<Node> } {
  const materialized = new Set<Node>(required.filter((node) => !forms.isStored(node)));
  for (const node of order) {
    const form = forms.of(node);
    switch (form.kind) {
      case 'reduce':
        if (!isInlineReduce(form)) materialized.add(node);
        break;
      case 'matmul':
        materialized.add(node);
        break;
      case 'nest':
      case 'loop':
        materialized.add(node);
        for (const argument of node.args) {
          const inRegister =
            form.kind === 'loop' && !form.stored && forms.of(argument).kind === 'element' && shapeOf(argument).length === 0;
          if (!forms.isStored(argument) && !inRegister) materialized.add(argument);
        }
        break;
      case 'element':
      case 'source':
      case 'partial':
      case 'element-of':
        break;
    }
  }
  storeSums(order, materialized, forms);
  storeAlongChains(order, materialized, forms);
  const repeated = storeRepeated(order, materialized, forms);
  for (const node of order) {
    const form = forms.of(node);
    if (form.kind === 'matmul') for (const operand of unreadableOperands(form, materialized, forms)) materialized.add(operand);
  }
  storeCostlyScalars(order, materialized, forms);
  storeSharedScalars(order, materialized, forms);
  return { materialized, repeated };
}

/** What takes more than a few operations is computed before the loops that read it. */
function storeCostlyScalars(order: readonly Node[], materialized: Set<Node>, forms: Forms): void {
  const costs = new InlineCosts(materialized, forms);
  const found = new Set<Node>();
  for (const node of order)
    for (const argument of node.args)
      if (isScalar(argument) && !isScalar(node) && forms.of(argument).kind === 'element' && costs.of(argument) > scalarFlops)
        found.add(argument);
  for (const node of found) materialized.add(node);
}

/**
 * What several scalars take that are made of variables alone (corrections by a step counter), where there are so many scalars that each is
 * a kernel by itself (`fuse/neighbours.ts`): fusion would find the same, and make all groups anew.
 */
function storeSharedScalars(order: readonly Node[], materialized: Set<Node>, forms: Forms): void {
  const scalars = order.filter((node) => materialized.has(node) && isScalar(node) && forms.of(node).kind === 'element');
  if (scalars.length <= mostScalars) return;
  const users = new NodeMap<number>();
  const shared = new Set<Node>();
  for (const scalar of scalars) {
    for (const node of ofSourcesAlone(scalar, materialized, forms)) {
      const count = (users.get(node) ?? 0) + 1;
      users.set(node, count);
      if (count > 1) shared.add(node);
    }
  }
  if (shared.size === 0) return;
  const costs = new InlineCosts(materialized, forms);
  const stored = [...shared].filter((node) => paysToStore(tensorOf(node), costs.of(node), users.get(node) ?? 0, forms.target));
  for (const node of stored) materialized.add(node);
}

/** What is computed on the way from sources to a scalar; nothing where it takes something else that is stored. */
function ofSourcesAlone(scalar: Node, materialized: ReadonlySet<Node>, forms: Forms): ReadonlySet<Node> {
  const between = new Set<Node>();
  const waiting = [...scalar.args];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    const { kind } = forms.of(node);
    if (kind === 'source' || between.has(node)) continue;
    if (kind !== 'element' || materialized.has(node)) return new Set();
    between.add(node);
    waiting.push(...node.args);
  }
  return between;
}

/**
 * What several nodes take, and has more operands than it is itself: sums along a residual stream, and their cotangents. Each is one of the
 * operands of the next; were they found one after the other, by what kernels compute again, a deep model would take a search for each.
 */
function storeSums(order: readonly Node[], materialized: Set<Node>, forms: Forms): void {
  const users = 2;
  const leaves = new Leaves(order, materialized, forms);
  for (const node of order) {
    const form = forms.of(node);
    if (form.kind !== 'element' || form.cost === 0 || !leaves.isShared(node) || isScalar(node)) continue;
    // What it is reduced from is read by passes that need it anyway.
    const below = leaves.of(node).filter((leaf) => shapeEquals(space(shapeOf(leaf)), space(shapeOf(node))));
    const pays = paysToMove(
      form.node,
      below,
      below.some((leaf) => leaves.isEpilogue(leaf, node)),
      users,
      forms.target,
    );
    if (pays) materialized.add(node);
  }
}

/**
 * Of a long chain of which many values are taken by something else as well, one every so often: whoever takes a value would compute all of
 * the chain before it.
 */
function storeAlongChains(order: readonly Node[], materialized: Set<Node>, forms: Forms): void {
  const longest = 48;
  let users: NodeMap<number> | undefined;
  /** The most steps that lie between a node and what is stored. */
  const steps = new NodeMap<number>();
  for (const node of order) {
    const form = forms.of(node);
    if (form.kind !== 'element' || materialized.has(node)) continue;
    let below = 0;
    for (const argument of node.args) below = Math.max(below, steps.get(argument) ?? 0);
    const isTaken = below >= longest && !isScalar(node) && ((users ??= usersIn(order)).get(node) ?? 0) > 1;
    if (isTaken) materialized.add(node);
    else steps.set(node, below + 1);
  }
}

/** How often each node is an argument. */
function usersIn(order: readonly Node[]): NodeMap<number> {
  const users = new NodeMap<number>();
  for (const node of order) for (const argument of node.args) users.set(argument, (users.get(argument) ?? 0) + 1);
  return users;
}

const isScalar = (node: Node): boolean => space(shapeOf(node)).length === 0;

const shapeOf = (node: Node): Shape => (node.type.kind === 'tensor' ? node.type.shape : []);
