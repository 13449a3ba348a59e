// Small words that rules are written with. In: nodes. Out: what they are made of, or new ones.
// Holds: constants are seen through broadcasts, because every scalar that meets a tensor is broadcast first.

import { type Dim, type DType, isFloat } from '../../base/index.js';
import type { GraphBuilder, Node, TensorNode } from '../../graph/index.js';
import { isTensorNode } from '../../graph/index.js';
import { apply, broadcast, elementwise, reshape, roundTo, tensorOf } from '../../ops/index.js';

export type ScalarName = keyof typeof elementwise;

export function isOp(node: Node, ...names: readonly string[]): boolean;
export function isOp(node: Node | undefined, ...names: readonly string[]): node is Node;
export function isOp(node: Node | undefined, ...names: readonly string[]): boolean {
  return node !== undefined && names.includes(node.op.name);
}

/** An elementwise op of the scalar table applied to nodes. */
export const make = (build: GraphBuilder, name: ScalarName, ...args: readonly Node[]): TensorNode =>
  tensorOf(apply(build, elementwise[name], args, {}));

/** Argument `index` as a tensor. Rules only start at ops of known arity. */
export const arg = (node: Node, index = 0): TensorNode => tensorOf(node.args[index] as Node);

/** The value that every element has, if the graph says so. */
export function splat(node: Node): number | bigint | undefined {
  const inner = isOp(node, 'broadcast') ? arg(node) : node;
  if (!isOp(inner, 'constant')) return undefined;
  const value = inner.attrs['value'];
  return typeof value === 'number' || typeof value === 'bigint' ? value : typeof value === 'boolean' ? Number(value) : undefined;
}

/** Every element is `value`; for 0 either sign. */
export function isSplat(node: Node, value: number): boolean {
  const found = splat(node);
  return found !== undefined && Number(found) === value;
}

export const floats = (node: Node): boolean => isTensorNode(node) && isFloat(node.type.dtype);

/** No element can be infinite or NaN, whatever is fed. Says no when in doubt. */
export function isFinite(node: Node): boolean {
  if (!isTensorNode(node)) return false;
  if (!isFloat(node.type.dtype)) return true;
  const value = splat(node);
  if (value !== undefined) return Number.isFinite(Number(value));
  if (isOp(node, 'broadcast', 'reshape', 'transpose', 'slice', 'pad', 'neg', 'abs', 'sign')) return isFinite(arg(node));
  // Every integer fits the range of f32, f64 and bf16; f16 ends at 65504.
  return isOp(node, 'cast') && !isFloat(arg(node).type.dtype) && (node.type.dtype !== 'f16' || arg(node).type.dtype === 'bool');
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
  return tensorOf(apply(build, reshape, [node], { shape }));
}

export function broadcasted(build: GraphBuilder, node: TensorNode, shape: readonly Dim[], axes: readonly number[]): TensorNode {
  if (shape.length === 0) return node;
  return tensorOf(apply(build, broadcast, [node], { shape, axes }));
}

export const numbersOf = (node: Node, attr: string): readonly number[] => node.attrs[attr] as readonly number[];
export const dimsOf = (node: Node, attr: string): readonly Dim[] => node.attrs[attr] as readonly Dim[];
