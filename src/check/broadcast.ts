// NumPy's broadcasting, decided at compile time. In: tensors and the places where they stand. Out: tensors of one shape, with explicit
// broadcast nodes.
// Holds: axes are aligned at the end; sizes must be equal as polynomials, or one of them the constant 1. A size that may be 1 or N at run
// time is never broadcast.

import type { Span } from '../../grammar/index.js';
import { Dim, shapeEquals, type Label, type Shape } from '../base/index.js';
import { type TensorNode, typeToString } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import type { Context } from './context.js';
import { alignedHint, transposedHint } from './fitting.js';
import { excerpt, fail } from './report.js';
import { GenericBinding } from './scope.js';
import { shapeOf } from './tensors.js';
import { type Value, describe } from './values.js';

export interface Operand {
  readonly node: TensorNode;
  readonly value: Value;
  readonly span: Span;
}

/** `x` or `x[0]` when the text is short, else `the left side`. */
export const operandText = (context: Context, operand: Pick<Operand, 'span'>, fallback: string): string =>
  excerpt(context, operand.span, fallback);

/**
 * Where the size of `axis` of an operand was written or bound: the declared type of its name, the argument that bound the generic in it,
 * else the operand itself with its type.
 */
export function sizeLabels(operand: Pick<Operand, 'value' | 'span'>, axis: number): Label[] {
  const { value } = operand;
  const binding = value.kind === 'tensor' || value.kind === 'variable' ? value.binding : undefined;
  const rank = shapeOf(value)?.length ?? 0;
  const size = shapeOf(value)?.[axis];
  const labels: Label[] = [];
  if (binding?.span === undefined) return [{ span: operand.span, text: `this is ${describe(value)}` }];
  const type = binding.type;
  const dims = type?.kind === 'named-type' ? type.dims : undefined;
  const written = dims?.length === rank ? dims[axis] : undefined;
  if (written === undefined || written.kind === 'rank-spread') {
    labels.push({ span: binding.span, text: `\`${binding.name}\` is ${describe(value)}` });
    return labels;
  }
  labels.push({ span: written.span, text: `\`${binding.name}\` is ${describe(value)}` });
  if (written.kind === 'size-name') {
    const generic = binding.typeScope?.lookup(written.name);
    if (generic instanceof GenericBinding && generic.bound !== undefined && `${size}` !== written.name)
      labels.push({ span: generic.bound, text: `\`${written.name}\` is ${size} here` });
    else if (generic !== undefined && generic.span !== undefined && generic.role === 'declaration')
      labels.push({ span: generic.span, text: `\`${written.name}\` is ${size}` });
  }
  return labels;
}

/** Two sizes differ: for sure (`shape-mismatch`), or for some values of the free sizes (`ambiguous-size`). */
function sizesDiffer(a: Dim, b: Dim): 'surely' | 'perhaps' {
  return a.sub(b).constant === undefined ? 'perhaps' : 'surely';
}

/**
 * The shape that all operands broadcast to; undefined after a diagnostic. `what` is the text of the operation; `instead`: a hint at another
 * one, which would fit.
 */
export function commonShape(
  context: Context,
  operands: readonly Operand[],
  span: Span,
  what: string,
  shapes: readonly Shape[] = operands.map((operand) => operand.node.type.shape),
  instead?: string,
): Shape | undefined {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result: Dim[] = [];
  for (let axis = 0; axis < rank; axis++) {
    let size: Dim | undefined;
    let holder = 0;
    for (const [index, shape] of shapes.entries()) {
      const own = shape[shape.length - rank + axis];
      if (own === undefined || own.constant === 1) continue;
      if (size === undefined) {
        size = own;
        holder = index;
        continue;
      }
      if (size.equals(own)) continue;
      const first = operands[holder] as Operand;
      const second = operands[index] as Operand;
      const code = sizesDiffer(size, own) === 'surely' ? 'shape-mismatch' : 'ambiguous-size';
      const names = [operandText(context, first, 'the left side'), operandText(context, second, 'the right side')] as const;
      const labels = [
        ...sizeLabels(first, axis - (rank - (shapes[holder] as Shape).length)),
        ...sizeLabels(second, axis - (rank - shape.length)),
      ];
      const sides = [shapes[holder] as Shape, shape] as const;
      const types = `${typeToString(first.node.type)} and ${typeToString(second.node.type)}`;
      if (code === 'shape-mismatch')
        fail(context, code, span, `${what}: ${types} do not broadcast: size ${size} of ${names[0]} and size ${own} of ${names[1]} differ`, {
          labels,
          hint:
            instead ??
            axesHint(context, first, second, sides) ??
            `sizes must be equal, or one of them 1${declaredHint(context, axis - rank, [first, size, sides[0]], [second, own, sides[1]])}`,
        });
      else
        fail(
          context,
          code,
          span,
          `${what}: ${types} do not broadcast: whether size ${size} of ${names[0]} and size ${own} of ${names[1]} agree is not known`,
          {
            labels,
            hint:
              instead ??
              axesHint(context, first, second, sides) ??
              'give both the same size name if they are always equal; a size that is 1 only at run time is not broadcast',
          },
        );
      return undefined;
    }
    result.push(size ?? Dim.one);
  }
  return result;
}

/**
 * The types with which operands whose type is written would fit: `: let y be f32[3], or x f32[B, 4]`. `axis` counts from the end; `shapes`
 * are what is compared of each.
 */
function declaredHint(
  context: Context,
  axis: number,
  [first, size, x]: readonly [Operand, Dim, Shape],
  [second, own, y]: readonly [Operand, Dim, Shape],
): string {
  const fitting = ({ node, value }: Operand, shape: Shape, wanted: Dim): string[] => {
    const binding = value.kind === 'tensor' || value.kind === 'variable' ? value.binding : undefined;
    const isWritten = binding?.type !== undefined && context.checker.modules.get(binding.type.span.source)?.std === false;
    return isWritten && shape === node.type.shape
      ? [`\`${binding.name}\` ${typeToString({ ...node.type, shape: shape.with(axis, wanted) })}`]
      : [];
  };
  const types = [...fitting(second, y, size), ...fitting(first, x, own)];
  return types.length === 0 ? '' : `: let ${types.join(', or ')}`.replace('` ', '` be ');
}

/** Operands that would fit with their axes in another order or place. `shapes`: what is compared of each. */
function axesHint(context: Context, a: Operand, b: Operand, [x, y]: readonly [Shape, Shape]): string | undefined {
  const [moved, from, to] = x.length < y.length ? [a, x, y] : [b, y, x];
  // Of a part of the axes nothing is said: the others would move, too.
  if (from !== moved.node.type.shape) return undefined;
  const text = operandText(context, moved, '…');
  return from.length === to.length ? transposedHint(text, from, to) : alignedHint(text, from, to);
}

/** The tensor stretched to `shape`, which must be one that it broadcasts to. */
export function broadcastTo(context: Context, node: TensorNode, shape: Shape, span: Span): TensorNode | undefined {
  if (shapeEquals(node.type.shape, shape)) return node;
  const offset = shape.length - node.type.shape.length;
  return applyTensor(context, ops.broadcast, [node], { shape, axes: node.type.shape.map((_, axis) => axis + offset) }, span);
}

/** All operands in their common shape; undefined after a diagnostic. */
export function broadcastTogether(
  context: Context,
  operands: readonly Operand[],
  span: Span,
  what: string,
  instead?: string,
): TensorNode[] | undefined {
  const shape = commonShape(context, operands, span, what, undefined, instead);
  if (shape === undefined) return undefined;
  const nodes: TensorNode[] = [];
  for (const operand of operands) {
    const node = broadcastTo(context, operand.node, shape, span);
    if (node === undefined) return undefined;
    nodes.push(node);
  }
  return nodes;
}
