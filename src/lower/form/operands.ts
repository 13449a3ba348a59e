// How register tiles read their operands. In: a matrix product and the nodes that have storage. Out: operands that need storage of their
// own first.
// Holds: what is left is one load per element, linear in every loop of the tile, and contiguous along the columns of the right side.

import type { Node, TensorNode } from '../../graph/index.js';
import { build, type Expr } from '../../kernel/index.js';
import { addressStride } from './index-expressions.js';
import { tensorOf, type MatmulForm } from './forms.js';
import { type Forms, probeBuffer } from './materialize.js';
import { Names, Scope } from './scope.js';
import { structureOf } from './structure.js';
import { type Stored, Values, type ValueSources } from './values.js';

/**
 * Operands that the register tile cannot read as they are: computed ones, and views whose address is not linear, or whose columns are not
 * contiguous on the right side (lanes run along columns).
 */
export function unreadableOperands(form: MatmulForm, materialized: ReadonlySet<Node>, forms: Forms): TensorNode[] {
  const { text } = structureOf([form.node], forms, (node) => node !== form.node && (materialized.has(node) || forms.isStored(node)));
  let sides = forms.structures.unreadable.get(text);
  if (sides === undefined) forms.structures.unreadable.set(text, (sides = unreadableSides(form, materialized, forms)));
  const isStored = (node: Node): boolean => forms.isStored(node) || materialized.has(node);
  return sides.map((side) => tensorOf(form.node.args[side] as Node)).filter((node) => !isStored(node));
}

/** 0: the left side, 1: the right side. */
function unreadableSides(form: MatmulForm, materialized: ReadonlySet<Node>, forms: Forms): number[] {
  const [left, right] = form.node.args.map(tensorOf) as [TensorNode, TensorNode];
  const batch = form.batch.map((_, axis) => build.index(`b${axis}`));
  const stored = (node: TensorNode): Stored | undefined =>
    materialized.has(node) || forms.isStored(node) ? { kind: 'buffer', buffer: probeBuffer(node) } : undefined;
  return [
    ...(strideAlong(left, [...batch, build.index('m'), build.index('k')], ['m', 'k'], stored, forms) === undefined ? [0] : []),
    ...(strideAlong(right, [...batch, build.index('k'), build.index('n')], ['n', 'k'], stored, forms) === 1 ? [] : [1]),
  ];
}

/**
 * Constant stride along the first of `loops`, 0 for another linear one, undefined when the operand is no plain load that is linear in all
 * of them.
 */
export function strideAlong(
  operand: TensorNode,
  index: readonly Expr[],
  loops: readonly string[],
  stored: ValueSources['stored'],
  forms: Forms,
): number | undefined {
  const value = loadOf(operand, index, stored, forms);
  if (value === undefined) return undefined;
  const strides = loops.map((loop) => addressStride(value.buffer, value.index, loop));
  if (strides.some((stride) => stride === undefined)) return undefined;
  return strides[0]?.constant ?? 0;
}

/**
 * What a tile loads for an element of an operand, through views of it; undefined when it computes it. What its index needs is named in
 * `scope`: without one, the load is to be looked at only.
 */
export function loadOf(
  operand: TensorNode,
  index: readonly Expr[],
  stored: ValueSources['stored'],
  forms: Forms,
  scope = Scope.root(new Names()),
): Extract<Expr, { kind: 'load' }> | undefined {
  const value = new Values({ stored, form: (node) => forms.of(node) }).at(operand, index, scope);
  return value.kind === 'load' ? value : undefined;
}
