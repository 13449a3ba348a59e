// Small words that rules are written with. In: nodes. Out: what they are made of, or new ones.
// Holds: constants are seen through broadcasts, because every scalar that meets a tensor is broadcast first.

import { type Dim, type DType, isFloat, roundTo } from '../../base/index.js';
import { type Attrs, type GraphBuilder, isTensorNode, type Node, type OpTag, type TensorNode } from '../../graph/index.js';
import { applyTensor, broadcast, constant, type ElementwiseOp, type Op, opOf, reshape, tensorOf } from '../../ops/index.js';

/** Whether a node is of one of these ops; what it says of ops with attributes, it says of the node's. */
export function isOp(node: Node | undefined, ...ops: readonly ElementwiseOp[]): boolean;
export function isOp<A extends Attrs>(node: TensorNode | undefined, ...ops: readonly Op<A>[]): node is TensorNode<A>;
export function isOp<A extends Attrs>(node: Node | undefined, ...ops: readonly Op<A>[]): node is Node<A>;
export function isOp(node: Node | undefined, ...ops: readonly OpTag[]): boolean {
  return node !== undefined && ops.includes(node.op);
}

/** An elementwise op applied to nodes. */
export const make = (build: GraphBuilder, op: ElementwiseOp, ...args: readonly Node[]): TensorNode => applyTensor(build, op, args, {});

/** Argument `index` as a tensor. Rules only start at ops of known arity. */
export const arg = (node: Node, index = 0): TensorNode => tensorOf(node.args[index] as Node);

/** The value that every element has, if the graph says so. */
export function splat(node: Node): number | bigint | undefined {
  const inner = isOp(node, broadcast) ? arg(node) : node;
  if (!isOp(inner, constant)) return undefined;
  return inner.attrs.value;
}

/** Every element is `value`; for 0 either sign. */
export function isSplat(node: Node, value: number): boolean {
  const found = splat(node);
  return found !== undefined && Number(found) === value;
}

export const floats = (node: Node): boolean => isTensorNode(node) && isFloat(node.type.dtype);

/** No element can be infinite or NaN, whatever is fed. Says no when in doubt. */
export function isFinite(node: Node): boolean {
  // A set's iteration also visits what is added meanwhile.
  const asked = new Set([node]);
  for (const one of asked) {
    if (!isTensorNode(one)) return false;
    if (!isFloat(one.type.dtype)) continue;
    const value = splat(one);
    if (value !== undefined ? !Number.isFinite(Number(value)) : opOf(one).keepsFinite?.(one) !== true) return false;
    if (value === undefined) for (const argument of one.args) asked.add(argument);
  }
  return true;
}

/** The other argument when one of the two is the value everywhere. */
export function beside(node: Node, value: number): TensorNode | undefined {
  if (isSplat(arg(node, 1), value)) return arg(node, 0);
  return isSplat(arg(node, 0), value) ? arg(node, 1) : undefined;
}

// ---- Numbers -----------------------------------------------------------------------------------------------------------------------

export const isPowerOfTwo = (x: number): boolean =>
  Number.isFinite(x) && x !== 0 && Number.isInteger(Math.log2(Math.abs(x))) && 2 ** Math.log2(Math.abs(x)) === Math.abs(x);
const smallestNormal: Readonly<Record<string, number>> = { f16: 2 ** -14, bf16: 2 ** -126, f32: 2 ** -126, f64: 2 ** -1022 };
/** A number of the dtype, and none of its smallest, which have fewer digits. */
export const isNormal = (dtype: DType, x: number): boolean => roundTo(dtype, x) === x && Math.abs(x) >= (smallestNormal[dtype] ?? 0);
/** Numbers of programs are seldom near an end of the range, so a factor near 1 may be anywhere in a product. Those of f16 often are. */
export const isRoomy = (dtype: DType): boolean => (smallestNormal[dtype] ?? 1) <= 2 ** -126;

// ---- Axes of size 1 ----------------------------------------------------------------------------------------------------------------

export const isUnit = (dim: Dim): boolean => dim.constant === 1;

/** Axes whose size is not the constant 1. */
export const properAxes = (shape: readonly Dim[]): number[] => shape.flatMap((dim, axis) => (isUnit(dim) ? [] : [axis]));

/** True when both differ only in axes of size 1. */
export function sameButUnits(a: readonly Dim[], b: readonly Dim[]): boolean {
  const left = properAxes(a).map((axis) => a[axis] as Dim);
  const right = properAxes(b).map((axis) => b[axis] as Dim);
  return left.length === right.length && left.every((dim, at) => dim.equals(right[at] as Dim));
}

export function reshaped(build: GraphBuilder, node: TensorNode, shape: readonly Dim[]): TensorNode {
  return applyTensor(build, reshape, [node], { shape });
}

export function broadcasted(build: GraphBuilder, node: TensorNode, shape: readonly Dim[], axes: readonly number[]): TensorNode {
  if (shape.length === 0) return node;
  return applyTensor(build, broadcast, [node], { shape, axes });
}
