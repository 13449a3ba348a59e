// Scalars that are sums of indices. In: nodes of a body's scalar graph. Out: coefficient × index + size, where a node is that; what a
// condition says, as such sums that are not negative.
// Holds: the sum equals the node for every index, as long as nothing leaves the range of i32.

import { Dim, isInteger } from '../../base/index.js';
import type { Node, TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import type { BodyIndex, IndexSpace } from './space.js';

export interface Affine {
  readonly terms: ReadonlyMap<BodyIndex, Dim>;
  readonly constant: Dim;
}

const { elementwise, isNodeOf } = ops;

/** Sums that are longer than this are no index. */
const deepest = 64;

export const constantAffine = (constant: Dim): Affine => ({ terms: new Map(), constant });

export function addAffine(a: Affine, b: Affine, times: Dim | number = 1): Affine {
  const terms = new Map(a.terms);
  for (const [index, coefficient] of b.terms) {
    const sum = (terms.get(index) ?? Dim.zero).add(coefficient.mul(times));
    if (sum.constant === 0) terms.delete(index);
    else terms.set(index, sum);
  }
  return { terms, constant: a.constant.add(b.constant.mul(times)) };
}

/** The node as a sum of indices; undefined when it is none. */
export function affineOf(node: Node, space: IndexSpace, depth = 0): Affine | undefined {
  if (node.type.kind !== 'tensor' || node.type.shape.length > 0 || depth > deepest) return undefined;
  const index = space.indexOf(node as TensorNode);
  if (index !== undefined) return { terms: new Map([[index, Dim.one]]), constant: Dim.zero };
  const part = (at: number): Affine | undefined => affineOf(node.args[at] as Node, space, depth + 1);
  if (isNodeOf(node, ops.constant)) {
    const value = Number(node.attrs.value);
    return isInteger(node.attrs.dtype) && Number.isSafeInteger(value) ? constantAffine(Dim.of(value)) : undefined;
  }
  if (isNodeOf(node, ops.dimension)) return constantAffine(node.attrs.dim);
  if (isNodeOf(node, ops.named)) return part(0);
  if (isNodeOf(node, ops.cast)) return isWide(node) && isWide(node.args[0] as Node) ? part(0) : undefined;
  if (isNodeOf(node, elementwise.neg)) {
    const operand = part(0);
    return operand === undefined ? undefined : addAffine(constantAffine(Dim.zero), operand, -1);
  }
  const [isSum, isDifference, isProduct] = [elementwise.add, elementwise.sub, elementwise.mul].map((op) => isNodeOf(node, op));
  if (isSum !== true && isDifference !== true && isProduct !== true) return undefined;
  const [a, b] = [part(0), part(1)];
  if (a === undefined || b === undefined) return undefined;
  if (isProduct !== true) return addAffine(a, b, isSum === true ? 1 : -1);
  if (b.terms.size === 0) return addAffine(constantAffine(Dim.zero), a, b.constant);
  return a.terms.size === 0 ? addAffine(constantAffine(Dim.zero), b, a.constant) : undefined;
}

const isWide = ({ type }: Node): boolean => type.kind === 'tensor' && (type.dtype === 'i32' || type.dtype === 'i64');

/** Sums that are not negative where the condition is `truth`. */
export function knowledgeOf(node: Node, truth: boolean, space: IndexSpace, depth = 0): readonly Affine[] {
  if (depth > deepest) return [];
  const { args } = node;
  const deeper = (at: number, wanted: boolean): readonly Affine[] => knowledgeOf(args[at] as Node, wanted, space, depth + 1);
  if (isNodeOf(node, ops.named)) return deeper(0, truth);
  if (isNodeOf(node, elementwise.not)) return deeper(0, !truth);
  if (isNodeOf(node, truth ? elementwise.and : elementwise.or)) return [...deeper(0, truth), ...deeper(1, truth)];
  // left − right is at least / at most this, by what is compared and whether it holds.
  const bounds = comparisons.find(([op]) => isNodeOf(node, op))?.[truth ? 1 : 2];
  const [a, b] = bounds === undefined ? [] : args.map((arg) => affineOf(arg, space));
  if (bounds === undefined || a === undefined || b === undefined) return [];
  const difference = addAffine(a, b, -1);
  return [
    ...(bounds.least === undefined ? [] : [addAffine(difference, constantAffine(Dim.of(-bounds.least)))]),
    ...(bounds.most === undefined ? [] : [addAffine(constantAffine(Dim.of(bounds.most)), difference, -1)]),
  ];
}

interface Bounds {
  readonly least?: number;
  readonly most?: number;
}

const comparisons: readonly (readonly [op: ops.Op<ops.NoAttrs>, holds: Bounds, fails: Bounds])[] = [
  [elementwise.lt, { most: -1 }, { least: 0 }],
  [elementwise.le, { most: 0 }, { least: 1 }],
  [elementwise.gt, { least: 1 }, { most: 0 }],
  [elementwise.ge, { least: 0 }, { most: -1 }],
  [elementwise.eq, { least: 0, most: 0 }, {}],
  [elementwise.ne, {}, { least: 0, most: 0 }],
];
