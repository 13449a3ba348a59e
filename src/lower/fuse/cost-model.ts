// What a plan costs, to compare plans. In: groups. Out: time in FLOPs that one core could have done meanwhile. Holds: the formula is in the
// note at the end; it decides what runs together, never what is computed.

import { bytesOf, Dim, elementCount, type Shape, TooLarge } from '../../base/index.js';
import type { Node, TensorNode, Type } from '../../graph/index.js';
import { assumedSize, cheapFlops, flopsPerKernel, leastShared, memoryLevels, type Target } from '../../target/index.js';
import type { Fusion, Group } from './groups.js';
import type { Forms } from '../form/materialize.js';

/** FLOPs per element that are computed wherever they are needed. */
export const isCheap = (flops: number): boolean => flops <= cheapFlops;

export const assumed = (dim: Dim): number =>
  dim.constant ?? dim.terms.reduce((sum, { coefficient, names }) => sum + names.reduce((product) => product * assumedSize, coefficient), 0);

const assumedElements = (shape: Shape): number => shape.reduce((product, dim) => product * assumed(dim), 1);

/** Time in which a tensor goes to where it lives, or comes from there. */
function costOfTensor({ type }: Node, target: Target): number {
  let known = costs.get(target);
  if (known === undefined) costs.set(target, (known = new WeakMap()));
  let cost = known.get(type);
  if (cost === undefined) {
    cost = type.kind === 'tensor' ? costOfMoving(assumedElements(type.shape) * bytesOf(type.dtype), target) : 0;
    known.set(type, cost);
  }
  return cost;
}

/** By target and type, neither of which changes. */
const costs = new WeakMap<Target, WeakMap<Type, number>>();

/**
 * Whether a value that `users` kernels need is stored by one and loaded by all, rather than computed by each. `flops` per element; a cheap
 * one is never stored: the loops that would store it cost as much.
 */
export function paysToStore(node: TensorNode, flops: number, users: number, target: Target): boolean {
  if (isCheap(flops)) return false;
  const again = assumedElements(node.type.shape) * flops * (users - 1);
  return costOfTensor(node, target) * users < again;
}

function costOfMoving(bytes: number, target: Target): number {
  const level = memoryLevels(target).find((one) => bytes <= one.bytes);
  return bytes * (level?.flopsPerByte ?? 0);
}

/**
 * The same for a value that costs next to nothing but its operands: whether it pays to move it once and load it rather than to load all
 * that it is computed of for each of `users` kernels. `leaves`: the stored nodes that it reads. `epilogue`: one of them is a product that
 * nothing else reads; its kernel then stores the value in the product's stead.
 */
export function paysToMove(node: TensorNode, leaves: readonly Node[], epilogue: boolean, users: number, target: Target): boolean {
  const own = costOfTensor(node, target);
  const read = leaves.reduce((sum, leaf) => sum + Math.min(own, costOfTensor(leaf, target)), 0);
  return (users - 1) * read > users * own - (epilogue ? 2 * own : 0);
}

/** Whether going over `shared` once for two kernels is worth something beside all that one of them reads. */
export function isMuchOf(shared: readonly Node[], read: readonly Node[]): boolean {
  const elements = (nodes: readonly Node[]): number =>
    nodes.reduce((sum, { type }) => sum + (type.kind === 'tensor' ? assumedElements(type.shape) : 0), 0);
  return elements(shared) >= leastShared * elements(read);
}

/** Time of all kernels together. */
export function costOfPlan(fusion: Fusion, required: ReadonlySet<Node>, forms: Forms): number {
  const { groups, groupOf } = fusion;
  const readOutside = new Set<Node>();
  for (const group of groups) for (const read of group.reads) if (groupOf.get(read) !== group) readOutside.add(read);
  return groups.reduce((sum, group) => {
    let moved = 0;
    for (const node of group.reads) moved += costOfTensor(node, forms.target);
    for (const { node } of group.members) if (required.has(node) || readOutside.has(node)) moved += costOfTensor(node, forms.target);
    return sum + flopsPerKernel + moved + flopsOf(group, forms, 0, (total, shape, each) => total + assumedElements(shape) * each);
  }, 0);
}

/** What is more than can be counted is much. */
export function estimated<T>(count: () => T, much: T): T {
  try {
    return count();
  } catch (error) {
    if (!(error instanceof TooLarge) || error.of !== 'size') throw error;
    return much;
  }
}

export const mostCounted = Dim.of(Number.MAX_SAFE_INTEGER);

/** FLOPs of a group, each value computed once. */
export const flopsOfGroup = (group: Group, forms: Forms): Dim => estimated(() => countedFlops(group, forms), mostCounted);

const countedFlops = (group: Group, forms: Forms): Dim =>
  flopsOf(group, forms, Dim.zero, (total, shape, each) => total.add(elementCount(shape).mul(each)));

/** `add` adds so many FLOPs for each element of a shape. */
function flopsOf<T>(group: Group, forms: Forms, none: T, add: (total: T, shape: Shape, each: number) => T): T {
  let flops = none;
  // A set's iteration also visits what is added meanwhile.
  const seen = new Set<Node>(group.members.map((member) => member.node));
  for (const node of seen) {
    if (forms.isStored(node) || group.reads.has(node)) continue;
    const form = forms.of(node);
    if (form.kind === 'element') flops = add(flops, form.node.type.shape, form.cost);
    if (form.kind === 'reduce') flops = add(flops, [...form.node.type.shape, ...form.reduced], opsPerTerm(forms, node));
    if (form.kind === 'partial') flops = add(flops, [...form.of.node.type.shape, ...form.of.reduced], opsPerTerm(forms, node));
    if (form.kind === 'matmul') flops = add(flops, [...form.node.type.shape, form.depth], 2);
    for (const argument of forms.argsOf(node)) seen.add(argument);
  }
  return flops;
}

/** A product and a sum, or a sum alone. */
const opsPerTerm = (forms: Forms, node: Node): number => (forms.argsOf(node).length > 1 ? 2 : 1);

/* Note: the model.
   time = Σ over kernels of (overhead + Σ over tensors read or written of bytes · flopsPerByte(bytes) + FLOPs), in FLOPs that one core could
   have done. A tensor comes from the nearest cache that holds all of it, so its own size says what a byte of it costs (`memoryLevels`).
   Machines differ less in these ratios than in speed, and the decisions need no more than their order. Within a kernel a value is computed
   once per pass and counted once; what passes compute again is small beside a load, or kept (row-cache.ts). Sizes that only the call knows
   are taken to be `assumedSize`. Three decisions compare such times: whether sums over many points ride along by partial results
   (split-reductions.ts: whole plans are compared), whether a value that several kernels need is stored, and which scalars are computed
   ahead of the loops that read them. Joining a group needs no comparison: kernels that share data and a loop move less and do no more, so
   they are always joined. */
