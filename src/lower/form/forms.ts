// How a node is computed. In: a node, which is asked for its op's lowering. Out: its form: read from storage, inlined where it is needed,
// reduced, tiled, or a nest of its own.
// Holds: a contraction whose result has one column is a reduction of a product; every other contraction is tiled.

import {
  bytesOf,
  type Dim,
  type DType,
  elementCount,
  InternalError,
  isFloat,
  isNarrowFloat,
  type Precision,
  type Shape,
} from '../../base/index.js';
import { isTensorNode, type Node, type TensorNode } from '../../graph/index.js';
import { build, type Combiner, combiners, type Expr, exprKey, ofNothing } from '../../kernel/index.js';
import type { Lowering, Op } from '../../ops/index.js';
import { assumedSize, mostRoundedLater } from '../../target/index.js';

/** Points out the value of argument `which` at an index. */
export type ArgumentReader = (argument: TensorNode, index: readonly Expr[]) => Expr;

export interface ReduceForm {
  readonly kind: 'reduce';
  readonly node: TensorNode;
  readonly combine: Combiner;
  /** Sizes reduced over; the node's own shape is what is kept. */
  readonly reduced: Shape;
  /** How far the only axis of `reduced` is filled, when that is known at run time only. */
  readonly filled?: Expr;
  /** What is combined, at an index of the result and an index of `reduced`, in the dtype that it is combined in. */
  term(kept: readonly Expr[], reduced: readonly Expr[], read: ArgumentReader): Expr;
  /** True when the last axis of the (first) argument in memory order is reduced: lanes run along it. */
  readonly innermostReduced: boolean;
}

/** Partial results of a reduction: row p of the node combines what block p of the points contributes. */
export interface PartialForm {
  readonly kind: 'partial';
  /** Stands for the partial results; no op makes it. */
  readonly node: TensorNode;
  /** The whole reduction. */
  readonly of: ReduceForm;
  /** Leading axes of what is reduced: the points, which come in blocks. */
  readonly points: Shape;
  /** What else is reduced, at each point. */
  readonly within: Shape;
}

export interface MatmulForm {
  readonly kind: 'matmul';
  readonly node: TensorNode;
  /** Axes around a product of two matrices: those of both sides, and axes of rows before the last. */
  readonly batch: Shape;
  /** So many of `batch`, from the first, has the right side as well. */
  readonly shared: number;
  /** The last axis of rows. */
  readonly rows: Dim;
  readonly columns: Dim;
  /** Axes over which is summed, and how many terms that makes. */
  readonly inner: Shape;
  readonly depth: Dim;
  /** An element of the left side, at [...batch, row, ...inner]. */
  left(index: readonly Expr[], read: ArgumentReader): Expr;
}

export type Form =
  | { readonly kind: 'source'; readonly node: TensorNode }
  | { readonly kind: 'element'; readonly node: TensorNode; readonly cost: number }
  | ReduceForm
  | PartialForm
  | MatmulForm
  | { readonly kind: 'nest'; readonly node: Node }
  /** `stored`: scalars that come in are stored, too. */
  | { readonly kind: 'loop'; readonly node: Node; readonly stored: boolean }
  | { readonly kind: 'element-of'; readonly node: TensorNode };

export const opOf = (node: Node): Op => node.op as Op;

export function tensorOf(node: Node): TensorNode {
  if (!isTensorNode(node)) throw new InternalError('lower', `${node.op.name} gives a tuple where a tensor is needed`);
  return node;
}

/** Non-unit sizes: the axes that need a loop. */
export const space = (shape: Shape): Shape => (shape.some(isUnit) ? shape.filter((dim) => !isUnit(dim)) : shape);

const isUnit = (dim: Dim): boolean => dim.constant === 1;

/** An index into `shape`: one entry of `loops` per non-unit axis, 0 elsewhere. */
export function spread(shape: Shape, loops: readonly Expr[]): Expr[] {
  let next = 0;
  return shape.map((dim) => (dim.constant === 1 ? build.int(0) : (loops[next++] as Expr)));
}

/** Known to have no element: nothing is computed for it, and what it would be is 0 wherever the text of a kernel mentions it. */
export const isEmpty = (node: Node): boolean => node.type.kind === 'tensor' && node.type.shape.some((dim) => dim.constant === 0);

export function formOf(node: Node): Form {
  const lowering: Lowering<Node['attrs']> = opOf(node).lowering;
  if (isEmpty(node) && lowering.kind !== 'source' && lowering.kind !== 'element-of')
    return { kind: 'element', node: tensorOf(node), cost: 0 };
  switch (lowering.kind) {
    case 'source':
      return { kind: 'source', node: tensorOf(node) };
    case 'element':
      if (lowering.ownNest?.when(tensorOf(node)) === true) return { kind: 'nest', node };
      return { kind: 'element', node: tensorOf(node), cost: lowering.cost };
    case 'element-of':
      return { kind: 'element-of', node: tensorOf(node) };
    case 'nest':
      return { kind: 'nest', node };
    case 'loop':
      return { kind: 'loop', node, stored: lowering.stored === true };
    case 'reduce':
      return reduceForm(tensorOf(node), lowering.axes(tensorOf(node)), lowering.combine(tensorOf(node)));
    case 'contract':
      return contractForm(tensorOf(node), lowering);
    case 'removed':
      throw new InternalError('lower', `${node.op.name} should have been removed by ${lowering.by}`);
  }
}

function reduceForm(node: TensorNode, axes: readonly number[], combine: Combiner): ReduceForm {
  const argument = tensorOf(node.args[0] as Node);
  const over = new Set(axes);
  const shape = argument.type.shape;
  let last = shape.length - 1;
  while (last >= 0 && (shape[last] as Dim).constant === 1) last -= 1;
  return {
    kind: 'reduce',
    node,
    combine,
    reduced: axes.map((axis) => shape[axis] as Dim),
    innermostReduced: last >= 0 && over.has(last),
    term: (kept, reduced, read) => {
      let [k, r] = [0, 0];
      const index = shape.map((_, axis) => (over.has(axis) ? (reduced[r++] as Expr) : (kept[k++] as Expr)));
      return widthAs(combinedAs(node.type.dtype), read(argument, index));
    },
  };
}

function contractForm(node: TensorNode, lowering: Extract<Lowering<Node['attrs']>, { kind: 'contract' }>): ReduceForm | MatmulForm {
  const [left, right] = node.args.map(tensorOf) as [TensorNode, TensorNode];
  const shape = node.type.shape;
  const [rows, columns] = shape.slice(-2) as [Dim, Dim];
  const { batch: shared, inner } = lowering.groups?.(node) ?? { batch: shape.length - 2, inner: [left.type.shape.at(-1) as Dim] };
  const leftAt = (index: readonly Expr[], read: ArgumentReader): Expr => {
    const arg = (which: number, at: readonly Expr[]): Expr => read(tensorOf(node.args[which] as Node), at);
    return lowering.left?.(node, index, arg) ?? read(left, index);
  };
  if (columns.constant !== 1) {
    const depth = elementCount(inner);
    return { kind: 'matmul', node, batch: shape.slice(0, -2), shared, rows, columns, inner, depth, left: leftAt };
  }
  return {
    kind: 'reduce',
    node,
    combine: 'sum',
    reduced: inner,
    innermostReduced: true,
    term: (kept, reduced, read) => {
      const wide = combinedAs(node.type.dtype);
      return build.apply(
        'mul',
        wide,
        widthAs(wide, leftAt([...kept.slice(0, -1), ...reduced], read)),
        widthAs(wide, read(right, [...kept.slice(0, shared), ...reduced, build.int(0)])),
      );
    },
  };
}

/** The indices of the inner axes for step `k` of the depth. */
export function innerAt({ inner }: MatmulForm, k: Expr): readonly Expr[] {
  const index: Expr[] = [];
  let rest = k;
  const first = inner.findIndex((size) => size.constant !== 1);
  for (let axis = inner.length - 1; axis >= 0; axis--) {
    const size = build.size(inner[axis] as Dim);
    index[axis] = axis === first ? rest : build.modulo(rest, size);
    if (axis > first) rest = build.over(rest, size);
  }
  return index;
}

/** The index of an element of the right side. */
export const rightIndex = ({ shared }: MatmulForm, batch: readonly Expr[], inner: readonly Expr[], column: Expr): readonly Expr[] => [
  ...batch.slice(0, shared),
  ...inner,
  column,
];

/** Reductions with equal keys can share a loop. */
export const reducedKey = (form: ReduceForm): string =>
  `${space(form.reduced).join()}${form.filled === undefined ? '' : ` of ${exprKey(form.filled)}`}`;

/** Half-width floats are combined in f32 and rounded once. */
export const combinedAs = (dtype: DType): DType => (isNarrowFloat(dtype) ? 'f32' : dtype);

/** The float format that holds all elements of a node as they are. */
export function formatOf(node: TensorNode): Precision {
  const { lowering } = opOf(node);
  return (lowering.kind === 'element' ? lowering.holds?.(node) : undefined) ?? node.type.dtype;
}

/** The dtype in which a GPU's memory keeps the elements of a node. */
export function keptAs(node: TensorNode): DType {
  const [format, { dtype }] = [formatOf(node), node.type];
  return format !== 'tf32' && bytesOf(format) < bytesOf(dtype) ? format : dtype;
}

/**
 * Whether products on a GPU read the argument in the place of the node, and round it on the way: to TF32, which tensor cores do; to 16 bits
 * where that is there and so small that a kernel that stores it would take longer than reading twice as many bytes.
 */
export function isRoundedLater(node: TensorNode): boolean {
  if (node.type.dtype !== 'f32') return false;
  if (formatOf(node) === 'tf32') return true;
  const [of] = node.args;
  if (keptAs(node) === 'f32' || of === undefined || opOf(of).lowering.kind !== 'source') return false;
  return node.type.shape.reduce((count, size) => count * (size.constant ?? assumedSize), 1) <= mostRoundedLater;
}

/** `value` as `dtype`, where that is the wide or the narrow side of a combination. */
export const widthAs = (dtype: DType, value: Expr): Expr => (build.dtypeOf(value) === dtype ? value : build.apply('convert', dtype, value));

/** One more term onto a running value, outside of an accumulator. */
export function combineStep(combine: Combiner, dtype: DType, value: Expr, term: Expr): Expr {
  if (combine === 'sum' && isFloat(dtype) && term.kind === 'apply' && term.fn === 'mul')
    return build.apply('muladd', dtype, term.args[0] as Expr, term.args[1] as Expr, value);
  return build.apply(combiners[combine].fn, dtype, value, term);
}

/** What combining nothing gives. */
export const identity = (combine: Combiner, dtype: DType): Expr => build.constant(dtype, ofNothing(combine, dtype));

/** Every index of a shape with constant sizes, in row-major order. */
export function* indices(shape: readonly number[]): Generator<number[]> {
  if (shape.some((extent) => extent === 0)) return;
  const at = shape.map(() => 0);
  for (;;) {
    yield [...at];
    let axis = shape.length - 1;
    while (axis >= 0 && ++(at[axis] as number) === shape[axis]) at[axis--] = 0;
    if (axis < 0) return;
  }
}

export const constants = (shape: Shape): number[] | undefined => {
  const sizes = shape.map((dim) => dim.constant);
  return sizes.every((one): one is number => one !== undefined) ? sizes : undefined;
};
