// How tiles read their operands. In: a matrix product and the nodes that have storage. Out: nodes that need storage of their own first.
// Holds: what is left is one load per element, linear in every loop of the tile, and contiguous along the columns of the right side where
// the target's products ask for that.

import type { Node, TensorNode } from '../../graph/index.js';
import { build, type Expr } from '../../kernel/index.js';
import { addressStride } from './index-expressions.js';
import { isRoundedLater, type MatmulForm, rightIndex, tensorOf } from './forms.js';
import { type Forms, probeBuffer } from './materialize.js';
import { Names, Scope } from './scope.js';
import { structureOf } from './structure.js';
import { type Stored, Values, type ValueSources } from './values.js';

/**
 * What needs storage so that a tile can read its operands: computed ones, and views whose address is not linear, or whose columns are not
 * contiguous on the right side (lanes of a CPU run along columns). Where they need not be, that is the deepest node below a view of which
 * the rest is read as it lies: others read it too.
 */
export function unreadableOperands(form: MatmulForm, materialized: ReadonlySet<Node>, forms: Forms): TensorNode[] {
  const isStored = (node: Node): boolean => forms.isStored(node) || materialized.has(node);
  const { text } = structureOf([form.node], forms, (node) => node !== form.node && isStored(node));
  let sides = forms.structures.unreadable.get(text);
  if (sides === undefined) forms.structures.unreadable.set(text, (sides = unreadableSides(form, isStored, forms)));
  const operands = sides.map((side) => ({ side, node: tensorOf(form.node.args[side] as Node) })).filter(({ node }) => !isStored(node));
  if (!forms.target.stridedColumns) return operands.map(({ node }) => node);
  return operands.map(({ side, node }) => {
    const chain = [node, ...belowViews(node, isStored, forms)];
    const isReadWith = (one: Node): boolean => !unreadableSides(form, (other) => other === one || isStored(other), forms).includes(side);
    return chain.findLast(isReadWith) ?? node;
  });
}

/** What a node moves or has rounded by its reader, down to what is computed; none of them is stored. */
function belowViews(node: TensorNode, isStored: (node: Node) => boolean, forms: Forms): readonly TensorNode[] {
  const found: TensorNode[] = [];
  for (let at = node; ; found.push(at)) {
    const form = forms.of(at);
    const [only, ...others] = at.args;
    if (form.kind !== 'element' || form.cost > 0 || only === undefined || others.length > 0 || isStored(only)) return found;
    at = tensorOf(only);
  }
}

/** 0: the left side, 1: the right side. */
function unreadableSides(form: MatmulForm, isStored: (node: Node) => boolean, forms: Forms): number[] {
  const right = tensorOf(form.node.args[1] as Node);
  const { batch, inner } = probeIndices(form);
  const stored = (node: TensorNode): Stored | undefined => (isStored(node) ? { kind: 'buffer', buffer: probeBuffer(node) } : undefined);
  const along = inner.map((_, axis) => `k${axis}`);
  const stride = strideAlong(right, rightIndex(form, batch, inner, build.index('n')), ['n', ...along], stored, forms);
  return [
    ...(strideOfLeft(form, ['m', ...along], stored, forms) === undefined ? [0] : []),
    ...(stride === 1 || (stride !== undefined && forms.target.stridedColumns) ? [] : [1]),
  ];
}

/** Loops of a product by names: `b0`, `b1`, … around it, `k0`, `k1`, … over what is summed; `m` and `n` are rows and columns. */
function probeIndices(form: MatmulForm): { readonly batch: readonly Expr[]; readonly inner: readonly Expr[] } {
  return { batch: form.batch.map((_, axis) => build.index(`b${axis}`)), inner: form.inner.map((_, axis) => build.index(`k${axis}`)) };
}

/** The same as `strideAlong` for the left side, which may be read through a view of its own. */
export function strideOfLeft(form: MatmulForm, loops: readonly string[], stored: ValueSources['stored'], forms: Forms): number | undefined {
  const { batch, inner } = probeIndices(form);
  const scope = Scope.root(new Names());
  const value = loadOfLeft(form, [...batch, build.index('m'), ...inner], stored, forms, scope);
  return value === undefined ? undefined : strideOf(value, loops, scope);
}

/** What a tile loads for an element of the left side; undefined when it computes it. */
export function loadOfLeft(
  form: MatmulForm,
  index: readonly Expr[],
  stored: ValueSources['stored'],
  forms: Forms,
  scope = Scope.root(new Names()),
): Extract<Expr, { kind: 'load' }> | undefined {
  const values = valuesOf(stored, forms);
  const value = form.left(index, (node, at) => values.at(node, at, scope));
  return value.kind === 'load' ? value : undefined;
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
  const scope = Scope.root(new Names());
  const value = loadOf(operand, index, stored, forms, scope);
  return value === undefined ? undefined : strideOf(value, loops, scope);
}

/** `scope`: where what the index needs is named. */
function strideOf(value: Extract<Expr, { kind: 'load' }>, loops: readonly string[], scope: Scope): number | undefined {
  const strides = loops.map((loop) => addressStride(value.buffer, value.index, loop, scope.statements));
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
  const value = valuesOf(stored, forms).at(operand, index, scope);
  return value.kind === 'load' ? value : undefined;
}

const valuesOf = (stored: ValueSources['stored'], forms: Forms): Values =>
  new Values({
    stored,
    form: (node) => forms.of(node),
    ...(forms.target.roundsOperands ? { isRoundedLater } : {}),
  });
